"""How far a workbook reaches, before it is read: one stray cell far away must not fill the memory.

Spreadsheets keep formatted, empty rows down to the last one (1,048,576), and a stray key press puts a value
anywhere. The readers fill all that lies between with empty cells.
"""

import contextlib
import re
import zipfile
from pathlib import Path
from typing import IO
from xml.parsers import expat

from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

MOST_COLUMNS = 1_000
_ROWS, _CELLS = 100_000, 2_000_000  # at most; the largest release has some thousand rows
_UNPACKED = 200 * 2**20  # bytes of all parts of a workbook


def used_rows(path: Path) -> int | None:
    """The last row of any worksheet with something in it, which is all that need be read of an ``.xlsx``.

    None for a file of another kind. Raises InputError naming the cell that lies too far away, or the size of
    a workbook that unpacks to more than any annotation; other errors where the file is damaged.
    """
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if (size := sum(part.file_size for part in parts)) > _UNPACKED:
            raise InputError(
                f"{shown(path)} unpacks to {size / 2**20:.0f} MB, far more than an annotation: give a "
                "workbook that holds the annotation alone."
            )
        rows = 0
        for part in parts:
            if part.filename.lower().endswith(".xml"):
                with archive.open(part) as content:
                    rows = max(rows, _rows_of(content, path))
    return rows


def _rows_of(content: IO[bytes], path: Path) -> int:
    """The used rows of a part of a workbook, 0 where it is no worksheet; other damage is for the reader."""
    extent = _Extent()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = extent.begin
    parser.CharacterDataHandler = extent.text
    try:
        parser.ParseFile(content)
    except expat.ExpatError:
        if extent.is_worksheet:
            raise
    if extent.far:
        raise InputError(
            f"{shown(path)} has something in cell {extent.far}, far away from any annotation: delete that "
            "cell's row or column, save, and use that."
        )
    return extent.rows


class _Extent:
    """Hears of the elements of a worksheet in turn, and keeps the last row and column with a value."""

    def __init__(self) -> None:
        self.rows, self.columns, self.far = 0, 0, ""
        self._tag, self._row, self._column = "", 0, 0

    @property
    def is_worksheet(self) -> bool:
        """Whether a row has begun."""
        return self._row > 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; rows and cells without a place follow the one before, as in the readers."""
        self._tag = name.rpartition(" ")[2]
        if self._tag == "row":
            self._row, self._column = _number(attributes.get("r", "")) or self._row + 1, 0
        elif self._tag == "c":
            self._column = _column(attributes.get("r", "")) or self._column + 1

    def text(self, content: str) -> None:
        """A piece of text; only values and texts fill a cell."""
        if self._tag not in ("v", "t") or not content.strip():
            return
        self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)
        wide = self.rows > _ROWS or self.columns > MOST_COLUMNS or self.rows * self.columns > _CELLS
        if wide and not self.far:
            self.far = f"{_letters(self._column)}{self._row}"


def _number(text: str) -> int:
    """The row that an attribute gives, also as 1e6; 0 where it gives none."""
    with contextlib.suppress(ValueError):
        return int(min(float(text), 1e18))
    return 0


def _column(cell: str) -> int:
    """The column of a cell such as XFD1, from 1; 0 where there is none."""
    number = 0
    for letter in (re.match("[A-Za-z]{1,3}", cell) or [""])[0].upper():
        number = 26 * number + ord(letter) - 64
    return number


def _letters(column: int) -> str:
    """The letters of a column, from A."""
    told = ""
    while column > 0:
        column, letter = divmod(column - 1, 26)
        told = chr(65 + letter) + told
    return told
