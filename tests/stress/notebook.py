"""SIGKILL while notebook 07 runs; the next run of it makes no finished fold anew and ends alike.

    python tests/stress/notebook.py            the figures of results/reference/stress

The command and its kernel are killed with all their processes, twice, once some folds are done. Small
settings on the synthetic dataset; the scores mean nothing. Needs Linux or macOS.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pandas as pd
import psutil

from dianet_utils.plumbing import files

SETTINGS = {
    "rows": "simple,concat",
    "image_size": 32,
    "epochs": 1,
    "batch_size": 16,
    "max_folds": 4,
    "workers": 1,
    "device": "cpu",
}
KILL_AFTER = (1, 5)  # folds, of eight


def start(place: Path) -> subprocess.Popen[bytes]:
    """Notebook 07 by the command line, with its results in ``place``."""
    given = {**SETTINGS, "out": place / "runs"}
    pairs = [text for name, value in given.items() for text in ("-p", name, str(value))]
    command = [sys.executable, "-m", "dianet_utils", "07", str(place / "07.ipynb"), *pairs]
    return subprocess.Popen(command, cwd=files.ROOT, stdout=subprocess.DEVNULL)


def folds(place: Path) -> dict[str, int]:
    """When each finished fold was written."""
    paths = place.rglob("folds/seed*.json")
    return {path.relative_to(place).as_posix(): path.stat().st_mtime_ns for path in paths}


def kill(process: subprocess.Popen[bytes]) -> int:
    """Kill a command and everything that it started; how many processes that were."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        member.kill()
    process.wait()
    psutil.wait_procs(family, timeout=20)
    return len(family)


def half_written(place: Path) -> int:
    """How many files under final names cannot be read."""
    wrong = 0
    for path in place.rglob("*"):
        if path.is_file() and path.name[0] != ".":
            try:
                if path.suffix == ".json":
                    files.read_json(path)
                if path.suffix == ".ipynb":
                    nbformat.read(path, 4)
                wrong += path.stat().st_size == 0
            except Exception as error:
                print(path, error)
                wrong += 1
    return wrong


def disturbed(place: Path) -> list[dict[str, int]]:
    """Two kills and the run that follows: how many folds each left, and how many were made anew."""
    rows = []
    for count in (*KILL_AFTER, None):
        before, process = folds(place), start(place)
        while process.poll() is None and (count is None or len(folds(place)) < count):
            time.sleep(0.02)
        members = kill(process) if process.poll() is None else 0
        after = folds(place)
        redone = sum(after.get(name) != moment for name, moment in before.items())
        rows.append({"processes_killed": members, "folds_before": len(before), "folds_after": len(after)})
        rows[-1].update(folds_made_anew=redone, half_written=half_written(place))
        print(*rows[-1].values(), flush=True)
    return rows


def main() -> int:
    """Kill, go on, compare with an undisturbed run, and keep the figures; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=files.RESULTS / "reference" / "stress")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notebook-") as temporary:
        one, two = Path(temporary, "disturbed"), Path(temporary, "alone")
        rows = disturbed(one)
        start(two).wait()
        names = sorted(path.relative_to(two) for path in two.rglob("predictions.csv"))
        same = len(names) == 2 and all(
            (one / name).read_bytes() == (two / name).read_bytes() for name in names
        )
    rows[-1]["same_predictions"] = same
    table = pd.DataFrame(rows)
    files.write_text(given.out / "notebook.csv", table.to_csv(index=False))
    return int(not same or table[["folds_made_anew", "half_written"]].to_numpy().sum() > 0)


if __name__ == "__main__":
    sys.exit(main())
