"""Annotation sheets (.xlsx, .xls, .csv) as released: finding the file, its header row, columns and cells."""

import csv
import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils.datasets.sheet_extent import MOST_COLUMNS, used_rows
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

# The headers that stand for each column, compared without case, blanks, "_" and "-".
COLUMNS = {
    "subject": ("subject",),
    "filename": ("filename",),
    "onset": ("onsetframe", "onset"),
    "apex": ("apexframe", "apex"),
    "offset": ("offsetframe", "offset"),
    "emotion": ("estimatedemotion", "emotion"),
    "action_units": ("actionunits", "actionunit", "aus", "au"),
}
HEADERS = {
    "subject": "Subject",
    "filename": "Filename",
    "onset": "OnsetFrame",
    "apex": "ApexFrame",
    "offset": "OffsetFrame",
    "emotion": "Estimated Emotion",
    "action_units": "Action Units",
}
HOW = "in notebooks: selection sheet=FILE"
SUFFIXES = {".xlsx", ".xls", ".csv"}
# SAMM has 13 rows above its headers; nothing is looked for beyond this row.
_LAST_HEADER_ROW = 40
LARGEST_NUMBER = 99_999_999  # of a frame; file names of SMIC-HS go to 32,615,570
# How an old .xls and a password-protected workbook begin, and what only the latter holds.
_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in ``folder``, by name; hidden ones and what cannot be listed are passed over.

    So is ``__MACOSX``, where macOS packs a shadow of every file.

    Links to folders count, as copies are often linked from another disk, but none that leads back above
    itself.
    """
    inside = sorted(item for item in _items(folder) if item.is_dir())
    inside = [item for item in inside if not item.name.startswith(".") and item.name != "__MACOSX"]
    return [item for item in inside if not item.is_symlink() or item.resolve() not in _above(folder)]


def _above(folder: Path) -> list[Path]:
    return [folder.resolve(), *folder.resolve().parents]


def _items(folder: Path) -> list[Path]:
    """What lies in ``folder``; nothing where it cannot be listed."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def find_sheet(root: Path, pattern: str, title: str) -> Path:
    """The annotation sheet whose name begins as ``pattern`` says, for a copy of the dataset at ``root``.

    ``root`` may be the sheet itself. Otherwise it is looked for in ``root`` and four levels below it, then
    one level up (and in the folders there) and two levels up. Raises InputError if there is none, or if
    several match: then they are listed, and naming one settles it.
    """
    if root.is_file():
        return root
    for folder, depth in ((root, 4), (root.parent, 1), (root.parent.parent, 0)):
        found = sorted(path for path in _sheets(folder, depth) if re.match(pattern, path.stem, re.IGNORECASE))
        if len(found) > 1:
            listed = ", ".join(shown(path) for path in found)
            raise InputError(
                f"Several annotation sheets of {title} match: {listed}. Give the one you mean as sheet "
                f"({HOW})."
            )
        if found:
            return found[0]
    raise InputError(
        f"No annotation sheet of {title} (an .xlsx, .xls or .csv file) was found in {shown(root)}, four "
        "levels below it or beside it: put it there under its released name, or give its path as sheet "
        f"({HOW}).{_others(root)}"
    )


def _others(root: Path) -> str:
    """Sentences on tables in ``root`` that have another name or cannot be read as they are, or ""."""
    named = ", ".join(sorted(path.name for path in _sheets(root, 4)))
    suffixes = {".tsv", ".ods", ".xlsm", ".xlsb", ".numbers"}
    foreign = ", ".join(sorted(item.name for item in _items(root) if item.suffix.lower() in suffixes))
    told = f" It holds {named}: if that is the sheet, give its path as sheet." if named else ""
    return told + (f" It holds {foreign}: save a copy as .xlsx." if foreign else "")


