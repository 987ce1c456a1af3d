"""Leave one subject out: the folds, where they run, results as they finish, resume.

A run folder gathers the folds of one configuration on one bank. Every fold is written as it ends, so
a run that was killed goes on where it stopped; a seed or a fold that is already there is not run
again. ``predictions.csv`` and ``metrics.json`` always describe all the folds of the folder.
"""

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dianet_utils import evaluation, machine
from dianet_utils.config import LEAKY, LEAKY_MARK, Config
from dianet_utils.errors import InputError, LeakyWarning
from dianet_utils.files import read_json, remove_partial, shown, write_json, write_text
from dianet_utils.fold_files import fold_path, read_fold, read_folds
from dianet_utils.locks import alone
from dianet_utils.progress import Progress

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.training import Fold

HELD_OUT_SHARE = 0.15  # of the training subjects, for validation
NOBODY = "(nobody)"  # the subject that is left out where all train


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
) -> Results:
    """Run the folds that ``out`` does not hold yet and gather everything it holds.

    ``out`` is the run folder. ``workers`` processes train folds side by side (0: one a core on a CPU,
    one on a GPU), each on one thread, with the same numbers as one process. Progress is printed for each
    fold, or at most once in ``every`` seconds. Under the policy ``test_subject`` a
    :class:`~dianet_utils.errors.LeakyWarning` is given once, and ``out`` must say ``LEAKY-test_subject``.

    A second process that is given the same folder waits for the first. A fold whose loss stops being finite
    is given up while the others run on; an InputError then names it, and no scores are written.
    """
    folds = [fold for seed in seeds for fold in make_folds(bank.clips, config.validation, seed, max_folds)]
    return run_folds(bank, folds, config, out, workers, device, shown_progress, every)


