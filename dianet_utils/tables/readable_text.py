"""A finished table for people: as a data frame of texts, and as .csv, .md and .tex files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from dianet_utils import paper
from dianet_utils.datasets.provenance import UNKNOWN
from dianet_utils.plumbing.files import write_text
from dianet_utils.tables.summary import ABSENT, Summary

_KINDS = (
    "printed: stands in the paper's text; derived: follows from differences that it prints; other source: "
    "published elsewhere, perhaps under another protocol; bound: the prose says below what, or between what, "
    "it lies; unknown: the prose does not say. Our copy of the paper has no tables. The paper is open access "
    "(arXiv 2510.12219): cells that you read there go into data/published_cells.csv and are then shown as "
    "filled by the reader."
)
_LABELS = {"reader": "filled by the reader"}  # of kinds that are called otherwise for people


def readable(summary: Summary) -> pd.DataFrame:
    """The table as texts, one row per system: ours first, then the paper's cells with their kinds."""
    apart = summary.apart or summary.leaky or summary.split
    data = f"{summary.data}, not comparable" if apart else summary.data
    rows = summary.rows
    by_seed = {"by seed": each(rows, "by_seed", str)} if rows["by_seed"].notna().any() else {}
    validated = {"on its validation clips %": each(rows, "validation_accuracy", "{:.0f}".format)}
    validated = validated if rows["validation_accuracy"].notna().any() else {}
    columns = {
        f"ours ({data}): accuracy % [95 % interval]": each(rows, "accuracy low high", accuracy_text),
        **by_seed,
        "on its training clips %": each(rows, "train_accuracy train_accuracy_least", trained_text),
        **validated,
        "epoch kept": each(rows, "best_epoch", "{:.0f}".format),
        "UF1": each(rows, "uf1", "{:.3f}".format),
        "UAR": each(rows, "uar", "{:.3f}".format),
        "parameters": each(rows, "parameters", short_text),
        "FLOPs": each(rows, "flops", short_text),
        "s per fold": each(rows, "seconds", "{:.1f}".format),
        **{f"paper, {paper.TITLES[name]} %": _published(rows, name) for name in paper.DATASETS},
    }
    systems = [
        name if pd.isna(status) else f"{name} ({status})"
        for name, status in zip(rows["system"], rows["status"], strict=True)
    ]
    return pd.DataFrame(
        columns, index=pd.Index(systems if summary.number == 1 else rows["system"], name="system")
    )


def each(rows: pd.DataFrame, names: str, form: Callable[..., str]) -> list[str]:
    """One text per row from some of its columns; ``-`` where a number is missing."""
    values = rows[names.split()].itertuples(index=False)
    return ["-" if any(pd.isna(value) for value in row) else form(*row) for row in values]


def accuracy_text(value: float, low: float, high: float) -> str:
    """``71.67 [66.7, 76.7]``."""
    return f"{value:.2f} [{low:.1f}, {high:.1f}]"


def trained_text(mean: float, least: float) -> str:
    """``88 (least 76)``: the mean over folds, and the least of them."""
    return f"{mean:.0f} (least {least:.0f})"


