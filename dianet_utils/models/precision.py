"""Which parts of a network stay in float32 while the rest calculates in bfloat16."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn


def full_precision(device: torch.device) -> torch.autocast:
    """A context that calculates in float32; without a surrounding autocast it changes nothing."""
    return torch.autocast(device.type, enabled=False)


def keep_in_float32(network: nn.Module) -> None:
    """Let the strided depthwise convolutions of ``network`` calculate in float32 on a CPU.

    Their backward pass in bfloat16 has no fast form in oneDNN: it took sixty times as long as in float32.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.groups > 1 and max(layer.stride) > 1:
            layer.forward = partial(_in_float32, layer.forward)  # type: ignore[method-assign]


def _in_float32(forward: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    with full_precision(images.device):
        return forward(images.float())
