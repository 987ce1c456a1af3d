"""One fold: a bank, who trains, validates and tests, a configuration and a seed -> predictions.

Nothing here sees the test clips before the last line: the epoch is chosen by the validation clips. The one
exception is the policy ``test_subject``, where the validation clips are the test clips, and which is there
to measure what that habit does.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dianet_utils.config import Config, own_code, system
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso.batches import Batches
from dianet_utils.loso.epochs import PassLoss, predict, train_epoch, validation_loss
from dianet_utils.loso.fold_files import fold_marks, fold_record
from dianet_utils.loso.folds import Fold, fold_seed
from dianet_utils.models import Network, Output, build_model
from dianet_utils.models.normalise import colours_of
from dianet_utils.models.own_network import failures_told
from dianet_utils.models.precision import keep_in_float32
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError

# Called after each epoch with the fold, the epoch from 1, and its losses by the names of the curves.
OnEpoch = Callable[[Fold, int, dict[str, float]], None]


def train_fold(
    bank: Bank, fold: Fold, config: Config, device: str = "cpu", on_epoch: OnEpoch | None = None
) -> dict[str, Any]:
    """Train on ``fold.train`` and predict ``fold.test``; returns JSON types.

    The same arguments give the same numbers on the same machine: on a CPU one thread is used, and
    every random draw comes from the fold's own seed. Torch's threads and random states are put back. Where
    the bank holds shifted apexes, ``shifted`` has the probabilities of the test clips under each. Raises
    ``FloatingPointError`` when the loss stops being finite, naming the fold, the epoch, the batch and its
    clips, or where a prediction is not. ``on_epoch`` hears of each epoch; what it draws from torch's random
    state changes no number.
    """
    if system(config.model).learner == "estimator":
        from dianet_utils.loso.estimators import fit_fold  # loads scikit-learn, which no network needs

        return fit_fold(bank, fold, config)
    with machine.own_torch_state(device):
        return _train_and_test(bank, fold, config, device, on_epoch)


def _train_and_test(
    bank: Bank, fold: Fold, config: Config, device: str, on_epoch: OnEpoch | None
) -> dict[str, Any]:
    data = _batches(bank, device, config)
    model, history = _train(data, len(bank.classes), fold, config, device, on_epoch)
    output, *moved = (predict(model, data, fold.test, config, shift) for shift in (0, *bank.shifted))
    result = {**fold_record(bank, fold, _probabilities(output), history), **_cosines(output)}
    result |= {
        "train_accuracy": _accuracy(model, data, fold.train, config),
        "validation_accuracy": _accuracy(model, data, fold.validation, config),
    }
    if moved:
        each = zip(bank.shifted, moved, strict=True)
        result["shifted"] = {str(shift): _probabilities(one).round(6).tolist() for shift, one in each}
    return {**result, **fold_marks(config)}


def train_model(
    bank: Bank, fold: Fold, config: Config, device: str = "cpu"
) -> tuple[Network, dict[str, Any]]:
    """The network that :func:`train_fold` would test, at its best epoch, and the curves of its training."""
    data = _batches(bank, device, config)
    with machine.own_torch_state(device):
        return _train(data, len(bank.classes), fold, config, device)


def _batches(bank: Bank, device: str, config: Config) -> Batches:
    return Batches.of(bank, device, config.uses_gender, colours_of(config))


def _train(
    data: Batches,
    num_classes: int,
    fold: Fold,
    config: Config,
    device: str,
    on_epoch: OnEpoch | None = None,
) -> tuple[Network, dict[str, Any]]:
    """A new network trained on the fold's training clips, all its random draws from the fold's own seed."""
    _check_precision(config, device)
    seed = fold_seed(fold.seed, fold.subject)
    machine.seed_torch(seed, device)
    model = build_model(config, num_classes).to(device)
    _check_loss(model, config)
    model = model.to(memory_format=model.memory_format)
    if config.precision == "bfloat16" and device == "cpu":
        keep_in_float32(model)
    model.observe(data.labels(torch.from_numpy(fold.train)))
    generator = torch.Generator().manual_seed(seed)
    return model, _fit(model, data, fold, config, generator, _guarded(on_epoch, device))


def _guarded(on_epoch: OnEpoch | None, device: str) -> OnEpoch:
    """``on_epoch``, after which torch's random states are those before it."""

    def call(fold: Fold, epoch: int, losses: dict[str, float]) -> None:
        if on_epoch:
            with machine.own_torch_state(device):
                on_epoch(fold, epoch, losses)

    return call


def _check_precision(config: Config, device: str) -> None:
    if config.precision == "bfloat16" and not machine.has_bfloat16(device):
        raise InputError(
            f"The device {device} ({machine.device_name(device)}) does not calculate in bfloat16: "
            "set precision to float32."
        )


def _check_loss(model: Network, config: Config) -> None:
    """InputError where class weights or a focal loss are asked of a loss that cannot take them."""
    asked = [name for name in ("class_weights", "focal_gamma") if getattr(config, name)]
    if asked and "emphasis" not in inspect.signature(model.loss).parameters:
        raise InputError(
            f"The loss of {own_code.title(config.model)} is its own and takes no emphasis: leave out "
            f"{' and '.join(asked)}, or give it the argument emphasis, as in dianet_utils.models.Network."
        )


