"""Files that do not agree with the sheet: numbered from 0 or 1 in each clip, by a constant shift, or missing.

A clip tells how it is numbered where its folder holds exactly as many frames as the sheet names, one after
another. What overlaps by chance would put the apex on a wrong frame, so it is never used.
"""

import contextlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from dianet_utils.datasets.clips import FRAME_NUMBERS
from dianet_utils.datasets.frames import index_frames
from dianet_utils.plumbing.errors import InputError

_FOLLOWED = "whose onset, apex and offset follow them"
_FEWEST = 0.5  # of its annotated frames: what a clip must have as files


class _Clip(NamedTuple):
    """A clip with onset, offset and the rising ``numbers`` of its files."""

    record: dict[str, Any]
    numbers: list[int]

    @property
    def whole(self) -> bool:
        """Whether there are as many files, one after another, as its row names frames."""
        count = self.record["offset"] - self.record["onset"] + 1
        return len(self.numbers) == count > 1 and self.numbers[-1] - self.numbers[0] == count - 1

    @property
    def shift(self) -> int:
        """What is to be added to the sheet's numbers for the onset to be the first file."""
        return self.numbers[0] - int(self.record["onset"])


def follow_files(records: Iterable[dict[str, Any]]) -> list[str]:
    """Move the sheet's numbers of clips whose files are all numbered alike otherwise; returns a note on it.

    Alike means by one shift, or from one number in each clip; it takes whole clips for more than half of the
    folders, and none that says otherwise. Else those that contradict the sheet get a ``problem`` each, and no
    number is moved.
    """
    clips = [clip for record in records if (clip := _clip_of(record))]
    whole = [clip for clip in clips if clip.whole]
    moved = [clip for clip in whole if clip.shift]
    if not moved:
        return []
    shifts, firsts = {clip.shift for clip in moved}, {clip.numbers[0] for clip in moved}
    alike = len(moved) == len(whole) > len(clips) / 2
    if alike and len(shifts) == 1:
        return [_follow_shift(clips, shifts.pop())]
    if alike and len(firsts) == 1:
        return [_follow_first(clips, firsts.pop())]
    for clip in moved:
        _refuse(clip, "other clips of this copy are not numbered so: rename the files")
    return []


def _clip_of(record: dict[str, Any]) -> _Clip | None:
    """The clip if its folder has frames and its row onset and offset."""
    numbers: list[int] = []
    if record["frames"] and None not in (record["onset"], record["offset"]):
        with contextlib.suppress(InputError):  # in the clip's problem already
            numbers = list(index_frames(record["frames"]))
    return _Clip(record, numbers) if numbers else None


def _follow_shift(clips: list[_Clip], shift: int) -> str:
    for clip in clips:
        _move(clip, shift)
    return f"the files of {len(clips)} clips are moved by {shift:+d} against the sheet, {_FOLLOWED}"


def _follow_first(clips: list[_Clip], first: int) -> str:
    alike = [clip for clip in clips if clip.numbers[0] == first]
    for clip in clips:
        if clip.numbers[0] == first:
            _move(clip, clip.shift)
        else:
            _refuse(clip, f"the other clips of this copy are numbered from {first}: restore its first frames")
    told = f"the files of {len(alike)} clips are numbered from {first} in each clip against the sheet"
    return f"{told}, {_FOLLOWED}"


def _move(clip: _Clip, shift: int) -> None:
    """Give a clip the numbers of its files."""
    record = clip.record
    for name in FRAME_NUMBERS:
        record[name] = None if record[name] is None else record[name] + shift
    there = sum(record["onset"] <= number <= record["offset"] for number in clip.numbers)
    record["missing_frames"] = max(record["offset"] - record["onset"] + 1 - there, 0)


def _refuse(clip: _Clip, why: str) -> None:
    record = clip.record
    told = (
        f"its files are numbered {clip.numbers[0]} .. {clip.numbers[-1]} and its row says "
        f"{record['onset']} .. {record['offset']}, and {why}"
    )
    record["problem"] = "; ".join(filter(None, [record["problem"], told]))


def tell_missing(records: list[dict[str, Any]]) -> list[str]:
    """Give clips that lack most of their frames a problem each; returns a note where a copy lacks frames.

    A dynamic image of a few frames is hardly more than the difference of two.
    """
    annotated = missing = 0
    for record in records:
        if not record["frames"] or None in (record["onset"], record["offset"]):
            continue
        count = max(record["offset"] - record["onset"] + 1, 0)
        annotated, missing = annotated + count, missing + record["missing_frames"]
        if count and count - record["missing_frames"] < _FEWEST * count:
            told = (
                f"only {count - record['missing_frames']} of its {count} frames onset .. offset have a file"
            )
            record["problem"] = "; ".join(filter(None, [record["problem"], told]))
    if not missing:
        return []
    return [f"{1 - missing / annotated:.1%} of the annotated frames of clips with a folder have a file"]
