"""What a network costs: its parameters, and the arithmetic of one clip."""

from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


class Cost(NamedTuple):
    """``parameters``: trainable and fixed weights. ``flops``: of one clip forward, a multiply-add as two."""

    parameters: int
    flops: int


def cost(model: nn.Module, phases: int, size: int) -> Cost:
    """Count the parameters of ``model`` and the FLOPs of one clip of ``phases`` images ``size`` px square.

    torch's counter sees convolutions and matrix products, and nothing elementwise (norms, activations), so
    published counts agree to a few per cent; papers that count multiply-adds print half.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, phases, 3, size, size, device=device))
    model.train(training)
    return Cost(parameters, counter.get_total_flops())
