"""One pass over clips: training on them, the loss on them, or what a network says of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dianet_utils.config import Config
from dianet_utils.loso.augmentation import augment
from dianet_utils.loso.batches import Batches
from dianet_utils.loso.folds import Fold
from dianet_utils.models import Labels, Network, Output
from dianet_utils.models.normalise import still_value


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


def train_epoch(
    model: Network,
    data: Batches,
    fold: Fold,
    config: Config,
    generator: torch.Generator,
    optimiser: torch.optim.Optimizer,
    schedule: Any,
) -> PassLoss:
    """One pass over the training clips; the mean loss of its batches."""
    model.train()
    losses = []
    batches = data.shuffled(fold.train, config.batch_size, generator)
    for rows in batches:
        images = augment(
            data.jittered(rows, config.apex_jitter, generator),
            generator,
            flip=0.5 if config.flip else 0.0,
            degrees=config.degrees,
            flows=data.flows,
            still=still_value(data.scaling),
        )
        loss = _loss(model, images, data.labels(rows), config)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
    stacked = torch.stack(losses)
    return PassLoss.of(stacked, stacked.mean().item(), batches, data)


def validation_loss(model: Network, data: Batches, fold: Fold, config: Config) -> PassLoss:
    """The network's loss over the validation clips, without augmentation."""
    model.eval()
    batches = torch.split(torch.from_numpy(fold.validation), config.batch_size)
    with torch.inference_mode():
        losses = torch.stack([_loss(model, data.inputs(rows), data.labels(rows), config) for rows in batches])
    total = sum(loss * len(rows) for loss, rows in zip(losses.tolist(), batches, strict=True))
    return PassLoss.of(losses, total / len(fold.validation), batches, data)


def predict(model: nn.Module, data: Batches, rows: np.ndarray, config: Config, shift: int = 0) -> Output:
    """Logits [clip, class] and features [clip, phase, D] of some rows, not augmented.

    ``shift`` takes the images of an apex moved by so many frames.
    """
    model.eval()
    with torch.inference_mode():
        batches = torch.split(torch.from_numpy(rows), config.batch_size)
        outputs = [forward(model, data.inputs(batch, shift), config) for batch in batches]
        logits = torch.cat([output.logits for output in outputs])
        return Output(logits, torch.cat([output.features for output in outputs]))


def _loss(model: Network, images: Tensor, labels: Labels, config: Config) -> Tensor:
    output = forward(model, images, config)
    return model.loss(output, labels, config.consistency_weight, config.label_smoothing)


def forward(model: nn.Module, images: Tensor, config: Config) -> Output:
    """The network's output in float32; inside, convolutions and matrix products in ``config.precision``."""
    if config.precision == "float32":
        return model(images)
    with torch.autocast(images.device.type, torch.bfloat16):
        output = model(images)
    gender = None if output.gender is None else output.gender.float()
    return Output(output.logits.float(), output.features.float(), gender)
