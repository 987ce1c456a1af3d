"""The pages that people read: every relative link leads to a file, and the site leaves no notebook out.

Whether headings, equations and terms resolve as well is for `make site`, which fails on any warning.
"""

import re
import runpy
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/[0-9]*.ipynb"))
SITE = runpy.run_path(str(ROOT / "docs/conf.py"))
PAGES = [path for pattern in SITE["include_patterns"] for path in sorted(ROOT.glob(pattern))]
TEXTS = [path for path in PAGES if path.suffix in (".md", ".ipynb")]

LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\"")


def markdown(path: Path) -> str:
    """The text of a page, or of a notebook's markdown cells, without code, where brackets mean no link."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def broken(text: str, folder: Path) -> list[str]:
    """The relative links of a text in ``folder`` that lead to no file inside the repository."""
    links = [first or second for first, second in LINK.findall(text)]
    relative = [link for link in links if not re.match(r"[a-z]+:|#", link)]
    places = {link: (folder / link.split("#")[0]).resolve() for link in relative}
    return [link for link, place in places.items() if not (place.is_file() and place.is_relative_to(ROOT))]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    """To a file, not to a folder: a folder has no page on the site."""
    assert not broken(markdown(path), path.parent)


def test_a_broken_link_is_noticed() -> None:
    text = """[here](README.md#two-commands) [gone](gone.md) [folder](notebooks) [far](https://example.org/x)
    ![x](gone.png "a title") <img width="3" src="gone.svg"> [outside](../outside) [top](#top)"""
    assert broken(text, ROOT) == ["gone.md", "notebooks", "gone.png", "gone.svg", "../outside"]


def test_the_contents_of_the_site_name_every_page() -> None:
    lines = [line.strip() for line in SITE["CONTENTS"].splitlines()]
    entries = [re.sub(r".*<(.*)>", r"\1", line) for line in lines if line and not line.startswith((":", "`"))]
    named = {path for entry in entries for path in ROOT.glob(f"{entry}.*")}
    assert NOTEBOOKS
    assert not [path.name for path in NOTEBOOKS if path not in TEXTS]
    assert {path for path in TEXTS if path.stem != SITE["root_doc"] or path.parent != ROOT} <= named


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_display_equations_are_paragraphs(path: Path) -> None:
    """Within a paragraph JupyterLab still sets them apart, but the site would print their dollar signs."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", markdown(path)) if "$$" in part]
    assert not [text for text in paragraphs if not re.fullmatch(r"\$\$[^$]+\$\$(?: \(eq-[a-z-]+\))?", text)]
