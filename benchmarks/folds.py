"""Folds side by side: workers against one process, growth with the number of folds, memory of a worker."""

import sys
import tempfile
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import pandas as pd
import psutil

from benchmarks import material
from benchmarks.measure import Contender, Result, Scale, interleaved, medians, ratio
from dianet_utils import loso
from dianet_utils.config import Config, configure
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import worker_processes

CLIPS_A_FOLD, SIZE, BIG = 15, 64, 224
WORKERS = (1, 2)
ROUNDS = 2  # a run takes minutes


def train(bank: Bank, config: Config, folds: int, workers: int) -> None:
    """A run of some folds into a folder of its own."""
    with tempfile.TemporaryDirectory() as out:
        loso.run(bank, config, out, max_folds=folds, workers=workers, device="cpu", shown_progress=False)


def own_memory() -> float:
    """MB that this process alone holds after it has read every image."""
    worker_processes._worker["bank"].images.max()
    return psutil.Process().memory_full_info().uss / 2**20


def memory(scale: Scale, config: Config) -> list[str]:
    """A sentence on what a large bank adds to a worker's own memory; Linux tells it."""
    if sys.platform != "linux":
        return []
    held = []
    for clips in (8, 60 * scale.clips):
        bank = material.noise_bank(clips, BIG)
        with worker_processes.starting(bank, config, "cpu", get_context("spawn").Event()) as start:
            first, second = start(), start()
            for worker in (first, second):  # what both have mapped is no longer one's own
                worker.pool.submit(own_memory).result()
            held.append((bank.images.nbytes / 2**20, first.pool.submit(own_memory).result()))
    (small, little), (large, much) = held
    more = f"{much - little:.1f} MB more of a worker's own memory"
    return [f"A bank of {large:.0f} MB instead of {small:.0f} MB, in two workers: {more}."]


def run(scale: Scale) -> Result:
    """One process against two workers, for each number of folds."""
    most = max(scale.folds)
    bank = material.noise_bank(CLIPS_A_FOLD * most, SIZE, subjects=most)
    given: dict[str, Any] = {"epochs": scale.epochs, "validation": "none"}
    config = configure("synthetic", scaling="minmax", **given)
    names = {
        (folds, workers): f"{folds} folds, {workers} at once" for folds in scale.folds for workers in WORKERS
    }
    contenders = {name: Contender(train, (bank, config, *which)) for which, name in names.items()}
    costs = interleaved(contenders, replace(scale, rounds=min(scale.rounds, ROUNDS)))
    ratios = []
    for folds in scale.folds:
        alone, together = (names[folds, workers] for workers in WORKERS)
        wanted = 1.7 if folds == most else None
        ratios.append(ratio(costs, alone, together, "wall", wanted))
    notes = [
        f"{config.backbone} at {SIZE} px, {scale.epochs} epochs, {len(bank.clips)} clips. Two workers start "
        f"anew each time and load torch, which is part of their time. At most {ROUNDS} rounds count.",
        *memory(scale, config),
    ]
    return Result(
        "folds", "fold", medians(costs, {n: f for (f, _), n in names.items()}), pd.DataFrame(ratios), notes
    )
