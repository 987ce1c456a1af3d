"""What is drawn on the lit skin: nostrils, the mouth's line, brows and eyes."""

import cv2
import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image, generator, mix, step
from dianet_utils.synthetic.faces.geometry import Eye, Lips, eye
from dianet_utils.synthetic.faces.traits import Traits

IRIS, PUPIL = 0.062, 0.026  # radii in face units
SCLERA = (0.84, 0.81, 0.78)
SIDES = (-1, 1)


def shadows(traits: Traits, canvas: Canvas, lips: Lips) -> Image:
    """How much darker the skin is in nostrils, beside them and between the lips: [H, W] from 0 to 1."""
    y = traits.nose_y
    nostrils = 0.80 * canvas.blobs(traits.nose_width * 0.44, y + 0.048, 0.027, 0.012)
    wings = [(1.02, -0.035), (1.12, 0.01), (0.95, 0.05)]
    sides = 0.22 * canvas.strokes([(traits.nose_width * u, y + v) for u, v in wings], 0.010)
    under = 0.16 * canvas.blob(0, y + 0.065, 0.085, 0.018)
    between = 0.70 * np.exp(-0.5 * ((canvas.v - lips.line) / 0.0065) ** 2) * lips.inside
    corner_y = traits.mouth_y - 0.6 * traits.mouth_curve
    corners = 0.25 * canvas.blobs(traits.mouth_width, corner_y, 0.016, 0.013)
    return 1 - (1 - np.clip(nostrils + sides + under, 0, 0.9)) * (1 - between) * (1 - np.clip(corners, 0, 1))


def lid_creases(traits: Traits, canvas: Canvas) -> Image:
    """The folds above both eyes: how much darker [H, W]."""
    folds = np.zeros((canvas.size, canvas.size), np.float32)
    for side in SIDES:
        one = eye(traits, canvas, side, 1.0)
        folds += (
            0.22
            * np.exp(-0.5 * ((canvas.v - one.crease) / 0.009) ** 2)
            * step(1.12 - np.abs(one.place), 0.05)
        )
    return folds


def brows(traits: Traits, seed: int, canvas: Canvas) -> Image:
    """Both brows, hair by hair: cover [H, W] from 0 to 1."""
    random = generator(seed, 3)
    cover = np.zeros((canvas.size, canvas.size), np.float32)
    count = int(200 + 2500 * traits.brow_thickness)
    for side in SIDES:
        along = random.random(count) ** 0.9
        u = side * (traits.eye_x * 0.36 + along * traits.brow_width * 2.0)
        v = _brow_line(traits, along) + random.normal(0, 0.5, count) * _brow_thickness(traits, along)
        angle = -1.15 + 1.35 * along + random.normal(0, 0.18, count)
        length = random.uniform(0.03, 0.06, count)
        start = canvas.pixel(u, v)
        end = canvas.pixel(u + side * np.cos(angle) * length, v + np.sin(angle) * length)
        _draw_hairs(cover, np.column_stack([*start, *end]), random.uniform(0.35, 0.9, count))
    return np.clip(canvas.blur(cover, 0.0057) * 1.15, 0, 0.92)


def paint_eyes(
    image: Image, traits: Traits, seed: int, canvas: Canvas, light: Image, openness: float
) -> Image:
    """Paint both eyes, ``openness`` 1 open to 0 closed, over ``image`` [H, W, 3] lit by ``light`` [H, W]."""
    random = generator(seed, 4)
    for side in SIDES:
        shape = eye(traits, canvas, side, openness)
        gaze = side * traits.eye_x + random.normal(0, 0.004)
        ball = _eyeball(traits, canvas, shape, gaze) * (0.55 + 0.5 * np.clip(light, 0, 1.1))[..., None]
        image = mix(image, ball, shape.open)
        image = mix(image, 0.35 * np.array(traits.hair, np.float32), 0.9 * lashes(canvas, shape))
    return image


def lashes(canvas: Canvas, shape: Eye) -> Image:
    """Lashes along one eye's lids: cover [H, W] from 0 to 1."""
    width = 0.009 + 0.004 * np.clip(shape.place, 0, 1)
    within = np.abs(shape.place)
    upper = 0.92 * np.exp(-0.5 * ((canvas.v - shape.upper + 0.002) / width) ** 2) * step(1.05 - within, 0.03)
    lower = 0.35 * np.exp(-0.5 * ((canvas.v - shape.lower - 0.003) / 0.006) ** 2) * step(0.98 - within, 0.03)
    return np.maximum(upper, lower)


def _eyeball(traits: Traits, canvas: Canvas, shape: Eye, gaze: float) -> Image:
    """Sclera, iris, pupil and a highlight [H, W, 3]; the upper lid throws a shadow."""
    gaze_v = traits.eye_y - 0.012
    from_gaze = np.sqrt((canvas.u - gaze) ** 2 + (canvas.v - gaze_v) ** 2)
    shadow = np.clip(0.62 + (canvas.v - shape.upper) / 0.05, 0.45, 1)
    white = (1 - 0.30 * np.clip(shape.place**2, 0, 1)) * shadow
    colour = white[..., None] * np.array(SCLERA, np.float32)
    ring = from_gaze / IRIS
    pattern = 0.80 + 0.40 * np.clip(ring, 0, 1) - 0.60 * np.clip((ring - 0.8) / 0.2, 0, 1)
    iris = (pattern * np.clip(shadow + 0.2, 0, 1))[..., None] * np.array(traits.iris, np.float32)
    colour = mix(colour, iris, step(IRIS - from_gaze, 0.005))
    colour = mix(colour, 0.03, step(PUPIL - from_gaze, 0.004))
    glint = canvas.blob(gaze - 0.022 + 0.03 * np.sin(traits.light_across), gaze_v - 0.020, 0.009, 0.009)
    return colour + 0.75 * glint[..., None]


def _brow_line(traits: Traits, along: np.ndarray) -> np.ndarray:
    """Height of the brow's middle from its inner (0) to its outer end (1)."""
    arch = traits.brow_arch * np.sin(np.pi * np.clip(along * 1.05, 0, 1) ** 1.25)
    return traits.brow_y - arch + traits.brow_tilt * (along - 0.5) + 0.012


def _brow_thickness(traits: Traits, along: np.ndarray) -> np.ndarray:
    return traits.brow_thickness * (1.15 - 0.75 * along**1.5)


def _draw_hairs(cover: Image, ends: np.ndarray, strengths: np.ndarray) -> None:
    """Draw lines [n, (x0, y0, x1, y1)] px into ``cover``, to a sixteenth of a pixel."""
    thickness = max(1, round(cover.shape[0] / 384))
    for (x0, y0, x1, y1), strength in zip(
        np.rint(ends * 16).astype(int).tolist(), strengths.tolist(), strict=True
    ):
        cv2.line(cover, (x0, y0), (x1, y1), strength, thickness, cv2.LINE_AA, 4)
