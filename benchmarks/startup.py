"""From the start of Python to the package, and to the first figure of notebook 01."""

import json
import subprocess
import sys
import textwrap

import pandas as pd

from benchmarks.measure import Contender, Result, Scale, interleaved, medians
from dianet_utils.plumbing.files import ROOT

NOTEBOOK = ROOT / "notebooks" / "01_dataset_inspection.ipynb"


def first_figure() -> str:
    """The code of notebook 01 up to its first figure, which is drawn to a picture as the notebook does."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = "import matplotlib\nmatplotlib.use('agg')\n"
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        code += "".join(cell["source"]) + "\n"
        if "plots.draw_" in code:
            break
    return code + "import io\nnext(iter(figures.values())).savefig(io.BytesIO())\n"


def python(code: str) -> None:
    """Run code in a fresh Python."""
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=True, capture_output=True)


def run(scale: Scale) -> Result:
    """Each in a fresh Python, whose own start is the first row."""
    programs = {
        "Python itself": "pass",
        "import dianet_utils": "import dianet_utils",
        "import dianet_utils.run": "import dianet_utils.run",
        "notebook 01 to its first figure": first_figure(),
    }
    costs = interleaved({name: Contender(python, (code,)) for name, code in programs.items()}, scale)
    notes = [
        "The synthetic dataset is on disk. The notebook's cells run without the start of a Jupyter kernel."
    ]
    return Result("startup", "start", medians(costs).drop(columns="peak MB"), pd.DataFrame(), notes)
