"""DIANet: shapes, each reading of the fusion, the losses, weights, and what it costs."""

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from dianet_utils import models
from dianet_utils.config import FUSIONS
from dianet_utils.models import fusion, losses
from dianet_utils.models.backbone import Backbone
from dianet_utils.models.output import Output
from dianet_utils.plumbing.errors import InputError

PAPER_BACKBONES = ("tf_efficientnetv2_b0", "resnet18", "convnext_tiny", "mobilevit_s")
SMALL = "test_efficientnet"  # 0.1 M parameters
CROSS = ("cross_channel", "cross_tokens", "cross_spatial", "cross_single_token")


def small(**options) -> nn.Module:
    torch.manual_seed(0)
    return models.build("dianet", 5, **{"backbone": SMALL, **options})


def clips(count=3, phases=2, size=64) -> torch.Tensor:
    return torch.randn(count, phases, 3, size, size, generator=torch.Generator().manual_seed(1))


def phase_vectors(count=3, cells=0) -> torch.Tensor:
    shape = (count, 2, cells, 512) if cells else (count, 2, 512)
    return torch.randn(shape, generator=torch.Generator().manual_seed(2))


# The whole network


@pytest.mark.parametrize("backbone", PAPER_BACKBONES)
def test_the_papers_backbones_take_64_px(backbone):
    output = small(backbone=backbone)(clips(count=2))
    assert output.logits.shape == (2, 5)
    assert output.features.shape == (2, 2, 512)


@pytest.mark.parametrize("reading", fusion.FUSIONS)
@pytest.mark.parametrize("streams", ["shared", "dedicated"])
def test_every_reading_learns_in_every_part(reading, streams):
    model = small(fusion=reading, streams=streams)
    losses.total_loss(model(clips()), torch.tensor([0, 1, 2]), 0.5).backward()
    idle = {name.split(".")[1] for name, weight in model.named_parameters() if not weight.grad.any()}
    # A key's bias adds the same score to all keys only where d = width; the softmax cancels it.
    assert idle <= {"query", "key"} if reading == "cross_single_token" else idle <= {"key"}


@pytest.mark.parametrize("reading", fusion.FUSIONS)
def test_a_prediction_does_not_depend_on_batch_mates(reading):
    model = small(fusion=reading).eval()
    images = clips(count=4)
    with torch.no_grad():
        together, alone = model(images), model(images[1:2])
    torch.testing.assert_close(together.logits[1:2], alone.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together.features[1:2], alone.features, rtol=1e-4, atol=1e-5)


def test_single_stream_has_no_fusion():
    model = small(phases=1)
    output = model(clips(phases=1))
    assert output.logits.shape == (3, 5)
    assert output.features.shape == (3, 1, 512)
    assert not list(model.fusion.parameters())


def test_shared_streams_are_one_network_and_dedicated_two():
    shared, dedicated = small(streams="shared"), small(streams="dedicated")
    assert (len(shared.streams), len(dedicated.streams)) == (1, 2)
    same = clips()[:, :1].expand(-1, 2, -1, -1, -1)
    one, two = shared.eval()(same).features.unbind(1)
    torch.testing.assert_close(one, two)
    one, two = dedicated.eval()(same).features.unbind(1)
    assert not torch.allclose(one, two, atol=1e-3)


def test_same_seed_same_network():
    first, second = small().eval(), small().eval()
    assert torch.equal(first(clips()).logits, second(clips()).logits)


def test_features_are_the_mean_of_the_cells_in_cross_spatial():
    model = small(fusion="cross_spatial").eval()
    cells = model.encode(clips())
    assert cells.shape == (3, 2, 4, 512)
    torch.testing.assert_close(model(clips()).features, cells.mean(2))


def test_a_backbone_whose_map_ends_in_channels_gives_cells_too():
    assert small(backbone="test_mambaout", fusion="cross_spatial").encode(clips()).shape == (3, 2, 4, 512)


