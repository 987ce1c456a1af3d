"""Write what pages say of results from templates, so that every number in them is that of a kept file.

    python tools/write_results.py

A template holds ``{{file; row; column; form}}``: the file below results/reference without its ending (a
table or the scores of a run), the row by its first column (``a > b``: by ``first`` and ``second``), and a
format: with a % before it a share is shown in percent, with a - the negative. ``<<name>>`` stands for a
part: a template of that name, all rows that were run on 130 people, or those beside the earlier release.
README, CHANGELOG and docs/leaderboard.md repeat parts between marks. The pages of single datasets are
written whole (tools/published_pages.py).
"""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import published_pages

from dianet_utils import evaluation, paper
from dianet_utils.tables import many_people, pretraining

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "results" / "reference"
TEXTS = REFERENCE / "text"
README, CHANGELOG = ROOT / "README.md", ROOT / "CHANGELOG.md"
BOARD, LEADERBOARD = REFERENCE / "leaderboard", ROOT / "docs" / "leaderboard.md"
PLACE = re.compile(r"\{\{(.*?)\}\}")


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
        sign = -1 if form.startswith("-") else 1
        form = form.removeprefix("-")
        scale = sign * (100 if form.startswith("%") else 1)
        return format(scale * cell(name, row, column), form.removeprefix("%"))

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


def single_tables() -> str:
    """Tables 1 to 4 on the default dataset, every row that was run."""
    lines = []
    for number in (1, 2, 3, 4):
        table = pd.read_csv(REFERENCE / "tables" / f"kfold-5-table{number}.csv").dropna(subset="accuracy")
        lines += [f"| Table {number} | accuracy [95 % interval] | on its training clips % |", "|---|---|---|"]
        for _, row in table.iterrows():
            name = f"{row['system']} ({row['status']})" if number == 1 else row["system"]
            poor = (
                f"; not trained: {row['untrained_folds']}" if isinstance(row["untrained_folds"], str) else ""
            )
            trained = f"{row['train_accuracy']:.0f} (least {row['train_accuracy_least']:.0f}){poor}"
            lines.append(
                f"| {name} | {row['accuracy']:.1f} % [{row['low']:.1f}, {row['high']:.1f}] | {trained} |"
            )
        lines.append("")
    return "\n".join(lines) + "\n"


def backbones_table() -> str:
    """The paper's networks at 112 px on the default dataset, those that were run so far."""
    table = pd.read_csv(REFERENCE / "tables" / "kfold-5-112px-table2.csv").dropna(subset="accuracy")
    lines = [
        "| backbone | accuracy % | UF1 | on its training clips % | weights | GFLOP | s per fold |",
        "|---|---|---|---|---|---|---|",
    ]
    for _, row in table.iterrows():
        accuracy = f"{row['accuracy']:.1f} % [{row['low']:.1f}, {row['high']:.1f}]"
        trained = f"{row['train_accuracy']:.0f} (least {row['train_accuracy_least']:.0f})"
        cost = f"{row['parameters'] / 1e6:.1f} M | {row['flops'] / 1e9:.2f} | {row['seconds']:.0f}"
        lines.append(f"| `{row['system']}` | {accuracy} | {row['uf1']:.3f} | {trained} | {cost} |")
    return "\n".join(lines) + "\n"


def pretrained_table() -> str:
    """The rows with ImageNet weights and without that are kept so far, and the contrasts among them."""
    scores, titles = pd.read_csv(pretraining.KEPT / "scores.csv"), {r.key: r.title for r in pretraining.ROWS}
    lines = ["| row | accuracy % | UF1 | on its training clips % |", "|---|---|---|---|"]
    for _, row in scores.iterrows():
        accuracy = f"{row['accuracy']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        trained = f"{row['train_accuracy']:.0f} (least {row['train_accuracy_least']:.0f})"
        lines.append(f"| {titles[row['row']]} | {accuracy} | {row['uf1']:.3f} | {trained} |")
    lines += ["", "| named in advance | points | p (Holm) |", "|---|---|---|"]
    for _, pair in pd.read_csv(pretraining.KEPT / "contrasts.csv").iterrows():
        gain = f"{pair['gain']:+.1f} [{pair['low']:+.1f}, {pair['high']:+.1f}]"
        names = f"{titles[pair['first']]} minus {titles[pair['second']]}"
        lines.append(f"| {names} | {gain} | {pair['p']:.4f} ({pair['holm']:.4f}) |")
    return "\n".join(lines) + "\n"


