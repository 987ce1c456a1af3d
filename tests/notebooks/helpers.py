"""Running notebooks in tests: papermill fills in tiny parameters, nbval executes every cell."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def command(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a Python module as a user would, with what it prints."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=900,
        env=environment,
    )


def prepare(notebook: Path, folder: Path, **parameters: object) -> Path:
    """A copy of the notebook with papermill's parameters in it, not yet run."""
    target = folder / notebook.name
    pairs = [text for name, value in parameters.items() for text in ("-p", name, str(value))]
    done = command("papermill", str(notebook), str(target), "--prepare-only", *pairs)
    assert done.returncode == 0, done.stderr
    assert "unknown parameter" not in done.stderr.lower(), done.stderr
    return target


def nbval(notebook: Path) -> subprocess.CompletedProcess[str]:
    """Execute every cell; a cell that raises fails."""
    options = [
        "--nbval-lax",
        "--nbval-current-env",
        "-x",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(notebook.parent),
    ]
    return command("pytest", *options, "-c", os.devnull, str(notebook), cwd=notebook.parent)


def read(notebook: Path) -> nbformat.NotebookNode:
    return nbformat.read(notebook, as_version=4)
