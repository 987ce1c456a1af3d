"""Bad input, case by case: what is told names the file, the row or the parameter, and the way out.

A case spoils a good copy of CASME-II in one way. Everything that a user is shown about it is put together
(the error, the reasons of the clips left out, the notes, the health report, what the bank prints), and must
hold the case's words. Where the copy loads, every row of its sheet is in the table, used or with a reason.
"""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl
import pytest
from openpyxl import Workbook
from PIL import Image
from released import HEADERS, JPEG, PROTECTED, row, write_book, write_casme2

from dianet_utils import datasets, run
from dianet_utils.config import configure
from dianet_utils.datasets.frames import read_frame
from dianet_utils.dynamic_images import bank, build_bank, clip
from dianet_utils.plumbing.errors import InputError

SHEET = "CASME2-coding-20140508.xlsx"
CLIPS = [("01", "EP01_01f"), ("01", "EP02_01"), ("02", "EP01_01f"), ("03", "EP05_02")]
Spoil = Callable[[Path], Any]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A good copy of four clips."""
    rows = [row(subject, name) for subject, name in CLIPS]
    return write_casme2(tmp_path / "copy", rows, {f"sub{s}/{name}": range(4, 10) for s, name in CLIPS})


def told(root: Path | str, capsys: pytest.CaptureFixture[str]) -> str:
    """All that a user is told on the way from a copy to its dynamic images."""
    try:
        clips = datasets.load("casme2", root)
        report = datasets.health(clips, decode=True)
        lines = [" ".join(map(str, finding)) for finding in report.itertuples(index=False)]
        kept, left_out = datasets.select(clips, min_class_size=1)
        assert sorted([*kept.index, *left_out.index]) == sorted(clips.index)
        assert (left_out["reason"] != "").all()
        lines += [f"{clip}: {reason}" for clip, reason in left_out["reason"].items()]
        build_bank(kept, size=8, cache=Path(root).parent / "cache", workers=1)
    except InputError as error:
        lines = [*locals().get("lines", []), str(error)]
    return "\n".join([*lines, capsys.readouterr().out])


def check(root: Path | str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(root, capsys)
    missing = [part for part in words.split(" | ") if part not in text]
    assert not missing, text
    assert "Traceback" not in text


def test_a_good_copy_has_nothing_to_tell(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(copy, capsys)
    assert "error" not in text
    assert "warning" not in text


# --- sheets ----------------------------------------------------------------------------------------


def cell(at: str, value: object) -> Spoil:
    """Put a value into a cell: rows from 2, columns A subject, B filename, D E F frames, I emotion."""

    def spoil(root: Path) -> None:
        book = openpyxl.load_workbook(root / SHEET)
        book.active[at] = value
        book.save(root / SHEET)

    return spoil


def book(change: Callable[[Workbook], object]) -> Spoil:
    def spoil(root: Path) -> None:
        opened = openpyxl.load_workbook(root / SHEET)
        change(opened)
        opened.save(root / SHEET)

    return spoil


def raw(content: bytes | Callable[[bytes], bytes], name: str = SHEET) -> Spoil:
    def spoil(root: Path) -> None:
        before = (root / SHEET).read_bytes()
        (root / SHEET).unlink()
        (root / name).write_bytes(content if isinstance(content, bytes) else content(before))

    return spoil


def sheet(*headers: object) -> Spoil:
    return lambda root: write_book(root / SHEET, [headers, row("01", "EP01_01f")])


def add_rows(*rows: list) -> Spoil:
    return book(lambda opened: [opened.active.append(cells) for cells in rows])


SHEETS: dict[str, tuple[Spoil, str]] = {
    "column missing": (book(lambda b: b.active.delete_cols(5)), f"{SHEET} | lacks the columns ApexFrame"),
    "column renamed": (cell("I1", "Feeling"), "lacks the columns Estimated Emotion | are: Subject, Filename"),
    "two columns renamed": (
        sheet("Person", "Clip", None, *HEADERS[3:]),
        "lacks the columns Subject, Filename",
    ),
    "column twice": (cell("C1", "ApexFrame"), f"{SHEET} | more than one column ApexFrame | delete or rename"),
    "only headers": (book(lambda b: b.active.delete_rows(2, 9)), "no row with a subject and a filename"),
    "no headers": (book(lambda b: b.active.delete_rows(1)), "no row with the headers Subject, Filename"),
    "empty sheet": (book(lambda b: b.active.delete_rows(1, 9)), "no row with the headers Subject"),
    "merged subjects": (
        book(lambda b: b.active.merge_cells("A2:A3")),
        "(row 3)/EP02_01 | the subject is blank",
    ),
    "blank filename": (cell("B4", "  "), "02/(row 4) | the filename is blank | unmerge and fill it"),
    "stray remark": (cell("I9", "checked by two coders"), "row 9 of the sheet has no subject"),
    "text for a number": (cell("E2", "six"), "01/EP01_01f: apex 'six' is not a whole number"),
    "slash for a number": (cell("E3", "/"), "01/EP02_01: apex '/' is not a whole number"),
    "half a frame": (cell("D2", 4.5), "01/EP01_01f: onset '4.5' is not a whole number"),
    "date for a frame": (cell("F4", "=DATE(2014,5,8)"), "02/EP01_01f: offset '' is not a whole number"),
    "negative frame": (cell("D2", -4), "01/EP01_01f: onset '-4' is negative"),
    "frame zero": (cell("D5", 0), "03/EP05_02 no file for onset 0 (the folder has 4 .. 9)"),
    "huge frame": (cell("F5", 10**30), "03/EP05_02: offset '1000000000000000019884624838656' is larger"[:40]),
    "large frame": (cell("F5", 9_000_000), "03/EP05_02 | 8999991"),
    "true for a frame": (cell("D3", True), "01/EP02_01: onset 'True' is not a whole number"),
    "order of frames": (cell("E2", 99), "01/EP01_01f: apex 99 lies outside onset 4 .. offset 9"),
    "apex on onset": (cell("E2", 4), "01/EP01_01f: apex 4 equals the onset, so a phase has one frame"),
    "duplicate clip": (add_rows(row("03", "EP05_02")), "rows 5, 6 describe one clip | 03/EP05_02 (row 6)"),
    "duplicate in capitals": (
        add_rows(row("3", "ep05_02")),
        "same folder of frames, EP05_02 | remove or correct",
    ),
    "clip without frames": (add_rows(row("03", "EP09_01")), "03/EP09_01: no folder of frames was found"),
    "unknown emotion": (cell("I2", "hapiness"), "no emotion 'hapiness' (did you mean 'happiness'?)"),
    "blank emotion": (cell("I2", " "), "01/EP01_01f: the emotion is blank"),
    "password": (raw(PROTECTED), f"{SHEET} is protected by a password: save a copy without one"),
    "password, old format": (
        raw(PROTECTED, "CASME2-coding.xls"),
        "CASME2-coding.xls is protected by a password",
    ),
    "truncated": (raw(lambda content: content[: len(content) // 2]), f"{SHEET} is damaged | restore it"),
    "zero bytes": (raw(b""), f"{SHEET} is damaged or no Excel workbook: restore it"),
    "csv called xlsx": (
        raw(b"Subject,Filename\n01,EP01_01f\n"),
        f"{SHEET} is plain text | save a copy of it as",
    ),
    "csv": (
        raw(b"Subject,Filename\n", "CASME2-coding.csv"),
        "CASME2-coding.csv, worksheet CASME2-coding, lacks the columns OnsetFrame",
    ),
    "xls cut short": (raw(PROTECTED[:99], "CASME2-coding.xls"), "CASME2-coding.xls is damaged or no Excel"),
    "another dataset's sheet": (
        lambda root: (root / SHEET).rename(root / "MMEW_Micro_Exp.xlsx"),
        "No annotation sheet of CASME-II | put it there under its released name",
    ),
    "path for a subject": (cell("A2", "../../../etc"), "the subject is no name of a file"),
    "path for a filename": (
        cell("B2", "../../sub02/EP01_01f"),
        "01/../../sub02/EP01_01f: the filename is no name",
    ),
    "endless name": (cell("B2", "E" * 3000), "the filename has 3000 characters, more than 100"),
    "endless subject": (cell("A2", "9" * 5000), "the subject has 5000 characters, more than 100"),
    "device of Windows": (cell("A2", "NUL"), "the subject is a name that Windows keeps for a device"),
}


@pytest.mark.parametrize("case", SHEETS)
def test_sheets(case: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, words = SHEETS[case]
    spoil(copy)
    check(copy, words, capsys)


def test_forms_that_differ_and_mean_the_same(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns in another order, an empty one, blanks and capitals, an .xlsx called .xls."""
    before = datasets.load("casme2", copy)
    headers = ["ESTIMATED EMOTION ", None, "offset_frame", " Filename", "Subject", "apexframe", "Onset Frame"]
    rows = [["  Others", None, 9.0, f" {name} ", subject, "6", " 4"] for subject, name in CLIPS]
    (copy / SHEET).unlink()
    write_book(copy / "x.xlsx", [headers, *rows]).rename(copy / "CASME2-coding.xls")
    after = datasets.load("casme2", copy)
    same = ["subject", "emotion", "onset", "apex", "offset", "frames", "problem"]
    assert after[same].equals(before[same])
    assert "error" not in told(copy, capsys)


