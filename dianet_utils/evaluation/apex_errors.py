"""What an apex that is off costs: accuracy under shifted apexes, and the errors of spotting one.

A model is trained once per fold and tested under every shift (``training.train_fold`` on a bank with
``shifted`` images), so a curve over the shifts shows one model, not as many as there are shifts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dianet_utils import evaluation
from dianet_utils.evaluation.comparison import compare, holm
from dianet_utils.plumbing.errors import InputError

NEAR = 3  # frames: how close counts as found


def predictions_by_shift(
    predictions: pd.DataFrame, folds: Sequence[Mapping[str, Any]]
) -> dict[int, pd.DataFrame]:
    """A run's predictions under every shift of the apex that its bank held, by shift, 0 included.

    ``predictions`` and ``folds`` are those of its results. Each table has the columns clip, subject, seed,
    true, predicted. Raises InputError for a run that was not tested under shifts.
    """
    if not all("shifted" in fold for fold in folds):
        raise InputError("This run was tested at the annotated apex alone: make its bank with shifts.")
    base = predictions[["clip", "subject", "seed", "true", "predicted"]]
    shifts = sorted({0, *(int(shift) for fold in folds for shift in fold["shifted"])})
    return {shift: _under(base, folds, shift) if shift else base for shift in shifts}


def _under(base: pd.DataFrame, folds: Sequence[Mapping[str, Any]], shift: int) -> pd.DataFrame:
    """The predictions under one shift, in the order of ``base``."""
    predicted = {
        (fold["seed"], clip): fold["classes"][int(np.argmax(row))]
        for fold in folds
        for clip, row in zip(fold["clips"], fold["shifted"][str(shift)], strict=True)
    }
    return base.assign(predicted=[predicted[key] for key in zip(base["seed"], base["clip"], strict=True)])


def curve(predictions: Mapping[int, pd.DataFrame], classes: list[str]) -> pd.DataFrame:
    """Accuracy by shift, 0 to 1, with a 95 % interval over subjects: columns accuracy, low, high."""
    rows = {}
    for shift, table in predictions.items():
        _, confusions = evaluation.confusion_by_subject(table, classes)
        accuracy = float(evaluation.accuracy(confusions.sum(0)))
        rows[shift] = (accuracy, *evaluation.intervals(confusions)["accuracy"])
    columns = ["accuracy", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("shift")


def paired(first: Mapping[int, pd.DataFrame], second: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """First minus second at every shift that both have, on the same clips: one row per shift.

    Columns: ``difference`` in accuracy with its 95 % interval ``low``, ``high`` by a bootstrap over subjects,
    ``p`` of the sign-flip test over subjects, and ``holm``, p corrected over all these shifts.
    """
    wanted = ["difference", "low", "high", "p_permutation"]
    shifts = [shift for shift in first if shift in second]
    rows = [compare({"first": first[k], "second": second[k]})[wanted].iloc[0] for k in shifts]
    table = pd.DataFrame(rows).set_axis(shifts, axis=0).rename_axis("shift")
    table = table.rename(columns={"p_permutation": "p"})
    return table.assign(holm=holm(table["p"].to_numpy(float)))


def cost_of_shift(predictions: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Accuracy under each shift minus that at 0, as :func:`paired` tells it: one row per shift but 0.

    At 0 the difference is 0 by definition: it is no test, and so none of those that Holm corrects for.
    """
    moved = {shift: table for shift, table in predictions.items() if shift}
    return paired(moved, dict.fromkeys(moved, predictions[0]))


def truth(clips: pd.DataFrame) -> str | None:
    """The column to hold a spotted apex against: the true one of generated clips, else the annotated one.

    None where the release names no apex, so that there is nothing to hold it against.
    """
    if "true_apex" in clips:
        return "true_apex"
    return "apex" if set(clips.get("apex_source", ["sheet"])) == {"sheet"} else None


def errors(clips: pd.DataFrame, apexes: Mapping[str, pd.Series]) -> pd.DataFrame:
    """How many frames each apex is late (positive) or early: one row per clip, one column per method.

    ``apexes`` holds a column of frame numbers, one per clip, by the name of the method that gave it. Raises
    InputError for clips of which no apex is known, see :func:`truth`.
    """
    known = truth(clips)
    if known is None:
        raise InputError("No apex of these clips was annotated: an error has nothing to be measured against.")
    true = clips[known].astype(int)
    return pd.DataFrame({name: apex.loc[clips.index].astype(int) - true for name, apex in apexes.items()})


def error_summary(table: pd.DataFrame, subjects: pd.Series, draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Errors (as :func:`errors` gives them) in one row per method.

    ``mean`` of the absolute error in frames, with a 95 % interval ``low``, ``high`` by a bootstrap over
    subjects; its ``median``; the ``bias``, positive for late; ``near``, the share within 3 frames.
    """
    sizes = table.abs().groupby(subjects).agg(["sum", "count"])
    count = len(sizes)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    rows = {}
    for name in table.columns:
        means = (drawn @ sizes[name]["sum"].to_numpy()) / (drawn @ sizes[name]["count"].to_numpy())
        low, high = np.quantile(means, [(1 - evaluation.LEVEL) / 2, (1 + evaluation.LEVEL) / 2])
        size = table[name].abs()
        rows[name] = (size.mean(), low, high, size.median(), table[name].mean(), (size <= NEAR).mean())
    columns = ["mean", "low", "high", "median", "bias", "near"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")
