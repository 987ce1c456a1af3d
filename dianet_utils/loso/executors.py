"""Where folds are trained: in this process, in worker processes here, or on a Dask cluster.

A fold is a pure task: its numbers depend on the bank, the fold and the configuration, never on where or
when it runs. So each way yields the same results, in another order, and a fold whose worker was lost
(killed, out of memory, a machine that went away) simply runs again.
"""

import asyncio
import mmap
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dianet_utils.config import Config, own_code
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import writing
from dianet_utils.plumbing.locks import UNGUARDED, scratch

if TYPE_CHECKING:
    from distributed import Client

    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold
    from dianet_utils.loso.training import OnEpoch

    StartPool = Callable[[], ProcessPoolExecutor]

Sources = dict[str, own_code.Source]  # of the user's own code, which workers never read from a file

RETRIES = 3  # of one fold whose worker was lost, as many as Dask's scheduler allows
_CONNECT_SECONDS = 15
_WORKER_SECONDS = 60  # to wait for a first worker
_one_at_a_time = threading.Lock()  # torch's random state and thread count belong to the whole process


def train_folds(
    bank: "Bank",
    folds: "Sequence[Fold]",
    config: Config,
    device: str,
    workers: int = 0,
    scheduler: str | None = None,
    on_epoch: "OnEpoch | None" = None,
) -> Iterator[dict[str, Any]]:
    """The results of ``folds`` as they finish, each with the ``seconds`` that it took by the clock.

    ``workers`` processes train side by side (0: one per core on a CPU, one on a GPU); several on one GPU
    share it. ``scheduler`` is the address of a Dask scheduler (``tcp://...``), whose workers then train
    instead. ``on_epoch`` hears of each epoch where folds are trained in this process, not elsewhere. Raises
    InputError when no scheduler answers, or when a fold loses one worker after another.
    """
    if config.sources and folds:
        _try_here(bank, config)
    if scheduler and folds:
        return _on_cluster(bank, folds, config, device, scheduler)
    workers = min(workers or (machine.cores() if device == "cpu" else 1), len(folds))
    if workers > 1:
        return _in_processes(bank, folds, config, device, workers)
    return (_timed(bank, fold, config, device, on_epoch) for fold in folds)


def _try_here(bank: "Bank", config: Config) -> None:
    """Build a network of the user's own once: what is wrong with it is told before any worker starts.

    Its module is then known here too, where an exception of a class of its own must be read. The random state
    of the process stays as it is.
    """
    import torch

    from dianet_utils.models import build_model

    with torch.random.fork_rng(devices=[]):
        build_model(config, len(bank.classes))


def _timed(
    bank: "Bank", fold: "Fold", config: Config, device: str, on_epoch: "OnEpoch | None" = None
) -> dict[str, Any]:
    """One trained fold with the ``seconds`` that it took by the clock, or why it ``failed``."""
    from dianet_utils.loso.training import train_fold

    start = time.perf_counter()
    try:
        result = train_fold(bank, fold, config, device, on_epoch)
    except FloatingPointError as error:
        return {"failed": str(error)}
    return {**result, "seconds": round(time.perf_counter() - start, 2)}


def _name(fold: "Fold") -> str:
    return f"subject {fold.subject} (seed {fold.seed})"


def _hopeless(fold: "Fold") -> InputError:
    return InputError(
        f"The fold of {_name(fold)} lost one worker after another, most often for want of memory: "
        "give fewer workers or smaller batches. The folds that are done are kept."
    )


# --- worker processes here ----------------------------------------------------------------------------


def _in_processes(
    bank: "Bank", folds: "Sequence[Fold]", config: Config, device: str, workers: int
) -> Iterator[dict[str, Any]]:
    """The results as they finish; each worker is a pool of its own, so that a lost one breaks no other."""
    waiting, lost = deque(folds), Counter[str]()
    running: dict[Future[dict[str, Any]], tuple[ProcessPoolExecutor, Fold]] = {}
    began = get_context("spawn").Event()  # set by the first worker that is ready
    with _pools(bank, config, device, began) as start:
        idle = [start() for _ in range(workers)]
        while waiting or running:
            while waiting and idle:
                pool, fold = idle.pop(), waiting.popleft()
                with _interrupts_held():  # a worker that is still starting knows no quiet end
                    running[pool.submit(_run_in_worker, fold)] = (pool, fold)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pool, fold = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    _count_loss(lost, fold, began.is_set())
                    waiting.append(fold)
                    idle.append(start())
                else:
                    idle.append(pool)
                    yield future.result()


