"""Training steps, against the loop of the tutorials on the same network and data."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import material, textbook
from benchmarks.measure import Contender, Cost, Result, Scale, interleaved, medians, ratio
from dianet_utils.plumbing import machine


def fast(scale: Scale, size: int, precision: str) -> None:
    """One epoch of the package's loop."""
    material.epoch_of(_config(scale, size, precision), scale.steps)()


@functools.cache
def _plain(scale: Scale, size: int, folder: Path) -> Any:
    import torch

    from dianet_utils import models

    torch.set_num_threads(1)
    model = models.build_model(_config(scale, size, "float32"), 5)
    bank = material.noise_bank(scale.batch * scale.steps, size)
    textbook.write_pngs(bank.images, folder)
    loader = textbook.make_loader(folder, bank.targets.tolist(), scale.batch, scale.loaders)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    return lambda: textbook.train_epoch(model, loader, optimiser)


def plain(scale: Scale, size: int, folder: Path) -> None:
    """One epoch of the textbook's loop."""
    _plain(scale, size, folder)()


def _config(scale: Scale, size: int, precision: str) -> Any:
    from dianet_utils.config import configure

    given = {"image_size": size, "batch_size": scale.batch, "precision": precision}
    return configure("casme2", pretrained="none", backbone=scale.backbone, **given)


def run(scale: Scale) -> Result:
    """The textbook's loop, ours in float32, and ours in bfloat16 where this CPU has it."""
    low = machine.has_bfloat16("cpu")
    costs: dict[str, list[Cost]] = {}
    ratios = []
    for size in scale.image_sizes:
        names = [f"{kind}, {size} px" for kind in ("textbook", "float32", "bfloat16")]
        with tempfile.TemporaryDirectory() as folder:
            contenders = {
                names[0]: Contender(plain, (scale, size, Path(folder)), prepared=False),
                names[1]: Contender(fast, (scale, size, "float32")),
            }
            if low:
                contenders[names[2]] = Contender(fast, (scale, size, "bfloat16"))
            costs |= interleaved(contenders, scale)
        ratios.append(ratio(costs, names[0], names[1], wanted=1.35))
        ratios += [ratio(costs, names[0], names[2], wanted=1.6)] if low else []
    notes = [
        f"DIANet with {scale.backbone}, batches of {scale.batch}, {scale.steps} steps a round, "
        "one torch thread each.",
        f"Textbook: PNG files, DataLoader with {scale.loaders} workers (their CPU time counts), PIL "
        "transforms for each sample, a forward call a stream, contiguous tensors, no allocator settings.",
    ]
    notes += [] if low else ["This CPU does not calculate in bfloat16, so that was not measured."]
    return Result(
        "training", "sample", medians(costs, scale.batch * scale.steps), pd.DataFrame(ratios), notes
    )
