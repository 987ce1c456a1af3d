"""What was run: the run folders below results/, and one against another."""

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils.config import PAPER_DEFAULTS, defaults
from dianet_utils.evaluation import comparison
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, DamagedFileError, read_json, shown

_SCORES = {"uf1": "UF1", "uar": "UAR", "accuracy": "accuracy"}


def listing(folder: str | Path) -> str:
    """Every run below a folder: its path, folds, scores, and the settings that are not the defaults.

    A run of which no scores are written yet says so. Raises InputError where there is none.
    """
    folder = Path(folder).expanduser()
    runs = [path.parent for path in sorted(folder.rglob("config.json")) if _is_run(path)]
    if not runs:
        raise InputError(f"There is no run below {shown(folder)}: run one first, such as dianet 04.")
    return "\n".join(_line(place) for place in runs)


def _is_run(path: Path) -> bool:
    """Whether a ``config.json`` is that of a run; others, whoever they belong to, are passed over."""
    try:
        told = read_json(path)
    except DamagedFileError:
        print(f"{shown(path)} is no JSON and is passed over.", file=sys.stderr)
        return False
    return isinstance(told, dict) and isinstance(told.get("config"), dict) and "dataset" in told["config"]


def _line(place: Path) -> str:
    """Two lines: path, folds and scores; then what differs from the defaults."""
    folds = len(list(place.glob("folds/seed*.json")))
    told = [
        f"{folds} folds" if folds else "its folds are not here",
        _scores(place),
        other_settings(read_json(place / "config.json")["config"]),
    ]
    return f"{shown(place)}\n{textwrap.indent(chr(10).join(part for part in told if part), '    ')}"


def _scores(place: Path) -> str:
    path = place / "metrics.json"
    if not path.is_file():
        return "no scores yet"
    try:
        metrics = read_json(path)
    except DamagedFileError:
        metrics = None
    numbers = isinstance(metrics, dict) and all(isinstance(metrics.get(name, 0.0), float) for name in _SCORES)
    if not numbers:
        return "its metrics.json holds no scores: run it again"
    return ", ".join(f"{title} {metrics[name]:.3f}" for name, title in _SCORES.items() if name in metrics)


def other_settings(told: Mapping[str, Any]) -> str:
    """The settings of a run that are not the defaults of its dataset and its system, as NAME=VALUE.

    ``told`` is the configuration as JSON: an addition that is not in it stands at its default.
    """
    model = str(told.get("model", PAPER_DEFAULTS["model"]))
    usual = {**defaults(str(told["dataset"]), model), "dataset": told["dataset"]}
    other = {name: value for name, value in told.items() if name in usual and value != _as_json(usual[name])}
    if model != PAPER_DEFAULTS["model"]:
        other = {"model": model, **other}
    return ", ".join(f"{name}={_text(value)}" for name, value in other.items())


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def comparison_of(first: str, second: str) -> str:
    """A paired test of two runs on the clips and seeds that both predicted, for people.

    Raises InputError for what is no run with predictions, for runs on other data or other classes, and
    where no clip is common.
    """
    places = [place_of(first), place_of(second)]
    names = ["A", "B"]
    tables = dict(zip(names, _common(*map(predictions_of, places)), strict=True))
    row = comparison.compare(tables).iloc[0]
    accuracies = [(table["true"] == table["predicted"]).mean() for table in tables.values()]
    lines = [
        f"{name}: {shown(place)}, accuracy {accuracy:.3f}"
        for name, place, accuracy in zip(names, places, accuracies, strict=True)
    ]
    seeds = ", ".join(map(str, sorted(tables["A"]["seed"].unique())))
    return "\n".join(
        [
            *lines,
            f"both predicted {row['clips']} clips of {row['subjects']} subjects (seeds {seeds})",
            f"A minus B: {100 * row['difference']:+.1f} points, 95 % interval over subjects "
            f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}",
            f"right more often: A on {row['only_first']} clips, B on {row['only_second']}",
            f"p, exact: {row['p_permutation']:.3g} (signs of subjects), "
            f"{row['p_mcnemar']:.3g} (McNemar, clips)",
        ]
    )


def place_of(name: str) -> Path:
    """The run folder that a path, or the part of a path below results/, names."""
    for place in (Path(name).expanduser(), RESULTS / name):
        if (place / "predictions.csv").is_file():
            return place
    raise InputError(f"{name} is no run folder with predictions.csv: 'dianet list' names those there are.")


def predictions_of(place: Path) -> pd.DataFrame:
    """The predictions of a run folder, names as text; InputError where they are not whole."""
    text = {"clip": str, "subject": str, "true": str, "predicted": str}
    where = f"{shown(place)}/predictions.csv"
    try:
        table = pd.read_csv(place / "predictions.csv", dtype=text, keep_default_na=False)
    except (OSError, ValueError):
        raise InputError(f"{where} is damaged: run the same again, which writes it anew.") from None
    lacking = [name for name in (*text, "seed") if name not in table]
    if lacking:
        raise InputError(f"{where} lacks {', '.join(lacking)}: run it again.")
    if fault := _fault(table):
        raise InputError(f"{where} {fault}: run the same again, which writes it anew.")
    return table


def _fault(table: pd.DataFrame) -> str:
    """What is wrong with the rows of a table of predictions, or ""."""
    probabilities = [name for name in table if str(name).startswith("p_")]
    told = {*table["true"], *table["predicted"]}
    strange = told - {str(name)[2:] for name in probabilities} if probabilities else told & {""}
    if table.empty:
        return "has no row"
    if (repeated := table.duplicated(["clip", "seed"])).any():
        return f"has the clip {table['clip'][repeated].iloc[0]} twice with one seed"
    if strange:
        return f"is cut or damaged (class {min(strange)!r})"
    return "lacks probabilities" if table[probabilities].isna().any(axis=None) else ""


def _common(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of both tables whose clip and seed are in both; InputError where there are none, or others."""
    key = ["clip", "seed"]
    both = first[[*key, "subject", "true"]].merge(second[[*key, "subject", "true"]], on=key)
    if both.empty:
        raise InputError("The two runs have no clip with the same seed in common.")
    if ((both["true_x"] != both["true_y"]) | (both["subject_x"] != both["subject_y"])).any():
        raise InputError("The two runs call the same clips differently: they are of other data or classes.")
    return first.merge(both[key], on=key), second.merge(both[key], on=key)
