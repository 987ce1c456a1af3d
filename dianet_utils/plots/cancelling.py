"""Figures of what cancels in a dynamic image: on one colour scale, and by how much of the motion returns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dianet_utils.plots.pictures import COLOURS, bare, brightness, small
from dianet_utils.plots.style import DIVERGING, GREY, PHASE_COLOURS, figure, styled

_PIXELS, _INCHES = 192, 2.1  # of a picture: thin lines of a moving edge must stay


@styled()
def draw_one_scale(rows: Mapping[str, Mapping[str, NDArray[Any]]], title: str = "") -> Figure:
    """Images [H, W, 3] or [H, W] by phase, one line of pictures for each of ``rows``, on one colour scale.

    The images are in grey levels per unit of positive weight; red became brighter, blue darker.
    """
    import matplotlib.pyplot as plt

    columns = len(next(iter(rows.values())))
    size = 1.6 + _INCHES * columns, 0.7 + _INCHES * len(rows)
    drawn, axes = figure(*size, nrows=len(rows), ncols=columns, squeeze=False)
    means = {
        name: {p: brightness(small(image, _PIXELS)) for p, image in r.items()} for name, r in rows.items()
    }
    limit = max(np.quantile(np.abs(image), 0.995) for images in means.values() for image in images.values())
    colours = plt.get_cmap(DIVERGING, COLOURS)
    for line, (name, images) in zip(axes, means.items(), strict=True):
        for place, image in zip(line, images.values(), strict=True):
            shown = place.imshow(image, cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest")
        line[0].set_ylabel(name)
    for place, phase in zip(axes[0], next(iter(rows.values())), strict=True):
        place.set_title(phase, color=PHASE_COLOURS.get(phase, GREY), fontweight="bold")
    bare(axes)
    drawn.colorbar(shown, ax=axes, shrink=0.8, aspect=20, label="change, grey levels")
    drawn.suptitle(title, fontsize="medium")
    return drawn


@styled()
def draw_recovery(kept: pd.DataFrame, drift: Mapping[str, float]) -> Figure:
    """How much each phase's image keeps of an expression, by how far it recovers, and of a steady drift.

    ``kept`` has one column per phase and as index the part of the motion that is left at the offset; both in
    parts of the peak. ``drift`` has for each phase the part of the drift over the clip that it keeps.
    """
    fig, (left, right) = figure(6.8, 3.0, ncols=2, sharey=True, width_ratios=(2.2, 1))
    for style, phase in zip(("-", "--", "-."), kept, strict=True):
        colour = PHASE_COLOURS.get(str(phase), GREY)
        left.plot(kept.index, kept[phase], style, color=colour, lw=2, label=phase)
    left.set(xlabel="motion left at the offset, share of the peak", ylabel="share kept in the image")
    left.axhline(0, color=GREY, lw=0.8)
    left.set_title("the expression")
    left.legend(title="phase")
    names = list(drift)
    colours = [PHASE_COLOURS.get(name, GREY) for name in names]
    right.bar(names, [abs(drift[name]) for name in names], color=colours)
    right.set_ylabel("share kept of the drift")
    right.tick_params(labelleft=True)  # which sharing an axis hides
    right.set_title("a steady head drift\n(absolute value)")
    right.axhline(0, color=GREY, lw=0.8)
    return fig
