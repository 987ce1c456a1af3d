"""Scores from predictions, keyed by clip id: no order of rows or folds can change them.

Accuracy is Eq. 6: correct clips over all clips, pooled over the folds. UF1 and UAR weigh every class
alike: the mean over classes of F1 and of recall, from the pooled confusion matrix.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.evaluation.leaks import is_leaky

LEVEL = 0.95


def confusion_by_subject(predictions: pd.DataFrame, classes: list[str]) -> tuple[list[str], np.ndarray]:
    """The subjects in order and their confusion matrices, int [subject, true class, predicted class].

    Several seeds add up: a clip predicted by three seeds counts three times.
    """
    subjects = sorted(predictions["subject"].unique())
    counts = np.zeros((len(subjects), len(classes), len(classes)), dtype=np.int64)
    where = {name: index for index, name in enumerate(classes)}
    rows = predictions["subject"].map({name: index for index, name in enumerate(subjects)})
    np.add.at(counts, (rows, predictions["true"].map(where), predictions["predicted"].map(where)), 1)
    return subjects, counts


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Eq. 6 for confusion matrices [..., class, class]: the share of clips on the diagonal."""
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum((-2, -1))


def uf1(confusion: np.ndarray) -> np.ndarray:
    """Unweighted F1 for confusion matrices [..., class, class].

    The mean over classes of 2 TP / (true + predicted); a class neither true nor predicted anywhere
    counts as 0, as in scikit-learn with ``zero_division=0``.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    margins = confusion.sum(-1) + confusion.sum(-2)
    return (2 * hits / np.maximum(margins, 1)).mean(-1)


def uar(confusion: np.ndarray) -> np.ndarray:
    """Unweighted average recall for confusion matrices [..., class, class].

    The mean of TP / true over the classes that occur; a class without a clip has no recall.
    """
    true = confusion.sum(-1)
    recall = np.diagonal(confusion, axis1=-2, axis2=-1) / np.maximum(true, 1)
    return recall.sum(-1) / (true > 0).sum(-1)


SCORES = {"accuracy": accuracy, "uf1": uf1, "uar": uar}


def intervals(confusions: np.ndarray, draws: int = 2000, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of every score by a bootstrap over subjects.

    Clips of one subject are not independent, so whole subjects are drawn with replacement.
    ``confusions`` is [subject, class, class]. With few subjects the intervals are a little too narrow: in
    simulations about 92 in 100 held the truth with 16 subjects and 94 with 30
    (``tests/evaluation/test_coverage.py``).
    """
    samples = np.tensordot(draw_subjects(len(confusions), draws, seed), confusions, axes=1)
    return {name: bounds(score(samples)) for name, score in SCORES.items()}


def draw_subjects(count: int, draws: int = 2000, seed: int = 0) -> npt.NDArray[np.int64]:
    """How often each of ``count`` subjects is drawn, with replacement, in each draw: int [draws, count]."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)


def bounds(samples: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of bootstrapped values [draws]: its ends."""
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def metrics(predictions: pd.DataFrame, classes: list[str]) -> dict[str, Any]:
    """What ``metrics.json`` holds: scores, their intervals, chance, and what they rest on.

    ``chance`` is the accuracy of always naming the most frequent class. ``n`` counts clips; with
    several seeds the scores are pooled over them and ``by_seed`` gives the accuracy of each. ``folds`` counts
    folds, which are subjects unless the predictions have a column ``fold``; then ``subjects`` counts those.
    Scores of a leaky run say so under ``validation`` and ``leaky``; honest ones have neither.

    Args:
        predictions: One row per clip and seed, with the columns clip, subject, seed, true, predicted.
        classes: The emotions, in the order of the confusion matrix.

    Returns:
        A mapping of JSON types with the names ``accuracy uf1 uar n folds seeds classes chance intervals
        interval_method by_seed``.

    Example:
        Four clips, three of them right. The F1 of disgust is 2 * 1 / (1 + 2), that of surprise
        2 * 2 / (3 + 2); the recalls are 1 / 1 and 2 / 3.

        >>> import pandas as pd
        >>> from dianet_utils import evaluation
        >>> told = {"clip": ["a/1", "a/2", "b/1", "b/2"], "subject": ["a", "a", "b", "b"], "seed": 0}
        >>> true, predicted = ["disgust", *["surprise"] * 3], ["disgust", "disgust", *["surprise"] * 2]
        >>> predictions = pd.DataFrame({**told, "true": true, "predicted": predicted})
        >>> found = evaluation.metrics(predictions, ["disgust", "surprise"])
        >>> {name: found[name] for name in ("accuracy", "uf1", "uar", "n", "folds", "chance")}
        {'accuracy': 0.75, 'uf1': 0.733333, 'uar': 0.833333, 'n': 4, 'folds': 2, 'chance': 0.75}
    """
    _, confusions = confusion_by_subject(predictions, classes)
    pooled = confusions.sum(0)
    clips = predictions.drop_duplicates("clip")
    return {
        **{name: round(float(score(pooled)), 6) for name, score in SCORES.items()},
        "n": len(clips),
        **_counts(clips),
        "seeds": sorted(int(seed) for seed in predictions["seed"].unique()),
        "classes": classes,
        "chance": round(float(clips["true"].value_counts(normalize=True).iloc[0]), 6),
        "intervals": {k: [round(v, 6) for v in ends] for k, ends in intervals(confusions).items()},
        "interval_method": "95 % percentile bootstrap over subjects",
        "by_seed": _accuracy_by_seed(predictions),
        **(_LEAKY if is_leaky(predictions) else {}),
    }


def _counts(clips: pd.DataFrame) -> dict[str, int]:
    """How many folds tested clips [clip], and how many people those show where that is another number."""
    subjects = int(clips["subject"].nunique())
    if "fold" not in clips:
        return {"folds": subjects}
    return {"folds": int(clips["fold"].nunique()), "subjects": subjects}


_LEAKY = {
    "validation": "test_subject",
    "leaky": "the epoch was chosen by the test subject's accuracy, so every score here is too high",
}


def _accuracy_by_seed(predictions: pd.DataFrame) -> dict[str, float]:
    hits = predictions["true"] == predictions["predicted"]
    return {
        str(seed): round(float(value), 6) for seed, value in hits.groupby(predictions["seed"]).mean().items()
    }


def per_subject(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row per subject: ``clips``, ``correct`` (both summed over seeds) and ``accuracy``."""
    hits = (predictions["true"] == predictions["predicted"]).groupby(predictions["subject"])
    table = pd.DataFrame({"clips": hits.size(), "correct": hits.sum()})
    return table.assign(accuracy=table["correct"] / table["clips"])


def per_class(predictions: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """One row per class: ``clips``, ``precision``, ``recall`` and ``f1``, pooled over folds and seeds."""
    confusion = confusion_by_subject(predictions, classes)[1].sum(0)
    true, predicted, hits = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    table = {
        "clips": true,
        "precision": hits / np.maximum(predicted, 1),
        "recall": hits / np.maximum(true, 1),
        "f1": 2 * hits / np.maximum(true + predicted, 1),
    }
    return pd.DataFrame(table, index=pd.Index(classes, name="emotion"))
