"""Many named values in one parameter: a text such as ``patience=50, dropout=0.2``, or a file that holds them.

It keeps a notebook's parameters cell short: what is rarely changed needs no line of its own.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dianet_utils.config.checks import Check, check_all, near_match
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

_SUFFIXES = (".yaml", ".yml", ".json")


class Options:
    """A check of named values, each by its own check, see :func:`read_options`."""

    def __init__(self, checks: Mapping[str, Check]):
        self.checks = checks

    def __call__(self, value: Any) -> dict[str, Any]:
        """The checked values by name; a mapping counts as well as a text or a file's path."""
        return check_all(
            value if isinstance(value, Mapping) else read_options(str(value), self.checks), self.checks
        )


def read_options(text: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """The values, not yet checked, that a text, or the file it names, gives to some of the ``known`` names.

    Entries are parted by semicolons, or by commas before a known name, so that a value may hold commas:
    ``people=s01,s02, merge=megc2019``. A file is YAML or JSON with one mapping. Raises InputError for what is
    no entry, for a name that is not known or given twice, and for a file that does not open.

    Example:
        >>> from dianet_utils.config.options import read_options
        >>> read_options("people=s01,s02, merge=megc2019", {"people": None, "merge": None})
        {'people': 's01,s02', 'merge': 'megc2019'}
    """
    if text.lower().endswith(_SUFFIXES):
        return read_mapping(Path(text))
    names = "|".join(map(re.escape, known))
    values: dict[str, Any] = {}
    for entry in re.split(rf";|,(?=\s*(?:{names})\s*=)", text):
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not equals or name not in known:
            raise InputError(
                f"'{entry.strip()}' is no NAME=VALUE with one of the names {', '.join(known)}"
                f"{near_match(name, known)}"
            )
        if name in values:
            raise InputError(f"{name} is given twice")
        values[name] = value
    return values


class _OnceEach(yaml.SafeLoader):
    """YAML in which no name is given twice: of two values the last would count in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        _refuse_twice([str(key.value) for key, _ in node.value])
        return super().construct_mapping(node, deep)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The same for a mapping in JSON."""
    _refuse_twice([name for name, _ in pairs])
    return dict(pairs)


def _refuse_twice(names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"gives {', '.join(twice)} twice: keep one of them")


def load_yaml(text: str) -> Any:
    """What a YAML text holds; yaml.YAMLError for what is none.

    A name that is given twice is an InputError, whose message goes on after the name of the text.
    """
    loader = _OnceEach(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, or in a JSON file by its suffix; InputError for what holds none."""
    kind = "json" if path.suffix.lower() == ".json" else "yaml"
    try:
        text = path.expanduser().read_text("utf-8")
        values = json.loads(text, object_pairs_hook=_once_each) if kind == "json" else load_yaml(text)
    except InputError as error:
        raise InputError(f"the file {shown(path)} {error}") from None
    except OSError as error:
        raise InputError(f"the file {shown(path)} does not open: {error.strerror}") from None
    except (ValueError, RecursionError, yaml.YAMLError):
        raise InputError(f"the file {shown(path)} is no {kind}: correct it") from None
    if not isinstance(values, dict):
        raise InputError(f"the file {shown(path)} must hold names with a value each")
    return {str(name): value for name, value in values.items()}
