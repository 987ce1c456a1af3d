"""Run the notebooks as Colab would: its Python and its versions, an empty folder, the notebook alone.

    python tools/try_colab.py              all notebooks, at tiny sizes
    python tools/try_colab.py 04 12        some, by number
    python tools/try_colab.py --defaults   with the parameters that a reader finds in them
    python tools/try_colab.py --python /path/to/python3.13

The environment is made once, under build/colab (a minute or two, about 6 GB with torch); it has neither
papermill nor this project. Notebooks clone the last commit of this checkout, so commit first.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "notebooks"))

from stamp_address import SETUP  # noqa: E402
from test_execution import tiny_parameters  # noqa: E402

ENVIRONMENT = ROOT / "build" / "colab"
PYTHON = ENVIRONMENT / "bin" / "python"
VERSIONS = (
    *("torch==2.11.*", "torchvision==0.26.*", "timm==1.0.28", "numpy==2.1.*", "pandas==2.2.*"),
    *("opencv-python==5.0.*", "seaborn==0.13.*", "openpyxl==3.1.*", "ipywidgets==7.7.*"),
    *("scikit-learn", "scikit-image", "scipy", "matplotlib", "safetensors", "huggingface-hub", "xlrd"),
    *("ipykernel", "nbclient"),
)
EXECUTE = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], 4)
try:
    nbclient.NotebookClient(notebook, timeout=None, resources={"metadata": {"path": sys.argv[2]}}).execute()
finally:
    nbformat.write(notebook, sys.argv[1])
"""


def uv(*arguments: str) -> None:
    """Run uv, which installs what pip would in a fraction of the time."""
    subprocess.run([sys.executable, "-m", "uv", *arguments], check=True)


def make_environment(python: str) -> None:
    """Colab's Python with Colab's versions, once; with a stub of google.colab, loaded at the start."""
    if not (ENVIRONMENT / "complete").is_file():
        uv("venv", "--quiet", "--clear", "--python", python, str(ENVIRONMENT))
        uv("pip", "install", "--quiet", "--python", str(PYTHON), *VERSIONS)
        stub = next((ENVIRONMENT / "lib").glob("python3.*")) / "site-packages"
        (stub / "google" / "colab").mkdir(parents=True, exist_ok=True)
        (stub / "google" / "colab" / "__init__.py").write_text("", encoding="utf-8")
        (stub / "sitecustomize.py").write_text("import google.colab\n", encoding="utf-8")
        (ENVIRONMENT / "complete").write_text("", encoding="utf-8")


def installed() -> str:
    """All packages of the environment with their versions, to see that a notebook changes none."""
    command = [sys.executable, "-m", "uv", "pip", "freeze", "--python", str(PYTHON)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def place_alone(path: Path, folder: Path, address: str, parameters: dict[str, object]) -> Path:
    """A copy of the notebook in an empty folder, with the address stamped and parameters set."""
    folder.mkdir()
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    setup = next(cell for cell in cells if SETUP.search(cell.source))
    setup.source = SETUP.sub(f'URL = "{address}"', setup.source)
    lines = [f"{name} = {value!r}" for name, value in parameters.items()]
    cells[0].source = "\n".join([cells[0].source, *lines])
    nbformat.write(notebook, folder / path.name)
    return folder / path.name


def try_notebook(path: Path, scratch: Path, address: str, parameters: dict[str, object]) -> bool:
    """Run one notebook and print one line about it; whether it ran to its end."""
    alone = place_alone(path, scratch / path.stem, address, parameters)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment.update(
        MPLBACKEND="module://matplotlib_inline.backend_inline", PYDEVD_DISABLE_FILE_VALIDATION="1"
    )
    start = time.monotonic()
    done = subprocess.run(
        [str(PYTHON), "-c", EXECUTE, str(alone), str(alone.parent)],
        env=environment, cwd=alone.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = "ran" if done.returncode == 0 else "FAILED: " + done.stderr.strip().splitlines()[-1]
    print(f"{path.stem}: {told}, {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run notebooks as Colab would.")
    parser.add_argument("numbers", nargs="*", help="notebooks by number (default: all)")
    parser.add_argument("--defaults", action="store_true", help="with the parameters that are in them")
    parser.add_argument("--python", default="3.13", help="the interpreter for the environment")
    return parser


def main(arguments: list[str]) -> int:
    """Try the notebooks whose names start with one of the arguments; all without any."""
    from dianet_utils import synthetic

    options = _parser().parse_args(arguments)
    defaults, numbers = options.defaults, tuple(options.numbers)
    make_environment(options.python)
    before, passed = installed(), []
    print(
        "\n".join(
            line for line in before.splitlines() if line.startswith(("torch", "numpy", "pandas", "opencv"))
        )
    )
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), str(scratch / "origin")], check=True)
        size = synthetic.Settings(subjects=5, clips_per_emotion=2, size=64, duration=(16, 24))
        data = "" if defaults else synthetic.generate(size, scratch / "data", shown=False)
        for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
            if path.name.startswith(numbers or ""):
                tiny = {} if defaults else tiny_parameters(path, data_root=str(data))
                passed.append(try_notebook(path, scratch, (scratch / "origin").as_uri(), tiny))
                shutil.rmtree(scratch / path.stem)
    unchanged = installed() == before
    print(f"{sum(passed)} of {len(passed)} ran; packages {'unchanged' if unchanged else 'CHANGED'}")
    return 0 if all(passed) and unchanged else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
