"""How every setting is checked, and its defaults: the paper's, and quick ones for two cores.

A notebook's parameters cell holds the same names. A parameter left at ``None`` takes the default of
the setting: ``paper``, the paper's (:data:`PAPER_DEFAULTS`), or ``quick``, a measured one for two cores
(:data:`QUICK_DEFAULTS`); and over it that of the system (:mod:`~dianet_utils.config.systems`). Where no
setting is named, synthetic clips take the quick one, licensed datasets and tables of the user's own the
paper's.
"""

from collections.abc import Collection
from typing import Any

from dianet_utils import paper
from dianet_utils.config import own_code
from dianet_utils.config.checks import (
    Check,
    Choice,
    Dataset,
    Flag,
    Names,
    Number,
    Place,
    Split,
    Text,
    Whole,
    Wholes,
    near_match,
)
from dianet_utils.config.choices import FUSIONS, INPUTS, LOSO, SCALINGS, STREAMS, VALIDATIONS, WEIGHTINGS
from dianet_utils.config.systems import SYSTEMS, system


class Code:
    """One of a few names, or code of the user's own: "my_file.py:MyClass", or the class itself."""

    def __init__(self, names: Collection[str]):
        self.names = names

    def __call__(self, value: Any) -> str:
        """The name, or the reference of the code, see :mod:`~dianet_utils.config.own_code`."""
        if isinstance(value, str) and value in self.names:
            return value
        if own_code.is_own(value):
            return own_code.reference(value)
        named = f"one of {', '.join(self.names)}, or a class of your own as my_file.py:MyClass"
        raise ValueError(f"{named}{near_match(str(value), self.names)}")


# How the fields of Config are checked, and the name of the defaults that they have.
CHECKS: dict[str, Check] = {
    "setting": Choice("paper", "quick"),
    "dataset": Dataset(paper.TITLES),
    "inputs": Names(INPUTS),
    "image_size": Whole(16, 1024),
    "weighting": Choice(*WEIGHTINGS),
    "temporal": Whole(2, 1000, optional=True),
    "scaling": Choice(*SCALINGS),
    "model": Code(SYSTEMS),
    "backbone": Text(),
    "fusion": Code(FUSIONS),
    "streams": Choice(*STREAMS),
    "pretrained": Place(),
    "dropout": Number(0.0, 0.95),
    "hidden": Whole(1, 8192),
    "consistency_weight": Number(0.0, 1000.0),
    "label_smoothing": Number(0.0, 0.9),
    "optimiser": Choice("adam", "adamw"),
    "learning_rate": Number(1e-8, 10.0),
    "weight_decay": Number(0.0, 10.0),
    "schedule": Choice("constant", "one_cycle"),
    "batch_size": Whole(2, 4096),
    "epochs": Whole(1, 10_000),
    "patience": Whole(1, 10_000),
    "validation": Choice(*VALIDATIONS),
    "flip": Flag(),
    "degrees": Number(0.0, 180.0),
    "apex_jitter": Whole(0, 100),
    "precision": Choice("float32", "bfloat16"),
    "split": Split(),
    "mirrored": Flag(),
    "frozen": Flag(),
    "class_weights": Flag(),
    "focal_gamma": Number(0.0, 10.0),
    "balanced": Flag(),
}

# What is run, and where: none of it changes the numbers of a fold.
WHERE_CHECKS: dict[str, Check] = {
    "seeds": Wholes(0, 2**31 - 1),
    "max_folds": Whole(1, 10_000, optional=True),
    "workers": Whole(0, 256),
    "device": Choice("auto", "cpu", "cuda", *(f"cuda:{index}" for index in range(16))),
}

# Which of the settings is printed, our interpretation or ours: paper.BASIS.
PAPER_DEFAULTS: dict[str, Any] = {
    **paper.PROTOCOL,
    "inputs": ("onset", "offset"),
    "weighting": "arp",
    "temporal": None,
    "scaling": "minmax",
    "model": "dianet",
    "backbone": "tf_efficientnetv2_b0",
    "fusion": "cross_channel",
    "streams": "shared",
    "pretrained": "imagenet",
    "dropout": 0.5,
    "hidden": 256,
    "consistency_weight": 0.1,
    "label_smoothing": 0.0,
    "weight_decay": 0.0,
    "schedule": "constant",
    "patience": 10,
    "validation": "held_out",
    "apex_jitter": 0,
    "precision": "float32",
    "split": LOSO,
    "mirrored": False,
    "frozen": False,
    "class_weights": False,
    "focal_gamma": 0.0,
    "balanced": False,
}

# Chosen on synthetic people that no result is about (seeds 201 to 203), for two cores. Nobody validates: the
# rate ends near 0, the last epoch was as good a choice as any that four people could make, and so they train.
QUICK_DEFAULTS: dict[str, Any] = {
    **PAPER_DEFAULTS,
    "image_size": 64,
    "scaling": "signed",
    "backbone": "test_efficientnet",
    "pretrained": "none",
    "dropout": 0.3,
    "label_smoothing": 0.05,
    "optimiser": "adamw",
    "learning_rate": 2e-3,
    "weight_decay": 0.05,
    "schedule": "one_cycle",
    "epochs": 30,
    "patience": 30,
    "validation": "none",
    "mirrored": True,
}


def setting_of(dataset: str, setting: str | None = None) -> str:
    """The name of the defaults, ``paper`` or ``quick``: the one given, or else that of the dataset."""
    return setting or ("quick" if dataset == "synthetic" else "paper")


def defaults(dataset: str, model: str = "dianet", setting: str | None = None) -> dict[str, Any]:
    """The defaults of every field but ``dataset``, for a dataset, a system and a setting by name."""
    quick, record = setting_of(dataset, setting) == "quick", system(model)
    return {
        **(QUICK_DEFAULTS if quick else PAPER_DEFAULTS),
        "model": model,
        **({"inputs": record.inputs} if record.inputs else {}),
        **record.defaults,
        **(record.quick if quick else {}),
        **record.fixed,
    }
