"""What is not face: background, neck, clothes, ears and glasses."""

from typing import NamedTuple

import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image, generator, mix, step
from dianet_utils.synthetic.faces.geometry import Head
from dianet_utils.synthetic.faces.traits import Traits


class Glasses(NamedTuple):
    """A rigid frame over the face: its cover [H, W] from 0 to 1 and its colour."""

    cover: Image
    colour: tuple[float, float, float]


def background(traits: Traits, seed: int, canvas: Canvas) -> Image:
    """An even wall [H, W, 3]."""
    light = 1 + 0.06 * (canvas.v + 0.4 * canvas.u) + 0.01 * canvas.noise(generator(seed, 6), 0.2)
    return light[..., None] * np.array(traits.background, np.float32)


def paint_body(image: Image, traits: Traits, canvas: Canvas, outline: Head) -> Image:
    """Paint neck, clothes and ears over the background."""
    across, v = canvas.across, canvas.v
    skin = np.array(traits.skin, np.float32)
    half_neck = 0.60 * traits.head_width + 0.9 * np.clip(v - 0.92, 0, 1) ** 1.5
    neck = step(half_neck - across, 0.014) * step(v - 0.45, 0.02)
    round_neck = 0.55 + 0.33 * np.sqrt(np.clip(1 - (across / half_neck) ** 2, 0, 1))
    under_jaw = 0.40 * np.exp(-np.clip(outline.radius - 1, 0, None) / 0.22)
    image = mix(image, (round_neck * (1 - under_jaw))[..., None] * skin, neck)
    collar = 1.05 - 0.22 * np.clip(across - 0.30, 0, 1)
    image = mix(image, 0.75 * np.array(traits.clothes, np.float32), step(v - collar, 0.012))
    return _paint_ears(image, traits, canvas)


def _paint_ears(image: Image, traits: Traits, canvas: Canvas) -> Image:
    x, y = traits.head_width + 0.005, 0.01
    distance = ((canvas.across - x) / 0.070) ** 2 + ((canvas.v - y) / (0.165 - 0.04 * (canvas.v - y))) ** 2
    hollow = 0.30 * canvas.blobs(x + 0.012, y - 0.02, 0.024, 0.08)
    colour = (0.74 - hollow)[..., None] * np.array(traits.skin) * np.array([1.0, 0.92, 0.92])
    return mix(image, colour.astype(np.float32), step(1 - distance, 0.06))


def draw_glasses(traits: Traits, seed: int, canvas: Canvas) -> Glasses | None:
    """The subject's glasses, if any: two rims, a bridge and the temples' fronts."""
    if not traits.glasses:
        return None
    random = generator(seed, 7)
    power, colour = random.uniform(2.2, 5), random.uniform(0.04, 0.27, 3)
    x, y, width, height = traits.eye_x, traits.eye_y + 0.02, traits.eye_x * 0.66, 0.130
    across, v = canvas.across, canvas.v
    radius = (np.abs(across - x) / width) ** power + (np.abs(v - y) / height) ** power
    rims = np.exp(-0.5 * ((radius ** (1 / power) - 1) / 0.055) ** 2)
    bridge = np.exp(-0.5 * ((v - (y - 0.055 + 0.02 * (1 - np.cos(12 * across)))) / 0.011) ** 2)
    bridge = bridge * step(x - width - across, 0.01)
    temples = step(0.012 - np.abs(v - y + 0.03), 0.004) * step(across - x - width, 0.01)
    temples = temples * step(traits.head_width * 0.99 - across, 0.01)
    cover = np.clip(1.3 * np.maximum(np.maximum(rims, bridge), temples), 0, 1)
    red, green, blue = map(float, colour)
    return Glasses(0.9 * canvas.blur(cover.astype(np.float32), 0.0052), (red, green, blue))
