"""How far each action unit is on its way, and how far the eyes are closed, frame by frame."""

import numpy as np
from numpy.typing import NDArray

from dianet_utils.synthetic.plan import ClipPlan

DELAYED_START = 0.8  # of its delay: a delayed unit also rises a little faster
CLOSING, REOPENING = 0.35, 0.45  # parts of a blink: the lid falls faster than it rises


def frame_numbers(clip: ClipPlan) -> NDArray[np.int64]:
    """The clip's frame numbers, onset to offset."""
    return np.arange(clip.onset, clip.offset + 1)


def activation(clip: ClipPlan) -> dict[int, NDArray[np.float64]]:
    """Action unit -> its motion at every frame as a part of its peak, each [frames] from 0 to 1.

    A sine-power rise to the true apex, then a slower and different decay to ``residual`` at the
    offset; a delayed unit starts and peaks later.
    """
    return {unit: _course(clip, clip.delays[unit]) for unit in clip.action_units}


def blink_closure(clip: ClipPlan) -> NDArray[np.float64]:
    """How far the eyes are closed at every frame: 0 open, 1 closed."""
    frames = frame_numbers(clip)
    if clip.blink is None:
        return np.zeros(len(frames))
    start, length = clip.blink
    time = np.clip((frames - start) / length, 0, 1)
    falling = np.clip(time / CLOSING, 0, 1)
    rising = np.clip((time - REOPENING) / (1 - REOPENING), 0, 1)
    return np.sin(np.pi / 2 * falling) ** 2 * np.cos(np.pi / 2 * rising) ** 2


def _course(clip: ClipPlan, delay: float) -> NDArray[np.float64]:
    """One unit's activation, ``delay`` given as a part of the rise from onset to apex."""
    frames = frame_numbers(clip)
    late = delay * (clip.true_apex - clip.onset)
    start, peak = clip.onset + DELAYED_START * late, clip.true_apex + late
    end = max(clip.offset, peak + 0.5 * (clip.offset - clip.true_apex))
    up = np.clip((frames - start) / max(1, peak - start), 0, 1)
    down = np.clip((frames - peak) / max(1, end - peak), 0, 1)
    rising = np.sin(np.pi / 2 * up**clip.rise) ** 2
    falling = clip.residual + (1 - clip.residual) * np.cos(np.pi / 2 * down**clip.decay) ** 2
    return np.where(frames <= peak, rising, falling)
