"""Weights, images, scalings and rank pooling against exact fractions and plain loops."""

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dianet_utils import dynamic_images as di
from dianet_utils.plumbing.errors import InputError

COUNTS = [1, 2, 3, 5, 30, 71]


def random_frames(count, height=7, width=9, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def static_frames(count):
    return np.repeat(random_frames(1), count, axis=0)


def plain_sum(frames, weights):
    """The defining sum with Python's own exact numbers."""
    total = np.zeros(frames.shape[1:], dtype=object)
    for frame, weight in zip(frames, weights, strict=True):
        total = total + frame.astype(object) * weight
    return total


def pairs_sum(frames, weight):
    """The sum over all pairs k < j of (I_j - I_k) times ``weight(j - k)``, term by term."""
    total = np.zeros(frames.shape[1:], dtype=object)
    for j in range(len(frames)):
        for k in range(j):
            total = total + (frames[j].astype(object) - frames[k].astype(object)) * weight(j - k)
    return total


def harmonic_number(count):
    return sum((Fraction(1, i) for i in range(1, count + 1)), Fraction(0))


# --- weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", COUNTS)
def test_arp_and_offset_weights_are_the_papers(count):
    assert di.arp_weights(count).tolist() == [2 * t - count - 1 for t in range(1, count + 1)]
    assert di.offset_weights(count).tolist() == [count + 1 - 2 * t for t in range(1, count + 1)]
    assert di.arp_weights(count).sum() == 0


@pytest.mark.parametrize("count", COUNTS)
def test_harmonic_weights_agree_with_both_closed_forms(count):
    first = [
        2 * (count - t + 1) - (count + 1) * (harmonic_number(count) - harmonic_number(t - 1))
        for t in range(1, count + 1)
    ]
    second = [
        sum((Fraction(2 * i - count - 1, i) for i in range(t, count + 1)), Fraction(0))
        for t in range(1, count + 1)
    ]
    assert first == second
    assert sum(first) == 0
    np.testing.assert_allclose(di.harmonic_weights(count), [float(w) for w in first], atol=1e-12 * count)


def test_harmonic_weights_are_another_weighting_than_eq_1():
    known = {5: 0.75, 10: 0.65, 30: 0.57}
    for count, correlation in known.items():
        found = np.corrcoef(di.harmonic_weights(count), di.arp_weights(count))[0, 1]
        assert found == pytest.approx(correlation, abs=0.005)


@pytest.mark.parametrize("count", COUNTS)
def test_the_popular_off_by_one_leaks_the_static_face(count):
    """The widespread variant (2i - T) / i has weights that sum to T, so a still scene stays in the image."""
    popular = [
        sum((Fraction(2 * i - count, i) for i in range(t, count + 1)), Fraction(0))
        for t in range(1, count + 1)
    ]
    assert sum(popular) == count


def test_whole_numbers_keep_integers_and_zero_sums():
    numbers, unit = di.whole_numbers(di.arp_weights(9))
    assert unit == 1.0
    assert numbers.tolist() == di.arp_weights(9).tolist()
    for count in COUNTS:
        real = di.harmonic_weights(count)
        numbers, unit = di.whole_numbers(real)
        assert numbers.sum() == 0
        np.testing.assert_allclose(numbers * unit, real, atol=1e-6 * count * max(1.0, np.abs(real).max()))


def test_no_frames_is_an_error():
    for make in (di.arp_weights, di.offset_weights, di.harmonic_weights):
        with pytest.raises(InputError, match="1 frame or more"):
            make(0)


# --- temporal normalisation ------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(count=st.integers(1, 40), length=st.integers(2, 40))
def test_resampling_interpolates_frames_linearly(count, length):
    """Each row is NumPy's linear interpolation, at even steps from the first to the last frame."""
    values = np.random.default_rng(count).normal(size=count)
    positions = np.linspace(0, count - 1, length)
    weights = di.resample(count, length)
    assert (weights >= 0).all()
    assert (weights.sum(axis=1) == length - 1).all()
    np.testing.assert_allclose(
        weights @ values / (length - 1), np.interp(positions, np.arange(count), values), atol=1e-9
    )


@pytest.mark.parametrize(("count", "length"), [(13, 10), (10, 16), (5, 32), (1, 4), (10, 10)])
def test_folded_weights_equal_interpolating_the_frames(count, length):
    """Exactly, in fractions: frames are interpolated one by one, then summed with the weights of Eq. 1."""
    frames = random_frames(count, 2, 3).astype(object)
    total = np.zeros(frames.shape[1:], dtype=object)
    for k, weight in enumerate(di.arp_weights(length)):
        position = Fraction(k * (count - 1), length - 1)
        before = math.floor(position)
        after, share = min(before + 1, count - 1), position - before
        total = total + int(weight) * ((1 - share) * frames[before] + share * frames[after])
    folded = di.arp_weights(length) @ di.resample(count, length)
    assert folded.sum() == 0
    assert (plain_sum(frames, folded.tolist()) == total * (length - 1)).all()


def test_resampling_to_the_same_length_changes_nothing():
    assert (di.resample(8, 8) == 7 * np.eye(8)).all()


def test_resampling_to_one_frame_is_an_error():
    with pytest.raises(InputError, match="2 frames or more"):
        di.resample(5, 1)


# --- inputs of other systems -----------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 30])
def test_the_active_image_sums_all_pairs_but_adjacent_ones(count):
    frames = random_frames(count)
    expected = pairs_sum(frames, lambda distance: int(distance >= 2))
    assert (di.dynamic_image(frames, di.active_weights(count)) == expected).all()
    assert di.active_weights(count).any() == (count > 2)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 30])
