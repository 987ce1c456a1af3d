"""Where folds are trained: in this process, in worker processes here, or on a Dask cluster.

A fold is a pure task: its numbers depend on the bank, the fold and the configuration, never on where or
when it runs. So each way yields the same results, in another order, and a fold whose worker was lost
(killed, out of memory, a machine that went away) simply runs again.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dianet_utils.config import Config
from dianet_utils.loso.dask_cluster import on_cluster
from dianet_utils.loso.one_fold import Ended, News, Trained, timed
from dianet_utils.loso.worker_processes import in_processes
from dianet_utils.plumbing import machine

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold
    from dianet_utils.loso.training import OnEpoch


def train_folds(
    bank: "Bank",
    folds: "Sequence[Fold]",
    config: Config,
    device: str,
    workers: int = 0,
    scheduler: str | None = None,
    on_epoch: "OnEpoch | None" = None,
) -> Iterator[News]:
    """What comes of ``folds``, as they finish; each record has the ``seconds`` that it took by the clock.

    ``workers`` processes train side by side (0: one per core on a CPU, one on a GPU); several on one GPU
    share it. ``scheduler`` is the address of a Dask scheduler (``tcp://...``), whose workers then train
    instead. Epochs of worker processes come as events, those of this process are told to ``on_epoch``, those
    on a cluster stay untold. Raises InputError when no scheduler answers, or when a fold loses one worker
    after another.
    """
    if config.sources and folds:
        _try_here(bank, config)
    if scheduler and folds:
        return on_cluster(bank, folds, config, device, scheduler)
    workers = min(workers or (machine.cores() if device == "cpu" else 1), len(folds))
    if workers > 1:
        return in_processes(bank, folds, config, device, workers)
    return _here(bank, folds, config, device, on_epoch)


def _here(
    bank: "Bank", folds: "Sequence[Fold]", config: Config, device: str, on_epoch: "OnEpoch | None"
) -> Iterator[News]:
    for fold in folds:
        record = timed(bank, fold, config, device, on_epoch)
        yield from (Trained(record), Ended(record))


def _try_here(bank: "Bank", config: Config) -> None:
    """Build a network of the user's own once: what is wrong with it is told before any worker starts.

    Its module is then known here too, where an exception of a class of its own must be read. The random state
    of the process stays as it is.
    """
    import torch

    from dianet_utils.models import build_model

    with torch.random.fork_rng(devices=[]):
        build_model(config, len(bank.classes))
