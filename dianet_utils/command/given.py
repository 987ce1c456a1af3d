"""Parameters as people type them or keep them in files, and those of them that name a result."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from dianet_utils.command.chapters import parameters_of
from dianet_utils.config.checks import near_match
from dianet_utils.config.options import load_yaml, read_mapping
from dianet_utils.plumbing.errors import InputError


def read_parameters(
    notebook: Path,
    typed: Sequence[Sequence[str]] = (),
    raw: Sequence[Sequence[str]] = (),
    texts: Sequence[str] = (),
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """The parameters by name; those of files come first, then YAML ``texts``, ``typed`` pairs, ``raw`` pairs.

    A later value takes the place of an earlier one, as papermill has it. All unknown names end in one
    InputError, and so does a text or a file that is no YAML mapping.
    """
    parameters: dict[str, Any] = {}
    for file in files:
        parameters.update(read_mapping(Path(file)))
    for text in texts:
        parameters.update(_mapping(text))
    parameters.update({name: _typed(value) for name, value in typed})
    parameters.update({name: value for name, value in raw})
    known = parameters_of(notebook)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        wrong = ", ".join(f"'{name}'{near_match(name, known)}" for name in unknown)
        raise InputError(f"{notebook.name} has no parameter {wrong}; it has {', '.join(known)}.")
    return parameters


def _mapping(text: str) -> dict[str, Any]:
    """The mapping that a YAML text holds."""
    try:
        values = load_yaml(text)
    except InputError as error:
        raise InputError(f"-y {text!r} {error}.") from None
    except (RecursionError, ValueError, yaml.YAMLError):  # ValueError: a date or a number that cannot be
        values = None
    if not isinstance(values, dict):
        raise InputError(f"-y {text!r} is no YAML of names with a value each, such as 'epochs: 3'.")
    return {str(name): value for name, value in values.items()}


def _typed(value: str) -> Any:
    """A value as papermill reads it on its command line, and a list in brackets as one; else text."""
    named = {"True": True, "False": False, "None": None}
    if value in named:
        return named[value]
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    if value.startswith("[") and value.endswith("]"):
        return _listed(value)
    return value


def _listed(value: str) -> Any:
    """``[0,1]`` as a list; the text itself where YAML reads something else."""
    try:
        items = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return items if isinstance(items, list) else value


def changed(notebook: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of the parameters that differ from what the notebook itself says."""
    usual = {name: each.default.strip("\"'") for name, each in parameters_of(notebook).items()}
    return {name: value for name, value in parameters.items() if str(value) != usual.get(name)}