def test_the_affective_image_sums_all_pairs_by_their_speed(count):
    frames = random_frames(count)
    exact = pairs_sum(frames, lambda distance: Fraction(1, distance)).astype(np.float64)
    found = di.dynamic_image(frames, di.affective_weights(count))
    np.testing.assert_allclose(found, exact, atol=1e-5 * np.abs(exact).max())
    assert abs(di.affective_weights(count).sum()) < 1e-12


def test_grey_is_the_sum_of_the_frames_lumas():
    frames = random_frames(9)
    luma = frames @ np.array([0.299, 0.587, 0.114])
    expected = np.einsum("t,thw->hw", di.active_weights(9), luma)
    found = di.grey(di.dynamic_image(frames, di.active_weights(9)))
    assert found.shape == (7, 9, 3)
    np.testing.assert_allclose(found, expected[..., None].repeat(3, 2), atol=1e-2)


@pytest.mark.parametrize(("right", "down"), [(1.5, -0.75), (0.0, 0.5), (-3.0, 2.0)])
def test_optical_flow_finds_a_known_shift(right, down):
    noise = cv2.GaussianBlur(np.random.default_rng(0).random((120, 140)), (0, 0), 2)
    first = (noise - noise.min()) * 255 / np.ptp(noise)
    moved = cv2.warpAffine(
        first, np.float32([[1, 0, right], [0, 1, down]]), (140, 120), flags=cv2.INTER_CUBIC
    )
    both = [
        np.clip(np.rint(image), 0, 255).astype(np.uint8)[..., None].repeat(3, 2) for image in (first, moved)
    ]
    flow = di.optical_flow(*both)
    assert flow.dtype == np.float32
    inner = flow[16:-16, 16:-16].reshape(-1, 3)
    expected = np.tile([right, down, np.hypot(right, down)], (len(inner), 1))
    np.testing.assert_allclose(inner, expected, atol=0.2)
    assert np.abs(inner - expected).mean() < 0.05
    assert not di.optical_flow(both[0], both[0]).any()


def test_centred_scaling_keeps_no_motion_at_mid_grey():
    flow = np.array([[[0.0, -2.0, 2.0], [1.0, 0.0, 1.0]]])
    assert di.scale_centred(flow).tolist() == [[[128, 1, 255], [192, 128, 192]]]
    assert (di.scale_centred(-flow).astype(int) == 256 - di.scale_centred(flow).astype(int)).mean() > 0.6
    assert (di.scale_centred(np.zeros((2, 2, 3))) == di.MID_GREY).all()


# --- phases ----------------------------------------------------------------------------------------


