"""What a clip would look like if its apex had been annotated a few frames earlier or later."""

import numpy as np
import pandas as pd


def shift_apex(clips: pd.DataFrame, frames: int) -> pd.DataFrame:
    """The table of clips with every apex ``frames`` later (negative: earlier), and a column ``clipped``.

    onset < apex < offset stays true: an apex that would leave the clip stops one frame inside it, and is
    ``clipped``. No clip may have an apex outside its ends to begin with, see ``datasets.select``.
    """
    shifted = clips.copy()
    moved = clips["apex"] + frames
    shifted["apex"] = np.maximum(clips["onset"] + 1, np.minimum(clips["offset"] - 1, moved))
    shifted["clipped"] = (shifted["apex"] != moved).astype(bool)
    shifted.attrs = dict(clips.attrs)
    return shifted


def jitter_shifts(jitter: int) -> tuple[int, ...]:
    """The shifts among which training with a jitter of so many frames draws: 0, half of it and all of it."""
    half = (jitter + 1) // 2
    return tuple(sorted({-jitter, -half, 0, half, jitter}))
