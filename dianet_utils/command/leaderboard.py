"""``dianet submit RUN [NAME]``: a run with its predictions onto the board of results.

The board is ``results.csv``; beside it ``schema.json`` says what each column holds, and ``predictions/`` has
the answers that a row rests on, from which anybody can make its scores again.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils import evaluation, paper
from dianet_utils.command.kept_runs import other_settings, place_of, predictions_of
from dianet_utils.config import LOSO
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, read_json, shown, write_text

BOARD = RESULTS / "reference" / "leaderboard"
KINDS = {True: "synthetic clips", False: "recorded clips", None: "clips of unknown origin"}
_NAME = r"[A-Za-z0-9][\w.+=-]{0,99}"


def submit(run: str, name: str = "", board: Path = BOARD) -> dict[str, Any]:
    """Append a run to the board and keep its predictions there; returns the row.

    ``name`` is how the row is called, else as the run's folder. Raises InputError where the run is not whole,
    its files do not agree, the test subject chose the epoch, or the board has that name or that run already.
    """
    place = place_of(run)
    name = name or place.resolve().name
    predictions, told = predictions_of(place), _told(place)
    _refuse_gaps(predictions, told, place)
    _refuse_others(predictions, told["metrics"], place)
    row = {"name": name, **described(told), **scored(predictions, told["metrics"]["classes"])}
    kept = read_board(board)
    _refuse_twice(row, kept)
    path = board / "predictions" / f"{name}.csv"
    row["predictions"] = path.relative_to(board).as_posix()
    write_text(path, predictions.to_csv(index=False, lineterminator="\n"))
    table = pd.concat([kept, pd.DataFrame([row]).astype(str)], ignore_index=True)
    write_text(board / "results.csv", table.to_csv(index=False, lineterminator="\n"))
    return row


def read_board(board: Path = BOARD) -> pd.DataFrame:
    """The rows so far, as text; none where there is no board yet."""
    path = board / "results.csv"
    if not path.is_file():
        return pd.DataFrame()
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError:
        table = pd.DataFrame()
    if not {"name", "run", "data", "seeds"} <= {*table}:
        raise InputError(f"{shown(path)} is damaged: git checkout {shown(path)} brings it back.")
    return table


def _told(place: Path) -> dict[str, Any]:
    """What a run's ``config.json`` and ``metrics.json`` say; InputError where that is too little."""
    for file in ("config.json", "metrics.json"):
        if not (place / file).is_file():
            raise InputError(f"{shown(place)} has no {file}: finish the run first, then submit it.")
    held, metrics = (read_json(place / file) for file in ("config.json", "metrics.json"))
    if not (isinstance(held, dict) and isinstance(held.get("config"), dict) and isinstance(metrics, dict)):
        raise InputError(f"{shown(place)}: config.json or metrics.json is not that of a run: run it again.")
    told = {**held, "metrics": metrics}
    if "train" in metrics:
        raise InputError(f"{shown(place)} is a transfer: each row of this board is of one dataset.")
    lacking = [name for name in ("config", "digest", "data_fingerprint") if name not in told]
    lacking += [name for name in ("classes", "dataset", "accuracy") if name not in told["metrics"]]
    if lacking or not _is_whole(told):
        wrong = ", ".join(lacking) or "its settings and classes as a run does"
        raise InputError(f"{shown(place)} does not tell {wrong}: run it again, then submit it.")
    return told


def _is_whole(told: dict[str, Any]) -> bool:
    """Whether what a run's files tell is of the kinds that a run writes."""
    metrics, classes = told["metrics"], told["metrics"]["classes"]
    texts = [told["digest"], told["data_fingerprint"], metrics["dataset"], told["config"].get("model")]
    return (
        isinstance(classes, list)
        and all(isinstance(text, str) for text in (*texts, *classes, told["config"].get("split", "")))
        and len(set(classes)) == len(classes)
        and isinstance(metrics.get("synthetic"), (bool, type(None)))
        and isinstance(metrics.get("all_folds", 0), int)
    )


