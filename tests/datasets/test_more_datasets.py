"""SMIC-HS and CAS(ME)^3: what differs from the paper's datasets, on synthetic clips in their layouts."""

import shutil
from pathlib import Path

import pytest
from released import write_book, write_frames

from dianet_utils import config, datasets, paper, synthetic
from dianet_utils.datasets.frames import index_frames
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.releases.official import VARIANTS, write_official
from dianet_utils.synthetic.releases.official_clips import official_clips

SMALL = synthetic.Settings(subjects=2, clips_per_emotion=1, size=48, duration=(16, 18))


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both releases with every form they have side by side."""
    folder = tmp_path_factory.mktemp("more")
    return {
        name: write_official(name, folder / name, SMALL, VARIANTS[name], progress=False)
        for name in ("smic", "casme3")
    }


def test_smic_is_told_by_its_folders(copies: dict[str, Path]) -> None:
    clips = datasets.load("smic", copies["smic"])
    written = {f"{clip.subject}/{clip.filename}": clip for clip in official_clips("smic", SMALL)}
    assert sorted(clips.index) == sorted(written)
    for name, clip in written.items():
        found = clips.loc[name]
        assert found["emotion"] == clip.plan.emotion in ("negative", "positive", "surprise")
        assert (found["onset"], found["offset"]) == (clip.number("onset"), clip.number("offset"))
        assert found["apex"] == (found["onset"] + found["offset"]) // 2
    assert set(clips["fps"]) == {100.0}
    assert set(clips["crop"]) == {"none"}
    assert set(clips["apex_source"]) == {"midpoint"}
    report = datasets.health(clips)
    assert report["problem"].str.contains("names no apex: it is taken in the middle").any()
    assert set(report["severity"]) == {"note"}
    assert datasets.select(clips, min_class_size=1)[1].empty
    assert datasets.title(clips) == "synthetic clips in the layout of SMIC-HS"


def test_smic_keeps_clips_whose_frame_numbers_reach_eight_digits(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    """As two of its subjects have them: files named by a counter, up to 32,615,570."""
    copy = shutil.copytree(copies["smic"] / "SMIC_all_cropped", tmp_path / "SMIC_all_cropped")
    folder = next(copy.glob("HS/s1/micro/*/s1_*"))
    old = index_frames(folder)
    shift = 32_615_570 - max(old)
    for number, path in old.items():
        path.rename(path.with_name(f"reg_image{number + shift}{path.suffix}"))
    clips = datasets.load("smic", tmp_path)
    kept, left_out = datasets.select(clips, min_class_size=1)
    assert left_out.empty
    assert len(kept) == len(official_clips("smic", SMALL))
    moved = kept.loc[f"s1/{folder.name}"]
    assert (moved["onset"], moved["offset"]) == (min(old) + shift, 32_615_570)


def test_smic_passes_over_its_slow_recordings_and_what_is_no_micro_expression(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(copies["smic"], tmp_path / "smic")
    high_speed = copy / "SMIC_all_cropped" / "HS"
    shutil.copytree(high_speed, high_speed.parent / "NIR")
    shutil.copytree(high_speed, high_speed.parent / "VIS")
    shutil.copytree(high_speed / "s1" / "micro", high_speed / "s1" / "non_micro")
    clips = datasets.load("smic", copy)
    assert len(clips) == len(official_clips("smic", SMALL))
    assert all(Path(folder).is_relative_to(high_speed) for folder in clips["frames"])


def test_smic_names_the_folders_that_it_cannot_use(copies: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(copies["smic"] / "SMIC_all_cropped", tmp_path / "SMIC_all_cropped")
    clips = datasets.load("smic", copy)
    empty, doubled = (Path(folder) for folder in clips["frames"][:2])
    for frame in index_frames(empty).values():
        frame.unlink()
    first = next(iter(index_frames(doubled).values()))
    shutil.copy(first, first.with_suffix(".jpg"))
    again = datasets.load("smic", copy)
    problems = dict(zip(again["frames"], again["problem"], strict=True))
    assert "onset '' is not a whole number" in problems[str(empty)]
    assert "two files for frame" in problems[str(doubled)]
    assert (again["problem"] == "").sum() == len(again) - 2


def test_casme3_has_several_clips_of_one_video(copies: dict[str, Path]) -> None:
    clips = datasets.load("casme3", copies["casme3"])
    written = official_clips("casme3", SMALL)
    assert list(clips.index) == [f"{c.subject}/{c.filename}_{c.cell('onset')}" for c in written]
    assert clips.index.is_unique
    assert list(clips["emotion"]) == [clip.plan.emotion for clip in written]
    assert all(Path(folder).parent.name == "frame" for folder in clips["frames"])
    assert set(clips["crop"]) == {"face"}
    assert set(clips["apex_source"]) == {"sheet"}
    misprint, still = datasets.select(clips, min_class_size=1)[1]["reason"]
    assert "lies outside onset" in misprint
    assert "equals the onset" in still


def test_their_settings_are_those_of_a_licensed_dataset() -> None:
    for name in ("smic", "casme3"):
        settings = config.configure(name)
        assert (settings.learning_rate, settings.image_size) == (1e-4, 224)
        assert name not in paper.EXPECTED
        assert paper.dianet_accuracy(name) == paper.UNKNOWN
        with pytest.raises(InputError, match="is licensed and not part of this project"):
            datasets.load(name)


def test_casme3_reads_whole_recordings_by_their_frame_numbers(tmp_path: Path) -> None:
    """`part_A/spNO.1/b/color`: the clips of one video share a folder, and no frame."""
    copy = write_official("casme3", tmp_path / "copy", SMALL, ("recordings",), progress=False)
    clips = datasets.load("casme3", copy)
    written = official_clips("casme3", SMALL)
    assert list(clips.index) == [f"{c.subject}/{c.filename}_{c.cell('onset')}" for c in written]
    assert [Path(folder).relative_to(copy).as_posix() for folder in clips["frames"]] == [
        f"part_A/{clip.subject}/{clip.filename}/color" for clip in written
    ]
    assert clips["frames"].nunique() < len(clips)
    assert (clips["missing_frames"].iloc[1:] == 0).all()  # the first row has a planted onset
    assert "error" not in set(datasets.health(clips)["severity"])
    assert datasets.title(clips) == "synthetic clips in the layout of CAS(ME)^3 part A"


def test_casme3_prefers_cut_clips_and_names_the_recordings(tmp_path: Path) -> None:
    copy = write_official("casme3", tmp_path / "copy", SMALL, ("frame", "recordings"), progress=False)
    clips = datasets.load("casme3", copy)
    assert all(Path(folder).parent.name == "frame" for folder in clips["frames"])
    assert [note for note in clips.attrs["notes"] if note.startswith("also found and not used: ")]


@pytest.mark.parametrize("folder", ["spNO.216_d_2647", "spNO.216_d_3647"])
def test_the_misprint_of_casme3_is_mended_openly(folder: str, tmp_path: Path) -> None:
    """Wherever its frames lie; a row with the same number in order is left alone."""
    headers = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    lines = [
        ["spNO.216", "d", 3647, 2655, 2660, "4", "I", "anger"],
        ["spNO.216", "e", 3647, 3650, 3660, "4", "I", "anger"],
    ]
    write_book(tmp_path / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", [headers, *lines], "label")
    write_frames(tmp_path / "Part_A_ME_clip" / "frame" / folder, range(2647, 2661), prefix="")
    write_frames(tmp_path / "Part_A_ME_clip" / "frame" / "spNO.216_e_3647", range(3647, 3661), prefix="")
    clips = datasets.load("casme3", tmp_path)
    assert list(clips.index) == ["spNO.216/d_2647", "spNO.216/e_3647"]
    assert list(clips["onset"]) == [2647, 3647]
    assert list(clips["missing_frames"]) == [0, 0]
    assert list(clips["problem"]) == ["", ""]
    (told,) = clips.attrs["corrections"]
    assert told.startswith("spNO.216/d: onset 3647 read as 2647: ")
