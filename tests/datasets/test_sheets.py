"""Where the sheet of a copy may lie and what it may be; each advice of an error, followed, loads clips."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from released import HEADERS, row, write_book, write_casme2, write_frames

from dianet_utils import datasets
from dianet_utils.datasets.own_files import read_table
from dianet_utils.datasets.sheets import open_workbook
from dianet_utils.plumbing.errors import InputError

SHEET = "CASME2-coding-20140508.xlsx"
LINES = [row("01", "EP01_01f"), row("02", "EP02_01f", emotion="disgust")]
FILES = {"sub01/EP01_01f": range(4, 10), "sub02/EP02_01f": range(4, 10)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return write_casme2(tmp_path / "copy", LINES, FILES)


def plain(clips: pd.DataFrame) -> pd.DataFrame:
    return clips.drop(columns="frames").reset_index()


def refused(root: Path, sheet: Path | None = None) -> str:
    with pytest.raises(InputError) as error:
        datasets.load("casme2", root, sheet)
    return str(error.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_exported_sheet_is_read_as_the_workbook(delimiter: str, encoding: str, copy: Path) -> None:
    """With rows above the headers, as SAMM has them, and as Excel writes them: all of one length."""
    before = datasets.load("casme2", copy)
    (copy / SHEET).unlink()
    table = [["notes, of the owners"] + [None] * (len(HEADERS) - 1), HEADERS, *LINES]
    exported = copy / "CASME2-coding-20140508.csv"
    pd.DataFrame(table).to_csv(exported, sep=delimiter, encoding=encoding, index=False, header=False)
    pd.testing.assert_frame_equal(plain(datasets.load("casme2", copy)), plain(before))


def test_a_workbook_and_its_export_side_by_side_are_named(copy: Path) -> None:
    pd.DataFrame([HEADERS, *LINES]).to_csv(copy / "CASME2-coding-20140508.csv", index=False, header=False)
    message = refused(copy)
    assert SHEET in message
    assert "CASME2-coding-20140508.csv" in message
    assert len(datasets.load("casme2", copy, copy / SHEET)) == 2


def test_an_export_in_another_encoding_is_named(copy: Path) -> None:
    (copy / SHEET).unlink()
    (copy / "CASME2-coding.csv").write_bytes("Subject,Filename\nN\xe9,1\n".encode("latin-1"))
    assert "is not in UTF-8: export it again" in refused(copy)


def test_two_copies_side_by_side_keep_their_sheets(copy: Path, tmp_path: Path) -> None:
    """The second has lost its sheet: that of the first is not taken for it."""
    second = write_frames(tmp_path / "second" / "Cropped" / "sub01" / "EP01_01f").parents[2]
    message = refused(second)
    assert "belongs to the frames beside it: give as sheet the one you mean" in message
    assert len(datasets.load("casme2", second, copy / SHEET)) == 2


def test_a_sheet_outside_the_root_is_said(copy: Path) -> None:
    (copy / "annotation").mkdir()
    (copy / SHEET).rename(copy / "annotation" / SHEET)
    clips = datasets.load("casme2", copy / "Cropped")
    assert [note for note in clips.attrs["notes"] if "the sheet lies outside" in note]
    inside = datasets.load("casme2", copy)
    assert not [note for note in inside.attrs["notes"] if "lies outside" in note]


def test_a_sheet_deep_inside_or_on_another_drive(copy: Path, tmp_path: Path) -> None:
    deep = copy / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (copy / SHEET).rename(deep / SHEET)
    assert len(datasets.load("casme2", copy)) == 2
    far = tmp_path / "drive" / "x" / "y" / "mine.xlsx"
    far.parent.mkdir(parents=True)
    (deep / SHEET).rename(far)
    assert "give its path as sheet" in refused(copy)
    assert len(datasets.load("casme2", copy, far)) == 2
    assert "nowhere.xlsx does not exist: correct sheet" in refused(copy, tmp_path / "nowhere.xlsx")


def test_a_workbook_of_another_name_is_named(copy: Path) -> None:
    (copy / SHEET).rename(copy / "labels.xlsx")
    write_book(copy / "~$labels.xlsx", [HEADERS])
    assert "It holds labels.xlsx: if that is the sheet, give its path as sheet." in refused(copy)
    assert len(datasets.load("casme2", copy, copy / "labels.xlsx")) == 2


def test_what_macos_packs_beside_the_files_is_no_part_of_a_copy(copy: Path) -> None:
    """A shadow of every folder, with files of another kind under the names of the frames."""
    before = datasets.load("casme2", copy)
    for clip, numbers in FILES.items():
        for folder in (copy / "__MACOSX" / "Cropped" / clip, copy / "Cropped" / clip):
            folder.mkdir(parents=True, exist_ok=True)
            for number in numbers:
                (folder / f"._reg_img{number}.jpg").write_bytes(b"\0\5\26\7")
    write_book(copy / "__MACOSX" / SHEET, [HEADERS])
    pd.testing.assert_frame_equal(datasets.load("casme2", copy), before)
    assert "error" not in set(datasets.health(before)["severity"])


# --- cells far away ----------------------------------------------------------------------------------


def rewrite(path: Path, old: str, new: str) -> Path:
    """Change the text of the first worksheet inside a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    text = parts[name].decode()
    assert old in text
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in (parts | {name: text.replace(old, new, 1).encode()}).items():
            archive.writestr(part, content)
    return path


