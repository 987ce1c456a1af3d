"""What the licensed releases have in common: a sheet of annotations and folders of frames.

A release is described by data (:class:`Release`); ``casme2.py``, ``samm.py``, ``mmew.py``, ``smic.py`` and
``casme3.py`` hold one each. A release without a sheet tells subject, class and clip by its folders.
"""

import contextlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils.config.checks import near_match
from dianet_utils.datasets.clips import EMOTIONS, FRAME_NUMBERS, table
from dianet_utils.datasets.frames import index_frames
from dianet_utils.datasets.layouts import (
    FrameFolder,
    Layout,
    doubled_subjects,
    find_frames,
    holds_frames,
    key_of,
)
from dianet_utils.datasets.names import fault
from dianet_utils.datasets.numbering import follow_files, tell_missing
from dianet_utils.datasets.sheets import HOW, find_sheet, number_problem, read_sheet, whole_number
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

# A folder with this file beside sheet or frames, or above, holds generated clips in an official layout.
SYNTHETIC_MARK = "SYNTHETIC.txt"
# How some releases spell the emotions of ``clips.EMOTIONS``.
_SPELLINGS = {"other": "others", "happy": "happiness", "sad": "sadness"}


@dataclass(frozen=True)
class Correction:
    """A known error of the sheet, mended only in the row of ``clip`` that has the ``wrong`` numbers."""

    clip: str  # subject/filename, as the sheet has them
    wrong: Mapping[str, int]  # what stands in the sheet, of onset, apex and offset
    right: Mapping[str, int]
    reason: str


@dataclass(frozen=True)
class Release:
    """A licensed dataset as released; ``layouts`` in the order in which they are preferred."""

    name: str
    title: str
    fps: float
    layouts: tuple[Layout, ...]
    sheet_pattern: str = ""  # of the file's name; none: the folders tell what a sheet would
    worksheet: str = ""  # the one to prefer
    subject: str = ""  # how its number is written; none: as the release writes it
    clip: str = "{filename}"  # what tells a subject's clips apart, from the cells of a row
    corrections: tuple[Correction, ...] = ()


def load(release: Release, root: str | Path, sheet: str | Path | None = None) -> pd.DataFrame:
    """The table of clips of a user's copy at ``root``: its folder, its folder of frames, or its sheet.

    ``sheet`` names the sheet where it is not found there, or not the one to use. Nothing is renamed,
    converted or written. Raises one InputError for everything that is missing.
    """
    root = Path(root).expanduser().resolve()
    if not root.exists():
        raise InputError(f"The folder of {release.title}, {shown(root)}, does not exist: correct data_root.")
    problems, path, rows = [], None, None
    try:
        if release.sheet_pattern:
            path = _sheet_of(release, root, sheet)
            rows = read_sheet(path, release.worksheet)
    except InputError as error:
        problems.append(str(error))
    try:
        frames = find_frames(release.layouts, release.title, root)
    except InputError as error:
        problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    clips = _table(release, path, _rows_of_folders(frames) if rows is None else rows, frames)
    if path and sheet is None and root not in (path, *path.parents):
        clips.attrs["notes"].append(
            f"the sheet lies outside {shown(root)}: give another as sheet if it is wrong"
        )
    return clips


def _sheet_of(release: Release, root: Path, given: str | Path | None) -> Path:
    """The sheet that is named, or the one in the copy or beside it; never that of another copy."""
    if given is not None:
        path = Path(given).expanduser().resolve()
        if not path.is_file():
            raise InputError(f"The sheet {shown(path)} does not exist: correct sheet.")
        return path
    path = find_sheet(root, release.sheet_pattern, release.title)
    beside = root not in (path, *path.parents) and path.parent not in root.parents
    if beside and holds_frames(release.layouts, path.parent):
        raise InputError(
            f"No annotation sheet of {release.title} was found in {shown(root)}, and {shown(path)} belongs "
            f"to the frames beside it: give as sheet the one you mean ({HOW})."
        )
    return path


