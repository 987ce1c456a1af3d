"""Draw README's pictures of the method and of the synthetic faces."""

import io
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from refresh_notebooks import shrink

from dianet_utils import synthetic
from dianet_utils.dynamic_images import arp_weights, dynamic_image, offset_weights, scale_minmax
from dianet_utils.plots.model import draw_architecture_on
from dianet_utils.plots.people import draw_action_units, draw_faces
from dianet_utils.plots.style import PHASE_COLOURS, StyledFigure, styled

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
    """The strip of frames with its two phases above, the network with its two inputs below."""
    fig = StyledFigure(figsize=(8.4, 4.7), dpi=150)
    strip, network = fig.subfigures(2, 1, height_ratios=(1.5, 3.1))
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
    small = [cv2.resize(scale_minmax(image), (128, 128), interpolation=cv2.INTER_AREA) for image in images]
    draw_architecture_on(network.subplots(), np.stack(small) / 255)
    return fig


def main() -> None:
    """Write the three pictures, each with a palette."""
    pictures = {
        "overview": draw(*example()),
        "synthetic_faces": draw_faces(),
        "synthetic_action_units": draw_action_units(),
    }
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures.items():
        content = io.BytesIO()
        figure.savefig(content, format="png")
        (REFERENCE / f"{name}.png").write_bytes(shrink(content.getvalue()))
        print(f"{name}.png")


if __name__ == "__main__":
    main()