@pytest.mark.parametrize(
    "options", [{}, {"streams": "dedicated"}, {"phases": 1}, {"fusion": "cross_spatial"}]
)
def test_it_learns_a_few_clips_by_heart(options):
    model, targets = small(dropout=0.0, **options), torch.arange(5).repeat(2)
    images = clips(count=10, phases=options.get("phases", 2))
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(15):
        loss = losses.total_loss(model(images), targets, 0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.3  # guessing: 1.61


def test_its_own_loss_is_equation_5_and_its_status_is_said():
    model, labels = small(), models.Labels(torch.tensor([0, 1, 2]))
    output = model(clips())
    expected = losses.total_loss(output, labels.emotion, 0.3, 0.1)
    assert model.loss(output, labels, 0.3, 0.1).item() == expected.item()
    assert models.status("dianet") == "reconstruction"
    with pytest.raises(InputError, match="no model 'dianett'"):
        models.status("dianett")


# The readings of the fusion


def test_settings_know_every_reading():
    assert set(FUSIONS) == set(fusion.FUSIONS)


@pytest.mark.parametrize("reading", ["cross_channel", "cross_tokens", "cross_spatial"])
def test_query_and_key_learn_where_there_are_keys_to_choose_from(reading):
    module = fusion.FUSIONS[reading](512)
    module(phase_vectors(cells=4 if reading == "cross_spatial" else 0)).square().sum().backward()
    for projection in (module.query, module.key):
        assert all(layer.weight.grad.norm() > 1e-3 for layer in projection)


def test_the_literal_reading_has_exactly_zero_gradient_at_query_and_key():
    module = fusion.CrossSingleToken(512)
    features = phase_vectors()
    enhanced = module(features)
    enhanced.square().sum().backward()
    for projection in (module.query, module.key):
        assert all(not weight.grad.any() for weight in projection.parameters())
    assert all(layer.weight.grad.any() for layer in module.value)
    torch.testing.assert_close(enhanced, features + module.value(features).flip(1))


def test_one_spatial_cell_is_the_literal_reading():
    literal, spatial = fusion.CrossSingleToken(512), fusion.CrossSpatial(512)
    spatial.load_state_dict(literal.state_dict())
    features = phase_vectors()
    torch.testing.assert_close(spatial(features.unsqueeze(2)), literal(features))


@pytest.mark.parametrize("reading", CROSS)
def test_cross_attention_is_what_its_formula_says(reading):
    """Phase 1 of clip 0, element by element in numpy."""
    module = fusion.FUSIONS[reading](512)
    features = phase_vectors(cells=4 if reading == "cross_spatial" else 0)
    width = 512 // getattr(module, "tokens", 1)
    with torch.no_grad():
        query = module.query[0](features[0, 0]).numpy().reshape(-1, width).astype(float)
        key = module.key[1](features[0, 1]).numpy().reshape(-1, width).astype(float)
        value = module.value[1](features[0, 1]).numpy().reshape(-1, width).astype(float)
        got = module(features)[0, 0].numpy()
        maps = module.weights(features)[0, 0].numpy()
    scores = np.exp(query @ key.T / np.sqrt(width))
    weights = scores / scores.sum(1, keepdims=True)
    expected = features[0, 0].numpy().reshape(-1, width) + weights @ value
    expected = expected.mean(0) if reading == "cross_spatial" else expected.ravel()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(maps, weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("reading", CROSS)
def test_both_directions_ask(reading):
    module = fusion.FUSIONS[reading](512)
    features = phase_vectors(cells=4 if reading == "cross_spatial" else 0)
    changed = features.clone()
    changed[:, 1] += 1
    assert not torch.allclose(module(features)[:, 0], module(changed)[:, 0])
    changed = features.clone()
    changed[:, 0] += 1
    assert not torch.allclose(module(features)[:, 1], module(changed)[:, 1])


def test_simple_attention_over_one_key_is_a_sum():
    features = phase_vectors()
    total = features.sum(1, keepdim=True).expand(-1, 2, -1)
    assert torch.equal(fusion.Simple()(features), total)


def test_fused_features_keep_their_scale():
    for reading, make in fusion.FUSIONS.items():
        cells = phase_vectors(count=8, cells=4 if reading == "cross_spatial" else 0)
        spread = make(512)(cells).std().item()
        assert 0.4 < spread < 2.0, reading


# Losses


def test_consistency_loss_is_equation_4():
    features = phase_vectors(count=5)
    first, second = features[:, 0].numpy().astype(float), features[:, 1].numpy().astype(float)
    cosine = (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    assert losses.consistency_loss(features).item() == pytest.approx(np.mean(1 - cosine), abs=1e-6)


@pytest.mark.parametrize(("angle", "expected"), [(0, 0), (60, 0.5), (90, 1), (180, 2)])
def test_consistency_loss_of_an_angle(angle, expected):
    turned = [np.cos(np.radians(angle)), np.sin(np.radians(angle))]
    features = torch.tensor([[[1.0, 0.0], turned]])
    assert losses.consistency_loss(features).item() == pytest.approx(expected, abs=1e-6)


def test_consistency_loss_does_not_see_length():
    features = phase_vectors()
    longer = features * torch.tensor([1.0, 7.0]).view(1, 2, 1)
    torch.testing.assert_close(losses.consistency_loss(features), losses.consistency_loss(longer))


def test_total_loss_is_equation_5():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.0]])
    targets = torch.tensor([0, 2])
    features = phase_vectors(count=2)
    chances = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    entropy = -np.mean(np.log(chances[[0, 1], targets.numpy()]))
    expected = entropy + 0.7 * losses.consistency_loss(features).item()
    assert losses.total_loss(Output(logits, features), targets, 0.7).item() == pytest.approx(
        expected, abs=1e-5
    )
    assert losses.total_loss(Output(logits, features), targets).item() == pytest.approx(entropy, abs=1e-5)


