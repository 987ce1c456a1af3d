"""Checks of parameters as people and papermill pass them, with one sentence for each mistake.

papermill hands ``-p flag false`` over as text and ``-p name 007`` as the number 7, so every check
states what it takes and turns the harmless forms into the right type.
"""

import difflib
import math
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, Protocol

from dianet_utils.config.own_tables import SUFFIXES, is_own_name, is_table
from dianet_utils.plumbing.errors import InputError

_LONGEST_TEXT = 4096  # characters, as the longest path
_LONGEST_NAME = 255  # bytes of a file or folder


class Check(Protocol):
    """Turns a given value into a checked one, or raises ``ValueError`` saying what it must be."""

    def __call__(self, value: Any) -> Any:
        """The checked value."""


class Choice:
    """One of a few names."""

    def __init__(self, *names: str):
        self.names = names

    def __call__(self, value: Any) -> str:
        """The name itself; the error names the nearest one."""
        if isinstance(value, str) and value in self.names:
            return value
        raise ValueError(f"one of {', '.join(self.names)}{near_match(str(value), self.names)}")


class Dataset:
    """The name of a dataset: one of a few, a file with a table of clips, or the short name of such a file.

    ``titles`` are what people call each: name -> title. A title counts with or without what follows its first
    word, and in any case.
    """

    def __init__(self, titles: Mapping[str, str]):
        self.names = tuple(titles)
        self._known = {title.lower(): name for name, title in titles.items()}
        # The first word of "synthetic clips" is the name itself.
        self._known |= {title.lower().split()[0]: name for name, title in titles.items()}
        self._known |= {name: name for name in titles}

    def __call__(self, value: Any) -> str:
        """The short name, or the path as given; the error names the nearest name."""
        text = str(value) if isinstance(value, (str, Path)) else ""
        if known := self._known.get(text.strip().lower()):
            return known
        if is_own_name(text):
            return text
        if text and is_table(text):
            return str(Place()(text))
        names, kinds = ", ".join(self.names), ", ".join(SUFFIXES)
        raise ValueError(f"one of {names}, or a table of your own ({kinds}){near_match(text, self.names)}")


class Text:
    """A text that is not empty; ``optional`` lets None through."""

    def __init__(self, optional: bool = False):
        self.optional = optional

    def __call__(self, value: Any) -> str | None:
        """The text."""
        if value is None and self.optional:
            return None
        if not isinstance(value, str) or not value.strip():
            raise ValueError("a text that is not empty (with papermill, pass it by -r to keep it a text)")
        if re.search(r"[\x00-\x1f\x7f]", value) or len(value) > _LONGEST_TEXT:
            raise ValueError(f"a text of at most {_LONGEST_TEXT} characters, without control characters")
        return value


class Place(Text):
    """A text that may be a path: the system must be able to look it up, whether or not something is there."""

    def __call__(self, value: Any) -> str | None:
        """The text."""
        text = super().__call__(value)
        path = Path(text or "")
        if any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in path.parts):
            raise ValueError(f"a path whose names have at most {_LONGEST_NAME} bytes each")
        try:
            path.expanduser().stat()
        except (FileNotFoundError, NotADirectoryError):
            pass  # nothing is there yet
        except (OSError, RuntimeError) as error:  # RuntimeError: a user that is not known
            why = getattr(error, "strerror", None) or str(error).rstrip(".")
            raise ValueError(f"another path ({why})") from None
        return text


class Split:
    """How clips are divided into folds: ``loso``, ``kfold:N`` with N from 2, or ``column:NAME``."""

    def __call__(self, value: Any) -> str:
        """The text as given."""
        named = r"loso|kfold:([2-9]|[1-9]\d{1,3})|column:[^\x00-\x1f\x7f]{1,100}"
        if isinstance(value, str) and re.fullmatch(named, value):
            return value
        raise ValueError("loso, kfold:N with N from 2, or column:NAME, a column of the clip table")


class Flag:
    """True or false; papermill's texts "true" and "false" count."""

    def __call__(self, value: Any) -> bool:
        """The truth value."""
        spelled = {"true": True, "false": False}
        if isinstance(value, str) and value.lower() in spelled:
            return spelled[value.lower()]
        if isinstance(value, bool):
            return value
        raise ValueError("true or false")


