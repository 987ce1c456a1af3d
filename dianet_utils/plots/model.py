"""Figures of DIANet: its parts, its cost, its attention, its losses and its augmentation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dianet_utils.config import own_code
from dianet_utils.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALETTE,
    PHASE_COLOURS,
    RED,
    SEQUENTIAL,
    figure,
    styled,
)

_ROWS = {"onset": 2.15, "offset": 0.75}  # height of each stream's middle in the diagram
_FUSION_NAMES = {
    "cross_channel": "cross attention\nover channels",
    "cross_tokens": "cross attention\nover pieces",
    "cross_spatial": "cross attention\nover places",
    "cross_single_token": "cross attention\nover one token",
    "simple": "simple\nattention",
    "concat": "no exchange",
}


@styled()
def draw_architecture(
    images: NDArray[np.floating],
    streams: str = "shared",
    fusion: str | type = "cross_channel",
    classes: int = 5,
) -> Figure:
    """DIANet from left to right: ``images`` [2, H, W, 3] (DI-Onset, DI-Offset), backbone, fusion, losses.

    A ``fusion`` of one's own, a class or its name, is called by its class.
    """
    fig, ax = figure(6.6, 3.2)
    draw_architecture_on(ax, images, streams, fusion, classes)
    return fig


@styled()
def draw_architecture_on(
    ax: Axes,
    images: NDArray[np.floating],
    streams: str = "shared",
    fusion: str | type = "cross_channel",
    classes: int = 5,
) -> None:
    """The drawing of :func:`draw_architecture` inside a larger figure."""
    ax.set(xlim=(0, 9.2), ylim=(-0.75, 3.35), aspect="equal")
    ax.axis("off")
    for (phase, height), image, number in zip(_ROWS.items(), images, "12", strict=True):
        colour = PHASE_COLOURS[phase]
        _show_grey(ax, image, extent=(0.05, 1.15, height - 0.55, height + 0.55))
        ax.text(0.6, height + 0.62, f"DI-{phase.title()}", ha="center", va="bottom", fontsize=8, color=colour)
        _box(ax, 3.3, height, 0.62, 0.95, f"$f_{number}$\n512", colour)
        for start, end in ((1.2, 1.5), (2.66, 2.97), (3.63, 3.98), (5.52, 5.87)):
            _arrow(ax, (start, height), (end, height), colour)
    _draw_streams(ax, streams)
    middle = sum(_ROWS.values()) / 2
    called = fusion.__name__ if isinstance(fusion, type) else fusion
    name = _FUSION_NAMES.get(called, own_code.title(called))
    _box(ax, 4.75, middle, 1.5, 2.35, f"LayerNorm,\nthen\n{name}", GREEN)
    for x, width, label in ((6.2, 0.66, "concat\n1024"), (7.15, 0.82, "projec-\ntion\n512")):
        _box(ax, x, middle, width, 2.35 if x < 7 else 1.5, label, GREY)
    _box(ax, 8.45, middle, 1.3, 1.5, f"MLP:\nlinear, ReLU,\ndropout, linear\n{classes} scores", GREY)
    _arrow(ax, (6.53, middle), (6.72, middle), GREY)
    _arrow(ax, (7.58, middle), (7.78, middle), GREY)
    _draw_losses(ax, middle)


def _draw_streams(ax: Axes, streams: str) -> None:
    """One backbone across both rows, or one per row."""
    if streams == "shared":
        _box(ax, 2.08, sum(_ROWS.values()) / 2, 1.12, 2.35, "backbone\n(one for\nboth)", GREY)
        return
    for phase, height in _ROWS.items():
        _box(ax, 2.08, height, 1.12, 0.95, f"backbone\nof {phase}", PHASE_COLOURS[phase])


def _draw_losses(ax: Axes, middle: float) -> None:
    """Where the two terms of the objective look."""
    low = -0.5
    dashed = {"linestyle": "--", "linewidth": 1}
    _arrow(ax, (3.3, 0.24), (3.3, low + 0.2), RED, **dashed)
    _arrow(ax, (3.3, 1.65), (3.3, 1.25), RED, arrowstyle="<->", **dashed)
    _arrow(ax, (8.45, middle - 0.78), (8.45, low + 0.2), RED, **dashed)
    look: dict[str, Any] = {"va": "center", "fontsize": 8, "color": RED}
    ax.text(3.3, low, "consistency: 1 − cos($f_1$, $f_2$)", ha="center", **look)
    ax.text(9.15, low, "cross-entropy", ha="right", **look)


def _box(ax: Axes, x: float, y: float, width: float, height: float, label: str, colour: str) -> None:
    """A rounded box centred on (x, y)."""
    corner = (x - width / 2, y - height / 2)
    look: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=0.08",
        "edgecolor": colour,
        "facecolor": f"{colour}22",
    }
    ax.add_patch(FancyBboxPatch(corner, width, height, linewidth=1.4, **look))
    ax.text(x, y, label, ha="center", va="center", fontsize=7.5)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, **look: Any) -> None:
    look = {"arrowstyle": "-|>", "linewidth": 1.4, **look}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, mutation_scale=9, shrinkA=0, shrinkB=0, **look))


@styled()
def draw_costs(costs: pd.DataFrame) -> Figure:
    """Bars of parameters and arithmetic; ``costs`` has one row per network, columns parameters and flops."""
    fig, axes = figure(6.0, 0.9 + 0.36 * len(costs), ncols=2, sharey=True)
    sides = (
        ("parameters", 1e6, "million parameters", BLUE),
        ("flops", 1e9, "GFLOP per clip, forward", ORANGE),
    )
    for ax, (column, unit, label, colour) in zip(axes, sides, strict=True):
        bars = ax.barh(costs.index, costs[column] / unit, color=colour)
        ax.bar_label(bars, fmt="%#.3g", padding=3, fontsize=9)
        ax.set(xlabel=label)
        ax.margins(x=0.18)
    axes[0].invert_yaxis()
    return fig


@styled()
def draw_softmax(counts: Sequence[int] = (1, 2, 4, 16)) -> Figure:
    """The weight that softmax gives one key against its score, the other keys' scores being 0."""
    fig, ax = figure(4.6, 2.3)
    score = np.linspace(-6, 6, 200)
    for count, colour, style in zip(counts, PALETTE, ("-", "--", "-.", ":"), strict=False):
        weight = np.exp(score) / (np.exp(score) + count - 1)
        ax.plot(score, weight, style, color=colour, label=f"{count} key" + "s" * (count > 1), linewidth=2)
    ax.set(
        xlabel="score of one key, $q k^T / \\sqrt{d}$ (others 0)",
        ylabel="its attention weight",
        ylim=(-0.03, 1.06),
    )
    ax.legend(loc="lower right", fontsize="small")
    return fig