def test_a_single_stream_has_no_consistency_term():
    output = Output(torch.zeros(2, 3), phase_vectors(count=2)[:, :1])
    assert losses.total_loss(output, torch.tensor([0, 1]), 5.0).item() == pytest.approx(np.log(3))


# Pretrained weights


@pytest.fixture
def weights_file(tmp_path):
    """A timm network with its classifier, as timm's own files are."""
    torch.manual_seed(7)
    network = timm.create_model(SMALL, num_classes=1000)
    save_file(network.state_dict(), tmp_path / "backbone.safetensors")
    return tmp_path / "backbone.safetensors", network


@pytest.mark.parametrize("streams", ["shared", "dedicated"])
def test_a_local_file_gives_every_stream_its_weights(weights_file, streams):
    path, network = weights_file
    model = small(pretrained=str(path), streams=streams)
    for stream in model.streams:
        for key, value in stream.network.state_dict().items():
            assert torch.equal(value, network.state_dict()[key]), key


def test_a_file_of_another_backbone_names_what_does_not_fit(weights_file):
    path, network = weights_file
    tensors = network.state_dict()
    tensors["stray"] = torch.zeros(1)
    tensors["conv_stem.weight"] = torch.zeros(1)
    del tensors["bn1.weight"]
    save_file(tensors, path)
    with pytest.raises(
        InputError, match=r"1 missing \(bn1.weight\), 1 unexpected \(stray\), 1 of another shape"
    ):
        small(pretrained=str(path))


