"""Between the face and the file: misalignment, drift, flicker, sensor noise and JPEG."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dianet_utils.synthetic.faces.canvas import CENTRE, Image, generator
from dianet_utils.synthetic.plan import ClipPlan
from dianet_utils.synthetic.settings import REFERENCE_SIZE, Settings

# Constant misalignment of a clip: standard deviations of shift (px of 192), rotation and zoom.
POSE_PX, POSE_DEGREES, POSE_ZOOM = 1.5, 1.2, 0.012
ZOOM_PER_PX = 0.002  # slow zoom that goes with each px of drift
MID_GREY, DARKEST = 128.0, 8.0  # grey level at which ``noise`` holds; below the darkest it stays


@dataclass(frozen=True)
class CameraPath:
    """Where the camera sees the face, frame by frame; each array is [frames] (``shift`` [frames, 2])."""

    shift: NDArray[np.float64]  # of a frame's size, right and down
    angle: NDArray[np.float64]  # radians
    zoom: NDArray[np.float64]  # about 1
    light: NDArray[np.float64]  # about 1
    noise_seeds: NDArray[np.int64]

    def matrix(self, index: int, size: int) -> NDArray[np.float64]:
        """The affine map [2, 3] from px of frame ``index`` to px of the face's own frame."""
        centre = np.array(CENTRE) * size - 0.5
        angle, zoom = self.angle[index], self.zoom[index]
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / zoom
        return np.column_stack([turn, centre - turn @ (centre + self.shift[index] * size)])


def camera_path(clip: ClipPlan, settings: Settings) -> CameraPath:
    """The camera's path for a clip: a constant misalignment, then slow drift and flicker."""
    random = generator(clip.camera_seed)
    frames = clip.offset - clip.onset + 1
    pose = random.normal(0, 1, 4)
    right, down, turn, nearer = (_wander(random, frames) for _ in range(4))
    drift = np.column_stack([right, down]) * settings.drift_px + pose[:2] * POSE_PX
    angle = turn * settings.rotation_degrees + pose[2] * POSE_DEGREES
    return CameraPath(
        shift=drift / REFERENCE_SIZE,
        angle=np.deg2rad(angle),
        zoom=1 + nearer * ZOOM_PER_PX * settings.drift_px + pose[3] * POSE_ZOOM,
        light=1 + settings.flicker * _flicker(random, frames),
        noise_seeds=random.integers(1, 2**31 - 1, frames),
    )


def add_noise(image: Image, sd: float, seed: int) -> None:
    """Add noise to ``image`` [H, W, 3] in place: of sd ``sd`` at mid-grey, growing as the root of light."""
    if sd == 0:
        return
    height, width, channels = image.shape
    noise = np.empty((height, width * channels), np.float32)  # one channel: cv2.randn fills only the first
    cv2.setRNGSeed(seed)
    cv2.randn(noise, np.zeros(1), np.array([sd]))
    level = np.clip(image.reshape(noise.shape), DARKEST, 255)
    image += (noise * cv2.sqrt(level / np.float32(MID_GREY))).reshape(image.shape)


def to_jpeg(frame: NDArray[np.uint8], quality: int) -> bytes:
    """An RGB frame as the bytes of a JPEG file."""
    blue_first = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _wander(random: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """A smooth path [frames] from 0, a trend and slow waves, of sd about 1."""
    time = np.linspace(-1, 1, frames)
    trend, wave, phase, faster = random.normal(0, 1, 4)
    waves = 0.5 * wave * np.sin(np.pi * time + phase) + 0.25 * faster * np.cos(2 * np.pi * time)
    path: NDArray[np.float64] = 1.2 * trend * time + waves
    return path - path[0]


def _flicker(random: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """The light's departure from its mean [frames]: a slow trend and a hum between 10 and 90 Hz."""
    trend, frequency, phase = random.normal(), random.uniform(0.05, 0.45), random.random()
    hum = np.sin(2 * np.pi * (frequency * np.arange(frames) + phase))
    return trend * np.linspace(-1, 1, frames) + 0.5 * hum
