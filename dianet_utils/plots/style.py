"""The one plot style: colour-blind safe, readable at the size shown, no decoration.

It holds for our figures only, while they are made, drawn and saved: the reader's own settings of matplotlib,
and the looks of the reader's own figures, stay as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

# Okabe and Ito's palette, safe for the common kinds of colour blindness.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#6E6E6E"
PALETTE = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY]

# Each phase keeps its colour in every figure of every notebook.
PHASE_COLOURS = {"whole": GREY, "onset": BLUE, "offset": ORANGE}
DIVERGING = "RdBu_r"  # signed images: blue negative, white zero, red positive
SEQUENTIAL = "Blues"


_INK, _TEXT, _SMALL = ".15", 10.8, 9.9  # colour of lines and letters, points of letters
_TICKS = {"color": _INK, "labelsize": _SMALL}
_TICKS |= {"major.size": 6.0, "major.width": 1.25, "minor.size": 4.0, "minor.width": 1.0}
# Seaborn's style "ticks" at nine tenths of its size, written out: loading seaborn for it takes seconds.
_RC: Any = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
    "axes.axisbelow": True,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.labelsize": _TEXT,
    "axes.linewidth": 1.25,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "font.sans-serif": ["Arial", "DejaVu Sans", "Liberation Sans", "Bitstream Vera Sans", "sans-serif"],
    "font.size": _TEXT,
    "grid.color": ".8",
    "grid.linewidth": 1.0,
    "image.cmap": "gray",
    "legend.fontsize": _SMALL,
    "legend.frameon": False,
    "legend.title_fontsize": _TEXT,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "w",
    "patch.force_edgecolor": True,
    "text.color": _INK,
    **{f"{axis}tick.{name}": value for axis in "xy" for name, value in _TICKS.items()},
}


@contextmanager
def styled() -> Iterator[None]:
    """The style inside a ``with`` block, or as ``@styled()`` inside a function that draws.

    Only what the style sets is set and put back: matplotlib's ``rc_context`` would also undo what the backend
    of a notebook sets when the first figure loads it.
    """
    before = {name: matplotlib.rcParams[name] for name in _RC}
    matplotlib.rcParams.update(_RC)
    try:
        yield
    finally:
        matplotlib.rcParams.update(before)


class StyledFigure(Figure):
    """A figure that keeps the style: ticks, fonts and the resolution of a file are settled late."""

    def draw(self, renderer: Any) -> None:
        """Draw with the style, whatever is set now."""
        with styled():
            super().draw(renderer)

    def get_tightbbox(self, *args: Any, **kwargs: Any) -> Any:
        """Measure with the style, as a notebook does before it shows a figure."""
        with styled():
            return super().get_tightbbox(*args, **kwargs)

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Save with the style."""
        with styled():
            super().savefig(*args, **kwargs)

    def _ipython_display_(self) -> None:
        """Close the figure where a notebook shows it, so that the cell's end does not show it again.

        IPython asks for this first; after ``NotImplementedError`` it shows the figure as any other.
        """
        import matplotlib.pyplot as plt

        if "inline" in matplotlib.get_backend():
            plt.close(self)
        raise NotImplementedError


def figure(width: float = 6.0, height: float = 3.2, **subplots: Any) -> tuple[Figure, Any]:
    """A figure and its axes, ``width`` by ``height`` inches, for a function that is :func:`styled`.

    ``subplots`` go to pyplot.
    """
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), FigureClass=StyledFigure, **subplots)
