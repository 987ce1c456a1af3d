"""One fold as a task that any process can do, what comes of it, and what is said where workers are lost."""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from dianet_utils.config import Config
from dianet_utils.plumbing.errors import InputError

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold
    from dianet_utils.loso.training import OnEpoch


class Epoch(NamedTuple):
    """An epoch of a fold that is trained in another process: what an :data:`OnEpoch` is called with."""

    fold: "Fold"
    number: int
    losses: dict[str, float]


class Trained(NamedTuple):
    """A fold's record, as soon as it is there: to be kept before anything else is done."""

    record: dict[str, Any]


class Ended(NamedTuple):
    """The same record, when all epochs of the fold have been told."""

    record: dict[str, Any]


News = Epoch | Trained | Ended

RETRIES = 3  # of one fold whose worker was lost, as many as Dask's scheduler allows


def timed(
    bank: "Bank", fold: "Fold", config: Config, device: str, on_epoch: "OnEpoch | None" = None
) -> dict[str, Any]:
    """One trained fold with the ``seconds`` that it took by the clock, or why it ``failed``."""
    from dianet_utils.loso.training import train_fold

    start = time.perf_counter()
    try:
        result = train_fold(bank, fold, config, device, on_epoch)
    except FloatingPointError as error:
        return {"failed": str(error), "subject": fold.subject, "seed": fold.seed}
    return {**result, "seconds": round(time.perf_counter() - start, 2)}


def title(fold: "Fold") -> str:
    """The fold's name, for people."""
    return f"subject {fold.subject} (seed {fold.seed})"


def hopeless(fold: "Fold") -> InputError:
    """What is raised for a fold that lost one worker after another."""
    return InputError(
        f"The fold of {title(fold)} lost one worker after another, most often for want of memory: "
        "give fewer workers or smaller batches. The folds that are done are kept."
    )
