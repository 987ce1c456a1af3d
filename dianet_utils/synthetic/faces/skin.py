"""The skin's colour before light falls on it: tone, mottling, blush, freckles, moles and beard."""

import cv2
import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image, generator, mix, step
from dianet_utils.synthetic.faces.geometry import Lips
from dianet_utils.synthetic.faces.traits import Traits

FRECKLES = 260  # of a face with the most


def skin_colour(traits: Traits, seed: int, canvas: Canvas, lips: Lips) -> Image:
    """Reflected part of red, green and blue light [H, W, 3]; ``seed`` is the subject's."""
    random = generator(seed, 2)
    mottling = sum(0.018 * canvas.noise(random, grain) for grain in (0.14, 0.05, 0.02))
    fine = 0.007 * canvas.noise(random, 0.006)
    colour = np.array(traits.skin, np.float32) * (1 + mottling + fine)[..., None]
    colour *= 1 - _reddening(traits, canvas)
    colour *= 1 - _shadows_of_the_eyes(traits, canvas)
    colour *= 1 - _spots(traits, random, canvas)[..., None]
    colour = _bearded(colour, traits, random, canvas)
    cover = np.clip(0.85 * lips.upper + 0.75 * lips.lower, 0, 1)
    return mix(colour, _lip_colour(traits, random, canvas), cover)


def _reddening(traits: Traits, canvas: Canvas) -> Image:
    """Cheeks and nose reflect less green and blue."""
    blush = canvas.blobs(0.40, 0.17, 0.14, 0.11) + 0.8 * canvas.blob(0, traits.nose_y, 0.08, 0.06)
    return 0.10 * blush[..., None] * np.array([0.15, 0.9, 1.0], np.float32)


def _shadows_of_the_eyes(traits: Traits, canvas: Canvas) -> Image:
    ring = canvas.blobs(traits.eye_x * 0.95, traits.eye_y + 0.01, 0.14, 0.085)
    return (0.10 + 0.10 * traits.eye_bags) * ring[..., None] * np.array([1.0, 1.0, 0.7], np.float32)


def _spots(traits: Traits, random: np.random.Generator, canvas: Canvas) -> Image:
    """Freckles about the nose and a few moles: how much darker [H, W]."""
    count = int(FRECKLES * traits.freckles)
    spots = np.zeros((canvas.size, canvas.size), np.float32)
    u, v = random.normal(0, 0.30, count), random.normal(0.08, 0.16, count)
    radii, depths = random.uniform(0.004, 0.012, count), random.uniform(0.06, 0.20, count)
    for place in zip(*canvas.pixel(u, v), radii * canvas.unit, depths, strict=True):
        column, row, radius, depth = map(float, place)
        centre = (round(column * 16), round(row * 16))
        cv2.circle(spots, centre, round(radius * 16), depth, -1, cv2.LINE_AA, shift=4)
    spots = canvas.blur(spots, 0.006)
    for _ in range(int(random.integers(1, 4))):
        mole = canvas.blob(random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.8), 0.010, 0.010)
        spots = np.maximum(spots, random.uniform(0.2, 0.6) * mole)
    return spots


def _bearded(colour: Image, traits: Traits, random: np.random.Generator, canvas: Canvas) -> Image:
    """Skin with stubble on jaw, chin and upper lip."""
    if traits.beard == 0:
        return colour
    across, v = canvas.across, canvas.v
    jaw = step(v - (0.24 + 0.33 * np.clip(1 - across / 0.62, 0, 1) ** 1.5), 0.05)
    jaw = jaw * step(across - 0.02 + (v - 0.5) * 3, 0.1)
    jaw = jaw * (1 - 0.75 * canvas.blob(0, traits.mouth_y + 0.01, 0.16, 0.055))
    moustache = 0.9 * np.exp(-0.5 * ((v - (traits.mouth_y - 0.085)) / 0.035) ** 2) * step(0.22 - across, 0.03)
    stubble = 0.60 + 0.16 * canvas.noise(random, 0.016)
    cover = np.clip(np.maximum(jaw, moustache) * traits.beard * stubble, 0, 0.8)
    return mix(colour, 0.15 * np.array(traits.skin) + 0.4 * np.array(traits.hair), 0.85 * cover)


def _lip_colour(traits: Traits, random: np.random.Generator, canvas: Canvas) -> Image:
    paler = np.array(traits.skin) * np.array([0.92, 0.62, 0.64]) * (1 - 0.12 * traits.lip_colour)
    red = paler + traits.lip_colour * np.array([0.035, -0.02, 0.0])
    return red.astype(np.float32) * (1 + 0.04 * canvas.noise(random, 0.02))[..., None]
