"""SIGKILL at random moments of generation, bank building, training and writing; every next run goes on.

    python tests/stress/kills.py                      the figures of results/reference/stress
    python tests/stress/kills.py --rounds 1 --out F   a short one, its figures into the folder F

Each round begins with nothing. It starts the whole way from synthetic clips to scores again and again, in
a process group of its own, kills that group at a random moment of a phase, and looks at every file. At last
one run is left alone: it must end with the very bytes of a run that was never disturbed, and must not have
made anew any fold that an earlier run had finished. Renaming is slowed down, so that kills fall into it.

Needs Linux or macOS. All clips are synthetic and tiny; the scores mean nothing.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import sklearn.model_selection  # noqa: F401 (loaded here, so that the processes that part from this one have it)
import torch._dynamo  # noqa: F401

from dianet_utils import datasets, loso, run, synthetic, tables
from dianet_utils.dynamic_images import build_bank
from dianet_utils.loso import protocol, training
from dianet_utils.plumbing import files

CLIPS = synthetic.Settings(
    subjects=5, clips_per_emotion=2, emotions=("disgust", "happiness", "surprise"), size=48, duration=(16, 20)
)
SMALL = {"dataset": "synthetic", "image_size": 32, "epochs": 2, "batch_size": 8, "hidden": 16}
PHASES = ("generation", "bank", "training", "writing", "tables")
KILLS_A_ROUND = ("generation",) * 2 + ("bank",) * 2 + ("training",) * 2 + ("writing",) + ("tables",) * 2
PAUSE = 0.02  # seconds before a file or folder gets its final name


class Found(NamedTuple):
    """What a look at a folder found."""

    files: int
    half_written: int
    aside: int  # files still being written, under names that nothing reads
    folds: int


# --- what is killed --------------------------------------------------------------------------------


def work(place: Path, workers: int, say: Callable[[str], None]) -> None:
    """From nothing to scores and to two rows of Table 3; ``say`` is called as each phase begins."""
    say("generation")
    root = synthetic.generate(CLIPS, place / "data", workers=workers, shown=False)
    say("bank")
    kept, _ = datasets.select(datasets.load("synthetic", root))
    config = run.config_of(SMALL)
    bank = build_bank(
        kept.drop(columns="gender"),
        config.inputs,
        32,
        scaling=config.scaling,
        cache=place / "banks",
        shown=False,
    )
    say("training")
    gather, protocol.gather = protocol.gather, lambda *given: (say("writing"), gather(*given))[1]
    loso.run(bank, config, place / "run", workers=1, device="cpu", shown_progress=False)
    protocol.gather = gather
    say("tables")
    entries = tables.prepare(tables.choose(3, "synthetic", "simple,concat"), kept, SMALL, 1)
    outcomes = tables.run_rows(entries, place / "rows", max_folds=2, workers=1, device="cpu")
    tables.write(tables.summarise(3, outcomes), place / "rows" / "tables")


def slowed(function: Callable[..., object]) -> Callable[..., object]:
    """``function``, a moment later."""

    def later(*given: object) -> object:
        time.sleep(PAUSE)
        return function(*given)

    return later


def start(place: Path, workers: int) -> tuple[int, int]:
    """Work in a new process group; its id, and the pipe on which it names its phases."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.setsid()
    os.close(reading)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.replace, os.rename = slowed(os.replace), slowed(os.rename)
    files.DATA = place  # banks of the tables as well
    try:
        work(place, workers, lambda phase: os.write(writing, f"{PHASES.index(phase)}".encode()) and None)
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def phases(reading: int) -> Iterator[str]:
    """The phases as they are named, until the process ends."""
    while told := os.read(reading, 1):
        yield PHASES[int(told)]


# --- what must hold --------------------------------------------------------------------------------


def whole(path: Path) -> bool:
    """Whether a file is what its name says, from its first byte to its last."""
    try:
        if path.suffix == ".json":
            files.read_json(path)
        elif path.suffix == ".csv":
            return path.read_bytes().endswith(b"\n") and not pd.read_csv(path).empty
        elif path.suffix in (".npy", ".npz"):
            loaded = np.load(path, allow_pickle=False)
            return (
                all(loaded[name].size for name in loaded.files) if path.suffix == ".npz" else loaded.size > 0
            )
        elif path.suffix == ".jpg":
            content = path.read_bytes()
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            return content.endswith(b"\xff\xd9") and image is not None
    except Exception as error:
        print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True


def look(place: Path) -> Found:
    """Read every file below ``place``; a clip's folder must hold all its frames."""
    paths = [path for path in place.rglob("*") if path.is_file() and path.name != ".lock"]
    hidden = [path for path in paths if any(part[0] == "." for part in path.relative_to(place).parts)]
    final = sorted(set(paths) - set(hidden))
    wrong = [path for path in final if not whole(path)]
    plans = {clip.clip: clip.offset - clip.onset + 1 for clip in synthetic.plan(CLIPS)}
    for folder in (place / "data" / "frames").glob("*/*"):
        count = len(list(folder.iterdir()))
        if count != plans[folder.relative_to(place / "data" / "frames").as_posix()]:
            wrong.append(folder)
    aside = [path for path in hidden if not path.name.endswith(".lock")]
    return Found(len(final), len(wrong), len(aside), len(fold_times(place)))


def fold_times(place: Path) -> dict[Path, int]:
    """When each finished fold was written."""
    return {path: path.stat().st_mtime_ns for path in place.rglob("folds/seed*.json")}


