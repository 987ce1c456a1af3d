"""The simple rivals: features that can be worked out by hand, pipelines that go through the same folds."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.svm import LinearSVC
from toy import make_bank

from dianet_utils import datasets, loso, run
from dianet_utils.config import SYSTEMS, configure
from dianet_utils.dynamic_images import lbp
from dianet_utils.models import classical

RIVALS = [name for name, system in SYSTEMS.items() if system.learner == "estimator"]


def test_a_linear_svm_through_the_package_is_scikit_learns_own(tmp_path: Path) -> None:
    """The same folds by hand: no clip of the tested person among those that it was fitted on."""
    bank = make_bank(signal=0.4)
    results = loso.run(bank, configure(model="linear_svm"), tmp_path / "run", workers=1, shown_progress=False)
    told = results.predictions.set_index("clip").loc[bank.clips.index, "predicted"].to_numpy()
    pixels = bank.images.astype(np.float64).mean(axis=2).reshape(len(bank.images), -1)
    emotions = bank.clips["emotion"].to_numpy(str)
    for train, test in LeaveOneGroupOut().split(pixels, groups=bank.clips["subject"]):
        fitted = LinearSVC(random_state=0).fit(pixels[train], emotions[train])
        assert list(fitted.predict(pixels[test])) == list(told[test])


@pytest.mark.parametrize("name", RIVALS)
def test_every_rival_runs_on_clips_and_tells_how_well_it_fits(
    name: str, tiny_synthetic: Path, tmp_path: Path
) -> None:
    clips, _ = datasets.select(datasets.load("synthetic", tiny_synthetic), 2)
    config = configure(model=name)
    bank = run.make_bank(clips, config, workers=1, shown=False)
    results = loso.run(bank, config, tmp_path / "run", max_folds=2, workers=1, shown_progress=False)
    again = loso.run(bank, config, tmp_path / "again", max_folds=2, workers=1, shown_progress=False)
    assert results.predictions.equals(again.predictions)
    record = json.loads(next((tmp_path / "run" / "folds").iterdir()).read_text())
    assert 0.8 <= record["train_accuracy"] <= 1  # more features than clips
    assert record["validation_accuracy"] is None  # nobody validates where no epoch is chosen
    assert np.allclose(np.sum(record["probabilities"], axis=1), 1, atol=1e-5)


def test_two_classes_have_two_probabilities() -> None:
    images = np.random.default_rng(0).normal(size=(12, 1, 3, 4, 4)).astype(np.float32)
    fitted = classical.linear_svm().fit(images, np.arange(12) % 2)
    told = classical.class_probabilities(fitted, images)
    assert told.shape == (12, 2)
    assert (told.argmax(1) == fitted.predict(images)).all()


def test_strain_of_a_stretch_a_turn_and_a_shift() -> None:
    """U = a x is a strain of a; a shift has none; neither has a small turn, u = -w y, v = w x."""
    across, down = np.meshgrid(np.arange(8.0), np.arange(8.0))
    still = np.zeros_like(across)
    cases = {(0.2, 0.0, 0.0): 0.2, (0.0, 3.0, 0.0): 0.0, (0.0, 0.0, 0.1): 0.0}
    for (stretch, shift, turn), wanted in cases.items():
        u, v = stretch * across + shift - turn * down, turn * across
        images = np.stack([u, v, still])[None, None]
        assert classical.take_apart(images).strain == pytest.approx(wanted)


def test_bi_woof_counts_angles_by_length_and_cells_by_strain() -> None:
    rows, columns = np.mgrid[0:16, 0:16]
    u = np.where((rows < 2) & (columns < 2), 1.0 + columns, 0.0)  # to the right, in the first cell alone
    images = np.stack([u, 0 * u, u])[None, None]
    features = classical.bi_woof(images).reshape(classical.CELLS**2, classical.BINS_OF_ANGLES)
    assert features.sum() == pytest.approx(1)
    assert features[0, classical.BINS_OF_ANGLES // 2] == features.max() == pytest.approx(1)


def test_patterns_of_lbp_top_on_frames_whose_patterns_are_known() -> None:
    """Flat frames have one pattern alone; rising light changes those in time, and not those in space."""
    flat = np.full((5, lbp.SIDE, lbp.SIDE), 90, np.uint8)
    told = lbp.lbp_top(flat)
    assert told.shape == (3, lbp.BLOCKS, lbp.BLOCKS, lbp.BINS)
    assert np.allclose(told.sum(-1), 1)
    all_bright = lbp._UNIFORM[255]
    assert (told[..., all_bright] == 1).all()
    rising = flat + np.arange(5, dtype=np.uint8)[:, None, None]
    told = lbp.lbp_top(rising)
    assert (told[0, ..., all_bright] == 1).all()  # XY does not see time
    assert (told[1:, ..., all_bright] == 0).all()
    assert not lbp.lbp_top(flat[:2]).any()


def test_lbp_top_has_59_bins_and_comes_back_from_its_image() -> None:
    assert sorted(set(lbp._UNIFORM)) == list(range(lbp.BINS))
    histograms = np.random.default_rng(0).random((3, lbp.BLOCKS, lbp.BLOCKS, lbp.BINS)).astype(np.float32)
    image = lbp.as_image(histograms, 64)
    told = classical._histograms(image[None, None])
    assert np.array_equal(told, histograms.reshape(1, -1))
