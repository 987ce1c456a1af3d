"""A clip that moves: frames side by side as an animated GIF."""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_COLOURS = 10  # of the palette: enough for a grey face, and few bytes


def as_gif(clips: Sequence[NDArray[np.uint8]], size: int = 84, most: int = 10, rate: float = 6.0) -> bytes:
    """Clips [T, H, W, 3] of one length, side by side in grey, ``size`` px each, as the bytes of a GIF.

    At most ``most`` frames are shown, evenly chosen, ``rate`` of them per second, for ever.
    """
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
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
