"""How many people does a claim need? The power of the test over people, by simulation from real gains.

Power is the chance that a test finds a difference that is there. It depends on how often two systems disagree
and on how much people differ, so both are taken from the predictions of two systems on the same clips.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.evaluation.comparison import clip_hits
from dianet_utils.plumbing.errors import InputError

LEVEL = 0.05  # a p-value below it counts as found
WANTED = 0.8  # the power that studies usually aim at
_TIE = 1e-9  # two totals closer than this are equal

Reals = npt.NDArray[np.float64]


def person_gains(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """By how many clips the first system is ahead on each person.

    Args:
        first: Predictions of the first system (columns clip, subject, seed, true, predicted).
        second: Those of the second system on the same clips and seeds.

    Returns:
        One row per person: ``gain``, clips that the first gets right minus those of the second, means over
        seeds, and ``clips``, how many the person has.

    Raises:
        InputError: Where the two did not predict the same clips as often.

    Example:
        >>> import pandas as pd
        >>> from dianet_utils.evaluation import power
        >>> right = pd.DataFrame({"clip": list("xyz"), "subject": list("aab"), "seed": 0, "true": "fear"})
        >>> right["predicted"] = "fear"
        >>> power.person_gains(right, right.assign(predicted=["anger", "anger", "fear"])).to_dict("index")
        {'a': {'gain': 2.0, 'clips': 2}, 'b': {'gain': 0.0, 'clips': 1}}
    """
    one, two = clip_hits({"first": first, "second": second}).values()
    gain = (one["right"] - two["right"]) / one["seeds"]
    return pd.DataFrame({"gain": gain.groupby(one["subject"]).sum(), "clips": one["subject"].value_counts()})


def power(
    people: pd.DataFrame,
    points: Sequence[float],
    counts: Sequence[int],
    draws: int = 1000,
    flips: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """How often studies of so many people would find a true difference of so many points.

    Each person's gain is centred, so that the two systems are equal over all people, and the true difference
    is added to it, clip by clip. A study draws people with replacement. It is tested by sign flips over its
    people: p is the share of random flips whose total is at least as far from 0 as the study's own (Monte
    Carlo, the study itself counted in), and a p below 0.05 is a find. The spread of gains is kept as it is.
    Gains of few whole clips tie, so that any test of them is cautious: false alarms come below 5 %.

    Args:
        people: Gains and clips of each person, as :func:`person_gains` gives them.
        points: True differences in points of accuracy, -100 to 100; 0 gives the rate of false alarms.
        counts: Numbers of people in a study, each 2 or more.
        draws: Studies to draw for each number of people; the power's standard error is at most
            ``1 / sqrt(4 draws)``.
        flips: Random flips that test each study, at least 20; the same for all studies of a size.
        seed: Of the draws and flips.

    Returns:
        Shares from 0 to 1, [number of people, points].

    Raises:
        InputError: Where there are fewer than two people, or a number is out of its range.

    Example:
        Two systems that disagree on three clips of ten, one clip per person:

        >>> import pandas as pd
        >>> from dianet_utils.evaluation import power
        >>> people = pd.DataFrame({"gain": [1] * 15 + [-1] * 15 + [0] * 70, "clips": 1})
        >>> power.power(people, [10, 20], [20, 300]).round(1).to_dict("index")
        {20: {10: 0.1, 20: 0.3}, 300: {10: 0.9, 20: 1.0}}
    """
    if len(people) < 2 or min(counts) < 2 or draws < 1 or flips < 20:
        raise InputError("Power needs two people or more, in the data and in every study, and 20 flips.")
    clips: Reals = people["clips"].to_numpy(np.float64)
    gains: Reals = people["gain"].to_numpy(np.float64)
    centred = gains - gains.sum() / clips.sum() * clips
    generator = np.random.default_rng(seed)
    rows = {}
    for count in counts:
        drawn = generator.integers(len(clips), size=(draws, count))
        signs = generator.choice([-1.0, 1.0], size=(count, flips))
        rows[count] = [_found((centred + each / 100 * clips)[drawn], signs) for each in points]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(points)).rename_axis("people")


def _found(gains: Reals, signs: Reals) -> float:
    """The share of studies with p below 0.05: gains [study, person] against signs [person, flip]."""
    seen = np.abs(gains.sum(axis=1, keepdims=True))
    as_far = (np.abs(gains @ signs) >= seen - _TIE).sum(axis=1)
    return float(np.mean((1 + as_far) / (1 + signs.shape[1]) < LEVEL))


def needed(table: pd.DataFrame, wanted: float = WANTED) -> pd.Series:
    """For each difference of a table of :func:`power`, the number of people from which power is ``wanted``.

    Read off between the table's numbers by a straight line, and rounded up; NaN where the largest is too
    small, and the smallest number where that is enough already.
    """
    found = {}
    for points, column in table.items():
        risen = np.maximum.accumulate(column.to_numpy(float))  # simulated powers may dip by chance
        first = int(np.searchsorted(risen, wanted))
        if first == len(risen):
            found[points] = np.nan
            continue
        ends = slice(max(first - 1, 0), first + 1)
        found[points] = float(np.ceil(np.interp(wanted, risen[ends], table.index[ends]) - _TIE))
    return pd.Series(found, name="needed")


def claims(table: pd.DataFrame, made: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """What claims are worth: one row per claim of ``made``, which holds its points and its number of people.

    Columns ``points``, ``people``, ``power`` (0 to 1, between the numbers of people of ``table`` by a
    straight line) and ``needed``, the people for a power of 0.8. ``table`` is one of :func:`power` that has
    the points of every claim.
    """
    enough = needed(table)
    rows = {
        name: (points, people, float(np.interp(people, table.index, table[points])), enough[points])
        for name, (points, people) in made.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["points", "people", "power", "needed"])
