"""Figures of the tables: ours beside the paper's, row against row, accuracy against cost."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from dianet_utils import paper
from dianet_utils.config import LEAKY_MARK
from dianet_utils.plots.style import BLUE, DIVERGING, GREY, PALETTE, RED, figure, styled
from dianet_utils.tables import Summary
from dianet_utils.tables.readable_text import bound_text, kind_text

# The shape of a published point tells how it is known.
KIND_MARKERS = {"printed": "D", "derived": "s", "other source": "^", "bound": "<", "reader": "P"}
_MARKERS = "osD^vPX*"
_ABOVE: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 7.5}
_ASIDE: dict[str, Any] = {"va": "center", "fontsize": 7.5, "color": GREY, "style": "italic"}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")  # type: ignore[return-value]  # column names are texts here


@styled()
def draw_table(summary: Summary) -> Figure:
    """Ours with intervals beside the paper's cells: one row per system, one panel per dataset.

    Clips on which the paper has no results, such as synthetic ones, have a panel of their own, wider than the
    others; on one of its datasets ours stand in its panel.
    """
    panels = ("ours", *paper.DATASETS) if summary.apart else paper.DATASETS
    rows = _records(summary.rows)
    widths = [1.5 if panel == "ours" else 1.0 for panel in panels]
    fig, axes = figure(
        8.6, 1.6 + 0.42 * len(rows), ncols=len(panels), sharey=True, sharex=True, width_ratios=widths
    )
    for ax, panel in zip(axes, panels, strict=True):
        ax.set_xlabel("accuracy, %\n(Eq. 6)")
        ax.grid(axis="x", color="#E5E5E5", lw=0.8)
        ax.set_axisbelow(True)
        if panel != "ours":
            _draw_published(ax, rows, panel)
            ax.set_title(f"paper,\n{paper.TITLES[panel]}")
        if panel == ("ours" if summary.apart else summary.dataset):
            _draw_ours(ax, rows, alone=summary.apart)
    if summary.apart:
        axes[0].set_title(_called(summary), color=BLUE)
        axes[0].set_facecolor("#EFF5FA")
    if summary.leaky or summary.split:
        fig.suptitle(summary.data, color=RED)
    axes[0].set_yticks(range(len(rows)), summary.rows["system"])
    axes[0].set(xlim=(0, 100), ylim=(len(rows) - 0.4, -0.7), xticks=(0, 50, 100))
    fig.legend(
        handles=_kinds(rows), loc="outside lower center", ncols=4, columnspacing=1.2, handletextpad=0.3
    )
    return fig


def _called(summary: Summary) -> str:
    """The title of the panel for clips on which the paper has no results."""
    name = "SYNTHETIC" if summary.synthetic else fill(summary.data, 20)
    return f"ours, {name},\nnot comparable"


def _kinds(rows: list[dict[str, Any]]) -> list[Line2D]:
    """What the marks mean, of those that are drawn."""
    ours = Line2D([], [], marker="o", color=BLUE, label="ours, 95 % interval")
    poor = Line2D([], [], marker="o", color=BLUE, mfc="white", label="ours, a fold not trained")
    chance = Line2D([], [], linestyle="--", color=RED, label="chance")
    there = {row[f"{name}_kind"] for row in rows for name in paper.DATASETS if not pd.isna(row[name])}
    published = [
        Line2D([], [], marker=marker, linestyle="", color=GREY, mfc=_face(kind), label=kind_text(kind))
        for kind, marker in KIND_MARKERS.items()
        if kind in there
    ]
    return [ours, *([poor] if any(map(_is_poor, rows)) else []), chance, *published]


def _is_poor(row: dict[str, Any]) -> bool:
    """Whether a fold of ours tested a network that was near chance on its own training clips."""
    return (
        not pd.isna(row["accuracy"]) and not pd.isna(row["untrained_folds"]) and bool(row["untrained_folds"])
    )


def _face(kind: str) -> str:
    """A bound is hollow: the value lies somewhere below it."""
    return "none" if kind == "bound" else GREY


def _draw_published(ax: Axes, rows: list[dict[str, Any]], dataset: str) -> None:
    """The paper's cells of one dataset; a cell without a value says why."""
    for place, row in enumerate(rows):
        value, lower, kind = (row[f"{dataset}{end}"] for end in ("", "_lower", "_kind"))
        if pd.isna(value):
            ax.text(3, place, kind, **_ASIDE)
            continue
        if kind == "bound":
            ax.plot([0 if pd.isna(lower) else lower, value], [place, place], color=GREY, lw=1, ls=":")
        text = bound_text(value, lower) if kind == "bound" else f"{value:.2f}"
        ax.plot(
            value, place, KIND_MARKERS[kind], color=GREY, mfc="white" if kind == "bound" else GREY, ms=6.5
        )
        ax.annotate(text, (value, place), (0, 6), **_ABOVE)


