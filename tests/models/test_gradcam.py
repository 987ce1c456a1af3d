"""Grad-CAM against that of captum, on each stream of DIANet."""

import pytest
import torch
from captum.attr import LayerGradCam

from dianet_utils.models import build
from dianet_utils.models.gradcam import grad_cam, look


@pytest.mark.parametrize("backbone", ["test_efficientnet", "test_resnet"])
@pytest.mark.parametrize("streams", ["shared", "dedicated"])
def test_grad_cam_is_that_of_captum(backbone: str, streams: str) -> None:
    torch.manual_seed(0)
    model = build("dianet", 3, backbone=backbone, streams=streams).eval()
    images = torch.randn(3, 2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    wanted = torch.tensor([2, 0, 1])
    layers = [
        stream.network.get_submodule(stream.network.feature_info[-2]["module"]) for stream in model.streams
    ]
    maps = grad_cam(model, images, layers, wanted)
    assert len(maps) == (1 if streams == "shared" else 2)
    for layer, found in zip(layers, maps, strict=True):
        method = LayerGradCam(lambda given: model(given).logits, layer)
        expected = method.attribute(images, target=wanted, relu_attributions=True).squeeze(1)
        assert expected.any()
        torch.testing.assert_close(found, expected.detach(), rtol=1e-4, atol=1e-7)


def test_a_map_shown_is_that_of_captum_at_the_stage_of_eight_cells() -> None:
    torch.manual_seed(0)
    model = build("dianet", 3, backbone="test_efficientnet", streams="dedicated").eval()
    images = torch.randn(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    wanted = torch.tensor([1, 2])
    shown = look(model, images, wanted)
    for stream, network in enumerate(each.network for each in model.streams):
        stage = next(each for each in network.feature_info if each["reduction"] == 8)
        method = LayerGradCam(lambda given: model(given).logits, network.get_submodule(stage["module"]))
        expected = method.attribute(images, target=wanted, relu_attributions=True).squeeze(1)
        torch.testing.assert_close(shown[:, stream], expected.detach(), rtol=1e-4, atol=1e-7)
