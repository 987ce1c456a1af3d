"""Figures of the rows that were run on several datasets of 26 people each."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dianet_utils.plots.style import BLUE, GREY, RED, figure, styled

_EACH = "dataset "  # how the columns of single datasets begin


@styled()
def draw_people(scores: pd.DataFrame, titles: Mapping[str, str], chance: float, data: str) -> Figure:
    """One line per row: accuracy over all people with its interval, and a grey dot per dataset.

    ``scores`` as :func:`dianet_utils.tables.many_people.scores` makes them, drawn from the top; ``chance`` in
    percent; ``data`` names the clips.
    """
    fig, ax = figure(6.4, 1.1 + 0.3 * len(scores))
    for place, (_, row) in enumerate(scores.iterrows()):
        _draw_line(ax, place, row.to_dict(), "accuracy")
        told, beside = f"{row['accuracy']:.1f}", ax.get_yaxis_transform()
        ax.annotate(told, (1.0, place), (4, 0), xycoords=beside, fontsize=8, **_BESIDE)
    ax.axvline(chance, color=RED, ls="--", lw=1.1, label="chance")
    _label(ax, [titles.get(str(key), str(key)) for key in scores.index])
    _explain(fig, ax, "accuracy, % (95 % interval over people)", data)
    return fig


@styled()
def draw_contrasts(contrasts: pd.DataFrame, titles: Mapping[str, str], data: str) -> Figure:
    """One line per test that was named in advance: the gain in points, its interval, a grey dot per dataset.

    ``contrasts`` as :func:`dianet_utils.tables.many_people.contrasts` makes them, or for one dataset
    :func:`dianet_utils.tables.planned`; ``data`` names the clips.
    """
    fig, ax = figure(6.4, 1.2 + 0.42 * len(contrasts))
    for place, (_, row) in enumerate(contrasts.iterrows()):
        _draw_line(ax, place, row.to_dict(), "gain")
        told, beside = f"p = {row['holm']:.2g}", ax.get_yaxis_transform()
        ax.annotate(told, (1.0, place), (4, 0), xycoords=beside, fontsize=8, **_BESIDE)
    ax.axvline(0, color=GREY, lw=1)
    pairs = zip(contrasts["first"], contrasts["second"], strict=True)
    _label(ax, [f"{titles.get(one, one)}\nminus: {titles.get(two, two)}" for one, two in pairs])
    _explain(fig, ax, "points of accuracy (95 % interval over people; p after Holm)", data)
    return fig


_BESIDE: dict[str, Any] = {"textcoords": "offset points", "va": "center"}


def _draw_line(ax: Axes, place: int, row: Mapping[Any, Any], value: str) -> None:
    """A point with its interval, and the datasets behind it."""
    each = [row[name] for name in row if str(name).startswith(_EACH)]
    label = "one dataset" if each and not place else None
    ax.plot(each, [place] * len(each), "o", ms=3, color=GREY, alpha=0.6, label=label)
    reach = [[row[value] - row["low"]], [row["high"] - row[value]]]
    ax.errorbar(row[value], place, xerr=reach, fmt="o", ms=6, color=BLUE, capsize=3)


def _label(ax: Axes, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", color="#E5E5E5", lw=0.8)
    ax.set_axisbelow(True)


def _explain(fig: Figure, ax: Axes, measured: str, data: str) -> None:
    ax.set_title(data, color=BLUE, loc="left", fontsize="medium")
    fig.supxlabel(measured, fontsize="medium")
    if ax.get_legend_handles_labels()[0]:
        fig.legend(loc="outside upper center", ncols=2, fontsize=8)
