"""Where a stream of DIANet looked: Grad-CAM (Selvaraju et al., ICCV 2017) on each dynamic image."""

from typing import Any

import torch
from torch import Tensor, nn

from dianet_utils.models.dianet import DIANet
from dianet_utils.plumbing.errors import InputError

CELLS = 7  # a coarser map, as a small image leaves it in the last layer, says little
_NEEDS = "Grad-CAM needs a convolutional backbone, such as resnet18: this one has no map of places."


def grad_cam(model: nn.Module, images: Tensor, layers: list[nn.Module], wanted: Tensor) -> list[Tensor]:
    """Grad-CAM at each of ``layers`` (outputs [B, K, h, w]) for the classes ``wanted`` [N]: maps [B, h, w].

    ``ReLU(sum_k a_k A_k)`` with ``A_k`` the layer's output of channel k and ``a_k`` the mean over its cells
    of the gradient of the wanted score: what argues *for* the class, in units of the score per cell.
    ``images`` [N, P, 3, H, W] are normalised; ``model`` returns an ``Output`` and is used in evaluation mode.
    """
    kept: list[Tensor] = []
    handles = [layer.register_forward_hook(lambda _, __, output: kept.append(output)) for layer in layers]
    try:
        model.eval()
        with torch.enable_grad():
            logits = model(images.detach().requires_grad_()).logits  # through frozen layers too
            if any(maps.ndim != 4 for maps in kept):
                raise InputError(_NEEDS)
            score = logits.gather(1, wanted[:, None]).sum()
            gradients = torch.autograd.grad(score, kept)
    finally:
        for handle in handles:
            handle.remove()
    pairs = zip(kept, gradients, strict=True)
    return [(slope.mean((2, 3), keepdim=True) * maps).sum(1).relu().detach() for maps, slope in pairs]


def look(model: DIANet, images: Tensor, wanted: Tensor) -> Tensor:
    """Where each stream of DIANet looked, [N, P, h, w]: Grad-CAM at its deepest stage of 7 x 7 cells.

    A stage may be finer, not coarser. For 224 px it is the last one of most backbones. A shared backbone
    sees all phases in one batch, so each phase still has a map of its own. InputError for backbones
    without feature maps.
    """
    layers = [_stage(stream.network, images.shape[-1]) for stream in model.streams]
    maps = grad_cam(model, images, layers, wanted)
    if len(layers) == 1:
        return maps[0].unflatten(0, images.shape[:2])
    return torch.stack(maps, dim=1)


def _stage(network: Any, size: int) -> nn.Module:
    """The deepest stage of a timm network whose map has :data:`CELLS` cells per side, or else the finest."""
    info = getattr(network, "feature_info", None)
    stages = list(getattr(info, "info", info) or ())
    if not stages or getattr(network, "output_fmt", "NCHW") != "NCHW":
        raise InputError(_NEEDS)
    fine = [stage for stage in stages if size / stage["reduction"] >= CELLS] or stages[:1]
    return network.get_submodule(fine[-1]["module"])