def test_phase_weights_share_the_apex_and_turn_the_offset_around():
    moments = di.Moments(np.arange(10, 21), onset=10, apex=14, offset=20)
    whole, onset, offset = di.phase_weights(di.PHASES, moments)
    assert whole.tolist() == di.arp_weights(11).tolist()
    assert onset.tolist() == [*di.arp_weights(5), 0, 0, 0, 0, 0, 0]
    assert offset.tolist() == [0, 0, 0, 0, *di.offset_weights(7)]


def test_phase_weights_count_the_frames_that_exist():
    moments = di.Moments(np.array([10, 11, 14, 15, 20]), onset=10, apex=14, offset=20)
    onset, offset = di.phase_weights(["onset", "offset"], moments)
    assert onset.tolist() == [-2, 0, 2, 0, 0]
    assert offset.tolist() == [0, 0, 2, 0, -2]


@pytest.mark.parametrize("weighting", ["arp", "harmonic"])
@pytest.mark.parametrize("temporal", [None, 4, 25])
def test_every_row_sums_to_zero(weighting, temporal):
    moments = di.Moments(np.arange(1, 31), onset=1, apex=12, offset=30)
    rows = di.phase_weights(di.PHASES, moments, weighting, temporal)
    np.testing.assert_allclose(rows.sum(axis=1), 0, atol=1e-10)
    assert all(di.whole_numbers(row)[0].sum() == 0 for row in rows)


# --- images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", COUNTS)
def test_dynamic_image_is_the_exact_sum(count):
    frames, weights = random_frames(count), di.arp_weights(count)
    image = di.dynamic_image(frames, weights)
    assert image.dtype == np.int32
    assert (image == plain_sum(frames, weights.tolist())).all()
    assert (di.dynamic_image(frames, di.offset_weights(count)) == -image).all()


@pytest.mark.parametrize("count", [513, 514, 700])
def test_long_clips_stay_exact(count):
    """From 514 frames on partial sums pass 2^24, where float32 stops holding every whole number."""
    frames = np.full((count, 2, 2, 3), 255, dtype=np.uint8)
    frames[: count // 2] = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) % 3
    weights = di.arp_weights(count)
    sums = di.weighted_sums(frames, weights[None])
    assert sums.dtype == (np.float32 if count <= 513 else np.float64)
    assert (di.dynamic_image(frames, weights) == plain_sum(frames, weights.tolist())).all()


def test_very_long_clips_leave_int32():
    count = 6000
    frames = np.zeros((count, 1, 1, 3), dtype=np.uint8)
    frames[count // 2 :] = 255
    image = di.dynamic_image(frames, di.arp_weights(count))
    assert image.dtype == np.int64
    assert (image == plain_sum(frames, di.arp_weights(count).tolist())).all()
    assert image.max() > 2**31


@pytest.mark.parametrize("count", COUNTS)
def test_a_static_clip_is_exactly_zero(count):
    frames = static_frames(count)
    for weights in (di.arp_weights(count), di.offset_weights(count), di.harmonic_weights(count)):
        assert not di.dynamic_image(frames, weights).any()
    assert not di.rank_pooling(frames).any()


def test_one_frame_gives_a_blank_image():
    assert not di.dynamic_image(random_frames(1), di.arp_weights(1)).any()


def test_real_weights_give_the_sum_to_a_millionth():
    frames, weights = random_frames(30), di.harmonic_weights(30)
    expected = np.einsum("t,thwc->hwc", weights, frames.astype(np.float64))
    found = di.dynamic_image(frames, weights)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_grey_frames_keep_their_shape():
    frames = random_frames(6)[..., 0]
    assert (
        di.dynamic_image(frames, di.arp_weights(6)) == plain_sum(frames, di.arp_weights(6).tolist())
    ).all()


def test_wrong_numbers_and_sizes_of_frames_are_named():
    with pytest.raises(InputError, match="5 frames but 4 weights"):
        di.dynamic_image(random_frames(5), di.arp_weights(4))
    with pytest.raises(InputError, match="Frame 2 is 4x9x3 but the first is 7x9x3"):
        di.dynamic_image([random_frames(1)[0], random_frames(1, 4)[0]], di.arp_weights(2))
    with pytest.raises(InputError, match="too large"):
        di.dynamic_image(random_frames(2), np.array([-(2**50), 2**50]))


# --- scalings --------------------------------------------------------------------------------------


def test_minmax_spans_the_whole_range_as_opencv_does():
    image = di.dynamic_image(random_frames(12), di.arp_weights(12))
    scaled = di.scale_minmax(image)
    assert (scaled.min(), scaled.max()) == (0, 255)
    reference = cv2.normalize(image.astype(np.float64), None, 0, 255, cv2.NORM_MINMAX)
    np.testing.assert_allclose(scaled, reference, atol=0.5 + 1e-9)


def test_the_opposite_sign_inverts_minmax():
    image = di.dynamic_image(random_frames(12), di.arp_weights(12))
    scaled, opposite = di.scale_minmax(image).astype(int), di.scale_minmax(-image).astype(int)
    away_from_ties = np.abs((image - image.min()) * 255.0 / np.ptp(image) % 1 - 0.5) > 1e-6
    assert (opposite == 255 - scaled)[away_from_ties].all()
    assert np.abs(opposite - (255 - scaled)).max() <= 1


def test_a_constant_image_scales_to_zero():
    assert not di.scale_minmax(np.full((3, 3, 3), 7)).any()
    assert not di.scale_signed(np.zeros((3, 3, 3), dtype=np.int32)).any()


def test_signed_scaling_is_centred_robust_and_clipped():
    image = np.array([[-900, -3, -2, -1, 0, 1, 2, 3, 4000]])
    expected = np.clip(image / (3 * 1.4826 * 2), -1, 1)
    scaled = di.scale_signed(image)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=1e-6)
    assert (di.scale_signed(-image) == -scaled).all()
    assert (di.scale_signed(10 * image) == scaled).all()


def test_signed_scaling_of_a_mostly_still_image_uses_what_moved():
    image = np.array([0, 0, 0, 0, 0, -2, 4])
    np.testing.assert_allclose(di.scale_signed(image), np.clip(image / (3 * 1.4826 * 3), -1, 1), rtol=1e-6)


# --- rank pooling ----------------------------------------------------------------------------------


def rising_frames(count=20, seed=1):
    """A pattern that grows steadily, under noise."""
    rng = np.random.default_rng(seed)
    pattern, still = rng.normal(0, 1, (6, 5, 3)), rng.uniform(60, 190, (6, 5, 3))
    frames = [still + 2 * t * pattern + rng.normal(0, 2, still.shape) for t in range(count)]
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8), pattern