def test_many_faults_are_told_at_once(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for case in ("text for a number", "slash for a number", "unknown emotion"):
        SHEETS[case][0](copy)
    FRAMES["zero bytes"][0](copy)
    words = "apex 'six' | apex '/' | did you mean 'happiness'? | reg_img6.jpg is empty"
    check(copy, words, capsys)


# --- frames ----------------------------------------------------------------------------------------

PICTURE = np.random.default_rng(0).integers(0, 255, (12, 10, 3), np.uint8)


def frame(content: bytes, name: str = "reg_img6.jpg") -> Spoil:
    return lambda root: (root / "Cropped/sub02/EP01_01f" / name).write_bytes(content)


def encoded(suffix: str, picture: np.ndarray) -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


def as_cmyk(root: Path) -> None:
    picture = Image.fromarray(PICTURE).convert("CMYK")
    picture.save(root / "Cropped/sub02/EP01_01f/reg_img6.jpg", "JPEG")


def as_gif(root: Path) -> None:
    Image.fromarray(PICTURE).save(root / "Cropped/sub02/EP01_01f/reg_img6.jpg", "GIF")


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes cannot hold."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ]
    chunks = [struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def remove(*names: str) -> Spoil:
    return lambda root: [(root / "Cropped/sub02/EP01_01f" / name).unlink() for name in names]


def link(root: Path, target: str = "reg_img6.jpg") -> None:
    """A frame that is a link to itself."""
    path = root / "Cropped/sub02/EP01_01f/reg_img6.jpg"
    path.unlink()
    path.symlink_to(target)


def folder_for_a_frame(root: Path) -> None:
    """What cannot be opened whoever asks; permissions do not stop an administrator."""
    link(root)
    (root / "Cropped/sub02/EP01_01f/reg_img6.jpg").unlink()
    (root / "Cropped/sub02/EP01_01f/reg_img6.jpg").mkdir()


def forbidden(root: Path) -> None:
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("permissions do not stop this user")
    (root / "Cropped/sub02/EP01_01f/reg_img6.jpg").chmod(0)


WHERE = "sub02/EP01_01f/reg_img6.jpg"
FRAMES: dict[str, tuple[Spoil, str]] = {
    "missing": (remove("reg_img6.jpg"), "02/EP01_01f no file for apex 6 | passed over: 02/EP01_01f (1)"),
    "all missing": (remove(*(f"reg_img{n}.jpg" for n in range(4, 10))), "the folder of frames is empty"),
    "a phase missing": (
        remove("reg_img7.jpg", "reg_img8.jpg", "reg_img9.jpg"),
        "02/EP01_01f: apex 6 .. offset 9 has 1 of its frames as files",
    ),
    "zero bytes": (frame(b""), f"{WHERE} is empty: restore it from the release"),
    "truncated": (frame(JPEG[: len(JPEG) // 2]), f"{WHERE} is damaged or no image: restore it"),
    "no image": (frame(b"<html>Not found</html>"), f"{WHERE} is damaged or no image: restore it"),
    "png called jpg": (frame(encoded(".png", PICTURE)), "reg_img6.jpg is a PNG file under another name"),
    "gif called jpg": (as_gif, f"{WHERE} is a GIF file: convert the clip to JPEG, PNG, BMP or TIFF"),
    "odd size": (
        frame(encoded(".jpg", PICTURE[:9])),
        f"{WHERE} is 10 x 9 pixels but the first of its clip is 10 x 12",
    ),
    "16 bits": (
        frame(encoded(".png", PICTURE.astype(np.uint16))),
        f"{WHERE} has 16 bits per channel: convert",
    ),
    "transparent": (
        frame(encoded(".png", np.dstack([PICTURE, PICTURE[..., :1]]))),
        f"{WHERE} is transparent in places: lay the clip on a background",
    ),
    "CMYK": (as_cmyk, f"{WHERE} has the colours of print (CMYK): convert the clip"),
    "too wide": (frame(png_of(12_000, 20)), f"{WHERE} is 12000 x 20 pixels, more than 8192 per side: scale"),
    "enormous": (frame(png_of(99_000, 99_000)), f"{WHERE} is enormous, more than 8192 per side: scale"),
    "two for one number": (
        frame(JPEG, "img06.jpg"),
        "two files for frame 6, img06.jpg and reg_img6.jpg: remove one",
    ),
    "link to itself": (link, f"Cannot read the frame | {WHERE}"),
    "folder called jpg": (folder_for_a_frame, f"Cannot read the frame | {WHERE}"),
    "not readable": (forbidden, f"Cannot read the frame | {WHERE}: Permission denied"),
}


@pytest.mark.parametrize("case", FRAMES)
def test_frames(case: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, words = FRAMES[case]
    try:
        spoil(copy)
    except OSError as error:
        pytest.skip(f"this system cannot make it: {error}")
    check(copy, words, capsys)


def test_names_in_any_script_and_links_are_read(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Long names, names of other scripts, a dataset linked from elsewhere, a link that leads in a circle."""
    moved = copy.parent / ("表情-données-" + "x" * 150)
    copy.rename(moved)
    clip = moved / "Cropped/sub02/EP01_01f"
    (clip / "reg_img6.jpg").rename(clip / ("é" * 100 + "_6.jpg"))
    try:
        (copy.parent / "linked").symlink_to(moved, target_is_directory=True)
        (moved / "Cropped" / "round").symlink_to(moved, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert "error" not in told(copy.parent / "linked", capsys)


GONE = r"^The folder .*copy/Cropped is not there any more, and 4 clips need it: bring it back"


def test_a_folder_that_vanished_is_one_sentence(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, _ = datasets.select(datasets.load("casme2", copy), min_class_size=1)
    with monkeypatch.context() as patch:  # a build that ended before the bank was whole
        patch.setattr(bank.Store, "save", lambda store, images: images)
        build_bank(kept.iloc[:1], size=8, cache=tmp_path / "cache", shown=False)
    (copy / "Cropped").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=GONE):
        build_bank(kept, size=8, cache=tmp_path / "cache", shown=False)
    (tmp_path / "elsewhere").rename(copy / "Cropped")
    decoded = []
    monkeypatch.setattr(clip, "read_frame", lambda path: decoded.append(path) or read_frame(path))
    assert len(build_bank(kept, size=8, cache=tmp_path / "cache", shown=False).clips) == 4
    assert not [path for path in decoded if "sub01/EP01_01f" in path.as_posix()]  # the finished clip was kept


def test_a_folder_that_vanishes_on_the_way(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, _ = datasets.select(datasets.load("casme2", copy), min_class_size=1)

    def read_once(path: Path) -> np.ndarray:
        if (copy / "Cropped").is_dir():
            (copy / "Cropped").rename(tmp_path / "elsewhere")
        return read_frame(path)

    monkeypatch.setattr(clip, "read_frame", read_once)
    with pytest.raises(InputError, match=GONE):
        build_bank(kept, size=8, cache=tmp_path / "cache", shown=False, workers=1)


# --- parameters ------------------------------------------------------------------------------------

PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "number as a word": ({"epochs": "ten"}, "parameter epochs is 'ten' but must be a whole number from 1"),
    "half": ({"batch_size": 2.5}, "parameter batch_size is 2.5 but must be a whole number"),
    "true for a number": ({"epochs": True}, "parameter epochs is True but must be"),
    "not a number": (
        {"learning_rate": float("nan")},
        "parameter learning_rate is nan but must be a number from",
    ),
    "infinite": ({"learning_rate": "inf"}, "parameter learning_rate is 'inf' but must be a number from"),
    "zero": ({"batch_size": 0}, "parameter batch_size is 0 but must be a whole number from 2"),
    "negative": ({"workers": -1}, "parameter workers is -1 but must be a whole number from 0"),
    "too large": (
        {"image_size": 10**6},
        "parameter image_size is 1000000 but must be a whole number from 16 to 1024",
    ),
    "folder as a number": ({"data_root": 7}, "parameter data_root is 7 | pass it by -r to keep it a text"),
    "zero byte in a path": ({"out": "a\0b"}, "parameter out is 'a\\x00b' | without control characters"),
    "endless path": ({"out": "x" * 5000}, "parameter out | at most 4096 characters"),
    "flag as a word": ({"flip": "no"}, "parameter flip is 'no' but must be true or false"),
    "list in a text": (
        {"seeds": "[0, 1]"},
        "parameter seeds is '[0, 1]' but must be different whole numbers",
    ),
    "twice the same seed": ({"seeds": "1,1"}, "parameter seeds is '1,1' but must be different whole numbers"),
    "unknown choice": ({"fusion": "cros_channel"}, "parameter fusion | (did you mean 'cross_channel'?)"),
    "unknown name": (
        {"epoch": 3, "In": ["", "epochs: int = None", "# Parameters\nepoch = 3"]},
        "no parameter 'epoch' (did you mean 'epochs'?)",
    ),
    "unknown dataset": ({"dataset": "mmev"}, "parameter dataset | (did you mean 'mmew'?)"),
    "unknown device": ({"device": "gpu"}, "parameter device is 'gpu' but must be one of auto, cpu, cuda"),
    "two at once": ({"epochs": 0, "flip": "x"}, "parameter epochs is 0 | parameter flip is 'x'"),
    "licensed without a folder": ({"dataset": "samm", "data_root": None}, "needs data_root, the folder"),
}
TOGETHER: dict[str, tuple[dict[str, Any], str]] = {
    "a backbone for a system with its own": (
        {"model": "learnet", "backbone": "resnet18"},
        "backbone is settled by",
    ),
    "two inputs for a system of one": (
        {"model": "learnet", "inputs": "onset,offset"},
        "learnet takes 1 of the inputs",
    ),
    "three streams": ({"inputs": "whole,onset,offset"}, "dianet takes 1 or 2 of the inputs, not 3"),
    "weights for no dynamic image": (
        {"inputs": "flow", "weighting": "rank"},
        "weighting rank is for dynamic images",
    ),
    "weights that are not there": (
        {"pretrained": "no.safetensors"},
        "no .safetensors file that exists | set pretrained",
    ),
    "weights that no package has": (
        {"pretrained": "package", "backbone": "resnet18"},
        "backbone 'resnet18': set backbone to tf_efficientnet_lite0 or ",
    ),
    "frozen random weights": (
        {"frozen": True},
        "frozen keeps the weights of the backbone, which are random with pretrained none: set pretrained",
    ),
    "frozen where there is no backbone to choose": (
        {"frozen": True, "model": "learnet", "inputs": "onset,offset"},
        "frozen is settled by learnet itself (False) | learnet takes 1 of the inputs",
    ),
    "a pickle for weights": (
        {"pretrained": "weights.pth"},
        "pretrained='weights.pth' is no .safetensors file",
    ),
}


@pytest.mark.parametrize("case", [*PARAMETERS, *TOGETHER])
def test_parameters(case: str) -> None:
    given, words = PARAMETERS.get(case) or TOGETHER[case]
    with pytest.raises(InputError) as caught:
        run.check_parameters(given) if case in PARAMETERS else configure(**given)
    assert not [part for part in words.split(" | ") if part not in str(caught.value)], str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("root", ["a\0b", "x" * 5000, "~nobody-of-this-name/x"])
def test_folders_that_cannot_be(root: str) -> None:
    for name in ("samm", "synthetic"):
        with pytest.raises(InputError, match=r"data_root|holds no synthetic dataset"):
            datasets.load(name, root)


def test_there_are_enough_cases() -> None:
    assert len(SHEETS) + len(FRAMES) + len(PARAMETERS) + len(TOGETHER) >= 80
