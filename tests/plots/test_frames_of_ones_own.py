"""Frames, clips and costs of the reader's own: a figure shows them, or one sentence says why not."""

import io
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from dianet_utils import dynamic_images as di
from dianet_utils.plots import cancelling, model, pictures, tables
from dianet_utils.plots.movies import as_gif
from dianet_utils.plumbing.errors import InputError

FRAMES = np.random.default_rng(0).integers(0, 256, (9, 40, 48, 3)).astype(np.uint8)
WEIGHTS = di.arp_weights(9)


@pytest.mark.parametrize("frames", [FRAMES / 255, FRAMES[..., 0].astype(np.float32)])
def test_float_frames_are_refused_with_the_way_out(frames: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"Frame 1 has the type float.*give them as uint8"):
        di.dynamic_image(frames, WEIGHTS)


def test_grey_frames_give_the_channel_of_the_same_frames_in_colour() -> None:
    grey = di.dynamic_image(FRAMES[..., 0], WEIGHTS)
    assert (grey == di.dynamic_image(FRAMES, WEIGHTS)[..., 0]).all()
    assert np.allclose(di.rank_pooling(FRAMES[..., 0]).shape, grey.shape)


def test_a_grey_clip_of_ones_own_is_drawn_under_its_name() -> None:
    grey = di.dynamic_image(FRAMES[..., 0], WEIGHTS)
    drawn = pictures.draw_phases({"my clip": grey})
    assert [ax.get_title() for ax in drawn.axes[:1]] == ["my clip"]
    thrice = pictures.draw_phases({"my clip": np.repeat(grey[..., None], 3, axis=2)})
    for one, three in zip(drawn.axes, thrice.axes, strict=True):
        assert np.allclose(one.images[0].get_array(), three.images[0].get_array())
    followed = pictures.draw_follow(FRAMES[..., 0], np.arange(1, 10), {"whole": WEIGHTS}, 9)
    assert followed.axes[2].images
    plt.close("all")


@pytest.mark.parametrize("frames", [FRAMES / 255, np.full((9, 8, 8), np.nan)])
def test_rank_pooling_and_films_refuse_what_is_no_byte_in_one_sentence(frames: np.ndarray) -> None:
    for use in (di.rank_pooling, lambda given: as_gif([given])):
        with pytest.raises(
            InputError, match=r"^Frame 1 has the type float64, .*give them as uint8"
        ) as caught:
            use(frames)
        assert len(str(caught.value).splitlines()) == 1


def test_a_grey_film_shows_what_the_same_frames_in_three_equal_colours_show() -> None:
    grey = FRAMES[..., 0]
    shown = []
    for clip in (grey, np.repeat(grey[..., None], 3, axis=3)):
        film = Image.open(io.BytesIO(as_gif([clip], size=32)))
        assert (film.n_frames, film.size) == (9, (32, 32))
        shown.append(np.asarray(film.convert("L"), int))
    assert np.abs(shown[0] - shown[1]).max() <= 1  # rounding of the luma


def test_grey_images_on_one_scale_are_those_of_the_same_frames_in_three_equal_colours() -> None:
    grey = di.dynamic_image(FRAMES[..., 0], WEIGHTS) / WEIGHTS.max()
    thrice = np.repeat(grey[..., None], 3, axis=2)
    one, three = (
        cancelling.draw_one_scale({"a": {"mine": image}}).axes[0].images[0] for image in (grey, thrice)
    )
    np.testing.assert_allclose(one.get_array(), three.get_array(), atol=1e-9)
    plt.close("all")


def test_phases_of_ones_own_are_drawn_under_their_names() -> None:
    rows, numbers = {"onset": WEIGHTS, "mine": -WEIGHTS}, np.arange(1, 10)
    followed = pictures.draw_follow(FRAMES, numbers, rows, 9)
    assert [ax.get_title() for ax in followed.axes[2:]] == ["onset: +8", "mine: -8"]
    course = pictures.draw_course(numbers, np.ones(9), rows, 5, "px")
    assert [text.get_text() for text in course.axes[1].get_legend().texts] == ["onset", "mine"]
    (place,) = pictures.draw_responses(pd.DataFrame({"onset": [1.0, 2.0], "mine": [0.0, 1.0]}), "px").axes
    assert [label.get_text() for label in place.get_yticklabels()] == ["onset", "mine"]
    drawn = cancelling.draw_one_scale({"a": {"onset": FRAMES[0], "mine": FRAMES[1]}})
    assert [ax.get_title() for ax in drawn.axes[:2]] == ["onset", "mine"]
    plt.close("all")


