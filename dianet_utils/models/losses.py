"""The training objective of DIANet: Eq. 4 and Eq. 5 of the paper."""

import torch.nn.functional as F  # noqa: N812 (the name that every torch text uses)
from torch import Tensor

from dianet_utils.models.output import Output


def consistency_loss(features: Tensor) -> Tensor:
    """Eq. 4: ``mean_i (1 - cos(f1_i, f2_i))`` of ``features`` [N, 2, D], a scalar in [0, 2].

    0 where the two phases of every clip point the same way, 1 where they are at right angles.
    """
    first, second = features.unbind(dim=1)
    return (1 - F.cosine_similarity(first, second, dim=-1)).mean()


def total_loss(
    output: Output, targets: Tensor, consistency_weight: float = 0.0, label_smoothing: float = 0.0
) -> Tensor:
    """Eq. 5: cross-entropy plus ``consistency_weight`` (the paper's lambda) times :func:`consistency_loss`.

    ``targets`` [N] int64 class numbers. With a single phase there is nothing to be consistent with, and the
    second term is left out. ``label_smoothing`` in [0, 1) is not the paper's; 0 is the plain cross-entropy.
    """
    loss = F.cross_entropy(output.logits, targets, label_smoothing=label_smoothing)
    if consistency_weight and output.features.shape[1] == 2:
        loss = loss + consistency_weight * consistency_loss(output.features)
    return loss
