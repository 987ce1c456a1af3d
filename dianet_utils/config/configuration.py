"""One typed configuration: what determines the numbers of a run, with the paper's defaults.

A notebook's parameters cell holds the same names. A parameter left at ``None`` takes the default of
the setting: ``paper``, the paper's (:data:`PAPER_DEFAULTS`), or ``quick``, a measured one for two cores
(:data:`QUICK_DEFAULTS`); and over it that of the system (:mod:`~dianet_utils.config.systems`). Where no
setting is named, synthetic clips take the quick one, licensed datasets and tables of the user's own the
paper's.
"""

import functools
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dianet_utils import paper
from dianet_utils.config import own_code
from dianet_utils.config.checks import (
    Check,
    Choice,
    Dataset,
    Flag,
    Names,
    Number,
    Split,
    Text,
    Whole,
    check_all,
    near_match,
)
from dianet_utils.config.choices import (
    FUSIONS,
    INPUTS,
    LEAKY,
    LOSO,
    PHASES,
    SCALINGS,
    STREAMS,
    VALIDATIONS,
    WEIGHTINGS,
)
from dianet_utils.config.own_tables import short_name
from dianet_utils.config.systems import SYSTEMS, system
from dianet_utils.config.weight_packages import installed, package_of
from dianet_utils.plumbing.errors import InputError


@dataclass(frozen=True)
class Config:
    """Everything that determines the predictions of a fold, apart from its clips and its seed.

    A field with a default here is an addition: at that default it stays out of the JSON, and so out of the
    name of a run, which keeps every run that was made before the field existed.
    """

    dataset: str  # a short name: of a table of the user's own ``own-<its file's name>``
    # the dynamic images
    inputs: tuple[str, ...]  # one per stream
    image_size: int  # pixels, square
    weighting: str  # of the frames: arp (Eq. 1-3), harmonic, rank
    temporal: int | None  # frames after temporal normalisation; None: as recorded
    scaling: str  # of a dynamic image: minmax, signed
    # the model
    model: str  # a name in SYSTEMS, or the reference of a network of the user's own
    backbone: str  # a timm name
    fusion: str  # a name in FUSIONS, or the reference of a block of the user's own
    streams: str  # shared or dedicated backbones
    pretrained: str  # none, imagenet, package (of weight_packages.py), or a .safetensors file
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
    validation: str  # held_out, none, or test_subject, which is leaky
    flip: bool
    degrees: float
    # additions
    apex_jitter: int = 0  # frames by which training moves the apex of each clip in each epoch
    precision: str = "float32"  # of convolutions and matrix products; bfloat16 where the device has it
    split: str = LOSO  # into folds: loso, kfold:N (groups of subjects), or column:NAME (of the clip table)
    mirrored: bool = False  # test each clip and its mirror image, and average the probabilities
    frozen: bool = False  # training leaves the backbone as it was pretrained; its projection learns
    class_weights: bool = False  # in the loss, a clip counts by the inverse of its class's training clips
    focal_gamma: float = 0.0  # of the focal loss; 0 is cross-entropy
    balanced: bool = False  # an epoch draws as many training clips of each class

    @property
    def leaky(self) -> bool:
        """Whether the subject that tests also chooses the epoch: such a run says nothing about new people."""
        return self.validation == LEAKY

    @property
    def first_candidate(self) -> int:
        """The first epoch, from 0, that validation may choose: under one_cycle the one in the middle.

        Before it the rate is too high for the weights to settle, and the least validation loss is often that
        of a network which has learnt nothing.
        """
        return self.epochs // 2 if self.schedule == "one_cycle" and not self.leaky else 0

    @property
    def split_name(self) -> str:
        """The split as a part of file names, such as "kfold-5"; "" for leave-one-subject-out."""
        return "" if self.split == LOSO else quote(self.split.replace(":", "-", 1), safe="")[:60]

    @property
    def weights_package(self) -> str | None:
        """The package that the weights of the backbone come with; None where another place is named."""
        return package_of(self.backbone) if self.pretrained == "package" else None

    @property
    def uses_gender(self) -> bool:
        """Whether the system learns the gender of the training subjects as well."""
        return system(self.model).gender

    @property
    def sources(self) -> dict[str, own_code.Source]:
        """The sources of the user's own code that this names, for other processes to know."""
        return own_code.sources(self.model, self.fusion)

    def as_json(self) -> dict[str, Any]:
        """The configuration as JSON types (a tuple becomes a list), without additions at their default.

        A file of weights is named by its content, wherever it lies. Where held-out subjects choose the epoch,
        the number of the rule by which they choose is told too.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if _is_path(self.pretrained):
            values["pretrained"] = f"{_BY_CONTENT}{_sha256(weights_file(self.pretrained))}"
        told = {f.name: values[f.name] for f in fields(self) if values[f.name] != f.default}
        rule = {_RULE: CHOICE_OF_EPOCH} if self.validation == "held_out" else {}
        return json.loads(json.dumps({**told, **rule}))

    def digest(self, *more: str) -> str:
        """Eight hexadecimal digits that name this configuration together with ``more``."""
        text = json.dumps([self.as_json(), *more], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


_RULE = "choice_of_epoch"
CHOICE_OF_EPOCH = 2  # raise it when held-out subjects would choose other epochs; 1 had all of the loss, Eq. 5
_BY_CONTENT = "safetensors sha256:"  # how the JSON of a configuration names a file of weights


def _is_path(pretrained: str) -> bool:
    return pretrained not in ("none", "imagenet", "package", "own") and not pretrained.startswith(_BY_CONTENT)


def weights_file(pretrained: str) -> Path:
    """The ``.safetensors`` file that ``pretrained`` names; raises InputError if it is none."""
    path = Path(pretrained).expanduser()
    if path.suffix != ".safetensors" or not path.is_file():
        raise InputError(
            f"pretrained={pretrained!r} is no .safetensors file that exists: connect to the network and set "
            'pretrained="imagenet", or give the path of a .safetensors file, or set pretrained="none".'
        )
    return path


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _digest_of(path.resolve(), stat.st_size, stat.st_mtime_ns)


@functools.cache
def _digest_of(path: Path, size: int, time: int) -> str:
    """SHA-256 of a file, read once as long as its size and time stay as given."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


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