def _sheets(folder: Path, depth: int) -> Iterator[Path]:
    """The sheets in ``folder`` and ``depth`` levels below; ``~$`` marks a lock file of Excel."""
    files = [item for item in _items(folder) if item.suffix.lower() in SUFFIXES]
    yield from (item for item in files if item.is_file() and not item.name.startswith(("~$", ".")))
    if depth > 0:
        for inside in subfolders(folder):
            yield from _sheets(inside, depth - 1)


def read_sheet(path: Path, worksheet: str = "") -> pd.DataFrame:
    """The annotated rows of a workbook as text, with the columns of :data:`COLUMNS` and ``row``, Excel's row.

    ``worksheet`` is the one to prefer if it is there. The header row is found by its content, so rows
    above it do not matter. Every cell is text, as ``01`` must stay ``01``; an absent Action Units column
    gives empty text. Raises InputError for a file that does not open and for columns that are missing.
    """
    sheets = open_workbook(path)
    preferred = [name for name in sheets if _plain(name) == _plain(worksheet)]
    headers = {name: _find_header(sheets[name]) for name in preferred or sheets}
    complete = [name for name, (_, columns) in headers.items() if not _missing(columns)]
    if not complete:
        raise InputError(_explain_missing(path, sheets, headers))
    if len(complete) > 1:
        raise InputError(
            f"{shown(path)} has several worksheets with annotations, {', '.join(complete)}: "
            "delete all but one."
        )
    cells = sheets[complete[0]]
    header_row, columns = headers[complete[0]]
    _refuse_repeated(path, complete[0], list(cells.iloc[header_row]), columns)
    rows = cells.iloc[header_row + 1 :]
    rows = rows[(rows != "").any(axis=1)]
    found = {field: rows[columns[field]] if field in columns else "" for field in COLUMNS}
    return pd.DataFrame(found, index=rows.index).assign(row=rows.index + 1).reset_index(drop=True)


