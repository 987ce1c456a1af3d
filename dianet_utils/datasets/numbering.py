"""Files that do not agree with the sheet: numbered from 0 or 1 in each clip, by a constant shift, or missing.

A clip tells it where its folder holds exactly as many frames as the sheet names, one after another, under
other numbers. What overlaps by chance would put the apex on a wrong frame, so it is never used.
"""

import contextlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from dianet_utils.datasets.clips import FRAME_NUMBERS
from dianet_utils.datasets.frames import index_frames
from dianet_utils.plumbing.errors import InputError

_FEWEST = 0.5  # of its annotated frames: what a clip must have as files


class _Clip(NamedTuple):
    """A clip whose folder holds as many frames, one after another, as its row names, from ``first`` on."""

    record: dict[str, Any]
    first: int

    @property
    def shift(self) -> int:
        """What is to be added to the sheet's numbers."""
        return self.first - self.record["onset"]


def follow_files(records: Iterable[dict[str, Any]]) -> list[str]:
    """Move the sheet's numbers of clips whose files are all numbered alike otherwise; returns a note on it.

    Alike means by one shift, or from one number in each clip. Where the whole clips of a copy do not agree,
    those that contradict the sheet get a ``problem`` each and no number is moved.
    """
    whole = [clip for record in records if (clip := _whole(record))]
    moved = [clip for clip in whole if clip.shift]
    if not moved:
        return []
    if len(moved) == len(whole):
        shifts, firsts = {clip.shift for clip in moved}, {clip.first for clip in moved}
        if len(shifts) == 1 or (len(moved) > 1 and len(firsts) == 1):
            return [_move(moved, shifts)]
    for clip in moved:
        _refuse(clip)
    return []


def _whole(record: dict[str, Any]) -> _Clip | None:
    """The clip if its folder holds exactly as many frames as its row names, without a gap."""
    if not record["frames"] or None in (record["onset"], record["offset"]):
        return None
    numbers: list[int] = []
    with contextlib.suppress(InputError):  # in the clip's problem already
        numbers = list(index_frames(record["frames"]))
    count = record["offset"] - record["onset"] + 1
    if len(numbers) != count or count < 2 or numbers[-1] - numbers[0] != count - 1:
        return None
    return _Clip(record, numbers[0])


def _move(clips: list[_Clip], shifts: set[int]) -> str:
    """Give every clip the numbers of its files."""
    told = f"by {min(shifts):+d}" if len(shifts) == 1 else f"from {clips[0].first} in each clip"
    for record, shift in [(clip.record, clip.shift) for clip in clips]:
        for name in FRAME_NUMBERS:
            record[name] = None if record[name] is None else record[name] + shift
        record["missing_frames"] = 0
    kind = "moved" if len(shifts) == 1 else "numbered"
    return (
        f"the files of {len(clips)} clips are {kind} {told} against the sheet, whose onset, apex and offset "
        "follow them"
    )


def _refuse(clip: _Clip) -> None:
    record, last = clip.record, clip.first + clip.record["offset"] - clip.record["onset"]
    told = (
        f"its files are numbered {clip.first} .. {last} and its row says {record['onset']} .. "
        f"{record['offset']}, and other clips of this copy are not numbered so: rename the files"
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
