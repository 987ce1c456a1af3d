"""The gender of each subject, which one of the compared systems learns beside the emotion."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

GENDERS = ("female", "male")


def add_genders(clips: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """The clip table with a column ``gender`` from a CSV file with the columns ``subject, gender``.

    One row per subject of the table, as the dataset writes its name ("01", "006", "S03"); the gender is
    ``female`` or ``male``. Call it on the whole table, before selection. Raises InputError listing all that
    is wrong: subjects unknown, missing or twice, and genders of another name.
    """
    rows = _read(Path(path))
    problems = _problems(rows, set(clips["subject"]))
    if problems:
        raise InputError(f"{shown(path)} does not give the genders of these clips: {'; '.join(problems)}.")
    added = clips.assign(gender=clips["subject"].map(dict(zip(rows["subject"], rows["gender"], strict=True))))
    added.attrs = dict(clips.attrs)
    return added


def _read(path: Path) -> pd.DataFrame:
    """The two columns as text, without blanks around."""
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"The file of genders {shown(path)} cannot be read as CSV: {error}.") from None
    rows.columns = rows.columns.str.strip().str.lower()
    if not {"subject", "gender"} <= set(rows.columns):
        raise InputError(
            f"{shown(path)} has the columns {', '.join(rows.columns)} but needs subject and gender."
        )
    rows = rows[["subject", "gender"]].apply(lambda column: column.str.strip())
    return rows.assign(gender=rows["gender"].str.lower())


def _problems(rows: pd.DataFrame, subjects: set[str]) -> list[str]:
    """A sentence for each kind of thing that is wrong."""
    given = rows["subject"]
    found = {
        "subjects that the dataset does not have": set(given) - subjects,
        "subjects without a row": subjects - set(given),
        "subjects with more than one row": set(given[given.duplicated()]),
        "genders other than female and male": set(rows["gender"]) - set(GENDERS),
    }
    return [f"{what}: {', '.join(map(repr, sorted(names)))}" for what, names in found.items() if names]


def gender_numbers(clips: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The gender of each clip's subject as its position in :data:`GENDERS`: int64 [clip].

    Raises InputError where the table has no genders, or not for every clip.
    """
    if "gender" not in clips:
        raise InputError(
            "This system also learns the gender of the subjects, and the clips have none: give a CSV file "
            "with the columns subject, gender (female or male), one row per subject, as the parameter "
            "genders."
        )
    wrong = sorted(set(clips.loc[~clips["gender"].isin(GENDERS), "subject"]))
    if wrong:
        raise InputError(f"The gender of these subjects is neither female nor male: {', '.join(wrong)}.")
    return np.array([GENDERS.index(gender) for gender in clips["gender"]], np.int64)
