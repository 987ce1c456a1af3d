"""A clip that moves: frames side by side as an animated GIF."""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dianet_utils.dynamic_images.images import check_type

_COLOURS = 32  # of the palette: a grey face without bands, in few bytes


def as_gif(clips: Sequence[NDArray[np.uint8]], size: int = 84, most: int = 10, rate: float = 6.0) -> bytes:
    """Clips uint8 of one length, side by side in grey, ``size`` px each, as the bytes of a GIF.

    A clip is [T, H, W, 3] or, where it is grey, [T, H, W]. At most ``most`` frames are shown,
    evenly chosen, ``rate`` of them per second, for ever. Raises InputError for frames that are not uint8.
    """
    for clip in clips:
        check_type(clip[0], 1)
    count = len(clips[0])
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))
    pictures = [
        Image.fromarray(np.hstack([_small(clip[n], size) for clip in clips])).convert("RGB") for n in chosen
    ]
    palette = pictures[len(pictures) // 2].quantize(_COLOURS)  # one for all, or the grey would flicker
    drawn = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    content = io.BytesIO()
    options = {"save_all": True, "append_images": drawn[1:], "duration": 1000 / rate, "loop": 0}
    drawn[0].save(content, format="GIF", **options)
    return content.getvalue()


def _small(frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
