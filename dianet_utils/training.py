"""One fold: a bank, who trains, validates and tests, a configuration and a seed -> predictions.

Nothing here sees the test clips before the last line: the epoch is chosen by the validation clips.
"""

import copy
import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dianet_utils import models
from dianet_utils.augmentation import augment, normalise, still_value
from dianet_utils.config import Config
from dianet_utils.datasets.genders import gender_numbers
from dianet_utils.dynamic_images import FLOWS, Bank, jitter_shifts
from dianet_utils.models import Labels, Network


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
    shifted: dict[int, Tensor]  # the same with the apex so many frames later
    targets: Tensor  # [clip]
    genders: Tensor | None  # [clip], for networks that learn them
    flows: tuple[int, ...]  # the phases that are optical flow
    scaling: str

    @classmethod
    def of(cls, bank: Bank, device: str, gendered: bool = False) -> "_Batches":
        images, *moved = (
            torch.from_numpy(np.ascontiguousarray(each)).to(device)
            for each in (bank.images, *bank.shifted.values())
        )
        shifted = dict(zip(bank.shifted, moved, strict=True))
        targets = torch.from_numpy(bank.targets).to(device)
        genders = torch.from_numpy(gender_numbers(bank.clips)).to(device) if gendered else None
        flows = tuple(place for place, phase in enumerate(bank.phases) if phase in FLOWS)
        return cls(images, shifted, targets, genders, flows, bank.scaling)

    def shuffled(self, rows: np.ndarray, size: int, generator: torch.Generator) -> list[Tensor]:
        """Random batches of about ``size`` that cover ``rows``; none is so small that BatchNorm fails."""
        order = torch.from_numpy(rows)[torch.randperm(len(rows), generator=generator)]
        return list(torch.tensor_split(order, max(1, round(len(rows) / size))))

    def inputs(self, rows: Tensor, shift: int = 0) -> Tensor:
        images = self.shifted[shift] if shift else self.images
        return normalise(images[rows.to(images.device)], self.scaling)

    def jittered(self, rows: Tensor, jitter: int, generator: torch.Generator) -> Tensor:
        """Inputs of which each has an apex drawn anew; without jitter nothing is drawn."""
        shifts = jitter_shifts(jitter)
        if len(shifts) == 1:
            return self.inputs(rows)
        choice = torch.randint(len(shifts), (len(rows),), generator=generator)
        drawn = self.inputs(rows)
        for place, shift in enumerate(shifts):
            there = choice == place
            if shift and there.any():
                drawn[there.to(drawn.device)] = self.inputs(rows[there], shift)
        return drawn

    def labels(self, rows: Tensor) -> Labels:
        rows = rows.to(self.targets.device)
        return Labels(self.targets[rows], None if self.genders is None else self.genders[rows])


def train_fold(bank: Bank, fold: Fold, config: Config, device: str = "cpu") -> dict[str, Any]:
    """Train on ``fold.train`` and predict ``fold.test``; returns JSON types.

    The same arguments give the same numbers on the same machine: on a CPU one thread is used, and
    every random draw comes from the fold's own seed. Where the bank holds shifted apexes, ``shifted`` has
    the probabilities of the test clips under each. Raises ``FloatingPointError`` when the loss stops being
    finite, naming the fold and the epoch.
    """
    if device == "cpu":
        torch.set_num_threads(1)
    seed = fold_seed(fold.seed, fold.subject)
    torch.manual_seed(seed)
    data = _Batches.of(bank, device, config.uses_gender)
    model = build_model(config, len(bank.classes)).to(device).to(memory_format=torch.channels_last)
    model.observe(data.labels(torch.from_numpy(fold.train)))
    history = _fit(model, data, fold, config, torch.Generator().manual_seed(seed))
    probabilities, *moved = (
        predict(model, data, fold.test, config, shift).softmax(1).double().cpu().numpy()
        for shift in (0, *bank.shifted)
    )
    result = _result(bank, fold, probabilities, history)
    shifted = {str(shift): each.round(6).tolist() for shift, each in zip(bank.shifted, moved, strict=True)}
    return {**result, "shifted": shifted} if shifted else result


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
    optimiser = kind(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
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
    return torch.stack(losses).mean().item()


def _loss(model: Network, images: Tensor, labels: Labels, config: Config) -> Tensor:
    return model.loss(model(images), labels, config.consistency_weight, config.label_smoothing)


def _validation_loss(model: Network, data: _Batches, fold: Fold, config: Config) -> float:
    """The network's loss over the validation clips, without augmentation."""
    model.eval()
    total = 0.0
    with torch.inference_mode():
        for rows in torch.split(torch.from_numpy(fold.validation), config.batch_size):
            total += _loss(model, data.inputs(rows), data.labels(rows), config).item() * len(rows)
    return total / len(fold.validation)


def predict(model: nn.Module, data: _Batches, rows: np.ndarray, config: Config, shift: int = 0) -> Tensor:
    """Logits [clip, class] of some rows, without augmentation; ``shift`` moves their apex."""
    model.eval()
    with torch.inference_mode():
        batches = torch.split(torch.from_numpy(rows), config.batch_size)
        return torch.cat([model(data.inputs(batch, shift)).logits for batch in batches])


class _BestEpoch:
    """Remembers the weights of the epoch with the lowest validation loss."""

    def __init__(self, patience: int):
        self.patience = patience
        self.best, self.epoch = math.inf, 0
        self.weights: dict[str, Tensor] = {}

    def enough(self, model: nn.Module, epoch: int, loss: float) -> bool:
        """Note an epoch; true when ``patience`` epochs have brought nothing better."""
        if loss < self.best:
            self.best, self.epoch, self.weights = loss, epoch, copy.deepcopy(model.state_dict())
        return epoch - self.epoch >= self.patience

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
