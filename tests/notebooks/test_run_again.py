"""One kernel, as JupyterLab and papermill use it: Run All again, and a misspelt name given to papermill."""

from collections.abc import Iterator

import nbformat
import pytest
from helpers import NOTEBOOKS, ROOT
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

FIGURE = """import matplotlib
mine = dict(matplotlib.rcParams)
from dianet_utils.plots.model import draw_softmax
figure = draw_softmax()"""
SETTINGS = """changed = {n for n in mine if mine[n] != matplotlib.rcParams[n]}
print(sorted(changed - {"backend", "interactive", "backend_fallback"}))"""


LAST_LINE = """from dianet_utils.plots.model import draw_softmax
draw_softmax()"""


def notebook(*more: str) -> NotebookNode:
    """The first code cells of notebook 01, up to the check of its parameters, and some more."""
    first = load_notebook_node(str(NOTEBOOKS[0]))
    end = next(n for n, cell in enumerate(first.cells) if "check_parameters" in cell.source) + 1
    first.cells = [
        *(cell for cell in first.cells[:end] if cell.cell_type == "code"),
        *(nbformat.v4.new_code_cell(source, metadata={"tags": []}) for source in more),
    ]
    return first


@pytest.fixture
def client() -> Iterator[NotebookClient]:
    client = NotebookClient(notebook(), timeout=300, kernel_name="python3")
    with client.setup_kernel(cwd=str(ROOT)):
        yield client


def run_all(client: NotebookClient, given: NotebookNode) -> list[list[NotebookNode]]:
    """The outputs of every cell, run in the kernel that is there."""
    client.nb = given
    for number, cell in enumerate(given.cells):
        client.execute_cell(cell, number)
    return [cell.outputs for cell in given.cells]


def test_run_all_again_and_a_misspelt_parameter(client: NotebookClient) -> None:
    for _ in range(2):
        *_, shown, told = run_all(client, notebook(FIGURE, SETTINGS))
        assert ["image/png" in output.get("data", {}) for output in shown] == [True]
        assert told[0].text == "[]\n"
        run_all(client, notebook("dataset_ = 'casme2'", "epoch: int = 3", "out_ = 1"))
    run_all(client, parameterize_notebook(notebook(), {"dataset": "synthetic"}))
    with pytest.raises(CellExecutionError, match=r"no parameter 'datasett' \(did you mean 'dataset'\?\)"):
        run_all(client, parameterize_notebook(notebook(), {"datasett": "casme2"}))
    run_all(client, notebook())


def test_a_figure_is_shown_once_whether_or_not_it_is_the_value_of_its_cell(client: NotebookClient) -> None:
    *_, named, value, later = run_all(client, notebook(FIGURE, LAST_LINE, "figure"))
    for outputs in (named, value, later):
        assert ["image/png" in output.get("data", {}) for output in outputs] == [True]
