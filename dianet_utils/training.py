"""One fold: a bank, who trains, validates and tests, a configuration and a seed -> predictions.

Nothing here sees the test clips before the last line: the epoch is chosen by the validation clips.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dianet_utils import machine, models
from dianet_utils.augmentation import augment, normalise, still_value
from dianet_utils.config import Config
from dianet_utils.datasets.genders import gender_numbers
from dianet_utils.dynamic_images import Bank
from dianet_utils.errors import InputError
from dianet_utils.models import Labels, Network, Output
from dianet_utils.models.precision import keep_in_float32


@dataclass(frozen=True)
class Fold:
    """Which rows of the bank train, validate and test when ``subject`` is left out."""

    subject: str
    seed: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def fold_seed(seed: int, subject: str) -> int:
    """The random seed of a fold: it depends on the run's seed and the subject, never on the order."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{subject}".encode()).digest()[:4], "little")


def choose_device(device: str) -> str:
    """``auto`` is the GPU when there is one, otherwise the CPU."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


@dataclass
class _Batches:
    """The bank on the training device, handed out in random batches."""

    images: Tensor  # [clip, phase, 3, H, W], as the bank stores them
    targets: Tensor  # [clip]
    genders: Tensor | None  # [clip], for networks that learn them
    flows: tuple[int, ...]  # the phases that are optical flow
    scaling: str

    @classmethod
    def of(cls, bank: Bank, device: str, gendered: bool = False) -> "_Batches":
        images = torch.from_numpy(np.ascontiguousarray(bank.images)).to(device)
        targets = torch.from_numpy(bank.targets).to(device)
        genders = torch.from_numpy(gender_numbers(bank.clips)).to(device) if gendered else None
        flows = tuple(place for place, phase in enumerate(bank.phases) if phase == "flow")
        return cls(images, targets, genders, flows, bank.scaling)

    def shuffled(self, rows: np.ndarray, size: int, generator: torch.Generator) -> list[Tensor]:
        """Random batches of about ``size`` that cover ``rows``; none is so small that BatchNorm fails."""
        order = torch.from_numpy(rows)[torch.randperm(len(rows), generator=generator)]
        return list(torch.tensor_split(order, max(1, round(len(rows) / size))))

    def inputs(self, rows: Tensor) -> Tensor:
        return normalise(self.images[rows.to(self.images.device)], self.scaling)

    def labels(self, rows: Tensor) -> Labels:
        rows = rows.to(self.targets.device)
        return Labels(self.targets[rows], None if self.genders is None else self.genders[rows])


def train_fold(bank: Bank, fold: Fold, config: Config, device: str = "cpu") -> dict[str, Any]:
    """Train on ``fold.train`` and predict ``fold.test``; returns JSON types.

    The same arguments give the same numbers on the same machine: on a CPU one thread is used, and
    every random draw comes from the fold's own seed. Raises ``FloatingPointError`` when the loss
    stops being finite, naming the fold and the epoch.
    """
    _check_precision(config, device)
    if device == "cpu":
        torch.set_num_threads(1)
    seed = fold_seed(fold.seed, fold.subject)
    torch.manual_seed(seed)
    data = _Batches.of(bank, device, config.uses_gender)
    model = build_model(config, len(bank.classes)).to(device).to(memory_format=torch.channels_last)
    if config.precision == "bfloat16" and device == "cpu":
        keep_in_float32(model)
    model.observe(data.labels(torch.from_numpy(fold.train)))
    history = _fit(model, data, fold, config, torch.Generator().manual_seed(seed))
    probabilities = predict(model, data, fold.test, config).softmax(1).double().cpu().numpy()
    return _result(bank, fold, probabilities, history)


def _check_precision(config: Config, device: str) -> None:
    if config.precision == "bfloat16" and not machine.has_bfloat16(device):
        raise InputError(
            f"The device {device} ({machine.device_name(device)}) does not calculate in bfloat16: "
            "set precision to float32."
        )


def build_model(config: Config, num_classes: int) -> Network:
    """The untrained (or pre-trained) network that a configuration names."""
    known = {**vars(config), "phases": len(config.inputs)}
    named = {name: known[name] for name in models.options(config.model) if name in known}
    return models.build(config.model, num_classes, **named)


def _fit(
    model: Network, data: _Batches, fold: Fold, config: Config, generator: torch.Generator
) -> dict[str, Any]:
    """Train ``model`` in place and leave it at its best epoch; returns the curves."""
    steps = len(data.shuffled(fold.train, config.batch_size, torch.Generator()))
    optimiser, schedule = _optimiser(model, config, steps)
    keeper = _BestEpoch(config.patience)
    train_losses, validation_losses = [], []
    for epoch in range(config.epochs):
        loss = _train_epoch(model, data, fold, config, generator, optimiser, schedule)
        train_losses.append(_finite(loss, "training", fold, epoch))
        if len(fold.validation):
            loss = _finite(_validation_loss(model, data, fold, config), "validation", fold, epoch)
            validation_losses.append(loss)
            if keeper.enough(model, epoch, loss):
                break
    best = keeper.restore(model) if validation_losses else len(train_losses) - 1
    return {"train_loss": train_losses, "validation_loss": validation_losses, "best_epoch": best + 1}


def _finite(loss: float, kind: str, fold: Fold, epoch: int) -> float:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"The {kind} loss of fold {fold.subject} (seed {fold.seed}) is not finite in epoch {epoch + 1}; "
            "lower learning_rate."
        )
    return loss


def _optimiser(model: nn.Module, config: Config, steps: int) -> tuple[torch.optim.Optimizer, Any]:
    """The optimiser and its schedule, to be stepped once a batch (``steps`` batches an epoch)."""
    kind = torch.optim.AdamW if config.optimiser == "adamw" else torch.optim.Adam
    parameters = list(model.parameters())
    fused = True if parameters[0].is_cuda else None  # one launch a step on a GPU, torch's choice on a CPU
    optimiser = kind(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
    if config.schedule == "one_cycle":
        total = steps * config.epochs
        return optimiser, torch.optim.lr_scheduler.OneCycleLR(
            optimiser, config.learning_rate, total_steps=total
        )
    return optimiser, torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)


def _train_epoch(
    model: Network,
    data: _Batches,
    fold: Fold,
    config: Config,
    generator: torch.Generator,
    optimiser: torch.optim.Optimizer,
    schedule: Any,
) -> float:
    """One pass over the training clips; returns the mean loss of its batches."""
    model.train()
    losses = []
    for rows in data.shuffled(fold.train, config.batch_size, generator):
        images = augment(
            data.inputs(rows),
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
    return torch.stack(losses).mean().item()


def forward(model: nn.Module, images: Tensor, config: Config) -> Output:
    """The network's output in float32; inside, convolutions and matrix products in ``config.precision``."""
    if config.precision == "float32":
        return model(images)
    with torch.autocast(images.device.type, torch.bfloat16):
        output = model(images)
    gender = None if output.gender is None else output.gender.float()
    return Output(output.logits.float(), output.features.float(), gender)


