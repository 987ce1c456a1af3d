"""The figure of the knobs of the synthetic clips."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dianet_utils.plots.style import GREEN, GREY, PHASE_COLOURS, PURPLE, figure, styled
from dianet_utils.tables import TABLES, knobs

_LOOKS = {
    **{name: (colour, "-", "o") for name, colour in PHASE_COLOURS.items()},
    "onset+offset": (GREEN, "--", "s"),
    "tent": (PURPLE, ":", "D"),
}
_TITLES = {row.key: row.title for row in TABLES[4].rows}
_AXES = {
    "drift_px": "drift (px)",
    "residual": "motion left at the offset (%)",
    "phase": "delays (0: none)",
}
_SYSTEMS = {"linear_svm:": "linear SVM", "": "DIANet"}
_CAPTION = "SYNTHETIC clips; whiskers: 95 % intervals over people; grey band: the default clips"


@styled()
def draw_knobs(scores: pd.DataFrame) -> Figure:
    """Accuracy against each knob, one line per input: a linear SVM above, DIANet below.

    ``scores`` as :func:`dianet_utils.tables.knobs.scores` makes them. A grey band marks the default clips;
    whiskers are 95 % intervals over people. A line below the axes says so.
    """
    fig, axes = figure(
        8.4, 5.6, nrows=2, ncols=3, sharey=True, sharex="col", gridspec_kw={"width_ratios": [4, 3, 2.2]}
    )
    for row, (prefix, system) in zip(axes, _SYSTEMS.items(), strict=True):
        for ax, (knob, label) in zip(row, _AXES.items(), strict=True):
            _draw_knob(ax, knobs.along(scores, knob), knob, prefix)
            if ax in axes[-1]:
                ax.set_xlabel(label)
        row[0].set_ylabel(f"{system}\naccuracy (%)")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper center", ncols=5, fontsize=9)
    fig.supxlabel(_CAPTION, fontsize="small")
    return fig


def _draw_knob(ax: Axes, scores: pd.DataFrame, knob: str, prefix: str) -> None:
    """The inputs of one system against the values of one knob, in the order of the grid."""
    values = list(dict.fromkeys(each.texts[knob] for each in knobs.grid()))
    for place, (name, (colour, style, marker)) in enumerate(_LOOKS.items()):
        line = scores[scores["row"] == prefix + name].set_index(knob).reindex(values)
        across = np.arange(len(values)) + 0.07 * (place - 2)
        reach = (line["accuracy"] - line["low"], line["high"] - line["accuracy"])
        looks: dict[str, Any] = {"color": colour, "ls": style, "marker": marker, "ms": 4, "elinewidth": 0.7}
        ax.errorbar(across, line["accuracy"], yerr=reach, label=_TITLES[name], **looks)
    middle = values.index(knobs.DEFAULT.texts[knob])
    ax.axvspan(middle - 0.3, middle + 0.3, color=GREY, alpha=0.12, lw=0)
    ax.set_xticks(range(len(values)), values)
    ax.grid(axis="y", color="#E5E5E5", lw=0.8)
