"""Each of the 13 notebooks stopped at random moments; the next run goes on and ends alike.

    python tests/stress/every_notebook.py                   the figures of results/reference/stress
    python tests/stress/every_notebook.py --command         the same by the command ``dianet``, much slower
    python tests/stress/every_notebook.py --rounds 1 --only 04 --out F    a short one, its figures into F

The cells run in a process that parts from this one, which has loaded the packages, and SIGKILL ends it at a
random moment; renaming is slowed down, so that kills fall into it. With ``--command`` a notebook is stopped
in turn by SIGKILL to the command, its kernel and its workers, by SIGKILL to the command alone (the others
must end by themselves), and by Ctrl-C. After each stop every file is read. At last the notebook is left
alone: it must end, make no finished fold anew, and leave the predictions that the other rounds, and runs
that ended before they were stopped, left. Small settings on synthetic clips; the scores mean nothing. Needs
Linux or macOS.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import nbformat
import pandas as pd
import psutil
import timm  # noqa: F401 (loaded here, so that the processes that part from this one have it)
from IPython.core.interactiveshell import InteractiveShell
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "notebooks"))

import kills
from helpers import NOTEBOOKS
from notebook import folds
from test_execution import tiny_parameters

from dianet_utils import synthetic
from dianet_utils.loso import training
from dianet_utils.plumbing import files

WAYS = {False: ("kill",), True: ("kill all", "kill command", "interrupt")}  # without, with --command
LONGEST = 600  # seconds that a run which is left alone may take
GONE = 60  # seconds in which all must have ended after a stop


class Stop(NamedTuple):
    """What came of one run: its seconds, what it printed, and how many of its processes stayed."""

    seconds: float
    status: int | None  # None: it was stopped
    told: str
    stayed: int


def parameters(notebook: Path, place: Path, data: Path) -> dict[str, object]:
    return tiny_parameters(notebook, data_root=data, train_root=data, out=place / "run", epochs=1)


def attempt(notebook: Path, place: Path, data: Path, seconds: float, way: str) -> Stop:
    """Run a notebook and stop it after ``seconds``, or see it end."""
    log, begun = place / ".told", time.monotonic()
    given = parameters(notebook, place, data)
    starting = start_command if way in WAYS[True] else start_cells
    process = starting(notebook, place, given, log)
    try:
        status: int | None = process.wait(seconds)
        stayed = 0
    except psutil.TimeoutExpired:
        status, stayed = None, end(process, way)
    return Stop(time.monotonic() - begun, status, log.read_text(), stayed)


def start_command(notebook: Path, place: Path, given: dict[str, object], log: Path) -> psutil.Process:
    """The command with its kernel, in a process group of its own."""
    pairs = [text for name, value in given.items() for text in ("-p", name, str(value))]
    called = [sys.executable, "-m", "dianet_utils", notebook.stem[:2], str(place / notebook.name), *pairs]
    environment = {**os.environ, "DIANET_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"}
    with log.open("w") as told:
        return psutil.Popen(
            called, cwd=files.ROOT, stdout=told, stderr=told, env=environment, start_new_session=True
        )


def start_cells(notebook: Path, place: Path, given: dict[str, object], log: Path) -> psutil.Process:
    """The cells in a process that parts from this one."""
    if child := os.fork():
        return psutil.Process(child)
    os.setsid()
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(told, 1)
    os.dup2(told, 2)
    os.environ["DIANET_CACHE"] = str(place / "cache")
    os.replace, os.rename = kills.slowed(os.replace), kills.slowed(os.rename)
    status = 1
    try:
        status = run_cells(notebook, given)
    finally:
        sys.stdout.flush()
        os._exit(status)


def run_cells(notebook: Path, given: dict[str, object]) -> int:
    """All code cells of a notebook with papermill's parameters among them; 1 where one fails."""
    history = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell.instance(config=history, colors="NoColor")
    texts = {name: value if isinstance(value, (int, float)) else str(value) for name, value in given.items()}
    cells = parameterize_notebook(load_notebook_node(str(notebook)), texts).cells
    for cell in cells:
        if cell.cell_type == "code" and not shell.run_cell(cell.source, store_history=True).success:
            return 1
    return 0


def end(head: psutil.Process, way: str) -> int:
    """Stop a process; how many of its family were still there a minute later, which are then killed."""
    family = [*head.children(recursive=True), head]
    if way == "interrupt":
        os.killpg(head.pid, signal.SIGINT)
    for member in [] if way == "interrupt" else [head] if way == "kill command" else family:
        member.kill()
    _, stayed = psutil.wait_procs(family, timeout=GONE)
    for member in stayed:
        member.kill()
    return len(stayed)


def damaged(place: Path) -> list[Path]:
    """The files under final names that are not what their names say."""
    paths = [path for path in place.rglob("*") if path.is_file()]
    shown = [path for path in paths if not any(part[0] == "." for part in path.relative_to(place).parts)]
    return [path for path in shown if not whole(path)]


def whole(path: Path) -> bool:
    if path.suffix == ".csv":
        return path.read_bytes().endswith(b"\n")  # some have no rows
    if path.suffix == ".png":
        return path.read_bytes().endswith(b"IEND\xaeB`\x82")
    if path.suffix == ".ipynb":
        return bool(nbformat.read(path, 4).cells)
    return path.stat().st_size > 0 and kills.whole(path)


def digest(place: Path) -> str:
    """Eight digits for all predictions of a notebook."""
    paths = sorted((place / "run").rglob("predictions.csv"))
    content = b"".join(path.read_bytes() for path in paths)
    return hashlib.sha256(content).hexdigest()[:8] if paths else "none"


