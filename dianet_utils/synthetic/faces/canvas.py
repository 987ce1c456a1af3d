"""Drawing in face units: smooth shapes as arrays, the same at every pixel size.

Face units: the origin lies between the eyes and the nose's tip, ``u`` grows to the right of the image
and ``v`` down; the chin and the top of the head lie near ``v`` = 1 and -1.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]  # float32, [H, W] or [H, W, 3]; one of H and W may be 1
Points = Sequence[tuple[float, float]]

FACE_UNIT = 0.46  # of the frame's size
CENTRE = (0.5, 0.485)  # of the face in the frame, across and down


def generator(*keys: int) -> np.random.Generator:
    """Random numbers that depend on ``keys`` alone (whole numbers from 0)."""
    return np.random.default_rng(keys)


def step(x: NDArray, width: float) -> Image:
    """A soft step from 0 (``x`` well below 0) to 1, about ``width`` wide."""
    return (1 / (1 + np.exp(np.clip(-x / width, -30, 30)))).astype(np.float32)


def mix(below: NDArray, above: NDArray | float, alpha: NDArray) -> Image:
    """Paint ``above`` over ``below`` where ``alpha`` [H, W] is 1; both are [H, W, 3] or a colour."""
    return (below + alpha[..., None] * (above - below)).astype(np.float32)


def arc(start: tuple[float, float], end: tuple[float, float], bow: float) -> list[tuple[float, float]]:
    """Seven points from ``start`` to ``end`` on a parabola that bows by ``bow`` of its length."""
    (u0, v0), (u1, v1) = start, end
    t = np.linspace(0, 1, 7)
    across = 4 * bow * t * (1 - t)
    u = u0 + t * (u1 - u0) - across * (v1 - v0)
    v = v0 + t * (v1 - v0) + across * (u1 - u0)
    return list(zip(u.tolist(), v.tolist(), strict=True))


class Canvas:
    """A square of ``size`` px; ``u`` [1, size] and ``v`` [size, 1] are its pixels in face units."""

    def __init__(self, size: int):
        self.size = size
        self.unit = FACE_UNIT * size  # px per face unit
        place = (np.arange(size) + 0.5) / size
        self.u: Image = ((place - CENTRE[0]) / FACE_UNIT).astype(np.float32)[None, :]
        self.v: Image = ((place - CENTRE[1]) / FACE_UNIT).astype(np.float32)[:, None]

    @cached_property
    def across(self) -> Image:
        """Distance from the midline, ``|u|`` [1, size]."""
        return np.abs(self.u)

    def pixel(self, u: NDArray | float, v: NDArray | float) -> tuple[NDArray, NDArray]:
        """Pixel coordinates of a place in face units (the centre of the first pixel is 0)."""
        column = (np.asarray(u) * FACE_UNIT + CENTRE[0]) * self.size - 0.5
        row = (np.asarray(v) * FACE_UNIT + CENTRE[1]) * self.size - 0.5
        return column, row

    def blob(self, u: float, v: float, width: float, height: float) -> Image:
        """A Gaussian hill of height 1 at (u, v); ``width`` and ``height`` are standard deviations."""
        return np.exp(-0.5 * ((self.u - u) / width) ** 2) * np.exp(-0.5 * ((self.v - v) / height) ** 2)

    def blobs(self, u: float, v: float, width: float, height: float) -> Image:
        """A blob at (u, v) and its mirror image at (-u, v)."""
        columns = np.exp(-0.5 * ((self.u - u) / width) ** 2) + np.exp(-0.5 * ((self.u + u) / width) ** 2)
        return columns * np.exp(-0.5 * ((self.v - v) / height) ** 2)

    def stroke(self, points: Points, width: float) -> Image:
        """A soft line of height 1 through ``points``, its profile a Gaussian of sd ``width``."""
        drawn = np.zeros((self.size, self.size), np.float32)
        rows, columns = self._around(points, 4 * width)
        u, v = self.u[:, columns], self.v[rows]
        nearest = np.full((v.shape[0], u.shape[1]), np.inf, np.float32)
        for (u0, v0), (u1, v1) in pairwise(points):
            du, dv = u1 - u0, v1 - v0
            along = np.clip(((u - u0) * du + (v - v0) * dv) / (du * du + dv * dv), 0, 1)
            np.minimum(nearest, (u - u0 - along * du) ** 2 + (v - v0 - along * dv) ** 2, out=nearest)
        drawn[rows, columns] = np.exp(-0.5 * nearest / width**2)
        return drawn

    def strokes(self, points: Points, width: float) -> Image:
        """A stroke on the image's right and its mirror image on the left."""
        right = self.stroke(points, width)
        return np.maximum(right, self.stroke([(-u, v) for u, v in points], width))

    def noise(self, random: np.random.Generator, grain: float) -> Image:
        """Smooth noise of mean 0 and sd 1 whose bumps are ``grain`` face units wide."""
        cells = int(np.ceil(1 / (FACE_UNIT * grain))) + 3
        coarse = random.standard_normal((cells, cells)).astype(np.float32)
        span = (1 / (FACE_UNIT * grain)) / self.size  # cells per pixel: the same bumps at every size
        places = 1 + span * np.arange(self.size, dtype=np.float32)
        columns, rows = np.meshgrid(places, places)
        smooth = cv2.remap(coarse, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        return (smooth - smooth.mean()) / smooth.std()

    def blur(self, image: Image, width: float) -> Image:
        """Blur by a Gaussian of sd ``width`` face units."""
        return cv2.GaussianBlur(image, (0, 0), width * self.unit)

    def _around(self, points: Points, margin: float) -> tuple[slice, slice]:
        """Rows and columns of the box around ``points``, wider by ``margin`` face units."""
        u, v = np.array(points).T
        ends = np.array([-margin, margin])
        columns, rows = self.pixel(np.array([u.min(), u.max()]) + ends, np.array([v.min(), v.max()]) + ends)
        first = np.clip(np.floor([rows[0], columns[0]]), 0, self.size).astype(int)
        last = np.clip(np.ceil([rows[1], columns[1]]) + 1, 0, self.size).astype(int)
        return slice(first[0], last[0]), slice(first[1], last[1])
