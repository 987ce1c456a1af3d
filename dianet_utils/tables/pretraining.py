"""Weights from ImageNet: not used, frozen, or fine-tuned, with both scalings of a dynamic image.

One network for which a package brings the weights, the paper's training, images of 112 px, the default
synthetic dataset in five folds of people, training seed 0.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils.plumbing.files import RESULTS
from dianet_utils.tables.many_people import of_row
from dianet_utils.tables.planned import tested
from dianet_utils.tables.rows import TableRow

KEPT = RESULTS / "reference" / "pretrained"  # where tools/run_pretrained.py puts what the rows predicted
CLIP_COLUMNS = ["dataset", "clip", "subject", "true"]  # of the kept predictions, beside one column per row
SHARED: dict[str, Any] = {
    "dataset": "synthetic",
    "setting": "paper",
    "backbone": "tf_efficientnet_lite0",
    "image_size": 112,
    "precision": "bfloat16",
}
_WEIGHTS: dict[str, tuple[str, dict[str, Any]]] = {
    "scratch": ("Random weights", {"pretrained": "none"}),
    "frozen": ("ImageNet, frozen", {"pretrained": "package", "frozen": True}),
    "tuned": ("ImageNet, fine-tuned", {"pretrained": "package"}),
}
ROWS = tuple(
    TableRow(f"{key}:{scaling}", f"{title}, {scaling}", {**settings, "scaling": scaling})
    for scaling in ("minmax", "signed")
    for key, (title, settings) in _WEIGHTS.items()
)
# Named before any row was run.
CONTRASTS = (
    ("tuned:minmax", "scratch:minmax"),
    ("tuned:minmax", "frozen:minmax"),
    ("tuned:signed", "tuned:minmax"),
)


def read(folder: str | Path = KEPT) -> pd.DataFrame:
    """The kept predictions: ``dataset clip subject true`` and a column per row, one line per clip."""
    return pd.read_csv(Path(folder) / "predictions.csv", dtype={"clip": str, "subject": str})


def contrasts(predictions: pd.DataFrame) -> pd.DataFrame:
    """:data:`CONTRASTS` as :func:`~dianet_utils.tables.planned.planned` tells those of a table."""
    return tested(
        CONTRASTS, {row.key: of_row(predictions, row.key) for row in ROWS if row.key in predictions}
    )
