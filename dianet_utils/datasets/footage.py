"""Frames by their number from a video file or a folder, and which of a video's frames are lost."""

from collections.abc import Collection, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dianet_utils.datasets.frames import IMAGE_SUFFIXES, index_frames, read_frame
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

_GONE = 200  # frames in a row that cannot be read: what follows is given up

Image = NDArray[np.uint8]


class Folder:
    """A folder with one file per frame."""

    fps = None

    def __init__(self, path: Path):
        self.files = index_frames(path)

    def numbers(self) -> Iterator[int]:
        """The frames' numbers, as in the files' names, rising."""
        yield from self.files

    def frames(self, wanted: Collection[int]) -> Iterator[tuple[int, Image]]:
        """Numbers and RGB frames of those that are wanted."""
        for number in sorted(wanted):
            yield number, read_frame(self.files[number])

    def notes(self) -> list[str]:
        """Nothing that a reader should know."""
        return []

    def lost(self, first: int, last: int, read: Collection[int]) -> list[str]:
        """No header promises frames."""
        return []


class Video:
    """A video file, opened by the FFmpeg that OpenCV brings; rotation in its metadata is applied.

    Frames are numbered from 1 as they lie in the file. One that cannot be decoded keeps its number.
    """

    def __init__(self, path: Path):
        if not path.is_file():
            raise InputError(f"{shown(path)} does not exist: give a video file or a folder of frames.")
        if path.suffix.lower() in IMAGE_SUFFIXES:
            raise InputError(
                f"{shown(path)} is one image: give the folder that holds all frames, or a video."
            )
        self.path = path
        capture = self._open()
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = round(fps, 2) if 0 < fps < 100_000 else None
        self.promised = max(round(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        self.turn = round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise InputError(
                f"{shown(self.path)} cannot be opened as a video: it is damaged, or in a format that OpenCV "
                "does not decode; convert it to MP4 (H.264), or give a folder of frames."
            )
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        return capture

    def notes(self) -> list[str]:
        """A sentence if frames are turned on reading."""
        return [f"turned by {self.turn} degrees, as its metadata ask"] if self.turn else []

    def numbers(self) -> Iterator[int]:
        """The numbers, from 1, of the frames that can be decoded."""
        for number, _ in self._grabbed():
            yield number

    def frames(self, wanted: Collection[int]) -> Iterator[tuple[int, Image]]:
        """Numbers and RGB frames of those that are wanted; the others are passed over."""
        last = max(wanted, default=0)
        for number, capture in self._grabbed():
            if number in wanted:
                there, image = capture.retrieve()
                if not there:
                    raise InputError(
                        f"Frame {number} of {shown(self.path)} cannot be decoded: convert the video."
                    )
                yield number, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            if number >= last:
                return

    def _grabbed(self) -> Iterator[tuple[int, cv2.VideoCapture]]:
        """Go from frame to frame, also past damaged ones: a grab that fails has passed over one."""
        capture = self._open()
        try:
            number = failed = 0
            while failed < _GONE:
                number += 1
                failed = 0 if capture.grab() else failed + 1
                if not failed:
                    yield number, capture
                elif number >= self.promised:
                    return
        finally:
            capture.release()

    def lost(self, first: int, last: int, read: Collection[int]) -> list[str]:
        """A sentence if frames of ``first`` .. ``last`` that the header promises are not among those read."""
        promised = range(max(first, 1), min(last, self.promised) + 1)
        missing = sorted(set(promised) - set(read))
        if not missing:
            return []
        return [
            f"damaged or cut short: of {len(promised)} frames promised {len(promised) - len(missing)} could "
            f"be read; lost: {_ranges(missing)}; the others keep their numbers"
        ]


def _ranges(numbers: list[int]) -> str:
    """Rising numbers in short: 3, 7-9."""
    ends = [number for number in numbers if number + 1 not in numbers]
    starts = [number for number in numbers if number - 1 not in numbers]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
