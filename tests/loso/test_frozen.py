"""A frozen backbone stays as it was pretrained, to the last running statistic, while the rest learns."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor
from toy import make_bank, small_config

from dianet_utils import models
from dianet_utils.config import Config
from dianet_utils.loso import training
from dianet_utils.loso.folds import make_folds
from dianet_utils.models.gradcam import look

BACKBONE = "test_efficientnet"


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Tensor]:
    """The weights in a file of a backbone, as trained ones: none of its statistics stands at its default."""
    torch.manual_seed(7)
    tensors = timm.create_model(BACKBONE, num_classes=0).state_dict()
    for name, value in tensors.items():
        if "running" in name:
            value.uniform_(0.5, 1.5)
    save_file(tensors, tmp_path / "weights.safetensors")
    return tensors


def trained(tmp_path: Path, **options: object) -> tuple[Config, models.Network]:
    """A network after one fold that is seen to learn: many steps, at a high rate and with weight decay."""
    bank = make_bank()
    config = small_config(
        pretrained=str(tmp_path / "weights.safetensors"), learning_rate=1e-2, weight_decay=0.1, **options
    )
    fold = make_folds(bank.clips, config.validation, seed=0)[0]
    return config, training.train_model(bank, fold, config)[0]


def backbones(model: models.Network) -> list[dict[str, Tensor]]:
    streams = model.streams if hasattr(model, "streams") else [model.stream]
    return [stream.network.state_dict() for stream in streams]


def moved(found: dict[str, Tensor], given: dict[str, Tensor]) -> set[str]:
    return {name for name, value in given.items() if not torch.equal(found[name], value)}


WAYS = [{}, {"streams": "dedicated"}, {"fusion": "cross_spatial"}, {"model": "one_stream"}]


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_a_fold_leaves_a_frozen_backbone_as_it_was_and_moves_all_else(
    given: dict[str, Tensor], tmp_path: Path, options: dict[str, str]
) -> None:
    config, model = trained(tmp_path, frozen=True, **options)
    for found in backbones(model):
        assert not moved(found, given)
    torch.manual_seed(0)
    before = models.build_model(config, 3).state_dict()
    rest = {name: value for name, value in before.items() if ".network." not in name}
    idle = rest.keys() - moved(model.state_dict(), rest)
    assert any("project.weight" in name for name in rest)
    assert not idle, "new layers start at random or at a constant, and every one of them learns"


def test_without_freezing_the_same_fold_moves_weights_and_statistics(
    given: dict[str, Tensor], tmp_path: Path
) -> None:
    (found,) = backbones(trained(tmp_path)[1])
    assert moved(found, given) == set(given)


def test_the_optimiser_gets_what_learns_alone(given: dict[str, Tensor], tmp_path: Path) -> None:
    path = str(tmp_path / "weights.safetensors")
    for frozen in (True, False):
        config = small_config(pretrained=path, frozen=frozen)
        model = models.build_model(config, 3)
        (group,) = training._optimiser(model, config, 1)[0].param_groups
        wanted = [value for name, value in model.named_parameters() if not frozen or ".network." not in name]
        assert [id(each) for each in group["params"]] == [id(each) for each in wanted]


def test_a_frozen_backbone_says_the_same_in_training_and_in_evaluation(
    given: dict[str, Tensor], tmp_path: Path
) -> None:
    stream = trained(tmp_path, frozen=True)[1].train().streams[0]
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(stream.train()(images), stream.eval()(images))
    assert not stream.train().network.training
    assert stream.project.training


def test_frozen_is_told_in_the_settings_only_where_it_is_asked_for(
    given: dict[str, Tensor], tmp_path: Path
) -> None:
    path = str(tmp_path / "weights.safetensors")
    frozen, tuned = small_config(pretrained=path, frozen=True), small_config(pretrained=path)
    assert frozen.as_json() == {**tuned.as_json(), "frozen": True}
    assert frozen.digest() != tuned.digest() == small_config(pretrained=path, frozen="false").digest()


def test_it_can_be_shown_where_a_frozen_network_looked(given: dict[str, Tensor], tmp_path: Path) -> None:
    """The same place as that of the same network whose weights could learn."""
    model = trained(tmp_path, frozen=True)[1]
    images, wanted = torch.randn(2, 2, 3, 64, 64), torch.tensor([0, 2])
    frozen = look(model, images, wanted)
    torch.testing.assert_close(frozen, look(model.requires_grad_(), images, wanted))
    assert frozen.any()
    assert not images.requires_grad
