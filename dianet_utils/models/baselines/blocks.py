"""Layers that several of the compared systems share."""

from collections import OrderedDict
from typing import Any

import torch.nn.functional as F  # noqa: N812 (the name that every torch text uses)
from torch import Tensor, nn


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side of ``size`` px under the padding that TensorFlow calls "same".

    The output has ``ceil(size / stride)`` px; what that needs is shared evenly, and an odd one goes to the
    end. So a 3x3 kernel at stride 2 on an even side pads (0, 1): symmetric padding samples other pixels.
    """
    needed = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return needed // 2, needed - needed // 2


class SameConv(nn.Conv2d):
    """A convolution, stride 2 unless given, with the padding of :func:`same_padding` on every side."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 2):
        super().__init__(inputs, outputs, kernel, stride)

    def forward(self, images: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, ceil(H / stride), ceil(W / stride)]."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        height, width = (same_padding(side, kernel, stride) for side in images.shape[-2:])
        return super().forward(F.pad(images, (*width, *height)))


def keras_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as in Keras (eps 1e-3), save that the running averages keep 0.9 per step, not 0.99.

    A fold here has 200 to 350 steps, after which 0.99 still holds 13 to 3 % of the values that the averages
    start from. What is learnt is the same, but predictions, which use the averages, suffer: after 40 steps
    OrigiNet did not even know its training clips again.
    """
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)


def initialise_as_keras(module: nn.Module) -> None:
    """Weights as the defaults of Keras draw them: Glorot's uniform distribution, biases 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def conv_norm_relu(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU; symmetric padding that keeps ceil(H / stride)."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def classifier(inputs: int, hidden: int, dropout: float, num_classes: int) -> nn.Sequential:
    """Dropout, linear, ReLU, dropout, linear: [N, inputs] to logits [N, num_classes]."""
    layers: dict[str, Any] = {
        "dropout": nn.Dropout(dropout),
        "first": nn.Linear(inputs, hidden),
        "relu": nn.ReLU(),
        "second": nn.Linear(hidden, num_classes),
    }
    return nn.Sequential(OrderedDict(layers))
