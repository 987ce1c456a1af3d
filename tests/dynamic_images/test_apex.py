"""Apexes that are off: spotted, shifted and drawn anew, against clips whose truth is known."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from toy import make_bank, small_config

from dianet_utils import datasets, loso, run
from dianet_utils.config import configure
from dianet_utils.datasets.frames import index_frames, read_frame
from dianet_utils.dynamic_images import MID_GREY, apex, jitter_shifts, optical_flow, scale_signed, shift_apex
from dianet_utils.dynamic_images.bank import build_bank
from dianet_utils.evaluation import apex_errors
from dianet_utils.loso.batches import Batches
from dianet_utils.plots import moved_apex as plots
from dianet_utils.plumbing.errors import InputError

METHODS = ("difference", "flow")


def moving_face(
    apex: int = 14, count: int = 40, drift: float = 0.0, flicker: float = 0.0
) -> list[np.ndarray]:
    """A textured picture whose lower part (the mouth) moves down until the frame ``apex``, then back.

    All of it drifts to the right by ``drift`` pixels a frame and brightens by the part ``flicker`` in all.
    """
    texture = np.random.default_rng(3).normal(0, 1, (160, 160)).astype(np.float32)
    texture = 120 + 60 * cv2.GaussianBlur(texture, (0, 0), 2.5) / 0.11 * 0.4
    y, x = np.mgrid[0:128, 0:128].astype(np.float32)
    mouth = np.exp(-(((y - 94) / 12) ** 2) - ((x - 64) / 22) ** 2)
    frames = []
    for place in range(count):
        rise = min(place / apex, (count - 1 - place) / (count - 1 - apex))
        moved = mouth * 1.5 * np.sin(np.pi / 2 * rise) ** 2
        right, down = x + 16 - np.float32(drift * place), (y + 16 + moved).astype(np.float32)
        picture = cv2.remap(texture, right, down, cv2.INTER_CUBIC)
        light = 1 + flicker * place / count
        frames.append(np.repeat(np.clip(picture * light, 0, 255).astype(np.uint8)[..., None], 3, axis=2))
    return frames


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("true", [10, 14, 26])
def test_a_known_apex_is_found_in_spite_of_drift_and_light(method: str, true: int) -> None:
    found = apex.spot(iter(moving_face(true, drift=0.05, flicker=0.1)), method)
    assert abs(found.place - true) <= 2
    assert found.curve.shape == (40,)
    assert found.place == 1 + np.argmax(found.curve[1:-1])


@pytest.mark.parametrize("method", METHODS)
def test_what_a_stiff_face_does_counts_for_nothing(method: str) -> None:
    still = [frame for frame in moving_face(14)[:1] for _ in range(40)]
    stiff = [np.roll(frame, place // 20, axis=1) for place, frame in enumerate(still)]
    moving = apex.spot(moving_face(14), method).curve.max()
    assert apex.spot(stiff, method).curve.max() < 0.5 * moving
    assert not apex.spot(still, method).curve.any()


def test_a_clip_too_short_or_uneven_is_refused() -> None:
    frames = moving_face()
    for method in apex.METHODS:
        with pytest.raises(InputError, match="3 frames or more, not 2"):
            apex.spot(frames[:2], method)
        with pytest.raises(InputError, match="3 frames or more, not 0"):
            apex.spot([], method)
        assert apex.spot(frames[:3], method).place == 1
        if method != "midpoint":
            with pytest.raises(InputError, match="128 x 128 and 128 x 64 pixels in one clip"):
                apex.spot([*frames[:3], frames[3][:64]], method)
    with pytest.raises(InputError, match="did you mean 'difference'"):
        apex.spot(frames, "differences")


def test_spotted_clips_say_so_and_are_spotted_once(tiny_synthetic: Path, tmp_path: Path) -> None:
    clips = datasets.load("synthetic", tiny_synthetic).iloc[:4]
    clips.iloc[3, clips.columns.get_loc("problem")] = "its row is odd"
    spotted = apex.spot_clips(clips, "difference", cache=tmp_path, workers=1, shown=False)
    assert list(spotted["apex_source"]) == ["difference"] * 3 + ["sheet"]
    assert spotted["apex"].iloc[3] == clips["apex"].iloc[3]
    assert ((clips["onset"] < spotted["apex"]) & (spotted["apex"] < clips["offset"])).all()
    assert spotted["apex"].dtype == clips["apex"].dtype
    told = datasets.health(spotted)["problem"]
    assert told.str.contains("the apex of 3 of 4 clips was spotted in their frames").any()
    (kept,) = tmp_path.iterdir()
    before = kept.stat().st_mtime_ns
    again = apex.spot_clips(clips, "difference", cache=tmp_path, workers=1, shown=False)
    pd.testing.assert_frame_equal(again, spotted)
    assert kept.stat().st_mtime_ns == before
    kept.write_text(kept.read_text()[:20])  # damaged: found again
    mended = apex.spot_clips(clips, "difference", cache=tmp_path, workers=1, shown=False)
    pd.testing.assert_frame_equal(mended, spotted)
    middle = apex.spot_clips(clips, "midpoint", cache=tmp_path, workers=1, shown=False)["apex"].iloc[:3]
    assert (middle == ((clips["onset"] + clips["offset"]) // 2).iloc[:3]).all()


def test_an_apex_is_shifted_within_its_clip() -> None:
    table = pd.DataFrame({"onset": [1, 1, 10], "apex": [5, 3, 12], "offset": [9, 9, 30]}, dtype="Int64")
    for frames, apexes, clipped in (
        (0, [5, 3, 12], [False] * 3),
        (3, [8, 6, 15], [False] * 3),
        (4, [8, 7, 16], [True, False, False]),
        (-2, [3, 2, 11], [False, True, True]),
        (-99, [2, 2, 11], [True] * 3),
    ):
        shifted = shift_apex(table, frames)
        assert shifted["apex"].tolist() == apexes
        assert shifted["clipped"].tolist() == clipped
    assert jitter_shifts(0) == (0,)
    assert jitter_shifts(1) == (-1, 0, 1)
    assert jitter_shifts(8) == (-8, -4, 0, 4, 8)


def test_a_bank_holds_the_images_of_shifted_clips(tiny_synthetic: Path) -> None:
    kept = datasets.load("synthetic", tiny_synthetic).iloc[:3]
    config = configure("synthetic", image_size=16, apex_jitter=2)
    bank = run.make_bank(kept, config, 1, shown=False, shifts=(4,))
    assert sorted(bank.shifted) == [-2, -1, 1, 2, 4]
    given = {"size": 16, "scaling": "signed", "shown": False, "workers": 1}
    alone = build_bank(shift_apex(kept, 4), **given)
    np.testing.assert_array_equal(bank.shifted[4], alone.images)
    plain = run.make_bank(kept, configure("synthetic", image_size=16), 1, shown=False)
    np.testing.assert_array_equal(plain.images, bank.images)
    assert len({plain.fingerprint, bank.fingerprint, alone.fingerprint}) == 3


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, loso.Results]:
    """Runs on one bank: without shifts, tested under them, and trained with them; a shift of 4 blanks all."""
    plain, folder = make_bank(), tmp_path_factory.mktemp("apex")
    shifted = make_bank()
    shifted.shifted.update({-2: plain.images, -1: plain.images, 1: plain.images, 2: plain.images})
    shifted.shifted[4] = np.zeros_like(plain.images)
    given = {"workers": 1, "device": "cpu", "shown_progress": False, "max_folds": 3}
    return {
        "plain": loso.run(plain, small_config(), folder / "plain", **given),
        "tested": loso.run(shifted, small_config(), folder / "tested", **given),
        "trained": loso.run(shifted, small_config(apex_jitter=2), folder / "trained", **given),
    }


def test_testing_under_shifts_changes_no_prediction(results: dict[str, loso.Results]) -> None:
    plain, tested = results["plain"].predictions, results["tested"].predictions
    pd.testing.assert_frame_equal(plain, tested)
    by_shift = apex_errors.predictions_by_shift(results["tested"].predictions, results["tested"].folds)
    assert list(by_shift) == [-2, -1, 0, 1, 2, 4]
    pd.testing.assert_frame_equal(by_shift[-2], by_shift[0])
    assert by_shift[4].groupby("subject")["predicted"].nunique().max() == 1  # blank images look all the same
    with pytest.raises(InputError, match="make its bank with shifts"):
        apex_errors.predictions_by_shift(results["plain"].predictions, results["plain"].folds)


def test_jitter_of_equal_images_only_changes_what_is_drawn(results: dict[str, loso.Results]) -> None:
    """The draws of jitter come from the fold's generator: other flips and turns, the same clips."""
    tested, trained = results["tested"], results["trained"]
    assert tested.folds[0]["history"] != trained.folds[0]["history"]
    assert tested.folds[0]["clips"] == trained.folds[0]["clips"]
    digests = [small_config(**given).digest() for given in ({}, {"apex_jitter": 0}, {"apex_jitter": 2})]
    assert digests[0] == digests[1] != digests[2]


