"""One fold: a bank, who trains, validates and tests, a configuration and a seed -> predictions.

Nothing here sees the test clips before the last line: the epoch is chosen by the validation clips. The one
exception is the policy ``test_subject``, where the validation clips are the test clips, and which is there
to measure what that habit does.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dianet_utils import machine, models
from dianet_utils.augmentation import augment, still_value
from dianet_utils.batches import Batches
from dianet_utils.config import Config
from dianet_utils.dynamic_images import Bank
from dianet_utils.epochs import BestEpoch, PassLoss
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
    """``auto`` is the GPU when there is one, otherwise the CPU; InputError for a GPU that is not there."""
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if found else "cpu"
    if device.startswith("cuda") and int(device.removeprefix("cuda").lstrip(":") or 0) >= found:
        raise InputError(
            f"There is no device {device}, as torch sees {found} GPUs here: set device to auto or cpu, or "
            "install a driver and a torch build for your GPU."
        )
    return device


def train_fold(bank: Bank, fold: Fold, config: Config, device: str = "cpu") -> dict[str, Any]:
    """Train on ``fold.train`` and predict ``fold.test``; returns JSON types.

    The same arguments give the same numbers on the same machine: on a CPU one thread is used, and
    every random draw comes from the fold's own seed. Where the bank holds shifted apexes, ``shifted`` has
    the probabilities of the test clips under each. Raises ``FloatingPointError`` when the loss stops being
    finite, naming the fold, the epoch, the batch and its clips, or where a prediction is not.
    """
    data = Batches.of(bank, device, config.uses_gender)
    model, history = _train(data, len(bank.classes), fold, config, device)
    output, *moved = (predict(model, data, fold.test, config, shift) for shift in (0, *bank.shifted))
    result = {**_result(bank, fold, _probabilities(output), history), **_cosines(output)}
    if moved:
        each = zip(bank.shifted, moved, strict=True)
        result["shifted"] = {str(shift): _probabilities(one).round(6).tolist() for shift, one in each}
    return {**result, "validation": config.validation} if config.leaky else result


def _probabilities(output: Output) -> np.ndarray:
    return output.logits.softmax(1).double().cpu().numpy()


def train_model(
    bank: Bank, fold: Fold, config: Config, device: str = "cpu"
) -> tuple[Network, dict[str, Any]]:
    """The network that :func:`train_fold` would test, at its best epoch, and the curves of its training."""
    data = Batches.of(bank, device, config.uses_gender)
    return _train(data, len(bank.classes), fold, config, device)


def _train(
    data: Batches, num_classes: int, fold: Fold, config: Config, device: str
) -> tuple[Network, dict[str, Any]]:
    """A new network trained on the fold's training clips, all its random draws from the fold's own seed."""
    _check_precision(config, device)
    if device == "cpu":
        torch.set_num_threads(1)
    seed = fold_seed(fold.seed, fold.subject)
    torch.manual_seed(seed)
    model = build_model(config, num_classes).to(device).to(memory_format=torch.channels_last)
    if config.precision == "bfloat16" and device == "cpu":
        keep_in_float32(model)
    model.observe(data.labels(torch.from_numpy(fold.train)))
    return model, _fit(model, data, fold, config, torch.Generator().manual_seed(seed))


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
    model: Network, data: Batches, fold: Fold, config: Config, generator: torch.Generator
) -> dict[str, Any]:
    """Train ``model`` in place and leave it at its best epoch; returns the curves.

    The best epoch has the lowest validation loss; under the policy ``test_subject`` it is the first of
    those with the highest accuracy on the test subject, and every epoch is run.
    """
    steps = len(data.shuffled(fold.train, config.batch_size, torch.Generator()))
    optimiser, schedule = _optimiser(model, config, steps)
    keeper = BestEpoch(config.epochs if config.leaky else config.patience)
    train_losses, criteria = [], []
    for epoch in range(config.epochs):
        loss = _train_epoch(model, data, fold, config, generator, optimiser, schedule)
        train_losses.append(_finite(loss, "training", fold, epoch))
        if len(fold.validation):
            criteria.append(_criterion(model, data, fold, config, epoch))
            if keeper.enough(model, epoch, criteria[-1]):
                break
    best = keeper.restore(model) if criteria else len(train_losses) - 1
    curves = {"train_loss": train_losses, "validation_loss": [] if config.leaky else criteria}
    if config.leaky:
        curves["test_accuracy"] = [1 - error for error in criteria]
    return {**curves, "best_epoch": best + 1}


def _criterion(model: Network, data: Batches, fold: Fold, config: Config, epoch: int) -> float:
    """What the best epoch has least of: the validation loss, or the error rate on the test subject."""
    if not config.leaky:
        return _finite(_validation_loss(model, data, fold, config), "validation", fold, epoch)
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


def _validation_loss(model: Network, data: Batches, fold: Fold, config: Config) -> PassLoss:
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


def _cosines(output: Output) -> dict[str, list[float]]:
    """``cosine``: cos(f1, f2) of each clip, what Eq. 4 pulls towards 1; nothing without two streams."""
    if output.features.shape[1] != 2:
        return {}
    first, second = output.features.unbind(dim=1)
    return {"cosine": torch.cosine_similarity(first, second, dim=-1).double().cpu().numpy().round(6).tolist()}


def _result(bank: Bank, fold: Fold, probabilities: np.ndarray, history: dict[str, Any]) -> dict[str, Any]:
    names, clips = np.array(bank.classes), [str(clip) for clip in bank.clips.index[fold.test]]
    if not np.isfinite(probabilities).all():
        lost = [clip for clip, row in zip(clips, probabilities, strict=True) if not np.isfinite(row).all()]
        raise FloatingPointError(
            f"The predictions of fold {fold.subject} (seed {fold.seed}) are not finite for {', '.join(lost)}."
        )
    return {
        "subject": fold.subject,
        "seed": fold.seed,
        "classes": list(bank.classes),
        "clips": clips,
        "true": [str(name) for name in names[bank.targets[fold.test]]],
        "predicted": [str(name) for name in names[probabilities.argmax(1)]],
        "probabilities": probabilities.round(6).tolist(),
        "history": history,
        "train_clips": len(fold.train),
        "validation_subjects": sorted({str(s) for s in bank.clips["subject"].iloc[fold.validation]}),
    }