def run_folds(
    bank: "Bank",
    folds: "Sequence[Fold]",
    config: Config,
    out: str | Path,
    workers: int = 0,
    device: str = "auto",
    shown_progress: bool = True,
    every: float = 0.0,
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
        _open_folder(out, bank, config, device)
        missing = _missing(bank, folds, out)
        if missing:
            _record_environment(out, device, bank.fingerprint)
        if shown_progress and len(missing) < len(folds):
            print(f"folds: {len(folds) - len(missing)} of {len(folds)} are already in {shown(out)}")
        progress = Progress(len(missing), "folds", label, every, shown=shown_progress)
        _train_missing(bank, missing, config, out, device, workers, progress)
        return gather(out, bank)


def _missing(bank: "Bank", folds: "Sequence[Fold]", out: Path) -> "list[Fold]":
    """The folds that ``out`` does not hold; InputError naming its files that are of no use."""
    read_folds(out, bank, without={fold_path(out, fold.seed, fold.subject) for fold in folds})
    return [fold for fold in folds if _read_fold(out, fold, bank) is None]


def _train_missing(
    bank: "Bank",
    missing: "Sequence[Fold]",
    config: Config,
    out: Path,
    device: str,
    workers: int,
    progress: Progress,
) -> None:
    """Train the folds and write each as it ends; one InputError at the end for all that failed."""
    failed = []
    for result in _trained(bank, missing, config, device, workers or _default_workers(device)):
        if "failed" in result:
            failed.append(result["failed"])
            progress.advance(result["failed"])
            continue
        write_json(fold_path(out, result["seed"], result["subject"]), result)
        progress.advance(_note(result))
    _refuse_failed(failed, len(missing), out)


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


def _default_workers(device: str) -> int:
    return machine.cores() if device == "cpu" else 1


def _note(result: dict[str, Any]) -> str:
    hits = sum(a == b for a, b in zip(result["true"], result["predicted"], strict=True))
    return f"subject {result['subject']} (seed {result['seed']}): {hits} of {len(result['true'])} clips right"


def _trained(
    bank: "Bank", folds: "Sequence[Fold]", config: Config, device: str, workers: int
) -> Iterator[dict[str, Any]]:
    """The results of the folds, as they finish."""
    if min(workers, len(folds)) <= 1:
        yield from (_timed(bank, fold, config, device) for fold in folds)
        return
    with ProcessPoolExecutor(
        min(workers, len(folds)),
        get_context("spawn"),
        initializer=_start_worker,
        initargs=(bank, config, device),
    ) as pool:
        futures = [pool.submit(_run_in_worker, fold) for fold in folds]
        try:
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool:
            raise InputError(
                "A process that trains folds ended early, perhaps for lack of memory: run the same again, "
                "with fewer workers or a smaller batch_size if it happens again; finished folds are kept."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


_worker: dict[str, Any] = {}  # what a worker process keeps between its folds


def _start_worker(bank: "Bank", config: Config, device: str) -> None:
    machine.end_with_parent()
    machine.prepare()
    _worker.update(bank=bank, config=config, device=device)


def _run_in_worker(fold: "Fold") -> dict[str, Any]:
    return _timed(_worker["bank"], fold, _worker["config"], _worker["device"])


def _timed(bank: "Bank", fold: "Fold", config: Config, device: str) -> dict[str, Any]:
    """One trained fold with the ``seconds`` that it took by the clock, or why it ``failed``."""
    from dianet_utils.training import train_fold

    start = time.perf_counter()
    try:
        result = train_fold(bank, fold, config, device)
    except FloatingPointError as error:
        return {"failed": str(error)}
    return {**result, "seconds": round(time.perf_counter() - start, 2)}


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


def _record_environment(out: Path, device: str, fingerprint: str) -> None:
    """Write ``environment.json``; another environment, in which earlier folds were trained, stays in it."""
    path, now = out / "environment.json", machine.environment(device, fingerprint)
    before = read_json(path) if path.is_file() else {}
    earlier = before.pop("earlier", [])
    if before and before != now:
        earlier = [before, *(each for each in earlier if each != before)]
    earlier = [each for each in earlier if each != now]
    write_json(path, {**now, **({"earlier": earlier} if earlier else {})})


def _read_fold(out: Path, fold: "Fold", bank: "Bank") -> dict[str, Any] | None:
    """A finished fold from disk; None when it is missing, or cannot be trusted, which is said."""
    try:
        return read_fold(fold_path(out, fold.seed, fold.subject), bank)
    except FileNotFoundError:
        return None
    except InputError as error:
        print(f"{error} The fold is run again.")
        return None


def gather(out: str | Path, bank: "Bank") -> Results:
    """Read every fold of a run folder and write its predictions and scores anew.

    Raises InputError naming the files among them that are damaged or of another run.
    """
    out = Path(out)
    folds = read_folds(out, bank)
    if not folds:
        raise InputError(f"{shown(out)} holds no finished fold: run it first.")
    predictions = pd.concat([_rows(fold, bank.clips["subject"]) for fold in folds], ignore_index=True)
    predictions = predictions.sort_values(["seed", "clip"], ignore_index=True)
    metrics = evaluation.metrics(predictions, list(bank.classes))
    write_text(out / "predictions.csv", predictions.to_csv(index=False, lineterminator="\n"))
    about = {name: bank.clips.attrs.get(name) for name in ("dataset", "synthetic")}
    metrics = {**about, **metrics}
    write_json(out / "metrics.json", metrics)
    return Results(out, predictions, metrics, folds)


def _rows(fold: dict[str, Any], subjects: pd.Series) -> pd.DataFrame:
    """The predictions of one fold: clip, subject, seed, true, predicted, and p_<class> for each class.

    Those of a leaky run have a last column ``validation``, so that they tell wherever they are read.
    """
    columns = [f"p_{name}" for name in fold["classes"]]
    rows = pd.DataFrame(fold["probabilities"], columns=columns)
    told = {"clip": fold["clips"], "subject": subjects.loc[fold["clips"]].to_numpy()}
    told |= {name: fold[name] for name in ("seed", "true", "predicted")}
    for position, (name, values) in enumerate(told.items()):
        rows.insert(position, name, values)
    return rows.assign(validation=fold["validation"]) if "validation" in fold else rows
