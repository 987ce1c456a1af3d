"""Rectangles of images."""

from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """A rectangle of an image, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def of(self, image: np.ndarray) -> np.ndarray:
        """The part of ``image`` [H, W, ...] inside the box, as a view."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]

    def shared(self, other: "Box") -> float:
        """How much of the smaller of two boxes lies in the other, 0 to 1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        smaller = min(self.width * self.height, other.width * other.height)
        return max(across, 0) * max(down, 0) / smaller
