"""One image in, one 512-d vector out: any timm network without its classifier, and a projection."""

import difflib
from typing import Any

import timm
from torch import Tensor, nn

from dianet_utils.models import pretrained as pretrained_weights
from dianet_utils.plumbing.errors import InputError

FEATURES = 512  # section 2.2: "the backbone outputs a 512-dimensional feature vector"


class Backbone(nn.Module):
    """A timm network by ``name``, then a linear projection to 512 channels.

    ``forward`` maps images [B, 3, H, W] to vectors [B, 512] (global pooling, then the projection), or with
    ``spatial`` to the cells of the last feature map, each projected, as tokens [B, L, 512]; L is H/32 * W/32
    for most networks. ``pretrained`` is "none", "imagenet", "package" or a local ``.safetensors`` file. A
    ``frozen`` network keeps these weights and the running statistics of its norms; the projection learns.
    """

    def __init__(self, name: str, pretrained: str = "none", spatial: bool = False, frozen: bool = False):
        super().__init__()
        self.name, self.spatial, self.frozen = name, spatial, frozen
        self.network = _create(name)
        pretrained_weights.load(self.network, name, pretrained)
        self.network.requires_grad_(not frozen)
        channels: int = self.network.num_features
        pooled: int = getattr(self.network, "head_hidden_size", None) or channels
        self.project = nn.Linear(channels if spatial else pooled, FEATURES)

    def train(self, mode: bool = True) -> "Backbone":
        """As any module; but a frozen network always works as in evaluation."""
        super().train(mode)
        self.network.train(mode and not self.frozen)
        return self

    def forward(self, images: Tensor) -> Tensor:
        """[B, 3, H, W] to [B, 512], or to [B, L, 512] with ``spatial``."""
        try:
            features = self.network.forward_features(images) if self.spatial else self.network(images)
        except AssertionError as error:  # how timm's transformers refuse an image size
            size = " x ".join(str(side) for side in images.shape[-2:])
            raise InputError(
                f"Backbone {self.name!r} does not take images of {size} px ({error}): "
                "choose another image size or a convolutional backbone."
            ) from error
        return self.project(self._cells(features) if self.spatial else features)

    def _cells(self, features: Tensor) -> Tensor:
        """The feature map as tokens [B, L, C], whichever order of axes the network keeps it in."""
        if features.ndim != 4:
            raise InputError(
                f"Backbone {self.name!r} gives no feature map but a tensor of {features.ndim} axes: "
                "fusion cross_spatial needs a convolutional backbone such as resnet18."
            )
        if getattr(self.network, "output_fmt", "NCHW") == "NHWC":
            return features.flatten(1, 2)
        return features.flatten(2).transpose(1, 2)


def _create(name: str) -> Any:
    """The timm network without its classifier, with random weights."""
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=5, cutoff=0.4)
        hint = f"; near it are {', '.join(near)}" if near else ""
        raise InputError(f"timm has no backbone {name!r}{hint}. timm.list_models() lists them all.")
    try:
        return timm.create_model(name, pretrained=False, num_classes=0)
    except RuntimeError as error:  # such as a weight tag, after the dot, that timm does not have
        raise InputError(f"timm cannot build the backbone {name!r}: {error}") from error
