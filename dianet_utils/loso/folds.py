"""Who trains, who validates and who is tested: the folds of a run, without torch.

The test subject neither trains nor validates. Who validates is drawn from a fold's own seed, so a fold is
the same whatever others run and in whichever order.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dianet_utils.config import LEAKY, LOSO
from dianet_utils.loso.splits import fold_names
from dianet_utils.plumbing.errors import InputError

HELD_OUT_SHARE = 0.15  # of the training subjects, for validation
NOBODY = "(nobody)"  # the subject that is left out where all train


@dataclass(frozen=True)
class Fold:
    """Which rows of the bank train, validate and test.

    ``subject`` is the fold's name: who is left out, or that of a fold of another split ("fold-1").
    """

    subject: str
    seed: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def fold_seed(seed: int, subject: str) -> int:
    """The random seed of a fold: it depends on the run's seed and the subject, never on the order."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{subject}".encode()).digest()[:4], "little")


def make_folds(
    clips: pd.DataFrame, validation: str, seed: int, max_folds: int | None = None, split: str = LOSO
) -> list[Fold]:
    """One fold per subject, or those of another ``split``, in the order of their names.

    Args:
        clips: A table with the column ``subject``, one row per clip.
        validation: Who chooses the epoch. With ``held_out``, about 15 % of the other subjects (at least one);
            with ``none`` all of them train and every epoch is used. The test subject is in neither. With
            ``test_subject`` all others train as well, and the test subject validates: the habit of much
            public code, kept to measure what it does.
        seed: The seed from which the subjects who validate are drawn.
        max_folds: Only the first folds; None for all.
        split: As in :func:`~dianet_utils.loso.splits.fold_names`; where it is not leave-one-subject-out, read
            "the test subject" above as all whom a fold tests.

    Returns:
        The folds; each names rows of ``clips`` by their number.

    Raises:
        InputError: For fewer than 3 subjects, and where a fold leaves fewer than two of them.

    Example:
        No subject is in two parts of a fold, and no clip is left over.

        >>> import pandas as pd
        >>> from dianet_utils import loso
        >>> clips = pd.DataFrame({"subject": list("ccaabbdd")})
        >>> folds = loso.make_folds(clips, "held_out", seed=0)
        >>> [(fold.subject, fold.test.tolist()) for fold in folds]
        [('a', [2, 3]), ('b', [4, 5]), ('c', [0, 1]), ('d', [6, 7])]
        >>> for fold in folds:
        ...     rows = (fold.train, fold.validation, fold.test)
        ...     parts = [set(clips["subject"].iloc[numbers]) for numbers in rows]
        ...     print([len(part) for part in parts], len(set.union(*parts)))
        [2, 1, 1] 4
        [2, 1, 1] 4
        [2, 1, 1] 4
        [2, 1, 1] 4
    """
    from sklearn.model_selection import LeaveOneGroupOut

    subjects = clips["subject"].to_numpy(dtype=str)
    names = fold_names(clips, split).to_numpy(dtype=str)
    _check_enough(subjects, names, split)
    folds = []
    for others, test in LeaveOneGroupOut().split(names, groups=names):
        name = str(names[test[0]])
        held = held_out_subjects(subjects[others], name, seed) if validation == "held_out" else ()
        inside = np.isin(subjects[others], held)
        validates = test if validation == LEAKY else others[inside]
        folds.append(Fold(name, seed, others[~inside], validates, test))
    return folds[:max_folds]


def _check_enough(subjects: np.ndarray, names: np.ndarray, split: str) -> None:
    """InputError where a fold leaves fewer than two subjects to train and to choose the epoch."""
    count = len(set(subjects))
    if split == LOSO and count < 3:
        raise InputError(f"Leave-one-subject-out needs at least 3 subjects; these clips have {count}.")
    if short := [name for name in np.unique(names) if len(set(subjects[names != name])) < 2]:
        raise InputError(
            f"Split {split}: outside {', '.join(short)} is one subject, and two are needed, to train and to "
            "choose the epoch: make smaller folds."
        )


def everyone_fold(clips: pd.DataFrame, validation: str, seed: int) -> Fold:
    """All subjects train but those who validate, as in :func:`make_folds`; nobody tests.

    For a model to be used on clips of other people. What it would score there is not known; the folds of
    :func:`make_folds` are the estimate.
    """
    subjects = clips["subject"].to_numpy(dtype=str)
    held = held_out_subjects(subjects, NOBODY, seed) if validation == "held_out" else ()
    inside, rows = np.isin(subjects, held), np.arange(len(subjects))
    return Fold(NOBODY, seed, rows[~inside], rows[inside], rows[:0])


def held_out_subjects(subjects: np.ndarray, left_out: str, seed: int) -> np.ndarray:
    """The training subjects that validate, :data:`HELD_OUT_SHARE` of them, drawn from the fold's own seed."""
    names = np.unique(subjects)
    count = math.ceil(HELD_OUT_SHARE * len(names))
    return np.random.default_rng(fold_seed(seed, left_out)).choice(names, count, replace=False)
