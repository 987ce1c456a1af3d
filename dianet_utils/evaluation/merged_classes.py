"""Three coarse classes, and several datasets as one: the comparison that MEGC 2019 made common."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dianet_utils.datasets.merging import GROUPS, group_of
from dianet_utils.evaluation.calibration import probabilities
from dianet_utils.evaluation.leaks import refuse_mixture
from dianet_utils.plumbing.errors import InputError


def merge_predictions(predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions of emotions as predictions of negative, positive and surprise; and those left out.

    Probabilities of a group's emotions add up; what was given to ``others``, which belongs to no group, is
    shared out in proportion (in thirds where nothing else was given), and the likeliest group is the one
    predicted. Left out are the clips whose true emotion is ``others``. A network trained on the three
    groups may do better or worse: for that, merge the clips (:func:`dianet_utils.datasets.merge_emotions`).
    """
    emotions = [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_")]
    groups = {name: group_of(name) for name in {*emotions, *predictions["true"]}}
    given = probabilities(predictions, emotions)
    sums = np.stack([given[:, [groups[e] == group for e in emotions]].sum(1) for group in GROUPS], axis=1)
    total = sums.sum(1, keepdims=True)
    shares = np.where(total > 0, sums / np.where(total > 0, total, 1), 1 / len(GROUPS))
    merged = predictions.drop(columns=[f"p_{name}" for name in emotions]).assign(
        true=predictions["true"].map(groups), predicted=np.array(GROUPS)[shares.argmax(1)]
    )
    merged[[f"p_{group}" for group in GROUPS]] = shares
    kept = merged["true"].notna()
    return merged[kept].reset_index(drop=True), predictions[~kept].reset_index(drop=True)


def composite(runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Predictions of several datasets as one table, for scores pooled over all of them.

    ``runs`` maps a dataset's name to its predictions. Clips and subjects are keyed by dataset
    ("samm:006"), so that subject 06 of one dataset and 06 of another stay two folds; the column
    ``dataset`` keeps the name. Raises InputError where the classes differ, or leaky runs meet honest ones.
    """
    refuse_mixture(runs)
    classes = {name: sorted(table.filter(regex="^p_").columns) for name, table in runs.items()}
    if len({tuple(columns) for columns in classes.values()}) > 1:
        told = "; ".join(f"{name}: {', '.join(c[2:] for c in columns)}" for name, columns in classes.items())
        raise InputError(f"A composite needs the same classes in every dataset: merge them first ({told}).")
    keyed = [
        table.assign(
            dataset=name, clip=f"{name}:" + table["clip"], subject=f"{name}:" + table["subject"].astype(str)
        )
        for name, table in runs.items()
    ]
    return pd.concat(keyed, ignore_index=True).sort_values(["seed", "clip"], ignore_index=True)
