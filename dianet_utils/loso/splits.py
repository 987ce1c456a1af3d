"""How clips are divided into folds: one subject each, k groups of subjects, or as a column of the table says.

A split gives every clip the name of the fold that tests it, so each clip is tested exactly once, and the same
name to all clips of a subject, so nobody is on both sides of a fold. It is a text, which the name of a run
tells: ``loso``, ``kfold:5`` or ``column:NAME``. :func:`splitter` makes one a splitter of scikit-learn, and
:func:`as_column` makes a splitter of scikit-learn a column.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dianet_utils.config import LOSO
from dianet_utils.config.checks import near_match
from dianet_utils.plumbing.errors import InputError

if TYPE_CHECKING:
    from sklearn.model_selection import PredefinedSplit

_LISTED = 8  # names in a message


def fold_names(clips: pd.DataFrame, split: str = LOSO) -> pd.Series:
    """The name of the fold that tests each clip: text [clip].

    With ``loso`` it is the clip's subject, with ``kfold:3`` "fold-1" to "fold-3", whole subjects balanced in
    clips by scikit-learn's GroupKFold, with ``column:NAME`` the clip's value in that column. InputError where
    there are fewer subjects than folds, or where the column is missing, has gaps or one value, or has
    two values for a subject.
    """
    kind, _, given = split.partition(":")
    if kind == "kfold":
        return _grouped(clips, int(given))
    if kind == "column":
        return _from_column(clips, given)
    return clips["subject"].astype(str)


def as_column(clips: pd.DataFrame, splitter: Any) -> pd.Series:
    """The folds of any scikit-learn splitter as a column, "fold-1", "fold-2" and so on: text [clip].

    ``splitter.split`` is given the emotions as ``y`` and the subjects as ``groups``. With
    ``clips["mine"] = loso.as_column(clips, StratifiedGroupKFold(5))`` before the bank is made, the split of a
    run is ``column:mine``. Raises InputError where a clip is tested twice or never, or where somebody is on
    both sides of a fold.
    """
    subjects = clips["subject"].to_numpy(dtype=str)
    tests = [test for _, test in splitter.split(np.zeros((len(clips), 1)), clips["emotion"], subjects)]
    counts = np.bincount(np.concatenate(tests), minlength=len(clips))
    if (counts != 1).any():
        raise InputError(
            f"{splitter} does not test {_listed(clips.index[counts != 1])} exactly once: give one that tests "
            "every clip in one fold."
        )
    numbers = np.empty(len(clips), dtype=int)
    for number, test in enumerate(tests, 1):
        numbers[test] = number
    width = len(str(len(tests)))
    names = pd.Series([f"fold-{number:0{width}d}" for number in numbers], clips.index, dtype=str)
    _refuse_both_sides(clips["subject"], names, str(splitter))
    return names


def splitter(clips: pd.DataFrame, split: str = LOSO) -> "PredefinedSplit":
    """The same folds as a splitter of scikit-learn, for other models on the same table.

    ``cross_val_score(model, features, clips["emotion"], cv=loso.splitter(clips, "kfold:5"))``, where
    ``features`` [clip, feature] has the rows of ``clips``. All other clips train: none is held out to choose
    an epoch. Raises InputError as :func:`fold_names`.
    """
    from sklearn.model_selection import PredefinedSplit

    return PredefinedSplit(pd.factorize(fold_names(clips, split), sort=True)[0])


def _grouped(clips: pd.DataFrame, count: int) -> pd.Series:
    """``count`` folds of whole subjects."""
    from sklearn.model_selection import GroupKFold

    subjects = clips["subject"].nunique()
    if count > subjects:
        raise InputError(
            f"Split kfold:{count} needs {count} subjects, and these clips have {subjects}: set split to "
            f"kfold:{subjects} at most, or to loso."
        )
    return as_column(clips, GroupKFold(count))


def _from_column(clips: pd.DataFrame, name: str) -> pd.Series:
    """The values of a column as the names of folds."""
    known = [str(column) for column in clips.columns]
    if name not in known:
        raise InputError(
            f"Split column:{name} needs a column '{name}'{near_match(name, known)}; the clips have "
            f"{', '.join(known)}."
        )
    empty = clips[name].isna() | (clips[name].astype(str).str.strip() == "")
    if empty.any():
        raise InputError(
            f"Split column:{name} leaves {_listed(clips.index[empty])} in no fold: fill that column there."
        )
    names = clips[name].astype(str)
    if names.nunique() < 2:
        raise InputError(f"Split column:{name} makes one fold, and two are needed: choose another column.")
    _refuse_both_sides(clips["subject"], names, f"Split column:{name}")
    return names


def _refuse_both_sides(subjects: pd.Series, names: pd.Series, what: str) -> None:
    """InputError naming the subjects whose clips would be tested in more than one fold."""
    folds = names.groupby(subjects.to_numpy(dtype=str)).nunique()
    if (folds > 1).any():
        raise InputError(
            f"{what} has {_listed(folds.index[folds > 1])} in more than one fold, so networks would be "
            "tested on people whom they know: put all clips of a subject into one fold."
        )


def _listed(names: pd.Index) -> str:
    """The first few of some names."""
    told = ", ".join(map(str, names[:_LISTED]))
    return told if len(names) <= _LISTED else f"{told} and {len(names) - _LISTED} more"
