"""Cells that a reader copies from the paper: shown under their own kind, never against the paper's words."""

import dataclasses
from pathlib import Path

import matplotlib as mpl
import pytest

from dianet_utils import paper, tables
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError
from dianet_utils.tables import published_cells, summary
from dianet_utils.tables.readable_text import cell_text

mpl.use("Agg")
TABLES = {1: paper.TABLE_1, 2: paper.TABLE_2, 3: paper.TABLE_3, 4: paper.TABLE_4}
GOOD = """table,row,dataset,accuracy
1, orIginet ,mmew,50.35

1,LEARNet,casme2,58.75
4,DI-Offset,casme2,62.5%
3,Simple attention block,casme2,66.42
"""


def write(folder: Path, text: str) -> Path:
    place = folder / published_cells.NAME
    place.write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "DATA", tmp_path)
    return tmp_path


def test_without_a_file_the_tables_are_those_of_the_package(data: Path) -> None:
    for number, rows in TABLES.items():
        assert tuple(tables.published_rows(number).values()) == rows


def test_filled_cells_say_who_filled_them_and_what_stood_there(data: Path) -> None:
    write(data, GOOD)
    first = tables.published_rows(1)
    assert (first["OrigiNet"].mmew.value, first["OrigiNet"].mmew.kind) == (50.35, "reader")
    assert first["OrigiNet"].mmew.note.startswith("before: below 64.24")
    assert first["LEARNet"].casme2.value == 58.75
    assert "58.78 derived, 70.00 - 11.22" in first["LEARNet"].casme2.note
    assert tables.published_rows(4)["DI-Offset"].casme2.value == 62.5
    changed = {
        (number, row.name, name)
        for number, rows in TABLES.items()
        for row in rows
        for name in paper.DATASETS
        if getattr(tables.published_rows(number)[row.name], name) != getattr(row, name)
    }
    assert changed == {(1, "OrigiNet", "mmew"), (1, "LEARNet", "casme2"), (4, "DI-Offset", "casme2")}


def test_a_printed_cell_stays_printed_when_the_reader_confirms_it(data: Path) -> None:
    write(data, GOOD)
    assert tables.published_rows(3)["Simple attention block"].casme2.kind == "printed"


def test_everything_that_is_wrong_is_one_error_with_the_lines(data: Path) -> None:
    write(
        data,
        """table,row,dataset,accuracy
5,DIANet,samm,50
2,MobileVit2,samm,50

2,MobileViT,sam,50
2,MobileViT,samm,high
2,MobileViT,samm,nan
3,Cross attention fusion block,samm,70.00
4,DI-Offset,mmew,48.00
2,ConvNeXt,samm,68.95
2,ConvNeXt,mmew,60
2,convnext,MMEW,60
""",
    )
    with pytest.raises(InputError) as caught:
        tables.published_rows(1)
    told = str(caught.value)
    printed = "Cross attention fusion block on SAMM in Table 3, where the paper prints 68.89"
    for part in (
        "line 2 has table '5', which is none of 1 to 4",
        "line 3 has row 'MobileVit2', which Table 2 does not have (did you mean 'MobileViT'?)",
        "line 5 has dataset 'sam', which is none of casme2, samm, mmew",
        "line 6 has accuracy 'high', which is no percentage from 0 to 100",
        "line 7 has accuracy 'nan'",
        f"line 8 gives 70.00 for {printed}",
        "line 9 gives 48.00 for DI-Offset on MMEW in Table 4, which must lie between 48.96 and 64.24",
        "line 10 gives 68.95 for ConvNeXt on SAMM in Table 2, which must lie below 68.89",
        "line 12 gives a cell for the second time",
    ):
        assert part in told
    assert "line 11" not in told
    assert told.count(published_cells.NAME) == 1


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has the columns table, value but needs table, row, dataset"):
        tables.published_rows(1, write(tmp_path, "table,value\n1,2\n"))
    with pytest.raises(InputError, match="cannot be read as CSV"):
        tables.published_rows(1, tmp_path / "none.csv")


def test_a_table_shows_them_as_filled_by_the_reader(data: Path) -> None:
    write(data, "table,row,dataset,accuracy\n2,MobileViT,samm,60\n")
    rows = {row.key: row for row in tables.TABLES[2].rows}
    filled = tables.published_rows(2)
    cells = summary._cells(rows["mobilevit_s"], filled)
    assert cell_text(cells["samm"], cells["samm_lower"], cells["samm_kind"]) == "60.00 filled by the reader"
    absent = summary._cells(dataclasses.replace(rows["mobilevit_s"], published=None), filled)
    assert absent["samm_kind"] == "not in the paper"
