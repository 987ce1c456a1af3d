"""Where the time of a training step goes: the operations of torch, largest first."""

from typing import Any

import pandas as pd

from benchmarks import material
from benchmarks.measure import Result, Scale
from dianet_utils.plumbing import machine

SHOWN = 10  # operations of each setting
# Settings by a name for people; the paper's own at the sizes of the scale, then the quick one.
QUICK = "quick setting, 64 px, float32"


def settings(scale: Scale) -> dict[str, Any]:
    """Configurations by name."""
    from dianet_utils.config import configure

    precisions = ["float32"] + ["bfloat16"] * machine.has_bfloat16("cpu")
    paper = {"pretrained": "none", "backbone": scale.backbone, "batch_size": scale.batch}
    named = {
        f"paper's setting, {size} px, {precision}": configure(
            "casme2", image_size=size, precision=precision, **paper
        )
        for size in scale.image_sizes
        for precision in precisions
    }
    return {**named, QUICK: configure("synthetic", batch_size=scale.batch)}


def profile(config: Any, steps: int) -> pd.DataFrame:
    """Self CPU time of each operation in one epoch: ``operation``, ``CPU ms`` per clip, ``share`` in %."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    epoch = material.epoch_of(config, steps)
    epoch()
    with record(activities=[ProfilerActivity.CPU]) as recorded:
        epoch()
    times = {each.key: each.self_cpu_time_total / 1000 for each in recorded.key_averages()}
    table = pd.Series(times).sort_values(ascending=False).rename_axis("operation").reset_index(name="ms")
    clips = steps * config.batch_size
    return pd.DataFrame(
        {
            "operation": table["operation"],
            "CPU ms": table["ms"] / clips,
            "share, %": 100 * table["ms"] / table["ms"].sum(),
        }
    )


def run(scale: Scale) -> Result:
    """One profiled epoch of each setting."""
    parts = [
        profile(config, scale.steps).head(SHOWN).assign(setting=name)
        for name, config in settings(scale).items()
    ]
    table = pd.concat(parts)[["setting", "operation", "CPU ms", "share, %"]].set_index("setting")
    notes = [
        f"DIANet with {scale.backbone}, batches of {scale.batch}, {scale.steps} steps, one thread, measured "
        "once by torch's profiler, which itself takes time.",
        "Self time: what an operation takes without those that it calls.",
        "cross_channel's outer product is torch's fused attention; CHANGELOG says what else was tried.",
    ]
    return Result("operations", "clip", table, pd.DataFrame(), notes)
