"""The figures of a dataset: what they show is in the table, and synthetic clips are called so."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dianet_utils import datasets
from dianet_utils.plots import data as plots
from dianet_utils.plumbing.errors import InputError

mpl.use("Agg")


@pytest.fixture(scope="module")
def selected(official: dict[str, Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return datasets.select(datasets.load("samm", official["samm"]))


def texts(figure: Figure) -> str:
    """Everything written in a figure; it is drawn first."""
    figure.canvas.draw()
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_bars_count_kept_and_left_out(selected: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    figure = plots.draw_classes(*selected)
    widths = [sum(bar.get_width() for bar in bars) for bars in figure.axes[0].containers]
    assert widths == [len(selected[0]), len(selected[1])]
    assert "synthetic clips in the layout of SAMM" in texts(figure)


def test_phases_have_units_and_medians(selected: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    kept = selected[0]
    told = texts(plots.draw_phase_lengths(kept))
    median = (kept["apex"] - kept["onset"]).astype(float).median() * 5
    assert f"onset to apex, median {median:.0f} ms" in told
    assert "length of the phase (ms)" in told
    assert "frames at 200 per second" in told


def test_subjects_by_class(selected: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    kept = selected[0]
    (ax,) = plots.draw_subjects(kept).axes
    counts = [int(text.get_text()) for text in ax.texts]
    assert sum(counts) == len(kept)
    assert [label.get_text() for label in ax.get_xticklabels()] == sorted(kept["subject"].unique())


def test_frames_are_labelled_with_their_numbers(selected: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The planted clip has no file for its apex: the nearest frame is shown under its own number."""
    kept = selected[0]
    apex = kept["apex"]["006/006_2_1"]
    told = texts(plots.draw_endpoints(kept, ["006/006_2_1"]))
    assert f"apex, frame {apex}" not in told
    assert f"apex, frame {apex - 1}" in told or f"apex, frame {apex + 1}" in told
    assert "grey levels" in texts(plots.draw_apex_differences(kept, ["006/006_2_1"]))


def test_crop(selected: tuple[pd.DataFrame, pd.DataFrame], tiny_synthetic: Path) -> None:
    assert "as released, 320 x 217 px" in texts(plots.draw_crop(selected[0], "006/006_2_1"))
    with pytest.raises(InputError, match="s01/clip01 are cropped faces"):
        plots.draw_crop(datasets.load("synthetic", tiny_synthetic), "s01/clip01")