def open_workbook(path: Path) -> dict[str, pd.DataFrame]:
    """Every worksheet of a workbook as a table of stripped text; InputError if it does not open.

    A .csv file is a workbook with one worksheet. Empty space below the last used row is not read, and a cell
    far away from all others is refused, as the space between would be filled.
    """
    if path.suffix.lower() == ".csv":
        return {path.stem: _read_csv(path)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl reports every Excel feature it passes over
            kind: dict[str, Any] = {"nrows": used_rows(path), "engine_kwargs": _quiet(path)}
            sheets = pd.read_excel(path, sheet_name=None, header=None, dtype=str, na_filter=False, **kind)
    except InputError:
        raise
    except Exception as error:
        # The parsers raise a dozen kinds of errors on damaged files; what a reader can do is the same.
        raise InputError(_explain_unreadable(path, error)) from None
    # what Excel could not work out has lost its text by now
    return {str(name): _stripped(cells.fillna("#N/A")) for name, cells in sheets.items()}


def _stripped(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells as text without blanks around them."""
    return cells.astype(str).apply(lambda column: column.str.strip())


def _read_csv(path: Path) -> pd.DataFrame:
    """The cells of an exported sheet, parted by commas, semicolons or tabs, as stripped text."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        delimiter = max(",;\t", key=text.count)
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except OSError as error:
        raise InputError(f"Cannot open the sheet {shown(path)}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(f"The sheet {shown(path)} is not in UTF-8: export it again as CSV UTF-8.") from None
    except csv.Error as error:
        raise InputError(
            f"The sheet {shown(path)} is no CSV ({error}): save a copy of it as .xlsx."
        ) from None
    if (columns := max(map(len, lines), default=0)) > MOST_COLUMNS:
        raise InputError(
            f"The sheet {shown(path)} has {columns} columns, more than any annotation: correct it."
        )
    return _stripped(pd.DataFrame(lines, dtype=str).fillna(""))


def _quiet(path: Path) -> dict[str, Any]:
    """What keeps the reader of old workbooks from printing what it thinks of them."""
    with path.open("rb") as file:
        old = file.read(len(_COMPOUND_FILE)) == _COMPOUND_FILE
    return {"logfile": io.StringIO()} if old else {}


def _explain_unreadable(path: Path, error: Exception) -> str:
    try:
        content = path.read_bytes()
    except OSError as problem:
        return f"Cannot open the sheet {shown(path)}: {problem.strerror}."
    if content.startswith(_COMPOUND_FILE) and (_ENCRYPTED in content or "encrypted" in str(error).lower()):
        return f"The sheet {shown(path)} is protected by a password: save a copy without one and use that."
    if isinstance(error, ImportError):
        return f"The sheet {shown(path)} is of another program than Excel: save a copy of it as .xlsx."
    if content.strip() and b"\0" not in content:
        return f"The sheet {shown(path)} is plain text, not an Excel workbook: save a copy of it as .xlsx."
    return f"The sheet {shown(path)} is damaged or no Excel workbook: restore it."


def _plain(header: str) -> str:
    """A header without case, blanks, underscores and hyphens."""
    return re.sub(r"[\s_\-]", "", header).lower()


def _find_header(cells: pd.DataFrame) -> tuple[int, dict[str, int]]:
    """The row (from 0) with most of the known headers, and where it has them: field -> column."""
    best: tuple[int, dict[str, int]] = (0, {})
    for row in range(min(len(cells), _LAST_HEADER_ROW)):
        headers = [_plain(text) for text in cells.iloc[row]]
        columns = {
            field: headers.index(next(name for name in names if name in headers))
            for field, names in COLUMNS.items()
            if set(names) & set(headers)
        }
        if len(columns) > len(best[1]):
            best = (row, columns)
    return best


def _refuse_repeated(path: Path, worksheet: str, headers: list[str], columns: dict[str, int]) -> None:
    """Refuse two columns under one header, as either may be the one that is meant."""
    plain = [_plain(text) for text in headers]
    repeated = [headers[place] for place in columns.values() if plain.count(plain[place]) > 1]
    if repeated:
        raise InputError(
            f"{shown(path)}, worksheet {worksheet}, has more than one column {', '.join(repeated)}: "
            "delete or rename all but the one that is meant."
        )


def _missing(columns: dict[str, int]) -> list[str]:
    return [HEADERS[field] for field in COLUMNS if field not in columns and field != "action_units"]


def _explain_missing(
    path: Path, sheets: dict[str, pd.DataFrame], headers: dict[str, tuple[int, dict[str, int]]]
) -> str:
    """The worksheet that comes nearest, what it lacks and what it has."""
    name = max(headers, key=lambda name: len(headers[name][1]))
    row, columns = headers[name]
    if not columns:
        wanted, names = ", ".join(HEADERS.values()), ", ".join(sheets)
        return f"{shown(path)} has no row with the headers {wanted} in its worksheets ({names})."
    found = ", ".join(text for text in sheets[name].iloc[row] if text)
    return (
        f"{shown(path)}, worksheet {name}, lacks the columns {', '.join(_missing(columns))}; "
        f"the headers in its row {row + 1} are: {found}."
    )


def whole_number(text: str) -> int | None:
    """The frame number a cell spells ("46", "46.0"), or None; none is larger than ``LARGEST_NUMBER``."""
    number = float(text) if re.fullmatch(r"[0-9]+(\.0*)?", text) else LARGEST_NUMBER + 1.0
    return int(number) if number <= LARGEST_NUMBER else None


def number_problem(text: str) -> str:
    """What is wrong with a cell that is no frame number, or ""."""
    if whole_number(text) is not None:
        return ""
    if re.fullmatch(r"-[0-9]+(\.0*)?", text):
        return f"'{text}' is negative"
    if re.fullmatch(r"[0-9]+(\.0*)?", text):
        return f"'{text[:30]}' is larger than any frame number ({LARGEST_NUMBER})"
    return f"'{text}' is not a whole number"
