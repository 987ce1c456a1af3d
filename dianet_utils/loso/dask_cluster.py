"""Folds on a Dask cluster: the bank is handed out once, and the scheduler repeats what a lost worker held."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dianet_utils.config import Config, own_code
from dianet_utils.loso.one_fold import Ended, News, Trained, hopeless, timed
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold

_CONNECT_SECONDS = 15
_WORKER_SECONDS = 60  # to wait for a first worker
_one_at_a_time = threading.Lock()  # torch's random state and thread count belong to the whole process


def on_cluster(
    bank: "Bank", folds: "Sequence[Fold]", config: Config, device: str, scheduler: str
) -> Iterator[News]:
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
                yield from (Trained(task.result()), Ended(task.result()))
            except KilledWorker:
                raise hopeless(tasks[task]) from None


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


def _as_task(
    bank: "Bank", fold: "Fold", config: Config, device: str, sources: dict[str, own_code.Source]
) -> dict[str, Any]:
    """One fold on a Dask worker, which loads torch only after it is prepared."""
    machine.prepare()
    own_code.add(sources)
    with _one_at_a_time:
        return timed(bank, fold, config, device)
