"""Leave one subject out, or another split: the folds, where they run, results as they finish, resume.

A run folder gathers the folds of one configuration on one bank. Every fold is written as it ends, so
a run that was killed goes on where it stopped; a seed or a fold that is already there is not run
again. ``predictions.csv`` and ``metrics.json`` always describe all the folds of the folder.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dianet_utils.config import LEAKY, LEAKY_MARK, LOSO, WHERE_CHECKS, Config, own_code, with_model
from dianet_utils.config.checks import check_all
from dianet_utils.loso import executors
from dianet_utils.loso.fold_files import fold_path, read_folds, sealed
from dianet_utils.loso.folds import make_folds
from dianet_utils.loso.one_fold import Ended, Epoch, News, Trained
from dianet_utils.loso.run_folder import (
    Results,
    check_folder,
    digest,
    gather,
    only,
    open_folder,
    read_done,
    record_environment,
)
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError, LeakyWarning
from dianet_utils.plumbing.files import remove_partial, shown, write_json
from dianet_utils.plumbing.locks import alone
from dianet_utils.plumbing.progress import Progress

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold
    from dianet_utils.loso.training import OnEpoch

OnFold = Callable[[dict[str, Any]], None]


def run_name(bank: "Bank", config: Config) -> str:
    """The name of the run folder: what is compared most, then a digest of configuration and data.

    A run whose test subject chooses the epoch says so first, one with another split before the digest.
    """
    parts = [own_code.title(config.model), config.backbone, "+".join(config.inputs)]
    if len(config.inputs) > 1:
        parts.insert(2, own_code.title(config.fusion))
    if config.split_name:
        parts.append(config.split_name)
    return "-".join([*[LEAKY_MARK] * config.leaky, *parts, digest(bank, config)])


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
    model: Any = None,
    on_epoch: "OnEpoch | None" = None,
    on_fold: OnFold | None = None,
) -> Results:
    """Run the folds that a run folder does not hold yet and return all that were asked for.

    A second process that is given the same folder waits for the first. A fold whose loss stops being finite
    is given up while the others run on.

    Args:
        bank: The images of the clips.
        config: What determines the numbers of the run. Which clips are tested together is its ``split``; a
            splitter of scikit-learn becomes one by :func:`~dianet_utils.loso.splits.as_column`.
        out: The run folder; its files describe every fold it holds, also those of other seeds. Under the
            policy ``test_subject`` its name must hold ``LEAKY-test_subject``, and a
            :class:`~dianet_utils.plumbing.errors.LeakyWarning` is given once.
        seeds: Each seed runs all folds.
        max_folds: Only the first folds of each seed; None for all.
        workers: Processes that train folds side by side (0: one per core on a CPU, one on a GPU), each on one
            thread, with the same numbers as one process.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:0`` and so on.
        shown_progress: Whether to print progress, for each fold or at most once in ``every`` seconds.
        every: Seconds between two lines of progress.
        scheduler: The address of a Dask scheduler whose workers train instead, see
            :mod:`dianet_utils.loso.executors`.
        model: Takes the place of the configuration's: a name, "my_file.py:MyNet", or a class of your own.
        on_epoch: Called as ``on_epoch(fold, epoch, losses)`` after each epoch, counted from 1; ``losses``
            has ``train_loss`` and, where somebody validates, ``validation_loss``. A fold whose worker was
            lost is heard again from its first epoch. Not with ``scheduler``.
        on_fold: Called with the record of each fold that was trained, once it is written, with any workers.

    Returns:
        The predictions, scores and records of these folds.

    Raises:
        InputError: Naming the folds that failed, in which case no scores are written; and for a folder that
            holds another run, or files that are damaged.

    Example:
        Each clip is predicted once, by a network that has not seen its subject.

        >>> from tempfile import TemporaryDirectory
        >>> import numpy as np
        >>> import pandas as pd
        >>> from dianet_utils import loso
        >>> from dianet_utils.config import configure
        >>> from dianet_utils.dynamic_images import Bank
        >>> names = [f"{subject}/{emotion}" for subject in "abc" for emotion in ("disgust", "surprise")]
        >>> told = {"subject": [name[0] for name in names], "emotion": [name[2:] for name in names]}
        >>> clips = pd.DataFrame(told, index=pd.Index(names, name="clip"))
        >>> noise = np.random.default_rng(0).normal(0, 0.3, (6, 2, 3, 32, 32)).astype(np.float32)
        >>> bank = Bank(noise, clips, ("onset", "offset"), "signed")
        >>> config = configure(backbone="test_efficientnet", image_size=32, epochs=1, hidden=8, batch_size=4)
        >>> with TemporaryDirectory() as folder:
        ...     results = loso.run(bank, config, folder, workers=1, device="cpu", shown_progress=False)
        >>> sorted(results.predictions["clip"]) == names, results.metrics["folds"]
        (True, 3)
    """
    given = {"seeds": seeds, "max_folds": max_folds, "workers": workers, "device": device}
    seeds, max_folds, workers, device = check_all(given, WHERE_CHECKS).values()
    config = config if model is None else with_model(config, model)
    made = (make_folds(bank.clips, config.validation, seed, max_folds, config.split) for seed in seeds)
    folds = [fold for of_seed in made for fold in of_seed]
    label = "LOSO" if config.split == LOSO else config.split
    where = (workers, device, shown_progress, every, scheduler, label, on_epoch, on_fold)
    everything = run_folds(bank, folds, config, out, *where)
    results = only(everything, folds, bank)
    if shown_progress and "one_answer" in results.metrics:
        print(f"Every fold names one class whatever the clip shows ({results.metrics['one_answer']}).")
    return results


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
    on_epoch: "OnEpoch | None" = None,
    on_fold: OnFold | None = None,
) -> Results:
    """Run those of ``folds`` that ``out`` does not hold yet, as :func:`run` does, and gather all it holds."""
    if on_epoch and scheduler:
        raise InputError(
            "on_epoch hears nothing of folds on a cluster: leave out the scheduler, or use on_fold."
        )
    out, device = Path(out).expanduser(), machine.choose_device(device)
    if config.leaky:
        _warn_leaky(out)
    check_folder(out, bank, config)  # before anything, even a lock, is put there
    with alone(out) as sole:
        open_folder(out, bank, config)
        if sole:
            _tidy(out)
        missing = _missing(bank, folds, out, config.split)
        if missing:
            record_environment(out, device, bank.fingerprint, config)
        if shown_progress and len(missing) < len(folds):
            print(f"folds: {len(folds) - len(missing)} of {len(folds)} are already in {shown(out)}")
        progress = Progress(len(missing), "folds", label, every, shown=shown_progress)
        report = _reporter(progress, config, on_epoch)
        events = executors.train_folds(bank, missing, config, device, workers, scheduler, report)
        _keep(events, out, progress, report, on_fold)
        results = gather(out, bank)
    _refuse_lost(folds, results)
    return results


def _refuse_lost(folds: "Sequence[Fold]", results: Results) -> None:
    """InputError where files of finished folds were removed while the others were trained."""
    there = {(fold["seed"], fold["subject"]) for fold in results.folds}
    lost = [f"{fold.subject} (seed {fold.seed})" for fold in folds if (fold.seed, fold.subject) not in there]
    if lost:
        raise InputError(
            f"{len(lost)} of {len(folds)} folds were removed from {shown(results.folder)} during the run "
            f"({', '.join(lost[:5])}): run the same again, which trains them alone."
        )


def _missing(bank: "Bank", folds: "Sequence[Fold]", out: Path, split: str) -> "list[Fold]":
    """The folds that ``out`` does not hold; InputError naming its files that are of no use."""
    read_folds(out, bank, {fold_path(out, fold.seed, fold.subject) for fold in folds}, split)
    return [fold for fold in folds if read_done(out, fold, bank, split) is None]


def _reporter(progress: Progress, config: Config, on_epoch: "OnEpoch | None") -> "OnEpoch":
    """What hears of each epoch: a line of progress in a long fold, then the user's own callback."""

    def report(fold: "Fold", epoch: int, losses: dict[str, float]) -> None:
        note = f"epoch {epoch} of {config.epochs}, loss {losses['train_loss']:.3f}"
        progress.within(f"{fold.subject} (seed {fold.seed})", epoch / config.epochs, note)
        if on_epoch:
            on_epoch(fold, epoch, losses)

    return report