def test_a_fusion_block_of_ones_own_is_called_by_its_class_in_either_form() -> None:
    class MyFusion:
        pass

    for given in (MyFusion, "my_file.py:MyFusion"):
        (ax,) = model.draw_architecture(np.zeros((2, 8, 8, 3)), fusion=given).axes
        assert any(text.get_text().endswith("then\nMyFusion") for text in ax.texts)
    plt.close("all")


def ballots(count: int) -> np.ndarray:
    """The votes of all pairs of ``count`` frames, one row per pair: the later one +1, the earlier one -1."""
    pairs = [(i, j) for i in range(count) for j in range(i)]
    votes = np.zeros((len(pairs), count), int)
    for vote, (later, earlier) in zip(votes, pairs, strict=True):
        vote[later], vote[earlier] = 1, -1
    return votes


@pytest.mark.parametrize("count", [4, 9, 15])
def test_votes_of_few_and_of_many_frames_can_be_read(count: int) -> None:
    figure = pictures.draw_votes(ballots(count))
    figure.canvas.draw()
    grid, total = figure.axes
    assert [bar.get_height() for bar in total.patches] == di.arp_weights(count).tolist()
    assert [label.get_text() for label in total.get_xticklabels()] == [str(t + 1) for t in range(count)]
    assert all(tick == round(tick) for tick in total.get_yticks())
    for labels, end, start in (
        (total.get_xticklabels(), "x1", "x0"),
        (total.get_yticklabels(), "y1", "y0"),
    ):
        boxes = [label.get_window_extent() for label in labels if label.get_text()]
        assert len(boxes) >= 3
        assert all(getattr(one, end) < getattr(other, start) for one, other in pairwise(boxes))
    row = grid.get_window_extent().height / len(ballots(count))
    assert all(text.get_window_extent().height < row for text in grid.texts if text.get_text())
    plt.close("all")


def test_nine_frames_have_36_votes_and_every_weight_is_labelled() -> None:
    _, total = pictures.draw_votes(ballots(9)).axes
    assert total.get_yticks().tolist() == WEIGHTS.tolist()
    plt.close("all")


def test_votes_are_written_out_where_there_is_room_and_the_grid_never_covers_them() -> None:
    heights = []
    for count, written in ((4, 6), (6, 15), (9, 0), (15, 0)):
        figure = pictures.draw_votes(ballots(count))
        figure.canvas.draw()
        grid, total = figure.axes
        assert sum(text.get_text() == "+1" for text in grid.texts) == written
        assert (grid.collections[0].get_linewidth()[0] > 0) == bool(written)
        heights.append([ax.get_window_extent().height for ax in (grid, total)])
    grids, totals = zip(*heights, strict=True)
    assert all(less < more for less, more in pairwise(grids))
    assert max(totals) < 1.6 * min(totals)
    plt.close("all")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_hole_is_wider_than_a_tenth_of_a_picture(count: int) -> None:
    image = np.random.default_rng(1).normal(size=(64, 64, 3))
    figure = pictures.draw_phases({f"image {place}": image for place in range(count)})
    figure.canvas.draw()
    boxes = [ax.get_window_extent() for ax in figure.axes[:count]]
    assert all(right.x0 - left.x1 < 0.1 * left.width for left, right in pairwise(boxes))
    if count == 3:
        assert figure.get_size_inches().tolist() == pytest.approx([6.0, 4.3])
    plt.close("all")


def test_points_of_one_cost_are_drawn_beside_each_other_in_their_order() -> None:
    costs = [2.0, 2.0, 2.01, 0.8, 5.0]
    places = tables._apart(costs)
    assert np.diff(np.sort(np.log(places))).min() > 0.05
    assert np.abs(np.log(places) - np.log(costs)).max() < 0.12
    assert np.argsort(places, kind="stable").tolist() == np.argsort(costs, kind="stable").tolist()
    assert np.allclose(np.diff(np.log(tables._apart([1, 10, 100]))), np.log(10))
