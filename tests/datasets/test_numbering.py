"""Copies whose files are numbered otherwise than the sheet: followed where all agree, refused where not."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest
from released import row, write_casme2

from dianet_utils import datasets

# Onset, apex and offset of each clip in the sheet; one has no apex.
ROWS = {"sub01/EP01_01": (40, 45, 60), "sub01/EP01_02": (100, 130, 141), "sub02/EP01_01": (7, 9, 12)}


def load(root: Path, files: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    sheet = [row(int(clip[3:5]), clip[6:], *numbers) for clip, numbers in ROWS.items()]
    return datasets.load("casme2", write_casme2(root, sheet, files))


def files(shift: int | None = None, first: int = 0) -> dict[str, range]:
    """Whole clips: moved by a shift, or each numbered from ``first``."""
    starts = {clip: first if shift is None else numbers[0] + shift for clip, numbers in ROWS.items()}
    return {clip: range(start, start + ROWS[clip][2] - ROWS[clip][0] + 1) for clip, start in starts.items()}


def numbers(clips: pd.DataFrame) -> list[tuple[int, ...]]:
    return [tuple(map(int, line)) for line in clips[["onset", "apex", "offset"]].to_numpy()]


@pytest.mark.parametrize("shift", [14, -1])
def test_one_shift_of_all_clips_is_followed_and_said(shift: int, tmp_path: Path) -> None:
    clips = load(tmp_path, files(shift))
    assert numbers(clips) == [tuple(number + shift for number in each) for each in ROWS.values()]
    assert clips["missing_frames"].sum() == 0
    assert [note for note in clips.attrs["notes"] if f"3 clips are moved by {shift:+d} against" in note]


@pytest.mark.parametrize("first", [0, 1])
def test_clips_numbered_from_the_same_number_are_followed_and_said(first: int, tmp_path: Path) -> None:
    clips = load(tmp_path, files(first=first))
    assert numbers(clips) == [tuple(n - each[0] + first for n in each) for each in ROWS.values()]
    assert [note for note in clips.attrs["notes"] if f"numbered from {first} in each clip" in note]


def test_a_sound_copy_is_left_alone(tmp_path: Path) -> None:
    clips = load(tmp_path, files(0))
    assert numbers(clips) == [*ROWS.values()]
    assert not [note for note in clips.attrs["notes"] if "against the sheet" in note]


def test_where_clips_disagree_the_overlap_is_not_used(tmp_path: Path) -> None:
    """The second clip's files overlap with its row by 28 of 42 frames."""
    mixed = files(0) | {"sub01/EP01_02": files(14)["sub01/EP01_02"]}
    clips = load(tmp_path, mixed)
    assert numbers(clips) == [*ROWS.values()]
    assert list(clips["problem"] != "") == [False, True, False]
    assert "numbered 114 .. 155 and its row says 100 .. 141" in clips["problem"].iloc[1]


def test_a_clip_with_frames_to_spare_or_lost_is_not_judged(tmp_path: Path) -> None:
    more = files(0) | {"sub01/EP01_02": range(90, 200), "sub02/EP01_01": range(8, 12)}
    clips = load(tmp_path, more)
    assert list(clips["problem"]) == ["", "", ""]
    assert list(clips["missing_frames"]) == [0, 0, 2]


def test_a_clip_that_lost_frames_is_moved_with_the_others(tmp_path: Path) -> None:
    """Its overlap with the sheet would put the apex 14 frames too early."""
    shifted = files(14)
    last = shifted["sub02/EP01_01"]
    clips = load(tmp_path, shifted | {"sub02/EP01_01": last[1:]})
    assert numbers(clips) == [tuple(number + 14 for number in each) for each in ROWS.values()]
    assert list(clips["missing_frames"]) == [0, 0, 1]


@pytest.mark.parametrize("lost", [0, 3])
def test_in_clips_numbered_alike_lost_frames_are_missed_or_the_clip_refused(
    lost: int, tmp_path: Path
) -> None:
    """Without its first frame nobody knows where a clip begins."""
    made = files(first=1)
    made["sub02/EP01_01"] = [number for number in made["sub02/EP01_01"] if number != 1 + lost]
    clips = load(tmp_path, made)
    if lost:
        assert list(clips["missing_frames"]) == [0, 0, 1]
        assert numbers(clips)[2] == (1, 3, 6)
    else:
        assert "numbered 2 .. 6 and its row says 7 .. 12" in clips["problem"].iloc[2]


def test_one_odd_clip_does_not_move_a_copy_with_frames_to_spare(tmp_path: Path) -> None:
    """Frames as recorded, before and after: only one folder could tell, and it is refused."""
    raw = {clip: range(first - 3, last + 4) for clip, (first, _, last) in ROWS.items()}
    clips = load(tmp_path, raw | {"sub02/EP01_01": files(14)["sub02/EP01_01"]})
    assert numbers(clips) == [*ROWS.values()]
    assert list(clips["problem"] != "") == [False, False, True]


def test_a_copy_with_three_frames_a_clip_is_no_copy(tmp_path: Path) -> None:
    """Each phase has its two files, yet the image would be the difference of two frames."""
    ends = {clip: sorted({first, apex, last}) for clip, (first, apex, last) in ROWS.items()}
    clips = load(tmp_path, ends)
    assert list(clips["problem"]) == [
        "only 3 of its 21 frames onset .. offset have a file",
        "only 3 of its 42 frames onset .. offset have a file",
        "",
    ]
    (told,) = clips.attrs["warnings"]
    assert told.startswith(f"{9 / 69:.1%} of the annotated frames")
    report = datasets.health(clips)
    assert report.loc[report["problem"] == told, "severity"].tolist() == ["warning"]


def test_every_second_frame_is_enough_and_said(tmp_path: Path) -> None:
    clips = load(tmp_path, {clip: range(first, last + 1, 2) for clip, (first, _, last) in ROWS.items()})
    assert not clips["problem"].any()
    assert clips.attrs["warnings"][0].startswith(f"{(11 + 21 + 3) / 69:.1%} of the ")


def test_a_generated_copy_whose_sheet_was_moved_stays_synthetic(tmp_path: Path) -> None:
    made = write_casme2(
        tmp_path / "made",
        [row(1, "EP01_01", 4, 6, 9)],
        {"sub01/EP01_01": range(4, 10)},
    )
    (made / "SYNTHETIC.txt").write_text("generated", "utf-8")
    assert datasets.load("casme2", made)["synthetic"].all()
    mine = tmp_path / "mine" / "deep" / "deeper"
    mine.mkdir(parents=True)
    (made / "Cropped").rename(mine / "Cropped")
    (made / "SYNTHETIC.txt").rename(mine / "SYNTHETIC.txt")
    (made / "CASME2-coding-20140508.xlsx").rename(tmp_path / "mine" / "CASME2-coding-20140508.xlsx")
    assert datasets.load("casme2", tmp_path / "mine")["synthetic"].all()
