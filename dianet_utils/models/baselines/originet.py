"""OrigiNet: two paths with fine and coarse kernels over the active image of a clip."""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from dianet_utils.models.baselines.blocks import SameConv, initialise_as_keras, keras_norm
from dianet_utils.models.network import Network, check_images
from dianet_utils.models.output import Output


def refined_relu(values: Tensor) -> Tensor:
    """``s(x) + s(x) LeakyReLU(x)``, with s the sigmoid and a slope of 0.1 below 0; elementwise."""
    return torch.sigmoid(values) * (1 + leaky_relu(values, 0.1))


class OrigiNet(Network):
    """Verma, Vipparthi and Singh, "Non-linearities improve OrigiNet based on active imaging for micro
    expression recognition", IJCNN 2020, arXiv 2005.07991. A port: 1,872,613 trainable parameters for 5
    classes.

    Images [N, 1, 3, 128, 128], the grey active image three times over. All convolutions are "same" with
    stride 2, then :func:`refined_relu` (R).

    stages of 16, 32 and 64 channels: R(3x3) + R(5x5) -> BN;
    fine path: R(3x3, 96) of the third stage after its BN; coarse path: R(5x5, 96) of its sum *before* the
    BN, an asymmetry of the original, kept; each path -> flatten (6144) -> linear 128;
    the two concatenated (256) -> linear. No dropout.

    Not published, and taken from this package: the optimiser and its settings. Ours too: the running averages
    of the BNs (:func:`~dianet_utils.models.baselines.blocks.keras_norm`), and how the active image is
    rescaled, which is like any other image here (``scaling``); how the original brings its sums to pixel
    values is not known to us. ``image_size`` other than 128 changes the number of weights after the
    flattening.
    """

    def __init__(self, num_classes: int, image_size: int = 128):
        super().__init__()
        self.image_size = image_size
        widths = [(3, 16), (16, 32), (32, 64)]
        self.fine = nn.ModuleList(SameConv(*width, 3) for width in [*widths, (64, 96)])
        self.coarse = nn.ModuleList(SameConv(*width, 5) for width in [*widths, (64, 96)])
        self.norms = nn.ModuleList(keras_norm(outputs) for _, outputs in widths)
        side = -(-image_size // 16)  # four convolutions halve it, rounding up
        self.fine_end, self.coarse_end = (nn.Linear(96 * side**2, 128) for _ in range(2))
        self.classifier = nn.Linear(256, num_classes)
        initialise_as_keras(self)

    def forward(self, images: Tensor) -> Output:
        """Images [N, 1, 3, S, S] to logits [N, C] and features [N, 1, 256]."""
        check_images("OrigiNet", images, 1, self.image_size)
        normed = added = images[:, 0]
        for fine, coarse, norm in zip(self.fine[:3], self.coarse[:3], self.norms, strict=True):
            added = refined_relu(fine(normed)) + refined_relu(coarse(normed))
            normed = norm(added)
        ends = (
            self.fine_end(refined_relu(self.fine[3](normed)).flatten(1)),
            self.coarse_end(refined_relu(self.coarse[3](added)).flatten(1)),
        )
        features = torch.cat(ends, dim=1)
        return Output(self.classifier(features), features[:, None])
