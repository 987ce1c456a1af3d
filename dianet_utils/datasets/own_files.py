"""Reading a table from a file of the user's own; what cannot be read is one sentence."""

import csv
from pathlib import Path

import pandas as pd

from dianet_utils.datasets.sheet_extent import MOST_COLUMNS
from dianet_utils.datasets.sheets import open_workbook
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

_SEPARATORS = ",;\t"


def read_table(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """The rows of a .csv, .xlsx or .parquet file, and the number of each as its program shows it.

    Rows without a cell are passed over. Raises InputError.
    """
    if not path.is_file():
        raise InputError(f"There is no file {shown(path)}: correct the path of your table.")
    readers = {".csv": _read_csv, ".xlsx": _read_workbook, ".parquet": _read_parquet}
    frame = readers[path.suffix.lower()](path)
    filled = (frame.notna() & (frame != "")).any(axis=1)
    return frame[filled], [int(number) for number in frame.index[filled]]


def _read_csv(path: Path) -> pd.DataFrame:
    """Every cell as text; columns are parted by what the first line has most of: comma, semicolon or tab."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        separator = max(_SEPARATORS, key=first.count)
        if (columns := first.count(separator) + 1) > MOST_COLUMNS:
            raise InputError(
                f"{shown(path)} has {columns} columns, more than any table of clips: correct its first row."
            )
        if not text.strip():
            raise InputError(f"{shown(path)} is empty: put the table of clips there.")
        _refuse_repeated(path, next(csv.reader([first], delimiter=separator)))
        options = {"sep": separator, "dtype": str, "keep_default_na": False, "skip_blank_lines": False}
        frame = pd.read_csv(path, encoding="utf-8-sig", **options)  # type: ignore[call-overload]
        if not isinstance(frame.index, pd.RangeIndex):  # rows longer than the header: pandas takes an index
            raise ValueError
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"Cannot open {shown(path)}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(
            f"{shown(path)} is not text in UTF-8: save it as 'CSV UTF-8' and use that."
        ) from None
    except ValueError:  # what pandas raises for rows of unlike lengths and for an empty file
        raise InputError(
            f"{shown(path)} is no table: each row must have as many cells as the first, which names the "
            "columns, with a comma, a semicolon or a tab between them."
        ) from None
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame.fillna("")


def _refuse_repeated(path: Path, columns: list[str]) -> None:
    """InputError for two columns of one name, of which pandas would call the second another."""
    names = [column.strip().lower() for column in columns]
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise InputError(f"{shown(path)} has more than one column {', '.join(repeated)}: keep one of them.")


def _read_workbook(path: Path) -> pd.DataFrame:
    """The first worksheet, every cell as text; its first row that is not blank names the columns."""
    cells = next(iter(open_workbook(path).values()))
    cells = cells[(cells != "").any(axis=1)]
    if cells.empty:
        raise InputError(f"The first worksheet of {shown(path)} is empty: put the table of clips there.")
    frame = cells.iloc[1:].set_axis(cells.iloc[0].tolist(), axis=1)
    return frame.loc[:, frame.columns != ""].set_axis(cells.index[1:] + 1)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise InputError(
            f"Reading {shown(path)} needs pyarrow, which is not installed: run 'pip install pyarrow', or "
            "save the table as .csv or .xlsx."
        ) from None
    except (OSError, ValueError):
        raise InputError(f"{shown(path)} is damaged or no Parquet file: save the table anew.") from None
    if frame.index.name in ("clip", "filename"):
        frame = frame.reset_index()
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1))
