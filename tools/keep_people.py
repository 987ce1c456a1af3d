"""Keep what tools/run_people.py gave: predictions, training accuracy per fold, scores, contrasts, a figure.

Rows that were kept before stay, new ones join them; a row that lacks a dataset waits for it. Nothing is
trained here.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from dianet_utils import loso, run, tables
from dianet_utils.plots.contrasts import draw_people
from dianet_utils.plumbing.files import shown, write_figure, write_text
from dianet_utils.tables import many_people

FOLDS = 5
TOLD = ("train_accuracy", "seconds")  # of a fold
# The rows of README's first figure: the paper's inputs, both phases in one image, and what is to be passed.
FIRST = ("onset+offset", "tent", "onset", "whole", "offset", "linear_svm", "linear_svm:tent", "logistic")


def finished(seed: int, kept: pd.DataFrame) -> Iterator[tables.Outcome]:
    """The rows whose folds are all there, on the dataset of one seed, and not kept yet."""
    parameters = run.check_parameters({"dataset": "synthetic"})
    place = tables.folder_of("synthetic")
    rows = [many_people.table_row(row) for row in many_people.ROWS if not many_people.has(kept, row[1], seed)]
    for entry in tables.prepare(rows, many_people.clips(seed), parameters):
        folds = place / loso.run_name(entry.bank, entry.config) / "folds"
        if len(list(folds.glob("seed0_*.json"))) == FOLDS:
            yield from tables.run_rows([entry], place)


def gathered(seed: int, before: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The predictions on one dataset, those kept before and new ones, and how the new ones were trained."""
    outcomes = list(finished(seed, before))
    clips = many_people.clips(seed).reset_index()[["clip", "subject", "emotion"]]
    table = clips.rename(columns={"emotion": "true"}).assign(dataset=seed)
    old = before[before["dataset"] == seed].drop(columns=["dataset", "subject", "true"]).set_index("clip")
    new = pd.DataFrame({o.entry.row.key: o.predictions.set_index("clip")["predicted"] for o in outcomes})
    folds = [
        {"dataset": seed, "row": o.entry.row.key, "fold": f["subject"], **{n: f[n] for n in TOLD}}
        for o in outcomes
        for f in o.folds
    ]
    return table.join(new.combine_first(old), on="clip"), folds


def keep(name: str, table: pd.DataFrame) -> None:
    """Write one table into the folder of kept results."""
    text = table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    print(shown(write_text(many_people.KEPT / name, text)))


def main() -> None:
    """Gather five datasets, add them to what is kept, and write everything that follows from it."""
    there = (many_people.KEPT / "predictions.csv").is_file()
    before = many_people.read() if there else pd.DataFrame(columns=["dataset", "clip", "subject", "true"])
    tables_and_folds = [gathered(seed, before) for seed in many_people.SEEDS]
    table = pd.concat([table for table, _ in tables_and_folds])
    columns = [key for _, key in many_people.ROWS if key in table]
    table = table[["dataset", "clip", "subject", "true", *columns]]
    told = pd.DataFrame([fold for _, folds in tables_and_folds for fold in folds])
    told = pd.concat([pd.read_csv(many_people.KEPT / "folds.csv"), told]) if there else told
    keep("predictions.csv", table)
    keep("folds.csv", told)
    keep("scores.csv", many_people.scores(table).join(many_people.trained(told)).reset_index())
    keep("contrasts.csv", many_people.contrasts(table))
    draw(table)


def draw(table: pd.DataFrame) -> None:
    """The figure of all rows, and README's of a few."""
    chance, scores = 100 * table["true"].value_counts(normalize=True).iloc[0], many_people.scores(table)
    for name, shown_rows in {"people": scores, "first": scores.loc[list(FIRST)]}.items():
        figure = draw_people(shown_rows, many_people.titles(), chance, "SYNTHETIC clips, 130 people")
        write_figure(many_people.KEPT / f"{name}.png", figure)


if __name__ == "__main__":
    main()
