"""Where things lie, and writing that never leaves half a file behind."""

import contextlib
import errno
import io
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from dianet_utils.plumbing.errors import InputError

PARTIAL = ".partial"  # ends the name of a file that is still being written


def _find_root() -> Path:
    """The repository when the package lies in a checkout, otherwise the working directory."""
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


ROOT = _find_root()
DATA = ROOT / "data"
RESULTS = ROOT / "results"


def cache() -> Path:
    """Where lies what can be made again: banks, spotted apices, generated datasets, converted weights.

    ``$DIANET_CACHE``; else ``data`` of the repository; where that cannot be written, the user's cache folder.
    """
    if named := os.environ.get("DIANET_CACHE"):
        return Path(named).expanduser()
    place = next(path for path in (DATA, *DATA.parents) if path.exists())
    return DATA if os.access(place, os.W_OK) else platformdirs.user_cache_path("dianet")


def shown(path: str | Path) -> str:
    """``path`` for people: relative to the repository where it lies inside it, with forward slashes."""
    path = Path(path)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()


class DamagedFileError(InputError):
    """A file that does not hold what it should."""


class DiskError(InputError):
    """A folder that cannot be written: the disk is full, read-only or gone."""


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn the errors of a block that writes ``path`` into one sentence that names it and the way out."""
    try:
        yield
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise DiskError(
            f"Cannot write {shown(path)} ({what}): {_way_out(error.errno)}, then run the same again; "
            "what was finished before is kept."
        ) from None


def _way_out(code: int | None) -> str:
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "make room on that disk"
    if code in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "make that folder writable or choose another (out, or DIANET_CACHE for what is cached)"
    return "mend that folder or choose another"


def write_bytes(path: str | Path, content: bytes, durable: bool = True) -> Path:
    """Write ``content`` to ``path`` in one step: a reader sees the old file or the new one, never half.

    ``durable`` waits until it would outlast a power cut; without it a file must carry its own checksum.
    Raises :class:`DiskError` if it cannot be written.
    """
    path = Path(path).expanduser()
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return path


def refuse_strange(folder: str | Path, *ours: str) -> None:
    """InputError for a folder that holds something and nothing that matches one of the patterns ``ours``.

    Hidden files and notebooks do not count: what is written into the folder replaces none of them.
    """
    folder = Path(folder)
    try:
        held = [item for item in folder.glob("*") if item.name[0] != "." and item.suffix != ".ipynb"]
    except OSError:  # told by whoever writes there
        return
    if held and not any(next(folder.glob(pattern), None) for pattern in ours):
        raise InputError(
            f"{shown(folder)} holds something else ({held[0].name}) and no run of this project: give a new "
            "folder, or an empty one."
        )


def remove_partial(folder: str | Path) -> None:
    """Remove from ``folder`` what killed writers left; only for the one process that writes there."""
    for path in Path(folder).glob(f".*{PARTIAL}"):
        with contextlib.suppress(OSError):
            path.unlink()


def write_text(path: str | Path, text: str) -> Path:
    """Write ``text`` as UTF-8 with Unix line ends, in one step."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> Path:
    """Write ``value`` as indented JSON, in one step; NaN is refused because it is not JSON."""
    return write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """``value`` as indented JSON; NaN is refused because it is not JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_figure(path: str | Path, figure: Any) -> Path:
    """Write a matplotlib figure in the format that ``path`` ends in, in one step.

    In the folder of a run this waits for another process that works there.
    """
    from dianet_utils.plumbing.locks import of_run

    content = io.BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:])
    with of_run(Path(path)):
        return write_bytes(path, content.getvalue())


def read_json(path: str | Path) -> Any:
    """Read a JSON file; raises InputError naming it where it holds no JSON, OSError where it is missing."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise DamagedFileError(
            f"{shown(path)} is damaged (no JSON): remove it and run the same again."
        ) from None
