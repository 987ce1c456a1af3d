"""Keep what tools/run_people.py gave: predictions, training accuracy per fold, scores, contrasts, a figure.

    python tools/keep_people.py                     all rows
    python tools/keep_people.py onset+offset tent   some, by key: those that are run on all five datasets

Nothing is trained here.
"""

import sys
from collections.abc import Collection, Iterator

import pandas as pd

from dianet_utils import loso, run, tables
from dianet_utils.plots.contrasts import draw_people
from dianet_utils.plumbing.files import shown, write_figure, write_text
from dianet_utils.tables import many_people

FOLDS = 5


def finished(seed: int, keys: Collection[str]) -> Iterator[tables.Outcome]:
    """The rows of ``keys`` whose folds are all there, on the dataset of one seed."""
    parameters = run.check_parameters({"dataset": "synthetic"})
    place = tables.folder_of("synthetic")
    rows = [many_people.table_row(row) for row in many_people.ROWS if row[1] in keys]
    for entry in tables.prepare(rows, many_people.clips(seed), parameters):
        folds = place / loso.run_name(entry.bank, entry.config) / "folds"
        if len(list(folds.glob("seed0_*.json"))) == FOLDS:
            yield from tables.run_rows([entry], place)


def keep(name: str, table: pd.DataFrame) -> None:
    """Write one table into the folder of kept results."""
    text = table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    print(shown(write_text(many_people.KEPT / name, text)))


def main(keys: Collection[str]) -> None:
    """Gather five datasets and write the four tables."""
    predictions, folds = [], []
    for seed in many_people.SEEDS:
        outcomes = list(finished(seed, keys))
        clips = outcomes[0].predictions[["clip", "subject", "true"]]
        named = {o.entry.row.key: o.predictions.set_index("clip")["predicted"] for o in outcomes}
        predictions.append(clips.assign(dataset=seed).join(pd.DataFrame(named), on="clip"))
        for outcome in outcomes:
            for fold in outcome.folds:
                told = {name: fold[name] for name in ("subject", "train_accuracy", "seconds")}
                folds.append({"dataset": seed, "row": outcome.entry.row.key, **told})
    table = pd.concat(predictions)
    columns = [key for _, key in many_people.ROWS if key in table]
    table = table[["dataset", "clip", "subject", "true", *columns]]
    keep("predictions.csv", table)
    told = pd.DataFrame(folds).rename(columns={"subject": "fold"})
    keep("folds.csv", told)
    keep("scores.csv", many_people.scores(table).join(many_people.trained(told)).reset_index())
    keep("contrasts.csv", many_people.contrasts(table))
    chance = 100 * table["true"].value_counts(normalize=True).iloc[0]
    figure = draw_people(
        many_people.scores(table), many_people.titles(), chance, "SYNTHETIC clips, 130 people"
    )
    write_figure(many_people.KEPT / "people.png", figure)


if __name__ == "__main__":
    main(sys.argv[1:] or [key for _, key in many_people.ROWS])
