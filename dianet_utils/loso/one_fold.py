"""One fold as a task that any process can do, and what is said where its workers are lost."""

import time
from typing import TYPE_CHECKING, Any

from dianet_utils.config import Config
from dianet_utils.plumbing.errors import InputError

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold
    from dianet_utils.loso.training import OnEpoch

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
