"""From predictions, keyed by clip id, to what may be said about them.

``scores`` are accuracy, UF1 and UAR with intervals over subjects; ``comparison`` tests system against
system; ``pooling`` sets means over folds and over seeds beside the scores; ``calibration`` asks what the
probabilities are worth; ``merged_classes`` makes three classes and composites of several datasets; ``leaks``
keeps leaky runs apart from honest ones; ``zero_skill`` and ``granularity`` say what luck gives and which
numbers of clips a printed accuracy allows; ``apex_errors`` what an apex that is off costs; ``power``
how many people a claim needs; ``training_check`` which folds tested a network that had learnt nothing.
"""

from dianet_utils.evaluation.calibration import brier_score, calibration_error, probabilities, reliability
from dianet_utils.evaluation.leaks import is_leaky, refuse_mixture
from dianet_utils.evaluation.merged_classes import composite, merge_predictions
from dianet_utils.evaluation.pooling import by_fold, by_seed, over_seeds, poolings
from dianet_utils.evaluation.scores import (
    LEVEL,
    SCORES,
    accuracy,
    bounds,
    confusion_by_subject,
    draw_subjects,
    intervals,
    metrics,
    per_class,
    per_subject,
    uar,
    uf1,
)
from dianet_utils.evaluation.training_check import one_answer, trained

__all__ = [
    "LEVEL",
    "SCORES",
    "accuracy",
    "bounds",
    "brier_score",
    "by_fold",
    "by_seed",
    "calibration_error",
    "composite",
    "confusion_by_subject",
    "draw_subjects",
    "intervals",
    "is_leaky",
    "merge_predictions",
    "metrics",
    "one_answer",
    "over_seeds",
    "per_class",
    "per_subject",
    "poolings",
    "probabilities",
    "refuse_mixture",
    "reliability",
    "trained",
    "uar",
    "uf1",
]
