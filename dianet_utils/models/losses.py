"""The training objective of DIANet (Eq. 4 and Eq. 5), and what can be put on rare classes and hard clips."""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (the name that every torch text uses)
from torch import Tensor

from dianet_utils.models.output import Output


class Emphasis(NamedTuple):
    """What counts more in the loss of emotions: ``weights`` [C] of the classes, ``gamma`` of a focal loss.

    None and 0 leave the plain cross-entropy.
    """

    weights: Tensor | None = None
    gamma: float = 0.0

    @property
    def plain(self) -> bool:
        """Whether every clip counts alike."""
        return self.weights is None and self.gamma == 0


PLAIN = Emphasis()


def inverse_frequencies(targets: Tensor, classes: int) -> Tensor:
    """One weight per class from the class numbers ``targets`` [N] of training clips: float [``classes``].

    ``w_c = N / (K n_c)`` for the K classes that have clips, so that the mean over the clips is 1: what
    scikit-learn calls "balanced", after King and Zeng, "Logistic regression in rare events data" (2001). A
    class without clips weighs 0.
    """
    counts = torch.bincount(targets, minlength=classes).double()
    present = counts > 0
    weights = len(targets) / (present.sum() * counts.clamp(min=1))
    return torch.where(present, weights, 0.0).float()


def emotion_loss(
    logits: Tensor, targets: Tensor, label_smoothing: float = 0.0, emphasis: Emphasis = PLAIN
) -> Tensor:
    """The loss of scores ``logits`` [N, C] for ``targets`` [N]: cross-entropy, or :func:`focal_loss`."""
    if emphasis.plain:
        return F.cross_entropy(logits, targets, label_smoothing=label_smoothing)
    weights = logits.new_ones(logits.shape[1]) if emphasis.weights is None else emphasis.weights
    return focal_loss(logits, targets, weights, emphasis.gamma, label_smoothing)


def focal_loss(
    logits: Tensor, targets: Tensor, weights: Tensor, focus: float, label_smoothing: float = 0.0
) -> Tensor:
    """The mean over clips of ``- w_y (1 - p_y)^focus log p_y``, a scalar.

    Lin et al., "Focal loss for dense object detection" (ICCV 2017), for the softmax probabilities p of
    ``logits`` [N, C] and class ``weights`` [C]: clips that are already right count less. With
    ``label_smoothing`` the term is averaged over the smoothed labels. ``focus`` 0 is the weighted
    cross-entropy; its sum is divided by the number of clips, where torch divides by the sum of their weights,
    so that a weight does not depend on which clips share a batch.
    """
    logs = F.log_softmax(logits, dim=1)
    truth = F.one_hot(targets, len(weights)).to(logs.dtype)
    smooth = truth * (1 - label_smoothing) + label_smoothing / len(weights)
    missed = (1 - logs.exp()).clamp_min(torch.finfo(logs.dtype).tiny)  # at 0 the power has no finite slope
    return -(smooth * weights * missed**focus * logs).sum(dim=1).mean()


def consistency_loss(features: Tensor) -> Tensor:
    """Eq. 4: ``mean_i (1 - cos(f1_i, f2_i))`` of ``features`` [N, 2, D], a scalar in [0, 2].

    0 where the two phases of every clip point the same way, 1 where they are at right angles.
    """
    first, second = features.unbind(dim=1)
    return (1 - F.cosine_similarity(first, second, dim=-1)).mean()


def total_loss(
    output: Output,
    targets: Tensor,
    consistency_weight: float = 0.0,
    label_smoothing: float = 0.0,
    emphasis: Emphasis = PLAIN,
) -> Tensor:
    """Eq. 5: cross-entropy plus ``consistency_weight`` (the paper's lambda) times :func:`consistency_loss`.

    ``targets`` [N] int64 class numbers. With a single phase there is nothing to be consistent with, and the
    second term is left out. ``label_smoothing`` in [0, 1) and ``emphasis``, which changes the first term
    alone, are not the paper's; without them it is the plain cross-entropy.
    """
    loss = emotion_loss(output.logits, targets, label_smoothing, emphasis)
    if consistency_weight and output.features.shape[1] == 2:
        loss = loss + consistency_weight * consistency_loss(output.features)
    return loss
