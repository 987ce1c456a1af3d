"""Figures of dynamic images: frames, weights, images of each phase, scalings and the bank."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from numpy.typing import NDArray

from dianet_utils.dynamic_images import Bank, scale_minmax, scale_signed
from dianet_utils.plots.style import (
    BLUE,
    DIVERGING,
    GREY,
    ORANGE,
    PALETTE,
    PHASE_COLOURS,
    RED,
    figure,
    styled,
)

STYLES = ("-", "--", ":", "-.")
PHOTOGRAPH, DETAIL = (
    96,
    64,
)  # pixels: frames and dynamic images are drawn at most this large, by area averaging
_FEW, _LABELLED = 15, 9  # pairs of frames whose votes are written out, and frames whose weights all are
COLOURS = 15  # steps of the signed map: enough to read, and small in a stored notebook


@styled()
def draw_pictures(images: Mapping[str, NDArray[Any]], title: str = "", width: float = 6.0) -> Figure:
    """A row of pictures [H, W, 3] or [H, W] uint8, as they are, each under its name."""
    drawn, axes = figure(width, width / len(images) + 0.55, ncols=len(images), squeeze=False)
    for place, (name, image) in zip(axes[0], images.items(), strict=True):
        place.imshow(small(image, PHOTOGRAPH), vmin=0, vmax=255, interpolation="nearest")
        place.set_title(name)
        place.set_axis_off()
    drawn.suptitle(title, fontsize="medium")
    return drawn


@styled()
def draw_signed(images: Mapping[str, NDArray[Any]], title: str = "", width: float = 6.0) -> Figure:
    """A row of dynamic images [H, W, 3], each divided by its own robust range: red rose, blue fell."""
    height = (width - 1.0) / len(images) + 0.6
    drawn, axes = figure(width, height, ncols=len(images), squeeze=False)
    for place, (name, image) in zip(axes[0], images.items(), strict=True):
        shown = draw_signed_on(place, image)
        place.set_title(name)
        place.set_axis_off()
    bar = drawn.colorbar(shown, ax=axes, ticks=[-1, 0, 1], shrink=0.9, aspect=12)
    bar.set_ticklabels(["darker", "0", "brighter"])
    drawn.suptitle(title, fontsize="medium")
    return drawn


@styled()
def draw_ranking(frames: NDArray[Any], means: NDArray[Any], direction: NDArray[Any]) -> Figure:
    """Frames of two pixels [T, 2] in their plane with the running means, and the means' scores in time."""
    drawn, (plane, scores) = figure(6.4, 3.0, ncols=2)
    plane.plot(*frames.T, "o", color=GREY, ms=4, label="frames")
    plane.plot(*means.T, "o-", color=BLUE, ms=5, label="running means")
    for number, below in ((0, -14), (len(means) - 1, 8)):
        place = means[number]
        plane.annotate(f"t = {number + 1}", place, (0, below), textcoords="offset points", fontsize=8)
    arrow = direction / np.linalg.norm(direction) * 0.4 * np.ptp(frames[:, 0])
    tail = np.array([frames[:, 0].mean(), frames[:, 1].min()])  # below the means, where there is room
    plane.annotate("", tail + arrow, tail, arrowprops={"arrowstyle": "-|>", "color": RED, "lw": 2})
    plane.plot([], [], color=RED, lw=2, label="direction d")
    plane.set(xlabel="pixel A, grey level", ylabel="pixel B, grey level", title="a clip of two pixels")
    plane.axis("equal")
    plane.legend(fontsize=8)
    times = np.arange(1, len(means) + 1)
    scores.set_xticks(times[::2])
    scores.plot(times, (means - means.mean(axis=0)) @ direction, "o-", color=RED, label="score of $V_t$")
    scores.plot(times, times - times.mean(), "--", color="black", label="target: the time")
    scores.set(xlabel="time t, frames", ylabel="score, frames", title="scores of the running means")
    scores.legend(fontsize=8)
    return drawn


