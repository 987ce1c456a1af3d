"""The report on a dataset's health: everything at once, each with its clip and a remedy."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from released import row, write_casme2, write_frames

from dianet_utils import datasets
from dianet_utils.datasets.frames import clip_frames

SIX = range(4, 10)


@pytest.fixture
def sick(tmp_path: Path) -> Path:
    """A copy with something wrong in every clip but the first."""
    rows = [
        row("01", "EP01_01"),
        row("01", "EP02_01", apex="/"),
        row("01", "EP03_01", apex=20),
        row("01", "EP04_01"),
        row("01", "EP05_01", emotion="happines"),
        row("01", "EP06_01"),
        row("01", "EP07_01"),
        row("01", "EP08_01"),
        row("01", "ep01_01"),
        row("01", "EP09_01"),
    ]
    frames = {f"sub01/EP0{number}_01": SIX for number in (1, 2, 3, 5, 7, 8)} | {"sub01/EP06_01": [4, 5, 7]}
    root = write_casme2(tmp_path, rows, frames)
    folder = root / "Cropped" / "sub01"
    (folder / "EP07_01" / "reg_img6.jpg").write_bytes(b"")
    (folder / "EP07_01" / "reg_img8.jpg").write_bytes(b"no image")
    cv2.imwrite(str(folder / "EP08_01" / "reg_img9.jpg"), np.zeros((20, 30, 3), np.uint8))
    write_frames(folder / "EP09_01", SIX, prefix="a")
    write_frames(folder / "EP09_01", [7], prefix="b")
    (folder / "EP01_01" / "Desktop - Shortcut.lnk").write_bytes(b"stray")
    return root


def test_everything_is_found_in_one_pass(sick: Path) -> None:
    report = datasets.health(datasets.load("casme2", sick))
    found = {(severity, clip): problem for severity, clip, problem, _ in report.itertuples(index=False)}
    expected = {
        ("note", "01/EP01_01"): "files that are no frames: Desktop - Shortcut.lnk",
        ("warning", "01/EP02_01"): "apex '/' is not a whole number",
        ("error", "01/EP04_01"): "no folder of frames was found",
        ("warning", "01/EP06_01"): "3 of the frames onset .. offset have no file",
        ("error", "01/EP07_01"): "reg_img6.jpg is empty",
        ("error", "01/EP08_01"): "frames of different sizes: 10 x 12 (reg_img4.jpg), 30 x 20 (reg_img9.jpg)",
        ("error", ""): "the same folder of frames, EP01_01, is used by 01/EP01_01, 01/ep01_01",
    }
    assert {place: found[place] for place in expected} == expected
    problems = report["problem"].tolist()
    assert "apex 20 lies outside onset 4 .. offset 9" in problems
    assert "no file for apex 6, offset 9 (the folder has 4 .. 7)" in problems
    assert "unusual class 'happines' (clips: 1)" in problems
    assert any("two files for frame 7, a7.jpg and b7.jpg" in problem for problem in problems)
    assert report["severity"].tolist() == sorted(report["severity"], key=["error", "warning", "note"].index)
    assert (report.loc[report["severity"] != "note", "remedy"] != "").all()


def test_every_frame_is_read_only_when_asked(sick: Path) -> None:
    clips = datasets.load("casme2", sick)
    assert not datasets.health(clips)["problem"].str.contains("reg_img8.jpg").any()
    assert datasets.health(clips, decode=True)["problem"].str.contains("reg_img8.jpg").sum() == 1


@pytest.mark.parametrize("name", ["casme2", "samm", "mmew"])
def test_official_layouts_show_what_was_planted_and_no_error(name: str, official: dict[str, Path]) -> None:
    clips, report = datasets.inspect(name, official[name], decode=True)
    assert clips is not None
    assert "error" not in set(report["severity"])
    strays = report[report["problem"].str.startswith("files that are no frames")]
    assert len(strays) == 2
    warned = set(report.loc[report["severity"] == "warning", "clip"]) - {""}
    planted = {
        "casme2": {"01/EP01_01f", "01/EP02_01", "01/EP03_01f"},
        "samm": {"006/006_1_1", "006/006_2_1"},
        "mmew": {"S01/S01-01-001", "S01/S01-02-001"},
    }
    assert warned == planted[name]


def test_a_label_that_contradicts_its_folder(tmp_path: Path, official: dict[str, Path]) -> None:
    clips = datasets.load("mmew", official["mmew"])
    clips.loc[clips.index[5], "emotion"] = "anger"
    report = datasets.health(clips)
    assert (report["problem"].str.contains("its folder says") & (report["clip"] == clips.index[5])).sum() == 1


def test_a_generated_dataset_is_healthy(tiny_synthetic: Path) -> None:
    assert datasets.health(datasets.load("synthetic", tiny_synthetic), decode=True).empty


def test_frames_that_vanished_after_loading(sick: Path) -> None:
    clips = datasets.load("casme2", sick).iloc[[0, 7]]
    folder = Path(clips["frames"].iloc[0])
    folder.rename(folder.with_name("gone"))
    (Path(clips["frames"].iloc[1]) / "reg_img5.jpg").unlink()
    report = datasets.health(clips).set_index("clip")
    assert "Cannot list the frames" in report.loc["01/EP01_01", "problem"]
    assert "1 of the frames onset .. offset have no file" in report.loc["01/EP08_01", "problem"].tolist()


def test_a_clip_without_a_face_is_named_where_it_is_still_to_be_cropped(
    tmp_path: Path, official: dict[str, Path]
) -> None:
    """Three clips of SAMM's layout; the frames of the second are painted over, of the third one alone."""
    clips = datasets.select(datasets.load("samm", official["samm"]))[0]
    there = [len(clip_frames(clip, clip["apex"], clip["apex"])) == 1 for _, clip in clips.iterrows()]
    clips = clips[there].iloc[:3].copy()
    for place, name in enumerate(clips.index[1:], 1):
        shutil.copytree(clips.loc[name, "frames"], tmp_path / str(place))
        clips.loc[name, "frames"] = str(tmp_path / str(place))
    apexes = [clip_frames(clip, clip["apex"], clip["apex"])[0] for _, clip in clips.iterrows()]
    for path in [*apexes[1].parent.glob("*.jpg"), apexes[2]]:
        cv2.imwrite(str(path), np.full(cv2.imread(str(path)).shape, 120, np.uint8))
    report = datasets.health(clips)
    found = report[report["problem"].str.contains("no face")]
    assert found[["severity", "clip"]].to_numpy().tolist() == [["warning", clips.index[1]]]
    assert apexes[1].name in found["problem"].item()
    assert not datasets.health(clips.assign(crop="none"))["problem"].str.contains("no face").any()


def test_a_clip_too_long_for_a_micro_expression_is_noted_and_kept(tmp_path: Path) -> None:
    """At 200 frames per second: 836 frames last 4.2 s, 201 just one second, 202 more than that."""
    numbers = {"EP01_01": 836, "EP02_01": 201, "EP03_01": 202}
    rows = [row("01", name, onset=1, apex=5, offset=last) for name, last in numbers.items()]
    root = write_casme2(
        tmp_path, rows, {f"sub01/{name}": range(1, last + 1, 2) for name, last in numbers.items()}
    )
    clips = datasets.load("casme2", root)
    report = datasets.health(clips)
    noted = report[report["problem"].str.contains("micro-expression")].set_index("clip")
    assert list(noted.index) == ["01/EP01_01", "01/EP03_01"]
    assert set(noted["severity"]) == {"note"}
    assert noted.loc["01/EP01_01", "problem"].startswith(
        "4.2 s from onset to offset (836 frames at 200 per second"
    )
    assert len(datasets.select(clips, min_class_size=1)[0]) == 3
    unknown = datasets.health(clips.assign(fps=float("nan")))
    assert not unknown["problem"].str.contains("micro-expression").any()
