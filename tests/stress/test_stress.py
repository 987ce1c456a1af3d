"""The stress scripts in short: a few kills and a few hundred damaged files."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

HERE = Path(__file__).parent


def run(script: str, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / script), "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_kills_lose_nothing_and_write_no_half_file(tmp_path: Path) -> None:
    done = run("kills.py", tmp_path, "--rounds", "1", "--aims", "generation", "writing", "tables")
    assert done.returncode == 0, done.stdout + done.stderr
    table = pd.read_csv(tmp_path / "kills.csv")
    assert len(table) == 4
    assert (table["files"] > 0).all()
    assert table[["half_written", "folds_made_anew"]].to_numpy().sum() == 0
    assert table["same_bytes"].iloc[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
@pytest.mark.processes
def test_a_killed_notebook_goes_on_where_it_stopped(tmp_path: Path) -> None:
    done = run("every_notebook.py", tmp_path, "--rounds", "1", "--only", "04", "--stops", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    table = pd.read_csv(tmp_path / "every_notebook.csv")
    assert (table["stop"] == "kill").sum() == 2
    assert table["stop"].iloc[-1] == "ended"
    assert table["folds"].iloc[-1] > 0


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    done = run("fuzz.py", tmp_path, "--each", "25")
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(tmp_path / "fuzz.csv")
    assert (table["read"] + table["refused"] == table["damaged"]).all()
    assert (table["refused"] > 0).all()
    assert table["slowest_seconds"].max() < 10