@styled()
def draw_votes(pairs: NDArray[Any]) -> Figure:
    """The votes of all pairs of frames [pair, T] as -1, 0, 1, and each frame's sum of votes.

    Of many pairs the colours alone are shown.
    """
    import seaborn as sns

    sums, few = pairs.sum(axis=0), len(pairs) <= _FEW
    tall = 0.24 * min(len(pairs), _FEW) + 0.05 * max(len(pairs) - _FEW, 0)  # inches
    low = max(1.15, 0.19 * min(len(sums), _LABELLED))
    drawn, (grid, total) = figure(4.6, tall + low + 0.9, nrows=2, sharex=True, height_ratios=[tall, low])
    marks = np.where(pairs > 0, "+1", np.where(pairs < 0, "-1", "")) if few else None
    look = {"cmap": DIVERGING, "center": 0, "cbar": False, "linewidths": int(few), "yticklabels": False}
    sns.heatmap(pairs, annot=marks, fmt="", vmin=-1.6, vmax=1.6, ax=grid, **look)
    grid.set(ylabel=f"{len(pairs)} pairs", title="each pair votes for its later frame")
    places = np.arange(len(sums)) + 0.5
    total.bar(places, sums, color=[RED if s > 0 else BLUE for s in sums], width=0.7)
    total.axhline(0, color="black", lw=0.8)
    every = FixedLocator(sums) if len(sums) <= _LABELLED else MaxNLocator(5, integer=True)
    total.set(xlabel="frame t", ylabel="weight", xticks=places)
    total.yaxis.set_major_locator(every)
    total.set_xticklabels(np.arange(1, len(sums) + 1))
    return drawn


@styled()
def draw_weights(rows: Mapping[str, NDArray[Any]], title: str = "") -> Figure:
    """Weightings of the same frames [T], each divided by its largest; the first is the reference."""
    drawn, place = figure(6.0, 3.0)
    first, reference = next(iter(rows.items()))
    for style, colour, (name, row) in zip(STYLES, PALETTE, rows.items(), strict=False):
        agreement = np.corrcoef(row, reference)[0, 1]
        label = name if row is reference else f"{name} (correlation with {first}: {agreement:.2f})"
        place.plot(
            np.arange(1, len(row) + 1), row / np.abs(row).max(), style, color=colour, lw=2, label=label
        )
    place.axhline(0, color="black", lw=0.8)
    place.set(xlabel="frame t", ylabel="weight / largest |weight|", title=title)
    place.legend(fontsize=8)
    return drawn


@styled()
def draw_phases(images: Mapping[str, NDArray[Any]], title: str = "") -> Figure:
    """Dynamic images [H, W, 3] or [H, W]: signed above, min-max as a network gets them below.

    ``images`` maps a phase, or any other name, to its image.
    """
    drawn, axes = figure(0.3 + 1.9 * len(images), 4.3, nrows=2, ncols=len(images), squeeze=False)
    for column, (phase, image) in enumerate(images.items()):
        draw_signed_on(axes[0, column], image)
        stretched = brightness(scale_minmax(small(image, DETAIL)))
        axes[1, column].imshow(stretched, vmin=0, vmax=255, interpolation="nearest")
        axes[0, column].set_title(phase, color=PHASE_COLOURS.get(phase, GREY), fontweight="bold")
    for row, name in enumerate(("signed", "min-max")):
        axes[row, 0].set_ylabel(name)
    bare(axes)
    drawn.suptitle(title, fontsize="medium")
    return drawn


