"""The tutorial: its files are written and its commands run as a reader would, and print what it says."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

_TEXT = (ROOT / "docs" / "tutorial.md").read_text()
_FILE = re.compile(r"`(\w+\.(?:py|yaml))`(?:(?!`\w+\.py`).)*?```(?:python|yaml)\n(.*?)```", re.DOTALL)
_COMMAND = re.compile(r"```console\n\$ (.*?)\n(.*?)```", re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clone holds of the project's code, with nothing that was made since."""
    for name in ("dianet_utils", "notebooks", "results/reference"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line in a shell, with this environment's programs and the package of ``folder``."""
    places = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
    }
    settings = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "DIANET_CACHE": str(folder / "data")}
    environment = {**os.environ, **places, **settings}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )


def masked(text: str) -> str:
    """A text whose numbers, digests of runs and durations stand for any others."""
    text = re.sub(r"done in .*?;", "done in TIME;", re.sub(r"[-@][0-9a-f]{8,16}\b", "-DIGEST", text))
    text = re.sub(r"\d+ h \d+ min\b|(\d+ min )?\d+ s\b", "TIME", text)
    return re.sub(r"[-+]?\d+(?:\.\d+)?", "N", text)


def test_the_tutorial_prints_what_it_says(checkout: Path) -> None:
    for name, content in _FILE.findall(_TEXT):
        (checkout / name).write_text(content)
    names = {path.name for path in checkout.glob("*.*")}
    assert names == {"my_study.py", "my_net.py", "quick.yaml", "my_log.py"}
    commands = _COMMAND.findall(_TEXT)
    assert len(commands) == 8
    for line, wanted in commands:
        done = run(line, checkout)
        assert done.returncode == 0, f"{line}\n{done.stderr[-4000:]}"
        fits = doctest.OutputChecker().check_output(masked(wanted), masked(done.stdout), doctest.ELLIPSIS)
        assert fits, f"{line}\n{done.stdout}"
    folder = next((checkout / "results" / "own-clips").glob("MyNet-*"))
    assert (folder / "model" / "own_code.py").read_text() == (checkout / "my_net.py").read_text()


def test_masks_hide_numbers_alone() -> None:
    told = "done in 1 min 03 s; run MyNet-own-kfold-3-f92069ab: accuracy 0.528, -13.9 to +11.1"
    assert masked(told) == "done in TIME; run MyNet-own-kfoldN-DIGEST: accuracy N, N to N"
