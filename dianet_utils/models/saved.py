"""A trained model in a folder: weights, what it was trained with, and a card that says what it is for.

The folder holds ``model.safetensors`` (the weights), ``model.json`` (configuration, classes, what it was
trained on, and the hash of the weights) and ``MODEL_CARD.md`` for people. Nothing in it is a pickle. A
network or a fusion block of the user's own adds ``own_code.py``, its source, which runs only where trusted.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dianet_utils.config import Config, from_json, own_code
from dianet_utils.models.model_card import model_card
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import read_json, shown, write_bytes, write_json, write_text

if TYPE_CHECKING:
    from dianet_utils.models import Network

WEIGHTS, NOTE, CARD, CODE = "model.safetensors", "model.json", "MODEL_CARD.md", "own_code.py"
_FORMAT = "dianet-model-1"
_KINDS = {"config": dict, "classes": list, "sha256": str, "about": dict}
_ABOUT = ("trained_on", "synthetic", "clips", "subjects", "data_fingerprint", "loso")


class DamagedModelError(InputError):
    """A saved model of this project that is not whole: saving it again mends it."""


@dataclass(frozen=True)
class Saved:
    """A model read back: the network in evaluation mode on the CPU, and all that is known about it.

    ``classes`` are the emotions in the order of the network's scores. ``about`` has ``trained_on`` (the
    dataset in words), ``synthetic`` (None: not known), ``clips``, ``subjects``, ``data_fingerprint``,
    ``framing`` (a :class:`~dianet_utils.datasets.frames.Framing` as numbers, None where it is not known),
    ``finder`` (of the faces that it refers to; older models lack it, theirs is ``cascade``) and ``loso``: the
    scores of leave-one-subject-out with the same configuration, or None where it was not run.
    """

    folder: Path
    model: "Network"
    config: Config
    classes: tuple[str, ...]
    about: dict[str, Any]


def save(
    folder: str | Path, model: "Network", config: Config, classes: list[str], about: Mapping[str, Any]
) -> Path:
    """Write a model with its card into a folder. The note is written last.

    Args:
        folder: A folder, made if it is not there; what an earlier call wrote is replaced.
        model: The trained network.
        config: The configuration that built it.
        classes: The emotions in the order of the network's scores.
        about: What it was trained on, as in :class:`Saved`.

    Returns:
        The folder.

    Raises:
        InputError: If a file cannot be written.

    Example:
        What is read back gives the same scores.

        >>> from tempfile import TemporaryDirectory
        >>> import torch
        >>> from dianet_utils import models
        >>> from dianet_utils.config import configure
        >>> from dianet_utils.models import saved
        >>> config = configure(backbone="test_efficientnet", image_size=32, hidden=16)
        >>> network = models.build_model(config, 2).eval()
        >>> about = {"trained_on": "nothing", "synthetic": True, "clips": 0, "subjects": 0}
        >>> about |= {"data_fingerprint": "", "framing": None, "loso": None}
        >>> with TemporaryDirectory() as folder:
        ...     place = saved.save(folder, network, config, ["disgust", "surprise"], about)
        ...     names = sorted(path.name for path in place.iterdir())
        ...     kept = saved.load(place)
        >>> names
        ['MODEL_CARD.md', 'model.json', 'model.safetensors']
        >>> images = torch.rand(1, 2, 3, 32, 32)
        >>> torch.equal(network(images).logits, kept.model(images).logits), kept.classes
        (True, ('disgust', 'surprise'))
    """
    from safetensors.torch import save as to_bytes

    folder = Path(folder)
    weights = to_bytes({name: value.cpu().contiguous() for name, value in model.state_dict().items()})
    note = {
        "format": _FORMAT,
        "config": config.as_json(),
        "classes": list(classes),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "about": dict(about),
    }
    write_bytes(folder / WEIGHTS, weights)
    write_text(folder / CARD, model_card(config, classes, about))
    for source in config.sources.values():  # one at most: a network of one's own has no fusion to choose
        write_text(folder / CODE, source.text)
    write_json(folder / NOTE, note)
    return folder


def load(folder: str | Path, trust_code: bool = False) -> Saved:
    """Read the model in a folder that :func:`save` wrote.

    Args:
        folder: The folder, ``model`` of a run folder.
        trust_code: Whether to run the source of somebody's own network that lies in the folder. Without it
            that is run only where this process knows the very same source already, because the user has
            named its file or class.

    Returns:
        The network in evaluation mode on the CPU, and all that is known about it.

    Raises:
        InputError: In one sentence, for what is missing, foreign or damaged.

    Example:
        Read back what was written: see :func:`save`. A folder without a model is refused.

        >>> from tempfile import TemporaryDirectory
        >>> from dianet_utils.models import saved
        >>> with TemporaryDirectory() as folder:
        ...     saved.load(folder)
        Traceback (most recent call last):
            ...
        dianet_utils.plumbing.errors.InputError: ... holds no saved model (model.json is not there): ...
    """
    folder = Path(folder).expanduser()
    note = read_note(folder)
    weights = read_weights(folder, note["sha256"])
    for name in ("model", "fusion"):
        _check_code(folder, str(note["config"].get(name)), trust_code)
    try:
        config = from_json(note["config"])
    except InputError as error:
        raise InputError(
            f"{shown(folder / NOTE)} has settings that this version does not know: {error}"
        ) from None
    model = _rebuild(folder, config, len(note["classes"]), weights)
    return Saved(folder, model, config, tuple(note["classes"]), note["about"])


def load_or_none(folder: Path) -> Saved | None:
    """The model in a folder that trains its own; None where there is none yet, or, with a note, no whole one.

    Raises InputError for what is no model of this version.
    """
    if not (folder / NOTE).is_file():
        return None
    try:
        return load(folder)
    except DamagedModelError as error:
        print(f"{error} It is trained and saved again now.")
        return None


def has_card(kept: Saved) -> bool:
    """Whether the card beside a model says what it must; it is said where it does not."""
    path = kept.folder / CARD
    with contextlib.suppress(OSError, ValueError):
        if path.read_text(encoding="utf-8") == model_card(kept.config, list(kept.classes), kept.about):
            return True
    print(f"{shown(path)} is missing or not the card of this model: it is written again.")
    return False


def read_note(folder: Path) -> dict[str, Any]:
    """What the note in a folder says of its model; InputError where there is none, or it is not whole."""
    if not (folder / NOTE).is_file():
        raise InputError(
            f"{shown(folder)} holds no saved model ({NOTE} is not there): give the folder 'model' of a run, "
            "which notebook 04 writes."
        )
    try:
        note = read_json(folder / NOTE)
    except (OSError, ValueError) as error:
        raise DamagedModelError(
            f"{shown(folder / NOTE)} cannot be read ({error}): save the model again."
        ) from None
    if not isinstance(note, dict) or note.get("format") != _FORMAT:
        raise InputError(f"{shown(folder / NOTE)} describes no model of this project ({_FORMAT}).")
    wrong = [name for name, kind in _KINDS.items() if not isinstance(note.get(name), kind)]
    if wrong := wrong or [name for name in _ABOUT if name not in note["about"]]:
        raise DamagedModelError(f"{shown(folder / NOTE)} lacks {', '.join(wrong)}: save the model again.")
    if len(set(map(str, note["classes"]))) < len(note["classes"]):
        raise DamagedModelError(f"{shown(folder / NOTE)} names a class twice: save the model again.")
    return note


def read_weights(folder: Path, digest: str) -> bytes:
    """The weights in a folder; InputError where their hash is not ``digest``."""
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise DamagedModelError(
            f"Cannot read the weights {shown(folder / WEIGHTS)}: {error.strerror}."
        ) from None
    if hashlib.sha256(weights).hexdigest() != digest:
        raise DamagedModelError(
            f"{shown(folder / WEIGHTS)} is damaged, or not what {NOTE} describes: save the model again."
        )
    return weights


def _check_code(folder: Path, name: str, trusted: bool) -> None:
    """Know the source of own code if ``name`` is a reference; InputError unless it is known or trusted."""
    called, _, digest = name.partition("@")
    if not digest:
        return
    try:
        text = (folder / CODE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DamagedModelError(
            f"Cannot read the source {shown(folder / CODE)} of {called} ({error})."
        ) from None
    if own_code.digest_of(text) != digest:
        raise DamagedModelError(f"{shown(folder / CODE)} is not what {NOTE} describes: save the model again.")
    if trusted:
        own_code.add({digest: own_code.Source(text, shown(folder / CODE))})
    elif not own_code.is_known(name):
        raise InputError(
            f"{shown(folder)} holds code of its own ({CODE}), which runs only if you trust it: read it, and "
            f"load with trust_code=True, or name your own copy first, in configure, as my_file.py:{called}."
        )


def _rebuild(folder: Path, config: Config, num_classes: int, weights: bytes) -> "Network":
    """The network of a configuration with these weights, in evaluation mode."""
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    from dianet_utils.models import build_model

    with machine.own_torch_state("cpu"):  # no weight stays random: all come from the file
        model = build_model(replace(config, pretrained="none"), num_classes)
    try:
        model.load_state_dict(from_bytes(weights))
    except (SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise DamagedModelError(f"{shown(folder / WEIGHTS)} does not fit its settings ({first}).") from None
    return model.eval()