@styled()
def draw_course(
    numbers: NDArray[Any], motion: NDArray[Any], rows: Mapping[str, NDArray[Any]], apex: int, unit: str
) -> Figure:
    """The motion of a clip frame by frame, and below it the weights [T] that each phase gives the frames."""
    drawn, (above, below) = figure(6.0, 4.0, nrows=2, sharex=True)
    above.plot(numbers, motion, color="black", lw=2)
    above.set(ylabel=unit, ylim=(0, None), title="what the face does")
    for style, (phase, row) in zip(STYLES, rows.items(), strict=False):
        inside = row != 0 if phase != "whole" else np.ones(len(row), bool)
        colour = PHASE_COLOURS.get(phase, GREY)
        below.plot(numbers[inside], row[inside], style, color=colour, lw=2, label=phase)
    below.axhline(0, color="black", lw=0.8)
    below.set(xlabel="frame number", ylabel="weight", title="how each phase weighs its frames")
    below.legend(fontsize=8, ncols=3)
    for place in (above, below):
        place.axvline(apex, color=GREY, lw=1, ls=":")
    above.annotate("apex", (apex, 0), (4, 6), textcoords="offset points", color=GREY, fontsize=8)
    return drawn


@styled()
def draw_follow(
    frames: NDArray[Any],
    numbers: NDArray[Any],
    rows: Mapping[str, NDArray[Any]],
    number: int,
    title: str = "",
) -> Figure:
    """One frame of a clip, its weight in each phase, and the images added up as far as it.

    ``frames`` [T, H, W, 3], or [T, H, W] where they are grey, have the ``numbers`` [T].
    """
    at = int(np.abs(numbers - number).argmin())
    drawn, axes = figure(7.2, 2.5, ncols=2 + len(rows), width_ratios=[1, 1.6, *[1] * len(rows)])
    axes[0].imshow(small(frames[at], PHOTOGRAPH), interpolation="nearest")
    axes[0].set_title(f"frame {numbers[at]}", fontsize=9)
    for style, place, (phase, row) in zip(STYLES, axes[2:], rows.items(), strict=False):
        colour = PHASE_COLOURS.get(phase, GREY)
        inside = row != 0 if phase != "whole" else np.ones(len(row), bool)
        axes[1].plot(numbers[inside], row[inside], style, color=colour, lw=2)
        axes[1].plot(numbers[at], row[at], "o", color=colour, ms=5)
        draw_signed_on(place, np.tensordot(row[: at + 1], frames[: at + 1].astype(np.float64), axes=1))
        place.set_title(f"{phase}: {row[at]:+d}", fontsize=9, color=colour)
    axes[1].axhline(0, color="black", lw=0.8)
    axes[1].axvline(numbers[at], color=GREY, lw=1, ls=":")
    axes[1].set(xlabel="frame number", ylabel="weight", title="weights")
    bare(np.delete(axes, 1))
    drawn.suptitle(title, fontsize="medium")
    return drawn


@styled()
def draw_responses(table: pd.DataFrame, unit: str) -> Figure:
    """What each phase's image keeps of the motion: one point per clip, columns are phases."""
    import seaborn as sns

    drawn, place = figure(6.0, 2.8)
    colours = {phase: PHASE_COLOURS.get(phase, GREY) for phase in table.columns}
    sns.stripplot(table, orient="h", palette=colours, size=3, alpha=0.5, jitter=0.25, ax=place)
    for row, phase in enumerate(table.columns):
        middle = table[phase].median()
        place.plot([middle, middle], [row - 0.35, row + 0.35], color="black", lw=2)
    place.axvline(0, color=GREY, lw=1)
    place.set(xlabel=f"motion kept in the image: {unit} (bar: median of {len(table)})", ylabel="")
    return drawn


