"""Networks that read dynamic images, each built by name with :func:`build`.

Every network takes float images ``[N, P, 3, H, W]`` (N clips, P phases) and returns an :class:`Output`.
"""

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from dianet_utils.errors import InputError
from dianet_utils.models.cost import Cost, cost
from dianet_utils.models.dianet import DIANet
from dianet_utils.models.output import Output

__all__ = ["MODELS", "Cost", "Output", "build", "cost"]

MODELS: dict[str, Callable[..., nn.Module]] = {"dianet": DIANet}


def build(name: str, num_classes: int, **options: Any) -> nn.Module:
    """A network by name, with ``num_classes`` logits; ``options`` are those of its class.

    Random weights come from torch's global generator: call ``torch.manual_seed`` first for the same ones.
    Raises InputError for a name or an option that does not exist, and whatever the network refuses.
    """
    if name not in MODELS:
        raise InputError(f"There is no model {name!r}: choose one of {', '.join(sorted(MODELS))}.")
    known = [option for option in inspect.signature(MODELS[name]).parameters if option != "num_classes"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InputError(f"Model {name!r} has no option {', '.join(unknown)}: it has {', '.join(known)}.")
    return MODELS[name](num_classes, **options)
