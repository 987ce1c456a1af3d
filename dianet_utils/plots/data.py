"""Figures of a dataset: its classes, phases, subjects and frames. Each takes a table of clips."""

from collections.abc import Sequence
from typing import Any

import cv2
import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from dianet_utils.datasets.clips import FRAME_NUMBERS, PHASES
from dianet_utils.datasets.frames import clip_box, index_frames, read_frame
from dianet_utils.datasets.provenance import title
from dianet_utils.plots.style import BLUE, DIVERGING, GREY, ORANGE, PHASE_COLOURS, SEQUENTIAL, figure, styled
from dianet_utils.plumbing.errors import InputError

# What one phase is called in a legend.
_PHASE_NAMES = {"onset": "onset to apex", "offset": "apex to offset"}


@styled()
def draw_classes(kept: pd.DataFrame, left_out: pd.DataFrame) -> Figure:
    """Bars of clips per emotion, kept ones beside those left out (hatched), where there are any."""
    counts = pd.DataFrame(
        {"kept": kept["emotion"].value_counts(), "left out": left_out["emotion"].value_counts()}
    )
    counts = counts.fillna(0).astype(int).sort_values("kept")
    fig, ax = figure(6, 0.9 + 0.32 * len(counts))
    bars = ax.barh(counts.index, counts["kept"], color=BLUE, label="kept")
    if len(left_out):
        look = {"color": "white", "edgecolor": GREY, "hatch": "///", "label": "left out"}
        ax.barh(counts.index, counts["left out"], left=counts["kept"], **look)
        fig.legend(loc="outside right upper")
    ax.bar_label(bars, [str(count or "") for count in counts["kept"]], label_type="center", color="white")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="clips", title=title(kept))
    return fig


@styled()
def draw_phase_lengths(clips: pd.DataFrame) -> Figure:
    """Histogram of both phases' lengths in ms, frames on the upper axis, medians as dashed lines.

    Clips of different frame rates have no common axis of frames; where a rate is not known there is nothing
    but frames.
    """
    fig, ax = figure(6, 3.2)
    rates = clips["fps"].to_numpy(float)
    unit = "frames" if np.isnan(rates).any() else "ms"
    lengths = {phase: (clips[last] - clips[first]).to_numpy(float) for phase, (first, last) in PHASES.items()}
    if unit == "ms":
        lengths = {phase: length * 1000 / rates for phase, length in lengths.items()}
    bins = np.linspace(0, max(length.max() for length in lengths.values()) * 1.02, 25)
    for phase, length in lengths.items():
        filled = phase == "onset"
        style: dict[str, Any] = {"alpha": 0.5} if filled else {"histtype": "step", "linewidth": 2}
        median = f"{_PHASE_NAMES[phase]}, median {np.median(length):.0f} {unit}"
        ax.hist(length, bins=bins, color=PHASE_COLOURS[phase], label=median, **style)
        ax.axvline(np.median(length), color=PHASE_COLOURS[phase], linestyle="--" if filled else ":")
    if unit == "ms" and len(set(rates)) == 1:
        _add_frames(ax, float(rates[0]))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=f"length of the phase ({unit})", ylabel="clips")
    ax.legend(title=title(clips), fontsize="small", title_fontsize="small")
    return fig


def _add_frames(ax: Axes, fps: float) -> None:
    """An upper axis in frames over one in milliseconds."""
    rate: Any = fps / 1000
    frames = ax.secondary_xaxis("top", functions=(lambda ms: ms * rate, lambda count: count / rate))
    frames.set_xlabel(f"frames at {fps:g} per second")


@styled()
def draw_subjects(clips: pd.DataFrame) -> Figure:
    """Clips of each class by subject; an empty cell is a class the subject never shows."""
    counts = pd.crosstab(clips["emotion"], clips["subject"])
    fig, ax = figure(6, 1.3 + 0.34 * len(counts))
    ax.pcolormesh(np.ma.masked_equal(counts, 0), cmap=SEQUENTIAL, vmin=0, edgecolors="white", linewidth=1)
    small = len(counts.columns) > 16
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        if count:
            dark = "white" if count > 0.6 * counts.to_numpy().max() else "black"
            place = (column + 0.5, row + 0.5)
            ax.text(*place, count, ha="center", va="center", color=dark, fontsize=7 if small else 9)
    ax.set_xticks(
        np.arange(len(counts.columns)) + 0.5, counts.columns, rotation=90 if small else 0, fontsize=8
    )
    ax.set_yticks(np.arange(len(counts)) + 0.5, counts.index)
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set(xlabel="subject", ylabel="class", title=title(clips))
    return fig


