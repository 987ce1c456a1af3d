"""What a table of the user's own is called: a file of clips is a dataset, under a name that no other has.

The name begins with ``own-``, so that a file called ``samm.csv`` can never pass for SAMM.
"""

import re
from pathlib import Path

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


def own_title(name: str) -> str:
    """A short name for people: ``own clips (mine)``."""
    return f"own clips ({name.removeprefix(_PREFIX)})"
