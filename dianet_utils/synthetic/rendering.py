"""From a plan to frames: the face is moved by its action units, seen by the camera, and that is all."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dianet_utils.synthetic.camera import CameraPath, add_noise, camera_path
from dianet_utils.synthetic.faces.canvas import Canvas, Image, step
from dianet_utils.synthetic.faces.face import OVERSAMPLING, Face, face
from dianet_utils.synthetic.plan import ClipPlan
from dianet_utils.synthetic.settings import Settings
from dianet_utils.synthetic.timecourse import activation, blink_closure

SEAM = 0.03  # face units over which the left half's gain gives way to the right half's


def render_clip(
    clip: ClipPlan, settings: Settings, frames: Sequence[int] | None = None
) -> Iterator[NDArray[np.uint8]]:
    """Render frames of a clip, RGB [size, size, 3] as the sensor gives them, before JPEG.

    ``frames`` are frame numbers, all from onset to offset by default; a frame is the same whichever
    others are rendered with it.
    """
    subject = face(clip.face_seed, clip.gender, settings.size)
    path, closure = camera_path(clip, settings), blink_closure(clip)
    layers = _ClipLayers(clip, settings, subject)
    for number in frames if frames is not None else range(clip.onset, clip.offset + 1):
        index = number - clip.onset
        texture = _blinking(subject, closure[index])
        yield _frame(subject, texture, layers.at(index), path, index, settings)


def displacement(clip: ClipPlan, settings: Settings, frame: int) -> NDArray[np.float32]:
    """The action units' true motion at a frame against the neutral face, without the camera's drift.

    Px of the frame [size, size, 2], x right and y down, at the place the camera sees it: what lies
    at x - d(x) in the neutral face, seen by the same camera, lies at x in the frame.
    """
    subject = face(clip.face_seed, clip.gender, settings.size)
    index = frame - clip.onset
    matrix = camera_path(clip, settings).matrix(index, settings.size)
    motion = _warp(_ClipLayers(clip, settings, subject).at(index), matrix)[..., :2]
    return (motion @ np.linalg.inv(matrix[:, :2]).T).astype(np.float32)


class _ClipLayers:
    """The layers of a clip's action units at their peaks; frame by frame they add up by activation."""

    def __init__(self, clip: ClipPlan, settings: Settings, subject: Face):
        self.shape = (settings.size, settings.size, 3)
        self.courses = activation(clip)
        self.peaks: dict[int, Image] = {}
        for unit, px in clip.action_units.items():
            self.peaks[unit] = px * _both_gains(clip.gains[unit], subject.canvas) * subject.layer(unit)
            self.peaks[unit][..., 2] *= settings.wrinkles

    def at(self, index: int) -> Image:
        """Motion to the right, motion down and change of brightness [size, size, 3] at a frame."""
        layers = np.zeros(self.shape, np.float32)
        for unit, peak in self.peaks.items():
            layers += np.float32(self.courses[unit][index]) * peak
        return layers


def _both_gains(gains: tuple[float, float], canvas: Canvas) -> Image:
    """The left gain on the image's left half, the right one on its right [1, size, 1]."""
    left, right = gains
    return (left + (right - left) * step(canvas.u, SEAM))[..., None]


def _blinking(subject: Face, closure: float) -> Image:
    """The texture with eyes closed by ``closure``, 0 to 1."""
    if closure == 0:
        return subject.textures[0]
    position = 2 * min(float(closure), 1.0)
    first = min(int(position), 1)
    part = position - first
    return cv2.addWeighted(subject.textures[first], 1 - part, subject.textures[first + 1], part, 0)


def _frame(
    subject: Face, texture: Image, layers: Image, path: CameraPath, index: int, settings: Settings
) -> NDArray[np.uint8]:
    """One frame of the face with its action units' ``layers``, as the camera sees it."""
    size = settings.size
    matrix = path.matrix(index, size)
    seen = _warp(layers, matrix)
    columns, rows = _places(matrix, size)
    image = _sample(texture, columns - seen[..., 0], rows - seen[..., 1])
    image *= (1 + seen[..., 2:]) * np.float32(path.light[index])
    if subject.glasses is not None:  # glasses move with the head, never with the skin
        cover = _sample(subject.glasses.cover, columns, rows)[..., None]
        image += cover * (255 * np.array(subject.glasses.colour, np.float32) - image)
    add_noise(image, settings.noise, int(path.noise_seeds[index]))
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def _warp(layers: Image, matrix: NDArray[np.float64]) -> Image:
    """Layers of the face's frame as the camera sees them."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(layers, matrix, layers.shape[:2], flags=flags)


def _places(matrix: NDArray[np.float64], size: int) -> tuple[Image, Image]:
    """Where each pixel of the frame lies in the face's frame: columns and rows [size, size]."""
    pixels = np.arange(size, dtype=np.float32)
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return a * pixels[None, :] + (b * pixels[:, None] + c), d * pixels[None, :] + (e * pixels[:, None] + f)


def _sample(texture: Image, columns: Image, rows: Image) -> Image:
    """Read a texture at places given in px of the frame."""
    shift = (OVERSAMPLING - 1) / 2
    columns, rows = OVERSAMPLING * columns + shift, OVERSAMPLING * rows + shift
    return cv2.remap(texture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
