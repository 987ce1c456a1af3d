"""The notebooks: where they lie, what each is about, and what its parameters take."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dianet_utils import paper
from dianet_utils.config import CHECKS, PAPER_DEFAULTS
from dianet_utils.config.checks import Check, Text, near_match
from dianet_utils.config.options import Options
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import ROOT, shown
from dianet_utils.run import RUN_CHECKS

NOTEBOOKS = ROOT / "notebooks"


def notebooks() -> dict[str, Path]:
    """The numbered notebooks by their name; InputError where there are none.

    They belong to the repository, with the small results that they show, and are no part of a wheel.
    """
    found = {path.stem: path for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}
    if not found:
        raise InputError(
            f"There are no notebooks in {NOTEBOOKS.as_posix()}: an installed package does not hold them. Run "
            "this in a clone of the repository, or give the path of a notebook."
        )
    return found


def find_notebook(name: str) -> Path:
    """The notebook that a path, a file name or a leading number (``04`` or ``4``) names."""
    if _is_file(name):
        return _checked(Path(name))
    if Path(name).parent not in (Path("."), Path("notebooks")):
        raise InputError(f"There is no notebook at {name}.")
    stem = Path(name).name.removesuffix(".ipynb")
    known = notebooks()
    wanted = stem.zfill(2) if stem.isdecimal() else stem
    matches = [path for key, path in known.items() if wanted in (key, key.split("_")[0])]
    if len(matches) == 1:
        return matches[0]
    raise InputError(f"There is no notebook {name}{near_match(stem, known)}; there are {', '.join(known)}.")


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # a name that is too long to be one
        return False


def _checked(path: Path) -> Path:
    """``path`` where it holds a notebook, otherwise InputError."""
    import nbformat

    try:
        nbformat.read(path, as_version=4)
    except Exception:  # readers of notebooks raise many kinds of errors, and all mean the same here
        raise InputError(f"{shown(path)} is no notebook: give one of notebooks/, or its number.") from None
    return path


class Parameter(NamedTuple):
    """One line of a parameters cell: the value that stands there, as text, and its comment."""

    default: str
    comment: str


def parameters_of(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a notebook by name, in the order of its parameters cell."""
    from papermill.inspection import inspect_notebook

    told = inspect_notebook(str(notebook))
    return {name: Parameter(each["default"], each["help"]) for name, each in told.items()}


def contents() -> str:
    """All notebooks, one line each: number, title, and the first sentence of what it does."""
    lines = [f"{path.stem.split('_')[0]}  {_about(path)}" for path in notebooks().values()]
    return "\n".join([*lines, "", "dianet 04 runs one of them, dianet 04 --help tells what it takes."])


def _about(notebook: Path) -> str:
    return " - ".join(part for part in _opening(notebook) if part)


def _opening(notebook: Path) -> tuple[str, str]:
    """The first heading of a notebook, without its number, and its first sentence, or what it does first."""
    import nbformat

    heading, *texts = re.split(r"\n\s*\n", str(nbformat.read(notebook, as_version=4).cells[0].source).strip())
    told = [text for text in texts if text[0] not in "[*!" and " · " not in text and text[-4:] != " you"]
    first = re.split(r"\n2\. |(?<=\.)\s(?=[A-Z])", told[0].removeprefix("1. "))[0] if told else ""
    return re.sub(r"^#+\s*(\d+\.\s*)?", "", heading), " ".join(first.split()).rstrip(",.")


def help_of(notebook: Path) -> str:
    """What a notebook is about, and each of its parameters: value, comment, what it takes, the paper's."""
    lines = [_about(notebook), "", f"parameters of {notebook.name}:"]
    for name, each in parameters_of(notebook).items():
        lines.append(f"  {name} = {each.default}{f'  # {each.comment}' * bool(each.comment)}")
        lines += [f"      {told}" for told in _told(name)]
    return "\n".join(lines)


def _told(name: str) -> Iterator[str]:
    """What a parameter takes, by its check, and its value in the paper where that is printed."""
    check = {**CHECKS, **RUN_CHECKS}.get(name)
    if check and not isinstance(check, Text):  # the comment says what kind of text
        yield allowed(check)
    if paper.BASIS.get(name) == "printed":
        yield f"printed in the paper: {_as_typed(PAPER_DEFAULTS[name])}"


def allowed(check: Check) -> str:
    """What a check takes, in the words with which it refuses anything else."""
    if isinstance(check, Options):
        return f"NAME=VALUE with commas between, or a YAML or JSON file; names: {', '.join(check.checks)}"
    try:
        check(object())
    except ValueError as error:
        return str(error)
    return "anything"


def _as_typed(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
