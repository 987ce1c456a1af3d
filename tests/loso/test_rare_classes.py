"""Class weights, the focal loss and the balanced sampler: by hand, on training clips, off by default."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from sklearn.utils.class_weight import compute_class_weight
from toy import make_bank, small_config

from dianet_utils import loso, models, run
from dianet_utils.config import configure, from_json
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import epochs, training
from dianet_utils.loso.batches import Batches, equal_shares
from dianet_utils.models.losses import Emphasis, consistency_loss, emotion_loss, inverse_frequencies
from dianet_utils.models.output import Labels, Output
from dianet_utils.plumbing.errors import InputError

OPTIONS = ({"class_weights": True}, {"focal_gamma": 2.0}, {"balanced": True})

# Noted before the three settings existed: their defaults must not be felt.
DIGESTS = [
    ({}, "3d8238a4"),
    ({"dataset": "casme2"}, "5a9f9ab0"),
    ({"dataset": "samm", "setting": "quick"}, "1763cf08"),
    ({"setting": "paper"}, "0aeb451c"),
    ({"dataset": "mmew", "model": "geme"}, "56353c06"),
    ({"model": "learnet"}, "30195f5e"),
    ({"model": "linear_svm"}, "3e0e5f0d"),
    ({"model": "one_stream", "label_smoothing": 0.1}, "2688f0dd"),
    ({"split": "kfold:5", "apex_jitter": 2, "mirrored": False}, "bbc38c54"),
    ({"dataset": "casme2", "validation": "test_subject", "precision": "bfloat16"}, "4b2f6a5d"),
    ({"model": "geme"}, "4d81aebf"),
    ({"model": "bi_woof"}, "1237978f"),
]
LOSSES = [
    ({}, [1.2115726470947266, 0.8188737630844116], [1.0854905843734741, 1.0816234350204468]),
    (
        {"consistency_weight": 0.5, "label_smoothing": 0.1},
        [1.5608155727386475, 1.1188857555389404],
        [1.0843638181686401, 1.08608078956604],
    ),
    (
        {"model": "one_stream"},
        [1.080195426940918, 0.9247065782546997],
        [1.1196287870407104, 1.1186655759811401],
    ),
]


def uneven() -> Bank:
    """The toy bank with one surprise a person where there are four of each other emotion."""
    bank = make_bank(subjects=4, repeats=4)
    keep = ~bank.clips.index.str.contains("surprise[1-9]")
    return Bank(bank.images[keep], bank.clips[keep], bank.phases, bank.scaling)


@pytest.mark.parametrize(("given", "digest"), DIGESTS)
def test_at_their_defaults_every_name_of_a_run_is_what_it_was(given: dict, digest: str) -> None:
    off = {"class_weights": "false", "focal_gamma": 0, "balanced": False}
    for config in (configure(**given), configure(**given, **off)):
        assert config.digest("data") == digest
        assert not {*off} & config.as_json().keys()
    assert loso.run_name(make_bank(subjects=4), small_config()).endswith("-e0e3aee0")


@pytest.mark.parametrize("given", OPTIONS)
def test_one_that_is_on_is_part_of_the_name(given: dict) -> None:
    config = small_config(**given)
    assert config.as_json() == {**small_config().as_json(), **given}
    assert from_json(config.as_json()) == config
    assert config.digest() != small_config().digest()


@pytest.mark.parametrize(("given", "train", "validation"), LOSSES)
def test_at_their_defaults_training_gives_the_losses_noted_before(
    given: dict, train: list[float], validation: list[float]
) -> None:
    """Of one machine: elsewhere torch may round otherwise, and so the last digits are free."""
    bank, config = make_bank(subjects=4), small_config(**given)
    history = training.train_fold(bank, loso.make_folds(bank.clips, "held_out", 0, 1)[0], config)["history"]
    np.testing.assert_allclose(history["train_loss"], train, rtol=1e-3)
    np.testing.assert_allclose(history["validation_loss"], validation, rtol=1e-3)


def test_without_emphasis_the_loss_is_torchs_cross_entropy_to_the_last_bit() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(9, 4), torch.arange(9) % 4
    for smoothing in (0.0, 0.1):
        expected = F.cross_entropy(logits, targets, label_smoothing=smoothing)
        assert torch.equal(emotion_loss(logits, targets, smoothing), expected)
        alike = emotion_loss(logits, targets, smoothing, Emphasis(torch.ones(4)))
        torch.testing.assert_close(alike, expected)


def test_class_weights_are_scikit_learns_and_a_class_without_clips_has_none() -> None:
    targets = np.array([0, 0, 0, 0, 0, 2, 2, 3])
    expected = compute_class_weight("balanced", classes=np.array([0, 2, 3]), y=targets)
    found = inverse_frequencies(torch.from_numpy(targets), 5).numpy()
    np.testing.assert_allclose(found[[0, 2, 3]], expected, rtol=1e-6)
    assert found[1] == found[4] == 0
    np.testing.assert_allclose(found[targets].mean(), 1, rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_loss_is_the_formula_by_hand(gamma: float, smoothing: float) -> None:
    logits = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 1.0, 2.0]])
    weights, targets = np.array([0.5, 1.5, 3.0]), [0, 2, 1]
    total = 0.0
    for scores, target in zip(logits, targets, strict=True):
        chances = np.exp(scores) / np.exp(scores).sum()
        for kind in range(3):
            share = (1 - smoothing) * (kind == target) + smoothing / 3
            total -= share * weights[kind] * (1 - chances[kind]) ** gamma * np.log(chances[kind])
    emphasis = Emphasis(torch.from_numpy(weights), gamma)
    found = emotion_loss(torch.from_numpy(logits), torch.tensor(targets), smoothing, emphasis)
    assert found.item() == pytest.approx(total / 3, rel=1e-9)
    if not gamma:  # torch's own, whose mean is over the weights
        summed = F.cross_entropy(
            torch.from_numpy(logits),
            torch.tensor(targets),
            torch.from_numpy(weights),
            label_smoothing=smoothing,
            reduction="sum",
        )
        assert found.item() == pytest.approx(summed.item() / 3, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_a_clip_that_is_certainly_right_has_a_finite_gradient(gamma: float) -> None:
    logits = torch.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
    emotion_loss(logits, torch.tensor([0]), 0.0, Emphasis(gamma=gamma)).backward()
    assert torch.isfinite(logits.grad).all()


def test_the_consistency_term_stays_as_it_is() -> None:
    torch.manual_seed(0)
    model = models.build_model(small_config(), 3)
    output = Output(torch.randn(6, 3), torch.randn(6, 2, 512))
    labels = Labels(torch.arange(6) % 3)
    found = model.loss(output, labels, 0.4, 0.0, Emphasis(gamma=2.0))
    expected = emotion_loss(output.logits, labels.emotion, 0.0, Emphasis(gamma=2.0))
    torch.testing.assert_close(found, expected + 0.4 * consistency_loss(output.features))


def heard(bank: Bank, monkeypatch: pytest.MonkeyPatch, **given: object) -> list[Emphasis]:
    """What the loss of the first fold of a bank is told, step by step."""
    told, plain = [], models.build_model(small_config(), 3).__class__.loss

    def loss(self, output, labels, consistency_weight=0.0, label_smoothing=0.0, emphasis=None):
        told.append(emphasis)
        return plain(self, output, labels, consistency_weight, label_smoothing, emphasis)

    monkeypatch.setattr("dianet_utils.models.dianet.DIANet.loss", loss)
    fold = loso.make_folds(bank.clips, "held_out", 0, 1)[0]
    training.train_fold(bank, fold, small_config(epochs=1, **given))
    monkeypatch.undo()
    return told


def test_weights_come_from_the_training_clips_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other emotions of those who test and validate change nothing; one of those who train does."""
    bank = uneven()
    fold = loso.make_folds(bank.clips, "held_out", 0, 1)[0]
    targets = bank.targets[fold.train]
    expected = len(targets) / (3 * np.bincount(targets))
    others = np.concatenate([fold.test, fold.validation])
    for rows, same in ((others, True), (fold.train[:3], False)):
        emotions = bank.clips["emotion"].to_numpy(dtype=object, copy=True)
        emotions[rows] = "surprise"
        changed = Bank(bank.images, bank.clips.assign(emotion=emotions), bank.phases, bank.scaling)
        for emphasis in heard(changed, monkeypatch, class_weights=True):
            assert np.allclose(emphasis.weights.numpy(), expected, rtol=1e-6) == same


