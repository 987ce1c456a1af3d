"""Networks that read dynamic images, each built by name with :func:`build`.

Every network takes float images ``[N, P, 3, H, W]`` (N clips, P inputs), returns an :class:`Output` and has
its own ``loss(output, labels, consistency_weight, label_smoothing)``, see :class:`Network`. A class that is
no :class:`Network` but returns logits is wrapped in one, see :mod:`~dianet_utils.models.own_network`.
"""

import importlib
import inspect
from typing import Any

from torch import nn

from dianet_utils.config import OWN, SYSTEMS, Config, System, own_code, system
from dianet_utils.models.cost import Cost, cost
from dianet_utils.models.network import Network
from dianet_utils.models.output import Labels, Output
from dianet_utils.models.own_network import Wrapped, made, own_class, try_network
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
        name: The name of a system, a key of :data:`dianet_utils.config.SYSTEMS`, or "my_file.py:MyNet".
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
    kind = _network(name)
    if _named(name).status == "own":
        network = made(kind, num_classes=num_classes, **given)
    else:
        network = kind(num_classes=num_classes, **given)
    return network if isinstance(network, Network) else Wrapped(network, num_classes)


def build_model(config: Config, num_classes: int) -> Network:
    """The untrained (or pre-trained) network that a configuration names.

    Options are filled from the fields of their names, and ``phases`` with the number of inputs; what a
    system without a choice of backbones settles (:data:`~dianet_utils.config.OWN`) is left to its defaults.
    """
    record, phases = system(config.model), len(config.inputs)
    known = {**vars(config), "phases": phases}
    left = OWN.keys() & record.fixed.keys()
    named = {name: known[name] for name in options(config.model) if name in known and name not in left}
    network = build(config.model, num_classes, **named)
    if record.status == "own":
        try_network(network, own_code.title(config.model), num_classes, phases, config.image_size)
    return network


def options(name: str) -> list[str]:
    """The names of the options that a network can be built with; InputError for an unknown network.

    Its constructor must take ``num_classes``, which is no option.
    """
    kind = _network(name)
    parameters = inspect.signature(kind).parameters
    if "num_classes" not in parameters:
        raise InputError(f"The constructor of {kind.__name__} must take num_classes, the number of scores.")
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = [option for option, parameter in parameters.items() if parameter.kind not in several]
    return [option for option in named if option != "num_classes"]


def status(name: str) -> str:
    """How a system is known: "port", "reconstruction" or "own", see :class:`~dianet_utils.config.System`."""
    return _named(name).status


def _named(name: str) -> System:
    if name not in SYSTEMS and not own_code.is_own(name):
        raise InputError(f"There is no model {name!r}: choose one of {', '.join(sorted(SYSTEMS))}.")
    return system(name)


def _network(name: str) -> type[nn.Module]:
    """The class that a system's record names, or that of the user's own; InputError for no network."""
    if own_code.is_own(name):
        return own_class(own_code.reference(name))
    if _named(name).learner != "network":
        raise InputError(f"{name} is no network but a pipeline: see models.classical.")
    module, _, kind = _named(name).network.partition(":")
    return getattr(importlib.import_module(module), kind)
