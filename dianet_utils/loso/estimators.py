"""One fold of a simple rival: a scikit-learn pipeline in place of a network, and the same record."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dianet_utils.config import Config
from dianet_utils.loso.fold_files import fold_marks, fold_record
from dianet_utils.models.classical import class_probabilities, estimator

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold


def fit_fold(bank: "Bank", fold: "Fold", config: Config) -> dict[str, Any]:
    """Fit on ``fold.train`` and predict ``fold.test``; returns JSON types, as ``training.train_fold`` does.

    Nothing is drawn at random and no epoch is chosen, so the fold's seed changes nothing, and its clips for
    validation, if it has any, are only looked at.
    """
    fitted = estimator(config.model).fit(bank.images[fold.train], bank.targets[fold.train])
    result = fold_record(bank, fold, class_probabilities(fitted, bank.images[fold.test]), {})
    for name, rows in (("train_accuracy", fold.train), ("validation_accuracy", fold.validation)):
        result[name] = _accuracy(fitted.predict(bank.images[rows]), bank.targets[rows]) if len(rows) else None
    if bank.shifted:
        moved = {
            shift: class_probabilities(fitted, images[fold.test]) for shift, images in bank.shifted.items()
        }
        result["shifted"] = {str(shift): numbers.round(6).tolist() for shift, numbers in moved.items()}
    return {**result, **fold_marks(config)}


def _accuracy(named: np.ndarray, targets: np.ndarray) -> float:
    return round(float((named == targets).mean()), 6)
