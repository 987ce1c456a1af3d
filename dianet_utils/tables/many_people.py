"""Tables 1, 3 and 4 on more people: the same rows on several synthetic datasets, and what was to be compared.

One dataset has 26 people, too few to see a difference of a few points; five datasets have 130. Every row
predicts every clip once, in folds of people, with training seed 0. Only the tables' contrasts are tested.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from dianet_utils import datasets, evaluation, synthetic
from dianet_utils.config import system
from dianet_utils.plumbing.files import RESULTS
from dianet_utils.tables.planned import planned
from dianet_utils.tables.rows import TABLES, TableRow

KEPT = RESULTS / "reference" / "people"  # where tools/keep_people.py puts what the rows predicted
SEEDS = (0, 1, 2, 3, 4)  # of the generator; neither its calibration nor the training's settings saw them

# By table, the keys of the rows; a row of two tables stands in the first. The most wanted come first.
ROWS: tuple[tuple[int, str], ...] = (
    *((4, key) for key in ("onset+offset", "tent", "onset", "whole", "offset")),
    *(
        (1, key)
        for key in ("linear_svm", "linear_svm:tent", "logistic", "lbp_top", "optical_strain", "bi_woof")
    ),
    *((4, f"linear_svm:{key}") for key in ("whole", "onset", "offset")),
    *((3, key) for key in ("simple", "concat")),
    *((1, key) for key in ("fdcn", "affectivenet", "learnet", "geme", "originet")),
    *((4, key) for key in ("samples", "offset+offset", "onset+onset", "whole+whole")),
    *((3, key) for key in ("cross_single_token", "cross_tokens", "cross_spatial")),
)
DEFAULT = "onset+offset"  # in every table the default DIANet, under the name that Table 4 has for it

# Keys that tables have for a row whose predictions are kept under another.
KEPT_AS = {"dianet": DEFAULT, "cross_channel": DEFAULT, "linear_svm:onset+offset": "linear_svm"}


def table_row(row: tuple[int, str]) -> TableRow:
    """The row of a table by its key."""
    number, key = row
    return next(each for each in TABLES[number].rows if each.key == key)


def titles() -> dict[str, str]:
    """What people call each row, by its key: the default is DIANet."""
    return {**{key: _title(number, table_row((number, key))) for number, key in ROWS}, DEFAULT: "DIANet"}


def _title(number: int, row: TableRow) -> str:
    """Rows of Tables 3 and 4 are DIANets unless they say otherwise; those of Table 1 tell their status."""
    model = row.settings.get("model")
    if model is None:
        return f"DIANet, {row.title[0].lower()}{row.title[1:]}"
    known = system(model).status
    return f"{row.title} ({known})" if number == 1 and known != "rival" else row.title


def of_table(number: int) -> list[str]:
    """The keys of one table's rows, in its order, as far as they are among :data:`ROWS`."""
    there = {key for _, key in ROWS}
    keys = (KEPT_AS.get(row.key, row.key) for row in TABLES[number].rows)
    return [key for key in keys if key in there]


def clips(seed: int) -> pd.DataFrame:
    """The usable clips of the synthetic dataset of a generator's seed, generated on first use."""
    root = synthetic.generate(replace(synthetic.Settings(), seed=seed), shown=False)
    return datasets.select(datasets.load("synthetic", root))[0]


def read(folder: str | Path = KEPT) -> pd.DataFrame:
    """The kept predictions: one line per clip, ``dataset clip subject true`` and a column per table row."""
    return pd.read_csv(Path(folder) / "predictions.csv", dtype={"clip": str, "subject": str})


def has(predictions: pd.DataFrame, row: str, seed: int) -> bool:
    """Whether a table row has predicted every clip of the dataset of one seed."""
    part = predictions["dataset"] == seed
    return row in predictions and bool(part.any() and predictions.loc[part, row].notna().all())


def rows_of(predictions: pd.DataFrame) -> list[str]:
    """The table rows that predicted every clip of every dataset."""
    return [name for name in predictions.columns[4:] if predictions[name].notna().all()]


def of_row(predictions: pd.DataFrame, row: str) -> pd.DataFrame:
    """One row's predictions as the tests take them; people and clips are told apart by their dataset."""
    told = {
        name: predictions["dataset"].astype(str) + "/" + predictions[name] for name in ("clip", "subject")
    }
    return pd.DataFrame({**told, "seed": 0, "true": predictions["true"], "predicted": predictions[row]})


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """One line per row of ``predictions``, which are as :func:`read` gives them.

    ``accuracy low high`` in percent, with a 95 % interval over people; ``uf1 uar``; ``dataset 0`` and so on,
    the accuracy on each dataset.
    """
    classes = sorted(predictions["true"].unique())
    lines = []
    for row in rows_of(predictions):
        found = evaluation.metrics(of_row(predictions, row), classes)
        right = (predictions[row] == predictions["true"]).groupby(predictions["dataset"]).mean()
        ends = dict(zip(("low", "high"), (100 * end for end in found["intervals"]["accuracy"]), strict=True))
        each = {f"dataset {name}": 100 * value for name, value in right.items()}
        line = {"row": row, "accuracy": 100 * found["accuracy"], **ends}
        lines.append({**line, "uf1": found["uf1"], "uar": found["uar"], **each})
    return pd.DataFrame(lines).set_index("row")


def trained(folds: pd.DataFrame) -> pd.DataFrame:
    """One line per row: ``train_accuracy`` and ``train_accuracy_least``, mean and least over folds, in %.

    ``folds`` has ``row`` and ``train_accuracy`` (a share), one line per fold.
    """
    told = 100 * folds.groupby("row")["train_accuracy"].agg(["mean", "min"])
    return told.set_axis(["train_accuracy", "train_accuracy_least"], axis=1)


def contrasts(predictions: pd.DataFrame) -> pd.DataFrame:
    """The contrasts of Tables 1, 3 and 4 over all people.

    Columns as of :func:`~dianet_utils.tables.planned.planned`, with ``table`` before them, and ``dataset 0``
    and so on, the gains on each dataset, after them.
    """
    there = rows_of(predictions)
    parts = []
    for number in (1, 3, 4):
        keys = {key for pair in TABLES[number].contrasts for key in pair}
        columns = {key: KEPT_AS.get(key, key) for key in keys}
        named = {key: of_row(predictions, column) for key, column in columns.items() if column in there}
        found = planned(number, named).replace({"first": columns, "second": columns})
        parts.append(found.assign(table=number))
    table = pd.concat(parts, ignore_index=True)
    each = [_gains(predictions, *pair) for pair in table[["first", "second"]].itertuples(index=False)]
    table = table[["table", *(name for name in table if name != "table")]]
    return table.join(pd.DataFrame(each, index=table.index))


def _gains(predictions: pd.DataFrame, first: str, second: str) -> dict[str, float]:
    """By how many points the first row is ahead on each dataset."""
    one, two = ((predictions[row] == predictions["true"]).astype(int) for row in (first, second))
    gains = (one - two).groupby(predictions["dataset"]).mean()
    return {f"dataset {name}": 100 * value for name, value in gains.items()}
