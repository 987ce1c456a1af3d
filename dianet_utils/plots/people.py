"""Contact sheets of the synthetic subjects and of what each action unit does to a face."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dianet_utils.plots.style import figure, styled
from dianet_utils.synthetic import UNITS, ClipPlan, Settings, plan, render_clip


def draw_faces(settings: Settings | None = None, columns: int = 6) -> Figure:
    """One neutral frame of every subject of a synthetic dataset."""
    settings = settings or Settings()
    first = {clip.subject: clip for clip in reversed(plan(settings))}
    clips = [_only(first[subject], {}) for subject in sorted(first)]
    frames = [next(render_clip(clip, settings, [clip.onset])) for clip in clips]
    titles = [f"{clip.subject}, {clip.gender}" for clip in clips]
    return _sheet(frames, titles, columns, f"Synthetic subjects (seed {settings.seed})")


def draw_action_units(settings: Settings | None = None, subject: int = 1, peak_px: float = 6.0) -> Figure:
    """A neutral synthetic face and each action unit alone, exaggerated to ``peak_px`` (of a 192 px frame).

    Micro-expressions move about a tenth of this. ``subject`` counts from 1.
    """
    settings = replace(settings or Settings(), noise=0.0)
    clip = plan(settings)[(subject - 1) * len(settings.emotions) * settings.clips_per_emotion]
    shown: dict[str, dict[int, float]] = {"neutral": {}}
    shown |= {f"AU {unit} {UNITS[unit].name}": {unit: peak_px} for unit in UNITS}
    frames = [_apex(_only(clip, units), settings) for units in shown.values()]
    title = f"Synthetic action units, exaggerated to {peak_px:g} px ({clip.subject})"
    return _sheet(frames, list(shown), 4, title)


def _only(clip: ClipPlan, units: dict[int, float]) -> ClipPlan:
    """The clip with these units alone (unit -> px), at once and on both sides, and no blink."""
    return replace(
        clip,
        action_units=units,
        gains=dict.fromkeys(units, (1.0, 1.0)),
        delays=dict.fromkeys(units, 0.0),
        blink=None,
    )


def _apex(clip: ClipPlan, settings: Settings) -> NDArray[np.uint8]:
    return next(render_clip(clip, settings, [clip.true_apex]))


@styled()
def _sheet(frames: Sequence[NDArray[np.uint8]], titles: Sequence[str], columns: int, title: str) -> Figure:
    """Frames in rows of ``columns``, each under its title."""
    rows = math.ceil(len(frames) / columns)
    cell = 9.0 / columns
    sheet, axes = figure(9.0, rows * (cell + 0.25) + 0.3, nrows=rows, ncols=columns, squeeze=False)
    for place in axes.flat:
        place.set_axis_off()
    for place, frame, label in zip(axes.flat, frames, titles, strict=False):
        place.imshow(frame)
        place.set_title(label, fontsize="small")
    sheet.suptitle(title)
    return sheet
