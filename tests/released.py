"""Small copies of CASME-II made row by row, for what may be wrong with a copy."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from openpyxl import Workbook

HEADERS = (
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
)
# What a workbook with a password is: a compound file, in which the encrypted package has a name.
PROTECTED = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le")
JPEG = cv2.imencode(".jpg", np.full((12, 10, 3), 120, np.uint8))[1].tobytes()


def row(
    subject: object,
    filename: str,
    onset: object = 4,
    apex: object = 6,
    offset: object = 9,
    emotion: str = "others",
) -> list:
    return [subject, filename, None, onset, apex, offset, None, "4", emotion]


def write_book(path: Path, rows: Sequence[Sequence[object]], worksheet: str = "Sheet1") -> Path:
    book = Workbook()
    book.active.title = worksheet
    for cells in rows:
        book.active.append(list(cells))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def write_frames(folder: Path, numbers: Sequence[int] = range(4, 10), prefix: str = "reg_img") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{prefix}{number}.jpg").write_bytes(JPEG)
    return folder


def write_casme2(
    root: Path,
    rows: Sequence[Sequence[object]],
    frames: Mapping[str, Sequence[int]],
    headers: Sequence[object] = HEADERS,
) -> Path:
    """A copy with cropped frames; ``frames`` maps "sub01/EP01_01f" to the numbers of its files."""
    write_book(root / "CASME2-coding-20140508.xlsx", [headers, *rows])
    for clip, numbers in frames.items():
        write_frames(root / "Cropped" / clip, numbers)
    return root