def _keep(
    events: Iterable[News], out: Path, progress: Progress, report: "OnEpoch", on_fold: OnFold | None
) -> None:
    """Write each fold as soon as it is there; one InputError at the end for all that failed."""
    failed: list[str] = []
    for event in events:
        match event:
            case Epoch():
                report(*event)
            case Trained(record) if "failed" not in record:
                write_json(fold_path(out, record["seed"], record["subject"]), sealed(record))
            case Ended(record):
                _end(record, failed, progress, on_fold)
    _refuse_failed(failed, progress.total, out)


def _end(record: dict[str, Any], failed: list[str], progress: Progress, on_fold: OnFold | None) -> None:
    """Count a fold, among those that ``failed`` or those that are done."""
    name = f"{record['subject']} (seed {record['seed']})"
    if "failed" in record:
        failed.append(record["failed"])
        progress.advance(record["failed"], name)
        return
    progress.advance(_note(record), name)
    if on_fold:
        on_fold(record)


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
    """Remove what a killed run left half written; all of it is written under the lock of the folder."""
    for folder in (out, *(out / name for name in ("folds", "figures", "model"))):
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
    name = result["subject"] if "split" in result else f"subject {result['subject']}"
    return f"{name} (seed {result['seed']}): {hits} of {len(result['true'])} clips right"
