"""Figures of an uncertain apex: how it is spotted, what a shifted one does to images and to accuracy."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from dianet_utils.datasets.boxes import face_weight
from dianet_utils.dynamic_images import MID_GREY
from dianet_utils.plots.style import (
    BLUE,
    DIVERGING,
    GREEN,
    GREY,
    ORANGE,
    PALETTE,
    PHASE_COLOURS,
    RED,
    figure,
    styled,
)

STYLES = ("-", "--", ":", "-.")
_LEVEL = 0.05  # of Holm's p, below which a difference counts
_METHODS = {"annotated": GREEN, "midpoint": GREY, "difference": BLUE, "flow": ORANGE}
_STEPS, _DETAIL = 15, 64  # colours of signed images and their pixels: enough to read, small in a notebook


@styled()
def draw_spotting(
    numbers: NDArray[Any], curves: Mapping[str, NDArray[Any]], marks: Mapping[str, int]
) -> Figure:
    """The curve of each method over the frame ``numbers`` [T], its peak, and ``marks`` as upright lines."""
    fig, axes = figure(6.4, 1.9 * len(curves), nrows=len(curves), sharex=True, squeeze=False)
    units = {"difference": "grey levels", "flow": "pixels"}
    for ax, (name, values) in zip(axes[:, 0], curves.items(), strict=True):
        peak = 1 + int(np.argmax(values[1:-1]))
        ax.plot(numbers, values, color=_METHODS[name], lw=2)
        ax.plot(
            numbers[peak], values[peak], "o", color=_METHODS[name], label=f"spotted, frame {numbers[peak]}"
        )
        for style, (mark, number) in zip(STYLES[1:], marks.items(), strict=False):
            ax.axvline(number, color="black", ls=style, lw=1.2, label=f"{mark}, frame {number}")
        ax.set(ylabel=f"{name}\n({units[name]})", ylim=(0, None))
        ax.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    axes[-1, 0].set_xlabel("frame number")
    return fig


@styled()
def draw_weight(face: NDArray[Any], weight: NDArray[Any]) -> Figure:
    """A face [H, W, 3], the weight of its pixels [S, S] from 0 to 1, and the face under it."""
    fig, axes = figure(5.4, 2.1, ncols=3)
    small = cv2.resize(face, weight.shape[::-1], interpolation=cv2.INTER_AREA)
    weighted = np.rint(small * weight[..., None]).astype(np.uint8)
    pictures = {"a face": small, "weight (white: 1)": weight, "what is compared": weighted}
    for ax, (name, picture) in zip(axes, pictures.items(), strict=True):
        ax.imshow(picture, interpolation="nearest")
        ax.set_title(name, fontsize=9)
        ax.set_axis_off()
    return fig


@styled()
def draw_errors(errors: pd.DataFrame) -> Figure:
    """Histograms of the error in frames, one panel per method; positive is late, no error is a red line."""
    reach = max(10, int(np.ceil(errors.abs().quantile(0.98).max())))
    bins = np.arange(-reach, reach + 2) - 0.5
    fig, axes = figure(6.4, 1.35 * errors.shape[1] + 0.5, nrows=errors.shape[1], sharex=True, squeeze=False)
    for ax, name in zip(axes[:, 0], errors.columns, strict=True):
        beyond = int((errors[name].abs() > reach).sum())
        ax.hist(errors[name].clip(-reach, reach), bins=bins, color=_METHODS[name])
        ax.axvline(0, color=RED, lw=1)
        told = f"{name}: mean |error| {errors[name].abs().mean():.1f}"
        ax.set_title(told + (f", {beyond} beyond the edge" if beyond else ""), fontsize=9, loc="left")
        ax.set_ylabel("clips")
    axes[-1, 0].set_xlabel("spotted minus true apex (frames; the last bars hold all beyond)")
    return fig


@styled()
def draw_curves(
    curves: Mapping[str, pd.DataFrame], chance: float, clipped: pd.Series, title: str = ""
) -> Figure:
    """Accuracy by shift of the apex with its 95 % interval, one line per model; below, the clipped clips.

    ``curves`` holds tables of :func:`dianet_utils.evaluation.apex_errors.curve`; ``clipped`` the share of
    clips, by shift, whose apex had to stop inside the clip.
    """
    fig, (ax, below) = figure(6.4, 4.2, nrows=2, sharex=True, gridspec_kw={"height_ratios": [4, 1]})
    for place, (name, table) in enumerate(curves.items()):
        colour, style = PALETTE[place], STYLES[place % len(STYLES)]
        ax.plot(table.index, table["accuracy"], style, marker="o", ms=4, color=colour, label=name)
        ax.fill_between(table.index, table["low"], table["high"], color=colour, alpha=0.15, lw=0)
    ax.axhline(chance, color=GREY, ls=":", label=f"chance {chance:.2f}")
    ax.axvline(0, color=GREY, lw=0.8)
    ax.set(ylabel="accuracy", ylim=(0, 1), title=title)
    fig.legend(fontsize=8, loc="outside lower center", ncols=3)
    below.bar(clipped.index, 100 * clipped, width=0.8, color=GREY)
    below.set(xlabel="shift of the annotated apex (frames; positive is later)", ylabel="clipped, %")
    return fig


@styled()
def draw_gains(table: pd.DataFrame, label: str, title: str = "") -> Figure:
    """A paired difference in accuracy by shift with its 95 % interval, in points.

    Points are filled where Holm's p < 0.05. ``table`` has the differences as parts of 1.
    """
    fig, ax = figure(6.4, 3.2)
    for shift, row in table.iterrows():
        value, low, high = (100 * row[name] for name in ("difference", "low", "high"))
        look = {"color": BLUE, "capsize": 4, "mfc": BLUE if row["holm"] < _LEVEL else "white"}
        ax.errorbar(shift, value, yerr=[[value - low], [high - value]], fmt="o", **look)
    ax.axhline(0, color=GREY, lw=1)
    ax.set(xlabel="shift of the apex (frames)", ylabel=fill(f"{label}, points", 26), title=title)
    meanings = {f"Holm's p < {_LEVEL:g}": BLUE, f"Holm's p {_LEVEL:g} or more": "white"}
    handles = [Line2D([], [], ls="", marker="o", color=BLUE, mfc=f, label=n) for n, f in meanings.items()]
    fig.legend(handles=handles, loc="outside lower center", ncols=2)
    return fig


@styled()
def draw_shifted(
    images: Mapping[int, NDArray[Any]],
    phases: Sequence[str],
    title: str = "",
    reached: Mapping[int, int] | None = None,
) -> Figure:
    """Images [phase, 3, H, W] of one clip, one column per shift of its apex in frames, one row per phase.

    ``reached`` has for a shift the frames by which the apex did move, fewer where it had to stop inside the
    clip; without it every shift is taken as reached.
    """
    fig, axes = figure(
        0.5 + 1.15 * len(images),
        0.6 + 1.15 * len(phases),
        nrows=len(phases),
        ncols=len(images),
        squeeze=False,
    )
    for column, (shift, stack) in enumerate(images.items()):
        axes[0, column].set_title(_shift_name(shift, (reached or {}).get(shift, shift)), fontsize=9)
        for row, phase in enumerate(phases):
            _picture(axes[row, column], stack[row])
            if column == 0:
                axes[row, 0].set_ylabel(phase, color=PHASE_COLOURS.get(phase, GREY))
    fig.suptitle(title, fontsize="medium")
    return fig


def _shift_name(shift: int, reached: int) -> str:
    if not shift:
        return "as annotated"
    return f"{shift:+d}" if reached == shift else f"{shift:+d}\n(limited: {reached:+d})"


@styled()
def draw_flows(
    images: Mapping[str, NDArray[Any]], flows: Mapping[str, NDArray[Any]], title: str = ""
) -> Figure:
    """Dynamic images and flows [3, H, W] of one clip by phase: one row per phase.

    Columns: the dynamic image (where signed: red rose; of the scaling "minmax" grey), the flow to the right
    (red) and left, down (red) and up, and its length. The flow has no unit here: 1 is the largest that
    the network sees. Its colours end where nearly all of the face does, and a plain wall goes beyond.
    """
    fig, axes = figure(6.2, 1.3 + 1.4 * len(images), nrows=len(images), ncols=4, squeeze=False)
    signed = {phase: _signed(flow) for phase, flow in flows.items()}
    reach = _reach_of_faces(signed.values())
    for row, phase in zip(axes, images, strict=True):
        _picture(row[0], images[phase])
        row[0].set_ylabel(phase, color=PHASE_COLOURS.get(phase, GREY))
        for ax, channel in zip(row[1:], signed[phase], strict=True):
            shown = _picture(ax, channel[None], reach)
    for ax, name in zip(axes[0], ("dynamic image", "horizontal", "vertical", "length"), strict=True):
        ax.set_title(name, fontsize=9)
    # Below the flows alone: the dynamic image beside them is on a scale of its own.
    bar = fig.colorbar(shown, ax=axes[:, 1:], location="bottom", extend="both", shrink=0.85, aspect=35)
    bar.set_label("flow (1: the largest that the network sees)", fontsize=9)
    fig.suptitle(title, fontsize="medium")
    return fig


def _signed(flow: NDArray[Any]) -> NDArray[np.floating]:
    """A flow as numbers from -1 to 1, whichever scaling it has."""
    return flow if flow.dtype.kind == "f" else (flow.astype(np.float32) - MID_GREY) / (MID_GREY - 1)


def _reach_of_faces(flows: Iterable[NDArray[np.floating]]) -> float:
    """The size below which 95 % of the motion of the faces lies, of flows [3, H, W]."""
    sizes = [np.abs(flow[:, face_weight(flow.shape[-1]) > 0.5]) for flow in flows]
    return float(np.clip(np.quantile(sizes, 0.95), 0.05, 1.0))


def _picture(ax: Axes, image: NDArray[Any], reach: float = 1.0) -> AxesImage:
    """The mean over the channels of an image [C, H, W]: floats are signed, uint8 is grey.

    Colours of signed images end at ``reach`` on either side.
    """
    import matplotlib

    signed, mean = image.dtype.kind == "f", image.mean(axis=0)
    size = (min(_DETAIL, mean.shape[1]), min(_DETAIL, mean.shape[0]))
    small = cv2.resize(mean, size, interpolation=cv2.INTER_AREA)
    colours = matplotlib.colormaps[DIVERGING].resampled(_STEPS) if signed else "gray"
    low, high = (-reach, reach) if signed else (0, 255)
    shown = ax.imshow(small, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return shown
