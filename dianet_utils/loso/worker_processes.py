"""Folds in worker processes of this computer, each on one thread; a worker that is lost is replaced."""

import mmap
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dianet_utils.config import Config, own_code
from dianet_utils.loso.one_fold import RETRIES, Ended, Epoch, News, Trained, hopeless, timed, title
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import writing
from dianet_utils.plumbing.locks import UNGUARDED, scratch

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold

_LISTEN_SECONDS = 1.0  # between two looks at what the workers tell of their epochs


class Worker(NamedTuple):
    """A pool of one process, so that a lost one breaks no other, and what comes of its epochs."""

    pool: ProcessPoolExecutor
    epochs: Connection

    def train(self, fold: "Fold") -> "Future[dict[str, Any]]":
        """Begin with a fold."""
        with _interrupts_held():  # a worker that is still starting knows no quiet end
            return self.pool.submit(_run_in_worker, fold)

    def heard(self, fold: "Fold") -> Iterator[Epoch]:
        """Each epoch of ``fold`` that was told since the last look."""
        while self.epochs.poll():
            yield Epoch(fold, *self.epochs.recv())


def in_processes(
    bank: "Bank",
    folds: "Sequence[Fold]",
    config: Config,
    device: str,
    workers: int,
) -> Iterator[News]:
    """What comes of the folds; a record overtakes epochs that are not told yet, so that it is kept."""
    waiting, lost, untold = deque(folds), Counter[str](), deque[News]()
    running: dict[Future[dict[str, Any]], tuple[Worker, Fold]] = {}
    began = get_context("spawn").Event()  # set by the first worker that is ready
    with starting(bank, config, device, began) as start:
        idle = [start() for _ in range(workers)]
        while waiting or running or untold:
            while waiting and idle:
                worker, fold = idle.pop(), waiting.popleft()
                running[worker.train(fold)] = (worker, fold)
            done = wait(running, 0 if untold else _LISTEN_SECONDS, return_when=FIRST_COMPLETED).done
            for worker, fold in running.values():
                untold.extend(worker.heard(fold))
            for future in done:
                worker, fold = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    _count_loss(lost, fold, began.is_set())
                    waiting.append(fold)
                    idle.append(start())
                else:
                    idle.append(worker)
                    yield Trained(future.result())
                    untold.append(Ended(future.result()))
            if untold:
                yield untold.popleft()


@contextmanager
def starting(bank: "Bank", config: Config, device: str, began: Event) -> Iterator[Callable[[], Worker]]:
    """A way to start workers that all map one copy of the images, a file, into their memory."""
    context, started = get_context("spawn"), list[Worker]()
    with _images_file(bank.images) as path:
        given = (replace(bank, images=np.empty(0)), path, config, device, config.sources, began)

        def start() -> Worker:
            here, there = context.Pipe(duplex=False)
            pool = ProcessPoolExecutor(1, context, _start_worker, (*given, there))
            started.append(Worker(pool, here))
            return started[-1]

        try:
            yield start
        finally:
            for worker in started:
                worker.epochs.close()  # a fold that runs ends with its next epoch: nobody would keep it
                worker.pool.shutdown(cancel_futures=True)


@contextmanager
def _images_file(images: np.ndarray) -> Iterator[Path]:
    """A file that holds the images: that of the cache which they are mapped from, or one for the block."""
    if isinstance(images, np.memmap) and isinstance(images.base, mmap.mmap):  # a part of one has another base
        yield Path(images.filename)
        return
    with scratch("images.npy") as path:
        with writing(path):
            np.save(path, images, allow_pickle=False)
        yield path


def _count_loss(lost: Counter[str], fold: "Fold", began: bool) -> None:
    """Say that a fold's worker was lost; InputError when that happens again and again.

    ``began`` is whether any worker was ever ready: where none was and two are lost, none will be.
    """
    lost[title(fold)] += 1
    if not began and lost.total() > 1:
        raise InputError(f"The processes that train folds ended before they began: {UNGUARDED}")
    if lost[title(fold)] > RETRIES:
        raise hopeless(fold)
    print(f"The process that trained {title(fold)} was lost; the fold runs again.", flush=True)


_worker: dict[str, Any] = {}  # what a worker process keeps between its folds


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Put off Ctrl-C, for this thread and the processes that the block starts; not on Windows."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_quietly_if_interrupted() -> None:
    """Let Ctrl-C, which reaches workers too, end this one without a word: its parent says what happened."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _start_worker(
    bare: "Bank",
    path: Path,
    config: Config,
    device: str,
    sources: dict[str, own_code.Source],
    began: Event,
    epochs: Connection,
) -> None:
    _end_quietly_if_interrupted()
    machine.end_with_parent()
    machine.prepare()
    own_code.add(sources)
    images = np.load(path, mmap_mode="c", allow_pickle=False)  # a page is copied only if it is written to
    _worker.update(bank=replace(bare, images=images), config=config, device=device, epochs=epochs)
    began.set()


def _run_in_worker(fold: "Fold") -> dict[str, Any]:
    return timed(_worker["bank"], fold, _worker["config"], _worker["device"], _tell)


def _tell(_: "Fold", epoch: int, losses: dict[str, float]) -> None:
    """Tell of an epoch; OSError, which ends the fold, where the run was given up and nobody listens."""
    _worker["epochs"].send((epoch, losses))
