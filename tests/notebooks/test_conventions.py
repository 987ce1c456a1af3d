"""What every notebook of the collection keeps to, so that a reader finds the same house in each."""

import ast
import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from helpers import NOTEBOOKS, ROOT, prepare, read
from PIL import Image
from refresh_notebooks import STAMP, clean, code_digest, private_paths

from dianet_utils import run

MAX_LINES, MAX_COLUMNS, MAX_WORDS = 20, 80, 80
MAX_BYTES = 400_000
LARGE = {"02": 700_000, "05": 620_000, "08": 530_000}  # many pictures of noise, with twice the pixels
MAX_PARAMETERS = 24  # lines of the parameters cell, which is a list
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code(path: Path) -> list:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def text(path: Path) -> list:
    return [cell for cell in read(path).cells if cell.cell_type == "markdown"]


def test_the_collection_is_there() -> None:
    assert [path.name[:2] for path in NOTEBOOKS][:4] == ["01", "02", "03", "04"]


@each_notebook
def test_cells_are_short_and_text_leads(path: Path) -> None:
    assert len(text(path)) >= len(code(path))
    for cell in code(path):
        lines = cell.source.splitlines()
        most = MAX_PARAMETERS if "parameters" in cell.metadata.get("tags", []) else MAX_LINES
        assert len(lines) <= most, cell.source
        assert max(map(len, lines)) <= MAX_COLUMNS, cell.source
    for cell in text(path):
        words = len(re.findall(r"\w[\w'.-]*", re.sub(r"\$.*?\$", "x", cell.source, flags=re.DOTALL)))
        if not cell.source.startswith(("## Exercises", "## References", "# ")):
            assert words <= MAX_WORDS, f"{words} words: {cell.source}"


@each_notebook
def test_order_of_the_first_and_last_cells(path: Path) -> None:
    cells = read(path).cells
    assert cells[0].source.startswith(f"# {path.stem[:2]}")
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert [cell.id for cell in tagged] == [code(path)[0].id]
    headings = [cell.source.splitlines()[0] for cell in text(path)]
    assert headings[-3:] == ["## Takeaways", "## Exercises", "## References"]


def rooms_of(path: Path) -> set[str]:
    """The folders of the package from which a notebook's code imports, but ``run``, which all open."""
    trees = [ast.parse(cell.source) for cell in code(path)]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    full = [f"{node.module}.{name.name}".split(".") for node in imports for name in node.names]
    names = {name[1] for name in full if name[0] == "dianet_utils"}
    return {name for name in names if name != "run" and (ROOT / "dianet_utils" / name).is_dir()}


@each_notebook
def test_the_first_cell_says_which_parts_of_the_package_it_uses(path: Path) -> None:
    told = read(path).cells[0].source.split("\n\n")[-1]
    assert told.startswith("Uses these parts of the package: ")
    assert sorted(re.findall(r"`(\w+)`", told)) == sorted(rooms_of(path))


def test_the_setup_cell_is_the_same_everywhere() -> None:
    setups = {code(path)[1].source for path in NOTEBOOKS}
    assert len(setups) == 1
    assert "run.versions()" in setups.pop()


def folded(cell: Any) -> bool:
    """Whether JupyterLab (``source_hidden``) and the site (``hide-input``) fold the code of a cell."""
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
    return hidden and "hide-input" in cell.metadata.get("tags", [])


@each_notebook
def test_setup_and_imports_are_folded_and_nothing_else_is(path: Path) -> None:
    assert [folded(cell) for cell in code(path)[:4]] == [False, True, True, False]
    assert not any(map(folded, code(path)[3:]))


def test_folding_outlives_papermill_and_a_refresh(tmp_path: Path) -> None:
    prepared = read(prepare(NOTEBOOKS[0], tmp_path, dataset="synthetic"))
    assert sum(map(folded, prepared.cells)) == 2
    notebook = read(NOTEBOOKS[0])
    clean(notebook)
    assert sum(map(folded, notebook.cells)) == 2


