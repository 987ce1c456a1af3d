"""Leave one subject out: the folds, results as they finish, resume.

A run folder gathers the folds of one configuration on one bank. Every fold is written as it ends, so
a run that was killed goes on where it stopped; a seed or a fold that is already there is not run
again. ``predictions.csv`` and ``metrics.json`` always describe all the folds of the folder.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dianet_utils import evaluation, executors, machine
from dianet_utils.config import Config
from dianet_utils.errors import InputError
from dianet_utils.files import read_json, shown, write_json, write_text
from dianet_utils.progress import Progress

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.training import Fold

HELD_OUT_SHARE = 0.15  # of the training subjects, for validation


@dataclass(frozen=True)
class Results:
    """What a run folder holds: every prediction, the scores, and the record of each fold."""

    folder: Path
    predictions: pd.DataFrame
    metrics: dict[str, Any]
    folds: list[dict[str, Any]]


def make_folds(clips: pd.DataFrame, validation: str, seed: int, max_folds: int | None = None) -> "list[Fold]":
    """One fold a subject, in the order of the subjects' names.

    With ``validation="held_out"`` about 15 % of the other subjects (at least one) choose the epoch;
    with ``"none"`` all of them train and every epoch is used. The test subject is in neither.
    """
    from sklearn.model_selection import LeaveOneGroupOut

    from dianet_utils.training import Fold

    subjects = clips["subject"].to_numpy(dtype=str)
    if len(set(subjects)) < 3:
        raise InputError(
            f"Leave-one-subject-out needs at least 3 subjects; these clips have {len(set(subjects))}."
        )
    folds = []
    for others, test in LeaveOneGroupOut().split(subjects, groups=subjects):
        held = _held_out(subjects[others], subjects[test[0]], seed) if validation == "held_out" else ()
        inside = np.isin(subjects[others], held)
        folds.append(Fold(str(subjects[test[0]]), seed, others[~inside], others[inside], test))
    return folds[:max_folds]


def _held_out(subjects: np.ndarray, left_out: str, seed: int) -> np.ndarray:
    """The training subjects that validate, drawn from the fold's own seed."""
    from dianet_utils.training import fold_seed

    names = np.unique(subjects)
    count = math.ceil(HELD_OUT_SHARE * len(names))
    return np.random.default_rng(fold_seed(seed, left_out)).choice(names, count, replace=False)


def run_name(bank: "Bank", config: Config) -> str:
    """The name of the run folder: what is compared most, then a digest of configuration and data."""
    parts = [config.model, config.backbone, "+".join(config.inputs)]
    if len(config.inputs) > 1:
        parts.insert(2, config.fusion)
    return "-".join([*parts, config.digest(bank.fingerprint)])


def run(
    bank: "Bank",
    config: Config,
    out: str | Path,
    seeds: Sequence[int] = (0,),
    max_folds: int | None = None,
    workers: int = 0,
    device: str = "auto",
    shown_progress: bool = True,
    every: float = 0.0,
    scheduler: str | None = None,
) -> Results:
    """Run the folds that ``out`` does not hold yet and gather everything it holds.

    ``out`` is the run folder. ``workers`` processes train folds side by side (0: one a core on a CPU,
    one on a GPU), each on one thread, with the same numbers as one process. Progress is printed for each
    fold, or at most once in ``every`` seconds. ``scheduler`` is the address of a Dask scheduler whose workers
    train instead; see :mod:`dianet_utils.executors`.
    """
    from dianet_utils.training import choose_device

    out, device = Path(out), choose_device(device)
    _open_folder(out, bank, config, device)
    wanted = [fold for seed in seeds for fold in make_folds(bank.clips, config.validation, seed, max_folds)]
    missing = [fold for fold in wanted if _read_fold(out, fold, bank) is None]
    if shown_progress and len(missing) < len(wanted):
        print(f"folds: {len(wanted) - len(missing)} of {len(wanted)} are already in {shown(out)}")
    progress = Progress(len(missing), "folds", "LOSO", every, shown=shown_progress)
    for result in executors.train_folds(bank, missing, config, device, workers, scheduler):
        write_json(_fold_path(out, result["seed"], result["subject"]), result)
        progress.advance(_note(result))
    return gather(out, bank)


def _note(result: dict[str, Any]) -> str:
    hits = sum(a == b for a, b in zip(result["true"], result["predicted"], strict=True))
    return f"subject {result['subject']} (seed {result['seed']}): {hits} of {len(result['true'])} clips right"


def _open_folder(out: Path, bank: "Bank", config: Config, device: str) -> None:
    """Create the run folder, or make sure that it is this run's."""
    described = {
        "config": config.as_json(),
        "data_fingerprint": bank.fingerprint,
        "digest": config.digest(bank.fingerprint),
    }
    path = out / "config.json"
    if path.is_file() and read_json(path) != described:
        raise InputError(
            f"{shown(out)} holds a run with other settings or other data (see its config.json); "
            "give another folder or leave the name to the run."
        )
    write_json(path, described)
    write_json(out / "environment.json", machine.environment(device, bank.fingerprint))


def _fold_path(out: Path, seed: int, subject: str) -> Path:
    return out / "folds" / f"seed{seed}_{subject}.json"


def _read_fold(out: Path, fold: "Fold", bank: "Bank") -> dict[str, Any] | None:
    """A finished fold from disk; None when it is missing, unreadable or about other clips."""
    try:
        result = read_json(_fold_path(out, fold.seed, fold.subject))
    except (OSError, ValueError):
        return None
    return result if result.get("clips") == list(bank.clips.index[fold.test]) else None


def gather(out: str | Path, bank: "Bank") -> Results:
    """Read every fold of a run folder and write its predictions and scores anew."""
    out = Path(out)
    folds = [read_json(path) for path in sorted((out / "folds").glob("seed*.json"))]
    predictions = pd.concat([_rows(fold) for fold in folds], ignore_index=True)
    predictions = predictions.sort_values(["seed", "clip"], ignore_index=True)
    metrics = evaluation.metrics(predictions, list(bank.classes))
    write_text(out / "predictions.csv", predictions.to_csv(index=False, lineterminator="\n"))
    about = {name: bank.clips.attrs.get(name) for name in ("dataset", "synthetic")}
    write_json(out / "metrics.json", {**about, **metrics})
    return Results(out, predictions, {**about, **metrics}, folds)


def _rows(fold: dict[str, Any]) -> pd.DataFrame:
    """The predictions of one fold: clip, subject, seed, true, predicted, and p_<class> for each class."""
    columns = [f"p_{name}" for name in fold["classes"]]
    rows = pd.DataFrame(fold["probabilities"], columns=columns)
    for position, name in enumerate(("clips", "subject", "seed", "true", "predicted")):
        rows.insert(position, "clip" if name == "clips" else name, fold[name])
    return rows
