"""From the rows of a table to their results, each in the ordinary run folder of its configuration.

What notebook 04 or another table has run already is therefore not run again, and a table that was
killed goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dianet_utils import loso
from dianet_utils.config import CHECKS, LOSO, Config, configure, own_code, results_of, system
from dianet_utils.datasets.genders import gender_numbers
from dianet_utils.loso.run_folder import Results
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import refuse_strange
from dianet_utils.run import make_bank
from dianet_utils.tables.rows import TableRow

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.models import Cost

_SECONDS_BETWEEN_LINES = 30.0
QUICK_SPLIT = "kfold:5"


@dataclass(frozen=True, eq=False)
class Entry:
    """A row that is ready to run: its configuration, its images, and what one clip costs."""

    row: TableRow
    config: Config
    bank: "Bank"
    cost: "Cost"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a row gave on the folds and seeds that were asked for.

    ``seconds`` is what a fold takes by the clock, ``cosine`` the mean over test clips of the cosine
    between the two streams' features; each is None where a fold does not tell. ``folds`` are the records of
    the folds, with their training curves.
    """

    entry: Entry
    predictions: pd.DataFrame
    metrics: dict[str, Any]
    seconds: float | None
    cosine: float | None
    folder: Path
    folds: list[dict[str, Any]]


def prepare(
    rows: Sequence[TableRow], clips: pd.DataFrame, parameters: Mapping[str, Any], workers: int = 0
) -> list[Entry]:
    """Make the images and count the cost of every row before any is trained.

    ``parameters`` are a notebook's checked parameters; a row's own settings stand above them. Synthetic clips
    are split into folds of people unless they say, see :func:`split_of`. Raises one InputError for all rows
    that cannot run, so that none fails after hours of training others.
    """
    entries, problems = [], []
    banks: dict[tuple[Any, ...], Bank] = {}  # rows that share images share them in memory too
    for row in rows:
        try:
            config = _config(row, parameters)
            if config.uses_gender:
                gender_numbers(clips)
            seen = (config.inputs, config.image_size, config.weighting, config.temporal, config.scaling)
            key = (*seen, config.apex_jitter, config.uses_gender)  # genders stay only where they are learnt
            if key not in banks:
                banks[key] = make_bank(clips, config, workers)
            entries.append(Entry(row, config, banks[key], _cost(config, banks[key])))
        except InputError as error:
            problems.append(f"{row.key}: {error}")
    if problems:
        listed = "\n".join(problems)
        raise InputError(f"These rows cannot run; mend them, or leave them out with rows=...:\n{listed}")
    return entries


def _config(row: TableRow, parameters: Mapping[str, Any]) -> Config:
    given = {name: parameters.get(name) for name in CHECKS}
    return configure(**{**given, "split": split_of(parameters), **row.settings})


def split_of(parameters: Mapping[str, Any]) -> str:
    """How the clips of many rows are split where the parameters do not say: synthetic ones by people.

    One person left out at a time, as on licensed data, would take five times as long.
    """
    quick = parameters.get("dataset", "synthetic") == "synthetic"
    return str(parameters.get("split") or (QUICK_SPLIT if quick else LOSO))


def _cost(config: Config, bank: "Bank") -> "Cost":
    """Counted on random weights, which cost as much as others and need no download."""
    if system(config.model).learner == "estimator":
        from dianet_utils.models.classical import estimator_cost

        return estimator_cost(config.model, bank.images, len(bank.classes))
    from dianet_utils.models import build_model, cost

    with machine.own_torch_state("cpu"):
        model = build_model(replace(config, pretrained="none"), len(bank.classes))
    return cost(model, bank.images.shape[1], config.image_size)


def overview(entries: Sequence[Entry]) -> pd.DataFrame:
    """One line per row: what it is made of, and the cost of one clip in millions."""
    from dianet_utils.models import status

    lines = []
    for row, config, cost in ((entry.row, entry.config, entry.cost) for entry in entries):
        lines.append(
            {
                "row": row.key,
                "model": own_code.title(config.model),
                "status": status(config.model),
                "backbone": config.backbone,
                "fusion": own_code.title(config.fusion) if len(config.inputs) > 1 else "none",
                "inputs": " + ".join(config.inputs),
                "pixels": config.image_size,
                "parameters (M)": round(cost.parameters / 1e6, 2),
                "MFLOP per clip": round(cost.flops / 1e6, 1),
            }
        )
    return pd.DataFrame(lines).set_index("row")


def folder_of(dataset: str, out: str | Path | None = None) -> Path:
    """The folder of a dataset's runs and tables: ``out`` where given (``~`` is home), else results/<dataset>.

    Raises InputError where ``out`` holds something and no run.
    """
    if not out:
        return results_of(dataset)
    folder = Path(out).expanduser()
    refuse_strange(folder, "*/config.json")
    return folder


def run_rows(
    entries: Sequence[Entry],
    folder: Path,
    seeds: Sequence[int] = (0,),
    max_folds: int | None = None,
    workers: int = 0,
    device: str = "auto",
    scheduler: str | None = None,
) -> list[Outcome]:
    """Run what is missing of every row, each in its run folder below ``folder``.

    Folds and seeds that a run folder holds beyond those asked for are left out of the outcome, so
    that all rows rest on the same clips.
    """
    outcomes = []
    for number, entry in enumerate(entries, 1):
        print(f"row {number} of {len(entries)}: {entry.row.title} ({entry.row.key})", flush=True)
        place = folder / loso.run_name(entry.bank, entry.config)
        results = loso.run(
            entry.bank,
            entry.config,
            place,
            seeds,
            max_folds,
            workers,
            device,
            every=_SECONDS_BETWEEN_LINES,
            scheduler=scheduler,
        )
        outcomes.append(_outcome(entry, results))
    return outcomes


def _outcome(entry: Entry, results: Results) -> Outcome:
    told = results.predictions, results.metrics
    seconds, cosine = _seconds(results.folds), _cosine(results.folds)
    return Outcome(entry, *told, seconds, cosine, results.folder, results.folds)


def _cosine(folds: Sequence[Mapping[str, Any]]) -> float | None:
    """The mean over all test clips; None where a fold tells no cosines."""
    told = [fold["cosine"] for fold in folds if fold.get("cosine") is not None]
    return float(np.mean(np.hstack(told))) if len(told) == len(folds) else None


def _seconds(folds: Sequence[Mapping[str, Any]]) -> float | None:
    """The median time of a fold in the quickest seed: other work of the machine can only add to a time."""
    if any(fold.get("seconds") is None for fold in folds):
        return None
    times = pd.DataFrame({name: [fold[name] for fold in folds] for name in ("seed", "seconds")})
    return float(times.groupby("seed")["seconds"].median().min())
