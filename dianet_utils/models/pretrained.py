"""Backbone weights from the hub, from an installed package or from a file. None of them can run code."""

from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from dianet_utils.config import weights_file
from dianet_utils.config.weight_packages import PACKAGES
from dianet_utils.models.packaged import packaged_file
from dianet_utils.plumbing.errors import InputError


def load(network: Any, name: str, pretrained: str) -> None:
    """Give the timm ``network`` called ``name`` its weights, or raise InputError: never random ones instead.

    ``pretrained``: "none" leaves the random weights; "imagenet" takes timm's published weights from the
    Hugging Face hub (kept in its cache, so the network is needed once); "package" those that an installed
    package brings (:data:`~dianet_utils.config.weight_packages.PACKAGES`); anything else is the path of a
    ``.safetensors`` file of this backbone. The tensors of a classifier are ignored, since DIANet has its own;
    all others must fit one to one.
    """
    if pretrained == "none":
        return
    path = _find(network, name, pretrained)
    _fit(network, name, _read(path), path)


def _find(network: Any, name: str, pretrained: str) -> Path:
    """The safetensors file that holds the weights."""
    if pretrained == "imagenet":
        return _download(network, name)
    return packaged_file(network, name) if pretrained == "package" else weights_file(pretrained)


def _download(network: Any, name: str) -> Path:
    """The weights that timm publishes for ``name``, through the hub's cache."""
    repository = network.pretrained_cfg.get("hf_hub_id")
    if not repository:
        raise InputError(
            f"timm publishes no ImageNet weights for {name!r}: give a local .safetensors file as pretrained, "
            'or set pretrained="none".'
        )
    try:
        return Path(hf_hub_download(repository, "model.safetensors"))
    except Exception as error:  # every HTTP client has its own errors, and all mean the same here
        raise InputError(
            f"The ImageNet weights of {name!r} ({repository}) could not be fetched ({type(error).__name__}): "
            "connect to the network, or give a local .safetensors file as pretrained, "
            f'or set pretrained="package" for the backbones {", ".join(PACKAGES)}, '
            'or set pretrained="none" to train from random weights.'
        ) from error


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name."""
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read as safetensors ({error}): fetch it again.") from error


def _fit(network: Any, name: str, found: dict[str, Tensor], path: Path) -> None:
    """Copy ``found`` into ``network``, or say all that does not fit."""
    classifier = network.pretrained_cfg.get("classifier") or ()
    layers = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    found = {key: value for key, value in found.items() if not key.startswith(tuple(f"{n}." for n in layers))}
    wanted = network.state_dict()
    shared = wanted.keys() & found.keys()
    problems = {
        "missing": sorted(wanted.keys() - found.keys()),
        "unexpected": sorted(found.keys() - wanted.keys()),
        "of another shape": sorted(key for key in shared if wanted[key].shape != found[key].shape),
    }
    listed = [f"{len(keys)} {kind} ({_shown(keys)})" for kind, keys in problems.items() if keys]
    if listed:
        raise InputError(
            f"{path} does not fit the backbone {name!r}: tensors {', '.join(listed)}. "
            "Give the weights of this very backbone."
        )
    network.load_state_dict(found)


def _shown(keys: list[str], most: int = 5) -> str:
    """The first names of many."""
    return ", ".join(keys[:most]) + (", ..." if len(keys) > most else "")
