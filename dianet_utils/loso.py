"""Leave one subject out: the folds, where they run, results as they finish, resume.

A run folder gathers the folds of one configuration on one bank. Every fold is written as it ends, so
a run that was killed goes on where it stopped; a seed or a fold that is already there is not run
again. ``predictions.csv`` and ``metrics.json`` always describe all the folds of the folder.
"""

import math
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dianet_utils import executors
from dianet_utils.config import LEAKY, LEAKY_MARK, Config
from dianet_utils.errors import InputError, LeakyWarning
from dianet_utils.files import remove_partial, shown, write_json
from dianet_utils.fold_files import fold_path, read_folds
from dianet_utils.locks import alone
from dianet_utils.progress import Progress
from dianet_utils.records import Results, gather, only, open_folder, read_done, record_environment

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.training import Fold

__all__ = ["Results", "gather", "make_folds", "run", "run_folds", "run_name"]

HELD_OUT_SHARE = 0.15  # of the training subjects, for validation
NOBODY = "(nobody)"  # the subject that is left out where all train


def make_folds(clips: pd.DataFrame, validation: str, seed: int, max_folds: int | None = None) -> "list[Fold]":
    """One fold a subject, in the order of the subjects' names.

    With ``validation="held_out"`` about 15 % of the other subjects (at least one) choose the epoch;
    with ``"none"`` all of them train and every epoch is used. The test subject is in neither. With
    ``"test_subject"`` all others train as well, and the test subject validates: the habit of much public
    code, kept to measure what it does.
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
        held = (
            held_out_subjects(subjects[others], subjects[test[0]], seed) if validation == "held_out" else ()
        )
        inside = np.isin(subjects[others], held)
        validates = test if validation == LEAKY else others[inside]
        folds.append(Fold(str(subjects[test[0]]), seed, others[~inside], validates, test))
    return folds[:max_folds]


def everyone_fold(clips: pd.DataFrame, validation: str, seed: int) -> "Fold":
    """All subjects train but those who validate, as in :func:`make_folds`; nobody tests.

    For a model to be used on clips of other people. What it would score there is not known; the folds of
    :func:`make_folds` are the estimate.
    """
    from dianet_utils.training import Fold

    subjects = clips["subject"].to_numpy(dtype=str)
    held = held_out_subjects(subjects, NOBODY, seed) if validation == "held_out" else ()
    inside, rows = np.isin(subjects, held), np.arange(len(subjects))
    return Fold(NOBODY, seed, rows[~inside], rows[inside], rows[:0])


def held_out_subjects(subjects: np.ndarray, left_out: str, seed: int) -> np.ndarray:
    """The training subjects that validate, :data:`HELD_OUT_SHARE` of them, drawn from the fold's own seed."""
    from dianet_utils.training import fold_seed

    names = np.unique(subjects)
    count = math.ceil(HELD_OUT_SHARE * len(names))
    return np.random.default_rng(fold_seed(seed, left_out)).choice(names, count, replace=False)


def run_name(bank: "Bank", config: Config) -> str:
    """The name of the run folder: what is compared most, then a digest of configuration and data.

    A run whose test subject chooses the epoch says so first.
    """
    parts = [config.model, config.backbone, "+".join(config.inputs)]
    if len(config.inputs) > 1:
        parts.insert(2, config.fusion)
    return "-".join([*[LEAKY_MARK] * config.leaky, *parts, config.digest(bank.fingerprint)])


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
    """Run the folds that ``out`` does not hold yet and return all that were asked for.

    ``out`` is the run folder; its files describe every fold it holds, also those of other seeds.
    ``workers`` processes train folds side by side (0: one a core on a CPU, one on a GPU), each on one thread,
    with the same numbers as one process; ``scheduler`` is the address of a Dask scheduler whose workers train
    instead, see :mod:`dianet_utils.executors`. Progress is printed for each fold, or at most once in
    ``every`` seconds. Under the policy ``test_subject`` a :class:`~dianet_utils.errors.LeakyWarning` is given
    once, and ``out`` must say ``LEAKY-test_subject``.

    A second process that is given the same folder waits for the first. A fold whose loss stops being finite
    is given up while the others run on; an InputError then names it, and no scores are written.
    """
    folds = [fold for seed in seeds for fold in make_folds(bank.clips, config.validation, seed, max_folds)]
    everything = run_folds(bank, folds, config, out, workers, device, shown_progress, every, scheduler)
    return only(everything, folds, bank)


