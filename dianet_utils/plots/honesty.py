"""Figures about evaluation itself: what a policy, a way of pooling, or luck does to a score."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dianet_utils import paper
from dianet_utils.config import LEAKY
from dianet_utils.evaluation import SCORES
from dianet_utils.evaluation.power import WANTED, claims
from dianet_utils.plots.style import BLUE, GREEN, GREY, ORANGE, PALETTE, RED, figure, styled

_NAMES = {"accuracy": "accuracy", "uf1": "UF1", "uar": "UAR"}
_LOOKS = {"pooled": ("o", 1.0), "mean over folds": ("s", 0.55)}
_COLOURS = {"held_out": BLUE, "none": GREEN, LEAKY: RED}
_LINES = ("-", "--", ":", "-.")
_LABEL = 0.08  # height of a label at the end of a line, of an axis from 0 to 1


def _label(policy: str) -> str:
    return f"LEAKY: {policy}" if policy == LEAKY else policy


@styled()
def draw_policies(table: pd.DataFrame, chance: float, title: str) -> Figure:
    """Every score of every policy, pooled and as a mean over folds, with intervals over subjects.

    ``table`` has the rows of :func:`dianet_utils.evaluation.poolings` with a column ``policy`` before them.
    ``chance`` (0 to 1) is drawn where it means something: for accuracy.
    """
    policies = list(dict.fromkeys(table["policy"]))
    fig, axes = figure(7.6, 1.5 + 0.62 * len(policies), ncols=len(SCORES), sharey=True, sharex=True)
    for ax, score in zip(axes, SCORES, strict=True):
        for _, row in table[table["score"] == score].iterrows():
            marker, shade = _LOOKS[row["pooling"]]
            height = policies.index(row["policy"]) + (-0.15 if row["pooling"] == "pooled" else 0.2)
            _draw_interval(ax, row, height, marker, _COLOURS[row["policy"]], shade)
        ax.set(xlabel=_NAMES[score], xlim=(0, 1.02), xticks=(0, 0.25, 0.5, 0.75))
        ax.grid(axis="x", color="#E5E5E5", lw=0.8)
    axes[0].axvline(chance, color=GREY, ls="--", lw=1.1, zorder=1, label=f"chance {chance:.2f}")
    axes[0].set_yticks(range(len(policies)), [_label(policy) for policy in policies])
    axes[0].set_ylim(len(policies) - 0.5, -0.65)
    for name, (marker, shade) in _LOOKS.items():
        axes[0].plot([], [], marker, color="black", alpha=shade, label=name)
    fig.legend(loc="outside lower center", ncols=3)
    fig.suptitle(title, fontsize="medium")
    return fig


def _draw_interval(ax: Axes, row: pd.Series, height: float, marker: str, colour: str, shade: float) -> None:
    reach = [[max(0.0, row["value"] - row["low"])], [max(0.0, row["high"] - row["value"])]]
    ax.errorbar(row["value"], height, xerr=reach, fmt=marker, color=colour, alpha=shade, capsize=3, ms=5.5)
    above: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 7.5, "color": colour}
    above["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    above["zorder"] = 1.5  # over the line of chance, under markers and whiskers
    ax.annotate(f"{row['value']:.3f}", (row["value"], height), (0, 4), **above)


@styled()
def draw_choosing(folds: Sequence[dict[str, Any]], title: str) -> Figure:
    """Accuracy on the test subject by epoch, one thin line per fold, and the epoch that a leaky run keeps.

    ``folds`` are those of a run with the policy ``test_subject``. The gap between the mean of the kept
    epochs and the mean of the last ones is what choosing brings.
    """
    fig, ax = figure(6.4, 3.6)
    curves = np.array([fold["history"]["test_accuracy"] for fold in folds])
    epochs = np.arange(1, curves.shape[1] + 1)
    for curve, fold in zip(curves, folds, strict=True):
        best = fold["history"]["best_epoch"]
        ax.plot(epochs, curve, color=GREY, lw=0.7, alpha=0.5)
        ax.plot(best, curve[best - 1], "*", color=RED, ms=7)
    ax.plot(epochs, curves.mean(0), color=BLUE, lw=2.2, label="mean of the folds")
    kept = curves.max(1).mean()
    ax.axhline(kept, color=RED, ls="--", lw=1.3, label=f"mean of the kept epochs, {kept:.3f}")
    ax.plot([], [], "*", color=RED, label="epoch kept: LEAKY")
    ax.set(xlabel="epoch", ylabel="accuracy on the test subject", ylim=(0, 1.03), title=title)
    fig.legend(loc="outside lower center", ncols=3, columnspacing=1.2, handletextpad=0.5)
    return fig


@styled()
def draw_zero_skill(table: pd.DataFrame, title: str) -> Figure:
    """What a classifier without skill scores when the best of so many epochs is kept.

    ``table`` is [number of epochs, dataset], as
    :func:`dianet_utils.evaluation.zero_skill.bounds_by_epochs` makes it.
    """
    fig, ax = figure(6.0, 3.3)
    for index, name in enumerate(table):
        values, look = table[name], {"color": PALETTE[index], "ls": _LINES[index % 4]}
        ax.plot(table.index, values, label=name, lw=2, **look)
    last = table.iloc[-1].to_numpy(float)
    beside: dict[str, Any] = {"textcoords": "offset points", "va": "center"}
    for value, place, colour in zip(last, _spread(last, _LABEL), PALETTE, strict=False):
        ax.annotate(f"{value:.2f}", (table.index[-1], place), (4, 0), color=colour, **beside)
    ax.set(xlabel="epochs to choose from", ylabel="expected accuracy", ylim=(0, 1), title=title)
    ax.legend(loc="lower right")
    return fig


def _spread(values: NDArray[np.floating], gap: float) -> NDArray[np.floating]:
    """Heights for labels of ``values``, in their order and at least ``gap`` apart, each near its value."""
    places, order = values.copy(), np.argsort(values, kind="stable")
    for _ in range(100):
        for low, high in pairwise(order):
            short = max(0.0, gap - (places[high] - places[low]))
            places[low] -= short / 2
            places[high] += short / 2
    return places


@styled()
def draw_reliability(curves: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Share of right clips against the confidence they were given, and how many clips lie where.

    ``curves`` maps a policy to what :func:`dianet_utils.evaluation.reliability` gives.
    """
    fig, (ax, below) = figure(5.4, 5.2, nrows=2, sharex=True, height_ratios=[3, 1])
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1.1, label="calibrated")
    for index, (name, curve) in enumerate(curves.items()):
        look: dict[str, Any] = {
            "color": _COLOURS.get(name, ORANGE),
            "ls": _LINES[index % 4],
            "marker": "osD^"[index],
        }
        ax.plot(curve["confidence"], curve["accuracy"], label=_label(name), ms=5, **look)
        below.plot(curve["confidence"], curve["clips"], ms=4, **look)
    ax.set(ylabel="share of clips right", xlim=(0, 1), ylim=(0, 1.02), title=title)
    below.set(xlabel="confidence: probability of the predicted class", ylabel="clips")
    below.set_ylim(bottom=0)
    fig.legend(loc="outside lower center", ncols=2)
    return fig


