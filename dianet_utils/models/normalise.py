"""A bank's images made ready for a network: the paper's "normalized" images (section 3.2), as we read it."""

import torch
from torch import Tensor

from dianet_utils.dynamic_images.images import MID_GREY
from dianet_utils.plumbing.errors import InputError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # RGB, images in [0, 1]


def normalise(images: Tensor, scaling: str) -> Tensor:
    """A bank's images [..., 3, H, W] as float32 for the network.

    ``scaling="minmax"``: uint8 to [0, 1], minus ImageNet's mean, divided by its deviation, per colour.
    ``"signed"``: already zero-centred floats in [-1, 1], left as they are. InputError for other names.
    """
    if scaling == "signed":
        return images.float()
    if scaling != "minmax":
        raise InputError(f"There is no scaling {scaling!r} of dynamic images: choose minmax or signed.")
    mean = torch.tensor(IMAGENET_MEAN, device=images.device).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=images.device).view(3, 1, 1)
    return (images.float() / 255 - mean) / std


def still_value(scaling: str) -> float:
    """What no motion to either side is in the first channel of a normalised optical flow."""
    return normalise(torch.full((3, 1, 1), MID_GREY), scaling)[0].item() if scaling == "minmax" else 0.0
