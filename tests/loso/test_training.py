"""The fast way of training against the plain one, and training in bfloat16."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from toy import make_bank, small_config

from dianet_utils import loso, models
from dianet_utils.config import Config, configure
from dianet_utils.loso import augmentation, epochs, training
from dianet_utils.loso.batches import Batches
from dianet_utils.models import Labels
from dianet_utils.models.precision import keep_in_float32
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError

ROWS = torch.arange(8)


def network(config: Config) -> nn.Module:
    torch.manual_seed(3)
    return models.build_model(config, 3)


def gradients(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def reference_loss(model: nn.Module, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Eq. 4 and 5 as a tutorial writes them: a forward call a stream, contiguous images."""
    first, second = (model.streams[0](images[:, phase].contiguous()) for phase in (0, 1))
    features = torch.stack([first, second], dim=1)
    fused = model.fusion(model.norm(features)).flatten(1)
    logits = model.classifier(model.projection(fused))
    consistency = sum(1 - F.cosine_similarity(a, b, dim=0) for a, b in zip(first, second, strict=True))
    return F.cross_entropy(logits, targets) + 0.1 * consistency / len(images)


def test_the_fast_path_gives_the_loss_and_gradients_of_the_plain_one() -> None:
    """A backbone without BatchNorm, whose statistics over both streams are a stated choice."""
    config = small_config(backbone="test_convnext", dropout=0.0, label_smoothing=0.0, consistency_weight=0.1)
    bank = make_bank(size=32)
    data = Batches.of(bank, "cpu")
    plain = network(config)
    fast = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    images, labels = data.inputs(ROWS), data.labels(ROWS)
    expected = reference_loss(plain, images, labels.emotion)
    found = epochs._loss(fast, images, labels, config)
    for loss in (expected, found):
        loss.backward()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradients(fast), gradients(plain), rtol=1e-3, atol=1e-5)


