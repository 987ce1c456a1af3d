"""What does a classifier without any skill score, when the best test epoch of many is kept?

It guesses anew in every epoch, so the number of right clips of a subject is a sum of coin tosses, and the
best of E epochs is the largest of E such sums. Both have exact distributions; no simulation is needed.
Real epochs resemble each other, so a real network gains less: this is an *upper bound* of what the habit
alone can give to a network that has learnt nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom

Reals = npt.NDArray[np.float64]


def even_structure(classes: Mapping[str, int], subjects: int) -> pd.DataFrame:
    """Class counts dealt to subjects as evenly as cards: whole numbers, [subject, class].

    A stand-in where the counts of each subject are not at hand. Real subjects differ in their number of
    clips; the bound for uneven subjects came out lower in all of 200 random divisions of CASME-II's counts.
    """
    labels = np.repeat(np.arange(len(classes)), list(classes.values()))
    table = np.zeros((subjects, len(classes)), dtype=np.int64)
    np.add.at(table, (np.arange(len(labels)) % subjects, labels), 1)
    index = pd.Index(range(1, subjects + 1), name="subject")
    return pd.DataFrame(table, index=index, columns=list(classes))


def structure(clips: pd.DataFrame) -> pd.DataFrame:
    """How many clips of each emotion each subject has, from a clip table: whole numbers, [subject, class]."""
    return pd.crosstab(clips["subject"], clips["emotion"])


def guesses(counts: pd.DataFrame, kind: str) -> Reals:
    """How often the classifier names each class: ``uniform``, or as often as it occurs (``prior``)."""
    if kind == "uniform":
        return np.full(counts.shape[1], 1 / counts.shape[1])
    totals = counts.sum().to_numpy(np.float64)
    return totals / totals.sum()


def hits(counts: Sequence[int], guess: Reals) -> Reals:
    """The distribution of the number of right guesses on one subject: probabilities of 0..n.

    ``counts`` [class] are the subject's clips. Each clip of class c is right with probability ``guess[c]``.
    """
    distribution = np.ones(1)
    for count, share in zip(counts, guess, strict=True):
        distribution = np.convolve(distribution, binom.pmf(np.arange(count + 1), count, share))
    return distribution


def expected_best(distribution: Reals, epochs: int) -> float:
    """The expected largest of ``epochs`` independent draws from a distribution over 0..n.

    ``E[max] = sum_k (1 - F(k)^E)`` over k = 0..n-1, with F the distribution function.
    """
    below = np.cumsum(distribution)[:-1]
    return float((1 - np.minimum(below, 1.0) ** epochs).sum())


def best_accuracy(counts: pd.DataFrame, epochs: int = 50, kind: str = "prior") -> float:
    """The expected pooled accuracy (Eq. 6) when every fold keeps its best of ``epochs`` test epochs.

    ``counts`` is [subject, class]. ``epochs=1`` gives what the classifier is worth; ``kind`` as in
    :func:`guesses`.
    """
    guess = guesses(counts, kind)
    best = [expected_best(hits(row, guess), epochs) for row in counts.to_numpy().tolist()]
    return sum(best) / int(counts.to_numpy().sum())


def bounds_by_epochs(
    structures: Mapping[str, pd.DataFrame], epochs: Sequence[int], kind: str = "prior"
) -> pd.DataFrame:
    """:func:`best_accuracy` for each dataset (column) and number of epochs (row)."""
    columns = {name: [best_accuracy(t, e, kind) for e in epochs] for name, t in structures.items()}
    return pd.DataFrame(columns, index=pd.Index(list(epochs), name="epochs"))
