"""One page for each dataset of the paper: which clips, what is printed on it, and the source of each number.

tools/write_results.py writes them; all they say is in dianet_utils/paper.py.
"""

from collections.abc import Iterator

from dianet_utils import paper
from dianet_utils.evaluation import granularity
from dianet_utils.tables.readable_text import cell_text

TABLES = {
    "Table 1: systems": paper.TABLE_1,
    "Table 2: backbones": paper.TABLE_2,
    "Table 3: how the streams meet": paper.TABLE_3,
    "Table 4: phases": paper.TABLE_4,
}
SECTIONS = {"casme2": "casme-ii", "samm": "samm", "mmew": "mmew"}  # of docs/datasets.md

_PAGE = """# {title}: what is printed

What the DIANet paper and others report on {title}, and the source of each number. Nothing here was measured
by us: the dataset is licensed. [Get your copy](datasets.md#{section}), and then run:

```sh
dianet 01 -p dataset {name} -p data_root FOLDER    # is the copy sound, and does it give these clips?
dianet 04 -p dataset {name} -p data_root FOLDER    # DIANet, one person left out at a time
dianet 05 -p dataset {name} -p data_root FOLDER    # Table 1; 06, 07 and 08 make the others
dianet submit {name}/RUN                           # adds its row to the leaderboard
```

## Which clips

{clips}

## What the tables say

*printed*: in the paper's text; *derived*: follows from differences that the paper prints; *other source*:
published elsewhere, often with other clips or classes; *bound*: the prose says only below what, or between
what, the number lies. Our copy of the paper has no tables: [whoever has
them](methods.md#cells-that-our-copy-of-the-paper-lacks) can fill in the cells. The column of correct clips
has the number out of {count} that gives the accuracy, if there is one.

{tables}

For results with predictions, on this dataset and others, see the [leaderboard](leaderboard.md).
"""


def page(name: str) -> str:
    """The page of a dataset of the paper, as Markdown."""
    told = {"title": paper.TITLES[name], "name": name, "section": SECTIONS[name]}
    tables = "\n\n".join("\n".join(_table(title, rows, name)) for title, rows in TABLES.items())
    return _PAGE.format(**told, clips=_clips(name), count=paper.EXPECTED[name]["clips"], tables=tables)


def _clips(name: str) -> str:
    """The clips that must be left after selection, with the classes where they are known."""
    expected = paper.EXPECTED[name]
    text = f"DIANet's printed accuracies are shares of {expected['clips']} clips"
    text += f", of {expected['subjects']} people. " if "subjects" in expected else ". "
    classes: dict[str, int] = expected["classes"]
    if not classes:
        return text + "Our copy of the paper does not say how they are distributed over classes and people."
    largest = max(classes.values())
    counts = ", ".join(f"*{emotion}* {count}" for emotion, count in classes.items())
    share = 100 * largest / expected["clips"]
    return f"{text}By class: {counts}. Always naming the largest class has an accuracy of {share:.1f} %."


def _table(title: str, rows: tuple[paper.Row, ...], name: str) -> Iterator[str]:
    """One table of the paper, as far as it is about this dataset."""
    yield from (f"### {title}", "", "| system | accuracy % | correct clips | note |", "|---|---|---|---|")
    for row in rows:
        cell: paper.Cell = getattr(row, name)
        shown = cell_text(cell.value, cell.lower, cell.kind)
        yield f"| {row.name} | {shown} | {_right(cell, paper.EXPECTED[name]['clips'])} | {cell.note} |"


def _right(cell: paper.Cell, count: int) -> str:
    """How many clips of ``count`` an accuracy is, or that it is no share of them."""
    if cell.value is None or cell.kind not in ("printed", "derived"):
        return ""
    right = round(cell.value * count / 100)
    return f"{right} of {count}" if granularity.possible(cell.value, count) else f"no share of {count}"
