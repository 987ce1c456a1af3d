"""Clips of the user's own: a table with one row per clip, and a folder of frames for each.

Any classes and any frame rate will do. The columns of :data:`NEEDED` must be there, those of
:data:`OPTIONAL` may be, and others are kept as they are. Nothing is renamed, converted or written.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils.config.own_tables import own_name
from dianet_utils.datasets import clips as clip_table
from dianet_utils.datasets.clips import FRAME_NUMBERS
from dianet_utils.datasets.names import LONGEST, alike, composed, fault
from dianet_utils.datasets.own_files import read_table
from dianet_utils.datasets.provenance import flag_of
from dianet_utils.datasets.release import count_missing, mark_repeats
from dianet_utils.datasets.sheets import number_problem, whole_number
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

NEEDED = {
    "subject": "who is seen, a name or a number",
    "emotion": "the class, any word",
    "onset": "number of the first frame, as in the names of the files",
    "apex": "number of the frame of strongest expression",
    "offset": "number of the last frame",
    "frames": "folder of the clip's frames, absolute or relative",
}
# What stands for a column that is not there, or is blank.
OPTIONAL = {
    "clip": "",  # else the subject and the filename
    "filename": "",  # else the name of the folder
    "fps": "",
    "action_units": "",
    "crop": "face",
    "problem": "",
    "apex_source": "sheet",
    "synthetic": "false",
}


def table(frame: pd.DataFrame, root: str | Path | None = None, name: str = "table") -> pd.DataFrame:
    """The table of clips, as of a dataset, from one row per clip: columns :data:`NEEDED`, any order.

    ``root`` is the folder to which relative ``frames`` belong (None: the working directory). ``name`` is
    what the dataset is called after ``own-``. Frame rates that are not given are NaN, and faces are looked
    for in each clip unless ``crop`` is "none". What is wrong with a row goes into its ``problem``. Raises
    InputError naming all columns that are missing, or twice there.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError("datasets.table takes a pandas DataFrame; datasets.load reads a file.")
    return _build(frame, range(1, len(frame) + 1), root, name, "The table")


def load(path: str | Path, root: str | Path | None = None) -> pd.DataFrame:
    """The table of clips in a file of the user's own: .csv, .xlsx (its first worksheet) or .parquet.

    ``root`` is the folder to which relative ``frames`` belong; None: that of the file. Raises InputError
    for a file that cannot be read, and as :func:`table`.
    """
    path = Path(os.path.expanduser(path)).absolute()
    frame, rows = read_table(path)
    folder = path.parent if root is None else Path(os.path.expanduser(root))
    if not folder.is_dir():
        raise InputError(
            f"The folder {shown(folder)}, in which {path.name} looks for folders of frames, does not exist: "
            "correct data_root."
        )
    clips = _build(frame, rows, folder, path.stem, shown(path))
    notes = [f"annotations: {shown(path)}", f"folders of frames are relative to {shown(folder)}"]
    people = alike(clips["subject"])
    notes += [f"these subjects may be one person, who would then be tested and train: {p}" for p in people]
    clips.attrs["notes"] = notes
    return clips


def _build(
    frame: pd.DataFrame, numbers: Sequence[int], root: str | Path | None, name: str, what: str
) -> pd.DataFrame:
    """The table of clips; ``numbers`` are those of the rows, and ``what`` is told of in errors."""
    cells = _columns(frame, what)
    texts = cells.map(_text)
    place = os.path.abspath(os.path.expanduser(root or ""))
    records = [
        _record(row, number, place) for row, number in zip(texts.to_dict("records"), numbers, strict=True)
    ]
    mark_repeats(records)
    flags = [record.pop("synthetic") for record in records]
    for record in records:
        del record["row"]
    clips = clip_table.table(records, own_name(name))
    clips["synthetic"] = pd.Series(flags, clips.index, dtype=object if None in flags else bool)
    for column in cells.columns.difference([*clips.columns, "clip", "filename"], sort=False):
        clips[column] = cells[column].to_numpy()
    return clips


