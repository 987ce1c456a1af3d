"""Write the pages about results from their templates, so that every number in them is that of a kept file.

    python tools/write_results.py

A template holds ``{{file; row; column; form}}``: the file below results/reference without its ending (a table
or the scores of a run), the row by its first column (``a > b``: by ``first`` and ``second``), and a format;
one that begins with % shows a share in percent. ``summary.in.md`` is a part of both pages, and ``<<people>>``
stands for all rows that were run on 130 people.
"""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils.tables import many_people

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "results" / "reference"
TEXTS = REFERENCE / "text"
PLACE = re.compile(r"\{\{(.*?)\}\}")
BLOCK = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)


def cell(name: str, row: str, column: str) -> Any:
    """One value of a kept file; LookupError where there is not exactly one."""
    if (path := REFERENCE / f"{name}.json").is_file():
        value = json.loads(path.read_text(encoding="utf-8"))
        for key in [part for part in (row, *column.split(".")) if part]:
            value = value[int(key) if isinstance(value, list) else key]
        return value
    table = pd.read_csv(REFERENCE / f"{name}.csv")
    first, _, second = row.partition(" > ")
    lines = (
        table[(table["first"] == first) & (table["second"] == second)]
        if second
        else table[table.iloc[:, 0].astype(str) == row]
    )
    if len(lines) != 1:
        raise LookupError(f"{name}.csv has {len(lines)} lines for {row!r}, not one.")
    return lines[column].iloc[0]


def render(template: str) -> str:
    """The text with every place filled."""

    def fill(match: re.Match[str]) -> str:
        name, row, column, form = (part.strip() for part in match[1].split(";"))
        value = cell(name, row, column)
        return format(100 * value, form[1:]) if form.startswith("%") else format(value, form)

    return PLACE.sub(fill, template)


def people_table() -> str:
    """Every row that was run on five datasets, with how its folds were trained."""
    scores, titles = pd.read_csv(many_people.KEPT / "scores.csv"), many_people.titles()
    each = [name for name in scores if name.startswith("dataset")]
    lines = ["| row | accuracy % | each dataset | UF1 | on its training clips % |", "|---|---|---|---|---|"]
    for _, row in scores.iterrows():
        told = ", ".join(f"{row[name]:.0f}" for name in each)
        trained = f"{row['train_accuracy']:.0f} (least {row['train_accuracy_least']:.0f})"
        accuracy = f"{row['accuracy']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        lines.append(f"| {titles[row['row']]} | {accuracy} | {told} | {row['uf1']:.3f} | {trained} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """What the two pages must say."""
    summary = render((TEXTS / "summary.in.md").read_text(encoding="utf-8"))
    page = render((TEXTS / "README.in.md").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return {
        REFERENCE / "README.md": page.replace("<<summary>>\n", summary).replace(
            "<<people>>\n", people_table()
        ),
        ROOT / "README.md": BLOCK.sub(lambda found: f"{found[1]}{summary}{found[2]}", readme),
    }


def main() -> None:
    """Write both pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
