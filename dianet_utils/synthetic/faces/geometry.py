"""The outlines of head, lips and eyes, which relief, skin and features share."""

from typing import NamedTuple

import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image, Points, arc, step
from dianet_utils.synthetic.faces.traits import Traits


class Head(NamedTuple):
    """The head's outline: ``radius`` [H, W] is 1 on it, less inside; ``half_width`` [H, 1] of its box."""

    radius: Image
    half_width: Image


class Lips(NamedTuple):
    """Soft masks [H, W] of the lips and, in face units, the line between them [1, W] and their shape."""

    line: Image
    profile: Image  # [1, W]: 1 in the middle, 0 at the corners
    inside: Image  # [1, W]: 1 between the corners
    upper: Image
    lower: Image


class Eye(NamedTuple):
    """One eye's opening: lid edges [1, W] in face units and ``place`` [1, W] from -1 (nose) to 1 (temple)."""

    place: Image
    upper: Image
    lower: Image
    crease: Image  # the fold above the upper lid
    open: Image  # soft mask [H, W] of what shows between the lids


def head(traits: Traits, canvas: Canvas, scale: float = 1.0) -> Head:
    """The head's outline, ``scale`` times as large."""
    v = canvas.v
    jaw = 1 - traits.jaw * np.clip((v - 0.05) / 0.95, 0, 1.2) ** 1.6
    crown = 1 - 0.10 * np.clip((-v - 0.35) / 0.65, 0, 1.2) ** 2
    half_width = traits.head_width * jaw * crown
    across = (canvas.across / (half_width * scale)) ** traits.squareness
    return Head(across + (np.abs(v) / (traits.head_height * scale)) ** traits.squareness, half_width)


def lips(traits: Traits, canvas: Canvas) -> Lips:
    """The closed mouth: corners ``mouth_curve`` above the middle, a cupid's bow in the upper lip."""
    place = canvas.u / traits.mouth_width
    profile = np.clip(1 - place**2, 0, None)
    wave = 0.006 * np.cos(3 * place) * profile
    line = traits.mouth_y + traits.mouth_curve * (0.4 - place**2) + wave
    top = (
        line - traits.upper_lip * profile**0.8 + traits.cupid_bow * np.exp(-0.5 * (place / 0.16) ** 2) - 0.003
    )
    bottom = line + traits.lower_lip * profile**0.62 + 0.003
    inside = step(1.02 - np.abs(place), 0.02)
    upper = step(canvas.v - top, 0.006) * step(line - canvas.v, 0.004) * inside
    lower = step(canvas.v - line, 0.004) * step(bottom - canvas.v, 0.008) * inside
    return Lips(line, profile, inside, upper, lower)


def eye(traits: Traits, canvas: Canvas, side: int, openness: float) -> Eye:
    """One eye, ``side`` 1 on the image's right and -1 on its left; ``openness`` 1 open, 0 closed."""
    place = side * (canvas.u - side * traits.eye_x) / traits.eye_width
    profile = np.clip(1 - place**2, 0, None)
    middle = traits.eye_y - 0.6 * traits.eye_tilt * place
    lift = openness - 0.42 * (1 - openness)  # a closed upper lid reaches below the middle
    upper = middle - traits.eye_height * lift * profile**0.75
    lower = middle + traits.eye_height * 0.46 * profile**0.9
    crease = middle - traits.eye_height * 1.38 * np.clip(1 - (place / 1.15) ** 2, 0, None) ** 0.75
    shown = step(canvas.v - upper, 0.006) * step(lower - canvas.v, 0.006) * step(1 - np.abs(place), 0.02)
    return Eye(place, upper, lower, crease, shown)


def nasolabial_fold(traits: Traits) -> Points:
    """The fold from the nostril past the mouth's corner, on the image's right."""
    return [
        (0.15, traits.nose_y - 0.03),
        (0.205, traits.nose_y + 0.07),
        (0.255, traits.mouth_y - 0.09),
        (0.285, traits.mouth_y + 0.01),
    ]


def forehead_line(number: int) -> Points:
    """One of the lines across the forehead, from the lowest (0) up."""
    height = -0.44 - 0.055 * number
    return arc((-0.33, height), (0.33, height), -0.05)
