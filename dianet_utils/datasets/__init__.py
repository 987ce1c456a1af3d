"""From a licensed release or the generator to one tidy table of clips (see ``clips.py`` for its columns)."""

import contextlib
import os
from pathlib import Path

import pandas as pd

from dianet_utils import paper
from dianet_utils.config import CHECKS
from dianet_utils.config.checks import Place, near_match
from dianet_utils.config.own_tables import SUFFIXES, is_own_name, is_table, results_of, short_name
from dianet_utils.datasets import casme2, casme3, mmew, own_dataset, release, samm, smic
from dianet_utils.datasets.clips import EMOTIONS, PHASES, compare_counts, select
from dianet_utils.datasets.genders import add_genders
from dianet_utils.datasets.health import health, report_error
from dianet_utils.datasets.merging import combine, merge_emotions
from dianet_utils.datasets.own_dataset import table
from dianet_utils.datasets.provenance import is_comparable, is_synthetic, origin, title
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import DATA, shown

RELEASES = {each.RELEASE.name: each.RELEASE for each in (casme2, samm, mmew, smic, casme3)}
NAMES = ("synthetic", *RELEASES)

__all__ = [
    "EMOTIONS",
    "NAMES",
    "PHASES",
    "add_genders",
    "combine",
    "compare_counts",
    "health",
    "inspect",
    "is_comparable",
    "is_synthetic",
    "load",
    "merge_emotions",
    "origin",
    "own_copy",
    "results_of",
    "select",
    "short_name",
    "table",
    "title",
]


_PLACE = "DIANET_DATA"  # an environment variable: the folder with the user's copies, each under its name


def load(name: str | Path, root: str | Path | None = None, sheet: str | Path | None = None) -> pd.DataFrame:
    """The table of clips of a dataset, one row per clip.

    Args:
        name: One of :data:`NAMES`, or a .csv, .xlsx or .parquet file with a table of the user's own, see
            :func:`dianet_utils.datasets.own_dataset.load`.
        root: Of a licensed dataset, the user's copy as it was released: the folder with the sheet and the
            frames, or one of the two where several match; None looks where :func:`own_copy` says. Of the
            synthetic dataset, a folder that
            :func:`dianet_utils.synthetic.generate` made; None generates the default one.
            Of a table of the user's own, the folder to which its folders of frames are relative; None:
            that of the file.
        sheet: Of a licensed dataset, the sheet where it does not lie in the copy, or not alone.

    Returns:
        The clip table, with the columns of :mod:`dianet_utils.datasets.clips`.

    Raises:
        InputError: For everything that is missing or cannot be read, all at once.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from dianet_utils import datasets, synthetic
        >>> small = {"subjects": 3, "clips_per_emotion": 1, "size": 48, "duration": (16, 20)}
        >>> settings = synthetic.Settings(**small, emotions=("disgust", "surprise"))
        >>> with TemporaryDirectory() as folder:
        ...     clips = datasets.load("synthetic", synthetic.generate(settings, folder, 1, shown=False))
        >>> len(clips), sorted(set(clips["emotion"])), clips["subject"].nunique()
        (6, ['disgust', 'surprise'], 3)
        >>> bool((clips["onset"] < clips["apex"]).all() and (clips["apex"] < clips["offset"]).all())
        True
    """
    name = _named(str(name))
    if name not in NAMES and not is_table(name):
        raise InputError(_no_dataset(name))
    if root is not None:
        _check_path(root, "data_root")
    if sheet is not None:
        _check_sheet(sheet, name)
    if is_table(name):
        _check_path(name, "the path of your table")
        return own_dataset.load(name, root)
    if name == "synthetic":
        from dianet_utils import synthetic

        return synthetic.load(root)
    place = root if root is not None else own_copy(name)
    if place is None:
        raise InputError(
            f"{paper.TITLES[name]} is licensed and not part of this project: give the folder of your copy "
            f"as data_root, or put it at {shown(DATA / name)} or at {name} in the folder that the variable "
            f"{_PLACE} of the environment names, or use the dataset 'synthetic'."
        )
    return release.load(RELEASES[name], place, sheet)


def own_copy(name: str) -> Path | None:
    """Where the user's copy of a licensed dataset lies if nothing is said; None where it is in no such place.

    First ``$DIANET_DATA/<name>``, then ``data/<name>`` of this project.
    """
    told = os.environ.get(_PLACE)
    folders = [Path(told).expanduser() / name] if told else []
    return next((folder for folder in (*folders, DATA / name) if folder.is_dir()), None)


def _named(name: str) -> str:
    """The dataset's short name where its title is given, such as CASME-II."""
    with contextlib.suppress(ValueError):
        return str(CHECKS["dataset"](name))
    return name


def _no_dataset(name: str) -> str:
    if is_own_name(name):
        return f"'{name}' is what a table of your own is called: give its file, such as clips.csv, instead."
    known, kinds = ", ".join(NAMES), ", ".join(SUFFIXES)
    near = near_match(name, NAMES)
    return f"There is no dataset '{name}'{near}: give one of {known}, or a table of your own ({kinds})."


def _check_path(path: str | Path, what: str) -> None:
    """Refuse what the system cannot even look up, see :class:`~dianet_utils.config.checks.Place`."""
    try:
        Place()(str(path))
    except ValueError:
        raise InputError(f"There can be no file or folder {str(path)[:80]!r}: correct {what}.") from None


def _check_sheet(sheet: str | Path, name: str) -> None:
    """Refuse a sheet where none is read beside the frames, and one that there cannot be."""
    _check_path(sheet, "sheet")
    if name not in RELEASES:
        raise InputError(
            f"{sheet} was given as the sheet of {name}: only a licensed dataset has one beside its frames, "
            "so leave sheet out."
        )


def inspect(
    name: str | Path,
    root: str | Path | None = None,
    decode: bool = False,
    sheet: str | Path | None = None,
) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """A dataset's clips and its health report; no clips where loading failed, and the report says why."""
    try:
        clips = load(name, root, sheet)
    except InputError as error:
        return None, report_error(error)
    return clips, health(clips, decode)