def test_a_focal_loss_alone_has_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(heard(uneven(), monkeypatch, focal_gamma=1.5)) == {Emphasis(None, 1.5)}


def test_the_balanced_sampler_draws_all_classes_equally_often() -> None:
    bank = uneven()
    data, rows = Batches.of(bank, "cpu"), np.arange(len(bank.clips))
    generator = torch.Generator().manual_seed(0)
    seen = np.zeros(len(rows), int)
    for _ in range(20):
        drawn = torch.cat(data.shuffled(rows, 8, generator, balanced=True)).numpy()
        assert np.bincount(bank.targets[drawn]).tolist() == [12, 12, 12]
        seen += np.bincount(drawn, minlength=len(rows))
        rare = bank.targets == 2
        assert np.bincount(drawn, minlength=len(rows))[rare].tolist() == [3] * 4
        assert np.bincount(drawn, minlength=len(rows))[~rare].max() == 1
    assert seen.min() > 0
    plain = torch.cat(data.shuffled(rows, 8, torch.Generator().manual_seed(1)))
    assert torch.equal(plain, torch.randperm(len(rows), generator=torch.Generator().manual_seed(1)))


def test_where_clips_cannot_be_shared_out_evenly_chance_gives_one_more() -> None:
    kinds, generator = np.array([0, 0, 0, 0, 0, 1, 1, 4]), torch.Generator().manual_seed(0)
    counts = np.array([np.bincount(kinds[equal_shares(np.arange(8), kinds, generator)]) for _ in range(60)])[
        :, [0, 1, 4]
    ]
    assert (np.sort(counts, axis=1) == [2, 3, 3]).all()
    assert (counts.min(axis=0) == 2).all()


