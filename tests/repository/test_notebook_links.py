"""A page that names a notebook by its number leads there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/reference/README.md")),
    *sorted(ROOT.glob("docs/*.md")),
]

CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
# A number after the word, also behind others that are linked: "notebooks [04](...) and 09".
UNLINKED = re.compile(r"\bnotebooks?\s+(?:LINK(?:,|\s+and|\s+to)*\s+)*\d\d?\b", re.IGNORECASE)


def unlinked(text: str) -> list[str]:
    """The places of a text, without code, that name a notebook and lead nowhere."""
    return UNLINKED.findall(LINK.sub("LINK", CODE.sub("", text)))


def misled(text: str) -> list[str]:
    """Links named after a notebook that lead to another."""
    numbered = [
        (re.fullmatch(r"(?:notebooks?\s+)?(\d\d)", name, re.IGNORECASE), to)
        for name, to in LINK.findall(text)
    ]
    places = [(found[1], to.split("#")[0].rpartition("/")[2]) for found, to in numbered if found]
    return [f"{number}: {file}" for number, file in places if not file.startswith(number)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_named_notebook_is_a_link_to_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not unlinked(text)
    assert not misled(text)


def test_a_missing_link_is_noticed() -> None:
    text = """See notebook 04, Notebook
    07, notebooks [04](04_loso.ipynb) to 08, [notebook 05](05_table1.ipynb) and `notebook 06`.
    ```sh
    cat notebook 09
    ```"""
    assert len(unlinked(text)) == 3
    assert misled("[notebook 05](../notebooks/06_table2.ipynb), [04](04_loso.ipynb#x)") == [
        "05: 06_table2.ipynb"
    ]
