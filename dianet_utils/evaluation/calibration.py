"""Whether a network's probabilities mean what they say.

Of the clips that it calls with a confidence of 0.8, a calibrated network gets 80 % right. Accuracy does
not see this: a network can be right often and still promise too much.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.plumbing.errors import InputError


def probabilities(predictions: pd.DataFrame, classes: list[str]) -> npt.NDArray[np.float64]:
    """The columns ``p_<class>`` in the order of ``classes``, [clip, class]; InputError where one misses."""
    columns = [f"p_{name}" for name in classes]
    if missing := [name for name in columns if name not in predictions]:
        raise InputError(f"These predictions have no column {', '.join(missing)}: give those of a run.")
    return predictions[columns].to_numpy(np.float64)


def brier_score(predictions: pd.DataFrame, classes: list[str]) -> float:
    """Brier's score over all classes: the mean over clips of ``sum_c (p_c - y_c)^2``, from 0 (best) to 2.

    ``y`` is 1 for the true class and 0 for the others. Naming each of C classes with 1/C gives 1 - 1/C.
    Brier 1950, Eq. 2; scikit-learn's ``brier_score_loss`` without ``scale_by_half``.
    """
    truth = predictions["true"].to_numpy(str)[:, None] == np.array(classes)
    return float(((probabilities(predictions, classes) - truth) ** 2).sum(1).mean())


def reliability(predictions: pd.DataFrame, classes: list[str], bins: int = 10) -> pd.DataFrame:
    """The reliability curve of the predicted class: one row for each of ``bins`` equal bins that holds clips.

    ``confidence`` is the mean probability of the predicted class in the bin, ``accuracy`` the share of
    clips that were right, ``clips`` their number (several seeds count several times).
    """
    from sklearn.calibration import calibration_curve

    confidence = probabilities(predictions, classes).max(1)
    right = (predictions["true"] == predictions["predicted"]).to_numpy()
    share, mean = calibration_curve(right, confidence, n_bins=bins)
    places = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)  # the curve's own bins
    counts = np.bincount(places, minlength=bins)
    return pd.DataFrame({"confidence": mean, "accuracy": share, "clips": counts[counts > 0]})


def calibration_error(predictions: pd.DataFrame, classes: list[str], bins: int = 10) -> float:
    """The expected calibration error: the mean over clips of ``|confidence - accuracy|`` of the clip's bin.

    From 0 (best) to 1. With few clips per bin it is too high even for a calibrated network, since no
    share of a handful of clips hits its expectation (Naeini et al. 2015; Roelofs et al. 2022).
    """
    curve = reliability(predictions, classes, bins)
    gaps = (curve["confidence"] - curve["accuracy"]).abs()
    return float(np.average(gaps, weights=curve["clips"]))
