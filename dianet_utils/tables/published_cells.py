"""The paper's tables with the cells that a reader filled in.

The text that this project had of the paper had lost its tables. The paper is open access (arXiv 2510.12219):
a reader copies cells from it into a CSV file, ``data/published_cells.csv``, and every table shows them.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils import paper
from dianet_utils.config.checks import near_match
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError

NAME = "published_cells.csv"  # in the folder of the data
COLUMNS = ("table", "row", "dataset", "accuracy")
_PUBLISHED = {1: paper.TABLE_1, 2: paper.TABLE_2, 3: paper.TABLE_3, 4: paper.TABLE_4}
_Place = tuple[int, str, str]  # table, row, dataset


def published_rows(number: int, path: str | Path | None = None) -> dict[str, paper.Row]:
    r"""The rows of one of the paper's tables, with the cells that the reader filled in.

    A filled cell has the kind ``reader``. It takes the place of a cell that is bounded, derived, from another
    source or unknown, and its note tells what stood there. A printed cell stays as it is.

    Args:
        number: The number of the table, 1 to 4.
        path: A CSV file with the columns table (1 to 4), row (as in :mod:`dianet_utils.paper`), dataset
            (casme2, samm or mmew) and accuracy (percent, 0 to 100); None for ``data/published_cells.csv``,
            which need not be there.

    Returns:
        The rows by name, in the order of the paper.

    Raises:
        InputError: Once, for every line of the file that cannot be used, or that contradicts a printed cell
            or a bound.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from dianet_utils import tables
        >>> with TemporaryDirectory() as folder:
        ...     place = Path(folder, "published_cells.csv")
        ...     _ = place.write_text("table,row,dataset,accuracy\n2,MobileViT,samm,60\n")
        ...     cell = tables.published_rows(2, place)["MobileViT"].samm
        >>> cell.value, cell.kind
        (60.0, 'reader')
    """
    filled = {row.name: row for row in _PUBLISHED[number]}
    for (table, name, dataset), cell in _cells(path).items():
        if table == number:
            change: dict[str, Any] = {dataset: cell}
            filled[name] = replace(filled[name], **change)
    return filled


def _cells(path: str | Path | None) -> dict[_Place, paper.Cell]:
    """The cells of the reader's file; none where there is no file. Raises InputError listing all problems."""
    place = files.DATA / NAME if path is None else Path(path)
    if path is None and not place.is_file():
        return {}
    cells: dict[_Place, paper.Cell] = {}
    problems = []
    for line, given in _read(place):
        try:
            where, value = _where(*given[:3]), _percent(given[3])
            if where in cells:
                raise ValueError("gives a cell for the second time")
            cells[where] = _filled(where, value)
        except ValueError as error:
            problems.append(f"line {line} {error}")
    if problems:
        raise InputError(f"{files.shown(place)} cannot be used: {'; '.join(problems)}.")
    return cells


def _read(path: Path) -> Iterable[tuple[int, list[str]]]:
    """The lines that are not blank, each with its number in the file and its four texts."""
    try:
        rows = pd.read_csv(
            path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{files.shown(path)} cannot be read as CSV: {error}.") from None
    rows.columns = rows.columns.str.strip().str.lower()
    if set(COLUMNS) - set(rows.columns):
        had = ", ".join(rows.columns)
        raise InputError(f"{files.shown(path)} has the columns {had} but needs {', '.join(COLUMNS)}.")
    texts = rows[list(COLUMNS)].fillna("").apply(lambda column: column.str.strip())
    return [(line, row) for line, row in enumerate(texts.to_numpy().tolist(), 2) if any(row)]


def _where(table: str, row: str, dataset: str) -> _Place:
    """Which cell a line names; raises ValueError saying what is wrong with it."""
    if table not in map(str, _PUBLISHED):
        raise ValueError(f"has table '{table}', which is none of 1 to 4")
    names = {each.name.lower(): each.name for each in _PUBLISHED[int(table)]}
    if row.lower() not in names:
        near = near_match(row, names.values())
        raise ValueError(f"has row '{row}', which Table {table} does not have{near}")
    if dataset.lower() not in paper.DATASETS:
        raise ValueError(f"has dataset '{dataset}', which is none of {', '.join(paper.DATASETS)}")
    return int(table), names[row.lower()], dataset.lower()


def _percent(text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise ValueError(f"has accuracy '{text}', which is no percentage from 0 to 100")
    return value


def _filled(where: _Place, value: float) -> paper.Cell:
    """The cell with the reader's value; raises ValueError where the paper's prose says otherwise."""
    table, name, dataset = where
    rows = {row.name: row for row in _PUBLISHED[table]}
    cell: paper.Cell = getattr(rows[name], dataset)
    told = f"gives {value:.2f} for {name} on {paper.TITLES[dataset]} in Table {table}"
    if cell.kind == "printed":
        if round(value, 2) != cell.value:
            raise ValueError(f"{told}, where the paper prints {cell.value:.2f}")
        return cell
    if cell.kind == "bound" and not (cell.lower or 0.0) <= value <= (cell.value or 100.0):
        raise ValueError(f"{told}, which must lie {cell.note}")
    known = "" if cell.value is None or cell.kind == "bound" else f"{cell.value:.2f} {cell.kind}, "
    return paper.Cell(value, "reader", f"before: {known}{cell.note}" if cell.note else "")