@styled()
def draw_gradients(norms: pd.DataFrame) -> Figure:
    """Gradient norms of the projections; one row per reading, columns query, key and value.

    The axis is logarithmic, but linear below the power of ten under the smallest norm, so that zero shows.
    """
    fig, ax = figure(5.6, 0.9 + 0.55 * len(norms))
    positions = np.arange(len(norms))
    for number, (name, marker) in enumerate(zip(norms.columns, "os^", strict=True)):
        look: dict[str, Any] = {
            "marker": marker,
            "color": PALETTE[number],
            "markersize": 8,
            "linestyle": "none",
        }
        ax.plot(norms[name], positions + 0.3 * (number - 1), label=name, **look)
    smallest = 10 ** np.floor(np.log10(norms[norms > 0].min().min()))
    ax.set_xscale("symlog", linthresh=smallest, linscale=0.4)
    ax.axvline(0, color=GREY, linewidth=1, zorder=0)
    ax.set_yticks(positions, norms.index)
    ax.grid(axis="x", alpha=0.3)
    ax.margins(y=0.08)
    ax.invert_yaxis()
    ax.set(xlabel="gradient norm of the layer's weights")
    fig.legend(loc="outside right upper")
    return fig


@styled()
def draw_attention(maps: NDArray[np.floating], unit: str, first: int = 32) -> Figure:
    """Both directions' attention maps [2, L, L]; a token is a ``unit``.

    Rows are the ``first`` tokens of one phase. Columns are ``first`` tokens of the other, evenly chosen in
    the order that the row with the strongest preference gives them. Colours are the weight's ratio to an even
    spread (1 / L), from white for 0 to dark blue for the largest; a power of it keeps small ones apart.
    """
    fig, axes = figure(6.0, 2.6, ncols=2)
    shown = [_in_order(ratio[:first], first) for ratio in maps * maps.shape[-1]]
    largest = float(np.max(shown))
    norm = PowerNorm(0.3, vmin=0, vmax=largest)
    names = ("onset", "offset")
    for ax, ratio, asker, other in zip(axes, shown, names, names[::-1], strict=True):
        image = ax.imshow(ratio, cmap=SEQUENTIAL, norm=norm, interpolation="nearest")
        ax.set(
            title=f"{asker} attends to {other}",
            xlabel=f"{unit}s of {other}, sorted",
            ylabel=f"{unit} of {asker}",
        )
        ax.set_xticks([])  # the columns are in an order of their own
    bar = fig.colorbar(image, ax=axes, label="weight / equal weight", shrink=0.85)
    ticks = [tick for tick in (0, 1, 4, 16, 64, 256) if tick <= largest]
    bar.set_ticks(ticks, labels=[str(tick) for tick in ticks])
    return fig