def digests(place: Path) -> dict[str, str]:
    """The content of all that must not depend on kills: frames, annotation, banks, predictions, scores."""
    names = [
        "data/*.csv",
        "data/truth.json",
        "data/frames/*/*/*.jpg",
        "run/predictions.csv",
        "run/metrics.json",
    ]
    paths = sorted(path for name in [*names, "rows/*/predictions.csv"] for path in place.glob(name))
    found = {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }
    banks = {hashlib.sha256(path.read_bytes()).hexdigest() for path in place.glob("banks/*.npy")}
    return {**found, "banks": " ".join(sorted(banks))}


# --- the rounds ------------------------------------------------------------------------------------


def undisturbed(place: Path) -> tuple[dict[str, str], dict[str, float]]:
    """The digests of a run that is left alone, and the seconds of each phase."""
    child, reading = start(place, workers=1)
    begun = [(phase, time.monotonic()) for phase in phases(reading)]
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the undisturbed run failed")
    ends = [*(moment for _, moment in begun[1:]), time.monotonic()]
    return digests(place), {phase: end - since for (phase, since), end in zip(begun, ends, strict=True)}


def killed(place: Path, phase: str, seconds: float, workers: int) -> str:
    """Run until ``seconds`` into ``phase``, then kill; the phase it was in, or "ended" if it was faster."""
    child, reading = start(place, workers)
    current = "start"
    for current in phases(reading):
        if current == phase:
            time.sleep(seconds)
            break
    os.set_blocking(reading, False)
    while told := _read_now(reading):
        current = PHASES[int(told)]
    os.killpg(child, signal.SIGKILL)
    os.close(reading)
    return "ended" if os.waitpid(child, 0)[1] != signal.SIGKILL else current


def _read_now(reading: int) -> bytes:
    try:
        return os.read(reading, 1)
    except BlockingIOError:
        return b""


def one_round(
    number: int,
    folder: Path,
    expected: dict[str, str],
    spans: dict[str, float],
    aims: list[str],
    draw: random.Random,
) -> list[dict]:
    """All kills of a round, and the run at its end; a row of figures for each kill."""
    place = folder / f"round{number}"
    rows = []
    for phase in aims:
        before, seconds = fold_times(place), draw.uniform(0, spans[phase])
        fell = killed(place, phase, seconds, workers=1 + number % 2)
        after = fold_times(place)
        redone = sum(after.get(path) != moment for path, moment in before.items())
        rows.append({"round": number, "aimed_at": phase, "seconds": round(seconds, 3), "fell_into": fell})
        rows[-1].update(look(place)._asdict(), folds_made_anew=redone)
        print(*rows[-1].values(), flush=True)
    before = fold_times(place)
    child, reading = start(place, workers=1)
    list(phases(reading))
    ended = os.waitpid(child, 0)[1] == 0
    redone = sum(fold_times(place)[path] != moment for path, moment in before.items())
    same = digests(place) == expected
    found = look(place)
    rows.append({"round": number, "aimed_at": "none", "fell_into": "ended" if ended else "FAILED"})
    rows[-1].update(found._asdict(), folds_made_anew=redone, same_bytes=same)
    print(*rows[-1].values(), flush=True)
    return rows


def summary(table: pd.DataFrame) -> str:
    """The figures for people."""
    kills = table[~table["fell_into"].isin(["ended", "FAILED"])]
    ends = table[table["aimed_at"] == "none"]
    lines = [
        f"**{len(kills)} kills in {len(ends)} rounds, on tiny synthetic clips**\n",
        "| phase | kills | files looked at | half written | left aside | folds made anew |",
        "|---|---|---|---|---|---|",
    ]
    for phase in ("start", *PHASES):
        part = kills[kills["fell_into"] == phase]
        if len(part):
            sums = part[["files", "half_written", "aside", "folds_made_anew"]].sum().astype(int)
            lines.append(f"| {phase} | {len(part)} | {' | '.join(map(str, sums))} |")
    lines.append(
        f"\nRounds that ended with the bytes of the undisturbed run: {int(ends['same_bytes'].sum())} of "
        f"{len(ends)}. "
        f"Remains of killed writers after the last run of a round: {int(ends['aside'].sum())}, under names "
        "that nothing reads; they go after a day. "
        f"Folds that were finished and made anew: {int(table['folds_made_anew'].sum())}."
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the rounds and keep their figures; 1 if anything was lost, half written or other than expected."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--aims", nargs="+", default=KILLS_A_ROUND, choices=PHASES, help="a kill for each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=files.RESULTS / "reference" / "stress")
    given = parser.parse_args()
    draw = random.Random(given.seed)
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        expected, spans = undisturbed(folder / "undisturbed")
        print({phase: round(span, 2) for phase, span in spans.items()}, flush=True)
        rows = [
            row
            for number in range(given.rounds)
            for row in one_round(number, folder, expected, spans, given.aims, draw)
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = pd.DataFrame(rows)
    files.write_text(given.out / "kills.csv", table.to_csv(index=False))
    print(files.write_text(given.out / "kills.md", summary(table)).read_text())
    ends = table[table["aimed_at"] == "none"]
    lost = table[["half_written", "folds_made_anew"]].to_numpy().sum()
    return int(bool(lost or not ends["same_bytes"].all()))


if __name__ == "__main__":
    training.torch.set_num_threads(1)
    sys.exit(main())
