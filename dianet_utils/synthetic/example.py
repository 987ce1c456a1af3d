"""Which clip stands for the others in a figure."""

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.datasets.boxes import face_weight
from dianet_utils.datasets.frames import clip_box, index_frames, read_frame
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic import settings
from dianet_utils.synthetic.plan import ClipPlan, plan
from dianet_utils.synthetic.timecourse import blink_closure

_MOST, _SIZE, _BLUR = 30, 96, 1.0  # clips that are measured; pixels of a side, and of the blur


def clearest(clips: pd.DataFrame) -> str:
    """Name the clip with the largest motion among those that show a dynamic image at its clearest.

    Those are the clips without a blink that lose more than half of their motion before the offset; where
    there is none, all clips count. Of recorded clips this is not known: of the first 30 that have a file for
    every frame from onset to offset it is the one whose face, eyes aside, changes most from the onset to the
    apex in parts of what is left at the offset; the first clip, if none can be measured.

    Args:
        clips: A clip table with at least one clip.
    """
    if "settings" not in clips.attrs:
        measured = dict(islice(_changes(clips), _MOST))
        return max(measured, key=lambda name: measured[name], default=str(clips.index[0]))
    made = plan(settings.from_json(clips.attrs["settings"]))
    return max((clip for clip in made if clip.clip in clips.index), key=_clarity).clip


def _clarity(clip: ClipPlan) -> tuple[bool, float]:
    quiet = not blink_closure(clip).any()
    return quiet and clip.residual < 0.5, max(clip.action_units.values())


def _changes(clips: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """The names of the clips that have all frames, and how far the apex stands out of each."""
    for name, clip in clips.iterrows():
        if not clip.get("frames"):
            continue
        try:
            files = index_frames(clip["frames"])
            if files.keys() >= set(range(clip["onset"], clip["offset"] + 1)):
                box = clip_box(clip)
                frames = [read_frame(files[clip[moment]]) for moment in ("onset", "apex", "offset")]
                yield str(name), _prominence(*(frame if box is None else box.of(frame) for frame in frames))
        except InputError:  # frames that cannot be read or show no face: another clip can stand for all
            continue


def _prominence(*faces: npt.NDArray[np.uint8]) -> float:
    """The change of a face from onset to apex over that from onset to offset, of three crops [H, W, 3]."""
    weight = face_weight(_SIZE)
    onset, apex, offset = (_smooth(face) for face in faces)
    changes = [later - onset for later in (apex, offset)]
    moved, left = (float((weight * abs(change - change.mean())).mean()) for change in changes)  # light aside
    return moved / (left + 0.1)  # grey levels: two frames without noise may be alike


def _smooth(face: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """A crop [H, W, 3] in grey, blurred against noise: [_SIZE, _SIZE]."""
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _BLUR), np.float32)
