"""One typed configuration: what determines the numbers of a run, with the paper's defaults.

A notebook's parameters cell holds the same names. A parameter left at ``None`` takes the default of
the dataset: the paper's settings for the licensed datasets (:data:`PAPER_DEFAULTS`), a measured
quick setting for the synthetic one (:data:`QUICK_DEFAULTS`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from dianet_utils import paper
from dianet_utils.checks import Check, Choice, Flag, Names, Number, Text, Whole, check_all

PHASES = ("whole", "onset", "offset")
FUSIONS = ("cross_channel", "cross_tokens", "cross_spatial", "cross_single_token", "simple", "concat")


@dataclass(frozen=True)
class Config:
    """Everything that determines the predictions of a fold, apart from its clips and its seed."""

    dataset: str
    # the dynamic images
    inputs: tuple[str, ...]  # one phase a stream
    image_size: int  # pixels, square
    weighting: str  # of the frames: arp (Eq. 1-3), harmonic, rank
    temporal: int | None  # frames after temporal normalisation; None: as recorded
    scaling: str  # of a dynamic image: minmax, signed
    # the model
    model: str
    backbone: str  # a timm name
    fusion: str
    streams: str  # shared or dedicated backbones
    pretrained: str  # none, imagenet, or a .safetensors file
    dropout: float
    hidden: int  # units of the first fully connected layer
    # the loss (Eq. 4-5)
    consistency_weight: float
    label_smoothing: float
    # the training
    optimiser: str
    learning_rate: float
    weight_decay: float
    schedule: str
    batch_size: int
    epochs: int
    patience: int  # epochs without a better validation loss before the fold stops
    validation: str
    flip: bool
    degrees: float

    def as_json(self) -> dict[str, Any]:
        """The configuration as JSON types (a tuple becomes a list)."""
        return json.loads(json.dumps(asdict(self)))

    def digest(self, *more: str) -> str:
        """Eight hexadecimal digits that name this configuration together with ``more``."""
        text = json.dumps([self.as_json(), *more], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


# How each parameter is checked; the fields of Config first, then where and how much is run.
CHECKS: dict[str, Check] = {
    "dataset": Choice("synthetic", *paper.DATASETS),
    "inputs": Names(PHASES),
    "image_size": Whole(16, 1024),
    "weighting": Choice("arp", "harmonic", "rank"),
    "temporal": Whole(2, 1000, optional=True),
    "scaling": Choice("minmax", "signed"),
    "model": Choice("dianet"),
    "backbone": Text(),
    "fusion": Choice(*FUSIONS),
    "streams": Choice("shared", "dedicated"),
    "pretrained": Text(),
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
    "validation": Choice("held_out", "none"),
    "flip": Flag(),
    "degrees": Number(0.0, 180.0),
}

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
    # From here on the paper is silent: our reading, each open to a parameter.
    "pretrained": "imagenet",
    "dropout": 0.5,
    "hidden": 256,
    "consistency_weight": 0.1,
    "label_smoothing": 0.0,
    "weight_decay": 0.0,
    "schedule": "constant",
    "patience": 10,
    "validation": "held_out",
}

# Chosen on other synthetic subjects than the default dataset's: about two minutes on two cores.
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
}


def defaults(dataset: str) -> dict[str, Any]:
    """The defaults of every field but ``dataset``, for a dataset by name."""
    return dict(QUICK_DEFAULTS if dataset == "synthetic" else PAPER_DEFAULTS)


def configure(dataset: str = "synthetic", **given: Any) -> Config:
    """A checked configuration; ``None`` for a field means the default of the dataset.

    Raises :class:`~dianet_utils.errors.InputError` naming every wrong parameter at once.
    """
    named = {"dataset": dataset, **{name: value for name, value in given.items() if value is not None}}
    checked = check_all(named, {field.name: CHECKS[field.name] for field in fields(Config)})
    values: Mapping[str, Any] = {**defaults(checked["dataset"]), **checked}
    return Config(**values)
