"""Draw README's pictures of the method and of the synthetic faces."""

import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from refresh_notebooks import shrink

from dianet_utils import synthetic
from dianet_utils.dynamic_images import arp_weights, dynamic_image, offset_weights, scale_signed
from dianet_utils.plots.model import draw_architecture_on
from dianet_utils.plots.movies import as_gif
from dianet_utils.plots.people import draw_action_units, draw_faces
from dianet_utils.plots.style import DIVERGING, PHASE_COLOURS, StyledFigure, styled

REFERENCE = Path(__file__).resolve().parent.parent / "results" / "reference"


def example() -> tuple[np.ndarray, int]:
    """The frames [T, H, W, 3] of one clear synthetic surprise, and the place of its apex."""
    settings = synthetic.Settings(
        subjects=3, clips_per_emotion=1, amplitude_px=2.0, noise=1.0, blink_probability=0.0, drift_px=0.0
    )
    clip = next(p for p in synthetic.plan(settings) if p.emotion == "surprise" and p.subject == "s02")
    return np.stack(list(synthetic.render_clip(clip, settings))), clip.apex - clip.onset


@styled()
def draw(frames: np.ndarray, apex: int) -> Figure:
    """Frames with their weights above, the network with its two signed inputs below."""
    fig = StyledFigure(figsize=(8.4, 5.2), dpi=150)
    strip, ramps, network = fig.subfigures(3, 1, height_ratios=(1.45, 0.75, 3.0))
    chosen = np.unique(
        np.r_[np.linspace(0, apex, 4), np.linspace(apex, len(frames) - 1, 4)].round().astype(int)
    )
    axes = strip.subplots(1, len(chosen), gridspec_kw={"wspace": 0.02})
    for ax, number in zip(axes, chosen, strict=True):
        ax.imshow(frames[number])
        name = {0: "onset", apex: "apex", len(frames) - 1: "offset"}.get(int(number), "")
        colour = PHASE_COLOURS["onset" if number < apex else "offset"] if number != apex else "black"
        ax.set_title(name or " ", fontsize=9, color=colour)
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set(visible=True, color=colour, linewidth=2.5)
    images = [dynamic_image(frames[: apex + 1], arp_weights(apex + 1))]
    images.append(dynamic_image(frames[apex:], offset_weights(len(frames) - apex)))
    _draw_ramps(ramps.subplots(), np.flatnonzero(chosen == apex)[0], len(chosen))
    draw_architecture_on(network.subplots(), np.stack([_in_colour(image) for image in images]))
    return fig


def _draw_ramps(ax: Axes, apex: int, count: int) -> None:
    """The weights of Eq. 2 and 3 under ``count`` frames, of which number ``apex`` is the apex."""
    for phase, places, ends in (("onset", (0, apex), (-1, 1)), ("offset", (apex, count - 1), (1, -1))):
        ax.plot(places, ends, color=PHASE_COLOURS[phase], lw=2.5)
        ax.fill_between(places, ends, color=PHASE_COLOURS[phase], alpha=0.15, lw=0)
    ax.axhline(0, color="black", lw=0.8)
    ax.set(xlim=(-0.5, count - 0.5), ylim=(-1.2, 1.2), xticks=[], yticks=[-1, 0, 1], ylabel="weight")
    ax.set_yticklabels(["\N{MINUS SIGN}", "0", "+"])
    ax.spines["bottom"].set_visible(False)


def _in_colour(image: np.ndarray) -> np.ndarray:
    """A dynamic image [H, W, 3] as colours from 0 to 1, RGB: red is brighter near the apex, blue darker."""
    small = cv2.resize(scale_signed(image).mean(axis=2), (128, 128), interpolation=cv2.INTER_AREA)
    return colormaps[DIVERGING](np.clip(small / 2 + 0.5, 0, 1))[..., :3]


EXAGGERATED = 8  # times


def motion() -> bytes:
    """A GIF: one synthetic clip of ordinary strength as recorded, and with its motion exaggerated."""
    settings = synthetic.Settings()
    usual = [p for p in synthetic.plan(settings) if p.emotion == "surprise" and p.blink is None]
    clip = min(usual, key=lambda p: abs(max(p.action_units.values()) - settings.amplitude_px))
    louder = replace(clip, action_units={unit: EXAGGERATED * px for unit, px in clip.action_units.items()})
    return as_gif(
        [np.stack(list(synthetic.render_clip(each, settings))) for each in (clip, louder)], size=144, most=16
    )


def main() -> None:
    """Write the film and the three pictures, each with a palette."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    (REFERENCE / "motion.gif").write_bytes(motion())
    pictures = {
        "overview": draw(*example()),
        "synthetic_faces": draw_faces(),
        "synthetic_action_units": draw_action_units(),
    }
    for name, figure in pictures.items():
        content = io.BytesIO()
        figure.savefig(content, format="png")
        (REFERENCE / f"{name}.png").write_bytes(shrink(content.getvalue()))
        print(f"{name}.png")


if __name__ == "__main__":
    main()
