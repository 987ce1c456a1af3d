"""Run notebooks on their default parameters and keep the outputs in them, ready to commit.

    python tools/refresh_notebooks.py            all of them
    python tools/refresh_notebooks.py 02 04      some, by number, each with its solutions

Each notebook is stamped with a digest of its code, so that a test can tell outputs that are older
than the code. Outputs that name a folder of this machine are refused.
"""

import base64
import hashlib
import io
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
STAMP = "code_digest"


def code_digest(notebook: Any) -> str:
    """A digest of the code cells: it changes when an output may no longer be what the code gives.

    The setup cell does not count, it finds the package and prints versions; nor do comments.
    """
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    code = "\0".join(
        re.sub(r"\s+# .*$", "", source, flags=re.MULTILINE)
        for source in cells
        if "google.colab" not in source
    )
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def private_paths(notebook: Any) -> list[str]:
    """Texts in the outputs that name this machine's folders."""
    told = [str(ROOT), str(Path.home())]
    outputs = [str(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [text for text in told if len(text) > 1 and any(text in output for output in outputs)]


def merge_streams(cell: Any) -> None:
    """Join the pieces in which a kernel happened to send one stream, so that diffs stay small."""
    merged: list[Any] = []
    for output in cell.outputs:
        before = merged[-1] if merged else None
        if before and output.output_type == before.output_type == "stream" and output.name == before.name:
            before.text += output.text
        else:
            merged.append(output)
    cell.outputs = merged


def shrink(png: bytes) -> bytes:
    """A picture with the smallest palette that one cannot tell from it, of at most 256 colours.

    Not told apart: the mean pixel is off by half a level of 255 at most, and 99 of 100 by no more than 8.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (32, 64, 128, 256):
        few = picture.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        off = np.abs(np.asarray(few.convert("RGB"), int) - np.asarray(picture, int)).max(axis=2)
        if off.mean() <= 0.5 and np.quantile(off, 0.99) <= 8:
            break
    small = io.BytesIO()
    few.save(small, "png", optimize=True)
    return small.getvalue()


def shrink_pictures(cell: Any) -> None:
    """Shrink the pictures among a cell's outputs."""
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            small = shrink(base64.b64decode(output.data["image/png"]))
            output.data["image/png"] = base64.b64encode(small).decode()


def clean(notebook: Any) -> None:
    """Drop what changes from run to run and says nothing: times, and the kernel's own version."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        STAMP: code_digest(notebook),
    }
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in ("jupyter", "tags") if cell.metadata.get(key)}
        if cell.cell_type == "code":
            merge_streams(cell)
            shrink_pictures(cell)


def executed(path: Path) -> Any:
    """A notebook after it ran, cleaned; its figures have twice the pixels that they are shown with."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    # every kernel warns of its local connection
    given = ["--log-level=CRITICAL", "--InlineBackend.figure_formats=retina"]
    NotebookClient(notebook, timeout=None, resources=resources, extra_arguments=given).execute()
    clean(notebook)
    return notebook


def refresh(path: Path) -> None:
    """Run one notebook in place, unless its outputs name a folder of this machine."""
    notebook = executed(path)
    if told := private_paths(notebook):
        raise SystemExit(f"{path.name}: the outputs name {', '.join(told)}; mend the cell that prints it.")
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")


def main(numbers: list[str]) -> None:
    """Refresh the notebooks whose names start with one of ``numbers``; all without any."""
    for path in sorted([*NOTEBOOKS.glob("[0-9]*.ipynb"), *NOTEBOOKS.glob("solutions/*.ipynb")]):
        if not numbers or path.name.startswith(tuple(numbers)):
            refresh(path)


if __name__ == "__main__":
    main(sys.argv[1:])
