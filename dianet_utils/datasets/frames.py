"""From a clip's folder to its frames: which file is which frame, reading, and one face crop a clip."""

import contextlib
import functools
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from dianet_utils.errors import InputError
from dianet_utils.files import shown

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}
# Faces are looked for in an image of this length: enough for the detector's 24 px window.
_SEARCH_LENGTH = 480
# The detector's square ends above the chin; this much larger it holds brows, mouth and chin.
_MARGIN = 1.2


class Box(NamedTuple):
    """A rectangle of an image, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def of(self, image: np.ndarray) -> np.ndarray:
        """The part of ``image`` [H, W, ...] inside the box, as a view."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


def frame_number(name: str) -> int | None:
    """The number of the frame in a file's name, or None for a file that is no frame.

    It is the integer at the end of the stem whatever stands before it and however it is padded:
    img46.jpg, reg_img46.jpg, 006_05562.jpg and 1.jpg are frames 46, 46, 5562 and 1.
    """
    stem, suffix = os.path.splitext(name)
    number = re.search(r"(\d+)$", stem)
    if number is None or suffix.lower() not in IMAGE_SUFFIXES or name.startswith("."):
        return None
    return int(number.group(1))


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

    Raises InputError naming the file if it is missing, empty, cut short or no image.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"Cannot read the frame {shown(path)}: {error.strerror}.") from None
    image = None
    if content and not _cut_short(content):
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        fault = "is empty" if not content else "is damaged or no image"
        raise InputError(f"The frame {shown(path)} {fault}: restore it from the release.")
    return image


def _cut_short(content: bytes) -> bool:
    """Whether a JPEG ends before its end marker; the decoder would fill the rest with grey in silence."""
    return content.startswith(b"\xff\xd8") and b"\xff\xd9" not in content[-256:]


def clip_frames(clip: pd.Series, first: int, last: int) -> list[Path]:
    """The files of a clip's frames ``first`` .. ``last`` (inclusive), in order, where they exist."""
    return [path for number, path in index_frames(clip["frames"]).items() if first <= number <= last]


@functools.cache
def _cascade() -> Any:
    """Scikit-image's frontal face detector: local binary patterns, shipped with the library."""
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(str(lbp_frontal_face_cascade_filename()))


def face_box(image: np.ndarray) -> Box:
    """The square around the largest face of ``image`` (RGB uint8 [H, W, 3]), inside the image.

    Raises InputError if no face is found.
    """
    height, width = image.shape[:2]
    scale = _SEARCH_LENGTH / max(height, width)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = _cascade().detect_multi_scale(
        grey, scale_factor=1.1, step_ratio=1, min_size=(48, 48), max_size=grey.shape
    )
    if not found:
        raise InputError(f"No face was found in an image of {width} x {height} pixels.")
    face = max(found, key=lambda box: box["width"])
    size = min(round(face["width"] * _MARGIN / scale), height, width)
    centre = [(face[corner] + face["width"] / 2) / scale for corner in ("c", "r")]
    x, y = (
        int(np.clip(round(middle - size / 2), 0, length - size))
        for middle, length in zip(centre, (width, height), strict=True)
    )
    return Box(x, y, size, size)


def clip_box(clip: pd.Series) -> Box | None:
    """The one crop of all frames of a clip, or None where the release has cropped them.

    The face is found once: a crop of its own for each frame would jump by a pixel or two and so add
    motion of the size of a micro-expression. It is looked for in the onset frame, and only where that
    shows none in the apex and the offset frame. Raises InputError if none of them shows a face.
    """
    if clip["crop"] == "none":
        return None
    files = index_frames(clip["frames"])
    for wanted in (int(clip[name]) for name in ("onset", "apex", "offset")):
        nearest = next((path for number, path in files.items() if number >= wanted), None)
        if nearest is not None:
            image = read_frame(nearest)
            with contextlib.suppress(InputError):
                return face_box(image)
    raise InputError(f"No face was found in the onset, apex or offset frame in {shown(clip['frames'])}.")
