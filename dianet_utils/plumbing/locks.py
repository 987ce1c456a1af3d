"""One process at a time in a folder: a lock that ends with the process that holds it, however that ends."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dianet_utils.plumbing.files import shown

NAME = ".lock"  # an empty file; it stays, and says nothing about whether the lock is held
_SECONDS_BETWEEN_TRIES = 0.5


@contextlib.contextmanager
def alone(folder: str | Path, name: str = NAME) -> Iterator[bool]:
    """Keep other processes (and threads) that ask for the same lock out of ``folder`` while the block runs.

    Where another holds it this prints so and waits. The system drops the lock when its process ends, so a
    killed run leaves none behind. Where a folder takes no lock (some network drives, or a folder that
    cannot be written) this says so, yields False and goes on: files are still written whole or not at all.
    """
    from filelock import FileLock, Timeout

    path = Path(folder, name)
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(str(path))
            try:
                lock.acquire(timeout=0)
            except Timeout:
                print(f"Another process works in {shown(folder)}: waiting until it ends.", flush=True)
                lock.acquire(timeout=-1, poll_interval=_SECONDS_BETWEEN_TRIES)
            stack.callback(lock.release)
            held = True
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            print(f"{shown(folder)} cannot be locked ({reason}): start nothing else in it meanwhile.")
            held = False
        yield held