def test_jitter_draws_each_clip_from_its_views_and_repeats_with_its_seed() -> None:
    bank = make_bank(size=16)
    for shift in jitter_shifts(8):
        if shift:
            bank.shifted[shift] = np.full_like(bank.images, shift / 10)
    bank.images[:] = 0.0
    data, rows = Batches.of(bank, "cpu"), torch.arange(len(bank.images))
    draws = [data.jittered(rows, 8, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    drawn = draws[0][:, 0, 0, 0, 0]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(draws[0], drawn[:, None, None, None, None].expand_as(draws[0]))
    assert sorted({round(10 * float(value)) for value in drawn}) == [-8, -4, 0, 4, 8]
    generator = torch.Generator().manual_seed(1)
    before = generator.get_state()
    data.jittered(rows, 0, generator)
    assert torch.equal(generator.get_state(), before)


def test_the_curve_and_the_pairs_are_those_of_the_predictions(results: dict[str, loso.Results]) -> None:
    by_shift = apex_errors.predictions_by_shift(results["tested"].predictions, results["tested"].folds)
    classes = results["tested"].metrics["classes"]
    curve = apex_errors.curve(by_shift, classes)
    assert curve.loc[0, "accuracy"] == pytest.approx(results["plain"].metrics["accuracy"], abs=1e-6)
    assert curve.loc[0, ["low", "high"]].tolist() == pytest.approx(
        results["plain"].metrics["intervals"]["accuracy"], abs=1e-6
    )
    drop = apex_errors.cost_of_shift(by_shift)
    assert drop.loc[[-2, -1, 1, 2], "difference"].tolist() == [0.0] * 4
    assert drop.loc[4, "difference"] == pytest.approx(curve.loc[4, "accuracy"] - curve.loc[0, "accuracy"])
    assert (drop["holm"] >= drop["p"]).all()


def test_no_shift_is_not_tested_against_itself() -> None:
    """Two shifts are two tests: Holm doubles the smaller p, 2 / 2^8 of eight people who all lose a clip."""
    right = pd.DataFrame({"clip": list("abcdefgh"), "subject": list("abcdefgh"), "seed": 0, "true": "fear"})
    by_shift = {0: right.assign(predicted="fear"), -4: right.assign(predicted="fear")}
    cost = apex_errors.cost_of_shift({**by_shift, 4: right.assign(predicted="anger")})
    assert cost.index.tolist() == [-4, 4]
    assert cost["holm"].tolist() == pytest.approx([1.0, 2 * 2 / 2**8])
    gain = apex_errors.paired(by_shift, by_shift)
    assert gain.index.tolist() == [0, -4]  # between two models there is something to test at 0 as well


def test_errors_are_frames_late_with_an_interval_over_subjects() -> None:
    clips = pd.DataFrame({"true_apex": [10, 20, 30, 40], "subject": list("aabb")}, index=list("wxyz"))
    late = pd.Series([12, 20, 27, 41], index=list("wxyz"))
    table = apex_errors.errors(clips, {"late": late, "exact": clips["true_apex"]})
    assert table["late"].tolist() == [2, 0, -3, 1]
    summary = apex_errors.error_summary(table, clips["subject"])
    assert summary.loc["late", ["mean", "median", "bias", "near"]].tolist() == [1.5, 1.5, 0.0, 1.0]
    assert summary.loc["late", ["low", "high"]].tolist() == [1.0, 2.0]  # all of subject a, all of b
    assert summary.loc["exact", ["mean", "low", "high"]].tolist() == [0.0] * 3
    annotated = clips.rename(columns={"true_apex": "apex"}).assign(apex_source="sheet")
    pd.testing.assert_frame_equal(apex_errors.errors(annotated, {"late": late}), table[["late"]])
    with pytest.raises(InputError, match="nothing to be measured against"):
        apex_errors.errors(annotated.assign(apex_source="midpoint"), {"late": late})


def test_flows_run_through_their_phase(tiny_synthetic: Path) -> None:
    kept = datasets.load("synthetic", tiny_synthetic).iloc[:2]
    inputs = ["flow", "flow_onset", "flow_offset"]
    images = build_bank(kept, inputs, size=64, scaling="signed", shown=False, workers=1).images
    np.testing.assert_array_equal(images[:, 0], images[:, 1])
    for found, (_, clip) in zip(images, kept.iterrows(), strict=True):
        files = index_frames(clip["frames"])
        frames = {name: read_frame(files[clip[name]]) for name in ("apex", "offset")}
        flow = optical_flow(frames["apex"], frames["offset"])
        expected = scale_signed(flow).transpose(2, 0, 1)  # frames of 64 pixels: nothing to resize
        np.testing.assert_allclose(found[2], expected, atol=1e-3)
    config = configure("synthetic", inputs="flow_onset,flow_offset", image_size=64)
    bank = run.make_bank(kept, config, 1, shown=False)
    assert Batches.of(bank, "cpu").flows == (0, 1)


def test_colours_of_a_flow_end_with_the_face_whatever_the_wall_does() -> None:
    size = 64
    flow = np.zeros((3, size, size), np.float32)
    flow[:2, 4:-4, 12:-12] = 0.2
    flow[2] = np.hypot(*flow[:2])
    wall = np.ones((size, size), bool)
    wall[4:-4, 12:-12] = False
    flow[:, wall] = 1.0
    grey = np.rint(MID_GREY + 127 * flow).astype(np.uint8)  # as the other scaling has it
    for each in (flow, grey):
        figure = plots.draw_flows({"onset": each, "offset": each}, {"onset": each, "offset": each})
        titles = [ax.get_title() for ax in figure.axes[:4]]
        assert titles == ["dynamic image", "horizontal", "vertical", "length"]
        low, high = figure.axes[1].images[0].get_clim()
        assert -low == high == pytest.approx(0.2 * np.sqrt(2), abs=0.01)
        assert {ax.images[0].get_clim() for ax in figure.axes[5:8]} == {(low, high)}
        np.testing.assert_allclose(figure.axes[3].images[0].get_array(), flow[2], atol=0.01)
        bar = figure.axes[-1]
        assert "flow" in bar.get_xlabel()
        figure.canvas.draw()
        own, flows = figure.axes[0].get_window_extent(), [ax.get_window_extent() for ax in figure.axes[1:4]]
        assert own.x1 < flows[0].x0 <= bar.get_window_extent().x0
        assert bar.get_window_extent().x1 <= flows[-1].x1


def test_a_column_says_where_its_shift_was_limited() -> None:
    images = dict.fromkeys((-16, -8, 0, 4), np.zeros((2, 3, 16, 16), np.float32))
    clips = pd.DataFrame({"onset": [1], "apex": [14], "offset": [40]})
    moved = {shift: int(apex.shift_apex(clips, shift)["apex"][0]) - 14 for shift in (-16, -8, 4)}
    figure = plots.draw_shifted(images, ("onset", "mine"), "a clip", moved)
    titles = [ax.get_title() for ax in figure.axes[:4]]
    assert titles == ["-16\n(limited: -12)", "-8", "as annotated", "+4"]
    assert plots.draw_shifted(images, ("onset", "mine")).axes[0].get_title() == "-16"


def test_gains_are_points_and_the_legend_says_what_a_filled_one_is() -> None:
    table = pd.DataFrame(
        {"difference": [-0.2, 0.01], "low": [-0.3, -0.05], "high": [-0.1, 0.04], "holm": [0.01, 0.5]}, [-8, 8]
    )
    figure = plots.draw_gains(table, "accuracy minus accuracy at shift 0", "clips")
    (ax,) = figure.axes
    assert " ".join(ax.get_ylabel().split()) == "accuracy minus accuracy at shift 0, points"
    figure.canvas.draw()
    label = ax.yaxis.label.get_window_extent()
    assert 0 <= label.y0 < label.y1 <= figure.bbox.height
    points = {bar.lines[0].get_xdata()[0]: bar.lines[0] for bar in ax.containers}
    assert [points[-8].get_ydata()[0], points[8].get_ydata()[0]] == pytest.approx([-20, 1])
    said = {
        text.get_text(): handle.get_markerfacecolor()
        for text, handle in zip(figure.legends[0].texts, figure.legends[0].legend_handles, strict=True)
    }
    assert said["Holm's p < 0.05"] == points[-8].get_markerfacecolor()
    assert said["Holm's p 0.05 or more"] == points[8].get_markerfacecolor() == "white"


def test_figures_show_signed_and_grey_images_in_their_own_range() -> None:
    signed = np.random.default_rng(0).uniform(-1, 1, (2, 3, 16, 16)).astype(np.float32)
    grey = np.rint(127 * signed + 128).astype(np.uint8)
    for images, limits in ((signed, (-1, 1)), (grey, (0, 255))):
        drawn = [
            plots.draw_shifted({-4: images, 0: images}, ("onset", "offset")),
            plots.draw_flows({"onset": images[0]}, {"onset": images[1]}),
        ]
        shown = [ax.images[0] for figure in drawn for ax in figure.axes if ax.images]
        assert len(shown) == 4 + 4
        assert {image.get_clim() for image in shown[:5]} == {limits}  # the last three are a flow
        np.testing.assert_allclose(shown[0].get_array(), images[0].mean(axis=0), rtol=1e-6)
