"""The house: few rooms, each file name once, data that flows one way, and a README that leads through it."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import dianet_utils

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dianet_utils"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
# A room imports only from those before it, wherever in a file the import stands. `evaluation` scores tables
# of predictions and knows nothing of networks; `loso` trains and asks it for the scores of a run folder;
# `run` leads from parameters to a run, and `tables` runs many of them.
ORDER = [
    "paper",
    "plumbing",
    "config",
    "datasets",
    "synthetic",
    "dynamic_images",
    "evaluation",
    "models",
    "loso",
    "run",
    "tables",
    "plots",
    "command",
    "__main__",
]
# The one exception, by module and room: datasets.load takes the name 'synthetic', and loads it only then.
UPWARD = {("dianet_utils.datasets", "synthetic")}


class Import(NamedTuple):
    """One imported module of the package; ``lazy``: inside a function or for type checking only."""

    importer: str
    imported: str
    lazy: bool


def imports_of(module: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    yield from walk(tree, module, lazy=False)


def walk(node: ast.AST, module: str, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        for name in imported(child):
            yield Import(module, name, lazy)
        yield from walk(child, module, lazy or guarded or isinstance(child, ast.FunctionDef))


def imported(node: ast.AST) -> Iterator[str]:
    """The modules of the package that one statement imports."""
    if isinstance(node, ast.ImportFrom):
        assert not node.level, "relative imports hide the room they lead to"
        full = [f"{node.module}.{alias.name}" for alias in node.names]
        names = [name if name in MODULES else str(node.module) for name in full]
    else:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    yield from (name for name in names if name in MODULES)


def room(module: str) -> str:
    return module.split(".")[1]


IMPORTS = [each for module in MODULES if module != "dianet_utils" for each in imports_of(module)]


def entries() -> set[str]:
    """What lies in the package's folder, apart from what every package has."""
    names = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    return names - {"__init__", "__main__"}


def test_the_package_has_few_rooms_and_the_order_names_them() -> None:
    assert entries() == set(ORDER) - {"__main__"}
    assert len(entries()) <= 13


def test_every_file_name_occurs_once() -> None:
    names = [path.name for path in MODULES.values() if path.name != "__init__.py"]
    assert not {name for name in names if names.count(name) > 1}


def test_nothing_imports_upward() -> None:
    inside = [each for each in IMPORTS if each.imported != "dianet_utils"]
    places = {name: place for place, name in enumerate(ORDER)}
    upward = [each for each in inside if places[room(each.imported)] > places[room(each.importer)]]
    assert {(each.importer, room(each.imported)) for each in upward} == UPWARD
    assert all(each.lazy for each in upward)


def test_no_import_goes_in_a_circle() -> None:
    """Among the imports that run when a module is loaded; graphlib names the circle where there is one."""
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for each in IMPORTS:
        if not each.lazy:
            graph[each.importer].add(each.imported)
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_an_import_is_found_wherever_it_stands() -> None:
    text = """
from dianet_utils import paper
if TYPE_CHECKING:
    from dianet_utils.loso.folds import Fold
def load():
    import dianet_utils.models.saved
"""
    found = {(each.imported, each.lazy) for each in walk(ast.parse(text), "dianet_utils.run", lazy=False)}
    lazy = {("dianet_utils.loso.folds", True), ("dianet_utils.models.saved", True)}
    assert found == {("dianet_utils.paper", False), *lazy}


def test_readme_leads_through_ten_files_that_are_there() -> None:
    spine = re.findall(r"^\d+\. \[`([\w/]+\.py)`\]\(dianet_utils/\1\)", README, flags=re.MULTILINE)
    assert len(spine) == 10
    assert all((PACKAGE / file).is_file() for file in spine)


def test_readme_and_the_package_name_every_room_in_the_order_of_imports() -> None:
    rows = re.findall(r"^\| `(\w+)(?:\.py)?` \|", README, flags=re.MULTILINE)
    wanted = [name for name in ORDER if name != "__main__"]
    assert [name for name in rows if name in ORDER] == wanted
    assert re.findall(r"``(\w+)``", dianet_utils.__doc__ or "") == wanted