def _draw_ours(ax: Axes, rows: list[dict[str, Any]], alone: bool) -> None:
    """Our points with intervals; beside published ones they sit a little lower, without numbers.

    A point is hollow where a fold tested a network that was near chance on its own training clips.
    """
    for place, row in enumerate(rows):
        if not pd.isna(row["accuracy"]):
            height = place + (0 if alone else 0.25)
            face = "white" if _is_poor(row) else BLUE
            ax.errorbar(
                row["accuracy"], height, xerr=_reach(row), fmt="o", ms=5, color=BLUE, mfc=face, capsize=3
            )
            if alone:
                ax.annotate(f"{row['accuracy']:.1f}", (row["accuracy"], height), (0, 5), color=BLUE, **_ABOVE)
        elif alone:
            ax.text(_chance(rows) + 6, place, "not run", **_ASIDE)
    ax.axvline(_chance(rows), color=RED, ls="--", lw=1.1)


def _reach(row: dict[str, Any]) -> list[list[float]]:
    """How far the interval reaches down and up, as matplotlib takes it."""
    return [[row["accuracy"] - row["low"]], [row["high"] - row["accuracy"]]]


def _chance(rows: list[dict[str, Any]]) -> float:
    return next(row["chance"] for row in rows if not pd.isna(row["chance"]))


@styled()
def draw_pairs(comparisons: pd.DataFrame, titles: Mapping[str, str], data: str) -> Figure:
    """Row against row: how many points of accuracy the row is ahead of the column, each pair once.

    ``comparisons`` is what :func:`dianet_utils.evaluation.comparison.compare` gives. No p is shown: the pairs
    were not named in advance. ``data`` names our clips. Without a pair the figure says so.
    """
    if comparisons.empty:
        fig, ax = figure(6.0, 1.0)
        ax.text(0.5, 0.5, "one row alone: there is nothing to compare it with", ha="center")
        ax.set_axis_off()
        return fig
    data = f"{data}, {LEAKY_MARK}" if comparisons.attrs.get("leaky") else data
    names = list(dict.fromkeys([*comparisons["first"], *comparisons["second"]]))
    side = 0.6 * max(len(names), 3)
    fig, ax = figure(2.9 + side, 2.1 + 0.6 * side)
    reach = max(10.0, 100 * comparisons["difference"].abs().max())
    ahead = _lower_triangle(comparisons, names)
    for cell in zip(*np.nonzero(~np.isnan(ahead)), strict=True):
        colour = "white" if abs(ahead[cell]) > 0.65 * reach else "black"
        ax.text(*cell[::-1], f"{ahead[cell]:+.1f}", ha="center", va="center", fontsize=8, color=colour)
    image = ax.imshow(ahead, cmap=DIVERGING, vmin=-reach, vmax=reach, aspect="auto")
    labels = [titles[name] for name in names]
    ax.set_xticks(range(len(names) - 1), labels[:-1], rotation=30, ha="right")
    ax.set_yticks(range(len(names) - 1), labels[1:])
    fig.suptitle(f"{data}: row minus column", fontsize="medium")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    fig.colorbar(image, ax=ax, label="accuracy, points ahead", fraction=0.046)
    return fig