def test_one_batched_warp_is_the_warp_of_each_sample() -> None:
    images = torch.rand(5, 2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    angles, mirrored = torch.linspace(-10, 10, 5), torch.arange(5) % 2 == 0
    together = augmentation.warp(images, angles, mirrored)
    alone = [augmentation.warp(images[i, None], angles[i, None], mirrored[i, None])[0] for i in range(5)]
    torch.testing.assert_close(together, torch.stack(alone), rtol=0, atol=1e-6)


def bfloat16_and_float32(backbone: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    config = small_config(backbone=backbone, dropout=0.0, image_size=64)
    images, labels = torch.rand(8, 2, 3, 64, 64), Labels(torch.arange(8) % 3)
    found = []
    for precision in ("float32", "bfloat16"):
        model = network(config)
        if precision == "bfloat16":
            keep_in_float32(model)
        loss = epochs._loss(model, images, labels, replace(config, precision=precision))
        loss.backward()
        assert loss.dtype == torch.float32
        found.append((loss.detach(), gradients(model)))
    similar = F.cosine_similarity(found[0][1], found[1][1], dim=0)
    return found[0][0], found[1][0], similar


@pytest.mark.parametrize("backbone", ["test_efficientnet", "test_convnext"])
def test_bfloat16_is_another_number_in_the_third_digit(backbone: str) -> None:
    full, low, similar = bfloat16_and_float32(backbone)
    assert full != low
    torch.testing.assert_close(low, full, rtol=2e-2, atol=0)
    assert similar > 0.98


def test_strided_depthwise_convolutions_stay_in_float32() -> None:
    kinds: dict[str, torch.dtype] = {}
    layers = {
        "strided": nn.Conv2d(4, 4, 3, stride=2, groups=4),
        "depthwise": nn.Conv2d(4, 4, 3, groups=4),
        "dense": nn.Conv2d(4, 4, 3, stride=2),
    }
    model = nn.ModuleDict(layers)
    keep_in_float32(model)
    with torch.autocast("cpu", torch.bfloat16):
        for name, layer in model.items():
            kinds[name] = layer(torch.rand(1, 4, 8, 8)).dtype
    assert kinds == {"strided": torch.float32, "depthwise": torch.bfloat16, "dense": torch.bfloat16}


def test_a_fold_trains_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any CPU can emulate it, which is enough to see a fold through."""
    monkeypatch.setattr(machine, "has_bfloat16", lambda device: True)
    bank = make_bank(subjects=4)
    fold = loso.make_folds(bank.clips, "held_out", seed=0)[0]
    low = training.train_fold(bank, fold, small_config(precision="bfloat16", epochs=1))
    full = training.train_fold(bank, fold, small_config(epochs=1))
    assert low["probabilities"] != full["probabilities"]
    np.testing.assert_allclose(low["history"]["train_loss"][0], full["history"]["train_loss"][0], rtol=0.05)


def test_bfloat16_is_refused_where_it_would_be_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "has_bfloat16", lambda device: False)
    bank = make_bank(subjects=3)
    fold = loso.make_folds(bank.clips, "none", seed=0)[0]
    with pytest.raises(InputError, match="does not calculate in bfloat16: set precision to float32"):
        training.train_fold(bank, fold, small_config(precision="bfloat16"))


def test_the_default_precision_stays_out_of_the_name_of_a_run() -> None:
    assert "precision" not in small_config().as_json()
    assert small_config(precision="bfloat16").digest() != small_config().digest()


def test_no_epoch_is_chosen_while_the_rate_is_high() -> None:
    model, keeper = nn.Linear(1, 1), training.BestEpoch(patience=2, first=2)
    for epoch, loss in enumerate([0.1, 0.2, 3.0, 2.0, 2.5]):
        assert not keeper.enough(model, epoch, loss)
    assert keeper.enough(model, 5, 2.1)
    assert keeper.restore(model) == 3
    assert configure(epochs=30, validation="held_out").first_candidate == 15
    assert configure(epochs=30, validation="test_subject").first_candidate == 0
    assert configure("casme2").first_candidate == 0


def test_the_emotion_alone_chooses_the_epoch() -> None:
    """Whatever else is in the loss that trains: here smoothed labels and consistency."""
    bank = make_bank()
    fold = loso.make_folds(bank.clips, "held_out", seed=0)[0]
    config = small_config(epochs=4, label_smoothing=0.3, consistency_weight=5.0)
    model, history = training.train_model(bank, fold, config)
    assert history["best_epoch"] in (3, 4)
    logits = epochs.predict(model, Batches.of(bank, "cpu"), fold.validation, config).logits
    told = logits.double().log_softmax(1)[range(len(logits)), torch.from_numpy(bank.targets[fold.validation])]
    assert min(history["validation_loss"][2:]) == pytest.approx(-told.mean().item(), rel=1e-5)


def test_a_clip_and_its_mirror_image_get_the_same_answer_where_both_are_asked() -> None:
    """Also where a phase is optical flow: a mirrored face moves the other way."""
    bank = make_bank()
    other = np.ascontiguousarray(bank.images[..., ::-1])
    other[:, 0, 0] *= -1
    data, mirrored = (
        replace(Batches.of(replace(bank, images=images), "cpu"), flows=(0,))
        for images in (bank.images, other)
    )
    config, rows = small_config(mirrored=True), np.arange(7)
    model = models.build_model(config, 3).eval()
    here, there = (epochs.predict(model, each, rows, config).logits.softmax(1) for each in (data, mirrored))
    assert torch.allclose(here, there, atol=1e-6)
    plain = [
        epochs.predict(model, each, rows, replace(config, mirrored=False)).logits.softmax(1)
        for each in (data, mirrored)
    ]
    assert not torch.allclose(*plain, atol=1e-6)
    assert torch.allclose(here, (plain[0] + plain[1]) / 2, atol=1e-6)


def test_the_best_weights_are_kept_in_memory_taken_once() -> None:
    model, keeper = nn.BatchNorm1d(2), training.BestEpoch(patience=5)
    keeper.enough(model, 0, 2.0)
    places = {name: weight.data_ptr() for name, weight in keeper.weights.items()}
    model.weight.data.fill_(7.0)
    keeper.enough(model, 1, 1.0)
    model.weight.data.fill_(9.0)
    assert {name: weight.data_ptr() for name, weight in keeper.weights.items()} == places
    assert keeper.restore(model) == 1
    assert model.weight.tolist() == [7.0, 7.0]