def test_rank_pooling_is_the_regression_in_pixel_space():
    """The T-dimensional problem has the solution of the one with a coordinate for each pixel."""
    from sklearn.svm import LinearSVR

    frames, _ = rising_frames()
    flat = frames.reshape(len(frames), -1).astype(np.float64)
    times = np.arange(1, len(flat) + 1)
    means = np.cumsum(flat, axis=0) / times[:, None]
    regression = LinearSVR(
        C=1, epsilon=0.1, loss="squared_epsilon_insensitive", fit_intercept=False, dual=False, tol=1e-10
    )
    regression.fit(means - means.mean(axis=0), times - times.mean())
    found = di.rank_pooling(frames).ravel()
    assert np.corrcoef(found, regression.coef_)[0, 1] > 0.999999
    np.testing.assert_allclose(found, regression.coef_, atol=1e-4 * np.abs(found).max())


def test_rank_pooling_orders_the_running_means_and_finds_the_pattern():
    frames, pattern = rising_frames()
    image = di.rank_pooling(frames)
    means = np.cumsum(frames, axis=0) / np.arange(1, len(frames) + 1)[:, None, None, None]
    scores = (means * image).sum(axis=(1, 2, 3))
    assert (np.diff(scores) > 0).all()
    assert np.corrcoef(image.ravel(), pattern.ravel())[0, 1] > 0.9


def test_rank_weights_sum_to_zero():
    weights = di.rank_weights(di.gram(rising_frames()[0]))
    assert abs(weights.sum()) < 1e-9 * np.abs(weights).max()


def test_gram_is_exact_over_several_chunks():
    frames = random_frames(3, 160, 200)
    flat = frames.reshape(3, -1).astype(np.int64)
    assert (di.gram(frames) == flat @ flat.T).all()
