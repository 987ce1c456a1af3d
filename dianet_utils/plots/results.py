"""Figures of a leave-one-subject-out run: the protocol, the training, the scores."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dianet_utils import evaluation, paper
from dianet_utils.plots.style import BLUE, GREEN, GREY, ORANGE, RED, SEQUENTIAL, figure, styled

if TYPE_CHECKING:
    from dianet_utils.loso.folds import Fold

_LIGHT = "#DCE6EE"
_ROLES = {"trains": _LIGHT, "validates": ORANGE, "tests": BLUE, "tests and chooses: LEAKY": RED}


@styled()
def draw_protocol(folds: "Sequence[Fold]", clips: pd.DataFrame) -> Figure:
    """Who trains, validates and tests in each fold: one row per fold, one column per subject."""
    subjects = sorted(clips["subject"].unique())
    roles = np.zeros((len(folds), len(subjects)), dtype=int)
    column = {name: index for index, name in enumerate(subjects)}
    for row, fold in enumerate(folds):
        tests = 3 if np.isin(fold.test, fold.validation).any() else 2
        for role, members in ((1, fold.validation), (tests, fold.test)):
            roles[row, [column[name] for name in clips["subject"].iloc[members]]] = role
    fig, ax = figure(6.4, 0.9 + 0.2 * max(len(folds), 6))
    ax.pcolormesh(roles, cmap=ListedColormap(list(_ROLES.values())), vmin=0, vmax=3, edgecolors="white", lw=1)
    ax.set_xticks(np.arange(len(subjects)) + 0.5, subjects, rotation=90 if len(subjects) > 16 else 0)
    ax.set_yticks(np.arange(len(folds)) + 0.5, [fold.subject for fold in folds])
    ax.invert_yaxis()
    alone = all(set(clips["subject"].iloc[fold.test]) == {fold.subject} for fold in folds)
    ax.set(xlabel="subject", ylabel=f"fold (subject{'' if alone else 's'} left out)")
    seen = [role for number, role in enumerate(_ROLES.items()) if (roles == number).any()]
    handles = [Patch(color=colour, label=name) for name, colour in seen]
    fig.legend(handles=handles, loc="outside upper center", ncols=3)
    return fig


@styled()
def draw_training(folds: Sequence[dict[str, Any]], chance: float) -> Figure:
    """Training loss, validation loss, and what the networks name right of their own training clips.

    One thin line per fold, the median thick. The training loss is all of Eq. 5, the validation loss its
    cross-entropy alone. Folds without validation, and those of a leaky run, have no such loss; those of a
    pipeline have none at all. ``chance`` is the accuracy of always naming the most frequent class.
    """
    losses = {"train_loss": BLUE, "validation_loss": ORANGE}
    losses = {key: colour for key, colour in losses.items() if any(f["history"].get(key) for f in folds)}
    fig, axes = figure(2.6 * len(losses) + 2.4, 3.2, ncols=len(losses) + 1, squeeze=False)
    axes = axes[0]
    if any("validation" in fold for fold in folds):
        fig.suptitle("LEAKY: the test subject's accuracy chose the epoch", color=RED)
    for ax, (key, colour) in zip(axes, losses.items(), strict=False):
        _draw_curves(ax, [fold["history"][key] for fold in folds], colour)
        ax.set(xlabel="epoch", ylabel="loss", title=key.replace("_", " "), ylim=(0, None))
    if "validation_loss" in losses:
        _mark_epochs(axes[1], [fold["history"]["best_epoch"] for fold in folds])
    _draw_trained(axes[-1], folds, chance)
    poor = ", ".join(_untrained(folds, chance))
    title = f"not trained: {poor}" if poor else None
    fig.legend(*axes[-1].get_legend_handles_labels(), title=title, loc="outside lower right")
    return fig


def _draw_curves(ax: Axes, curves: Sequence[Sequence[float]], colour: str) -> None:
    for curve in curves:
        ax.plot(np.arange(1, len(curve) + 1), curve, color=colour, alpha=0.25, lw=0.8)
    median = pd.DataFrame(curves).median()
    ax.plot(np.arange(1, len(median) + 1), median, color=colour, lw=2.2, label="median")


def _mark_epochs(ax: Axes, best: Sequence[int]) -> None:
    for epoch in best:
        ax.plot(epoch, 0.02, marker="|", color=RED, ms=9, transform=ax.get_xaxis_transform())
    ax.plot([], [], "|", color=RED, ms=9, label="epoch kept")
    ax.legend()


def _draw_trained(ax: Axes, folds: Sequence[dict[str, Any]], chance: float) -> None:
    """One bar per fold that tells, the least first."""
    told = _telling(folds)
    ax.bar(
        range(1, len(told) + 1), sorted(100 * fold["train_accuracy"] for fold in told), color=GREEN, width=0.9
    )
    ax.axhline(100 * chance, color=RED, ls="--", lw=1.1, label="chance")
    ax.set(xlabel="folds, sorted", ylabel="right, %", ylim=(0, 105), title="own training clips")


def _telling(folds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [fold for fold in folds if fold.get("train_accuracy") is not None]


def _untrained(folds: Sequence[dict[str, Any]], chance: float) -> list[str]:
    """The folds whose network is near chance on its own training clips."""
    return evaluation.trained(_telling(folds), chance).get("untrained_folds", [])


@styled()
def draw_confusion(confusion: np.ndarray, classes: Sequence[str], title: str = "") -> Figure:
    """Confusion matrix [true, predicted]: clips in each cell, shaded by the share of the true class."""
    share = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    side = 1.6 + 0.55 * len(classes)
    fig, ax = figure(side + 0.9, side)
    image = ax.imshow(share, cmap=SEQUENTIAL, vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(confusion):
        shade = "white" if share[row, column] > 0.55 else "black"
        ax.text(column, row, str(count), ha="center", va="center", color=shade)
    ax.set_xticks(range(len(classes)), classes, rotation=35, ha="right")
    ax.set_yticks(range(len(classes)), classes)
    ax.set(xlabel="predicted emotion", ylabel="true emotion", title=title)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    fig.colorbar(image, ax=ax, label="share of the true class", fraction=0.046)
    return fig


@styled()
def draw_subjects(table: pd.DataFrame, chance: float, title: str = "") -> Figure:
    """Accuracy of each subject's fold, sorted; the number of clips stands at each point."""
    table = table.sort_values("accuracy")
    fig, ax = figure(6.4, 0.9 + 0.22 * max(len(table), 5))
    rows = np.arange(len(table))
    ax.hlines(rows, 0, table["accuracy"], color=_LIGHT, lw=3)
    ax.plot(table["accuracy"], rows, "o", color=BLUE)
    for row, (value, clips) in enumerate(zip(table["accuracy"], table["clips"], strict=True)):
        ax.annotate(
            f"{clips} clips", (value, row), (7, 0), textcoords="offset points", va="center", fontsize=8
        )
    ax.axvline(chance, color=GREY, ls="--", lw=1.2, label=f"chance {chance:.2f}")
    ax.set_yticks(rows, table.index)
    ax.set(xlim=(0, 1.12), xlabel="accuracy in the subject's fold", ylabel="subject left out", title=title)
    ax.set_xticks(np.linspace(0, 1, 6))
    fig.legend(loc="outside upper right")
    return fig