def _columns(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """The table with its columns in lower case; an index called clip or filename becomes a column."""
    named = frame.reset_index() if frame.index.name in ("clip", "filename") else frame
    cells = named.rename(columns=lambda column: str(column).strip().lower())
    repeated = sorted(set(cells.columns[cells.columns.duplicated()]))
    missing = [f"{column} ({told})" for column, told in NEEDED.items() if column not in cells]
    problems = [f"lacks the columns {', '.join(missing)}"] if missing else []
    problems += [f"has more than one column {', '.join(repeated)}"] if repeated else []
    problems += ["has no row"] if cells.empty else []
    if problems:
        given = ", ".join(map(str, cells.columns)) or "none"
        raise InputError(f"{what} {' and '.join(problems)}; its columns are: {given}.")
    return cells


def _text(cell: Any) -> str:
    """A cell as text: "" where it is missing, a whole number without a point."""
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else composed(str(cell).strip())


def _record(given: Mapping[Any, str], number: int, root: str) -> dict[str, Any]:
    """One row of the table of clips, with ``row``, its number; what is wrong goes into ``problem``."""
    row = {name: given[name] for name in NEEDED} | {
        name: given.get(name) or ("" if name == "synthetic" and name in given else default)
        for name, default in OPTIONAL.items()
    }
    folder = os.path.abspath(os.path.join(root, os.path.expanduser(row["frames"])))
    clip, problems = _name(row, number), [*filter(None, [row["problem"]]), *_faults(row, folder)]
    record: dict[str, Any] = {"clip": clip, "subject": row["subject"], "emotion": _plain(row["emotion"])}
    record |= {name: whole_number(row[name]) for name in FRAME_NUMBERS}
    record |= {"fps": _rate(row["fps"]), "frames": folder if row["frames"] else ""}
    record |= {"action_units": row["action_units"], "crop": row["crop"].lower()}
    missing = count_missing(record, problems) if os.path.isdir(folder) else 0
    record |= {"problem": "; ".join(problems), "missing_frames": missing, "apex_source": row["apex_source"]}
    return record | {"synthetic": flag_of(row["synthetic"]), "row": number}


def _name(row: Mapping[str, str], number: int) -> str:
    """The name of a clip: the given one, or the subject's with that of the file or folder."""
    if row["clip"]:
        return row["clip"]
    last = row["filename"] or Path(row["frames"]).name
    return f"{row['subject'] or f'(row {number})'}/{last or f'(row {number})'}"


def _plain(emotion: str) -> str:
    return re.sub(r"\s+", " ", emotion).lower()


def _rate(text: str) -> float:
    """Frames per second; NaN where it is no positive number."""
    try:
        rate = float(text)
    except ValueError:
        return math.nan
    return rate if 0 < rate < math.inf else math.nan


def _faults(row: Mapping[str, str], folder: str) -> Iterator[str]:
    """A sentence for everything that is wrong with a row."""
    if wrong := fault(row["subject"]):
        yield f"the subject {wrong}"
    if any(wrong := fault(part) for part in (row["clip"] or row["filename"] or "_").split("/")):
        yield f"the name of the clip {wrong}"
    if not row["emotion"]:
        yield "the emotion is blank"
    elif not row["emotion"].isprintable():
        yield f"the emotion holds a character that is not seen ({row['emotion']!a}): type it anew"
    elif len(row["emotion"]) > LONGEST:
        yield f"the emotion is no text of at most {LONGEST} characters"
    for name in FRAME_NUMBERS:
        if wrong := number_problem(row[name]):
            yield f"{name} {wrong}"
    if row["fps"] and math.isnan(_rate(row["fps"])):
        yield f"fps '{row['fps']}' is not a positive number"
    if row["crop"].lower() not in ("none", "face", "aligned"):
        yield f"crop '{row['crop']}' is neither none, face nor aligned"
    if flag_of(row["synthetic"]) is None:
        yield f"synthetic '{row['synthetic']}' is neither true nor false"
    if not row["frames"]:
        yield "the folder of frames is blank"
    elif not os.path.isdir(folder):
        yield f"there is no folder {shown(folder)}"
