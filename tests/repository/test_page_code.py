"""The Python blocks of docs/running.md: each names only what it imports, and all that can run here do."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from dianet_utils.config.weight_packages import PACKAGES
from dianet_utils.plumbing import files

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
DATA = '{"dataset": "synthetic"'  # replaced by tiny clips


def name(block: str) -> str:
    """A block by the class that it defines, or by what it imports first."""
    found = re.search(r"^class (\w+)", block, re.MULTILINE) or re.search(r"import (\w+)", block)
    assert found
    return found[1]


def roots(block: str) -> set[str]:
    """The packages that a block imports."""
    nodes = list(ast.walk(ast.parse(block)))
    modules = [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {module.partition(".")[0] for module in modules}


def ruff(block: str) -> str:
    """What ruff says of names that are not defined, or imported and not used."""
    options = ["--isolated", "--select", "F", "--output-format", "concise", "-"]
    command = [sys.executable, "-m", "ruff", "check", *options]
    return subprocess.run(command, input=block, capture_output=True, text=True, check=False).stdout


def test_the_page_has_its_blocks() -> None:
    assert len(BLOCKS) == PAGE.count("```python") >= 6
    assert sum(DATA in block for block in BLOCKS) == 2


@pytest.mark.parametrize("block", BLOCKS, ids=name)
def test_every_name_of_a_block_is_defined(block: str) -> None:
    assert ruff(block).strip() == "All checks passed!"


def test_a_name_that_is_missing_is_noticed() -> None:
    assert "F821" in ruff('clips["mine"] = 1\n')


@pytest.mark.parametrize("block", BLOCKS, ids=name)
def test_a_block_runs_as_a_script(
    block: str, tiny_synthetic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an empty folder, on tiny clips where it reads the default ones, for one epoch where it trains."""
    if "SLURMCluster" in block:
        pytest.skip("needs a cluster")
    wanted = roots(block)
    if 'pretrained="package"' in block:
        (backbone,) = re.findall(r'backbone="(\w+)"', block)
        wanted.add(PACKAGES[backbone].replace("-", "_"))
    if "logging_callbacks" in block:
        wanted.add("tensorboard")
    if missing := [package for package in sorted(wanted) if not find_spec(package)]:
        pytest.skip(f"needs {', '.join(missing)}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    tiny = f'{{"dataset": "synthetic", "data_root": {str(tiny_synthetic)!r}'
    code = block.replace(DATA, tiny).replace('"epochs": 3', '"epochs": 1')
    exec(compile(code, "block.py", "exec"), {"__name__": "__main__"})