@styled()
def draw_resampling(matrix: NDArray[Any], folded: NDArray[Any]) -> Figure:
    """Linear interpolation as a matrix [new, T], and the weights on the original frames it folds into [T]."""
    drawn, (grid, below) = figure(6.0, 4.2, nrows=2, sharex=True)
    length, count = matrix.shape
    shown = grid.imshow(
        matrix / (length - 1),
        cmap="Blues",
        aspect="auto",
        vmin=0,
        extent=(0.5, count + 0.5, length + 0.5, 0.5),
    )
    drawn.colorbar(shown, ax=grid, label="share")
    grid.set(ylabel="new frame", title=f"{count} frames become {length}")
    below.bar(np.arange(1, count + 1), folded / (length - 1), color=[RED if w > 0 else BLUE for w in folded])
    below.axhline(0, color="black", lw=0.8)
    below.set(xlabel="original frame", ylabel="weight", title="the same, folded into one weight per frame")
    return drawn


@styled()
def draw_scalings(image: NDArray[Any]) -> Figure:
    """The values of a dynamic image, and where the two scalings put them; a red line marks 0."""
    zero = -image.min() * 255 / max(np.ptp(image), 1)
    panels: tuple[tuple[str, NDArray[Any], float, str, str], ...] = (
        ("dynamic image", image / 1000, 0.0, "value / 1000", GREY),
        ("min-max", scale_minmax(image), zero, f"grey level (0 became {zero:.0f})", BLUE),
        ("signed", scale_signed(image), 0.0, "value (0 stayed 0)", ORANGE),
    )
    drawn, axes = figure(7.0, 2.6, ncols=3, sharey=True)
    for place, (name, values, nothing, label, colour) in zip(axes, panels, strict=True):
        place.hist(np.ravel(values), bins=64, color=colour, histtype="stepfilled")
        place.axvline(nothing, color=RED)
        place.set(xlabel=label, title=name, yscale="log", ylim=(0.7, None))
    axes[0].set_ylabel("values")
    return drawn


@styled()
def draw_contact_sheet(bank: Bank, title: str = "") -> Figure:
    """The first clip of each class of a bank, channels averaged: one row per phase, one column per class."""
    labels, names, phases = bank.clips["emotion"].to_numpy(), bank.classes, bank.phases
    cell = min(1.3, 6.6 / len(names))  # inches
    size = (cell * len(names) + 0.4, (cell + 0.05) * len(phases) + 0.5)
    drawn, axes = figure(*size, nrows=len(phases), ncols=len(names), squeeze=False)
    low, high = (0, 255) if bank.scaling == "minmax" else (-1, 1)
    for column, name in enumerate(names):
        first = int(np.flatnonzero(labels == name)[0])
        axes[0, column].set_title(name, fontsize=9)
        for row in range(len(phases)):
            image = bank.images[first, row].mean(axis=0)
            axes[row, column].imshow(small(image, DETAIL), vmin=low, vmax=high, interpolation="nearest")
    for row, phase in enumerate(phases):
        axes[row, 0].set_ylabel(phase, color=PHASE_COLOURS.get(phase, GREY), fontsize=9)
    bare(axes)
    drawn.suptitle(title, fontsize="medium")
    return drawn


def bare(axes: NDArray[Any]) -> None:
    """Leave nothing of the axes but their names."""
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
        place.spines[:].set_visible(False)


def draw_signed_on(place: Axes, image: NDArray[Any]) -> Any:
    """The mean over the channels of a dynamic image, in a map whose middle is 0."""
    import matplotlib.pyplot as plt

    shown = scale_signed(brightness(small(image, DETAIL)))
    colours = plt.get_cmap(DIVERGING, COLOURS)
    return place.imshow(shown, cmap=colours, vmin=-1, vmax=1, interpolation="nearest")


def brightness(image: NDArray[Any]) -> NDArray[Any]:
    """The mean over the channels of an image [H, W, C]; an image [H, W] as it is."""
    return np.asarray(image if image.ndim == 2 else image.mean(axis=2))


def small(image: NDArray[Any], size: int) -> NDArray[Any]:
    """The image reduced to at most ``size`` pixels, for drawing."""
    factor = size / max(image.shape[:2])
    if factor >= 1:
        return image
    given = image if image.dtype == np.uint8 else image.astype(np.float64)
    return np.asarray(cv2.resize(given, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