def described(told: dict[str, Any]) -> dict[str, str]:
    """The columns that say what was run on what."""
    config, metrics = told["config"], told["metrics"]
    settings = other_settings({**config, "split": LOSO})  # the split has a column of its own
    return {
        "kind": KINDS[metrics.get("synthetic")],
        "system": config["model"],
        "settings": settings.removeprefix(f"model={config['model']}").removeprefix(", "),
        "dataset": metrics["dataset"],
        "selection": str(metrics.get("selection", "")),
        "protocol": config.get("split", LOSO),
        "run": told["digest"],
        "data": told["data_fingerprint"][:12],
    }


def scored(predictions: pd.DataFrame, classes: list[str]) -> dict[str, Any]:
    """The columns that follow from predictions: counts, chance, each score with its interval over people."""
    found = evaluation.metrics(predictions, list(classes))
    row = {
        "people": predictions["subject"].nunique(),
        "clips": found["n"],
        "classes": " ".join(found["classes"]),
        "seeds": " ".join(map(str, found["seeds"])),
        "chance": found["chance"],
    }
    for name in ("uf1", "uar", "accuracy"):
        low, high = found["intervals"][name]
        row |= {name: found[name], f"{name}_low": low, f"{name}_high": high}
    return row


def _refuse_gaps(predictions: pd.DataFrame, told: dict[str, Any], place: Path) -> None:
    """InputError where a fold is missing: each seed must have predicted each clip once, in every fold."""
    seeds = predictions["seed"].nunique()
    counts = predictions.groupby("clip")["seed"].agg(["size", "nunique"])
    uneven = counts.index[(counts != seeds).any(axis=1)]
    if len(uneven):
        raise InputError(f"{shown(place)} has not each clip once per seed (see {uneven[0]}): finish the run.")
    folds = predictions["fold" if "fold" in predictions else "subject"].nunique()
    kept = len(list(place.glob("folds/seed*.json"))) or seeds * folds
    wanted = max(kept, seeds * _wanted_folds(told))
    if wanted != seeds * folds:
        raise InputError(
            f"{shown(place)}/predictions.csv has {seeds * folds} of the run's {wanted} folds: finish the run."
        )


def _wanted_folds(told: dict[str, Any]) -> int:
    """How many folds a run must have by its settings, or its dataset's people; 0 where neither tells."""
    if "all_folds" in told["metrics"]:
        return int(told["metrics"]["all_folds"])
    kind, _, count = told["config"].get("split", LOSO).partition(":")
    if kind == "kfold":
        return int(count)
    whole = kind == LOSO and not told["metrics"].get("selection") and not told["metrics"].get("synthetic")
    return int(paper.EXPECTED.get(told["metrics"]["dataset"], {}).get("subjects", 0)) if whole else 0


def _refuse_others(predictions: pd.DataFrame, metrics: dict[str, Any], place: Path) -> None:
    """InputError for a leaky run, and where the scores of a run are not those of its predictions."""
    if evaluation.is_leaky(predictions):
        raise InputError(
            f"{shown(place)}: the test subject chose the epoch, so it has no place on this board."
        )
    unknown = {*predictions["true"], *predictions["predicted"]} - {*metrics["classes"]}
    if unknown:
        raise InputError(
            f"{shown(place)}: metrics.json does not know the class {min(unknown)}: run it again."
        )
    again = evaluation.metrics(predictions, metrics["classes"])
    differ = [key for key in ("n", "accuracy", "uf1", "uar") if again[key] != metrics.get(key)]
    if differ:
        raise InputError(
            f"{shown(place)}: metrics.json and predictions.csv differ in {', '.join(differ)}: run it "
            "again, which writes both anew."
        )


def _refuse_twice(row: dict[str, Any], kept: pd.DataFrame) -> None:
    """InputError where the board has the name or the run already, or where the name is no name of a file."""
    if not pd.Series([row["name"]]).str.fullmatch(_NAME)[0]:
        raise InputError(f"'{row['name']}' cannot name a file: give letters, digits and any of . + = - _.")
    for _, other in kept.iterrows():
        if other["name"].casefold() == row["name"].casefold():
            raise InputError(
                f"The board has a row {row['name']} already: dianet submit RUN NAME gives another name."
            )
        if (other["run"], other["data"], other["seeds"]) == (row["run"], row["data"], row["seeds"]):
            raise InputError(f"The board has this run already, as {other['name']}.")
