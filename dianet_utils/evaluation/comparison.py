"""Row against row: do two systems differ on the same clips, or could luck do it?

Two systems that predicted the same clips are compared in pairs, which takes the difficulty of the
clips out. McNemar's exact test counts clips and takes them as independent; the permutation test
counts subjects, because clips of one person are not. Many pairs are many chances to find something,
so Holm's correction is applied over all pairs.

With several seeds a clip's number of right predictions takes the place of right or wrong.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from dianet_utils.evaluation import bounds, draw_subjects, is_leaky, refuse_mixture
from dianet_utils.plumbing.errors import InputError

COLUMNS = (
    "first",
    "second",
    "clips",
    "subjects",
    "difference",
    "low",
    "high",
    "only_first",
    "only_second",
    "p_mcnemar",
    "p_permutation",
)

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


def compare(predictions: Mapping[str, pd.DataFrame], leaky_with_honest: bool = False) -> pd.DataFrame:
    """Every pair of systems, one row per pair, with the p-values as they are and after Holm's correction.

    ``difference`` is the accuracy of ``first`` minus that of ``second``, from -1 to 1, with ``low`` and
    ``high`` its 95 % interval by a bootstrap over subjects. ``only_first`` counts the clips that the
    first system gets right more often than the second. ``holm_mcnemar`` and ``holm_permutation`` are
    corrected over all pairs.

    Args:
        predictions: By the name of a system, its predictions (columns clip, subject, seed, true, predicted).
        leaky_with_honest: Whether leaky runs may stand beside honest ones, to measure the leak.

    Returns:
        The pairs; none for a single system. ``attrs["leaky"]`` tells whether a leaky run is among them.

    Raises:
        InputError: Where two systems did not predict the same clips and seeds, and where leaky runs stand
            beside honest ones unasked.

    Example:
        A is right on all six clips, one per subject, and B on none of them: of 2^6 ways to toss six coins,
        two are so one-sided.

        >>> import pandas as pd
        >>> from dianet_utils.evaluation.comparison import compare
        >>> right = pd.DataFrame({"clip": list("uvwxyz"), "subject": list("uvwxyz"), "seed": 0})
        >>> right = right.assign(true="disgust", predicted="disgust")
        >>> pairs = compare({"A": right, "B": right.assign(predicted="surprise")})
        >>> pairs[["difference", "only_first", "p_mcnemar", "p_permutation"]].to_dict("records")
        [{'difference': 1.0, 'only_first': 6, 'p_mcnemar': 0.03125, 'p_permutation': 0.03125}]
        >>> 2 / 2**6
        0.03125
    """
    if not leaky_with_honest:
        refuse_mixture(predictions)
    hits = clip_hits(predictions)
    rows = [
        {"first": one, "second": two, **_pair(hits[one], hits[two])} for one, two in combinations(hits, 2)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    corrected = {
        f"holm_{name}": holm(table[f"p_{name}"].to_numpy(float)) for name in ("mcnemar", "permutation")
    }
    table = table.assign(**corrected)
    table.attrs["leaky"] = any(map(is_leaky, predictions.values()))
    return table


def clip_hits(predictions: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Of each system one row per clip, sorted: its subject, the ``seeds`` that predicted it, those ``right``.

    Raises InputError where two systems did not predict the same clips as often.
    """
    hits = {name: _hits(table) for name, table in predictions.items()}
    _same_clips(hits)
    return hits


def _hits(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row per clip, sorted: its subject, the ``seeds`` that predicted it, those that were ``right``."""
    right = predictions["true"] == predictions["predicted"]
    rows = predictions.assign(right=right.astype(np.int64)).groupby("clip")
    return rows.agg(subject=("subject", "first"), right=("right", "sum"), seeds=("seed", "nunique"))


def _same_clips(hits: Mapping[str, pd.DataFrame]) -> None:
    """A paired test needs every system to have predicted the same clips, as often."""
    reference = next(iter(hits), "")
    other = [name for name in hits if not hits[name]["seeds"].equals(hits[reference]["seeds"])]
    if other:
        raise InputError(
            f"{', '.join(other)} did not predict the same clips with as many seeds as {reference}: "
            "a paired test needs rows that were run on the same folds and seeds."
        )


def _pair(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, Any]:
    """Everything about one pair of systems, from their hits."""
    gain = first["right"] - second["right"]
    subjects = pd.DataFrame({"gain": gain, "seeds": first["seeds"]}).groupby(first["subject"]).sum()
    gains, tries = subjects["gain"].to_numpy(np.int64), subjects["seeds"].to_numpy(np.int64)
    low, high = difference_interval(gains, tries)
    only_first, only_second = int((gain > 0).sum()), int((gain < 0).sum())
    return {
        "clips": len(gain),
        "subjects": len(subjects),
        "difference": float(gains.sum() / tries.sum()),
        "low": low,
        "high": high,
        "only_first": only_first,
        "only_second": only_second,
        "p_mcnemar": mcnemar(only_first, only_second),
        "p_permutation": permutation(gains),
    }


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact test: the two-sided p-value that the clips on which two systems differ split so.

    If both were as good, each such clip would fall to either side like a coin: a binomial test with
    1/2. Clips on which they agree say nothing about the difference; where there are no others, p is 1.
    """
    differing = only_first + only_second
    return float(binomtest(only_first, differing, 0.5).pvalue) if differing else 1.0


def permutation(gains: npt.ArrayLike) -> float:
    """The exact sign-flip test over subjects: the two-sided p-value of the total gain.

    ``gains`` [subject] holds whole numbers: how many predictions more the first system got right on
    each subject. If the systems were alike, their names could be exchanged for any subject, which
    flips the sign of its gain. Of all 2^S flips, p is the share whose total is at least as far from 0
    as the one seen. The totals' distribution is built up subject by subject, so none is drawn by chance.
    """
    gains = np.asarray(gains, dtype=np.int64)
    share = np.ones(1)  # of the totals -reach..reach, so far only 0
    for size in np.abs(gains):
        share = np.pad(share, (0, 2 * size)) / 2 + np.pad(share, (2 * size, 0)) / 2
    reach = len(share) // 2
    totals = np.arange(-reach, reach + 1)
    return min(1.0, float(share[np.abs(totals) >= abs(gains.sum())].sum()))


def difference_interval(
    gains: Integers, tries: Integers, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a difference in accuracy by a bootstrap over subjects.

    ``gains`` [subject] as in :func:`permutation`, ``tries`` [subject] the predictions behind them.
    """
    drawn = draw_subjects(len(gains), draws, seed)
    return bounds((drawn @ gains) / (drawn @ tries))


def holm(p_values: npt.ArrayLike) -> Reals:
    """Holm's correction: p-values [m] that can be held against one level for all m tests together.

    The smallest counts m-fold, the next (m - 1)-fold, and so on; none falls below one before it.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    stepped = given[order] * np.arange(len(given), 0, -1)
    corrected = np.empty_like(given)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return corrected