@contextmanager
def _pools(bank: "Bank", config: Config, device: str, began: Event) -> "Iterator[StartPool]":
    """A way to start pools of one worker that all map one copy of the images, a file, into their memory."""
    started: list[ProcessPoolExecutor] = []
    with _images_file(bank.images) as path:
        given = (replace(bank, images=np.empty(0)), path, config, device, config.sources, began)

        def start() -> ProcessPoolExecutor:
            started.append(ProcessPoolExecutor(1, get_context("spawn"), _start_worker, given))
            return started[-1]

        try:
            yield start
        finally:
            for pool in started:
                pool.shutdown(cancel_futures=True)


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
    lost[_name(fold)] += 1
    if not began and lost.total() > 1:
        raise InputError(f"The processes that train folds ended before they began: {UNGUARDED}")
    if lost[_name(fold)] > RETRIES:
        raise _hopeless(fold)
    print(f"The process that trained {_name(fold)} was lost; the fold runs again.", flush=True)


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
    bare: "Bank", path: Path, config: Config, device: str, sources: Sources, began: Event
) -> None:
    _end_quietly_if_interrupted()
    machine.end_with_parent()
    machine.prepare()
    own_code.add(sources)
    images = np.load(path, mmap_mode="c", allow_pickle=False)  # a page is copied only if it is written to
    _worker.update(bank=replace(bare, images=images), config=config, device=device)
    began.set()


def _run_in_worker(fold: "Fold") -> dict[str, Any]:
    return _timed(_worker["bank"], fold, _worker["config"], _worker["device"])


# --- a Dask cluster -----------------------------------------------------------------------------------


def _on_cluster(
    bank: "Bank", folds: "Sequence[Fold]", config: Config, device: str, scheduler: str
) -> Iterator[dict[str, Any]]:
    """Hand the bank out once and the folds one by one; the scheduler repeats what a lost worker held.

    Dask pickles what travels between its processes, which must therefore trust each other.
    """
    from dask import config as dask_config
    from distributed import KilledWorker, as_completed

    quiet = {"distributed.admin.large-graph-warning-threshold": "1TB"}
    with _connected(scheduler) as client, dask_config.set(quiet):
        # A task that gives the bank, not scattered data: it runs again where its only holder was lost.
        held = client.submit(_handed_out, bank, pure=False)
        sources = config.sources
        tasks = {
            client.submit(_as_task, held, fold, config, device, sources, pure=False, retries=1): fold
            for fold in folds
        }
        for task in as_completed(list(tasks)):
            try:
                yield task.result()
            except KilledWorker:
                raise _hopeless(tasks[task]) from None


@contextmanager
def _connected(scheduler: str) -> "Iterator[Client]":
    """A client of the scheduler, after a line that says who is there and where to watch."""
    from distributed import Client

    _check_answers(scheduler)
    with Client(scheduler, timeout=_CONNECT_SECONDS) as client:
        _await_workers(client, scheduler)
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        print(f"Dask: {len(workers)} workers at {scheduler}, dashboard {client.dashboard_link}", flush=True)
        if any(worker["nthreads"] > 1 for worker in workers):
            print("A Dask worker trains one fold at a time: start workers with --nthreads 1.", flush=True)
        yield client


def _check_answers(scheduler: str) -> None:
    """InputError where nothing answers at an address in time.

    Asked before there is a client: one that fails to start is left half built, and when it is collected it
    can hold up the next one for ever. In a thread, as a notebook's own runs an event loop.
    """
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _identity(scheduler)).result()
    # TypeError: of tls:// without certificates
    except (OSError, asyncio.TimeoutError, ValueError, TypeError) as error:
        raise InputError(
            f"No Dask scheduler answers at {scheduler!r} ({type(error).__name__}): start one with "
            "'dask scheduler' and give the address that it prints, such as tcp://192.0.2.7:8786."
        ) from None


async def _identity(scheduler: str) -> Any:
    """What a scheduler says of itself."""
    from distributed import Security, rpc

    asked = rpc(scheduler, connection_args=Security().get_connection_args("client"))
    try:
        return await asyncio.wait_for(asked.identity(), _CONNECT_SECONDS)
    finally:
        await asked.close_rpc()


def _await_workers(client: "Client", scheduler: str) -> None:
    """Wait for a first worker, and say so; InputError where none comes."""
    if client.scheduler_info(n_workers=-1)["workers"]:
        return
    print(f"Dask: no workers at {scheduler} yet, waiting {_WORKER_SECONDS} s for one.", flush=True)
    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except TimeoutError:
        raise InputError(
            f"The Dask scheduler at {scheduler} has no workers: start some with 'dask worker {scheduler} "
            "--nthreads 1'."
        ) from None


def _handed_out(bank: "Bank") -> "Bank":
    return bank


def _as_task(bank: "Bank", fold: "Fold", config: Config, device: str, sources: Sources) -> dict[str, Any]:
    """One fold on a Dask worker, which loads torch only after it is prepared."""
    machine.prepare()
    own_code.add(sources)
    with _one_at_a_time:
        return _timed(bank, fold, config, device)