def _loss(model: Network, images: Tensor, labels: Labels, config: Config) -> Tensor:
    output = forward(model, images, config)
    return model.loss(output, labels, config.consistency_weight, config.label_smoothing)


def _validation_loss(model: Network, data: _Batches, fold: Fold, config: Config) -> float:
    """The network's loss over the validation clips, without augmentation."""
    model.eval()
    total = torch.zeros((), dtype=torch.float64, device=data.images.device)
    with torch.inference_mode():
        for rows in torch.split(torch.from_numpy(fold.validation), config.batch_size):
            total += _loss(model, data.inputs(rows), data.labels(rows), config).double() * len(rows)
    return total.item() / len(fold.validation)


def predict(model: nn.Module, data: _Batches, rows: np.ndarray, config: Config) -> Tensor:
    """Logits [clip, class] of some rows, without augmentation."""
    model.eval()
    with torch.inference_mode():
        batches = torch.split(torch.from_numpy(rows), config.batch_size)
        return torch.cat([forward(model, data.inputs(batch), config).logits for batch in batches])


class _BestEpoch:
    """Remembers the weights of the epoch with the lowest validation loss."""

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


def _result(bank: Bank, fold: Fold, probabilities: np.ndarray, history: dict[str, Any]) -> dict[str, Any]:
    names = np.array(bank.classes)
    return {
        "subject": fold.subject,
        "seed": fold.seed,
        "classes": list(bank.classes),
        "clips": [str(clip) for clip in bank.clips.index[fold.test]],
        "true": [str(name) for name in names[bank.targets[fold.test]]],
        "predicted": [str(name) for name in names[probabilities.argmax(1)]],
        "probabilities": probabilities.round(6).tolist(),
        "history": history,
        "train_clips": len(fold.train),
        "validation_subjects": sorted({str(s) for s in bank.clips["subject"].iloc[fold.validation]}),
    }
