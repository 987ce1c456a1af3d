"""Frames, clips and costs of the reader's own: a figure shows them, or one sentence says why not."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from dianet_utils import dynamic_images as di
from dianet_utils.plots import pictures, tables
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


def test_nine_frames_have_36_votes_and_every_weight_is_labelled() -> None:
    pairs = [(i, j) for i in range(9) for j in range(i)]
    ballots = np.zeros((36, 9), int)
    for vote, (later, earlier) in zip(ballots, pairs, strict=True):
        vote[later], vote[earlier] = 1, -1
    _, total = pictures.draw_votes(ballots).axes
    assert total.get_yticks().tolist() == WEIGHTS.tolist()
    plt.close("all")


def test_points_of_one_cost_are_drawn_beside_each_other_in_their_order() -> None:
    costs = [2.0, 2.0, 2.01, 0.8, 5.0]
    places = tables._apart(costs)
    assert np.diff(np.sort(np.log(places))).min() > 0.05
    assert np.abs(np.log(places) - np.log(costs)).max() < 0.12
    assert np.argsort(places, kind="stable").tolist() == np.argsort(costs, kind="stable").tolist()
    assert np.allclose(np.diff(np.log(tables._apart([1, 10, 100]))), np.log(10))