def _lower_triangle(comparisons: pd.DataFrame, names: list[str]) -> NDArray[np.floating]:
    """Points that names[1:] (rows) are ahead of names[:-1] (columns), where the row comes later; else NaN."""
    ahead = np.full((len(names) - 1, len(names) - 1), np.nan)
    for pair in _records(comparisons):
        first, second = names.index(pair["first"]), names.index(pair["second"])
        sign = 1 if first > second else -1
        points = 100 * sign * pair["difference"] + 0.0  # never -0.0
        ahead[max(first, second) - 1, min(first, second)] = points
    return ahead


@styled()
def draw_cost(summary: Summary) -> Figure:
    """Accuracy with its interval against the arithmetic and the weights it takes, one point per system.

    Points of nearly the same cost are drawn beside each other, so that none hides another. Those of systems
    without a network are open, and as in :func:`draw_table` those with a fold that was not trained.
    """
    rows = _records(summary.rows.dropna(subset="accuracy"))
    reasons = {
        "without a network": [row["status"] == "rival" for row in rows],
        "a fold not trained": [_is_poor(row) for row in rows],
    }
    looks = _looks(map(any, zip(*reasons.values(), strict=True)))
    panels = {"flops": "MFLOP per clip", "parameters": "parameters, millions"}
    fig, axes = figure(6.8, 3.9, ncols=2, sharey=True)
    for ax, (column, label) in zip(axes, panels.items(), strict=True):
        places = _apart([row[column] / 1e6 for row in rows])
        for row, place, look in zip(rows, places, looks, strict=True):
            ax.errorbar(place, row["accuracy"], yerr=_reach(row), label=row["system"], capsize=3, **look)
        ax.axhline(_chance(rows), color=RED, ls="--", lw=1.1, label="chance")
        _logarithmic(ax, places)
        ax.set_xlabel(label)
    low = min([_chance(rows), *(row["low"] for row in rows)])
    high = max(row["high"] for row in rows)
    axes[0].set(ylabel="accuracy, % (Eq. 6)", ylim=(max(0.0, low - 5), min(102.0, high + 3)))
    fig.suptitle(f"{summary.data}, intervals over people", fontsize="medium")
    handles, labels = axes[0].get_legend_handles_labels()
    legend = fig.legend(handles, labels, loc="outside lower center", ncols=3)
    if there := [reason for reason, held in reasons.items() if any(held)]:
        legend.set_title(f"open: {' or '.join(there)}")
    return fig


def _logarithmic(ax: Axes, places: NDArray[np.floating]) -> None:
    """A logarithmic x axis with whole numbers at it."""
    ax.set_xscale("log")
    wide = np.ptp(np.log10(places)) > 2  # 1, 2 and 5 of each power of ten have no room then
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def _looks(hollow: Iterable[bool]) -> list[dict[str, Any]]:
    """The look of each system, by whether it is open; no two share marker, colour and fill."""
    looks, counts = [], {True: 0, False: 0}
    for is_open in hollow:
        turn, place = divmod(counts[is_open], len(PALETTE))
        counts[is_open] += 1
        marker = _MARKERS[(place + turn) % len(_MARKERS)]  # colours that come again have another marker
        looks.append({"fmt": marker, "color": PALETTE[place], "mfc": "white" if is_open else PALETTE[place]})
    return looks


def _apart(costs: list[float]) -> NDArray[np.floating]:
    """The costs for a logarithmic axis, where neighbours stand at least a thirtieth of the range apart.

    Points that are too close are moved upwards in the order of their costs, then all of them back by half of
    the largest move.
    """
    logs = np.log(costs)
    order = np.argsort(logs, kind="stable")
    gap = max(float(np.ptp(logs)), 0.3) / 30
    moved = logs.copy()
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    return np.exp(moved - (moved - logs).max() / 2)
