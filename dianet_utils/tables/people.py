"""Tables 1, 3 and 4 on more people: the same rows on several synthetic datasets, and what was to be compared.

One dataset has 26 people, too few to see a difference of a few points; five datasets have 130. Every row
predicts every clip once, in folds of people, with training seed 0. :data:`CONTRASTS` were chosen before any
row was run, and they alone are tested.
"""

from dataclasses import replace

import pandas as pd

from dianet_utils import datasets, synthetic
from dianet_utils.tables.rows import TABLES, TableRow

SEEDS = (0, 1, 2, 3, 4)  # of the generator; neither its calibration nor the training's settings saw them
SPLIT = "kfold:5"

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

# What the paper claims, and what decides it: named before the rows were run.
CONTRASTS: dict[int, tuple[tuple[str, str], ...]] = {
    1: ((DEFAULT, "fdcn"), (DEFAULT, "linear_svm")),
    3: ((DEFAULT, "simple"), (DEFAULT, "concat")),
    4: ((DEFAULT, "onset"), (DEFAULT, "tent"), ("onset", "whole")),
}


def table_row(row: tuple[int, str]) -> TableRow:
    """The row of a table by its key."""
    number, key = row
    return next(each for each in TABLES[number].rows if each.key == key)


def clips(seed: int) -> pd.DataFrame:
    """The usable clips of the synthetic dataset of a generator's seed, generated on first use."""
    root = synthetic.generate(replace(synthetic.Settings(), seed=seed), shown=False)
    return datasets.select(datasets.load("synthetic", root))[0]
