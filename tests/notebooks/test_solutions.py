"""The solutions of exercises: one for each, and every assert in them holds."""

import re
import sys
from pathlib import Path

import pytest
from helpers import NOTEBOOKS, ROOT, read
from matplotlib import pyplot
from refresh_notebooks import STAMP, code_digest

SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
each_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


def text(path: Path, start: str = "") -> str:
    return "\n".join(
        cell.source for cell in read(path).cells if cell.cell_type == "markdown" and start in cell.source
    )


def test_every_notebook_has_solutions() -> None:
    assert [path.stem for path in SOLUTIONS] == [path.name[:2] for path in NOTEBOOKS]


@each_solution
def test_every_exercise_has_one_solution_and_the_notebook_links_to_it(path: Path) -> None:
    (notebook,) = [each for each in NOTEBOOKS if each.name.startswith(path.stem)]
    exercises = re.findall(r"^(\d+)\. ", text(notebook, "## Exercises"), flags=re.MULTILINE)
    assert re.findall(r"^## (\d+)\.", text(path), flags=re.MULTILINE) == exercises
    assert f"(solutions/{path.name})" in text(notebook, "## Exercises")


@each_solution
def test_stored_outputs_belong_to_the_code(path: Path) -> None:
    assert read(path).metadata.get(STAMP) == code_digest(read(path)), "run: make notebooks"


@each_solution
def test_every_assert_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Solutions are plain Python, and run here: thirteen kernels would load torch thirteen times."""
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    source = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")
    exec(compile(source, str(path), "exec"), {"__name__": path.stem})
    pyplot.close("all")