@styled()
def draw_endpoints(clips: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Onset, apex and offset frame of the clips ``names``, one clip per row, cropped as used."""
    fig, axes = figure(4.6, 1.5 * len(names) + 0.3, nrows=len(names), ncols=3, squeeze=False)
    for row, name in zip(axes, names, strict=True):
        for ax, which, (number, image) in zip(row, FRAME_NUMBERS, _endpoints(clips, name), strict=True):
            _show(ax, image, f"{which}, frame {number}")
        row[0].set_ylabel(f"{name}\n{clips['emotion'][name]}", fontsize="small")
    fig.suptitle(title(clips), fontsize="small")
    return fig


@styled()
def draw_apex_differences(clips: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Apex minus onset of the clips ``names`` in grey levels (of 255), smoothed over about 3 pixels.

    All panels share one colour scale, up to the largest 99.5th percentile of the absolute difference.
    """
    changes = []
    for name in names:
        (_, onset), (_, apex), _ = _endpoints(clips, name)
        change = (apex.astype(np.float32) - onset).mean(axis=2)
        changes.append(cv2.GaussianBlur(change, (0, 0), 1.0))
    # Few colours: noise of a level or two stays white.
    colours = matplotlib.colormaps[DIVERGING].resampled(15)
    limit = max(float(np.percentile(np.abs(change), 99.5)) for change in changes)
    fig, axes = figure(1 + 1.6 * len(names), 2.1, ncols=len(names), squeeze=False)
    for ax, name, change in zip(axes[0], names, changes, strict=True):
        label = f"{name}\n{clips['emotion'][name]}"
        shown = _show(ax, change, label, cmap=colours, interpolation="nearest", vmin=-limit, vmax=limit)
    fig.colorbar(shown, ax=axes, label="grey levels", shrink=0.8, extend="both")
    fig.suptitle(title(clips), fontsize="small")
    return fig


@styled()
def draw_crop(clips: pd.DataFrame, name: str) -> Figure:
    """A clip's onset frame as released with its crop, and what the crop leaves; for ``crop`` == "face"."""
    clip = _clip(clips, name)
    box, (_, image) = clip_box(clip), _nearest(clip, "onset")
    if box is None:
        raise InputError(f"The frames of {name} are cropped faces: there is no crop to draw.")
    fig, axes = figure(4.6, 2.0, ncols=2)
    _show(axes[0], image, f"as released, {image.shape[1]} x {image.shape[0]} px")
    axes[0].add_patch(Rectangle(box[:2], box.width, box.height, fill=False, color=ORANGE, linewidth=2))
    _show(axes[1], box.of(image), f"used of each frame, {box.width} x {box.height} px")
    fig.suptitle(f"{name}: {title(clips)}", fontsize="small")
    return fig


def _show(ax: Axes, image: np.ndarray, label: str, **options: Any) -> AxesImage:
    """An image without axes."""
    ax.set_title(label, fontsize="small")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax.imshow(image, **options)


def _clip(clips: pd.DataFrame, name: str) -> pd.Series:
    return clips.loc[[name]].iloc[0]


def _endpoints(clips: pd.DataFrame, name: str) -> list[tuple[int, np.ndarray]]:
    """A clip's onset, apex and offset frame (number, RGB uint8), with its one crop."""
    clip = _clip(clips, name)
    box = clip_box(clip)
    frames = [_nearest(clip, which) for which in FRAME_NUMBERS]
    return frames if box is None else [(number, box.of(frame)) for number, frame in frames]


def _nearest(clip: pd.Series, which: str) -> tuple[int, np.ndarray]:
    """The frame "onset", "apex" or "offset", or the one nearest to it that has a file."""
    files = index_frames(clip["frames"])
    number = min(files, key=lambda number: abs(number - int(clip[which])))
    return number, read_frame(files[number])
