"""A synthetic clip as a video file, for what starts from one, such as notebook 12."""

import os
from pathlib import Path

import cv2

from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import DiskError, shown
from dianet_utils.synthetic.plan import ClipPlan
from dianet_utils.synthetic.releases.official import in_scene
from dianet_utils.synthetic.rendering import render_clip
from dianet_utils.synthetic.settings import FRAME_RATE, Settings

QUALITY = 95  # of each frame's JPEG, as a careful camera would write it


def write_video(clip: ClipPlan, settings: Settings, path: str | Path) -> Path:
    """Write a clip as Motion JPEG in an ``.avi`` file, 200 frames per second, of head and shoulders.

    OpenCV brings this codec everywhere, and each frame is coded alone, so small motions survive as they do in
    the datasets' JPEG files. The file appears whole or not at all: OpenCV does not say when a disk is full,
    so the frames are counted afterwards. Raises DiskError where some are not there.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = in_scene(list(render_clip(clip, settings)), "raw", noise=settings.noise)
    size = frames[0].shape[1::-1]
    aside = path.with_name(f".{os.getpid()}{path.name}")
    kind = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(aside), cv2.CAP_OPENCV_MJPEG, kind, FRAME_RATE, size)
    if not writer.isOpened():
        raise InputError(f"OpenCV cannot write the video {path}: give a path that ends in .avi.")
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, QUALITY)
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    if (there := _frames_in(aside)) < len(frames):
        aside.unlink(missing_ok=True)
        raise DiskError(
            f"The video {shown(path)} was cut short in writing ({there} of {len(frames)} frames): make room "
            "on that disk."
        )
    os.replace(aside, path)
    return path


def _frames_in(path: Path) -> int:
    """How many frames of a video can be read."""
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count
