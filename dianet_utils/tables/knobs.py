"""Three knobs of the synthetic clips, turned one against the other: what they do to each input of Table 4.

Drift, recovery and delays between muscles have no published source, and they decide how much the image of
a whole clip holds beside that of a phase. So the same people and expressions are rendered with other values.
A linear SVM reads every combination, DIANet those that differ from the default clips in one knob at most.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dianet_utils import datasets, evaluation, synthetic
from dianet_utils.plumbing.files import RESULTS
from dianet_utils.tables.rows import TABLES, TableRow

KEPT = RESULTS / "reference" / "knobs"  # where tools/run_knobs.py puts what the rows predicted
INPUTS = ("whole", "onset", "offset", "onset+offset", "tent")


class Knobs(NamedTuple):
    """Values of three settings of the synthetic clips, see :class:`dianet_utils.synthetic.Settings`."""

    drift_px: float  # px of a 192 px frame, sd of the slow shift left after alignment
    residual: tuple[float, float]  # part of the motion still there at the offset
    phase: float  # delays between muscles: 0 none, 1 natural

    @property
    def settings(self) -> synthetic.Settings:
        """The default dataset with these values."""
        return replace(synthetic.Settings(), **self._asdict())

    @property
    def texts(self) -> dict[str, str]:
        """The values as text, by the names of :data:`COLUMNS`."""
        low, high = self.residual
        return {
            "drift_px": f"{self.drift_px:g}",
            "residual": f"{100 * low:g}-{100 * high:g}",
            "phase": f"{self.phase:g}",
        }


COLUMNS = (*Knobs._fields, "clip", "subject", "true")  # of the kept file, then its rows
DRIFTS = (0.0, 0.015, 0.05, 0.15)
RESIDUALS = ((0.0, 0.3), (0.3, 0.8), (0.7, 1.0))
DELAYS = (0.0, 1.0)
DEFAULT = Knobs(synthetic.Settings().drift_px, synthetic.Settings().residual, synthetic.Settings().phase)


def grid() -> Iterator[Knobs]:
    """Every combination of the values above."""
    return (Knobs(*values) for values in product(DRIFTS, RESIDUALS, DELAYS))


def changed(knobs: Knobs) -> list[str]:
    """The names of the knobs that do not stand as in the default clips."""
    return [name for name in Knobs._fields if getattr(knobs, name) != getattr(DEFAULT, name)]


def rows(knobs: Knobs) -> list[TableRow]:
    """The rows of Table 4 that read these clips: the SVM always, DIANet where at most one knob is turned."""
    keys = [f"linear_svm:{name}" for name in INPUTS] + (list(INPUTS) if len(changed(knobs)) < 2 else [])
    known = {row.key: row for row in TABLES[4].rows}
    return [known[key] for key in keys]


def clips(knobs: Knobs) -> pd.DataFrame:
    """The usable clips with these knobs, of the default dataset's people, generated on first use."""
    root = synthetic.generate(knobs.settings, shown=False)
    return datasets.select(datasets.load("synthetic", root))[0]


def read(folder: str | Path = KEPT) -> pd.DataFrame:
    """The kept predictions, all text: one line per clip and combination, a column per row of Table 4."""
    return pd.read_csv(Path(folder) / "predictions.csv", dtype=str)


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """One line per combination and row that predicted all of its clips.

    ``drift_px residual phase row`` and in percent ``accuracy low high``, with a 95 % interval over people.
    """
    lines = []
    for values, part in predictions.groupby(list(Knobs._fields), sort=False):
        told = dict(zip(Knobs._fields, values, strict=True))
        for row in [name for name in part.columns[len(COLUMNS) :] if part[name].notna().all()]:
            table = part[["clip", "subject", "true"]].assign(seed=0, predicted=part[row])
            found = evaluation.metrics(table, sorted(part["true"].unique()))
            low, high = found["intervals"]["accuracy"]
            ends = {"accuracy": found["accuracy"], "low": low, "high": high}
            lines.append({**told, "row": row, **{name: 100 * value for name, value in ends.items()}})
    return pd.DataFrame(lines)


def along(found: pd.DataFrame, knob: str) -> pd.DataFrame:
    """The lines of :func:`scores` where every knob but one stands as in the default clips."""
    others = {name: text for name, text in DEFAULT.texts.items() if name != knob}
    return found[(found[list(others)] == pd.Series(others)).all(axis=1)]
