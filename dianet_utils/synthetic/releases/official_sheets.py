"""Annotation sheets that look like those of the licensed releases, rows of synthetic clips in them."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from dianet_utils.synthetic.releases.official_clips import OfficialClip

SHEETS = {
    "casme2": "CASME2-coding-20140508.xlsx",
    "samm": "SAMM_Micro_FACS_Codes_v2.xlsx",
    "mmew": "MMEW_Micro_Exp.xlsx",
    "casme3": "annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
}
_NUMBERS = ("onset", "apex", "offset")


def write_sheet(name: str, folder: Path, clips: Iterable[OfficialClip]) -> Path:
    """Write the sheet of ``name`` (one of :data:`SHEETS`) for ``clips`` into ``folder``."""
    book = Workbook()
    worksheet = book.active
    for row in _ROWS[name](list(clips)):
        worksheet.append(row)
    worksheet.title = {"samm": "MICRO_ONLY", "casme3": "label"}.get(name, "Sheet1")
    if name == "casme2":
        book.create_sheet("Sheet2")
        book.create_sheet("Sheet3")
    content = BytesIO()
    book.save(content)
    path = folder / SHEETS[name]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.getvalue())
    return path


def _casme2_rows(clips: list[OfficialClip]) -> list[list[Any]]:
    """Two columns without a header; Action Units are numbers where they can be, and once a ``?``."""
    headers = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None]
    rows: list[list[Any]] = [[*headers, "Action Units", "Estimated Emotion"]]
    for place, clip in enumerate(clips):
        coding = clip.plan.coding
        units = "?" if place == 3 else int(coding) if coding.isdigit() else coding
        numbers = [clip.cell(number) for number in _NUMBERS]
        rows.append([clip.subject, clip.filename, None, *numbers, None, units, clip.plan.emotion])
    return rows


def _samm_rows(clips: list[OfficialClip]) -> list[list[Any]]:
    """Thirteen rows above the headers, and blanks behind some Action Units."""
    rows: list[list[Any]] = [["SYNTHETIC clips in the layout of SAMM: no row describes a person"]]
    rows += [[None, f"row {number} above the headers"] for number in range(2, 14)]
    headers = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame"]
    rows.append(
        [*headers, "Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes"]
    )
    for place, clip in enumerate(clips):
        duration = clip.number("offset") - clip.number("onset") + 1
        numbers = [clip.cell(number) for number in _NUMBERS]
        units = clip.plan.coding + "  " * (place % 2)
        emotion = "Other" if clip.plan.emotion == "others" else clip.plan.emotion.capitalize()
        rows.append([clip.subject, clip.filename, 1, *numbers, duration, "1/2", units, emotion, 1, None])
    return rows


def _mmew_rows(clips: list[OfficialClip]) -> list[list[Any]]:
    rows: list[list[Any]] = [["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame"]]
    rows[0] += ["Action Units", "Estimated Emotion", "remarks"]
    for clip in clips:
        numbers = [clip.cell(number) for number in _NUMBERS]
        rows.append([clip.subject, clip.filename, *numbers, clip.plan.coding, clip.plan.emotion, None])
    return rows


def _casme3_rows(clips: list[OfficialClip]) -> list[list[Any]]:
    """Filename is the video's; two emotions under short names."""
    rows: list[list[Any]] = [["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class"]]
    rows[0] += ["emotion"]
    for clip in clips:
        numbers = [clip.cell(number) for number in _NUMBERS]
        emotion = {"happiness": "happy", "sadness": "sad"}.get(clip.plan.emotion, clip.plan.emotion)
        rows.append([clip.subject, clip.filename, *numbers, clip.plan.coding, "I", emotion])
    return rows


_ROWS = {"casme2": _casme2_rows, "samm": _samm_rows, "mmew": _mmew_rows, "casme3": _casme3_rows}
