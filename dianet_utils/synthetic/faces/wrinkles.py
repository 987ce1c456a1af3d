"""How the skin folds as it moves: furrows and bulges of each action unit, per px of motion."""

from typing import NamedTuple

import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image, Points, arc
from dianet_utils.synthetic.faces.traits import Traits


class Furrow(NamedTuple):
    """A fold along a line on the image's right (and mirrored): ``depth`` in face units per px."""

    points: Points
    width: float
    depth: float


class Bulge(NamedTuple):
    """A hill (or, with a negative height, a hollow) on the image's right (and mirrored)."""

    u: float
    v: float
    width: float
    height: float
    rise: float


def folds(unit: int, traits: Traits) -> list[Furrow | Bulge]:
    """The furrows and bulges that come with 1 px (of a 192 px frame) of the unit's motion."""
    t = traits
    eye_x, eye_y, brow_y = t.eye_x, t.eye_y, t.brow_y
    nose_y, mouth_x, mouth_y, chin_y = t.nose_y, t.mouth_width, t.mouth_y, t.chin_y
    beside_nose: Points = [(0.15, nose_y - 0.03), (0.20, nose_y + 0.07)]
    match unit:
        case 1:
            return [
                Furrow(arc((0, -0.42 - h), (0.22, -0.44 - h), -0.05), 0.010, 0.0030) for h in (0, 0.05, 0.10)
            ]
        case 2:
            return [
                Furrow(arc((0.20, -0.45 - h), (0.47, -0.42 - h), 0.08), 0.010, 0.0028)
                for h in (0, 0.05, 0.10)
            ]
        case 4:
            frown = [(0.042, brow_y - 0.06), (0.036, brow_y + 0.06)]
            return [Furrow(frown, 0.010, 0.0050), Bulge(0.095, brow_y + 0.01, 0.04, 0.05, 0.006)]
        case 5:
            return [Bulge(eye_x, eye_y - 1.4 * t.eye_height, 0.1, 0.02, -0.0015)]
        case 6:
            return [
                Bulge(0.34, 0.05, 0.11, 0.05, 0.007),
                *_crows_feet(t),
                Furrow(_under_eye(t, 0.12, 0.10), 0.010, 0.003),
            ]
        case 7:
            lid = Bulge(eye_x, eye_y + 0.085, 0.10, 0.022, 0.004)
            return [lid, Furrow(_under_eye(t, 0.11, 0.11), 0.008, 0.002)]
        case 9:
            bridge = [
                Furrow([(0, eye_y - 0.06 + 0.04 * k), (0.07, eye_y - 0.04 + 0.045 * k)], 0.008, 0.0038)
                for k in range(3)
            ]
            return [*bridge, Furrow(beside_nose, 0.017, 0.004)]
        case 10:
            fold = Furrow([*beside_nose, (0.235, mouth_y - 0.10)], 0.019, 0.0055)
            return [fold, Bulge(0.22, nose_y, 0.05, 0.05, 0.004)]
        case 12:
            line = [(0.17, nose_y), (0.215, nose_y + 0.07), (0.265, mouth_y - 0.09), (0.295, mouth_y - 0.01)]
            cheek, corner = (
                Bulge(0.36, 0.22, 0.09, 0.08, 0.007),
                Bulge(mouth_x + 0.02, mouth_y - 0.005, 0.02, 0.02, -0.004),
            )
            return [Furrow(line, 0.019, 0.0065), cheek, corner]
        case 14:
            dimple = Bulge(mouth_x + 0.035, mouth_y, 0.020, 0.035, -0.008)
            return [dimple, Bulge(mouth_x + 0.10, mouth_y, 0.03, 0.06, 0.004)]
        case 15:
            line = [(mouth_x + 0.01, mouth_y + 0.01), (mouth_x + 0.03, mouth_y + 0.09)]
            return [Furrow(line, 0.013, 0.005), Bulge(0.12, mouth_y + 0.16, 0.06, 0.04, 0.003)]
        case 17:
            line = arc((0, mouth_y + 0.145), (0.13, mouth_y + 0.17), 0.2)
            places = ((0.03, -0.02, 0.0035), (0.09, -0.05, 0.0035), (0.06, 0.0, -0.0035))
            dimples = [Bulge(u, chin_y + v, 0.016, 0.016, rise) for u, v, rise in places]
            return [Furrow(line, 0.014, 0.003), Bulge(0.05, chin_y - 0.04, 0.08, 0.06, 0.005), *dimples]
        case 20:
            return [
                Furrow([(mouth_x + 0.05, mouth_y - 0.05), (mouth_x + 0.06, mouth_y + 0.06)], 0.012, 0.004)
            ]
        case 23:
            return [Bulge(0.05, mouth_y + v, 0.12, 0.015, -0.003) for v in (-0.075, 0.10)]
        case 25:
            return [Bulge(0, mouth_y + 0.01, 0.11, 0.014, -0.0015)]
    raise KeyError(unit)


def relief_change(unit: int, traits: Traits, canvas: Canvas) -> Image:
    """Change of height [H, W], face units per px (of a 192 px frame) of the unit's motion."""
    change = np.zeros((canvas.size, canvas.size), np.float32)
    for fold in folds(unit, traits):
        if isinstance(fold, Furrow):
            change -= fold.depth * canvas.strokes(fold.points, fold.width)
        else:
            change += fold.rise * canvas.blobs(fold.u, fold.v, fold.width, fold.height)
    return change


def _crows_feet(traits: Traits) -> list[Furrow]:
    """Three lines that fan out from the eye's outer corner."""
    u, v = traits.eye_x + traits.eye_width, traits.eye_y
    return [
        Furrow([(u + 0.03, v + o), (u + 0.12, v + 2.2 * o - 0.01)], 0.008, 0.003) for o in (-0.035, 0.0, 0.04)
    ]


def _under_eye(traits: Traits, half: float, below: float) -> Points:
    """A line under the eye."""
    u, v = traits.eye_x, traits.eye_y + below
    return arc((u - half, v), (u + half, v), 0.12)
