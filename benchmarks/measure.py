"""Contenders take turns, each in a process of its own, and are compared round by round.

A shared machine drifts, so a ratio is taken between two contenders of one round and the median over
rounds is told, with the smallest and the largest. CPU time counts child processes too.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils.plumbing import machine

_MEGABYTE = 2**20 if sys.platform == "darwin" else 2**10  # the unit of ru_maxrss is bytes on macOS, else kB


@dataclass(frozen=True)
class Scale:
    """How much is measured; ``apart`` runs each contender in a process of its own."""

    rounds: int = 5
    clips: int = 16
    lengths: tuple[int, ...] = (65, 130, 260)  # frames per clip, CASME-II's median first
    image_sizes: tuple[int, ...] = (112, 224)
    batch: int = 32
    steps: int = 3  # of training, a round
    loaders: int = 2  # worker processes of the textbook's DataLoader
    folds: tuple[int, ...] = (4, 16)  # 16: as many as notebook 04 has
    epochs: int = 30
    backbone: str = "tf_efficientnetv2_b0"
    apart: bool = True


QUICK = Scale(
    rounds=2, clips=4, lengths=(65, 130), image_sizes=(112,), batch=16, steps=2, folds=(4,), epochs=20
)


@dataclass(frozen=True)
class Cost:
    """What one round of a contender took: seconds of CPU and of the clock, its process's peak in MB."""

    cpu: float
    wall: float
    memory: float


@dataclass(frozen=True)
class Contender:
    """A task that can be repeated; ``prepared`` processes start as the package's own do."""

    task: Callable[..., object]
    given: tuple[Any, ...] = ()
    prepared: bool = True


@dataclass(frozen=True)
class Result:
    """One benchmark: a median cost a contender per ``unit``, and the ratios."""

    name: str
    unit: str
    costs: pd.DataFrame
    ratios: pd.DataFrame
    notes: list[str] = field(default_factory=list)


def measured(contender: Contender) -> Cost:
    """Run a contender's task once in this process."""
    cpu, wall = _cpu(), time.perf_counter()
    contender.task(*contender.given)
    return Cost(_cpu() - cpu, time.perf_counter() - wall, _peak())


def _peak() -> float:
    """The most memory that this process has held, in MB; what its parent held does not count on Linux."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def interleaved(contenders: Mapping[str, Contender], scale: Scale) -> dict[str, list[Cost]]:
    """The costs of every contender, round by round, after one round that does not count."""
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    with ExitStack() as stack:
        pools = {
            name: stack.enter_context(_pool(contender))
            for name, contender in contenders.items()
            if scale.apart
        }
        for number in range(scale.rounds + 1):
            for name, contender in contenders.items():
                cost = pools[name].submit(measured, contender).result() if pools else measured(contender)
                if number:
                    costs[name].append(cost)
    return costs


def _pool(contender: Contender) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"), _begin, (contender.prepared,))


def _begin(prepared: bool) -> None:
    """In a contender's process: it ends with the one that measures, however that ends."""
    machine.end_with_parent()
    if prepared:
        machine.prepare()


def medians(costs: Mapping[str, list[Cost]], units: Mapping[str, int] | int = 1) -> pd.DataFrame:
    """One row a contender: milliseconds of CPU and of the clock a unit, and peak memory in MB."""
    rows = {}
    for name, rounds in costs.items():
        count = units if isinstance(units, int) else units[name]
        cpu, wall = (statistics.median(getattr(c, clock) for c in rounds) for clock in ("cpu", "wall"))
        rows[name] = (1000 * cpu / count, 1000 * wall / count, max(c.memory for c in rounds))
    columns = ["CPU ms", "clock ms", "peak MB"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("contender")


def ratio(
    costs: Mapping[str, list[Cost]], above: str, below: str, clock: str = "cpu", wanted: float | None = None
) -> dict[str, Any]:
    """How many times the cost of ``below`` the contender ``above`` took, by round: median, least, most."""
    each = [getattr(a, clock) / getattr(b, clock) for a, b in zip(costs[above], costs[below], strict=True)]
    return {
        "ratio": f"{above} / {below}",
        "of": "CPU" if clock == "cpu" else "clock",
        "median": statistics.median(each),
        "least": min(each),
        "most": max(each),
        "wanted": wanted,
    }
