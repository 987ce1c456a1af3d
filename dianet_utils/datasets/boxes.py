"""Rectangles of images, and how much the parts of a face count in one."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt


class Box(NamedTuple):
    """A rectangle of an image, in pixels, turned clockwise by ``tilt`` degrees about its centre."""

    x: int
    y: int
    width: int
    height: int
    tilt: float = 0.0

    def of(self, image: np.ndarray) -> np.ndarray:
        """The part of ``image`` [H, W, ...] inside the box: a view, or where it is tilted, turned upright."""
        if not self.tilt:
            return image[self.y : self.y + self.height, self.x : self.x + self.width]
        return cv2.warpAffine(
            image, self._upright(), (self.width, self.height), borderMode=cv2.BORDER_REPLICATE
        )

    def _upright(self) -> np.ndarray:
        """The affine map [2, 3] from the image to the upright box."""
        centre = self.x + (self.width - 1) / 2, self.y + (self.height - 1) / 2
        turn = cv2.getRotationMatrix2D(centre, self.tilt, 1.0)
        turn[:, 2] -= self.x, self.y
        return turn

    def shared(self, other: "Box") -> float:
        """How much of the smaller of two boxes lies in the other, 0 to 1; their tilt is passed over."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        smaller = min(self.width * self.height, other.width * other.height)
        return max(across, 0) * max(down, 0) / smaller


def face_weight(size: int) -> npt.NDArray[np.float32]:
    """How much each pixel of a square face crop counts, from 0 to 1: [size, size].

    A soft oval about the face without a soft band across the eyes, in the proportions of a crop from above
    the brows to below the chin. Assumed for every dataset; it was fitted to none of the licensed ones.
    """
    down, right = np.mgrid[0:size, 0:size] / (size - 1)
    oval = np.exp(-(((down - 0.52) / 0.36) ** 4) - ((right - 0.5) / 0.30) ** 4)
    eyes = np.exp(-(((down - 0.43) / 0.07) ** 4))
    return (oval * (1 - eyes)).astype(np.float32)