def one_notebook(
    notebook: Path, place: Path, data: Path, stops: int, given: argparse.Namespace, draw: random.Random
) -> list[dict[str, Any]]:
    """The stops of one notebook, and the run at the end; a row of figures for each."""
    rows: list[dict[str, Any]] = []
    kinds, longest, done = WAYS[given.command], given.longest, 0
    while True:
        place.mkdir(parents=True, exist_ok=True)
        way, before, alone = kinds[done % len(kinds)], folds(place), done == stops
        seconds = LONGEST if alone else draw.uniform(0, longest)
        found = attempt(notebook, place, data, seconds, way)
        rows.append({"notebook": notebook.stem[:2], **figures(found, way, alone, place, before)})
        print(*rows[-1].values(), flush=True)
        if found.status is None and not alone:
            done += 1
            continue
        shutil.rmtree(place)
        if alone:
            return rows
        longest = found.seconds * 0.9  # it ended before it was stopped: from nothing again, and sooner


def figures(found: Stop, way: str, alone: bool, place: Path, before: dict[str, int]) -> dict[str, Any]:
    """What one run left: a line of the table."""
    wrong, after = damaged(place), folds(place)
    traced = found.told.count("Traceback (most recent call last)")
    failed = found.status not in (0, None) or (found.status is None and alone)
    if wrong or traced or failed or found.stayed:
        print(wrong, found.told[-2000:], file=sys.stderr, flush=True)
    return {
        "stop": "ended" if found.status is not None else way,
        "seconds": round(found.seconds, 1),
        "files": sum(path.is_file() for path in place.rglob("*")),
        "half_written": len(wrong),
        "folds": len(after),
        "folds_lost_or_anew": sum(after.get(name) != moment for name, moment in before.items()),
        "stayed": found.stayed,
        "tracebacks": traced,
        "failed": int(failed),
        "predictions": digest(place) if found.status == 0 else "",
    }


def summary(table: pd.DataFrame) -> str:
    """The figures for people: a row for each way of stopping, and what the ends had."""
    columns = ["files", "half_written", "folds_lost_or_anew", "stayed", "tracebacks", "failed"]
    titles = ["stop", "how many", "files looked at", "half written", "folds lost or made anew"]
    titles += ["processes that stayed", "tracebacks", "failed"]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for way, part in table.groupby("stop", sort=False):
        numbers = [len(part), *part[columns].sum().astype(int)]
        lines.append(f"| {way} | {' | '.join(map(str, numbers))} |")
    stopped, rounds = (table["stop"] != "ended").sum(), table["round"].nunique()
    head = f"**{stopped} stops of {table['notebook'].nunique()} notebooks in {rounds} rounds"
    kinds = answers(table)
    same = (kinds == 1).sum()
    tail = f"Of {len(kinds)} notebooks that make predictions, {same} made the same in all runs that ended."
    return "\n".join([f"{head}, on tiny synthetic clips**\n", *lines, f"\n{tail}"]) + "\n"


def clips(place: Path) -> Path:
    """The clips, made by another process: OpenCV begun here would hang those that part from this one."""
    child = os.fork()
    if not child:
        synthetic.generate(kills.CLIPS, place, workers=1, shown=False)
        os._exit(0)
    os.waitpid(child, 0)
    return place


def options() -> argparse.Namespace:
    """What the script was given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--stops", type=int, default=40, help="in a round, dealt out to the notebooks")
    parser.add_argument("--only", nargs="+", default=[], help="numbers of notebooks, as 04")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds after which none is stopped")
    parser.add_argument("--command", action="store_true", help="by the command, with its kernel")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=files.RESULTS / "reference" / "stress")
    return parser.parse_args()


def main() -> int:
    """Run the rounds and keep their figures; 1 if anything was lost, hung, traced or other than expected."""
    given = options()
    draw, folder = random.Random(given.seed), Path(tempfile.mkdtemp(prefix="notebooks-"))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what began in the background ignores Ctrl-C
    chosen = [path for path in NOTEBOOKS if not given.only or path.stem[:2] in given.only]
    rows: list[dict[str, Any]] = []
    try:
        data = clips(folder / "data")
        for number in range(given.rounds * len(chosen)):
            turn, place = divmod(number, len(chosen))
            stops = (given.stops + place) // len(chosen)  # adds up to all of them
            found = one_notebook(chosen[place], folder / f"{number}", data, stops, given, draw)
            rows += [{"round": turn, **row} for row in found]
            status = keep(pd.DataFrame(rows), given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return status


def keep(table: pd.DataFrame, given: argparse.Namespace) -> int:
    """Write the figures so far; 1 if any of them is not as it must be."""
    stem = given.out / ("every_notebook_by_command" if given.command else "every_notebook")
    files.write_text(stem.with_suffix(".csv"), table.to_csv(index=False))
    files.write_text(stem.with_suffix(".md"), summary(table))
    bad = table[["half_written", "folds_lost_or_anew", "stayed", "tracebacks", "failed"]].to_numpy().sum()
    return int(bool(bad) or bool((answers(table) > 1).any()))


def answers(table: pd.DataFrame) -> pd.Series:
    """With how many unlike predictions the runs of each notebook that makes some ended."""
    ends = table[~table["predictions"].isin(["", "none"])]
    return ends.drop_duplicates(["notebook", "predictions"]).groupby("notebook").size()


if __name__ == "__main__":
    matplotlib.use("agg")
    training.torch.set_num_threads(1)
    sys.exit(main())
