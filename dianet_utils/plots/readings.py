"""Figures of what the paper leaves open: every reading beside the default, and what lambda does."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dianet_utils.plots.style import BLUE, GREY, ORANGE, RED, figure, styled

LEVEL = 0.05


@styled()
def draw_readings(table: pd.DataFrame, data: str) -> Figure:
    """Accuracy with its interval, one line per interpretation, by question; ``data`` names the clips.

    ``table`` is what :func:`dianet_utils.tables.readings_table` gives. The default is hollow and its accuracy
    runs down the figure; one that differs from it (Holm's p below 0.05) is a red diamond.
    """
    lines = _lines(table)
    fig, ax = figure(7.0, 1.1 + 0.19 * len(lines))
    for height, (label, row) in enumerate(lines):
        if row is None:
            ax.text(-0.02, height, label, ha="right", va="center", fontweight="bold", **_beside(ax))
        else:
            ax.text(-0.02, height, label, ha="right", va="center", **_beside(ax))
            _draw_reading(ax, row, height)
    default = table.loc[table["default"], "accuracy"].iloc[0]
    ax.axvline(default, color=GREY, lw=1, ls=":", zorder=0)
    ax.axvline(table["chance"].dropna().iloc[0], color=RED, lw=1.1, ls="--", zorder=0)
    ax.set(ylim=(len(lines) - 0.3, -0.7), yticks=[], xlabel=f"accuracy over all clips, %: {data}")
    ax.spines["left"].set_visible(False)
    fig.legend(handles=_legend(), loc="outside upper center", ncols=4, handletextpad=0.3)
    return fig


def _lines(table: pd.DataFrame) -> list[tuple[str, dict[str, Any] | None]]:
    """The lines of the figure from top to bottom: a question, then its readings."""
    lines: list[tuple[str, dict[str, Any] | None]] = []
    for asks, part in table.groupby("asks", sort=False):
        readings: list[dict[str, Any]] = part.to_dict("records")  # type: ignore[assignment]
        lines += [(str(asks), None), *((row["reading"], row) for row in readings)]
    return lines


def _beside(ax: Axes) -> dict[str, Any]:
    """Text left of the axes, at the height of a line."""
    return {"transform": ax.get_yaxis_transform(), "fontsize": 8}


def _draw_reading(ax: Axes, row: dict[str, Any], height: int) -> None:
    if pd.isna(row["accuracy"]):
        ax.text(0.07, height, "not run", va="center", style="italic", color=GREY, **_beside(ax))
        return
    differs = row["holm"] < LEVEL  # never true of the default, which has none
    reach = [[row["accuracy"] - row["low"]], [row["high"] - row["accuracy"]]]
    look: dict[str, Any] = {"fmt": "D" if differs else "o", "color": RED if differs else BLUE, "capsize": 2.5}
    ax.errorbar(row["accuracy"], height, xerr=reach, mfc="white" if row["default"] else None, **look)
    ax.text(1.01, height, f"{row['accuracy']:.1f}", va="center", **_beside(ax))


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], marker="o", color=BLUE, mfc="white", label="default"),
        Line2D([], [], marker="o", color=BLUE, label="interpretation"),
        Line2D([], [], marker="D", color=RED, label=f"differs, Holm's p < {LEVEL}"),
        Line2D([], [], linestyle="--", color=RED, label="chance"),
    ]


@styled()
def draw_lambda(table: pd.DataFrame) -> Figure:
    """Cosine between the streams (left) and accuracy with its interval (right), one point per lambda.

    ``table``: index lambda, columns ``cosine`` and, in percent, ``accuracy low high``.
    """
    fig, (left, right) = figure(6.4, 2.7, ncols=2)
    places = range(len(table))
    left.plot(places, table["cosine"], "o-", color=ORANGE)
    left.set(ylabel="cosine between $f_1$ and $f_2$", ylim=(min(0.0, table["cosine"].min()) - 0.05, 1.05))
    left.axhline(0, color=GREY, lw=0.8)
    reach = [table["accuracy"] - table["low"], table["high"] - table["accuracy"]]
    right.errorbar(places, table["accuracy"], yerr=reach, fmt="s-", color=BLUE, capsize=3)
    right.set(ylabel="accuracy, %")
    for ax in (left, right):
        ax.set_xticks(places, [f"{value:g}" for value in table.index])
        ax.set(xlabel="lambda of Eq. 5")
        ax.margins(x=0.1)
    return fig


@styled()
def draw_transfer(table: pd.DataFrame, data: str) -> Figure:
    """Accuracy on the same kind of clips, by who trained and on what; one line per run.

    ``table``: index the run's name for people, columns ``accuracy low high chance`` in percent.
    """
    fig, ax = figure(6.4, 1.1 + 0.42 * len(table))
    reach = [table["accuracy"] - table["low"], table["high"] - table["accuracy"]]
    ax.errorbar(table["accuracy"], range(len(table)), xerr=reach, fmt="o", color=BLUE, capsize=4)
    for height, row in enumerate(table.to_dict("records")):
        ax.annotate(f"{row['accuracy']:.1f}", (row["accuracy"], height), (0, 6), **_ABOVE)
        ax.plot(row["chance"], height, "|", color=RED, ms=14, mew=2, label="chance" if not height else None)
    ax.set_yticks(range(len(table)), table.index)
    ax.set(xlim=(0, 100), ylim=(len(table) - 0.5, -0.6), xlabel=f"accuracy, %: {data}")
    fig.legend(loc="outside upper right")
    return fig


_ABOVE: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 8, "color": BLUE}