def run_folds(
    bank: "Bank",
    folds: "Sequence[Fold]",
    config: Config,
    out: str | Path,
    workers: int = 0,
    device: str = "auto",
    shown_progress: bool = True,
    every: float = 0.0,
    scheduler: str | None = None,
    label: str = "LOSO",
) -> Results:
    """Run those of ``folds`` that ``out`` does not hold yet, as :func:`run` does, and gather all it holds."""
    from dianet_utils.training import choose_device

    out, device = Path(out), choose_device(device)
    if config.leaky:
        _warn_leaky(out)
    with alone(out) as sole:
        if sole:
            _tidy(out)
        open_folder(out, bank, config)
        missing = _missing(bank, folds, out)
        if missing:
            record_environment(out, device, bank.fingerprint)
        if shown_progress and len(missing) < len(folds):
            print(f"folds: {len(folds) - len(missing)} of {len(folds)} are already in {shown(out)}")
        progress = Progress(len(missing), "folds", label, every, shown=shown_progress)
        trained = executors.train_folds(bank, missing, config, device, workers, scheduler)
        _keep(trained, out, progress)
        return gather(out, bank)


def _missing(bank: "Bank", folds: "Sequence[Fold]", out: Path) -> "list[Fold]":
    """The folds that ``out`` does not hold; InputError naming its files that are of no use."""
    read_folds(out, bank, without={fold_path(out, fold.seed, fold.subject) for fold in folds})
    return [fold for fold in folds if read_done(out, fold, bank) is None]


def _keep(trained: Iterable[dict[str, Any]], out: Path, progress: Progress) -> None:
    """Write each fold as it ends; one InputError at the end for all that failed."""
    failed = []
    for result in trained:
        if "failed" in result:
            failed.append(result["failed"])
            progress.advance(result["failed"])
            continue
        write_json(fold_path(out, result["seed"], result["subject"]), result)
        progress.advance(_note(result))
    _refuse_failed(failed, progress.total, out)


def _warn_leaky(out: Path) -> None:
    """Warn of a leaky run; InputError where its folder would not tell."""
    if LEAKY_MARK not in out.name:
        raise InputError(
            f"With validation '{LEAKY}' the name of the run folder must hold '{LEAKY_MARK}', and "
            f"'{out.name}' does not."
        )
    warnings.warn(
        f"LEAKY: in {out.name} the test subject chooses the epoch, so its scores are too high; "
        "compare them with no honest result.",
        LeakyWarning,
        stacklevel=3,
    )


def _tidy(out: Path) -> None:
    """Remove what a killed run left half written."""
    for folder in (out, out / "folds"):
        remove_partial(folder)


def _refuse_failed(failed: Sequence[str], count: int, out: Path) -> None:
    """One InputError for all folds that failed."""
    if failed:
        listed = "\n".join(sorted(failed))
        raise InputError(
            f"{len(failed)} of {count} folds failed, so this run has no scores: lower learning_rate, or look "
            f"at the clips named. The other folds are kept in {shown(out)}.\n{listed}"
        )


def _note(result: dict[str, Any]) -> str:
    hits = sum(a == b for a, b in zip(result["true"], result["predicted"], strict=True))
    return f"subject {result['subject']} (seed {result['seed']}): {hits} of {len(result['true'])} clips right"
