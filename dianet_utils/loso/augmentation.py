"""Random flips and rotations of normalised images, on the device they lie on.

The paper trains with horizontal flips and rotations within 10 degrees (section 3.1). That both
phases of a clip are mirrored and turned alike is our interpretation.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 (the name that every torch text uses)
from torch import Tensor

from dianet_utils.plumbing.errors import InputError


def augment(
    images: Tensor,
    generator: torch.Generator,
    flip: float = 0.5,
    degrees: float = 10.0,
    flows: Sequence[int] = (),
    still: float = 0.0,
) -> Tensor:
    """Randomly mirrored and turned images, each clip in its own way and all its phases alike.

    ``images`` float [N, P, 3, H, W], normalised. Each clip is mirrored left to right
    with probability ``flip`` and turned about its centre by an angle drawn evenly from +-``degrees``; what
    comes in from outside repeats the border. ``generator`` is a CPU generator, so that the draws are the
    same on every device.

    ``flows`` names the phases that are optical flow. A mirrored face moves the other way, so where a clip is
    mirrored their first channel (motion to the right) changes sign about ``still``, see
    :func:`~dianet_utils.models.normalise.still_value`. A turn moves their arrows but does not turn them, at
    most ``sin(degrees)`` of one.
    """
    if not images.is_floating_point():
        raise InputError(f"augment takes float images, not {images.dtype}: call normalise first.")
    count = len(images)
    angles = (2 * torch.rand(count, generator=generator) - 1) * degrees
    mirrored = torch.rand(count, generator=generator) < flip
    warped = warp(images, angles, mirrored)
    for phase in flows:
        sideways = warped[:, phase, 0]
        there = mirrored.to(images.device)[:, None, None]
        warped[:, phase, 0] = torch.where(there, 2 * still - sideways, sideways)
    return warped


def mirror(images: Tensor, flows: Sequence[int] = (), still: float = 0.0) -> Tensor:
    """All images [N, P, 3, H, W] as in a mirror; ``flows`` and ``still`` as for :func:`augment`."""
    turned = images.flip(-1)
    for phase in flows:
        turned[:, phase, 0] = 2 * still - turned[:, phase, 0]
    return turned


def warp(images: Tensor, angles: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror images [N, P, 3, H, W] where ``mirrored`` [N], then turn them by ``angles`` [N].

    Angles are in degrees, positive counter-clockwise as the image is seen; bilinear, border repeated.
    """
    count, _, _, height, width = images.shape
    radians = angles * (math.pi / 180)
    cosine, sine, zero = radians.cos(), radians.sin(), torch.zeros(count)
    sign = 1 - 2 * mirrored.float()
    # Rows of the matrix that takes an output position to the input position, both in [-1, 1] across the
    # image, hence the aspect ratio: the turn itself is in pixels.
    across = torch.stack([sign * cosine, -sign * sine * height / width, zero], dim=1)
    down = torch.stack([sine * width / height, cosine, zero], dim=1)
    matrix = torch.stack([across, down], dim=1).to(images.device, images.dtype)
    flat = images.flatten(1, 2)  # the phases of a clip share one grid
    grid = F.affine_grid(matrix, list(flat.shape), align_corners=False)
    return F.grid_sample(flat, grid, padding_mode="border", align_corners=False).view_as(images)
