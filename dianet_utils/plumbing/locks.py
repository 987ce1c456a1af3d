"""One process at a time in a folder: a lock that ends with the process that holds it, however that ends."""

import contextlib
import functools
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dianet_utils.plumbing.files import shown

NAME = ".lock"  # an empty file; it stays, and says nothing about whether the lock is held
_SECONDS_BETWEEN_TRIES = 0.5
_SCRATCH = "dianet-"  # begins the name of a temporary folder
_DAY = 86400  # seconds
_HERE = threading.local()  # ``paths``: the locks that this thread holds
UNGUARDED = "in a script, call it below if __name__ == '__main__' or with workers=1."


@contextlib.contextmanager
def alone(folder: str | Path, name: str = NAME) -> Iterator[bool]:
    """Keep other processes (and threads) that ask for the same lock out of ``folder`` while the block runs.

    Where another holds it this prints so and waits. The system drops the lock when its process ends, so a
    killed run leaves none behind. A thread that holds the lock may ask for it again. Where a folder takes no
    lock (some network drives, or a folder that cannot be written) this says so once, yields False and goes
    on: files are still written whole or not at all.

    A worker process that is still importing the script of its parent ends instead of waiting: most likely
    the parent holds the lock, and waits for its worker.
    """
    path = Path(folder, name).absolute()
    mine: set[Path] = _HERE.__dict__.setdefault("paths", set())
    if path in mine:
        yield True
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.callback(_acquire(path, folder))
            mine.add(path)
            stack.callback(mine.discard, path)
        except (OSError, NotImplementedError) as error:
            _say_unlocked(shown(folder), str(getattr(error, "strerror", None) or error))
        yield path in mine


def _acquire(path: Path, folder: str | Path) -> Callable[[], None]:
    """Wait for a lock, and say so where it is not free at once; what gives it back."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(path))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _end_unguarded(folder)
        print(f"Another process works in {shown(folder)}: waiting until it ends.", flush=True)
        lock.acquire(timeout=-1, poll_interval=_SECONDS_BETWEEN_TRIES)
    return lock.release


@functools.cache  # said once, not for each figure
def _say_unlocked(folder: str, reason: str) -> None:
    print(f"{folder} cannot be locked ({reason}): start nothing else in it meanwhile.")


def of_run(path: Path) -> contextlib.AbstractContextManager[bool]:
    """The lock of the run in whose folder, or one below it, ``path`` lies; none where there is no run."""
    folder = next((folder for folder in path.parents[:2] if (folder / NAME).is_file()), None)
    return alone(folder) if folder else contextlib.nullcontext(False)


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
