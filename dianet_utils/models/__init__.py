"""Networks that read dynamic images, each built by name with :func:`build`.

Every network takes float images ``[N, P, 3, H, W]`` (N clips, P inputs), returns an :class:`Output` and has
its own ``loss(output, labels, consistency_weight, label_smoothing)``, see :class:`Network`.
"""

import inspect
from typing import Any

from dianet_utils.errors import InputError
from dianet_utils.models.baselines import FDCN, GEME, AffectiveNet, LEARNet, OrigiNet
from dianet_utils.models.cost import Cost, cost
from dianet_utils.models.dianet import DIANet
from dianet_utils.models.network import Network
from dianet_utils.models.output import Labels, Output

__all__ = ["MODELS", "Cost", "Labels", "Network", "Output", "build", "cost", "options", "status"]

MODELS: dict[str, type[Network]] = {
    "dianet": DIANet,
    "learnet": LEARNet,
    "originet": OrigiNet,
    "affectivenet": AffectiveNet,
    "geme": GEME,
    "fdcn": FDCN,
}


def build(name: str, num_classes: int, **given: Any) -> Network:
    """A network by name, with ``num_classes`` logits; the other arguments are its :func:`options`.

    Random weights come from torch's global generator: call ``torch.manual_seed`` first for the same ones.
    Raises InputError for a name or an option that does not exist, and whatever the network refuses.
    """
    known = options(name)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(f"Model {name!r} has no option {', '.join(unknown)}: it has {', '.join(known)}.")
    return MODELS[name](num_classes, **given)


def options(name: str) -> list[str]:
    """The names of the options that a network can be built with; InputError for an unknown network."""
    return [option for option in inspect.signature(_named(name)).parameters if option != "num_classes"]


def status(name: str) -> str:
    """How a network is known: ``"port"`` or ``"reconstruction"``, see :class:`Network`."""
    return _named(name).STATUS


def _named(name: str) -> type[Network]:
    if name not in MODELS:
        raise InputError(f"There is no model {name!r}: choose one of {', '.join(sorted(MODELS))}.")
    return MODELS[name]