@styled()
def draw_granularity(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """How many of the paper's own accuracies each number of clips makes possible: one panel per dataset.

    ``tables`` maps a dataset to what :func:`dianet_utils.evaluation.granularity.paper_fits` gives. The count
    that our selection leaves is marked by a black bar.
    """
    fig, axes = figure(6.8, 1.1 + 1.35 * len(tables), nrows=len(tables), sharex=True, squeeze=False)
    for ax, (name, table) in zip(axes[:, 0], tables.items(), strict=True):
        explained, count = table["explained"], paper.EXPECTED[name]["clips"]
        values = table.shape[1] - 1
        fits = explained[explained > 0]
        ax.vlines(fits.index, 0, fits, color=BLUE, lw=2)
        ax.vlines(count, 0, explained[count], color="black", lw=4, zorder=3)
        text, above = f"N = {count}: {explained[count]} of {values}", {"ha": "center", "fontsize": 9}
        ax.annotate(text, (count, explained[count]), (0, 3), textcoords="offset points", **above)
        ax.set(ylim=(0, values + 0.6), yticks=range(0, values + 1, 2))
        ax.set_title(paper.TITLES[name], loc="left")
    axes[-1, 0].set_xlabel("number of clips N")
    fig.supylabel("printed accuracies that fit", fontsize="medium")
    fig.suptitle("how many of the printed accuracies are k / N", fontsize="medium")
    return fig


@styled()
def draw_power(
    curves: Mapping[str, pd.DataFrame], made: Mapping[str, tuple[float, float]], title: str
) -> Figure:
    """The chance to find a difference against the number of people: a panel per pair, a line per difference.

    ``curves`` maps a pair of systems to a table of :func:`dianet_utils.evaluation.power.power`; ``made`` maps
    a claim to its points, which the tables have, and its number of people: an upright line, and a ring on the
    line of its points.
    """
    fig, axes = figure(1.6 + 2.9 * len(curves), 4.1, ncols=len(curves), sharey=True, squeeze=False)
    for ax, (name, table) in zip(axes[0], curves.items(), strict=True):
        for index, points in enumerate(table):
            look: dict[str, Any] = {"ls": _LINES[index % 4], "marker": "osD^"[index % 4], "ms": 4}
            label = f"{points:.1f} points apart"
            ax.plot(table.index, table[points], color=PALETTE[index], label=label, **look)
        ax.axhline(WANTED, color=GREY, ls=":", lw=1.1, label=f"power {WANTED:g}")
        ax.set(xlabel="number of people", xscale="log", ylim=(0, 1.08))
        ax.set_title(name, pad=10)
        ax.set_xticks(table.index[::2], table.index[::2])
        ax.minorticks_off()
        _mark_claims(ax, claims(table, made))
    axes[0, 0].set(ylabel="power: chance that p < 0.05", yticks=(0, 0.2, 0.4, 0.6, 0.8, 1))
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    fig.suptitle(title, fontsize="medium")
    return fig


def _mark_claims(ax: Axes, worth: pd.DataFrame) -> None:
    """An upright line at each claim's number of people, under its name, and a ring at its power."""
    for _, row in worth.iterrows():
        ax.axvline(row["people"], color=GREY, lw=0.9)
    names = ax.secondary_xaxis("top")  # an axis, so that the panel's title stands above its names
    names.set_xticks(worth["people"], worth.index, rotation=90, fontsize=7.5)
    names.tick_params(length=0)
    names.minorticks_off()
    names.spines[:].set_visible(False)
    ring: dict[str, Any] = {"mfc": "none", "mec": "black", "mew": 1.6, "ms": 10, "ls": ""}
    ax.plot(worth["people"], worth["power"], "o", label="a claim of the paper", **ring)
