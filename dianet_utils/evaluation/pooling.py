"""The same predictions pooled in two ways, and over several seeds.

Pooled scores, the default, are computed once from the clips of all folds. Means over folds compute a
score in every fold and average: each *subject* then weighs the same, however few clips it has. With few
clips per fold, most folds lack some class, and the rule for such a class decides the mean; ours stands in
:func:`by_fold`. The two can differ by many points, so a number without its pooling says little.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.evaluation.scores import SCORES, accuracy, bounds, confusion_by_subject, draw_subjects, uar


def by_fold(predictions: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """One row per fold, index ``seed`` and ``subject``: its ``clips``, number of true ``emotions``, scores.

    A fold is a subject's, also where the predictions come from another split than leave-one-subject-out.
    Classes that a fold lacks are passed over: ``uf1`` is the mean of F1 over the classes that occur in the
    fold, true or predicted, as scikit-learn's macro average has it, and ``uar`` the mean of recall over the
    true ones. So a fold with one clip, or with clips of one class, still scores from 0 to 1, but all from
    very little: one clip makes every score 0 or 1. To count an absent class as 0 instead, average
    :func:`~dianet_utils.evaluation.uf1` over :func:`~dianet_utils.evaluation.confusion_by_subject`.
    """
    tables = []
    for seed, rows in predictions.groupby("seed"):
        subjects, confusions = confusion_by_subject(rows, classes)
        scores = {"accuracy": accuracy(confusions), "uf1": _occurring_f1(confusions), "uar": uar(confusions)}
        counts = {"clips": confusions.sum((1, 2)), "emotions": (confusions.sum(2) > 0).sum(1)}
        index = pd.MultiIndex.from_product([[seed], subjects], names=["seed", "subject"])
        tables.append(pd.DataFrame({**counts, **scores}, index=index))
    return pd.concat(tables)


def _occurring_f1(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The mean of F1 over the classes that occur, for confusion matrices [..., class, class]."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    margins = confusion.sum(-1) + confusion.sum(-2)
    return (2 * hits / np.maximum(margins, 1)).sum(-1) / (margins > 0).sum(-1)


def poolings(predictions: pd.DataFrame, classes: list[str], draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Both ways beside each other: six rows of ``pooling``, ``score``, ``value``, ``low`` and ``high``.

    ``pooling`` is ``pooled`` or ``mean over folds``. Both intervals (95 %) come from the same bootstrap
    over subjects. Several seeds are pooled, and averaged over, with the folds.
    """
    _, confusions = confusion_by_subject(predictions, classes)
    drawn = draw_subjects(len(confusions), draws, seed)
    samples = np.tensordot(drawn, confusions, axes=1)
    folds = by_fold(predictions, classes).groupby("subject")[list(SCORES)]
    sums, counts = folds.sum(), folds.size().to_numpy()
    rows = []
    for name, score in SCORES.items():
        total = sums[name].to_numpy()
        means = (drawn @ total) / (drawn @ counts)
        rows.append(("pooled", name, float(score(confusions.sum(0))), *bounds(score(samples))))
        rows.append(("mean over folds", name, float(total.sum() / counts.sum()), *bounds(means)))
    table = pd.DataFrame(rows, columns=["pooling", "score", "value", "low", "high"])
    return table.sort_values("pooling", ascending=False, kind="stable", ignore_index=True)


def by_seed(predictions: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """One row per seed: its ``clips`` and its pooled ``accuracy``, ``uf1`` and ``uar``."""
    rows = {}
    for seed, table in predictions.groupby("seed"):
        confusion = confusion_by_subject(table, classes)[1].sum(0)
        rows[seed] = {
            "clips": len(table),
            **{name: float(score(confusion)) for name, score in SCORES.items()},
        }
    return pd.DataFrame(rows).T.rename_axis("seed").astype({"clips": int})


def over_seeds(predictions: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """One row per score: ``mean`` over the seeds, ``sd`` (n - 1; NaN for one seed), ``least`` and ``most``.

    The spread over seeds is the luck of the training alone: the clips are the same for all seeds. How a
    result would move on other people is what the interval over subjects tells.
    """
    seeds = by_seed(predictions, classes)[list(SCORES)]
    columns = {"mean": seeds.mean(), "sd": seeds.std(), "least": seeds.min(), "most": seeds.max()}
    return pd.DataFrame(columns).rename_axis("score").assign(seeds=len(seeds))