READ = """
import resource, sys, time
from pathlib import Path
from dianet_utils import datasets
from dianet_utils.datasets.own_files import read_table
from dianet_utils.plumbing.errors import InputError
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 200 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
try:
    print(len(datasets.load("casme2", Path(sys.argv[1]).parent)), len(read_table(Path(sys.argv[1]))[0]))
except InputError as error:
    print(error)
"""


def within_200_mb(sheet: Path) -> str:
    """What reading a copy's sheet, and the same as a table of one's own, prints within 200 MB and 20 s."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(sheet)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


VALUE = '<row r="{row}"><c r="{column}{row}"><v>1</v></c></row></sheetData>'
FAR = {
    "row": (VALUE.format(row=999_999_999, column="A"), "A999999999"),
    "last row of Excel": (VALUE.format(row=1_048_576, column="B"), "B1048576"),
    "last column of Excel": (VALUE.format(row=4, column="XFD"), "XFD4"),
    "both": (VALUE.format(row=1_048_576, column="XFD"), "XFD1048576"),
    "a text": ('<row r="5e8"><c t="inlineStr"><is><t>x</t></is></c></row></sheetData>', "A500000000"),
    "many cells between": (VALUE.format(row=90_000, column="ALL"), "ALL90000"),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory")
@pytest.mark.parametrize("case", FAR)
def test_a_value_far_away_is_named_before_the_space_between_is_filled(case: str, copy: Path) -> None:
    stray, cell = FAR[case]
    told = within_200_mb(rewrite(copy / SHEET, "</sheetData>", stray))
    assert f"{SHEET} has something in cell {cell}, far away" in told
    assert "\n" not in told


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory")
@pytest.mark.parametrize(
    "space",
    [
        '<row r="999999999"/>',
        '<row r="1048576" spans="1:3"><c r="A1048576" s="0"/><c r="XFD1048576" s="0"/></row>',
        '<row r="4"><c r="ZZ4" s="0"/><c r="XFD4" s="0"><v></v></c></row>',
    ],
)
def test_formatted_cells_without_a_value_do_not_count(space: str, copy: Path) -> None:
    assert within_200_mb(rewrite(copy / SHEET, "</sheetData>", f"{space}</sheetData>")) == "2 2"


def test_a_column_of_notes_at_zz_is_read(copy: Path) -> None:
    stray = '<row r="9"><c r="ZZ9" t="inlineStr"><is><t>a note</t></is></c></row></sheetData>'
    cells = open_workbook(rewrite(copy / SHEET, "</sheetData>", stray))["Sheet1"]
    assert cells.shape == (9, 702)
    assert cells.iloc[8, 701] == "a note"


@pytest.mark.parametrize("columns", [1_001, 20_000])
def test_a_text_of_a_thousand_columns_is_refused_at_once(columns: int, copy: Path) -> None:
    """Such a table takes a minute to build."""
    (copy / SHEET).unlink()
    wide = copy / "CASME2-coding.csv"
    wide.write_text("Subject" + "," * (columns - 1) + "\n")
    assert f"CASME2-coding.csv has {columns} columns, more than any annotation" in refused(copy)
    with pytest.raises(InputError, match=f"has {columns} columns, more than any table of clips"):
        read_table(wide)


def test_damage_to_a_part_that_is_not_read_does_not_matter(copy: Path) -> None:
    with zipfile.ZipFile(copy / SHEET, "a") as archive:
        archive.writestr("customXml/item1.xml", "<no end")
    assert len(datasets.load("casme2", copy)) == 2


def test_a_cell_that_excel_could_not_work_out_is_told_as_any_other(tmp_path: Path) -> None:
    lines = [row("01", "EP01_01f", onset="#N/A"), LINES[1]]
    clips = datasets.load("casme2", write_casme2(tmp_path / "copy", lines, FILES))
    kept, left_out = datasets.select(clips, min_class_size=1)
    assert len(kept) == 1
    assert "'#N/A' is not a whole number" in left_out["reason"].iloc[0]


def test_a_path_that_can_be_none_is_named(copy: Path) -> None:
    assert "There can be no file or folder 'a\\x00b': correct sheet." in refused(copy, Path("a\0b"))


def test_a_workbook_that_unpacks_to_far_more_is_named(copy: Path) -> None:
    with zipfile.ZipFile(copy / SHEET, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.bin", bytes(201 * 2**20))
    assert f"{SHEET} unpacks to 201 MB, far more than an annotation" in refused(copy)
