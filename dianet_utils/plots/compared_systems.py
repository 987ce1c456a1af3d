"""Figures of the systems that the tables compare: what they see, and where their weights lie."""

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dianet_utils.datasets import is_synthetic
from dianet_utils.dynamic_images import FLOWS
from dianet_utils.plots.style import BLUE, DIVERGING, ORANGE, figure, styled
from dianet_utils.tables import Entry


@styled()
def draw_inputs(entries: Sequence[Entry], clip: str) -> Figure:
    """The images of one clip that the rows of a table read: each kind once, over the rows that read it.

    Signed images are shown in red (rose) and blue (fell), others in grey: dynamic images by their mean over
    the colours, an optical flow by its length. A kind that is read at several sizes is shown at the largest.
    """
    kinds: dict[str, NDArray[Any]] = {}
    readers: dict[str, dict[str, None]] = {}  # in the order of the table, each once
    for entry in entries:
        images = entry.bank.images[entry.bank.clips.index.get_loc(clip)]
        for name, image in zip(entry.config.inputs, images, strict=False):
            if name not in kinds or image.shape[-1] > kinds[name].shape[-1]:
                kinds[name] = image
            readers.setdefault(name, {})[entry.row.title] = None
    columns = len(kinds) if len(kinds) <= 3 else -(-len(kinds) // 2)
    lines = -(-len(kinds) // columns)
    fig, axes = figure(2.2 * columns, 2.7 * lines, nrows=lines, ncols=columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (name, image) in zip(axes.flat, kinds.items(), strict=False):
        _draw_image(ax, image[2:] if name in FLOWS else image)  # of a flow its length
        ax.set_title(f"{name}\n{fill(', '.join(readers[name]), 28)}", fontsize=8)
    made = any(is_synthetic(entry.bank.clips.loc[[clip]]) for entry in entries)
    fig.suptitle(f"{'synthetic ' if made else ''}clip {clip}", fontsize="medium")
    return fig


def _draw_image(ax: Axes, image: NDArray[Any]) -> None:
    """The mean over the channels of an image [C, H, W]; float images are signed, -1 to 1."""
    grey = image.mean(axis=0)
    if image.dtype == np.uint8:
        ax.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        ax.imshow(grey, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")


@styled()
def draw_layers(systems: Mapping[str, pd.DataFrame]) -> Figure:
    """Where the weights of each system lie: thousands a stage, with the channels that each part returns.

    ``systems`` maps a name to what :func:`dianet_utils.models.layer_table.layers` gives. A stage is all parts
    with maps of one size; parts that return vectors stand by themselves.
    """
    columns = 2
    lines = -(-len(systems) // columns)
    fig, axes = figure(7.6, 0.4 + 2.0 * lines, nrows=lines, ncols=columns, squeeze=False)
    for ax in axes.flat[len(systems) :]:
        ax.set_axis_off()
    for ax, (name, table) in zip(axes.flat, systems.items(), strict=False):
        _draw_stages(ax, table[table["parameters"] > 0])
        ax.set_title(f"{name}: {table['parameters'].sum() / 1e6:.2f} M", fontsize="medium")
    fig.supxlabel("parameters, thousands (beside the bars: parts x channels)", fontsize="medium")
    return fig


def _draw_stages(ax: Axes, table: pd.DataFrame) -> None:
    vector = table["side"] == 1
    stage = (table["side"].astype(str) + " px").where(~vector, table["part"].str.split(".").str[0])
    groups = list(table.groupby(stage, sort=False))
    groups.sort(key=lambda group: -group[1]["side"].max())
    for place, (_, parts) in enumerate(groups):
        thousands = parts["parameters"].sum() / 1e3
        ax.barh(place, thousands, color=ORANGE if parts["side"].max() == 1 else BLUE)
        layers = parts[parts["kind"] != "BatchNorm2d"]["channels"].tolist()
        label = ", ".join(f"{n} x {c}" if n > 1 else f"{c}" for c, n in Counter(layers).items())
        ax.annotate(label, (thousands, place), (4, 0), textcoords="offset points", va="center", fontsize=7.5)
    ax.set_yticks(range(len(groups)), [str(name) for name, _ in groups])
    ax.invert_yaxis()
    ax.tick_params(labelsize=8)
    ax.margins(x=0.3)
