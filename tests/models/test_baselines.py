"""The compared systems: sizes, padding, losses, that each learns, and what each asks for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from dianet_utils import config, datasets, models
from dianet_utils.config import configure, from_json
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso.folds import Fold
from dianet_utils.loso.training import train_fold
from dianet_utils.models import Labels, build_model
from dianet_utils.models.baselines import geme
from dianet_utils.models.baselines.blocks import SameConv, same_padding
from dianet_utils.models.baselines.originet import refined_relu
from dianet_utils.plumbing.errors import InputError

# Networks that bring their own layers: the others read through a backbone, or are no networks.
SYSTEMS = [
    name
    for name, record in config.SYSTEMS.items()
    if record.learner == "network" and "backbone" in record.fixed
]
RECONSTRUCTIONS = [name for name in SYSTEMS if config.SYSTEMS[name].status == "reconstruction"]


def built(name: str, classes: int = 5, **given: object) -> nn.Module:
    torch.manual_seed(0)
    return build_model(configure(model=name, **given), classes)


def clips_for(name: str, count: int = 3, seed: int = 1) -> torch.Tensor:
    settings = configure(model=name)
    shape = (count, len(settings.inputs), 3, settings.image_size, settings.image_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def labels(count: int, classes: int = 5) -> Labels:
    return Labels(torch.arange(count) % classes, torch.arange(count) % 2)


# --- the networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "classes", "published"),
    [
        ("learnet", 5, 1_866_053),
        ("learnet", 6, 1_866_310),
        ("learnet", 8, 1_866_824),
        ("originet", 5, 1_872_613),
        ("originet", 6, 1_872_870),
        ("originet", 8, 1_873_384),
    ],
)
def test_ports_have_the_trainable_parameters_of_the_originals(name, classes, published):
    assert models.status(name) == "port"
    assert sum(weight.numel() for weight in built(name, classes).parameters()) == published


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
def test_reconstructions_are_small_and_say_what_they_assume(name):
    assert "Known:" in models._network(name).__doc__
    assert "Assumed:" in models._network(name).__doc__
    assert 0.5e6 < sum(weight.numel() for weight in built(name).parameters()) < 3e6


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_part_of_a_system_learns(name):
    model, images = built(name), clips_for(name)
    output = model(images)
    assert output.logits.shape == (3, 5)
    assert output.features.shape[:2] == (3, 1)
    model.loss(output, labels(3)).backward()
    assert not [key for key, weight in model.named_parameters() if not weight.grad.any()]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_prediction_does_not_depend_on_batch_mates(name):
    model, images = built(name), clips_for(name, 4)
    model(images)  # running averages that are not those of a fresh network
    model.eval()
    with torch.no_grad():
        together, alone = model(images).logits, model(images[1:2]).logits
    torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-5)


def bank_for(name: str, count: int = 10) -> Bank:
    """Noise in which a bright or dark patch, at a place of its own, names each of five emotions."""
    settings = configure(model=name)
    emotions = [f"emotion{row % 5}" for row in range(count)]
    images = 0.2 * clips_for(name, count).numpy()
    step = settings.image_size // 5
    for row in range(count):
        corner = row % 5 * step
        images[row, :, :, corner : corner + step, :step] += 1 if row % 2 else -1
    clips = pd.DataFrame(
        {"subject": "01", "emotion": emotions, "gender": ["female", "male"] * (count // 2)},
        index=pd.Index([f"01/{row}" for row in range(count)], name="clip"),
    )
    return Bank(images.clip(-1, 1), clips, settings.inputs, "signed")


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_learns_a_few_clips_by_heart(name):
    """Through the harness: the fold predicts, in evaluation mode, the clips that it was trained on."""
    bank, rows = bank_for(name), np.arange(10)
    given = {"epochs": 40, "batch_size": 10, "learning_rate": 5e-4, "flip": False, "degrees": 0.0}
    result = train_fold(bank, Fold("01", 0, rows, rows[:0], rows), configure(model=name, **given))
    assert result["predicted"] == result["true"]
    assert result["history"]["train_loss"][-1] < 0.5  # guessing: 1.6


# --- padding and activations --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "kernel", "expected"),
    [(112, 3, (0, 1)), (128, 5, (1, 2)), (14, 5, (1, 2)), (7, 3, (1, 1)), (56, 1, (0, 0)), (7, 5, (2, 2))],
)
def test_same_padding_is_tensorflows(size, kernel, expected):
    assert same_padding(size, kernel, 2) == expected


@pytest.mark.parametrize(("size", "kernel", "first"), [(8, 3, 0), (8, 5, -1), (7, 3, -1), (7, 1, 0)])
def test_a_strided_convolution_samples_the_pixels_of_the_original(size, kernel, first):
    """Pixel by pixel: output i sees the inputs from ``2 i + first``, and zeros outside the image."""
    torch.manual_seed(0)
    layer, image = SameConv(2, 3, kernel), torch.randn(1, 2, size, size)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    side = (size + 1) // 2
    expected = np.tile(bias[:, None, None], (1, side, side)).astype(np.float64)
    for i, j, m, n in np.ndindex(side, side, kernel, kernel):
        y, x = 2 * i + first + m, 2 * j + first + n
        if 0 <= y < size and 0 <= x < size:
            expected[:, i, j] += weight[:, :, m, n] @ image[0, :, y, x].numpy()
    np.testing.assert_allclose(layer(image).detach().numpy()[0], expected, atol=1e-5)


def test_originets_activation():
    values = np.array([-2.0, -0.5, 0.0, 1.0, 3.0])
    sigmoid = 1 / (1 + np.exp(-values))
    expected = sigmoid + sigmoid * np.where(values > 0, values, 0.1 * values)
    np.testing.assert_allclose(refined_relu(torch.from_numpy(values)).numpy(), expected, rtol=1e-12)


def test_originets_coarse_path_skips_the_last_normalisation():
    model = built("originet")
    images = clips_for("originet", 2)
    seen = {}
    model.norms[2].register_forward_hook(lambda _, given, result: seen.update(before=given[0], after=result))
    model.fine[3].register_forward_pre_hook(lambda _, given: seen.update(fine=given[0]))
    model.coarse[3].register_forward_pre_hook(lambda _, given: seen.update(coarse=given[0]))
    model(images)
    assert seen["fine"] is seen["after"]
    assert seen["coarse"] is seen["before"]


@pytest.mark.parametrize("name", ["learnet", "originet"])
def test_ports_take_the_size_they_were_built_for_and_no_other(name):
    small = built(name, image_size=64)
    assert small(torch.zeros(2, 1, 3, 64, 64)).logits.shape == (2, 5)
    with pytest.raises(InputError, match=r"takes images \[N, 1, 3, 64, 64\], not \[2, 1, 3, 96, 96\]"):
        small(torch.zeros(2, 1, 3, 96, 96))


# --- losses -------------------------------------------------------------------------------------------


def test_class_balanced_weights():
    counts, beta = np.array([3, 40, 200]), 0.99
    expected = (1 - beta) / (1 - beta**counts)
    found = geme.class_balanced_weights(torch.from_numpy(counts), beta).numpy()
    np.testing.assert_allclose(found, expected * 3 / expected.sum(), rtol=1e-6)
    assert geme.class_balanced_weights(torch.tensor([5, 70]), 0.0).tolist() == [1.0, 1.0]
    assert torch.isfinite(geme.class_balanced_weights(torch.tensor([0, 70]), 0.99)).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("focus", [0.0, 2.0])
def test_focal_loss(focus, smoothing):
    random = np.random.default_rng(0)
    logits, weights = random.normal(0, 2, (6, 4)), np.array([0.5, 1.0, 2.0, 0.7])
    targets = np.array([0, 1, 2, 3, 0, 2])
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    terms = -weights * (1 - chances) ** focus * np.log(chances)
    truth = np.eye(4)[targets] * (1 - smoothing) + smoothing / 4
    found = geme.focal_loss(
        torch.from_numpy(logits), torch.from_numpy(targets), torch.from_numpy(weights), focus, smoothing
    )
    assert found.item() == pytest.approx((terms * truth).sum(1).mean(), rel=1e-9)


def test_gemes_loss_is_both_tasks_and_its_weights_are_of_the_training_clips():
    model = models.build("geme", 3, gender_weight=0.25, beta=0.9)
    seen = Labels(torch.tensor([0, 0, 0, 1, 2, 2]), torch.zeros(6, dtype=torch.int64))
    model.observe(seen)
    torch.testing.assert_close(
        model.weights, geme.class_balanced_weights(torch.tensor([3, 1, 2]), 0.9), rtol=0, atol=0
    )
    output, truth = model(clips_for("geme", 4)), labels(4, 3)
    emotion = geme.focal_loss(output.logits, truth.emotion, model.weights, 2.0)
    gender = nn.functional.cross_entropy(output.gender, truth.gender)
    torch.testing.assert_close(model.loss(output, truth), emotion + 0.25 * gender)


@pytest.mark.parametrize("name", ["learnet", "originet", "affectivenet", "fdcn"])
def test_the_others_have_the_plain_cross_entropy(name):
    model = built(name).eval()
    output = model(clips_for(name))
    expected = nn.functional.cross_entropy(output.logits, labels(3).emotion, label_smoothing=0.1)
    assert model.loss(output, labels(3), 0.5, 0.1).item() == expected.item()


# --- the gender of subjects ---------------------------------------------------------------------------


def subjects_table() -> pd.DataFrame:
    names = ["01", "01", "02", "10"]
    clips = pd.DataFrame({"subject": names}, index=pd.Index([f"{s}/{i}" for i, s in enumerate(names)]))
    clips.attrs["notes"] = ["a choice"]
    return clips


def test_genders_come_from_a_file_by_subject(tmp_path: Path):
    path = tmp_path / "genders.csv"
    path.write_text("\ufeffsubject, Gender\n10, Male\n01,female\n02,female\n", encoding="utf-8")
    clips = datasets.add_genders(subjects_table(), path)
    assert clips["gender"].tolist() == ["female", "female", "female", "male"]
    assert clips.attrs == {"notes": ["a choice"]}


def test_all_that_is_wrong_with_genders_is_told_at_once(tmp_path: Path):
    path = tmp_path / "genders.csv"
    path.write_text("subject,gender\n1,female\n01,m\n02,male\n02,male\n")
    with pytest.raises(InputError) as caught:
        datasets.add_genders(subjects_table(), path)
    for part in ("does not have: '1'", "without a row: '10'", "more than one row: '02'", "male: 'm'"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="cannot be read"):
        datasets.add_genders(subjects_table(), tmp_path / "none.csv")
    path.write_text("name,sex\n01,male\n")
    with pytest.raises(InputError, match="has the columns name, sex but needs subject and gender"):
        datasets.add_genders(subjects_table(), path)


def test_geme_without_genders_says_which_file_to_give():
    bank, rows = bank_for("geme"), np.arange(10)
    bare = Bank(bank.images, bank.clips.drop(columns="gender"), bank.phases, bank.scaling)
    fold = Fold("01", 0, rows[:8], rows[:0], rows[8:])
    with pytest.raises(InputError, match="CSV file with the columns subject, gender"):
        train_fold(bare, fold, configure(model="geme", epochs=1))
    train_fold(bare, fold, configure(model="affectivenet", inputs="whole", epochs=1))


def test_the_gender_of_test_clips_moves_nothing():
    bank, rows = bank_for("geme"), np.arange(10)
    clips = bank.clips.copy()
    clips.iloc[8:, clips.columns.get_loc("gender")] = ["male", "female"]
    other = Bank(bank.images, clips, bank.phases, bank.scaling)
    fold, settings = Fold("01", 0, rows[:8], rows[:0], rows[8:]), configure(model="geme", epochs=2)
    assert train_fold(bank, fold, settings) == train_fold(other, fold, settings)
    assert bank.fingerprint != other.fingerprint


# --- the configuration --------------------------------------------------------------------------------


SIZES = {"learnet": 112, "originet": 128, "affectivenet": 112, "geme": 112, "fdcn": 112}


@pytest.mark.parametrize("dataset", ["synthetic", "casme2"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_comes_with_its_own_inputs_and_size(dataset, name):
    settings = configure(dataset, model=name)
    assert settings.image_size == SIZES.get(name, configure(dataset).image_size)
    assert settings.backbone == settings.fusion == settings.streams == "own"
    assert settings.epochs == configure(dataset).epochs
    assert from_json(settings.as_json()) == settings
    assert settings.uses_gender == (name == "geme")


def test_parameters_come_before_the_systems_defaults():
    settings = configure("casme2", model="learnet", image_size=64, inputs="onset", learning_rate=1e-3)
    assert (settings.image_size, settings.inputs, settings.learning_rate) == (64, ("onset",), 1e-3)


def test_what_does_not_go_together_is_told_at_once():
    with pytest.raises(InputError) as caught:
        configure(model="learnet", inputs="onset,offset", backbone="resnet18", dropout=0.1)
    for part in ("backbone is settled by learnet", "dropout is settled", "takes 1 of the inputs, not 2"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="fdcn takes 2 of the inputs, not 1"):
        configure(model="fdcn", inputs="flow")
    with pytest.raises(InputError, match="weighting harmonic is for dynamic images"):
        configure(model="originet", weighting="harmonic")
    with pytest.raises(InputError, match="parameter fusion"):
        configure(model="dianet", fusion="own")
    with pytest.raises(InputError, match="did you mean 'learnet'"):
        configure(model="learnett")


def test_what_a_configuration_fixes_is_what_the_network_does_not_take():
    ignored = {"backbone", "fusion", "streams", "pretrained"}
    for name in SYSTEMS:
        assert not ignored & set(models.options(name))
        assert {"dropout", "hidden"} <= set(models.options(name)) | set(config.SYSTEMS[name].fixed)
