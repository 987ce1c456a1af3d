"""The figures of cancellation and of the knobs: what can be compared by eye must share a scale."""

import numpy as np
import pandas as pd

from dianet_utils.plots.cancelling import draw_one_scale, draw_recovery
from dianet_utils.plots.turned_knobs import draw_knobs
from dianet_utils.tables import knobs


def test_every_image_has_the_same_colour_scale_and_the_weaker_one_is_paler() -> None:
    strong = np.zeros((32, 32, 3))
    strong[8:24, 8:24] = 20.0
    drawn = draw_one_scale({"as it is": {"whole": strong / 10, "onset": strong}})
    weak, full = (ax.images[0] for ax in drawn.axes[:2])
    assert weak.get_clim() == full.get_clim()
    assert [ax.get_title() for ax in drawn.axes[:2]] == ["whole", "onset"]
    middle = (slice(12, 20), slice(12, 20))
    far = [np.abs(image.to_rgba(image.get_array())[middle][..., :3] - 1).mean() for image in (weak, full)]
    assert far[0] < far[1] / 2


def test_pictures_are_large_enough_for_thin_lines() -> None:
    image = np.zeros((256, 256, 3))
    image[:, ::2] = 9.0
    drawn = draw_one_scale({row: dict.fromkeys(("whole", "onset", "offset"), image) for row in "abc"})
    drawn.canvas.draw()
    for ax in drawn.axes[:9]:
        assert ax.images[0].get_array().shape == (192, 192)
        assert min(ax.get_window_extent().width, ax.get_window_extent().height) >= 2 * drawn.dpi


def test_both_panels_of_the_recovery_can_be_read_by_themselves() -> None:
    kept = pd.DataFrame({"whole": [0, 0.5], "onset": [0.8, 0.8], "mine": [0.8, 0.8]}, index=[0.0, 1.0])
    figure = draw_recovery(kept, {"whole": 0.6, "onset": 0.2, "mine": -0.3})
    figure.canvas.draw()
    for ax in figure.axes:
        assert ax.get_ylabel()
        labels = [label for label in ax.get_yticklabels() if label.get_visible() and label.get_text()]
        assert len(labels) >= 3


def test_every_knob_shows_the_scores_along_it_and_only_those() -> None:
    lines = [
        {**each.texts, "row": row.key, "accuracy": 50.0 + number, "low": 40.0, "high": 90.0}
        for number, each in enumerate(knobs.grid())
        for row in knobs.rows(each)
    ]
    drawn = draw_knobs(pd.DataFrame(lines))
    assert [len(ax.get_xticks()) for ax in drawn.axes] == [4, 3, 2] * 2
    number = {each: 50.0 + place for place, each in enumerate(knobs.grid())}
    along = [value for each, value in number.items() if set(knobs.changed(each)) <= {"drift_px"}]
    shown = drawn.axes[0].get_lines()[0].get_ydata()
    assert np.asarray(shown).tolist() == along
