"""What a table of the user's own is called: a file of clips is a dataset, under a name that no other has.

The name begins with ``own-``, so that a file called ``samm.csv`` can never pass for SAMM.
"""

import re
from pathlib import Path

from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, shown, write_text

SUFFIXES = (".csv", ".xlsx", ".parquet")
_PREFIX = "own-"
_LONGEST = 60  # characters of a file's name that a short name keeps


def is_table(dataset: str) -> bool:
    """Whether the name of a dataset is that of a file with a table."""
    return Path(dataset).suffix.lower() in SUFFIXES


def is_own_name(name: str) -> bool:
    """Whether a name is one that :func:`own_name` gives."""
    return re.fullmatch(rf"{_PREFIX}[\w.-]+", name) is not None


def own_name(stem: str) -> str:
    """``own-<stem>``; what is no letter, digit, dot, underscore or hyphen becomes a hyphen."""
    safe = re.sub(r"[^\w.-]+", "-", stem)[:_LONGEST].strip("-.")
    return f"{_PREFIX}{safe or 'table'}"


def short_name(dataset: str) -> str:
    """The name of a dataset in settings and folders: ``own-mine`` for ``.../mine.csv``, others stay."""
    return own_name(Path(dataset).stem) if is_table(dataset) else dataset


def results_of(dataset: str) -> Path:
    """The folder of a dataset's results, below ``results``; that of a table notes which table it is.

    Two tables of one name would replace each other's results: InputError while both are there.
    """
    folder, table = RESULTS / short_name(dataset), Path(dataset).expanduser().resolve()
    if is_table(dataset) and table.is_file():
        note = _note(folder)
        before = Path(note.read_text(encoding="utf-8", errors="replace").strip()) if note.is_file() else None
        if before and before != table and before.is_file():
            raise InputError(
                f"{shown(folder)} holds the results of another table of that name, {before}: rename one of "
                "the two."
            )
        if before != table:
            write_text(note, f"{table}\n")
    return folder


def _note(folder: Path) -> Path:
    """The file that says which table the results in a folder are of."""
    return folder / "table.txt"


def own_title(name: str) -> str:
    """A short name for people: ``own clips (mine)``."""
    return f"own clips ({name.removeprefix(_PREFIX)})"
