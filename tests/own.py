"""The examples of docs/running.md, as the files that a reader would write."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "running.md"


def example(name: str) -> str:
    """The Python block of the page that defines the class ``name``."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (found,) = (block for block in blocks if f"class {name}(" in block)
    return found


def write_example(name: str, folder: Path, file: str = "my_file.py") -> str:
    """Write it to a file of its own; returns how a user names it."""
    (folder / file).write_text(example(name), encoding="utf-8")
    return f"{folder / file}:{name}"