@styled()
def draw_against_paper(metrics: dict[str, Any], title: str) -> Figure:
    """Our accuracy with its interval beside the accuracies that the paper prints for DIANet.

    ``title`` names our data; a line parts data on which the paper has no results, such as synthetic clips or
    clips of unknown origin, from the paper's,
    and so does a result of another split.
    """
    fig, ax = figure(6.4, 2.6)
    for row, name in enumerate(paper.DATASETS):
        cell = paper.dianet_accuracy(name)
        ax.plot(cell.value, row, "D", color=GREY, ms=7)
        _beside(ax, f"{cell.value:.2f} ({cell.kind})", cell.value, row)
    _draw_ours(ax, metrics, len(paper.DATASETS))
    labels = [f"paper, {paper.TITLES[name]}" for name in paper.DATASETS]
    ax.set_yticks(range(len(labels) + 1), [*labels, f"ours, {title}"])
    ax.invert_yaxis()
    ax.set(xlim=(0, 108), xlabel="accuracy over all clips, % (Eq. 6)")
    if metrics.get("leaky"):
        fig.suptitle("LEAKY: the test subject's accuracy chose our epochs", color=RED)
    other = metrics["synthetic"] is not False or metrics["dataset"] not in paper.DATASETS
    if other or "split" in metrics:
        what = "other data" if other else "another split"
        ax.axhline(len(labels) - 0.5, color="black", lw=0.8)
        ax.set_title(f"Below the line: {what}. Do not compare.", loc="left")
    return fig


def _beside(ax: Axes, text: str, x: float | None, y: float) -> None:
    ax.annotate(text, (x, y), (9, 0), textcoords="offset points", va="center")


def _draw_ours(ax: Axes, metrics: dict[str, Any], row: int) -> None:
    value, (low, high) = metrics["accuracy"], metrics["intervals"]["accuracy"]
    ax.errorbar(
        100 * value, row, xerr=[[100 * (value - low)], [100 * (high - value)]], fmt="o", color=BLUE, capsize=4
    )
    ax.plot(100 * metrics["chance"], row, "|", color=RED, ms=14, mew=2)
    ax.annotate(
        "chance",
        (100 * metrics["chance"], row),
        (0, 9),
        textcoords="offset points",
        ha="center",
        color=RED,
        fontsize=8,
    )
    ax.annotate(
        f"{100 * value:.2f}", (100 * value, row), (0, 7), textcoords="offset points", ha="center", color=BLUE
    )
