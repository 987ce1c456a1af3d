"""Networks that read dynamic images, each built by name with :func:`build`.

Every network takes float images ``[N, P, 3, H, W]`` (N clips, P inputs), returns an :class:`Output` and has
its own ``loss(output, labels, consistency_weight, label_smoothing)``, see :class:`Network`.
"""

import importlib
import inspect
from typing import Any

from dianet_utils.config import SYSTEMS, Config, System
from dianet_utils.models.cost import Cost, cost
from dianet_utils.models.network import Network
from dianet_utils.models.output import Labels, Output
from dianet_utils.plumbing.errors import InputError

__all__ = [
    "Cost",
    "Labels",
    "Network",
    "Output",
    "build",
    "build_model",
    "cost",
    "options",
    "status",
]


def build(name: str, num_classes: int, **given: Any) -> Network:
    """A network by name.

    Random weights come from torch's global generator: call ``torch.manual_seed`` first for the same ones.

    Args:
        name: The name of a system, a key of :data:`dianet_utils.config.SYSTEMS`.
        num_classes: The number of emotions, each with one logit.
        **given: Options of the network; :func:`options` names them.

    Returns:
        The network, in training mode on the CPU. It maps float images [N, P, 3, H, W] to an :class:`Output`.

    Raises:
        InputError: For a name or an option that does not exist, and for whatever the network refuses.

    Example:
        What a network says of one clip does not depend on the other clips of the batch.

        >>> import torch
        >>> from dianet_utils import models
        >>> _ = torch.manual_seed(0)
        >>> network = models.build("dianet", 5, backbone="test_efficientnet", hidden=16).eval()
        >>> images = torch.rand(3, 2, 3, 32, 32)  # 3 clips, 2 phases
        >>> with torch.inference_mode():
        ...     together, alone = network(images).logits, network(images[:1]).logits
        >>> tuple(together.shape), torch.allclose(together[:1], alone, atol=1e-5)
        ((3, 5), True)
    """
    known = options(name)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(f"Model {name!r} has no option {', '.join(unknown)}: it has {', '.join(known)}.")
    return _network(name)(num_classes, **given)


def build_model(config: Config, num_classes: int) -> Network:
    """The untrained (or pre-trained) network that a configuration names."""
    known = {**vars(config), "phases": len(config.inputs)}
    named = {name: known[name] for name in options(config.model) if name in known}
    return build(config.model, num_classes, **named)


def options(name: str) -> list[str]:
    """The names of the options that a network can be built with; InputError for an unknown network."""
    return [option for option in inspect.signature(_network(name)).parameters if option != "num_classes"]


def status(name: str) -> str:
    """How a system is known: "port" or "reconstruction", see :class:`~dianet_utils.config.System`."""
    return _named(name).status


def _named(name: str) -> System:
    if name not in SYSTEMS:
        raise InputError(f"There is no model {name!r}: choose one of {', '.join(sorted(SYSTEMS))}.")
    return SYSTEMS[name]


def _network(name: str) -> type[Network]:
    """The class that a system's record names; InputError for a system that is no network."""
    if _named(name).learner != "network":
        raise InputError(f"{name} is no network but a pipeline: see models.classical.")
    module, _, kind = _named(name).network.partition(":")
    return getattr(importlib.import_module(module), kind)
