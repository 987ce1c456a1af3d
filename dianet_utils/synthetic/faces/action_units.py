"""The motion of each action unit: a few anatomically placed pulls on the skin.

A pull moves the skin about a landmark and fades with distance as a Gaussian does. Names, muscles and
directions follow the facial action coding system (Ekman, Friesen & Hager 2002).
"""

from typing import NamedTuple

import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image
from dianet_utils.synthetic.faces.traits import Traits


class Pull(NamedTuple):
    """Motion about a landmark: outward (from the midline) and down, fading over width and height."""

    landmark: str
    outward: float
    down: float
    width: float
    height: float


class Unit(NamedTuple):
    """One action unit: its name in the coding system and its pulls on either side of the face."""

    name: str
    pulls: tuple[Pull, ...]


UNITS: dict[int, Unit] = {
    1: Unit(
        "inner brow raiser",
        (Pull("inner brow", 0, -1, 0.095, 0.10), Pull("inner forehead", -0.05, -0.45, 0.12, 0.12)),
    ),
    2: Unit(
        "outer brow raiser",
        (
            Pull("outer brow", 0, -1, 0.12, 0.10),
            Pull("outer forehead", 0, -0.45, 0.12, 0.12),
            Pull("middle brow", 0, -0.35, 0.09, 0.08),
        ),
    ),
    4: Unit(
        "brow lowerer",
        (
            Pull("inner brow", -0.75, 0.85, 0.10, 0.09),
            Pull("middle brow", -0.35, 0.6, 0.10, 0.08),
            Pull("inner forehead", -0.15, 0.35, 0.10, 0.12),
        ),
    ),
    5: Unit("upper lid raiser", (Pull("upper lid", 0, -1, 0.105, 0.040),)),
    6: Unit(
        "cheek raiser",
        (
            Pull("cheek", -0.1, -0.9, 0.15, 0.12),
            Pull("below eye", -0.1, -0.7, 0.12, 0.07),
            Pull("lower lid", 0, -0.35, 0.10, 0.04),
        ),
    ),
    7: Unit(
        "lid tightener", (Pull("lower lid", -0.1, -0.9, 0.10, 0.045), Pull("upper lid", 0, 0.45, 0.10, 0.04))
    ),
    9: Unit(
        "nose wrinkler",
        (
            Pull("side of nose", 0.1, -1, 0.06, 0.10),
            Pull("nostril", 0.15, -0.8, 0.06, 0.06),
            Pull("inner brow", -0.2, 0.35, 0.08, 0.08),
            Pull("nasolabial fold", 0, -0.3, 0.07, 0.08),
        ),
    ),
    10: Unit(
        "upper lip raiser",
        (
            Pull("upper lip", 0, -1, 0.11, 0.05),
            Pull("nasolabial fold", 0.1, -0.6, 0.08, 0.09),
            Pull("nostril", 0.15, -0.35, 0.06, 0.05),
        ),
    ),
    12: Unit(
        "lip corner puller",
        (
            Pull("lip corner", 0.8, -0.75, 0.09, 0.085),
            Pull("nasolabial fold", 0.3, -0.45, 0.10, 0.10),
            Pull("cheek", 0.05, -0.45, 0.14, 0.11),
        ),
    ),
    14: Unit(
        "dimpler",
        (
            Pull("lip corner", 0.75, 0, 0.055, 0.07),
            Pull("beside mouth", -0.45, 0, 0.09, 0.11),
            Pull("below mouth", 0.1, -0.25, 0.07, 0.07),
        ),
    ),
    15: Unit(
        "lip corner depressor",
        (Pull("lip corner", 0.15, 1, 0.085, 0.075), Pull("below mouth", 0.05, 0.6, 0.09, 0.09)),
    ),
    17: Unit("chin raiser", (Pull("chin", 0, -1, 0.16, 0.10), Pull("lower lip", 0, -0.75, 0.12, 0.05))),
    20: Unit(
        "lip stretcher", (Pull("lip corner", 1, 0.2, 0.10, 0.09), Pull("below mouth", 0.5, 0.15, 0.10, 0.10))
    ),
    23: Unit(
        "lip tightener",
        (
            Pull("upper lip", 0, 0.55, 0.13, 0.04),
            Pull("lower lip", 0, -0.6, 0.13, 0.04),
            Pull("lip corner", -0.35, 0, 0.06, 0.05),
        ),
    ),
    25: Unit(
        "lips part",
        (
            Pull("lower lip", 0, 0.9, 0.13, 0.055),
            Pull("upper lip", 0, -0.35, 0.12, 0.04),
            Pull("chin", 0, 0.35, 0.15, 0.10),
        ),
    ),
}


def landmarks(traits: Traits) -> dict[str, tuple[float, float]]:
    """Where the muscles pull on the image's right side: name -> (u, v) in face units."""
    t = traits
    return {
        "inner brow": (t.eye_x * 0.45, t.brow_y),
        "middle brow": (t.eye_x * 0.95, t.brow_y - t.brow_arch * 0.8),
        "outer brow": (t.eye_x * 0.36 + t.brow_width * 1.75, t.brow_y - t.brow_arch * 0.5),
        "inner forehead": (0.15, -0.45),
        "outer forehead": (0.36, -0.44),
        "upper lid": (t.eye_x, t.eye_y - t.eye_height),
        "lower lid": (t.eye_x, t.eye_y + t.eye_height * 0.6),
        "below eye": (t.eye_x * 1.05, t.eye_y + 0.17),
        "cheek": (0.37, 0.17),
        "side of nose": (0.085, t.nose_y - 0.13),
        "nostril": (t.nose_width * 0.95, t.nose_y + 0.01),
        "nasolabial fold": (0.235, t.mouth_y - 0.13),
        "upper lip": (0.09, t.mouth_y - t.upper_lip * 0.7),
        "lower lip": (0.09, t.mouth_y + t.lower_lip * 0.7),
        "lip corner": (t.mouth_width, t.mouth_y),
        "beside mouth": (t.mouth_width + 0.16, t.mouth_y),
        "below mouth": (t.mouth_width, t.mouth_y + 0.13),
        "chin": (0.07, t.chin_y - 0.03),
    }


def motion_field(unit: int, traits: Traits, canvas: Canvas) -> Image:
    """Displacement [H, W, 2] of one action unit on both sides, x right, y down; its largest length is 1."""
    places = landmarks(traits)
    right = np.zeros((canvas.size, canvas.size), np.float32)
    down = np.zeros_like(right)
    for pull in UNITS[unit].pulls:
        u, v = places[pull.landmark]
        fade_right = canvas.blob(u, v, pull.width, pull.height)
        fade_left = fade_right[:, ::-1]  # the face, and the canvas, are symmetric about the midline
        right += pull.outward * (fade_right - fade_left)
        down += pull.down * (fade_right + fade_left)
    return np.dstack([right, down]) / np.hypot(right, down).max()
