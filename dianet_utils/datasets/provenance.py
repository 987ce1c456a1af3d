"""Where the clips of a table come from, told by its columns ``dataset`` and ``synthetic``.

Columns stay with their rows through selection, merging, sorting and files, where a table's ``attrs`` do
not. Where a row does not tell, the origin is :data:`UNKNOWN`, titles say so, and nothing is compared with
the paper.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from dianet_utils import paper
from dianet_utils.config.own_tables import is_own_name, own_title

UNKNOWN = "unknown origin"
_LONGEST = 60  # characters of a selection in a title
GROUPS = ("negative", "positive", "surprise")  # the classes of MEGC 2019, see merging.py
MERGED = "3 classes (MEGC 2019)"
# How truth is written in tables that were kept as text, or as numbers.
_FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def origin(clips: pd.DataFrame) -> str:
    """The names of the table's datasets with "+" between, in order of appearance; else :data:`UNKNOWN`.

    It is unknown where a column is missing, where a row leaves its dataset or ``synthetic`` blank, and for
    a table without rows.
    """
    names, flags = _names(clips), _flags(clips)
    return "+".join(dict.fromkeys(names)) if all(names) and names and None not in flags else UNKNOWN


def is_synthetic(clips: pd.DataFrame) -> bool | None:
    """True if any clip was generated, False if none was; None where one does not tell and none says yes."""
    flags = set(_flags(clips))
    if True in flags:
        return True
    return False if flags == {False} else None


def is_comparable(clips: pd.DataFrame) -> bool:
    """Whether the paper has results on such clips: one of its datasets, recorded, selected by its rule."""
    usual = not is_merged(clips) and not selection_of(clips)
    return is_synthetic(clips) is False and origin(clips) in paper.DATASETS and usual


def is_merged(clips: pd.DataFrame) -> bool:
    """Whether the emotions are those of MEGC 2019 and the column ``label`` keeps the sheet's."""
    return "label" in clips and set(clips["emotion"].dropna()) <= set(GROUPS)


def is_own(clips: pd.DataFrame) -> bool:
    """Whether every clip is of a table of the user's own."""
    return bool(len(clips)) and all(is_own_name(name) for name in _names(clips))


def title(clips: pd.DataFrame) -> str:
    """The dataset's name for people; generated clips are called synthetic whatever layout they lie in.

    The parts of a composite are joined, and merged classes and what else was selected named. An
    :data:`UNKNOWN` origin is called so, and partly synthetic where some clips are known to be.
    """
    if origin(clips) == UNKNOWN:
        name = f"{UNKNOWN}, partly synthetic" if is_synthetic(clips) else UNKNOWN
    else:
        name = " + ".join(_parts(clips))
    chosen = selection_of(clips)
    short = chosen if len(chosen) <= _LONGEST else f"{chosen[: _LONGEST - 3]}..."
    return ", ".join(filter(None, [name, MERGED if is_merged(clips) else "", short]))


def mark_selection(clips: pd.DataFrame, told: Mapping[str, Any]) -> pd.DataFrame:
    """The table with a column ``selection`` that says what was chosen, as ``classes=fear,anger; apex=spot``.

    A file is told by its name alone.
    """
    texts = {
        name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in told.items()
    }
    if "sheet" in texts:
        texts["sheet"] = re.split(r"[\\/]", texts["sheet"])[-1]
    return clips.assign(selection="; ".join(f"{name}={text}" for name, text in texts.items()))


def selection_of(clips: pd.DataFrame) -> str:
    """What a selection that is not the usual one chose, merging aside; "" for the usual one."""
    told = clips["selection"].dropna().unique() if "selection" in clips else ()
    return " / ".join(map(str, told))


def selection_name(clips: pd.DataFrame) -> str:
    """The same, with merging, for a file's name: ``megc2019-apex=spot``, a digest where it is no name."""
    chosen = selection_of(clips).replace("; ", "-")
    if not re.fullmatch(r"[\w.,=+-]{0,40}", chosen, re.ASCII):
        chosen = f"selection={hashlib.sha256(chosen.encode()).hexdigest()[:8]}"
    return "-".join(filter(None, ["megc2019" if is_merged(clips) else "", chosen]))


def _parts(clips: pd.DataFrame) -> Iterator[str]:
    """One title for each dataset, those in which every clip was generated in a layout joined, and last."""
    kinds: dict[str, set[bool | None]] = {}
    for name, flag in zip(_names(clips), _flags(clips), strict=True):
        kinds.setdefault(name, set()).add(flag)
    layouts = []
    for name, flags in kinds.items():
        called = own_title(name) if is_own_name(name) else paper.TITLES.get(name, name)
        if flags == {False} or called.startswith("synthetic"):
            yield called
        elif len(flags) > 1:
            yield f"partly synthetic {called}"
        elif is_own_name(name):
            yield f"synthetic {called}"
        else:
            layouts.append(called)
    if layouts:
        yield f"synthetic clips in the layout of {' + '.join(layouts)}"


def numbered(clips: pd.DataFrame, number: int) -> pd.DataFrame:
    """The table with ``-number`` after its datasets' names, as "samm-2", beside one of the same name."""
    if origin(clips) == UNKNOWN:
        return clips
    return clips.assign(dataset=[f"{name}-{number}" for name in _names(clips)])


def _names(clips: pd.DataFrame) -> list[str]:
    """The dataset of each row; "" where it is blank or there is no such column."""
    given = clips["dataset"] if "dataset" in clips else [""] * len(clips)
    return [value.strip() if isinstance(value, str) else "" for value in given]


def _flags(clips: pd.DataFrame) -> list[bool | None]:
    """Whether each row is synthetic; None where it does not tell."""
    given = clips["synthetic"] if "synthetic" in clips else [""] * len(clips)
    return [flag_of(value) for value in given]


def flag_of(value: object) -> bool | None:
    """The truth that a cell spells (True, "false", 1), or None."""
    return _FLAGS.get(str(value).strip().lower())
