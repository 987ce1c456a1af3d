"""What every network of the package has in common."""

import torch
from torch import Tensor, nn

from dianet_utils.models.losses import PLAIN, Emphasis, emotion_loss
from dianet_utils.models.output import Labels, Output
from dianet_utils.plumbing.errors import InputError


class Network(nn.Module):
    """A network that scores clips and knows its own loss.

    ``forward`` takes images [N, P, 3, H, W] and returns an :class:`Output`. ``memory_format`` is how the
    weights of its convolutions lie while it trains.
    """

    memory_format = torch.channels_last

    def loss(
        self,
        output: Output,
        labels: Labels,
        consistency_weight: float = 0.0,
        label_smoothing: float = 0.0,
        emphasis: Emphasis = PLAIN,
    ) -> Tensor:
        """The training objective, a scalar: that of the emotions here, without a consistency term."""
        return emotion_loss(output.logits, labels.emotion, label_smoothing, emphasis)

    def observe(self, labels: Labels) -> None:
        """Take note of the labels of a fold's training clips, once before training; most need not."""


def check_images(name: str, images: Tensor, phases: int, size: int | None = None) -> None:
    """Raise InputError unless ``images`` is [N, phases, 3, H, W], with H = W = ``size`` where it is given."""
    side = size or "H"
    expected = f"[N, {phases}, 3, {side}, {size or 'W'}]"
    shape = list(images.shape)
    if images.ndim != 5 or shape[1:3] != [phases, 3] or (size is not None and shape[3:] != [size, size]):
        raise InputError(f"{name} takes images {expected}, not {shape}.")
