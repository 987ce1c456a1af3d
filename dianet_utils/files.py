"""Where things lie, and writing that never leaves half a file behind."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def _find_root() -> Path:
    """The repository when the package lies in a checkout, otherwise the working directory."""
    checkout = Path(__file__).resolve().parent.parent
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


ROOT = _find_root()
DATA = ROOT / "data"
RESULTS = ROOT / "results"


def shown(path: str | Path) -> str:
    """``path`` for people: relative to the repository where it lies inside it, with forward slashes."""
    path = Path(path)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()


def write_bytes(path: str | Path, content: bytes, durable: bool = True) -> Path:
    """Write ``content`` to ``path`` in one step: a reader sees the old file or the new one, never half.

    ``durable`` waits until it would outlast a power cut; without it a file must carry its own checksum.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write ``text`` as UTF-8 with Unix line ends, in one step."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> Path:
    """Write ``value`` as indented JSON, in one step; NaN is refused because it is not JSON."""
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
