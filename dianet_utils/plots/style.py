"""The one plot style: colour-blind safe, readable at the size shown, no decoration."""

from typing import Any

import seaborn as sns
from matplotlib.figure import Figure

# Okabe and Ito's palette, safe for the common kinds of colour blindness.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#6E6E6E"
PALETTE = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY]

# Each phase keeps its colour in every figure of every notebook.
PHASE_COLOURS = {"whole": GREY, "onset": BLUE, "offset": ORANGE}
DIVERGING = "RdBu_r"  # signed images: blue negative, white zero, red positive
SEQUENTIAL = "Blues"


def use_style() -> None:
    """Apply the style to every figure drawn from here on."""
    rc = {
        "figure.dpi": 100,
        "savefig.dpi": 150,
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "legend.frameon": False,
        "image.cmap": "gray",
    }
    sns.set_theme(context="notebook", style="ticks", palette=PALETTE, font_scale=0.9, rc=rc)


def figure(width: float = 6.0, height: float = 3.2, **subplots: Any) -> tuple[Figure, Any]:
    """A styled figure and its axes, ``width`` by ``height`` inches; ``subplots`` go to pyplot."""
    import matplotlib.pyplot as plt

    use_style()
    return plt.subplots(figsize=(width, height), **subplots)