def _in_order(ratios: NDArray[np.floating], count: int) -> NDArray[np.floating]:
    """Evenly chosen columns of ``ratios`` [rows, L], in the order of the row with the widest range."""
    order = np.argsort(ratios[np.ptp(ratios, axis=1).argmax()], kind="stable")
    chosen = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return ratios[:, order[chosen]]


@styled()
def draw_consistency_loss() -> Figure:
    """Eq. 4 against the angle between the two features, with four pairs of arrows as examples."""
    fig, ax = figure(4.6, 2.4)
    angle = np.linspace(0, 180, 181)
    ax.plot(angle, 1 - np.cos(np.radians(angle)), color=GREY, linewidth=2)
    for degrees in (0, 45, 90, 180):
        place = np.array([degrees, 1 - np.cos(np.radians(degrees))])
        ax.plot(*place, "o", color="black", zorder=3)
        _draw_pair(ax, place, degrees)
    ax.set(xlabel="angle between $f_1$ and $f_2$ (degrees)", ylabel="consistency loss, 1 − cos")
    ax.set(xlim=(-8, 200), ylim=(-0.15, 2.45))
    ax.set_xticks(range(0, 181, 45))
    return fig


def _draw_pair(ax: Axes, place: NDArray[np.floating], degrees: float) -> None:
    """Two arrows of equal length, ``degrees`` apart on the page, above a place on the curve."""
    look: dict[str, Any] = {
        "angles": "uv",
        "units": "inches",
        "scale": 3,
        "scale_units": "inches",
        "width": 0.025,
    }
    for turn, phase, lift in ((0, "onset", 0.2), (np.radians(degrees), "offset", 0.2 if degrees else 0.3)):
        colour = PHASE_COLOURS[phase]
        ax.quiver(place[0], place[1] + lift, np.cos(turn), np.sin(turn), color=colour, zorder=3, **look)


@styled()
def draw_tradeoff(history: pd.DataFrame) -> Figure:
    """What lambda trades: cross-entropy and angle by training step, one line per weight.

    ``history`` columns: weight, step, cross_entropy, angle (degrees).
    """
    fig, axes = figure(6.0, 2.3, ncols=2)
    sides = (("cross_entropy", "cross-entropy"), ("angle", "angle (degrees)"))
    for ax, (column, label) in zip(axes, sides, strict=True):
        for number, (weight, part) in enumerate(history.groupby("weight")):
            style = ("-", "--", "-.", ":")[number % 4]
            ax.plot(
                part["step"], part[column], style, color=PALETTE[number], label=f"{weight:g}", linewidth=2
            )
        ax.set(xlabel="training step", ylabel=label)
        ax.set_ylim(bottom=0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    fig.legend(*axes[0].get_legend_handles_labels(), title="lambda", loc="outside right upper")
    return fig


@styled()
def draw_augmented(images: NDArray[np.floating], titles: Sequence[str]) -> Figure:
    """Columns of versions of a clip, one row per phase, in grey; ``images`` [version, 2, H, W]."""
    fig, axes = figure(1.2 * len(images), 2.5, nrows=2, ncols=len(images))
    for column, title in enumerate(titles):
        axes[0, column].set_title(title, fontsize=9)
        for row, phase in enumerate(("onset", "offset")):
            ax = axes[row, column]
            _show_grey(ax, images[column, row])
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if column == 0:
                ax.set_ylabel(f"DI-{phase.title()}", color=PHASE_COLOURS[phase])
    return fig


def _show_grey(ax: Axes, image: NDArray[np.floating], **where: Any) -> None:
    """A dynamic image [H, W] in grey, all but its most extreme pixels stretched over the range."""
    low, high = np.percentile(image, (0.5, 99.5))
    ax.imshow(image, vmin=low, vmax=high, interpolation="nearest", **where)
