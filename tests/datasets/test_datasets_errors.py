"""What a loader says about a copy it cannot read: a sentence for a person, never a library's traceback."""

import re
from pathlib import Path

import pandas as pd
import pytest
from released import HEADERS, PROTECTED, row, write_book, write_casme2, write_frames

from dianet_utils import datasets
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.releases.official import main

SHEET = "CASME2-coding-20140508.xlsx"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of one clip."""
    return write_casme2(tmp_path / "copy", [row("01", "EP01_01f")], {"sub01/EP01_01f": range(4, 10)})


def sentence(name: str, root: object = None) -> str:
    """The message of the InputError, which must be one sentence on one line without a library's words."""
    with pytest.raises(InputError) as caught:
        datasets.load(name, root)  # type: ignore[arg-type]
    message = str(caught.value)
    assert caught.value.__cause__ is None
    assert "\n" not in message
    assert message.endswith(".")
    assert not re.search(r"Error|Exception|openpyxl|xlrd|pandas|zip", message)
    return message


def test_a_good_copy_loads(copy: Path) -> None:
    assert len(datasets.load("casme2", copy)) == 1


def test_unknown_names_get_the_nearest_one() -> None:
    assert "no dataset 'CASME-2' (did you mean 'casme2'?)" in sentence("CASME-2")
    assert "synthetic, casme2, samm, mmew" in sentence("4dme")


@pytest.mark.parametrize("name", ["casme2", "samm", "mmew"])
def test_a_licensed_dataset_needs_the_users_copy(name: str) -> None:
    message = sentence(name)
    assert "is licensed" in message
    assert "data_root" in message


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    message = sentence("samm", tmp_path / "nowhere")
    assert "SAMM" in message
    assert "nowhere, does not exist" in message


def test_no_sheet_and_no_frames_are_told_together(tmp_path: Path) -> None:
    empty = tmp_path / "a" / "b" / "empty"
    empty.mkdir(parents=True)
    with pytest.raises(InputError) as caught:
        datasets.load("mmew", empty)
    sheet, frames = str(caught.value).splitlines()
    assert "No annotation sheet of MMEW" in sheet
    assert "No frames of MMEW (such as Micro_Expression/happiness/S03-01-002/1.jpg)" in frames


def test_no_frames(copy: Path) -> None:
    (copy / "Cropped").rename(copy / ".hidden")
    assert "No frames of CASME-II (such as Cropped/sub01/EP02_01f/reg_img46.jpg)" in sentence("casme2", copy)


def test_columns_that_are_missing(copy: Path) -> None:
    headers = ["Subject", "Filename", None, "Onset", "Apex?", None, None, "Action Units", "Feeling"]
    write_book(copy / SHEET, [headers, row("01", "EP01_01f")])
    message = sentence("casme2", copy)
    assert (
        f"{SHEET}, worksheet Sheet1, lacks the columns ApexFrame, OffsetFrame, Estimated Emotion" in message
    )
    assert "row 1 are: Subject, Filename, Onset, Apex?, Action Units, Feeling" in message


def test_no_headers_and_no_rows(copy: Path) -> None:
    write_book(copy / SHEET, [[1, 2, 3]], "Tabelle1")
    assert "has no row with the headers Subject, Filename" in sentence("casme2", copy)
    write_book(copy / SHEET, [HEADERS])
    assert "no row with a subject and a filename" in sentence("casme2", copy)


def test_several_worksheets_with_annotations(copy: Path) -> None:
    rows = pd.DataFrame([row("01", "EP01_01f")], columns=list(HEADERS))
    with pd.ExcelWriter(copy / SHEET) as book:
        for name in ("old", "new"):
            rows.to_excel(book, sheet_name=name, index=False)
    assert "several worksheets with annotations, old, new" in sentence("casme2", copy)
    with pd.ExcelWriter(copy / SHEET) as book:
        for name in ("old", "sheet 1"):
            rows.to_excel(book, sheet_name=name, index=False)
    assert len(datasets.load("casme2", copy)) == 1


def test_several_sheets_are_listed_and_one_can_be_named(copy: Path) -> None:
    other = write_book(
        copy / "more" / "CASME2-coding-20190701.xlsx", [HEADERS, row("01", "EP01_01f", apex=7)]
    )
    write_book(copy / "~$CASME2-coding-20140508.xlsx", [HEADERS])
    message = sentence("casme2", copy)
    assert SHEET in message
    assert other.name in message
    assert "Give the one you mean as sheet" in message
    assert datasets.load("casme2", copy, other)["apex"].item() == 7
    assert datasets.load("casme2", other)["apex"].item() == 7
    assert datasets.load("casme2", copy / SHEET)["apex"].item() == 6


def test_several_folders_of_the_same_frames(copy: Path) -> None:
    second = copy / "Cropped-updated" / "Cropped"
    write_frames(second / "sub01" / "EP01_01f", range(4, 9))
    message = sentence("casme2", copy)
    assert "Several folders hold frames of CASME-II (Cropped)" in message
    assert "Cropped-updated/Cropped" in message
    assert datasets.load("casme2", second)["missing_frames"].item() == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (PROTECTED, "is protected by a password"),
        (b"", "is damaged or no Excel workbook"),
        (b"Subject,Filename\n", "is plain text, not an Excel workbook"),
        (None, "is damaged or no Excel workbook"),
    ],
    ids=["password", "empty", "text", "truncated"],
)
def test_workbooks_that_do_not_open(content: bytes | None, told: str, copy: Path) -> None:
    whole = (copy / SHEET).read_bytes()
    (copy / SHEET).write_bytes(whole[: len(whole) // 2] if content is None else content)
    message = sentence("casme2", copy)
    assert SHEET in message
    assert told in message


def test_a_damaged_old_workbook(copy: Path) -> None:
    (copy / SHEET).unlink()
    (copy / "CASME2_label_Ver_2.xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    assert "CASME2_label_Ver_2.xls is damaged" in sentence("casme2", copy)


def test_loading_that_fails_is_a_report_as_well(tmp_path: Path) -> None:
    clips, report = datasets.inspect("casme2", tmp_path / "nowhere")
    assert clips is None
    assert report["severity"].tolist() == ["error"]
    assert "does not exist" in report["problem"].item()


def test_the_command_line_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sam", str(tmp_path / "new")])
    assert ended.value.code == 2
    assert "did you mean 'samm'" in capsys.readouterr().err
    arguments = ["--subjects", "1", "--clips-per-emotion", "1", "--size", "48", "--variant", "by subject"]
    main(["mmew", str(tmp_path / "new"), *arguments])
    assert "SYNTHETIC clips in the layout of MMEW, no licensed data" in capsys.readouterr().out
    assert "SYNTHETIC" in (tmp_path / "new" / "SYNTHETIC.txt").read_text()


def test_a_sheet_may_lie_beside_the_frames_but_not_in_a_strangers_folder(copy: Path, tmp_path: Path) -> None:
    """Frames alone find the sheet of their own copy, one or two levels up."""
    assert len(datasets.load("casme2", copy / "Cropped")) == 1
    alone = write_frames(tmp_path / "elsewhere" / "x" / "Cropped" / "sub01" / "EP01_01f").parents[1]
    assert "No annotation sheet of CASME-II" in sentence("casme2", alone)
