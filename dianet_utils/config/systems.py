"""One record per system: what there is to know about it before its network, and torch, are loaded.

A new system is one record here and the class that it names; nothing else lists systems.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class System:
    """A system that can be run by name.

    ``network`` is its class as "module:Class"; where ``learner`` is "estimator" it is the function that makes
    a scikit-learn pipeline. ``status`` says how a system is known: a "port" has the layers of its authors'
    public code; of a "reconstruction" only a description is public, and its docstring names what was assumed;
    a "rival" is a plain method to compare with, and "own" is the user's. ``inputs`` are what it reads unless
    told otherwise, None for the dataset's default, and ``counts`` how many of them it takes, None for any
    number. ``fixed`` maps what it settles itself to its one value; ``defaults`` differ from the dataset's and
    may be changed, those of ``quick`` on synthetic clips alone. ``gender``: it also learns the gender of the
    training subjects.
    """

    network: str
    status: Literal["port", "reconstruction", "rival", "own"]
    learner: Literal["network", "estimator"] = "network"
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
    "frozen": False,
    "consistency_weight": 0.0,
}
# What a system settles itself that makes up for rare or easy clips in a way of its own, or in none.
UNWEIGHTED: dict[str, Any] = {"class_weights": False, "focal_gamma": 0.0, "balanced": False}
_BASELINES = "dianet_utils.models.baselines"


def _rival(
    function: str,
    inputs: tuple[str, ...] | None = None,
    counts: tuple[int, ...] = (1,),
    image_size: int = 24,
) -> System:
    """A pipeline of ``models/classical.py``: no epoch is chosen, so nobody validates and all others train."""
    return System(
        f"dianet_utils.models.classical:{function}",
        "rival",
        "estimator",
        inputs,
        counts,
        fixed={**OWN, **UNWEIGHTED, "dropout": 0.0, "hidden": 1, "mirrored": False},
        defaults={"image_size": image_size, "scaling": "signed", "validation": "none"},
    )


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
        fixed={**OWN, **UNWEIGHTED},  # its loss is focal and weighted as it is
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
    "one_stream": System(
        "dianet_utils.models.one_stream:OneStream",
        "reconstruction",
        counts=(1, 2),
        fixed={"fusion": "own", "streams": "own", "consistency_weight": 0.0},
    ),
    "linear_svm": _rival("linear_svm", counts=(1, 2, 3)),
    "logistic": _rival("logistic_regression", counts=(1, 2, 3)),
    "bi_woof": _rival("bi_woof_svm", ("flow",), image_size=112),
    "optical_strain": _rival("optical_strain_svm", ("flow",), image_size=48),
    "lbp_top": _rival("lbp_top_svm", ("lbp_top",), image_size=64),
    "dianet": System("dianet_utils.models.dianet:DIANet", "reconstruction", counts=(1, 2)),
}


def system(model: object) -> System:
    """The record of a system by name; any other network is the user's own, and all of those are alike."""
    return SYSTEMS.get(str(model)) or System(str(model), "own", counts=None, fixed=OWN)
