"""The examples in docstrings run and print what they say, and every function of the contract has one."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

from dianet_utils.plumbing import files

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dianet_utils"
# What notebooks, tests and users rely on, by file.
CONTRACT = {
    "config/configuring.py": ["configure"],
    "datasets/__init__.py": ["load"],
    "datasets/clips.py": ["select"],
    "dynamic_images/bank.py": ["build_bank"],
    "dynamic_images/images.py": ["dynamic_image"],
    "dynamic_images/rank.py": ["rank_pooling"],
    "dynamic_images/weights.py": ["arp_weights", "harmonic_weights", "offset_weights"],
    "evaluation/comparison.py": ["compare"],
    "evaluation/power.py": ["person_gains", "power"],
    "evaluation/scores.py": ["metrics"],
    "loso/folds.py": ["make_folds"],
    "loso/protocol.py": ["run"],
    "models/__init__.py": ["build"],
    "models/saved.py": ["load", "save"],
    "run/bank_to_model.py": ["make_bank"],
    "run/parameters.py": ["check_parameters", "config_of", "describe"],
    "synthetic/dataset.py": ["generate"],
    "synthetic/plan.py": ["plan"],
    "tables/published_cells.py": ["published_rows"],
    "tables/rows.py": ["choose"],
}
FUNCTIONS = [(file, name) for file, names in CONTRACT.items() for name in names]


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_examples_print_what_they_say(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(module_name(path)), optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed, capsys.readouterr().out


@pytest.mark.parametrize(("file", "name"), FUNCTIONS, ids=lambda value: str(value))
def test_the_contract_is_documented_with_an_example(file: str, name: str) -> None:
    """Args, Returns and an Example; that Args names every argument is for ruff, which checks it."""
    function = functions(PACKAGE / file)[name]
    told = ast.get_docstring(function) or ""
    assert "\nArgs:\n" in told
    assert "\nReturns:\n" in told
    example = told.partition("\nExample:\n")[2]
    assert doctest.DocTestParser().get_examples(example)
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(function))
    assert not raises or "\nRaises:\n" in told
