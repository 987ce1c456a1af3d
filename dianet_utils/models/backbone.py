"""One image in, one 512-d vector out: any timm network without its classifier, and a projection."""

import difflib
from typing import Any

import timm
import torch
from torch import Tensor, nn

from dianet_utils.models import pretrained as pretrained_weights
from dianet_utils.plumbing.errors import InputError

_REFUSALS = (AssertionError, RuntimeError, ValueError, LookupError)  # how timm's networks refuse a size
_SIDES = sorted({*range(16, 513, 16), *range(28, 513, 14)})  # px; whole patches of 16 or of 14
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
        """[B, 3, H, W] to [B, 512], or [B, L, 512] with ``spatial``; InputError for a size it refuses."""
        try:
            features = self.network.forward_features(images) if self.spatial else self.network(images)
        except _REFUSALS as error:
            if problem := _size_problem(self.name, images.shape[-2], images.shape[-1]):
                raise InputError(problem) from error
            raise
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


def _size_problem(name: str, height: int, width: int) -> str:
    """What size a timm network wants instead, or "" where this one is not what it refuses.

    A copy without numbers (on torch's device "meta") is tried, which calculates nothing.
    """
    with torch.device("meta"):
        network = _create(name).eval()
    if _takes(network, height, width):
        return ""
    larger = (side for side in _SIDES if side > min(height, width) and _takes(network, side, side))
    wanted = next((f"the next that it takes is {side}" for side in larger), "nor larger ones")
    return (
        f"Backbone {name!r} does not take images of {height} x {width} px, {wanted}: choose another image "
        "size or a backbone of convolutions alone, such as resnet18."
    )


def _takes(network: nn.Module, height: int, width: int) -> bool:
    try:
        with torch.no_grad():
            network(torch.empty(2, 3, height, width, device="meta"))
    except _REFUSALS:
        return False
    return True
