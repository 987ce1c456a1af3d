"""One record per system: what there is to know about it before its network, and torch, are loaded.

A new system is one record here and the class that it names; nothing else lists systems.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class System:
    """A system that can be run by name.

    ``network`` is its class as "module:Class". ``status`` says how far a system of others is known: a "port"
    has the layers of its authors' public code, of a "reconstruction" only a description is public, and its
    docstring names what was assumed; "own" is nobody else's. ``inputs`` are what it reads unless told
    otherwise, None for the dataset's default, and ``counts`` how many of them it takes, None for any number.
    ``fixed`` maps what it settles itself to its one value; ``defaults`` differ from the dataset's and may be
    changed, those of ``quick`` on synthetic clips alone. ``gender``: it also learns the gender of the
    training subjects.
    """

    network: str
    status: Literal["port", "reconstruction", "own"]
    inputs: tuple[str, ...] | None = None
    counts: tuple[int, ...] | None = (1,)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)
    gender: bool = False


# What a system settles itself that has no backbone, fusion or streams to choose.
OWN: dict[str, Any] = {
    "backbone": "own",
    "fusion": "own",
    "streams": "own",
    "pretrained": "none",
    "consistency_weight": 0.0,
}
_BASELINES = "dianet_utils.models.baselines"

# Image sizes are those of the systems' papers where they are known (LEARNet, OrigiNet), else 112 px. Where
# the learning rate of the quick setting does not suit a system, its own was chosen, like that one, on other
# synthetic subjects (24 of seed 301, a third left out at a time): 44 % right instead of 32 (OrigiNet), 32
# instead of 26 (GEME).
SYSTEMS: dict[str, System] = {
    "learnet": System(
        f"{_BASELINES}.learnet:LEARNet",
        "port",
        inputs=("whole",),
        fixed={**OWN, "dropout": 0.5, "hidden": 256},
        defaults={"image_size": 112},
    ),
    "originet": System(
        f"{_BASELINES}.originet:OrigiNet",
        "port",
        inputs=("active",),
        fixed={**OWN, "dropout": 0.0, "hidden": 128},
        defaults={"image_size": 128},
        quick={"learning_rate": 5e-4},
    ),
    "affectivenet": System(
        f"{_BASELINES}.affectivenet:AffectiveNet",
        "reconstruction",
        inputs=("affective",),
        fixed=OWN,
        defaults={"image_size": 112},
    ),
    "geme": System(
        f"{_BASELINES}.geme:GEME",
        "reconstruction",
        inputs=("whole",),
        fixed=OWN,
        defaults={"image_size": 112},
        quick={"learning_rate": 5e-4},
        gender=True,
    ),
    "fdcn": System(
        f"{_BASELINES}.fdcn:FDCN",
        "reconstruction",
        inputs=("flow", "whole"),
        counts=(2,),
        fixed=OWN,
        defaults={"image_size": 112},
    ),
    "dianet": System("dianet_utils.models.dianet:DIANet", "reconstruction", counts=(1, 2)),
}


def system(model: object) -> System:
    """The record of a system by name; any other network is the user's own, and all of those are alike."""
    return SYSTEMS.get(str(model)) or System(str(model), "own", counts=None, fixed=OWN)