def test_a_file_that_is_no_safetensors(tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not tensors")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        small(pretrained=str(broken))


@pytest.mark.parametrize("missing", ["missing.safetensors", "weights.pth"])
def test_a_missing_file_names_the_ways_out(tmp_path, missing):
    with pytest.raises(InputError, match=r"connect.*imagenet.*safetensors file.*none"):
        small(pretrained=str(tmp_path / missing))


def test_imagenet_without_a_network_names_the_ways_out(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"connect.*safetensors file.*none"):
        small(pretrained="imagenet")


def test_imagenet_weights_come_from_the_hubs_safetensors(monkeypatch, weights_file):
    path, network = weights_file
    asked = []
    monkeypatch.setattr(
        "dianet_utils.models.pretrained.hf_hub_download", lambda *place: asked.append(place) or str(path)
    )
    model = small(pretrained="imagenet")
    assert asked == [("timm/test_efficientnet.r160_in1k", "model.safetensors")]
    assert torch.equal(model.streams[0].network.conv_stem.weight, network.conv_stem.weight)


def test_a_backbone_without_published_weights_says_so():
    with pytest.raises(InputError, match="publishes no ImageNet weights for 'test_mambaout'"):
        small(backbone="test_mambaout", pretrained="imagenet")


# What is refused


def test_a_misspelt_backbone_is_met_with_near_names():
    with pytest.raises(InputError, match="resnet18"):
        small(backbone="resnet_18")


def test_an_unknown_weight_tag_is_refused():
    with pytest.raises(InputError, match=r"resnet18\.no_such_tag"):
        small(backbone="resnet18.no_such_tag")


def test_all_wrong_options_are_named_at_once():
    with pytest.raises(InputError, match=r"fusion='sum'.*streams='both'.*phases=3.*dropout=1"):
        small(fusion="sum", streams="both", phases=3, dropout=1.0)


def test_unknown_models_and_options_are_refused():
    with pytest.raises(InputError, match=r"no model 'dianett'.*dianet"):
        models.build("dianett", 5)
    with pytest.raises(InputError, match=r"no option lamda.*dropout"):
        small(lamda=1)


def test_images_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"\[N, 2, 3, H, W\], not \[3, 1, 3, 64, 64\]"):
        small()(clips(phases=1))


def test_transformers_refuse_sizes_and_feature_maps_clearly():
    with pytest.raises(InputError, match="64 x 64 px"):
        small(backbone="vit_tiny_patch16_224")(clips())
    with pytest.raises(InputError, match="no feature map"):
        small(backbone="test_vit", fusion="cross_spatial")(clips(size=160))


# Cost


class OneConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, kernel_size=3, padding=1)

    def forward(self, images):
        return self.convolution(images.flatten(0, 1))


def test_cost_of_one_convolution_is_exact():
    model = OneConvolution().train()
    parameters, flops = models.cost(model, phases=2, size=16)
    assert parameters == 8 * 3 * 3 * 3 + 8
    assert flops == 2 * 2 * (16 * 16) * 8 * (3 * 3 * 3)  # a multiply-add is two, and there are two phases
    assert model.training


def test_cost_of_dianet_is_the_sum_of_its_parts():
    model = small(fusion="concat")
    network = sum(weight.numel() for weight in model.streams[0].network.parameters())
    head = (256 + 1) * 512 + 2 * 512 + (1024 + 1) * 512 + (512 + 1) * 256 + (256 + 1) * 5
    assert models.cost(model, 2, 64).parameters == network + head
    dedicated = models.cost(small(fusion="concat", streams="dedicated"), 2, 64)
    assert dedicated.parameters == 2 * network + head + (256 + 1) * 512
    assert dedicated.flops == models.cost(model, 2, 64).flops


@pytest.mark.parametrize(
    ("backbone", "size", "least"),
    [
        ("vit_tiny_patch16_224", 64, 224),  # of one size
        ("deepseek_vit_412m", 64, 70),  # patches of 14
        ("swinv2_tiny_window8_256", 224, 256),  # windows
        ("hiera_tiny_224", 64, 224),
        ("inception_v3", 64, 80),  # the last maps would be empty
    ],
)
def test_a_size_that_a_backbone_does_not_take_is_told_with_one_that_it_takes(
    backbone: str, size: int, least: int
) -> None:
    with torch.device("meta"):  # shapes without numbers
        network = Backbone(backbone)
    said = rf"{backbone}' does not take images of {size} x {size} px, the next that it takes is {least}:"
    with pytest.raises(InputError, match=said):
        network(torch.empty(2, 3, size, size, device="meta"))
    assert network(torch.empty(2, 3, least, least, device="meta")).shape == (2, 512)


def test_other_errors_of_a_backbone_are_not_taken_for_a_size() -> None:
    network = Backbone("test_efficientnet")
    network.network.forward = lambda images: (_ for _ in ()).throw(RuntimeError("out of memory"))
    with pytest.raises(RuntimeError, match="out of memory"):
        network(torch.zeros(2, 3, 32, 32))
