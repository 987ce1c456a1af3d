"""Our results beside the paper's cells, each with how it is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dianet_utils import datasets, paper
from dianet_utils.config import LEAKY_MARK, defaults
from dianet_utils.datasets.provenance import selection_name
from dianet_utils.evaluation import is_leaky, refuse_mixture
from dianet_utils.run import title
from dianet_utils.tables.published_cells import published_rows
from dianet_utils.tables.rows import TABLES, TableRow
from dianet_utils.tables.running import Outcome

_COUNTS = ("clips", "folds", "parameters", "flops")
ABSENT = "not in the paper"  # the kind of a cell of a row that the paper does not have


@dataclass(frozen=True, eq=False)
class Summary:
    """A finished table: ``rows`` as :func:`summarise` makes them; ``data`` names our clips for people.

    ``synthetic`` is None where it is not known whether our clips were generated. ``apart``: the paper has no
    results on such clips, so that nothing may be compared. ``leaky``: the test subject chose the epoch in
    every row of ours, and ``data`` says so too; likewise ``split``, such as "kfold-5", where not one subject
    was left out at a time, ``sizes`` such as "224px", where images are larger or smaller than usual, and
    ``selection`` such as "megc2019", where other clips were chosen.
    """

    number: int
    caption: str
    data: str
    synthetic: bool | None
    dataset: str
    apart: bool
    rows: pd.DataFrame
    leaky: bool = False
    split: str = ""
    sizes: str = ""
    selection: str = ""

    @property
    def stem(self) -> str:
        """What the names of the table's files begin with: leaky, another split, size or selection says so."""
        parts = (LEAKY_MARK * self.leaky, self.split, self.sizes, self.selection, f"table{self.number}")
        return "-".join(part for part in parts if part)


def summarise(number: int, outcomes: Sequence[Outcome]) -> Summary:
    """One row per system, those of the paper that were not run last.

    Columns: ``system``; ours: ``status`` (a port of public code, or a reconstruction), ``accuracy low high
    chance`` in percent (pooled over folds and seeds, with a 95 % interval over subjects), ``by_seed`` (the
    accuracy of each seed, empty for one), ``train_accuracy train_accuracy_least untrained_folds`` (on the
    clips that trained, in percent: mean and least over folds; the folds near chance),
    ``validation_accuracy best_epoch`` (in percent; the median epoch that was kept), ``uf1 uar`` (0 to 1),
    ``clips folds seeds``, ``comparable`` (our clips are the paper's dataset, every subject was left out
    alone and none chose its epoch), ``parameters flops`` (of one clip), ``seconds`` (of a fold, in the
    quickest seed) and ``run`` (the folder's name). The paper's: for each licensed dataset its accuracy in
    percent (of a bound the upper end, and ``_lower`` the other one), ``_kind`` (how it is known) and
    ``_note``. What is not known stays empty. Raises InputError where leaky rows stand beside honest ones, and
    for a wrong file of the reader's cells, see :func:`~dianet_utils.tables.published_cells.published_rows`.
    """
    refuse_mixture({outcome.folder.name: outcome.predictions for outcome in outcomes})
    clips = outcomes[0].entry.bank.clips
    ours = {outcome.entry.row.key: ours_of(outcome) for outcome in outcomes}
    rows = [outcome.entry.row for outcome in outcomes]
    rows += [row for row in TABLES[number].rows if row.published and row.key not in ours]
    filled = published_rows(number)
    lines = [
        {"row": row.key, "system": row.title, **ours.get(row.key, {}), **_cells(row, filled)} for row in rows
    ]
    table = pd.DataFrame(lines).set_index("row")
    table = table.astype(dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys(_published(), "Float64"))
    return Summary(
        number,
        TABLES[number].caption,
        title(clips, outcomes[0].entry.config),
        datasets.is_synthetic(clips),
        datasets.origin(clips),
        not datasets.is_comparable(clips),
        table,
        is_leaky(outcomes[0].predictions),
        outcomes[0].entry.config.split_name,
        _sizes(outcomes),
        selection_name(clips),
    )


def _sizes(outcomes: Sequence[Outcome]) -> str:
    """Image sizes other than the dataset's default, such as "224px", so that no table replaces another's."""
    configs = [outcome.entry.config for outcome in outcomes]
    usual = [defaults(config.dataset, config.model)["image_size"] for config in configs]
    others = {c.image_size for c, size in zip(configs, usual, strict=True) if c.image_size != size}
    return "-".join(f"{size}px" for size in sorted(others))


def _published() -> list[str]:
    """The columns with the paper's numbers."""
    return [f"{name}{end}" for name in paper.DATASETS for end in ("", "_lower")]


def ours_of(outcome: Outcome) -> dict[str, Any]:
    """Our columns of :func:`summarise` for one row."""
    from dianet_utils.models import status

    metrics, clips = outcome.metrics, outcome.entry.bank.clips
    low, high = metrics["intervals"]["accuracy"]
    whole = "split" not in metrics and metrics["folds"] == clips["subject"].nunique()
    return {
        "status": status(outcome.entry.config.model),
        "accuracy": 100 * metrics["accuracy"],
        "low": 100 * low,
        "high": 100 * high,
        "chance": 100 * metrics["chance"],
        "by_seed": _by_seed(metrics["by_seed"]),
        **_trained(metrics),
        **({"one_answer": metrics["one_answer"]} if "one_answer" in metrics else {}),
        "uf1": metrics["uf1"],
        "uar": metrics["uar"],
        "clips": metrics["n"],
        "folds": metrics["folds"],
        "seeds": " ".join(map(str, metrics["seeds"])),
        "comparable": whole and datasets.is_comparable(clips) and not is_leaky(outcome.predictions),
        **outcome.entry.cost._asdict(),
        "seconds": outcome.seconds,
        "run": outcome.folder.name,
    }


def _by_seed(by_seed: Mapping[str, float]) -> str | None:
    """``71.7 76.2``; two numbers are no spread, so they stand as they are."""
    return " ".join(f"{100 * value:.1f}" for value in by_seed.values()) if len(by_seed) > 1 else None


_SHARES = ("train_accuracy", "train_accuracy_least", "validation_accuracy")


def _trained(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """How the networks were trained; nothing where the folds do not tell."""
    percent = {name: 100 * metrics[name] if name in metrics else None for name in _SHARES}
    poor = ", ".join(metrics["untrained_folds"]) if "untrained_folds" in metrics else None
    return {**percent, "best_epoch": metrics.get("best_epoch"), "untrained_folds": poor}


def _cells(row: TableRow, filled: Mapping[str, paper.Row]) -> dict[str, Any]:
    """The paper's columns of :func:`summarise` for one row; ``filled`` has the reader's cells."""
    published = filled[row.published.name] if row.published else None
    cells: dict[str, Any] = {}
    for name in paper.DATASETS:
        cell = getattr(published, name, None)
        value, kind, note = (cell.value, cell.kind, cell.note) if cell else (None, ABSENT, "")
        lower = cell.lower if cell else None
        cells |= {name: value, f"{name}_lower": lower, f"{name}_kind": kind, f"{name}_note": note}
    return cells
