"""Figures of one clip and a model's answer to it: its frames, what was asked, and where the model looked."""

from itertools import cycle
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from dianet_utils.datasets.boxes import Box
from dianet_utils.dynamic_images import Moments
from dianet_utils.plots.pictures import DETAIL, PHOTOGRAPH, STYLES, bare, draw_signed_on, small
from dianet_utils.plots.style import BLUE, GREY, PALETTE, PHASE_COLOURS, RED, figure, styled

_KEY_FRAMES = ("onset", "apex", "offset")


@styled()
def draw_found(image: NDArray[np.uint8], box: Box | None, title: str = "") -> Figure:
    """A whole frame [H, W, 3] with the box that is cut from every frame of the clip."""
    height, width = image.shape[:2]
    drawn, place = figure(4.2, 4.2 * height / width + 0.3 if width > height else 4.2)
    shown = small(image, 2 * PHOTOGRAPH)
    place.imshow(shown, extent=(0, width, height, 0), interpolation="nearest")
    if box is not None:
        edges = Rectangle(box[:2], box.width, box.height, angle=box.tilt, rotation_point="center")
        edges.set(fill=False, edgecolor=RED, linewidth=2)
        place.add_patch(edges)
    place.set(title=title)
    place.set_axis_off()
    return drawn


@styled()
def draw_strip(frames: NDArray[np.uint8], moments: Moments, title: str = "", most: int = 7) -> Figure:
    """The key frames of a clip [T, H, W, 3] and frames spread between them, each under its number.

    A frame between two key frames has the colour of its phase, key frames have a black border and their name.
    """
    numbers, keys = moments.numbers, moments[1:]
    spread = np.linspace(keys[0], keys[2], most)
    step = (keys[2] - keys[0]) / (2 * most)
    between = [value for value in spread if min(abs(value - key) for key in keys) > step]
    wanted = sorted({*keys, *(int(numbers[np.abs(numbers - value).argmin()]) for value in between)})
    drawn, axes = figure(7.0, 1.7, ncols=len(wanted), squeeze=False)
    for place, number in zip(axes[0], wanted, strict=True):
        at = int(np.abs(numbers - number).argmin())
        place.imshow(small(frames[at], DETAIL), interpolation="nearest")
        name = _KEY_FRAMES[keys.index(number)] if number in keys else ""
        colour = "black" if name else PHASE_COLOURS["onset" if number < keys[1] else "offset"]
        place.set_title(f"{name}\n{number}", fontsize=8, color=colour)
        place.set(xticks=[], yticks=[])
        place.spines[:].set(visible=True, color=colour, linewidth=2.5 if name else 1.5)
    drawn.suptitle(title, fontsize="medium")
    return drawn


@styled()
def draw_probabilities(probabilities: pd.Series, title: str = "") -> Figure:
    """One bar per class, the largest on top, and a line where an even guess would be."""
    drawn, place = figure(5.0, 0.8 + 0.32 * len(probabilities))
    first = [BLUE] + [GREY] * (len(probabilities) - 1)
    place.barh(probabilities.index, probabilities, color=first)
    even = {"color": "black", "lw": 1, "ls": ":", "label": f"even guess, 1/{len(probabilities)}"}
    place.axvline(1 / len(probabilities), **even)
    aside: dict[str, Any] = {"transform": place.get_yaxis_transform(), "va": "center", "fontsize": 9}
    for row, value in enumerate(probabilities):
        place.text(1.02, row, f"{value:.2f}", **aside)  # beside the axes, where no line crosses them
    place.set(xlabel="probability that the network gives", xlim=(0, 1), title=title)
    place.invert_yaxis()
    place.legend(loc="lower right", fontsize=8)
    return drawn


@styled()
def draw_looks(
    images: NDArray[Any],
    looks: NDArray[np.floating],
    phases: tuple[str, ...],
    apex: NDArray[np.uint8],
    title: str,
) -> Figure:
    """One row per phase: its dynamic image, Grad-CAM of it, and Grad-CAM laid over the apex frame.

    ``images`` [phase, 3, H, W] as the network gets them, ``looks`` [phase, h, w], ``apex`` [H, W, 3]. Each
    map is divided by its largest value, so that maps say where, not how much.
    """
    drawn, axes = figure(5.4, 1.45 * len(phases) + 0.6, nrows=len(phases), ncols=3, squeeze=False)
    face = small(apex, 2 * DETAIL)
    for row, (phase, image, heat) in enumerate(zip(phases, images, looks, strict=True)):
        middle = 127.5 if image.dtype == np.uint8 else 0.0
        draw_signed_on(axes[row, 0], image.transpose(1, 2, 0).astype(np.float64) - middle)
        axes[row, 0].set_ylabel(phase, color=PHASE_COLOURS.get(phase, GREY), fontweight="bold")
        shown = _draw_heat(axes[row, 1], heat, face.shape[:2])
        axes[row, 2].imshow(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), vmin=0, vmax=255, interpolation="nearest")
        _draw_heat(axes[row, 2], heat, face.shape[:2], alpha=0.45)
    for place, name in zip(axes[0], ("dynamic image", "Grad-CAM", "over the apex frame"), strict=True):
        place.set_title(name, fontsize=9)
    bare(axes)
    drawn.colorbar(shown, ax=axes, label="Grad-CAM / largest", shrink=0.8, aspect=25)
    drawn.suptitle(title, fontsize="medium")
    return drawn


def _draw_heat(place: Axes, heat: NDArray[np.floating], size: tuple[int, ...], alpha: float = 1.0) -> Any:
    """A map [h, w] from 0 to its largest value, enlarged to ``size`` (height, width)."""
    large = cv2.resize(heat.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    scaled = large / max(float(heat.max()), 1e-12)
    return place.imshow(scaled, cmap="viridis", vmin=0, vmax=1, alpha=alpha, interpolation="nearest")


@styled()
def draw_stability(table: pd.DataFrame, apex: int, title: str = "") -> Figure:
    """Probabilities of the classes (columns) against the apex (index, frame numbers), the one used marked."""
    drawn, place = figure(6.0, 2.8)
    for name, style, colour in zip(table.columns, cycle(STYLES), cycle(PALETTE), strict=False):
        place.plot(table.index, table[name], style, color=colour, lw=2, label=name)
    place.axvline(apex, color=GREY, lw=1, ls=":")
    top = max(0.5, 1.1 * float(table.to_numpy().max()))
    place.annotate("apex used", (apex, top), (4, -8), textcoords="offset points", color=GREY, fontsize=8)
    place.set(xlabel="frame taken as the apex", ylabel="probability", ylim=(0, top), title=title)
    drawn.legend(loc="outside right upper", fontsize=8)
    return drawn
