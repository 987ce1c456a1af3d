"""One typed configuration: what determines the numbers of a run."""

import functools
import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dianet_utils.config import own_code
from dianet_utils.config.choices import LEAKY, LOSO
from dianet_utils.config.systems import system
from dianet_utils.config.weight_packages import package_of
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
        if is_path(self.pretrained):
            values["pretrained"] = f"{BY_CONTENT}{_sha256(weights_file(self.pretrained))}"
        told = {f.name: values[f.name] for f in fields(self) if values[f.name] != f.default}
        rule = {RULE: CHOICE_OF_EPOCH} if self.validation == "held_out" else {}
        return json.loads(json.dumps({**told, **rule}))

    def digest(self, *more: str) -> str:
        """Eight hexadecimal digits that name this configuration together with ``more``."""
        text = json.dumps([self.as_json(), *more], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


RULE = "choice_of_epoch"
CHOICE_OF_EPOCH = 2  # raise it when held-out subjects would choose other epochs; 1 had all of the loss, Eq. 5
BY_CONTENT = "safetensors sha256:"  # how the JSON of a configuration names a file of weights


def is_path(pretrained: str) -> bool:
    """Whether ``pretrained`` names a file of weights, not a source of them or the digest of a file."""
    return pretrained not in ("none", "imagenet", "package", "own") and not pretrained.startswith(BY_CONTENT)


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