@each_notebook
def test_a_reader_can_go_to_every_notebook_that_is_named(path: Path) -> None:
    """Neighbours stand below the title, and every other one that the text names is a link."""
    place = NOTEBOOKS.index(path)
    first, *others = (cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for neighbour in [NOTEBOOKS[n] for n in (place - 1, place + 1) if 0 <= n < len(NOTEBOOKS)]:
        assert f"]({neighbour.name})" in first.split("\n\n")[1]
    names = {other.name for other in NOTEBOOKS}
    for text in (first, *others):
        assert set(re.findall(r"\]\((\d\d_\w+\.ipynb)", text)) <= names
        named = re.findall(r"(?<!\[)\b[Nn]otebook\s+(\d\d)", text)
        assert set(named) <= {path.name[:2]}, text


@each_notebook
def test_parameters_are_checked_at_once(path: Path) -> None:
    assert "run.check_parameters(globals())" in code(path)[2].source


def flags_read_unchecked(cells: list) -> list[str]:
    """Flags that code reads by their own name: papermill may give the text "false", which counts as true."""
    declared = ast.parse(cells[0].source).body
    flags = {
        one.target.id
        for one in declared
        if isinstance(one, ast.AnnAssign) and ast.unparse(one.annotation) == "bool"
    }
    names = [node for cell in cells[1:] for node in ast.walk(ast.parse(cell.source))]
    return sorted({node.id for node in names if isinstance(node, ast.Name) and node.id in flags})


@each_notebook
def test_flags_are_taken_from_the_checked_parameters(path: Path) -> None:
    assert not flags_read_unchecked(code(path))


def test_a_flag_given_as_text_is_checked() -> None:
    flags = {
        node.target.id
        for path in NOTEBOOKS
        for node in ast.parse(code(path)[0].source).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "bool"
    }
    assert {"crop", "trust_code", "within"} <= flags
    for flag in flags:
        assert run.check_parameters({flag: "false"}) == {flag: False}
        assert run.check_parameters({flag: "true"}) == {flag: True}


@each_notebook
def test_nothing_that_depends_on_the_machine(path: Path) -> None:
    for cell in code(path):
        assert not re.search(r"^\s*[!%]|os\.chdir|/home/|/root/|/tmp/", cell.source, flags=re.MULTILINE), (
            cell.source
        )


@each_notebook
def test_stored_outputs_belong_to_the_code(path: Path) -> None:
    """`make notebooks` runs a notebook and stamps the digest of the code that it ran."""
    notebook = read(path)
    assert notebook.metadata.get(STAMP) == code_digest(notebook), "run: make notebooks"
    ran = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert ran == list(range(1, len(ran) + 1))
    outputs = [output for cell in code(path) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not private_paths(notebook)
    assert path.stat().st_size <= LARGE.get(path.name[:2], MAX_BYTES)


@each_notebook
def test_stored_figures_have_twice_the_pixels_they_are_shown_with(path: Path) -> None:
    outputs = [output for cell in code(path) for output in cell.outputs]
    for output in [each for each in outputs if "image/png" in each.get("data", {})]:
        shown = output["metadata"]["image/png"]
        with Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"]))) as picture:
            assert abs(picture.width - 2 * shown["width"]) <= 1
            assert abs(picture.height - 2 * shown["height"]) <= 1


@pytest.mark.parametrize(("added", "noticed"), [("changed = 1", True), ("# a comment", False)])
def test_the_stamp_notices_a_changed_cell(added: str, noticed: bool) -> None:
    notebook = read(NOTEBOOKS[0])
    next(cell for cell in notebook.cells if cell.cell_type == "code").source += f"\n{added}"
    assert (notebook.metadata[STAMP] != code_digest(notebook)) == noticed


def test_readme_names_every_notebook() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in NOTEBOOKS if f"notebooks/{path.name}" not in readme]