def _fit(
    model: Network,
    data: Batches,
    fold: Fold,
    config: Config,
    generator: torch.Generator,
    on_epoch: OnEpoch,
) -> dict[str, Any]:
    """Train ``model`` in place and leave it at its best epoch; returns the curves.

    The best epoch has the lowest validation loss of those that :attr:`Config.first_candidate` admits; without
    validation it is the last. Under the policy ``test_subject`` it is the first of those with the highest
    accuracy on the test subject, and every epoch is run.
    """
    steps = len(data.shuffled(fold.train, config.batch_size, torch.Generator()))
    optimiser, schedule = _optimiser(model, config, steps)
    keeper = BestEpoch(config.epochs if config.leaky else config.patience, config.first_candidate)
    train_losses, criteria = [], []
    for epoch in range(config.epochs):
        with failures_told(config.model, config.fusion):
            loss = train_epoch(model, data, fold, config, generator, optimiser, schedule)
            train_losses.append(_finite(loss, "training", fold, epoch))
            if len(fold.validation):
                criteria.append(_criterion(model, data, fold, config, epoch))
        on_epoch(fold, epoch + 1, _last(train_losses, criteria, config))
        if criteria and keeper.enough(model, epoch, criteria[-1]):
            break
    best = keeper.restore(model) if criteria else len(train_losses) - 1
    curves = {"train_loss": train_losses, "validation_loss": [] if config.leaky else criteria}
    if config.leaky:
        curves["test_accuracy"] = [1 - error for error in criteria]
    return {**curves, "best_epoch": best + 1}


def _last(train_losses: list[float], criteria: list[float], config: Config) -> dict[str, float]:
    """The losses of the last epoch; under the leaky policy the accuracy on the test subject instead."""
    told = {"train_loss": train_losses[-1]}
    if not criteria:
        return told
    return told | ({"test_accuracy": 1 - criteria[-1]} if config.leaky else {"validation_loss": criteria[-1]})


class BestEpoch:
    """Remembers the weights of the first epoch with the lowest validation loss (or rate of errors).

    Epochs before ``first`` (from 0) are no candidates, and ``patience`` counts from there.
    """

    def __init__(self, patience: int, first: int = 0):
        self.patience, self.first = patience, first
        self.best, self.epoch = math.inf, first
        self.weights: dict[str, Tensor] = {}

    def enough(self, model: nn.Module, epoch: int, loss: float) -> bool:
        """Note an epoch; true when ``patience`` epochs have brought nothing better."""
        if loss < self.best and epoch >= self.first:
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


def _criterion(model: Network, data: Batches, fold: Fold, config: Config, epoch: int) -> float:
    """What the best epoch has least of: the validation loss, or the error rate on the test subject."""
    if not config.leaky:
        return _finite(validation_loss(model, data, fold, config), "validation", fold, epoch)
    named = predict(model, data, fold.validation, config).logits.argmax(1)
    targets = data.labels(torch.from_numpy(fold.validation)).emotion
    return int((named != targets).sum()) / len(targets)


def _finite(loss: PassLoss, kind: str, fold: Fold, epoch: int) -> float:
    if loss.culprit:
        raise FloatingPointError(
            f"The {kind} loss of fold {fold.subject} (seed {fold.seed}) is not finite in epoch {epoch + 1}, "
            f"{loss.culprit}."
        )
    return loss.mean


def _optimiser(model: nn.Module, config: Config, steps: int) -> tuple[torch.optim.Optimizer, Any]:
    """The optimiser and its schedule, to be stepped once per batch (``steps`` batches per epoch)."""
    kind = torch.optim.AdamW if config.optimiser == "adamw" else torch.optim.Adam
    parameters = [each for each in model.parameters() if each.requires_grad]  # not those of a frozen backbone
    # fused: one pass over all weights, a fifth of the time on a CPU and one launch on a GPU
    optimiser = kind(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    if config.schedule == "one_cycle":
        total = steps * config.epochs
        return optimiser, torch.optim.lr_scheduler.OneCycleLR(
            optimiser, config.learning_rate, total_steps=total
        )
    return optimiser, torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)


def _accuracy(model: Network, data: Batches, rows: np.ndarray, config: Config) -> float | None:
    """The share of some clips that a trained network gets right, not augmented; None without clips."""
    if not len(rows):
        return None
    named = predict(model, data, rows, config).logits.argmax(1)
    return round(float((named == data.labels(torch.from_numpy(rows)).emotion).float().mean()), 6)


def _probabilities(output: Output) -> np.ndarray:
    return output.logits.softmax(1).double().cpu().numpy()


def _cosines(output: Output) -> dict[str, list[float]]:
    """``cosine``: cos(f1, f2) of each clip, what Eq. 4 pulls towards 1; nothing without two streams."""
    if output.features.shape[1] != 2:
        return {}
    first, second = output.features.unbind(dim=1)
    return {"cosine": torch.cosine_similarity(first, second, dim=-1).double().cpu().numpy().round(6).tolist()}