# Which of them is printed, our reading or ours: paper.BASIS.
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


def configure(dataset: str = "synthetic", setting: str | None = None, **given: Any) -> Config:
    """A checked configuration.

    Args:
        dataset: The name of the dataset, which chooses the defaults, or a file with a table of clips: the
            configuration holds its short name.
        setting: ``paper`` or ``quick``: which defaults; None for those of the dataset.
        **given: Fields of :class:`Config`; None means the default of the setting and the model. ``model`` and
            ``fusion`` also take code of the user's own, as "my_file.py:MyClass" or as the class itself.

    Returns:
        The configuration.

    Raises:
        InputError: Naming every wrong parameter at once, then all that does not go together, such as a
            backbone for a system that has its own, and then a package of weights that is not installed.

    Example:
        >>> from dianet_utils.config import configure
        >>> configure("casme2", epochs="3").epochs, configure("casme2").image_size, configure().image_size
        (3, 224, 64)
        >>> configure("synthetic", setting="paper").backbone
        'tf_efficientnetv2_b0'
        >>> configure(fusion="cross_token", dropout=2)  # doctest: +NORMALIZE_WHITESPACE
        Traceback (most recent call last):
            ...
        dianet_utils.plumbing.errors.InputError: parameter fusion is 'cross_token' but must be one of
        cross_channel, cross_tokens, cross_spatial, cross_single_token, simple, concat, or a class of your
        own as my_file.py:MyClass
        (did you mean 'cross_tokens'?); parameter dropout is 2 but must be a number from 0 to 0.95.
    """
    config = _configured({"dataset": dataset, "setting": setting, **given})
    if config.weights_package:
        installed(config.backbone)
    return config


def _configured(given: Mapping[str, Any]) -> Config:
    """:func:`configure`, whether or not a package of weights is there: what was trained has its own."""
    named = {name: value for name, value in given.items() if value is not None}
    fixed = system(named.get("model", "dianet")).fixed
    asked = {name: value for name, value in named.items() if name not in fixed or value != fixed[name]}
    checked = check_all(asked, CHECKS)
    checked["dataset"] = short_name(checked["dataset"])
    setting = checked.pop("setting", None)
    values = {**defaults(checked["dataset"], checked.get("model", "dianet"), setting), **checked}
    _check_together(values, fixed)
    return Config(**values)


def from_json(values: Mapping[str, Any]) -> Config:
    """The configuration that :meth:`Config.as_json` wrote: absent additions stand at their default there.

    Raises InputError as :func:`configure` does, but needs no package of weights.
    """
    additions = {field.name: field.default for field in fields(Config) if field.default is not MISSING}
    given = {name: value for name, value in values.items() if name != _RULE}
    return _configured({**additions, **given})


def with_model(config: Config, model: Any) -> Config:
    """``config`` for another system: what either of the two settles itself is not carried over."""
    settled = {*system(config.model).fixed, *system(model).fixed}
    kept = {name: value for name, value in vars(config).items() if name not in settled}
    return configure(**{**kept, "model": model})


def _check_together(values: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """One InputError for all that does not go together."""
    model, inputs = own_code.title(values["model"]), values["inputs"]
    counts = system(values["model"]).counts
    wrong = [
        f"{name} is settled by {model} itself ({value!r}): leave it out, not {values[name]!r}"
        for name, value in fixed.items()
        if values[name] != value
    ]
    if counts and len(inputs) not in counts:
        number = " or ".join(map(str, counts))
        wrong.append(f"{model} takes {number} of the inputs, not {len(inputs)} ({', '.join(inputs)})")
    if values["weighting"] != "arp" and not set(inputs) & set(PHASES):
        wrong.append(
            f"weighting {values['weighting']} is for dynamic images ({', '.join(PHASES)}), "
            f"not for {', '.join(inputs)}"
        )
    if values["class_weights"] and values["balanced"]:
        wrong.append("class_weights and balanced both make up for rare classes: set one of them")
    if "pretrained" not in fixed:
        wrong += _wrong_weights(values)
    if wrong:
        raise InputError("; ".join(wrong) + ".")


def _wrong_weights(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with the weights that a backbone is to start from, or to keep."""
    wrong, pretrained = [], values["pretrained"]
    try:
        if pretrained == "package":
            package_of(values["backbone"])
        elif _is_path(pretrained):
            weights_file(pretrained)
    except InputError as error:
        wrong.append(str(error).rstrip("."))
    if values["frozen"] and pretrained == "none":
        wrong.append(
            "frozen keeps the weights of the backbone, which are random with pretrained none: set pretrained "
            "to imagenet, package or a .safetensors file, or leave frozen out"
        )
    return wrong
