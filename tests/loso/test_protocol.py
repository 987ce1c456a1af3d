"""A test of the protocol itself: where there is nothing to learn, only the leaky policy finds something."""

import warnings

import pandas as pd
import pytest

from dianet_utils import datasets, evaluation, loso, run, synthetic
from dianet_utils.config import LEAKY, configure
from dianet_utils.evaluation import comparison
from dianet_utils.plumbing.errors import LeakyWarning

# Labels are shuffled within each subject, so that no image tells anything about its label.
NO_SIGNAL = synthetic.Settings(
    subjects=12,
    clips_per_emotion=2,
    emotions=("disgust", "happiness", "surprise"),
    size=64,
    duration=(16, 24),
    permute_labels=True,
)
# A network without BatchNorm: its predictions move from the first step on, as they must to be chosen from.
SETTINGS = {
    "backbone": "test_convnext",
    "inputs": "onset",
    "image_size": 32,
    "epochs": 20,
    "batch_size": 128,
    "schedule": "constant",
    "hidden": 16,
    "dropout": 0.0,
    "label_smoothing": 0.0,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("no_signal")
    clips = datasets.load(
        "synthetic", synthetic.generate(NO_SIGNAL, folder / "clips", workers=1, shown=False)
    )
    kept, _ = datasets.select(clips)
    found = {}
    for validation in ("held_out", LEAKY):
        config = configure(**SETTINGS, validation=validation)
        bank = run.make_bank(kept, config, workers=1, shown=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakyWarning)
            place = run.run_folder(bank, config, str(folder / "run" / validation))
            results = loso.run(bank, config, place, workers=1, device="cpu", shown_progress=False)
        found[validation] = results.predictions
    return found


def test_without_signal_only_the_leaky_run_beats_chance(runs: dict[str, pd.DataFrame]) -> None:
    """Over four draws of people and labels (seeds 0 to 3) the leaky run was 15 to 33 points higher.

    The honest interval held chance in all four; p of the paired test lay between .0005 and .008.
    """
    classes = list(NO_SIGNAL.emotions)
    scores = {name: evaluation.metrics(table, classes) for name, table in runs.items()}
    chance = 1 / len(classes)
    low, high = scores["held_out"]["intervals"]["accuracy"]
    assert low <= chance <= high
    assert scores[LEAKY]["intervals"]["accuracy"][0] > chance + 0.05
    (pair,) = comparison.compare(runs, leaky_with_honest=True).to_dict("records")
    assert (pair["first"], pair["second"]) == ("held_out", LEAKY)
    assert -pair["difference"] > 0.15
    assert -pair["high"] > 0.05
    assert pair["p_permutation"] < 0.01