def short_text(count: float) -> str:
    """A count with three digits and K, M or G."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f}"


def _published(rows: pd.DataFrame, dataset: str) -> list[str]:
    cells = zip(rows[dataset], rows[f"{dataset}_lower"], rows[f"{dataset}_kind"], strict=True)
    return [cell_text(*cell) for cell in cells]


def cell_text(value: float | None, lower: float | None, kind: str) -> str:
    """A published cell with its kind: ``70.00 printed``, ``below 68.89 (bound)``, ``unknown``."""
    if kind == ABSENT or value is None or pd.isna(value):
        return kind
    return f"{bound_text(value, lower)} (bound)" if kind == "bound" else f"{value:.2f} {kind_text(kind)}"


def kind_text(kind: str) -> str:
    """How a cell is known, for people: ``printed``, ``filled by the reader``."""
    return _LABELS.get(kind, kind)


def bound_text(value: float, lower: float | None) -> str:
    """``below 68.89``, or ``56.67 to 70.00`` where the lower end is known too."""
    return f"below {value:.2f}" if pd.isna(lower) else f"{lower:.2f} to {value:.2f}"


def caption(summary: Summary) -> str:
    """One line: which table, and what our column rests on."""
    ran = summary.rows.dropna(subset="accuracy").iloc[0]
    label = f"{_remark(summary)}: our column cannot be compared with the paper's. " if summary.apart else ""
    return (
        f"Table {summary.number}. {summary.caption}. {label}Ours: {summary.data}, {ran['clips']:.0f} clips, "
        f"{ran['folds']:.0f} folds, {_seeds(ran['seeds'])}, chance {ran['chance']:.1f} %."
    )


def _remark(summary: Summary) -> str:
    """Why our clips are not those of the paper."""
    if summary.synthetic:
        return "These are synthetic clips"
    if summary.dataset == UNKNOWN:
        return "The origin of these clips is not known"
    return "The paper has no results on these clips"


def synthetic_text(synthetic: bool | None) -> bool | str:
    """What files say of clips: whether they are synthetic, or that it is not known."""
    return "unknown" if synthetic is None else synthetic


def _seeds(listed: str) -> str:
    """``seed 0``, or ``seeds 0, 1, 2 pooled``."""
    return f"seeds {listed.replace(' ', ', ')} pooled" if " " in listed else f"seed {listed}"


def notes(summary: Summary) -> list[str]:
    """What the kinds mean, then every remark on a published cell."""
    found = [_KINDS, *_untrained(summary.rows), *_one_answer(summary.rows)]
    for _, row in summary.rows.iterrows():
        for name in paper.DATASETS:
            if row[f"{name}_note"]:
                found.append(f"{row['system']}, {paper.TITLES[name]}: {row[f'{name}_note']}.")
    return found


def _untrained(rows: pd.DataFrame) -> list[str]:
    """A sentence for each row of which a fold tested a network that had not learnt its own training clips."""
    poor = rows[rows["untrained_folds"].fillna("") != ""]
    return [
        f"{row['system']}: near chance on its own training clips in {row['untrained_folds']}, so this row "
        "says little about the system."
        for _, row in poor.iterrows()
    ]


def _one_answer(rows: pd.DataFrame) -> list[str]:
    """A sentence for each row of which every fold named one class only."""
    told = rows.dropna(subset="one_answer") if "one_answer" in rows else rows.iloc[:0]
    return [
        f"{row['system']}: every fold names one class whatever the clip shows ({row['one_answer']})."
        for _, row in told.iterrows()
    ]


def write(summary: Summary, folder: str | Path) -> dict[str, Path]:
    """Write ``<stem>.csv`` (numbers, every column), ``.md`` and ``.tex`` (texts) into ``folder``."""
    numbers = summary.rows.assign(data=summary.data, synthetic=synthetic_text(summary.synthetic))
    return write_files(
        Path(folder) / summary.stem, numbers, readable(summary), caption(summary), notes(summary)
    )


def write_files(
    stem: Path, numbers: pd.DataFrame, texts: pd.DataFrame, caption: str, notes: Sequence[str]
) -> dict[str, Path]:
    """Write ``numbers`` as ``<stem>.csv``, and ``texts`` with caption and notes as ``.md`` and ``.tex``."""
    return {
        "csv": write_text(stem.with_suffix(".csv"), numbers.to_csv(lineterminator="\n", float_format="%.4f")),
        "md": write_text(stem.with_suffix(".md"), _markdown(texts, caption, notes)),
        "tex": write_text(stem.with_suffix(".tex"), _latex(texts, caption, notes, stem.name)),
    }


def _markdown(texts: pd.DataFrame, caption: str, notes: Sequence[str]) -> str:
    table = texts.reset_index()
    lines = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    remarks = "\n".join(f"- {note}" for note in notes)
    return f"**{caption}**\n\n{body}\n\n{remarks}\n"


def _latex(texts: pd.DataFrame, caption: str, notes: Sequence[str], name: str) -> str:
    """A ``table*`` for the package booktabs, with the remarks as comments above it."""
    remarks = "\n".join(f"% {note}" for note in notes)
    body = texts.reset_index().to_latex(
        index=False,
        escape=True,
        caption=caption.replace("%", r"\%"),
        label=f"tab:{name.replace('table', 'ours')}",
        column_format="l" * (texts.shape[1] + 1),
    )
    return f"{remarks}\n{body.replace('{table}', '{table*}')}"
