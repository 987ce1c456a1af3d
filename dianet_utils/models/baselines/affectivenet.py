"""AffectiveNet: kernels of four sizes, then blocks that learn from two depths at once."""

import torch
from torch import Tensor, nn

from dianet_utils.models.baselines.blocks import classifier, conv_norm_relu
from dianet_utils.models.network import Network, check_images
from dianet_utils.models.output import Output

KERNELS = (3, 5, 7, 11)


class MICRoFeat(nn.Module):
    """Four streams with kernels of 3, 5, 7 and 11 px, each followed by a 3x3 one, side by side.

    ``[B, 3, H, W] -> [B, 64, H/4, W/4]``: what is tiny and what is coarse in one map.
    """

    def __init__(self) -> None:
        super().__init__()
        self.streams = nn.ModuleList(
            nn.Sequential(conv_norm_relu(3, 8, kernel, 2), conv_norm_relu(8, 16, 3, 2)) for kernel in KERNELS
        )

    def forward(self, images: Tensor) -> Tensor:
        """Concatenate the streams."""
        return torch.cat([stream(images) for stream in self.streams], dim=1)


class MFL(nn.Module):
    """Two convolutions in a row, of which the block returns the sum: two depths in one map.

    ``[B, inputs, H, W] -> [B, outputs, H/2, W/2]``.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = conv_norm_relu(inputs, outputs, 3, 2)
        self.second = conv_norm_relu(outputs, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Add the responses of the two layers."""
        first = self.first(features)
        return first + self.second(first)


class AffectiveNet(Network):
    """Verma, Vipparthi and Singh, "AffectiveNet: Affective-motion feature learning for micro expression
    recognition", IEEE MultiMedia 2020, arXiv 2104.07569. A reconstruction.

    Of the paper we had the abstract only.

    Known: one image that cumulates the clip's variations; a MICRoFeat block that conserves features of
    coarse and tiny edges in four streams; an MFL block that learns from two different intermediate layers.

    Assumed: the formula of the image (``dynamic_images.affective_weights``), 112 px, the kernels 3, 5, 7 and
    11, all channels (8 and 16 per stream; 64, 128 and 192 in three MFL blocks), the sum inside an MFL
    block, batch normalisation, global average pooling, and the classifier with ``hidden`` units and
    ``dropout``.
    """

    def __init__(self, num_classes: int, dropout: float = 0.5, hidden: int = 256):
        super().__init__()
        self.scales = MICRoFeat()
        self.depths = nn.Sequential(MFL(64, 64), MFL(64, 128), MFL(128, 192))
        self.classifier = classifier(192, hidden, dropout, num_classes)

    def forward(self, images: Tensor) -> Output:
        """Images [N, 1, 3, H, W] to logits [N, C] and features [N, 1, 192]."""
        check_images("AffectiveNet", images, 1)
        features = self.depths(self.scales(images[:, 0])).mean(dim=(2, 3))
        return Output(self.classifier(features), features[:, None])
