"""What a full reproduction of the paper costs: every network of its tables, on its three datasets.

Measured is the cost of training on one clip at the paper's settings. Scaled from it are hours on two cores:
one person left out at a time, all of 50 epochs (early stopping can only shorten that), without reading clips.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks import material
from benchmarks.measure import Contender, Result, Scale, interleaved, medians, ratio
from dianet_utils import paper
from dianet_utils.plumbing import machine
from dianet_utils.tables import TABLES

CORES = 2
PEOPLE = {"casme2": 26, "samm": 27, "mmew": 30}  # of the clips that selection leaves; MMEW: all that it has
TRAINS = 0.85  # of the clips of those who are not tested; the others validate
# NVIDIA's data sheet of the H100 SXM: dense bfloat16, operations per second.
H100 = 989e12


def networks(image_size: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every published row of the four tables once: a name, and its settings; None: at its own image size."""
    known = []
    for number, table in TABLES.items():
        for row in (row for row in table.rows if row.published):
            settings = dict(row.settings) | ({"image_size": image_size} if image_size else {})
            if (config := _config(settings, "float32", 32)) not in known:
                known.append(config)
                yield f"Table {number}, {row.title}", settings


def _config(settings: dict[str, Any], precision: str, batch: int) -> Any:
    from dianet_utils.config import configure

    given = {"pretrained": "none", "precision": precision, "batch_size": batch}
    return configure(
        "casme2", **{name: value for name, value in (given | settings).items() if value is not None}
    )


def train(scale: Scale, settings: dict[str, Any], precision: str) -> None:
    """One epoch of the package's loop."""
    material.epoch_of(_config(settings, precision, scale.batch), scale.steps)()


def samples(dataset: str) -> float:
    """Clips that all folds and epochs of a dataset train on together."""
    others = paper.EXPECTED[dataset]["clips"] * (PEOPLE[dataset] - 1)
    return TRAINS * others * paper.PROTOCOL["epochs"]


def flops(settings: dict[str, Any]) -> int:
    """Of one clip forward."""
    from dianet_utils import models

    config = _config(settings, "float32", 32)
    return models.cost(models.build_model(config, 5), len(config.inputs), config.image_size).flops


def run(scale: Scale) -> Result:
    """Each network in float32 and, where this CPU has it, in bfloat16; then the hours."""
    precisions = ["float32"] + ["bfloat16"] * machine.has_bfloat16("cpu")
    lines, ratios = [], []
    for name, settings in networks(None if 224 in scale.image_sizes else scale.image_sizes[0]):
        contenders = {p: Contender(train, (scale, settings, p)) for p in precisions}
        costs = interleaved(contenders, scale)
        lines.append(medians(costs, scale.batch * scale.steps).assign(network=name, flops=flops(settings)))
        ratios += [ratio(costs, *precisions) | {"ratio": name}] if len(precisions) > 1 else []
    table = _scaled(pd.concat(lines).reset_index(names="precision"))
    return Result("programme", "clip of training", table, pd.DataFrame(ratios), _notes(table, precisions[-1]))


def _scaled(table: pd.DataFrame) -> pd.DataFrame:
    """Hours on two cores by dataset, and the floor of an H100 in minutes, all for one network's rows."""
    for dataset in paper.DATASETS:
        hours = table["CPU ms"] / 1000 * samples(dataset) / 3600 / CORES
        table[f"{paper.TITLES[dataset]}, h"] = hours
    whole = sum(samples(dataset) for dataset in paper.DATASETS)
    table["H100 floor, min"] = 3 * table.pop("flops") * whole / H100 / 60  # backward: twice the forward pass
    return table.set_index("network")


def _notes(table: pd.DataFrame, precision: str) -> list[str]:
    """What the columns mean, and their sum."""
    hours = table[table["precision"] == precision].filter(like=", h").sum()
    each = ", ".join(f"{name.removesuffix(', h')} {value:.0f} h" for name, value in hours.items())
    counts = ", ".join(f"{paper.TITLES[name]} {PEOPLE[name]}" for name in paper.DATASETS)
    return [
        "Measured: CPU ms, clock ms and peak MB of training on one clip, the paper's settings, one thread.",
        f"Scaled: hours on {CORES} cores, one seed; folds: {counts}; {TRAINS:.0%} of the clips of those who "
        f"are not tested train, {paper.PROTOCOL['epochs']} epochs, no early stopping.",
        f"All rows together in {precision}: {each}.",
        "H100 floor, on paper: three times the forward arithmetic of all three datasets at the data sheet's "
        f"{H100 / 1e12:.0f} TFLOP/s. Memory and the start of each operation make it many times longer.",
        *(["The ratios are of float32 to bfloat16."] if precision == "bfloat16" else []),
    ]
