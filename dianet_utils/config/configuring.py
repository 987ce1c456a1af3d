"""From settings that a person gives, or that a file holds, to a checked configuration."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from dianet_utils.config import own_code
from dianet_utils.config.checks import check_all
from dianet_utils.config.choices import PHASES
from dianet_utils.config.configuration import RULE, Config, is_path, weights_file
from dianet_utils.config.defaults import CHECKS, defaults
from dianet_utils.config.own_tables import short_name
from dianet_utils.config.systems import system
from dianet_utils.config.weight_packages import installed, package_of
from dianet_utils.plumbing.errors import InputError


def configure(dataset: str = "synthetic", setting: str | None = None, **given: Any) -> Config:
    """A checked configuration.

    Args:
        dataset: The name of the dataset, which chooses the defaults, or a file with a table of clips: the
            configuration holds its short name.
        setting: ``paper`` or ``quick``: which defaults; None for those of the dataset.
        **given: Fields of :class:`Config`; None means the default of the setting and the model. ``model`` and
            ``fusion`` also take code of the user's own, as "my_file.py:MyClass" or as the class itself.

    Returns:
        The configuration.

    Raises:
        InputError: Naming every wrong parameter at once, then all that does not go together, such as a
            backbone for a system that has its own, and then a package of weights that is not installed.

    Example:
        >>> from dianet_utils.config import configure
        >>> configure("casme2", epochs="3").epochs, configure("casme2").image_size, configure().image_size
        (3, 224, 64)
        >>> configure("synthetic", setting="paper").backbone
        'tf_efficientnetv2_b0'
        >>> configure(fusion="cross_token", dropout=2)  # doctest: +NORMALIZE_WHITESPACE
        Traceback (most recent call last):
            ...
        dianet_utils.plumbing.errors.InputError: parameter fusion is 'cross_token' but must be one of
        cross_channel, cross_tokens, cross_spatial, cross_single_token, simple, concat, or a class of your
        own as my_file.py:MyClass
        (did you mean 'cross_tokens'?); parameter dropout is 2 but must be a number from 0 to 0.95.
    """
    config = _configured({"dataset": dataset, "setting": setting, **given})
    if config.weights_package:
        installed(config.backbone)
    return config


def _configured(given: Mapping[str, Any]) -> Config:
    """:func:`configure`, whether or not a package of weights is there: what was trained has its own."""
    named = {name: value for name, value in given.items() if value is not None}
    fixed = system(named.get("model", "dianet")).fixed
    asked = {name: value for name, value in named.items() if name not in fixed or value != fixed[name]}
    checked = check_all(asked, CHECKS)
    checked["dataset"] = short_name(checked["dataset"])
    setting = checked.pop("setting", None)
    values = {**defaults(checked["dataset"], checked.get("model", "dianet"), setting), **checked}
    _check_together(values, fixed)
    return Config(**values)


def from_json(values: Mapping[str, Any]) -> Config:
    """The configuration that ``Config.as_json`` wrote: absent additions stand at their default there.

    Raises InputError as :func:`configure` does, but needs no package of weights.
    """
    additions = {field.name: field.default for field in fields(Config) if field.default is not MISSING}
    given = {name: value for name, value in values.items() if name != RULE}
    return _configured({**additions, **given})


def with_model(config: Config, model: Any) -> Config:
    """``config`` for another system: what either of the two settles itself is not carried over."""
    settled = {*system(config.model).fixed, *system(model).fixed}
    kept = {name: value for name, value in vars(config).items() if name not in settled}
    return configure(**{**kept, "model": model})


def _check_together(values: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """One InputError for all that does not go together."""
    model, inputs = own_code.title(values["model"]), values["inputs"]
    counts = system(values["model"]).counts
    wrong = [
        f"{name} is settled by {model} itself ({value!r}): leave it out, not {values[name]!r}"
        for name, value in fixed.items()
        if values[name] != value
    ]
    if counts and len(inputs) not in counts:
        number = " or ".join(map(str, counts))
        wrong.append(f"{model} takes {number} of the inputs, not {len(inputs)} ({', '.join(inputs)})")
    if values["weighting"] != "arp" and not set(inputs) & set(PHASES):
        wrong.append(
            f"weighting {values['weighting']} is for dynamic images ({', '.join(PHASES)}), "
            f"not for {', '.join(inputs)}"
        )
    if values["class_weights"] and values["balanced"]:
        wrong.append("class_weights and balanced both make up for rare classes: set one of them")
    if "pretrained" not in fixed:
        wrong += _wrong_weights(values)
    if wrong:
        raise InputError("; ".join(wrong) + ".")


def _wrong_weights(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with the weights that a backbone is to start from, or to keep."""
    wrong, pretrained = [], values["pretrained"]
    try:
        if pretrained == "package":
            package_of(values["backbone"])
        elif is_path(pretrained):
            weights_file(pretrained)
    except InputError as error:
        wrong.append(str(error).rstrip("."))
    if values["frozen"] and pretrained == "none":
        wrong.append(
            "frozen keeps the weights of the backbone, which are random with pretrained none: set pretrained "
            "to imagenet, package or a .safetensors file, or leave frozen out"
        )
    return wrong
