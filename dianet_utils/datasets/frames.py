"""From a clip's folder to its frames: which file is which frame, reading, and one face crop per clip."""

import contextlib
import os
import re
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd

from dianet_utils.datasets import face_finder
from dianet_utils.datasets.boxes import Box
from dianet_utils.datasets.decoding import decode, read_file
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}
_FRAME = re.compile(rf"(?!\.).*?(\d+)({'|'.join(map(re.escape, IMAGE_SUFFIXES))})", re.IGNORECASE)


def frame_number(name: str) -> int | None:
    """The number of the frame in a file's name, or None for a file that is no frame.

    It is the integer at the end of the stem whatever stands before it and however it is padded:
    img46.jpg, reg_img46.jpg, 006_05562.jpg and 1.jpg are frames 46, 46, 5562 and 1.
    """
    found = _FRAME.fullmatch(name)
    return int(found.group(1)) if found else None


def index_frames(folder: str | Path) -> dict[int, Path]:
    """The frames of a folder in rising order: number -> file. Files that are no frames are passed over.

    Raises InputError if the folder is not there or two files claim one number.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        raise InputError(f"Cannot list the frames in {shown(folder)}: {error.strerror}.") from None
    index: dict[int, Path] = {}
    place = Path(folder)
    for name in names:
        number = frame_number(name)
        if number is None:
            continue
        if number in index:
            raise InputError(
                f"{shown(folder)} has two files for frame {number}, {index[number].name} and "
                f"{name}: remove one."
            )
        index[number] = place / name
    return dict(sorted(index.items()))


def read_frame(path: str | Path) -> np.ndarray:
    """One frame as RGB uint8 [H, W, 3]; a grey file gives three equal channels.

    Raises InputError naming the file if it is missing, or of no use for a reason of ``decoding.decode``.
    """
    try:
        return decode(read_file(path))
    except OSError as error:
        raise InputError(f"Cannot read the frame {shown(path)}: {error.strerror}.") from None
    except (ValueError, cv2.error) as error:
        fault = str(error) if isinstance(error, ValueError) else "is damaged: restore it from the release"
        raise InputError(f"The frame {shown(path)} {fault}.") from None


def clip_frames(clip: pd.Series, first: int, last: int) -> list[Path]:
    """The files of a clip's frames ``first`` .. ``last`` (inclusive), in order, where they exist."""
    return [path for number, path in index_frames(clip["frames"]).items() if first <= number <= last]


def face_box(image: np.ndarray) -> Box:
    """The square around the largest face of ``image`` (RGB uint8 [H, W, 3]), inside the image.

    Raises NoFaceError if no face is found that is certain.
    """
    certain = [one.box for one in face_finder.find(image) if one.confidence >= face_finder.CERTAIN]
    if not certain:
        height, width = image.shape[:2]
        raise NoFaceError(f"No face was found in an image of {width} x {height} pixels.")
    return certain[0]


class NoFaceError(InputError):
    """Frames can be read, and none of them shows a face for certain."""


class Framing(NamedTuple):
    """How a dataset's frames lie about the face in them, in sides of the square that :func:`face_box` finds.

    ``left`` and ``top`` are the frame's corner seen from the square's, ``width`` and ``height`` its size.
    """

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def about(self, face: Box, image: np.ndarray) -> Box:
        """The rectangle that lies about ``face`` in this way, moved and cut so that ``image`` holds it.

        It keeps the face's tilt.
        """
        sides = []
        for start, offset, length, limit in (
            (face.x, self.left, self.width, image.shape[1]),
            (face.y, self.top, self.height, image.shape[0]),
        ):
            size = min(round(length * face.width), limit)
            sides.append((int(np.clip(round(start + offset * face.width), 0, limit - size)), size))
        (x, width), (y, height) = sides
        return Box(x, y, width, height, face.tilt)


def framing_of(clips: pd.DataFrame) -> Framing | None:
    """How a dataset frames its faces: the median over its subjects, from the onset frame of a clip of each.

    Where the face is still to be found in each clip, the crop *is* the square. None if the frames are cropped
    and a face is found in none of them.
    """
    if (clips["crop"] != "none").any():
        return Framing()
    found = []
    for _, clip in clips.groupby("subject").head(1).iterrows():
        image = read_frame(index_frames(clip["frames"])[int(clip["onset"])])
        with contextlib.suppress(InputError):
            face = face_box(image)
            height, width = image.shape[:2]
            found.append(np.array([-face.x, -face.y, width, height]) / face.width)
    return Framing(*(round(float(value), 3) for value in np.median(found, axis=0))) if found else None


def clip_box(clip: pd.Series) -> Box | None:
    """The one crop of all frames of a clip, or None where the release has cropped them.

    With crop "aligned" it is tilted so that the eyes lie level.

    A crop of its own for each frame would jump by a pixel or two and so add motion of the size of a
    micro-expression. So the face is looked for in a few frames from onset to offset, and the median of
    what is found there is the crop of all. Raises NoFaceError if none of them shows a face for certain.
    """
    if clip["crop"] == "none":
        return None
    files = clip_frames(clip, int(clip["onset"]), int(clip["offset"]))
    found = face_finder.steady([read_frame(path) for path in face_finder.spread(files)])
    if not found or found[0].confidence < face_finder.CERTAIN:
        raise NoFaceError(f"No face was found between onset and offset in {shown(clip['frames'])}.")
    return found[0].upright if clip["crop"] == "aligned" else found[0].box
