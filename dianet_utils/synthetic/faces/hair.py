"""Hair: where it grows in each style, and how its strands run."""

from typing import NamedTuple

import cv2
import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image, generator, mix, step
from dianet_utils.synthetic.faces.geometry import Head, head
from dianet_utils.synthetic.faces.traits import Traits


class Style(NamedTuple):
    """One hair style."""

    volume: float  # outline of the hair beside the head's
    sides_end: float  # how far down it grows beside the face, face units
    cover: float  # 1 hides the skin
    slant: float  # of the strands


STYLES = {
    "short": Style(1.07, 0.00, 1.0, 0.10),
    "parted": Style(1.11, 0.06, 1.0, 0.55),
    "long": Style(1.15, 1.60, 1.0, 0.05),
    "shaved": Style(1.015, -0.20, 0.5, 0.0),
}


class Hair(NamedTuple):
    """Covers [H, W] behind and before the face, and the hair's colour [H, W, 3]."""

    behind: Image
    before: Image
    colour: Image


def grow_hair(traits: Traits, seed: int, canvas: Canvas, outline: Head) -> Hair:
    """The subject's hair; ``seed`` is the subject's and ``outline`` the head's."""
    random = generator(seed, 5)
    style = STYLES[traits.hair_style]
    cap = head(traits, canvas, style.volume).radius
    within = step(1 - cap, 0.03)
    hairline = traits.hairline + 0.012 * canvas.noise(random, 0.05) + _hairline_shape(traits, canvas)
    face_edge = outline.half_width * (0.90 if traits.hair_style == "long" else 0.95)
    sides = step(canvas.across - face_edge, 0.015) * step(style.sides_end - canvas.v, 0.06)
    before = np.maximum(step(hairline - canvas.v, 0.018), sides) * within * style.cover
    behind = within * step(style.sides_end - canvas.v, 0.03)
    if traits.hair_style == "long":
        behind = np.maximum(behind, _falling(traits, canvas))
        before = np.maximum(before, _falling(traits, canvas) * sides)
    return Hair(behind, before, _strand_colour(traits, style, random, canvas))


def paint_front(image: Image, hair: Hair, on_head: Image, canvas: Canvas) -> Image:
    """Paint the hair before the face, with the shadow it throws on the skin (``on_head`` [H, W])."""
    shadow = np.clip(canvas.blur(hair.before, 0.045) - hair.before, 0, 1) * on_head
    return mix(image * (1 - 0.35 * shadow)[..., None], hair.colour, hair.before)


def _hairline_shape(traits: Traits, canvas: Canvas) -> Image:
    """How far the hairline lies below its middle, across the forehead [1, W]."""
    u, across = canvas.u, canvas.across
    if traits.hair_style == "parted":
        return (
            0.16 * np.clip(np.abs(u + 0.25) - 0.05, 0, 1) ** 0.8
            + 0.12 * np.clip(across - 0.35, 0, 1) * 2
            - 0.08
        )
    if traits.hair_style == "long":
        return 0.75 * np.clip(across - 0.10, 0, 1) ** 1.5 - 0.10 * np.exp(-0.5 * (u / 0.05) ** 2) - 0.04
    return 0.9 * np.clip(across - 0.36, 0, 1) ** 1.4


def _falling(traits: Traits, canvas: Canvas) -> Image:
    """Long hair that falls on both sides of face and neck."""
    outer = step(traits.head_width * 1.14 + 0.03 * np.sin(4 * canvas.v) - canvas.across, 0.02)
    inner = step(canvas.across - 0.40 - 0.25 * np.clip(0.9 - canvas.v, 0, 1), 0.03)
    return outer * step(canvas.v + 0.2, 0.1) * np.where(canvas.v > 0.4, inner, 1)


def _strand_colour(traits: Traits, style: Style, random: np.random.Generator, canvas: Canvas) -> Image:
    """Colour [H, W, 3]: fine and coarse streaks along the strands and a band of shine."""
    fan = 1.6 / np.clip(1.2 - canvas.v, 1.2, 2.2)  # strands spread from the crown down
    across = canvas.u * fan * 1.2 + style.slant * (canvas.v + 0.9) * np.sign(canvas.u + 0.25)
    streaks = 0.11 * _streaks(random, across, canvas.v, 0.010) + 0.09 * _streaks(
        random, across, canvas.v, 0.045
    )
    shine = 0.40 * canvas.blob(0.6 * np.sin(traits.light_across), -0.80, 0.32, 0.07)
    edge = 0.72 + 0.40 * step(0.70 - canvas.across, 0.10)
    brightness = np.clip((1 + streaks + shine * (1 + 2 * streaks)) * edge, 0.3, 2)
    return brightness[..., None] * np.array(traits.hair, np.float32) + 0.015


def _streaks(random: np.random.Generator, across: Image, along: Image, width: float) -> Image:
    """Noise of sd about 1, ``width`` across the strands and far longer along them."""
    cells = random.standard_normal((16, int(6 / width))).astype(np.float32)
    columns = (across + 3) / width
    rows = np.broadcast_to((along + 1.2) * 4 + 1, columns.shape)
    return cv2.remap(
        cells,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_WRAP,
    )