class Number:
    """A finite number from ``low`` to ``high``, both included."""

    def __init__(self, low: float, high: float):
        self.low, self.high = low, high

    def __call__(self, value: Any) -> float:
        """The number as a float; a text that spells one (``1e-4``) counts."""
        wanted = f"a number from {self.low:g} to {self.high:g}"
        if isinstance(value, bool):
            raise ValueError(wanted)
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(wanted) from None
        if not (math.isfinite(number) and self.low <= number <= self.high):
            raise ValueError(wanted)
        return number + 0.0  # -0.0 is 0.0, also in the name of a run


class Whole:
    """A whole number from ``low`` to ``high``, both included; ``optional`` lets None through."""

    def __init__(self, low: int, high: int, optional: bool = False):
        self.low, self.high, self.optional = low, high, optional

    def __call__(self, value: Any) -> int | None:
        """The number as an int; 2.0 counts, 2.5 and True do not."""
        if value is None and self.optional:
            return None
        wanted = f"a whole number from {self.low} to {self.high}"
        if isinstance(value, bool) or not isinstance(value, (Integral, float, str)):
            raise ValueError(wanted)
        try:
            number = int(value) if not isinstance(value, float) or value.is_integer() else None
        except (ValueError, OverflowError):
            number = None
        if number is None or not self.low <= number <= self.high:
            raise ValueError(wanted)
        return number


class Names:
    """One or more of a few names: a list, or a text with commas."""

    def __init__(self, names: Sequence[str], once: bool = False):
        self.names, self.once = names, once

    def __call__(self, value: Any) -> tuple[str, ...]:
        """The names in the order given."""
        given = _listed(value)
        wrong = [str(name) for name in given if name not in self.names]
        if wrong or not given or (self.once and len(set(given)) < len(given)):
            hint = "".join(near_match(name, self.names) for name in wrong[:1])
            once = ", each once" if self.once else ""
            raise ValueError(f"one or more of {', '.join(self.names)}{once}, with commas between{hint}")
        return tuple(given)


class Texts:
    """One or more different texts: a list, or a text with commas."""

    def __call__(self, value: Any) -> tuple[str, ...]:
        """The texts in the order given; a number counts as it is written."""
        given = [str(item).strip() for item in _listed(value)]
        if (
            not given
            or len(set(given)) < len(given)
            or not all(text.isprintable() and text for text in given)
        ):
            raise ValueError("one or more different names, with commas between")
        return tuple(given)


class Wholes:
    """One or more different whole numbers from ``low`` to ``high``: a list or a text with commas."""

    def __init__(self, low: int, high: int):
        self.each = Whole(low, high)

    def __call__(self, value: Any) -> tuple[int, ...]:
        """The numbers in rising order."""
        wanted = f"different whole numbers from {self.each.low} to {self.each.high}, with commas between"
        try:
            numbers = [self.each(item) for item in _listed(value)]
        except ValueError:
            raise ValueError(wanted) from None
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError(wanted)
        return tuple(sorted(number for number in numbers if number is not None))


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if isinstance(value, (list, tuple, range)) else [value]


_short = reprlib.Repr()  # of a value in a message
_short.maxstring = _short.maxother = 100


def near_match(name: str, known: Iterable[str]) -> str:
    """``" (did you mean 'x'?)"`` for the nearest known name, or nothing."""
    match = difflib.get_close_matches(str(name).lower(), list(known), n=1)
    return f" (did you mean '{match[0]}'?)" if match else ""


def check_all(
    given: Mapping[str, Any], checks: Mapping[str, Check], found: Iterable[str] = ()
) -> dict[str, Any]:
    """Check every given value; one InputError for all problems, those ``found`` before first."""
    checked, problems = {}, [*found]
    for name, value in given.items():
        if name not in checks:
            problems.append(f"there is no parameter '{name}'{near_match(name, checks)}")
            continue
        try:
            checked[name] = checks[name](value)
        except InputError as error:  # a sentence of its own
            problems.append(f"parameter {name}: {str(error).rstrip('.')}")
        except ValueError as error:
            problems.append(f"parameter {name} is {_short.repr(value)} but must be {error}")
    if problems:
        raise InputError("; ".join(problems) + ".")
    return checked
