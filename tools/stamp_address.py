"""Write the repository's address wherever it is named: badges, setup cells, README, CITATION and pyproject.

    python tools/stamp_address.py https://github.com/OWNER/NAME [BRANCH]

It can be run again with another address. Notebooks open in Colab from GitHub alone, so badges are written for
such an address and taken out for others; setup cells clone from any address that git knows.
"""

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
COLAB = "https://colab.research.google.com"
BADGE = f"[![Open In Colab]({COLAB}/assets/colab-badge.svg)]"
SETUP = re.compile(r'^URL = ".*?"', re.MULTILINE)


def badge(url: str, branch: str, name: str) -> str:
    """The Markdown of the badge that opens a notebook in Colab; empty where Colab cannot reach it."""
    place = re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(?:\.git)?/?", url)
    return f"{BADGE}({COLAB}/github/{place[1]}/blob/{branch}/notebooks/{name})" if place else ""


def stamp_notebook(path: Path, url: str, branch: str) -> None:
    """Put the badge below a notebook's title, and the address into its setup cell; outputs stay."""
    notebook = nbformat.read(path, as_version=4)
    title, *rest = notebook.cells[0].source.splitlines()
    while rest and (not rest[0] or rest[0].startswith(BADGE)):
        rest.pop(0)
    mark = badge(url, branch, path.name)
    notebook.cells[0].source = "\n".join([title, "", *([mark, ""] if mark else []), *rest])
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code" and SETUP.search(cell.source))
    setup.source = SETUP.sub(f'URL = "{url}"', setup.source)
    nbformat.write(notebook, path, version=nbformat.NO_CONVERT)


def stamp_text(path: Path, pattern: str, line: str, after: str) -> None:
    """Write ``line`` in place of the line that ``pattern`` matches, or else behind the line ``after``."""
    text = path.read_text(encoding="utf-8")
    found = re.search(pattern, text, re.MULTILINE)
    old, new = (found[0], line) if found else (after, f"{after}\n{line}")
    if old not in text:
        raise SystemExit(f"{path.name} has no line {after!r} behind which the address could stand.")
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def stamp(root: Path, url: str, branch: str) -> None:
    """Write the address into everything below ``root`` that names it."""
    for path in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        stamp_notebook(path, url, branch)
    stamp_text(root / "README.md", r"^git clone .*$", f"git clone {url} dianet && cd dianet", after="```sh")
    stamp_text(
        root / "CITATION.cff", r"^repository-code: .*$", f'repository-code: "{url}"', after="license: MIT"
    )
    scripts = 'dianet = "dianet_utils.command.line:main"\n'
    stamp_text(root / "pyproject.toml", r"^\[project\.urls\]\n(?:.+\n)*", urls(url), after=scripts)


def urls(url: str) -> str:
    """The table of ``pyproject.toml`` that names the address, and further pages on GitHub."""
    pages = {"Repository": url}
    if badge(url, "", ""):
        pages |= {"Issues": f"{url}/issues", "Changelog": f"{url}/blob/HEAD/CHANGELOG.md"}
    return "".join(f"{line}\n" for line in ("[project.urls]", *(f'{k} = "{v}"' for k, v in pages.items())))


def main(arguments: list[str]) -> None:
    """The command line."""
    if not 1 <= len(arguments) <= 2 or '"' in "".join(arguments) or "://" not in arguments[0]:
        raise SystemExit("usage: make address URL=https://github.com/OWNER/NAME [BRANCH=main]")
    url, branch = arguments[0].rstrip("/"), (arguments[1:] or ["main"])[0]
    stamp(ROOT, url, branch)
    badges = "with badges" if badge(url, branch, "") else "no badges"
    print(f"{url}: setup cells, README, CITATION, pyproject; {badges}")


if __name__ == "__main__":
    main(sys.argv[1:])