def changes_table() -> str:
    """Rows of the earlier release beside those of now."""
    now, titles = pd.read_csv(many_people.KEPT / "scores.csv", index_col="row"), many_people.titles()
    before = pd.read_csv(many_people.KEPT / "version_1.csv", index_col="row")
    lines = ["| row | earlier: 16 people, chance 20 % | now: 130 people, chance 40 % |", "|---|---|---|"]
    for row in [each for each in now.index if each in before.index]:
        told = (
            f"{t.loc[row, 'accuracy']:.1f} [{t.loc[row, 'low']:.1f}, {t.loc[row, 'high']:.1f}]"
            for t in (before, now)
        )
        lines.append(f"| {titles[row]} | {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


def readings_table() -> str:
    """Every reading beside the default, and which of them differ."""
    table = pd.read_csv(REFERENCE / "tables" / "readings.csv").dropna(subset="gain")
    differ = ", ".join(table.loc[table["holm"] < 0.05, "row"]) or "none"
    lines = [
        f"{len(table)} interpretations were tested. These differ after Holm's correction over all: {differ}.",
        "",
    ]
    lines += [
        "| question | interpretation | accuracy % | against the default, points | p (Holm) |",
        "|---|---|---|---|---|",
    ]
    for _, row in table.iterrows():
        gain = f"{row['gain']:+.1f} [{row['gain_low']:+.1f}, {row['gain_high']:+.1f}]"
        tested = f"{row['accuracy']:.1f} | {gain} | {row['p']:.3f} ({row['holm']:.3f})"
        lines.append(f"| {row['asks']} | {row['reading']} | {tested} |")
    return "\n".join(lines) + "\n"


def board_table() -> str:
    """The board of results: rows on recorded clips first, those of one protocol together, by UF1."""
    lines = [
        "| system | settings | dataset | protocol | people, clips | seeds | UF1 | UAR | accuracy | answers |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    board = pd.read_csv(BOARD / "results.csv", keep_default_na=False).sort_values(
        ["kind", "dataset", "protocol", "uf1"], ascending=[True, True, False, False], kind="stable"
    )
    for _, row in board.iterrows():
        dataset = row["kind"] if row["dataset"] == "synthetic" else f"{row['dataset']} ({row['kind']})"
        scores = (f"{row[s]:.3f} [{row[f'{s}_low']:.3f}, {row[f'{s}_high']:.3f}]" for s in evaluation.SCORES)
        accuracy, uf1, uar = scores
        told = [row["system"], row["settings"] or "defaults", dataset, f"`{row['protocol']}`"]
        told += [f"{row['people']}, {row['clips']}", str(row["seeds"]), f"**{uf1}**", uar, accuracy]
        link = f"../results/reference/leaderboard/{row['predictions']}"
        lines.append(f"| {' | '.join(told)} | [csv]({link}) |")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """What these pages must say."""
    parts = {path.stem: render(path.read_text(encoding="utf-8")) for path in TEXTS.glob("*.in")}
    parts |= {
        "tables": single_tables(),
        "people": people_table(),
        "backbones": backbones_table(),
        "pretrained": pretrained_table(),
        "changes": changes_table(),
        "readings": readings_table(),
        "board": board_table(),
    }
    page = parts.pop("README")
    for name, part in parts.items():
        page = page.replace(f"<<{name}>>\n", part)
    texts = {
        path: _marked(path.read_text(encoding="utf-8"), parts) for path in (README, CHANGELOG, LEADERBOARD)
    }
    datasets = {ROOT / "docs" / f"{name}.md": published_pages.page(name) for name in paper.DATASETS}
    return {REFERENCE / "README.md": page, **texts, **datasets}


def _marked(text: str, parts: dict[str, str]) -> str:
    """A page with the parts between its marks written anew."""
    for name, part in parts.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text = marked.sub(lambda found, part=part: f"{found[1]}{part}{found[2]}", text)
    return text


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