def _rows_of_folders(frames: FrameFolder) -> pd.DataFrame:
    """What a sheet would say, from the clips' folders ``subject/.../emotion/filename``.

    Onset and offset are the first and the last frame, the apex the one in the middle; where the frames cannot
    be told apart all three are blank.
    """
    rows: list[dict[str, Any]] = []
    for folder in sorted(path for paths in frames.clips.values() for path in paths):
        parts = folder.relative_to(frames.path).parts
        emotion = next((part for part in parts if part.lower() in EMOTIONS), "")
        rows.append({"subject": parts[0], "filename": parts[-1], "emotion": emotion, **_ends(folder)})
    return pd.DataFrame(rows).assign(action_units="", row=range(1, len(rows) + 1))


def _ends(folder: Path) -> dict[str, str]:
    """Onset, apex and offset as a sheet would have them, from the frames in a folder."""
    with contextlib.suppress(InputError):  # reported with the clip
        if numbers := list(index_frames(folder)):
            values = numbers[0], (numbers[0] + numbers[-1]) // 2, numbers[-1]
            return dict(zip(FRAME_NUMBERS, map(str, values), strict=True))
    return dict.fromkeys(FRAME_NUMBERS, "")


def _table(release: Release, sheet: Path | None, rows: pd.DataFrame, frames: FrameFolder) -> pd.DataFrame:
    """The table of clips from the sheet's rows (or the folders') and the folders of frames."""
    named = rows[((rows["subject"] != "") & (rows["filename"] != "")) | _annotated(rows)]
    if named.empty:
        place = shown(sheet or frames.path)
        raise InputError(f"The sheet {place} has headers but no row with a subject and a filename.")
    corrections: list[str] = []
    records = [_record(release, row, frames, corrections) for _, row in named.iterrows()]
    moved = follow_files(records)
    present = tell_missing(records)
    mark_repeats(records)
    used = {record["frames"] for record in records}
    for record in records:
        del record["row"]
    notes = [f"annotations: {shown(sheet) if sheet else 'the names of the folders'}"]
    notes += [f"frames: {frames.layout.name}, {shown(frames.path)}"]
    notes += [] if sheet else ["the release names no apex: it is taken in the middle of each clip"]
    notes += [f"also found and not used: {shown(path)}" for path in frames.others]
    notes += [
        f"row {row} of the sheet has no subject or no filename and is no clip"
        for row in rows.loc[rows.index.difference(named.index), "row"]
    ]
    notes += [*moved, *doubled_subjects(frames), *_unused(frames, used)]
    synthetic = _is_synthetic(sheet, frames)
    clips = table(records, release.name, synthetic=synthetic, corrections=corrections, notes=notes)
    clips.attrs["warnings"] = present
    return clips


def _is_synthetic(sheet: Path | None, frames: FrameFolder) -> bool:
    """Whether the mark lies beside the sheet, in the folder of frames or above either.

    Frames and sheet are often moved apart.
    """
    places = [frames.path, *frames.path.parents[:3], *(sheet.parents[:2] if sheet else ())]
    return any((place / SYNTHETIC_MARK).is_file() for place in places)


