"""The memory of notebook 04 with two workers: the peak of the command, its kernel and each worker.

    python tests/stress/memory.py            the figures of results/reference/stress

The default synthetic dataset at the quick setting, one epoch of two folds on a CPU: no fold holds more when
it trains longer. Resident memory counts what processes share, as the libraries and the images, in each of
them.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil

from dianet_utils.plumbing import files

KINDS = ("command", "kernel", "worker")
GIVEN = {"epochs": 1, "max_folds": 2, "device": "cpu"}


def role(process: psutil.Process) -> str:
    """What a process of the family does."""
    told = " ".join(process.cmdline())
    kinds = {"ipykernel": "kernel", "resource_tracker": "tracker", "multiprocessing": "worker"}
    return next((name for word, name in kinds.items() if word in told), "command")


def sample(head: psutil.Process) -> dict[tuple[str, int], float]:
    """The resident memory of each process now, in MB, by role and number."""
    held = {}
    for process in [head, *head.children(recursive=True)]:
        try:
            held[role(process), process.pid] = process.memory_info().rss / 2**20
        except psutil.Error:  # it has just ended
            continue
    return held


def watched(workers: int, place: Path) -> dict[str, object]:
    """The peaks of one run of notebook 04."""
    pairs = {**GIVEN, "workers": workers, "out": place / "run"}
    given = [text for name, value in pairs.items() for text in ("-p", name, str(value))]
    command = [sys.executable, "-m", "dianet_utils", "04", str(place / "04.ipynb"), *given]
    running = psutil.Popen(command, cwd=files.ROOT, stdout=subprocess.DEVNULL)
    peaks: dict[tuple[str, int], float] = {}
    together = 0.0
    while running.poll() is None:
        now = sample(running)
        peaks = {key: max(peaks.get(key, 0.0), now.get(key, 0.0)) for key in {*peaks, *now}}
        together = max(together, sum(now.values()))
        time.sleep(0.1)
    if running.returncode:
        raise SystemExit("notebook 04 failed")
    found = {
        kind: sorted(round(value) for (name, _), value in peaks.items() if name == kind and value > 1)
        for kind in KINDS  # one that was seen as it began holds nothing yet
    }
    told = {f"{kind}_mb": " and ".join(map(str, values)) or "-" for kind, values in found.items()}
    print(workers, *told.values(), round(together), flush=True)
    return {"workers": workers, **told, "all_at_once_mb": round(together)}


def main() -> int:
    """Watch a run with two workers, then one in the kernel itself; keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=files.RESULTS / "reference" / "stress")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memory-") as temporary:
        rows = [watched(workers, Path(temporary, str(workers))) for workers in (2, 1)]
    files.write_text(given.out / "memory.csv", pd.DataFrame(rows).to_csv(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
