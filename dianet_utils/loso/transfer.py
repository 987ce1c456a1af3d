"""Train on one dataset and test on another: does what was learnt hold for other people and another camera?

Only the emotions that both datasets have can be asked for. One network per seed is trained on one dataset's
clips; where people are held out to choose the epoch, they are of *that* dataset. The other dataset's people
are only tested.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dianet_utils import datasets, loso
from dianet_utils.config import LEAKY, LOSO, Config
from dianet_utils.datasets.provenance import numbered, origin
from dianet_utils.loso.run_folder import Results, check_folder
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, write_json
from dianet_utils.plumbing.locks import alone

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold


@dataclass(frozen=True, eq=False)
class Pair:
    """The clips of two datasets with the emotions that both have, as one table.

    ``clips`` has the training dataset first; clip ids and subjects begin with the dataset's name
    ("casme2-01"), so that nobody is taken for somebody else. ``tests`` [clip] says which rows are tested.
    ``left_out`` are the clips of other emotions, with a ``reason``. ``names`` and ``titles`` are those of
    the training and of the test dataset.
    """

    clips: pd.DataFrame
    tests: np.ndarray
    left_out: pd.DataFrame
    names: tuple[str, str]
    titles: tuple[str, str]

    @property
    def name(self) -> str:
        """``casme2-to-samm``."""
        return "{}-to-{}".format(*self.names)


def pair(train: pd.DataFrame, test: pd.DataFrame) -> Pair:
    """Two tables of selected clips as one, cut to the emotions that both have.

    Where both come from a dataset of the same name, the test side is called "<name>-2". Raises InputError
    where fewer than two emotions are common, or where the two share people.
    """
    names = _names(train, test)
    titles = datasets.title(train), datasets.title(test)
    _check_apart(train, test, titles)
    common = set(train["emotion"]) & set(test["emotion"])
    if len(common) < 2:
        raise InputError(
            f"Transfer needs two emotions that both datasets have: {titles[0]} has {_listed(train)}, "
            f"{titles[1]} has {_listed(test)}; choose another pair."
        )
    if origin(train) == origin(test):
        test = numbered(test, 2)
    sides = [_side(table, name) for table, name in zip((train, test), names, strict=True)]
    lost = [_lost(table, common, other) for table, other in zip(sides, reversed(titles), strict=True)]
    kept = [table[table["emotion"].isin(common)] for table in sides]
    tests = np.repeat([False, True], [len(table) for table in kept])
    return Pair(pd.concat(kept), tests, pd.concat(lost), names, titles)


def _names(train: pd.DataFrame, test: pd.DataFrame) -> tuple[str, str]:
    first, second = (origin(table).replace(" ", "-") for table in (train, test))
    return first, second if second != first else f"{second}-2"


def _check_apart(train: pd.DataFrame, test: pd.DataFrame, titles: tuple[str, str]) -> None:
    """One InputError where people of the training dataset would be tested."""
    seeds = [json.dumps(table.attrs.get("settings", {}).get("seed")) for table in (train, test)]
    if set(train["frames"]) & set(test["frames"]) or (seeds[0] == seeds[1] != "null"):
        raise InputError(
            f"Training and test clips ({titles[0]}, {titles[1]}) are of the same people: give two datasets, "
            "or use leave-one-subject-out (notebook 04)."
        )


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(sorted(table["emotion"].unique()))


def _side(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """One dataset's clips with its name before clip ids and subjects."""
    index = pd.Index([f"{name}/{clip}" for clip in table.index], name="clip")
    return (
        table.drop(columns="gender", errors="ignore")
        .set_axis(index)
        .assign(subject=[f"{name}-{subject}" for subject in table["subject"]])
    )


def _lost(table: pd.DataFrame, common: set[str], other: str) -> pd.DataFrame:
    """The clips of emotions that the other dataset lacks, with the reason."""
    lost = table[~table["emotion"].isin(common)]
    return lost.assign(reason=[f"class {emotion} is not in {other}" for emotion in lost["emotion"]])


def fold(both: Pair, validation: str, seed: int) -> "Fold":
    """The one fold of a seed: who trains, who chooses the epoch (training people), and the test clips."""
    from dianet_utils.loso.folds import Fold

    rows, subjects = np.flatnonzero(~both.tests), both.clips["subject"].to_numpy(dtype=str)
    people = subjects[rows]
    if validation == "held_out" and len(set(people)) < 2:
        raise InputError(f"{both.titles[0]} has one subject: nobody is left to choose the epoch.")
    held = loso.held_out_subjects(people, both.names[1], seed) if validation == "held_out" else ()
    inside = np.isin(people, held)
    tests = np.flatnonzero(both.tests)
    return Fold(both.names[1], seed, rows[~inside], tests if validation == LEAKY else rows[inside], tests)


def run_folder(both: Pair, bank: "Bank", config: Config, out: str | Path | None = None) -> Path:
    """Where a transfer is kept: ``out`` when given, else results/transfer/<train>-to-<test>/<run name>."""
    return Path(out).expanduser() if out else RESULTS / "transfer" / both.name / loso.run_name(bank, config)


def run(
    both: Pair,
    bank: "Bank",
    config: Config,
    out: str | Path,
    seeds: Sequence[int] = (0,),
    workers: int = 0,
    device: str = "auto",
) -> Results:
    """Train and test once per seed; a seed that the run folder ``out`` holds is not run again.

    ``bank`` holds the images of ``both.clips``. The run folder is that of leave-one-subject-out; in
    ``metrics.json`` ``folds`` is 1, ``subjects`` counts the people tested, and ``train`` says on whom the
    network was trained. Intervals come from a bootstrap over the *test* subjects.
    """
    if config.split != LOSO:
        raise InputError(
            f"A transfer tests all clips of its test dataset: leave split out, not {config.split}."
        )
    folds = [fold(both, config.validation, seed) for seed in seeds]
    check_folder(Path(out), bank, config)  # before anything, even a lock, is put there
    with alone(out):  # until the scores are those of a transfer
        results = loso.run_folds(bank, folds, config, out, workers, device, label="transfer")
        metrics = {
            **results.metrics,
            "all_folds": 1,
            "folds": 1,
            "subjects": results.metrics["folds"],
            **_about(both),
        }
        write_json(results.folder / "metrics.json", metrics)
    return replace(results, metrics=metrics)


def _about(both: Pair) -> dict[str, Any]:
    """What a transfer's scores rest on."""
    train = both.clips[~both.tests]
    counts = {"clips": len(train), "subjects": int(train["subject"].nunique())}
    sides = {"train": {"dataset": both.names[0], **counts}, "test": {"dataset": both.names[1]}}
    return {"dataset": both.name, **sides}


def within(both: Pair, bank: "Bank") -> "Bank":
    """The test clips alone, for leave-one-subject-out inside the test dataset on the same clips."""
    return replace(bank, images=bank.images[both.tests], clips=both.clips[both.tests])


def class_counts(both: Pair) -> pd.DataFrame:
    """Clips of every emotion, one column per dataset: those used, and those left out without a partner."""
    sides = np.where(both.tests, both.names[1], both.names[0])
    used = pd.crosstab(both.clips["emotion"], sides).reindex(columns=list(both.names))
    lost = both.left_out["emotion"].value_counts().rename("left out")
    return used.join(lost, how="outer").fillna(0).astype(int).rename_axis("emotion")
