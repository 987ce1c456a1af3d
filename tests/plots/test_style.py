"""Our style holds for our figures, whatever the reader has set, and what the reader has set stays."""

import ast
import io
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
from IPython.core.pylabtools import print_figure
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from nbclient import NotebookClient

from dianet_utils.plots import model, results, style
from dianet_utils.plumbing.files import write_figure

ROOT = Path(style.__file__).parent
MINE = {
    "figure.dpi": 60,
    "savefig.dpi": 50,
    "font.sans-serif": ["DejaVu Serif"],
    "font.size": 20,
    "text.color": "red",
    "axes.titlesize": 30,
    "legend.frameon": True,
    "xtick.labelsize": 22,
    "ytick.major.size": 20,
}
DRAWN = {
    "confusion": lambda: results.draw_confusion(np.eye(3, dtype=int), ["a", "b", "c"], "title"),
    "softmax": model.draw_softmax,
    "attention": lambda: model.draw_attention(np.full((2, 40, 40), 0.025), "channel"),
    "architecture": lambda: model.draw_architecture(np.zeros((2, 8, 8, 3))),
}


def contents(figure: Figure, folder: Path) -> tuple[bytes, bytes]:
    """The figure as a file, and as a notebook shows it."""
    path = write_figure(folder / "figure.png", figure)
    return path.read_bytes(), print_figure(figure, base64=False)


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_looks_the_same_whatever_the_reader_has_set(name: str, tmp_path: Path) -> None:
    expected = contents(DRAWN[name](), tmp_path)
    with matplotlib.rc_context(MINE):
        before = dict(matplotlib.rcParams)
        assert contents(DRAWN[name](), tmp_path) == expected
        assert dict(matplotlib.rcParams) == before
    plt.close("all")


def test_a_cell_shows_its_figure_once() -> None:
    """As the last line of a cell, and under a name."""
    draws = ("model.draw_softmax()", "shown = model.draw_softmax()")
    cells = [
        nbformat.v4.new_code_cell(f"from dianet_utils.plots import model\n{draw}", id=f"cell-{number}")
        for number, draw in enumerate(draws)
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, extra_arguments=["--log-level=CRITICAL"]).execute()
    for cell in cells:
        assert len([each for each in cell.outputs if "image/png" in each.get("data", {})]) == 1


def test_a_figure_of_the_readers_own_is_left_alone() -> None:
    def own() -> bytes:
        figure, axes = plt.subplots()
        axes.plot([1, 2], label="mine")
        axes.legend()
        content = io.BytesIO()
        figure.savefig(content)
        return content.getvalue()

    with matplotlib.rc_context(MINE):
        before = own()
        model.draw_softmax()
        assert own() == before
    plt.close("all")


def test_the_readers_settings_come_back_after_an_error() -> None:
    before = dict(matplotlib.rcParams)
    with pytest.raises(ValueError, match="no figure"), style.styled():
        raise ValueError("no figure")
    assert dict(matplotlib.rcParams) == before


def test_every_function_that_makes_a_figure_is_styled() -> None:
    for path in ROOT.glob("*.py"):
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef) and "figure(" in ast.unparse(function.body):
                decorated = [ast.unparse(each) for each in function.decorator_list]
                assert decorated == ["styled()"] or path.name == "style.py", (path.name, function.name)
