"""What happens to a clip on its way through a network, layer by layer."""

from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn


def layers(model: nn.Module, phases: int, size: int) -> pd.DataFrame:
    """The parts of ``model`` in the order in which one clip of ``phases`` images meets them, one per row.

    A part is a submodule that the network calls itself: a convolution, a block, a whole backbone. Columns:
    ``part`` (its name), ``kind`` (its class), ``channels`` and ``side`` of what it returns (``side`` in
    pixels; 1 for a vector, whose length is ``channels``) and its number of ``parameters``.
    """
    found: list[dict[str, Any]] = []
    handles = [
        part.register_forward_hook(lambda part, _, output, name=name: found.append(_row(name, part, output)))
        for name, part in _parts(model)
    ]
    device, training = next(model.parameters()).device, model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, phases, 3, size, size, device=device))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return pd.DataFrame([row for row in found if row])


def _parts(model: nn.Module, prefix: str = "") -> list[tuple[str, nn.Module]]:
    """The submodules of ``model``; lists are opened, since a network calls their members."""
    parts = []
    for name, part in model.named_children():
        opened = type(part) in (nn.ModuleList, nn.Sequential) and prefix.count(".") < 1
        parts += _parts(part, f"{prefix}{name}.") if opened else [(f"{prefix}{name}", part)]
    return parts


def _row(name: str, part: nn.Module, output: Any) -> dict[str, Any]:
    """One row; nothing for a part that does not return a tensor."""
    if not isinstance(output, Tensor):
        return {}
    image = output.ndim == 4
    return {
        "part": name,
        "kind": type(part).__name__,
        "channels": output.shape[1 if image else -1],
        "side": output.shape[-1] if image else 1,
        "parameters": sum(parameter.numel() for parameter in part.parameters()),
    }
