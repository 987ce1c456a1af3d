"""The cell that every notebook starts with: at home, in Colab, and with an address stamped into it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from helpers import NOTEBOOKS, ROOT, read
from refresh_notebooks import code_digest
from stamp_address import BADGE, SETUP, main, stamp

COLLECTION = "def versions():\n    print('from', __file__)\n"
GITHUB = "https://github.com/someone/dianet-notebooks"


def setup_cell() -> str:
    return next(
        c.source for c in read(NOTEBOOKS[0]).cells if c.cell_type == "code" and SETUP.search(c.source)
    )


def run_cell(code: str, folder: Path, colab: bool) -> subprocess.CompletedProcess[str]:
    """Run the cell in a fresh interpreter in ``folder``, with a stub of google.colab or without."""
    stub = "import sys, types; sys.modules['google.colab'] = types.ModuleType('colab')\n" if colab else ""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", stub + code]
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with a package of the same name, as small as can be."""
    work, bare = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("bare") / "origin"
    (work / "dianet_utils").mkdir()
    (work / "dianet_utils" / "__init__.py").write_text("")
    (work / "dianet_utils" / "run.py").write_text(COLLECTION)
    person = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], [*person, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *command], cwd=work, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return bare


def test_the_cell_is_short() -> None:
    assert len(setup_cell().splitlines()) <= 13


def test_colab_clones_once_and_imports_the_clone(origin: Path, tmp_path: Path) -> None:
    cell = SETUP.sub(f'URL = "{origin.as_uri()}"', setup_cell())
    done = run_cell(cell, tmp_path, colab=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == str((tmp_path / "dianet" / "dianet_utils" / "run.py").resolve())
    again = run_cell(SETUP.sub('URL = "file:///gone"', setup_cell()), tmp_path, colab=True)
    assert (again.returncode, again.stdout) == (0, done.stdout)


def test_colab_without_an_address_says_what_to_set(tmp_path: Path) -> None:
    done = run_cell(SETUP.sub('URL = ""', setup_cell()), tmp_path, colab=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "AssertionError: On Colab, set URL above first."


def test_at_home_the_checkout_around_the_notebook_is_taken(tmp_path: Path) -> None:
    (tmp_path / "dianet_utils").mkdir()
    (tmp_path / "dianet_utils" / "run.py").write_text(COLLECTION)
    (tmp_path / "notebooks").mkdir()
    done = run_cell(setup_cell(), tmp_path / "notebooks", colab=False)
    assert done.stdout.split()[1] == str((tmp_path / "dianet_utils" / "run.py").resolve())
    assert not (tmp_path / "notebooks" / "dianet").exists()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What carries the address, in a folder of its own."""
    (tmp_path / "notebooks").mkdir()
    for path in (NOTEBOOKS[0], NOTEBOOKS[-1]):
        shutil.copy(path, tmp_path / "notebooks")
    for name in ("README.md", "CITATION.cff", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}


def test_one_command_stamps_the_address_everywhere(copy: Path) -> None:
    before = contents(copy)
    stamp(copy, GITHUB, "main")
    for path in (copy / "notebooks").iterdir():
        notebook = nbformat.read(path, as_version=4)
        first = notebook.cells[0].source.splitlines()
        assert first[2].startswith(BADGE)
        assert first[2].endswith(f"/github/someone/dianet-notebooks/blob/main/notebooks/{path.name})")
        assert code_digest(notebook) == code_digest(read(ROOT / "notebooks" / path.name))
        assert f'URL = "{GITHUB}"' in [cell for cell in notebook.cells if cell.cell_type == "code"][1].source
    assert f"git clone {GITHUB} dianet" in (copy / "README.md").read_text(encoding="utf-8")
    assert f'repository-code: "{GITHUB}"' in (copy / "CITATION.cff").read_text(encoding="utf-8")
    stamped = contents(copy)
    stamp(copy, GITHUB, "main")
    assert contents(copy) == stamped
    stamp(copy, "https://example.org/git/dianet", "main")
    assert not [name for name, text in contents(copy).items() if GITHUB in text or BADGE in text]
    assert {name for name, text in contents(copy).items() if text == before[name]} == set()


def test_an_address_that_is_none_is_refused() -> None:
    for wrong in ([], ["dianet"], ['https://a"b'], ["https://a", "main", "more"]):
        with pytest.raises(SystemExit, match="make address URL="):
            main(wrong)
