"""FDCN: optical flow and a dynamic image, fused again and again on the way down."""

import torch
from torch import Tensor, nn

from dianet_utils.models.baselines.blocks import classifier, conv_norm_relu
from dianet_utils.models.network import Network, check_images
from dianet_utils.models.output import Output

WIDTHS = (16, 32, 64, 128, 256)  # channels of a stream, stage by stage


class FDCN(Network):
    """Tang, Li, Tang and Xie, "A novel micro-expression recognition algorithm using dual-stream combining
    optical flow and dynamic image convolutional neural networks", Signal, Image and Video Processing 17,
    2023. A reconstruction.

    Known: two streams, one of optical flow, one of a dynamic image; hierarchical fusion, that is, motion
    and spatiotemporal features are fused several times along the depth.

    Assumed: the flow from onset to apex (``dynamic_images.optical_flow``), 112 px, five stages of one
    convolution (5x5, then 3x3, stride 2; 16, 32, 64, 128, 256 channels) in each stream, and the
    operator: after every stage a 1x1 convolution of flow, dynamic image and the fusion one stage up, halved
    by a 3x3 convolution; global average pooling of the last; the classifier with ``hidden`` units and
    ``dropout``. Images [N, 2, 3, H, W]: first the flow, then the dynamic image.
    """

    def __init__(self, num_classes: int, dropout: float = 0.5, hidden: int = 256):
        super().__init__()
        self.flow, self.dynamic = _stream(), _stream()
        self.joins = nn.ModuleList(
            conv_norm_relu(2 * width + carried, width, 1)
            for width, carried in zip(WIDTHS, (0, *WIDTHS[:-1]), strict=True)
        )
        self.carries = nn.ModuleList(conv_norm_relu(width, width, 3, 2) for width in WIDTHS[:-1])
        self.classifier = classifier(WIDTHS[-1], hidden, dropout, num_classes)

    def forward(self, images: Tensor) -> Output:
        """Images [N, 2, 3, H, W] to logits [N, C] and features [N, 1, 256]."""
        check_images("FDCN", images, 2)
        flow, dynamic = images.unbind(dim=1)
        fused: list[Tensor] = []
        for stage, join in enumerate(self.joins):
            flow, dynamic = self.flow[stage](flow), self.dynamic[stage](dynamic)
            carried = [self.carries[stage - 1](fused[-1])] if fused else []
            fused.append(join(torch.cat([flow, dynamic, *carried], dim=1)))
        features = fused[-1].mean(dim=(2, 3))
        return Output(self.classifier(features), features[:, None])


def _stream() -> nn.ModuleList:
    """Five stages that halve the side: [B, 3, H, W] to [B, 256, H/32, W/32]."""
    widths = zip((3, *WIDTHS), WIDTHS, strict=False)
    return nn.ModuleList(
        conv_norm_relu(inputs, outputs, 3 if stage else 5, 2)
        for stage, (inputs, outputs) in enumerate(widths)
    )
