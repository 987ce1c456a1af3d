"""The face as a landscape: its height above the picture plane, and how light falls on it."""

import cv2
import numpy as np

from dianet_utils.synthetic.faces.canvas import Canvas, Image, step
from dianet_utils.synthetic.faces.geometry import Head, Lips, forehead_line, nasolabial_fold
from dianet_utils.synthetic.faces.traits import Traits

DOME = 0.62  # height of the head's middle above its outline, in face units
GLOSS, GLOSS_SHARPNESS = 0.10, 28.0


def height_map(traits: Traits, canvas: Canvas, head: Head, lips: Lips) -> Image:
    """Height [H, W] in face units."""
    dome = DOME * np.sqrt(np.clip(1 - head.radius, 0, None))
    height = canvas.blur(dome, 0.026)
    height += _nose(traits, canvas)
    height += _eye_region(traits, canvas)
    height += _cheeks_and_chin(traits, canvas)
    height += _mouth(traits, canvas, lips)
    height -= _folds(traits, canvas)
    return height


def _nose(traits: Traits, canvas: Canvas) -> Image:
    tip, root = traits.nose_y, traits.eye_y - 0.06
    down = np.clip((canvas.v - root) / (tip - traits.eye_y), 0, 1)
    thickness = 0.048 + 0.035 * np.clip((canvas.v + 0.2) / 0.45, 0, 1)
    ridge = (
        np.exp(-0.5 * (canvas.u / thickness) ** 2)
        * step(canvas.v + 0.2, 0.07)
        * step(tip + 0.03 - canvas.v, 0.022)
    )
    bridge = traits.nose_height * (0.35 + 0.65 * down) * ridge
    nostrils = 0.045 * canvas.blobs(traits.nose_width * 0.72, tip + 0.022, 0.040, 0.036)
    groove = 0.030 * canvas.blobs(traits.nose_width * 1.22, tip + 0.005, 0.022, 0.05)
    return bridge + 0.055 * canvas.blob(0, tip, 0.055, 0.05) + nostrils - groove


def _eye_region(traits: Traits, canvas: Canvas) -> Image:
    x, y = traits.eye_x, traits.eye_y
    brow = 0.035 * canvas.blobs(0.22, traits.brow_y + 0.015, 0.15, 0.045)
    socket = 0.055 * canvas.blobs(x * 0.93, y - 0.01, 0.13, 0.085)
    ball = 0.040 * canvas.blobs(x, y + 0.005, 0.085, 0.055)
    bag = 0.012 * traits.eye_bags * canvas.blobs(x * 0.95, y + 0.115, 0.11, 0.018)
    return brow - socket + ball - bag


def _cheeks_and_chin(traits: Traits, canvas: Canvas) -> Image:
    cheekbones = 0.045 * canvas.blobs(0.40, 0.13, 0.14, 0.11) - 0.025 * canvas.blobs(0.46, 0.42, 0.12, 0.18)
    return cheekbones + 0.055 * canvas.blob(0, traits.chin_y, 0.14, 0.10)


def _mouth(traits: Traits, canvas: Canvas, lips: Lips) -> Image:
    y = traits.mouth_y
    surroundings = 0.035 * canvas.blob(0, y + 0.02, 0.20, 0.10) - 0.012 * canvas.blob(
        0, y - 0.115, 0.020, 0.05
    )
    below = 0.034 * canvas.blob(0, y + 0.145, 0.13, 0.028)
    lower_middle = (canvas.v - (lips.line + 0.45 * traits.lower_lip)) / (0.42 * traits.lower_lip)
    upper_middle = (canvas.v - (lips.line - 0.5 * traits.upper_lip)) / (0.5 * traits.upper_lip)
    shape = np.sqrt(lips.profile) * lips.inside
    lower = 0.030 * np.exp(-0.5 * lower_middle**2) * shape
    upper = 0.018 * np.exp(-0.5 * upper_middle**2) * shape
    return surroundings - below + lower + upper


def _folds(traits: Traits, canvas: Canvas) -> Image:
    folds = (0.006 + 0.016 * traits.nasolabial_fold) * canvas.strokes(nasolabial_fold(traits), 0.022)
    for number in range(3):
        folds += 0.0035 * traits.age * canvas.stroke(forehead_line(number), 0.008)
    return folds


class Light:
    """The light of a subject's recording: one lamp and light from all around."""

    def __init__(self, traits: Traits):
        across, above = traits.light_across, traits.light_above
        lamp = np.array([np.sin(across) * np.cos(above), -np.sin(above), np.cos(across) * np.cos(above)])
        halfway = lamp + np.array([0, 0, 1])  # between the lamp and the camera
        self.lamp = lamp.astype(np.float32)
        self.halfway = (halfway / np.linalg.norm(halfway)).astype(np.float32)
        self.ambient = traits.ambient

    def shade(self, height: Image, canvas: Canvas) -> Image:
        """Brightness [H, W] of a matt surface of that height, about 1 where it faces the lamp."""
        slope_u, slope_v, facing = _normals(height, canvas)
        direct = facing * (self.lamp[2] - slope_u * self.lamp[0] - slope_v * self.lamp[1])
        return self.ambient + (1.12 - self.ambient) * np.maximum(direct, 0) + 0.10 * (facing - 0.5)

    def gloss(self, height: Image, canvas: Canvas) -> Image:
        """The lamp's reflection on skin [H, W], to be added."""
        slope_u, slope_v, facing = _normals(height, canvas)
        mirrored = facing * (self.halfway[2] - slope_u * self.halfway[0] - slope_v * self.halfway[1])
        return GLOSS * np.clip(mirrored, 0, 1) ** np.float32(GLOSS_SHARPNESS)


def _normals(height: Image, canvas: Canvas) -> tuple[Image, Image, Image]:
    """Slopes to the right and down, and how far the surface faces the camera (1 fully), each [H, W]."""
    per_unit = canvas.unit / 8  # the Sobel kernel sums to 8
    slope_u = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=per_unit)
    slope_v = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=per_unit)
    return slope_u, slope_v, 1 / np.sqrt(1 + slope_u**2 + slope_v**2)
