"""One process at a time in a folder: a lock that ends with the process that holds it, however that ends."""

import contextlib
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dianet_utils.plumbing.files import shown

NAME = ".lock"  # an empty file; it stays, and says nothing about whether the lock is held
_SECONDS_BETWEEN_TRIES = 0.5
_SCRATCH = "dianet-"  # begins the name of a temporary folder
_DAY = 86400  # seconds
UNGUARDED = "in a script, call it below if __name__ == '__main__' or with workers=1."


@contextlib.contextmanager
def alone(folder: str | Path, name: str = NAME) -> Iterator[bool]:
    """Keep other processes (and threads) that ask for the same lock out of ``folder`` while the block runs.

    Where another holds it this prints so and waits. The system drops the lock when its process ends, so a
    killed run leaves none behind. Where a folder takes no lock (some network drives, or a folder that
    cannot be written) this says so, yields False and goes on: files are still written whole or not at all.

    A worker process that is still importing the script of its parent ends instead of waiting: most likely
    the parent holds the lock, and waits for its worker.
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
                _end_unguarded(folder)
                print(f"Another process works in {shown(folder)}: waiting until it ends.", flush=True)
                lock.acquire(timeout=-1, poll_interval=_SECONDS_BETWEEN_TRIES)
            stack.callback(lock.release)
            held = True
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            print(f"{shown(folder)} cannot be locked ({reason}): start nothing else in it meanwhile.")
            held = False
        yield held


def _end_unguarded(folder: str | Path) -> None:
    """End this process where it is a worker that runs its parent's script instead of only importing it."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself asks
        sys.exit(f"A worker process began the work in {shown(folder)} anew: {UNGUARDED}")


@contextlib.contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A path for a file called ``name`` in a temporary folder; what killed processes left is removed first.

    A folder that is in use is locked by its process, and the system drops that lock however the process ends.
    """
    from filelock import FileLock

    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*/"):
        with contextlib.suppress(OSError):
            _remove_left(left, name)
    temporary = tempfile.TemporaryDirectory(prefix=_SCRATCH, ignore_cleanup_errors=True)
    with temporary as folder, FileLock(Path(folder, NAME)):
        yield Path(folder, name)


def _remove_left(folder: Path, name: str) -> None:
    """Remove a temporary folder of ours that nothing holds; one without a lock, perhaps new, after a day."""
    from filelock import FileLock, Timeout

    held = {path.name for path in folder.iterdir()}
    if not held <= {NAME, name} or (NAME not in held and time.time() - folder.stat().st_mtime < _DAY):
        return
    with contextlib.suppress(Timeout), FileLock(folder / NAME, timeout=0):
        for path in (folder / name, folder / NAME):
            path.unlink(missing_ok=True)
        folder.rmdir()
