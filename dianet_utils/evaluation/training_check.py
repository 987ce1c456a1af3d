"""Did the networks learn anything at all? A test of one that did not says nothing about its system."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

MARGIN = 0.10  # above chance, below which a network counts as not trained


def trained(folds: Sequence[Mapping[str, Any]], chance: float) -> dict[str, Any]:
    """What the networks of some folds name right of the very clips that trained them, without augmentation.

    Args:
        folds: Records of folds with ``subject``, ``seed``, ``train_accuracy``, ``validation_accuracy`` (None
            where nobody validates) and, of a network, ``best_epoch`` in ``history``.
        chance: The accuracy of always naming the most frequent class.

    Returns:
        ``train_accuracy`` (the mean over folds), ``train_accuracy_least``, ``untrained_folds``: those less
        than :data:`MARGIN` above chance; ``validation_accuracy`` (the mean) where somebody validates;
        ``best_epoch`` (the median of the epochs kept) of networks. Nothing where a fold does not tell its
        training accuracy, as those of old versions.

    Example:
        >>> from dianet_utils.evaluation import trained
        >>> folds = [{"subject": "s01", "seed": 0, "train_accuracy": 0.94}]
        >>> folds += [{"subject": "s02", "seed": 0, "train_accuracy": 0.26}]
        >>> trained(folds, chance=0.2)
        {'train_accuracy': 0.6, 'train_accuracy_least': 0.26, 'untrained_folds': ['s02 (seed 0)']}
    """
    if not folds or any(fold.get("train_accuracy") is None for fold in folds):
        return {}
    told = [float(fold["train_accuracy"]) for fold in folds]
    poor = [fold for fold in folds if fold["train_accuracy"] < chance + MARGIN]
    validated = [fold["validation_accuracy"] for fold in folds if fold.get("validation_accuracy") is not None]
    epochs = [fold["history"]["best_epoch"] for fold in folds if fold.get("history")]
    return {
        "train_accuracy": round(float(np.mean(told)), 6),
        "train_accuracy_least": min(told),
        "untrained_folds": [f"{fold['subject']} (seed {fold['seed']})" for fold in poor],
        **({"validation_accuracy": round(float(np.mean(validated)), 6)} if validated else {}),
        **({"best_epoch": float(np.median(epochs))} if epochs else {}),
    }


def one_answer(predictions: pd.DataFrame) -> str:
    """The class that is named in every fold whatever the clip shows; "" where a fold names two.

    ``predictions`` has the columns seed, subject, true, predicted, and ``fold`` where it is not the subject.
    Where folds differ in their one class, all are given with commas. Folds of one clip alone tell nothing.

    Example:
        >>> import pandas as pd
        >>> from dianet_utils.evaluation import one_answer
        >>> told = {"seed": 0, "subject": ["a", "a", "b"], "true": ["fear", "anger", "fear"]}
        >>> one_answer(pd.DataFrame({**told, "predicted": "fear"}))
        'fear'
        >>> one_answer(pd.DataFrame({**told, "predicted": ["fear", "anger", "fear"]}))
        ''
    """
    folds = predictions.groupby(["seed", "fold" if "fold" in predictions else "subject"])["predicted"]
    told = len(set(predictions["true"])) > 1 and folds.size().max() > 1 and folds.nunique().max() == 1
    return ", ".join(sorted(set(predictions["predicted"]))) if told else ""