def _annotated(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a row has at least two frame numbers, and so describes a clip even if its names are blank."""
    return rows[FRAME_NUMBERS].map(lambda text: whole_number(text) is not None).sum(axis=1) >= 2


def _unused(frames: FrameFolder, used: set[str]) -> list[str]:
    """A note on the folders of frames that no row of the sheet names, the first few of them by name."""
    folders = sorted(path for paths in frames.clips.values() for path in paths if str(path) not in used)
    if not folders:
        return []
    named = ", ".join(path.relative_to(frames.path).as_posix() for path in folders[:5])
    more = f" and {len(folders) - 5} more" if len(folders) > 5 else ""
    return [f"no row of the sheet names the frames in {named}{more}"]


def _record(release: Release, row: pd.Series, frames: FrameFolder, corrections: list[str]) -> dict[str, Any]:
    """One row of the table; what is wrong with the sheet's row goes into ``problem``."""
    problems = [f"the {name} {problem}" for name in ("subject", "filename") if (problem := fault(row[name]))]
    digits = None if problems else re.fullmatch(r"[A-Za-z]*[\s_-]*0*([0-9]+)(\.0)?", row["subject"])
    subject = release.subject.format(int(digits.group(1))) if digits and release.subject else row["subject"]
    emotion = _SPELLINGS.get(row["emotion"].lower(), row["emotion"].lower())
    numbers = {name: whole_number(row[name]) for name in FRAME_NUMBERS}
    problems += [f"{name} {wrong}" for name in FRAME_NUMBERS if (wrong := number_problem(row[name]))]
    if not emotion:
        problems.append("the emotion is blank")
    elif emotion not in EMOTIONS:
        problems.append(f"there is no emotion '{emotion}'{near_match(emotion, EMOTIONS)}")
    corrections += _corrected(release, f"{subject}/{row['filename']}", numbers)
    names = _names(release, row, numbers["onset"])
    clip = f"{subject or _row_name(row)}/{names[0] or _row_name(row)}"
    record = {"clip": clip, "subject": subject, "emotion": emotion, **numbers, "fps": release.fps}
    found = _frames_of(record, row["filename"], names, frames, problems)
    record |= {"frames": found, "action_units": row["action_units"], "crop": frames.layout.crop}
    missing = count_missing(record, problems)
    record |= {"problem": "; ".join(problems), "missing_frames": missing}
    return record | {"apex_source": "sheet" if release.sheet_pattern else "midpoint", "row": row["row"]}


def _names(release: Release, row: pd.Series, onset: int | None) -> list[str]:
    """A clip's name among its subject's, and the one by the sheet's onset where that was mended."""
    written = row["onset"].removesuffix(".0")
    starts = dict.fromkeys([written if onset is None else str(onset), written])
    names = (row["filename"] and release.clip.format(filename=row["filename"], onset=text) for text in starts)
    return [*dict.fromkeys(names)]


def _corrected(release: Release, clip: str, numbers: dict[str, int | None]) -> list[str]:
    """Mend a row's ``numbers`` where they are a known error; a sentence for each."""
    told: list[str] = []
    known_numbers = [number for number in numbers.values() if number is not None]
    if known_numbers == sorted(set(known_numbers)):
        return told
    for known in release.corrections:
        if known.clip == clip and known.wrong.items() <= numbers.items():
            numbers.update(known.right)
            changes = ", ".join(
                f"{name} {known.wrong[name]} read as {known.right[name]}" for name in known.right
            )
            told.append(f"{clip}: {changes}: {known.reason}")
    return told


def _row_name(row: pd.Series) -> str:
    return f"(row {row['row']})"


def _frames_of(
    record: dict[str, Any], video: str, names: list[str], frames: FrameFolder, problems: list[str]
) -> str:
    """The clip's folder, "" if there is none; two folders for one clip are a problem."""
    form = frames.layout.key
    texts = {"subject": record["subject"], "video": video}
    keys = {key_of(form.format(filename=name, **texts)) for name in names}
    found = [path for key in sorted(keys) for path in frames.clips.get(key, [])]
    if len(found) > 1:
        listed = " and ".join(path.relative_to(frames.path).as_posix() for path in found)
        problems.append(f"two folders hold its frames, {listed}")
    return str(found[0]) if len(found) == 1 else ""


def count_missing(record: dict[str, Any], problems: list[str]) -> int:
    """How many annotated frames have no file; 0 where that is unknown (no folder, no numbers)."""
    if not record["frames"]:
        return 0
    try:
        present = index_frames(record["frames"])
    except InputError as error:
        problems.append(str(error).rstrip("."))
        return 0
    if record["onset"] is None or record["offset"] is None:
        return 0
    there = sum(record["onset"] <= number <= record["offset"] for number in present)
    return max(record["offset"] - record["onset"] + 1 - there, 0)


def mark_repeats(records: list[dict[str, Any]]) -> None:
    """Give rows that describe the same clip a problem each, and the later ones an index of their own."""
    together = defaultdict(list)
    for record in records:
        together[record["clip"]].append(record)
    for group in together.values():
        if len(group) > 1:
            rows = ", ".join(str(record["row"]) for record in group)
            for record in group:
                record["problem"] = "; ".join(
                    filter(None, [record["problem"], f"rows {rows} describe one clip"])
                )
            for record in group[1:]:
                record["clip"] += f" (row {record['row']})"