def test_only_training_clips_are_drawn() -> None:
    bank = uneven()
    fold = loso.make_folds(bank.clips, "held_out", 0, 1)[0]
    batches = Batches.of(bank, "cpu").shuffled(fold.train, 8, torch.Generator().manual_seed(0), balanced=True)
    drawn = torch.cat(batches).numpy()
    assert len(drawn) == len(fold.train)
    assert set(drawn) <= set(fold.train)


@pytest.mark.parametrize("given", [*OPTIONS, {"focal_gamma": 2.0, "balanced": True}])
@pytest.mark.parametrize("model", ["dianet", "one_stream"])
def test_a_fold_trains_with_each_in_another_way_and_the_same_way_twice(given: dict, model: str) -> None:
    bank = uneven()
    fold = loso.make_folds(bank.clips, "held_out", 0, 1)[0]
    plain, once, again = (
        training.train_fold(bank, fold, small_config(model=model, **each)) for each in ({}, given, given)
    )
    assert once == again
    assert once["probabilities"] != plain["probabilities"]


def test_the_epoch_is_chosen_by_the_plain_loss() -> None:
    bank = uneven()
    data, fold = Batches.of(bank, "cpu"), loso.make_folds(bank.clips, "held_out", 0, 1)[0]
    model = models.build_model(small_config(), 3)
    told = {
        epochs.validation_loss(model, data, fold, small_config(**given)).mean for given in ({}, *OPTIONS[:2])
    }
    assert len(told) == 1


@pytest.mark.parametrize("model", ["geme", "linear_svm", "lbp_top"])
@pytest.mark.parametrize("given", OPTIONS)
def test_a_system_that_settles_it_refuses(model: str, given: dict) -> None:
    with pytest.raises(InputError, match=f"{next(iter(given))} is settled by {model} itself"):
        configure(model=model, **given)


def test_both_ways_of_making_up_for_rare_classes_are_refused_together() -> None:
    with pytest.raises(InputError, match="class_weights and balanced both make up for rare classes"):
        configure(class_weights=True, balanced=True)
    with pytest.raises(InputError, match="focal_gamma is -1 but must be a number from 0 to 10"):
        configure(focal_gamma=-1)


def test_gemes_loss_refuses_what_it_would_not_heed() -> None:
    model = models.build("geme", 3)
    output = Output(torch.zeros(2, 3), torch.zeros(2, 1, 320), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="in its own way"):
        model.loss(output, Labels(torch.tensor([0, 1]), torch.tensor([0, 1])), 0.0, 0.0, Emphasis(gamma=2.0))


def test_a_loss_of_ones_own_without_the_argument_is_refused(tmp_path: Path) -> None:
    source = """
import torch
from dianet_utils.models import Network, Output

class Mine(Network):
    def __init__(self, num_classes):
        super().__init__()
        self.layer = torch.nn.Linear(3, num_classes)
    def forward(self, images):
        return Output(self.layer(images.mean((1, 3, 4))), images.flatten(2))
    def loss(self, output, labels, consistency_weight=0.0, label_smoothing=0.0):
        return torch.nn.functional.cross_entropy(output.logits, labels.emotion)
"""
    path = tmp_path / "mine.py"
    path.write_text(source, encoding="utf-8")
    given = {"model": f"{path}:Mine", "image_size": 32, "epochs": 1, "validation": "none", "batch_size": 8}
    bank = uneven()
    fold = loso.make_folds(bank.clips, "none", 0, 1)[0]
    training.train_fold(bank, fold, configure(**given, balanced=True))
    with pytest.raises(
        InputError, match="loss of Mine is its own and takes no emphasis: leave out focal_gam"
    ):
        training.train_fold(bank, fold, configure(**given, focal_gamma=2))


def test_notebooks_take_them_by_settings() -> None:
    asked = run.check_parameters({"settings": "focal_gamma=2, class_weights=true"})
    config = run.config_of(asked)
    assert (config.focal_gamma, config.class_weights, config.balanced) == (2.0, True, False)
