"""One pass over clips: training on them, the loss on them, or what a network says of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the name that every torch text uses)
from torch import Tensor, nn

from dianet_utils.config import Config
from dianet_utils.loso.augmentation import augment, mirror
from dianet_utils.loso.batches import Batches
from dianet_utils.loso.folds import Fold
from dianet_utils.models import Labels, Network, Output
from dianet_utils.models.losses import PLAIN, Emphasis, inverse_frequencies
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
    emphasis = _emphasis(data, fold, config)
    batches = data.shuffled(fold.train, config.batch_size, generator, config.balanced)
    for rows in batches:
        images = augment(
            data.jittered(rows, config.apex_jitter, generator),
            generator,
            flip=0.5 if config.flip else 0.0,
            degrees=config.degrees,
            flows=data.flows,
            still=still_value(data.scaling, data.colours),
        )
        loss = _loss(model, images, data.labels(rows), config, emphasis)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
    stacked = torch.stack(losses)
    return PassLoss.of(stacked, stacked.mean().item(), batches, data)


def validation_loss(model: Network, data: Batches, fold: Fold, config: Config) -> PassLoss:
    """The mean cross-entropy of the emotions of the validation clips, not augmented.

    Nothing else of a network's own loss chooses the epoch: neither consistency, nor smoothed labels, nor
    weights of classes, nor the gender of people whom it has not met.
    """
    rows = torch.from_numpy(fold.validation)
    logits = predict(model, data, fold.validation, config).logits
    each = F.cross_entropy(logits, data.labels(rows).emotion, reduction="none")
    losses = torch.stack([part.mean() for part in torch.split(each, config.batch_size)])
    return PassLoss.of(losses, each.mean().item(), torch.split(rows, config.batch_size), data)


def predict(model: nn.Module, data: Batches, rows: np.ndarray, config: Config, shift: int = 0) -> Output:
    """Logits [clip, class] and features [clip, phase, D] of some rows, not augmented.

    With ``config.mirrored`` the logits are the logarithms of the mean of two probabilities, of the clip and
    of its mirror image; the features are those of the clip. ``shift`` takes the images of an apex moved by
    so many frames.
    """
    model.eval()
    with torch.inference_mode():
        batches = torch.split(torch.from_numpy(rows), config.batch_size)
        outputs = [_answer(model, data, data.inputs(batch, shift), config) for batch in batches]
        logits = torch.cat([output.logits for output in outputs])
        return Output(logits, torch.cat([output.features for output in outputs]))


def _answer(model: nn.Module, data: Batches, images: Tensor, config: Config) -> Output:
    """What :func:`predict` says of one batch of images."""
    output = forward(model, images, config)
    if not config.mirrored:
        return output
    other = forward(model, mirror(images, data.flows, still_value(data.scaling, data.colours)), config)
    logits = torch.stack([output.logits, other.logits]).log_softmax(2).logsumexp(0) - math.log(2)
    return Output(logits, output.features)


def _emphasis(data: Batches, fold: Fold, config: Config) -> Emphasis:
    """What counts more in the loss; the weights of the classes come from the training clips alone."""
    if not config.class_weights:
        return Emphasis(gamma=config.focal_gamma)
    targets = data.labels(torch.from_numpy(fold.train)).emotion
    return Emphasis(inverse_frequencies(targets, data.classes), config.focal_gamma)


def _loss(
    model: Network, images: Tensor, labels: Labels, config: Config, emphasis: Emphasis = PLAIN
) -> Tensor:
    """The training objective of one batch; a loss that knows no emphasis is not asked about a plain one."""
    output = forward(model, images, config)
    more = {} if emphasis.plain else {"emphasis": emphasis}
    return model.loss(output, labels, config.consistency_weight, config.label_smoothing, **more)


def forward(model: nn.Module, images: Tensor, config: Config) -> Output:
    """The network's output in float32; inside, convolutions and matrix products in ``config.precision``."""
    if config.precision == "float32":
        return model(images)
    with torch.autocast(images.device.type, torch.bfloat16):
        output = model(images)
    gender = None if output.gender is None else output.gender.float()
    return Output(output.logits.float(), output.features.float(), gender)
