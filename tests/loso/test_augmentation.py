"""Flips and turns against OpenCV and plain indexing; one draw a clip; normalisation."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dianet_utils.loso.augmentation import augment, warp
from dianet_utils.models.normalise import IMAGENET, normalise, still_value
from dianet_utils.plumbing.errors import InputError


def images(count=1, phases=2, height=40, width=60) -> torch.Tensor:
    return torch.rand(count, phases, 3, height, width, generator=torch.Generator().manual_seed(0))


def generator(seed=0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def turned_by_opencv(image: torch.Tensor, angle: float, centre: tuple[float, float]) -> torch.Tensor:
    matrix = cv2.getRotationMatrix2D(centre, angle, 1.0)
    array = image.permute(1, 2, 0).numpy()
    turned = cv2.warpAffine(
        array, matrix, array.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return torch.from_numpy(turned).permute(2, 0, 1)


@pytest.mark.parametrize("angle", [-10.0, 3.3, 90.0])
@pytest.mark.parametrize("size", [(40, 60), (64, 64), (33, 21)])
def test_a_turn_is_opencvs_turn(angle, size):
    height, width = size
    smooth = torch.from_numpy(
        cv2.GaussianBlur(np.random.default_rng(0).random((*size, 3)), (0, 0), 2)
    ).float()
    image = smooth.permute(2, 0, 1)
    expected = turned_by_opencv(image, angle, ((width - 1) / 2, (height - 1) / 2))
    got = warp(image[None, None], torch.tensor([angle]), torch.tensor([False]))[0, 0]
    torch.testing.assert_close(got, expected, rtol=0, atol=2e-3)  # OpenCV interpolates in steps of 1/32 px


def test_a_mirror_is_a_mirror():
    got = warp(images(), torch.zeros(1), torch.tensor([True]))
    torch.testing.assert_close(got, images().flip(-1), rtol=0, atol=2e-5)


def test_no_turn_and_no_mirror_is_the_image():
    torch.testing.assert_close(augment(images(), generator(), flip=0, degrees=0), images(), rtol=0, atol=2e-5)


def test_mirror_comes_before_the_turn():
    got = warp(images(), torch.tensor([8.0]), torch.tensor([True]))
    expected = warp(images().flip(-1), torch.tensor([8.0]), torch.tensor([False]))
    torch.testing.assert_close(got, expected, rtol=0, atol=5e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), phases=st.integers(1, 3))
def test_all_phases_of_a_clip_move_alike_and_values_stay_in_range(seed, phases):
    same = images(count=4, phases=1).expand(-1, phases, -1, -1, -1)
    moved = augment(same, generator(seed))
    assert moved.shape == same.shape
    assert all(torch.equal(moved[:, 0], moved[:, phase]) for phase in range(phases))
    assert moved.min() >= same.min() - 1e-4
    assert moved.max() <= same.max() + 1e-4


def test_each_clip_moves_in_its_own_way():
    moved = augment(images(count=1).expand(6, -1, -1, -1, -1), generator())
    assert len({moved[clip].sum().item() for clip in range(6)}) == 6


def test_draws_follow_the_generator_alone():
    torch.manual_seed(1)
    first = augment(images(count=3), generator(5))
    torch.manual_seed(2)
    assert torch.equal(first, augment(images(count=3), generator(5)))
    assert not torch.equal(first, augment(images(count=3), generator(6)))


def test_a_clip_does_not_depend_on_the_others():
    some = images(count=4)
    other = some.clone()
    other[1:] = 0
    assert torch.equal(augment(some, generator())[0], augment(other, generator())[0])


def test_share_of_mirrors_and_range_of_angles():
    """A dot right of the centre shows both: its side and its height after the warp."""
    dots = torch.zeros(2000, 1, 3, 33, 33)
    dots[..., 16, 28] = 1
    moved = augment(dots, generator(), flip=0.3)[:, 0, 0]
    across = torch.arange(33.0) - 16
    mass = moved.sum((1, 2))
    x, y = (moved.sum(1) @ across) / mass, (moved.sum(2) @ across) / mass
    assert (x < 0).float().mean().item() == pytest.approx(0.3, abs=0.03)
    angles = torch.rad2deg(torch.atan2(y, x.abs()))
    assert 9 < angles.abs().max().item() < 11
    assert angles.mean().abs().item() < 0.5


@pytest.mark.parametrize("scaling", ["minmax", "signed"])
def test_a_mirrored_flow_goes_the_other_way(scaling):
    """Mirrored alone: mirroring the flow is the flow of the mirrored face, whichever scaling it has."""
    values = torch.rand(1, 2, 3, 8, 8, generator=generator()) * 2 - 1
    opposite = values.clone()
    opposite[:, 1, 0] *= -1
    flow, expected = (
        normalise(given if scaling == "signed" else 128 + 127 * given, scaling)
        for given in (values, opposite)
    )
    got = augment(flow, generator(), flip=1.0, degrees=0.0, flows=[1], still=still_value(scaling))
    torch.testing.assert_close(got, expected.flip(-1), rtol=0, atol=2e-5)
    unmoved = augment(flow, generator(), flip=0.0, degrees=0.0, flows=[1], still=still_value(scaling))
    torch.testing.assert_close(unmoved, flow, rtol=0, atol=2e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_makes_the_same_images():
    on_gpu = augment(images(count=3).cuda(), generator()).cpu()
    torch.testing.assert_close(on_gpu, augment(images(count=3), generator()), rtol=0, atol=1e-4)


def test_uint8_images_are_refused():
    with pytest.raises(InputError, match="call normalise first"):
        augment(torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8), generator())


def test_normalise_minmax_is_imagenets_per_colour():
    values = torch.tensor([0, 128, 255], dtype=torch.uint8).view(1, 1, 3, 1, 1).expand(2, 2, 3, 4, 4)
    got = normalise(values, "minmax")
    assert got.dtype == torch.float32
    for channel, value in enumerate((0, 128, 255)):
        expected = (value / 255 - IMAGENET.mean[channel]) / IMAGENET.std[channel]
        assert got[0, 0, channel, 0, 0].item() == pytest.approx(expected, abs=1e-6)


def test_normalise_signed_keeps_zero_at_zero():
    signed = torch.tensor([-1.0, 0.0, 0.5]).view(1, 1, 3, 1, 1)
    assert torch.equal(normalise(signed, "signed"), signed)


def test_normalise_refuses_another_scaling():
    with pytest.raises(InputError, match="minmax or signed"):
        normalise(images(), "robust")
