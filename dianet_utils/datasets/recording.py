"""A clip of the reader's own: a video file or a folder of frames, read once, its one face cut out."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dianet_utils.datasets.frames import IMAGE_SUFFIXES, Box, Framing, face_boxes, index_frames, read_frame
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

MAX_FRAMES = 600  # three seconds at 200 frames per second; a micro-expression lasts less than half of one
MAX_BYTES = 2**30  # of cropped frames in memory
_SEARCH_EVERY = 10  # frames between two searches for a face, until one is found
_SLOW = 60.0  # frames per second below which a micro-expression has few frames
_LONG = 1.0  # seconds above which a clip holds more than one
_FEW = 10  # frames below which little is averaged

Image = NDArray[np.uint8]
Numbered = Iterator[tuple[int, Image]]


@dataclass(frozen=True)
class Recording:
    """The frames of a clip, cropped to one box.

    ``frames`` RGB uint8 [T, H, W, 3]; ``numbers`` [T], as in the files' names, or from 1 in a video; ``fps``
    frames per second where the file says so; ``size`` (height, width) before the crop ``box``; ``notes``, a
    sentence for each thing that a reader should know of how it was read.
    """

    frames: Image
    numbers: NDArray[np.int64]
    fps: float | None
    size: tuple[int, int]
    box: Box | None
    notes: list[str] = field(default_factory=list)


def read_recording(
    path: str | Path,
    first: int | None = None,
    last: int | None = None,
    face: int | None = None,
    crop: bool = True,
    framing: Framing | None = None,
) -> Recording:
    """Read frames ``first`` .. ``last`` (inclusive; None: from the first, to the last) of a video or folder.

    With ``crop`` the face is found once and the same box, laid about it by ``framing``, cut from every frame;
    ``face`` chooses among several, 1 for the largest (None takes it and says so). Else frames stay whole.
    Raises InputError, in one sentence, for a file that is no video, for fewer than three frames or more than
    :data:`MAX_FRAMES`, for frames of several sizes, and where no face is found.
    """
    path = Path(path).expanduser()
    fps, notes = _describe(path)
    box = None
    if crop:
        found = _find_faces(path, first, last)
        box = (framing or Framing()).about(_choose(found[1], face, path, notes), found[0])
    frames, numbers, size = _read(path, first, last, box)
    return Recording(frames, numbers, fps, size, box, notes + _timing_notes(len(frames), fps))


def _describe(path: Path) -> tuple[float | None, list[str]]:
    """Frames per second, and what the video's header says that a reader should know."""
    if path.is_dir():
        return None, []
    with closing(_Video(path)) as video:
        return video.fps, video.notes()


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


def _find_faces(path: Path, first: int | None, last: int | None) -> tuple[Image, list[Box]]:
    """The first frame looked at that shows a face, and all its faces, the largest first."""
    looked = 0
    for _, image in itertools.islice(_frames(path, first, last), 0, MAX_FRAMES, _SEARCH_EVERY):
        looked += 1
        if found := face_boxes(image):
            return image, found
    if not looked:
        raise InputError(_too_few(path, 0))
    raise InputError(
        f"No face was found in {shown(path)} ({looked} of its frames were searched): it must look at the "
        "camera, upright and lit; if the frames show nothing but the face, set crop to false."
    )


def _choose(found: list[Box], face: int | None, path: Path, notes: list[str]) -> Box:
    if face is None and len(found) > 1:
        notes.append(
            f"{len(found)} faces were found and the largest is taken; face chooses another (2: the next)"
        )
    if (face or 1) > len(found):
        raise InputError(
            f"{shown(path)} shows {len(found)} face(s), so there is no face {face}: give a smaller one."
        )
    return found[(face or 1) - 1]


def _read(
    path: Path, first: int | None, last: int | None, box: Box | None
) -> tuple[Image, NDArray[np.int64], tuple[int, int]]:
    """The frames [T, H, W, 3], cropped, their numbers [T] and the size of a whole frame."""
    frames: list[Image] = []
    numbers: list[int] = []
    size: tuple[int, ...] = ()
    for number, image in _frames(path, first, last):
        size = size or image.shape[:2]
        if image.shape[:2] != size:
            raise InputError(
                f"Frame {number} of {shown(path)} is {_px(image.shape)} but the first is {_px(size)}."
            )
        frames.append(image if box is None else box.of(image).copy())
        numbers.append(number)
        if len(frames) > MAX_FRAMES or len(frames) * frames[0].nbytes > MAX_BYTES:
            raise InputError(_too_many(path, frames))
    if len(frames) < 3:
        raise InputError(_too_few(path, len(frames)))
    return np.stack(frames), np.array(numbers, np.int64), (size[0], size[1])


def _too_many(path: Path, frames: list[Image]) -> str:
    limit = f"{MAX_FRAMES} frames" if len(frames) > MAX_FRAMES else f"{MAX_BYTES / 2**30:g} GB of frames"
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


def _frames(path: Path, first: int | None, last: int | None) -> Numbered:
    """Numbers and frames from ``first`` to ``last``, decoded one after another."""
    low, high = first if first is not None else -1, last if last is not None else 2**31
    if path.is_dir():
        for number, file in index_frames(path).items():
            if low <= number <= high:
                yield number, read_frame(file)
        return
    with closing(_Video(path)) as video:
        yield from video.frames(low, high)


class _Video:
    """A video file, opened by the FFmpeg that OpenCV brings; rotation in its metadata is applied."""

    def __init__(self, path: Path):
        if not path.is_file():
            raise InputError(f"{shown(path)} does not exist: give a video file or a folder of frames.")
        if path.suffix.lower() in IMAGE_SUFFIXES:
            raise InputError(
                f"{shown(path)} is one image: give the folder that holds all frames, or a video."
            )
        self.path = path
        self.capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self.capture.isOpened():
            raise InputError(
                f"{shown(path)} cannot be opened as a video: it is damaged, or in a format that OpenCV does "
                "not decode; convert it to MP4 (H.264), or give a folder of frames."
            )
        self.capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)

    @property
    def fps(self) -> float | None:
        """Frames per second as the header says; None where it does not."""
        fps = self.capture.get(cv2.CAP_PROP_FPS)
        return round(fps, 2) if 0 < fps < 100_000 else None

    def notes(self) -> list[str]:
        """A sentence if frames are turned on reading."""
        turn = round(self.capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        return [f"turned by {turn} degrees, as its metadata ask"] if turn else []

    def frames(self, low: int, high: int) -> Numbered:
        """Numbers, from 1, and RGB frames from ``low`` to ``high``; those before are passed over."""
        for number in range(1, high + 1):
            if not self.capture.grab():
                return
            if number >= low:
                there, image = self.capture.retrieve()
                if not there:
                    raise InputError(
                        f"Frame {number} of {shown(self.path)} cannot be decoded: convert the video."
                    )
                yield number, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)

    def close(self) -> None:
        """Let the file go."""
        self.capture.release()
