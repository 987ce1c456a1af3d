"""Results for people and for programs: printed, and written with the machine they were measured on."""

from pathlib import Path

import pandas as pd

from benchmarks.measure import Result, Scale
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.files import write_text


def processor() -> str:
    """The processor's model where Linux tells it, its number of cores, and whether it has bfloat16."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    model = names[0] if names else machine.device_name("cpu")
    return f"{model}, {machine.cores()} cores" + (", bfloat16" if machine.has_bfloat16("cpu") else "")


def as_text(result: Result, scale: Scale) -> str:
    """One benchmark as Markdown: machine, ratios, costs, notes."""
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions().items())
    paragraphs = [
        f"# Benchmark: {result.name}",
        f"{processor()}. {versions}.",
        f"Medians of at most {scale.rounds} rounds in which the contenders took turns.",
    ]
    paragraphs += [] if result.ratios.empty else [_table(result.ratios, 2)]
    paragraphs += [f"Costs of one {result.unit}:", _table(result.costs.reset_index(), 3)]
    notes = "\n".join(f"- {note}" for note in result.notes)
    return "\n\n".join([*paragraphs, notes]) + "\n"


def _table(table: pd.DataFrame, digits: int) -> str:
    """A Markdown table, numbers with so many digits, nothing for what is not known."""

    def text(value: str | float | None) -> str:
        if isinstance(value, str):
            return value
        return "" if pd.isna(value) else f"{value:.{digits}f}"

    texts = [[text(value) for value in row] for row in table.to_numpy().tolist()]
    lines = [list(table.columns), ["---"] * table.shape[1], *texts]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(result: Result, scale: Scale, folder: Path) -> None:
    """``<name>.md`` with everything, ``<name>.csv`` with the costs, ``<name>_ratios.csv`` with the ratios."""
    write_text(folder / f"{result.name}.md", as_text(result, scale))
    write_text(folder / f"{result.name}.csv", result.costs.round(4).to_csv(lineterminator="\n"))
    if not result.ratios.empty:
        ratios = result.ratios.round(4).to_csv(index=False, lineterminator="\n")
        write_text(folder / f"{result.name}_ratios.csv", ratios)
