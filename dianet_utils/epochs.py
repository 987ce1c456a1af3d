"""What is kept of an epoch: the loss of one pass over the clips, and the weights of the best epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dianet_utils.batches import Batches


@dataclass(frozen=True)
class PassLoss:
    """The loss of one pass: its mean, and the first batch in which it was not finite, for people."""

    mean: float
    culprit: str

    @classmethod
    def of(cls, losses: Tensor, mean: float, batches: Sequence[Tensor], data: Batches) -> "PassLoss":
        """From the losses [batch] of one pass over ``batches``, read from the device all at once."""
        if math.isfinite(mean):
            return cls(mean, "")
        first = next((place for place, good in enumerate(losses.isfinite().tolist()) if not good), 0)
        clips = ", ".join(data.clips[row] for row in batches[first].tolist())
        return cls(mean, f"batch {first + 1} of {len(batches)} (clips {clips})")


class BestEpoch:
    """Remembers the weights of the first epoch with the lowest validation loss (or rate of errors)."""

    def __init__(self, patience: int):
        self.patience = patience
        self.best, self.epoch = math.inf, 0
        self.weights: dict[str, Tensor] = {}

    def enough(self, model: nn.Module, epoch: int, loss: float) -> bool:
        """Note an epoch; true when ``patience`` epochs have brought nothing better."""
        if loss < self.best:
            self.best, self.epoch = loss, epoch
            self._keep(model.state_dict())
        return epoch - self.epoch >= self.patience

    def _keep(self, weights: dict[str, Tensor]) -> None:
        """Copy the weights into memory that is taken once."""
        if not self.weights:
            self.weights = {name: torch.empty_like(weight) for name, weight in weights.items()}
        for name, weight in weights.items():
            self.weights[name].copy_(weight)

    def restore(self, model: nn.Module) -> int:
        """Put the best weights back; returns their epoch, counted from 0."""
        model.load_state_dict(self.weights)
        return self.epoch
