"""Networks and fusion blocks of the user's own: named by a file and a class, known by their source.

"my_net.py:MyNet", or the class itself, becomes the reference "MyNet@<16 hexadecimal digits>" of the SHA-256
of the whole source. So the name of a run follows from what ran, wherever the file lies, and a file that has
changed is another run. A source is read once and remembered; worker processes and other machines are sent
what is remembered, so that all of them run the same text. Nothing here loads torch.
"""

import ast
import hashlib
import inspect
import linecache
import re
import sys
import tokenize
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown


class Source(NamedTuple):
    """The text of a file or a notebook cell, and where it came from, for people."""

    text: str
    place: str


_FILE = re.compile(r"(.+\.py)(?::(.*))?")
_REFERENCE = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,63})@([0-9a-f]{16})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")  # what every disk takes as part of a folder's name
_known: dict[str, Source] = {}  # by digest, as long as this process lives
_running: set[str] = set()
_INSTALLED = ("site-packages", "dist-packages")  # folders in which neighbours are installed packages


def is_own(value: object) -> bool:
    """Whether ``value`` means code of the user's own: "file.py:Name", a reference, or a class."""
    if isinstance(value, str):
        return bool(_FILE.fullmatch(value) or _REFERENCE.fullmatch(value))
    return isinstance(value, type)


def reference(given: object) -> str:
    """The reference of "file.py:Name", of a class, or of a reference whose source is known here.

    Raises InputError for a file that is not there, does not parse or lacks the class.
    """
    if isinstance(given, type):
        return _remember_class(given)
    if found := _REFERENCE.fullmatch(str(given)):
        if not is_known(found[0]):
            raise InputError(
                f"The source of {found[0]} is not known here: name its file, as my_file.py:{found[1]}."
            )
        return found[0]
    path, name = _FILE.fullmatch(str(given)).groups()  # type: ignore[union-attr]  # callers ask is_own
    if not name:
        raise InputError(f"{path} names a file but no class: write {path}:NameOfTheClass.")
    return _remember_file(Path(path).expanduser(), name)


def title(name: str) -> str:
    """What code is called among people: its class; any other name is its own title."""
    if found := _REFERENCE.fullmatch(name):
        return found[1]
    found = _FILE.fullmatch(name)
    return found[2] if found and found[2] else name


def is_known(name: str) -> bool:
    """Whether this process knows the source of a reference."""
    return name.partition("@")[2] in _known


def sources(*names: str) -> dict[str, Source]:
    """What :func:`add` needs elsewhere to know those of ``names`` that are references."""
    digests = [found[2] for found in map(_REFERENCE.fullmatch, names) if found]
    return {digest: _known[digest] for digest in digests}


def add(given: Mapping[str, Source]) -> None:
    """Know the sources that another process knows."""
    _known.update(given)


def digest_of(text: str) -> str:
    """The 16 hexadecimal digits by which a source is known."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load(name: str) -> type:
    """The class of a reference, from the remembered source, which is run once.

    Raises InputError where the source does not run on its own.
    """
    called, digest = reference(name).split("@")
    if digest in _running:
        raise InputError(
            f"{_known[digest].place} starts a run of its own class when it is read: put that under "
            "'if __name__ == \"__main__\":', or the class into a file or a cell of its own."
        )
    module = sys.modules.get(_module_name(digest)) or _run(digest)
    found = getattr(module, called, None)
    if not isinstance(found, type):
        raise InputError(f"{called} of {_known[digest].place} is no class once the source has run.")
    return found


# --- reading a source -----------------------------------------------------------------------------------


def _remember_file(path: Path, name: str) -> str:
    """The reference of a class in a file that imports none of its neighbours."""
    source = _read(path)
    tree = _parsed(source)
    if path.resolve().parent.name not in _INSTALLED and (beside := _beside(tree, path.parent)):
        raise InputError(
            f"{source.place} imports {', '.join(beside)} from its own folder, and a change there would go "
            "unnoticed: keep all that the class needs in the one file; it may import installed packages."
        )
    return _remember(source, name)


def _parsed(source: Source) -> ast.Module:
    try:
        return ast.parse(source.text)
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{source.place} is no Python that runs here: {error}.") from None


def _beside(tree: ast.Module, folder: Path) -> list[str]:
    """The modules of ``folder`` that a source imports; this package counts as installed."""
    nodes = list(ast.walk(tree))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names |= {node.module for node in froms if node.module and not node.level}
    roots = sorted({name.split(".")[0] for name in names} - {"dianet_utils"})
    files = {root: (folder / f"{root}.py", folder / root / "__init__.py") for root in roots}
    return [root for root, places in files.items() if any(place.is_file() for place in places)]


def _read(path: Path) -> Source:
    """A file as Python reads it: encoding as declared, line ends alike on every system."""
    try:
        with tokenize.open(path) as file:
            return Source(file.read(), shown(path))
    except FileNotFoundError:
        raise InputError(f"There is no file {shown(path.absolute())}: give the path of your file.") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{shown(path)} cannot be read as Python ({error}).") from None


def _remember_class(kind: type) -> str:
    """From the file that defines a class, else from the notebook cell."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file and Path(file).is_file():
        return _remember_file(Path(file), kind.__qualname__)
    for member in map(inspect.unwrap, filter(callable, vars(kind).values())):
        code = getattr(member, "__code__", None)
        inside = getattr(member, "__qualname__", "").startswith(f"{kind.__qualname__}.")
        if inside and code and (lines := linecache.getlines(code.co_filename)):
            return _remember(Source("".join(lines), f"The cell of {kind.__name__}"), kind.__qualname__)
    raise InputError(
        f"The source of {kind.__qualname__} cannot be found: write it to a file (in a notebook with "
        f"'%%writefile my_file.py' at the top of its cell) and name it as my_file.py:{kind.__name__}."
    )


def _remember(source: Source, name: str) -> str:
    """The reference of a class in ``source``, after a look at what can be wrong without running it."""
    classes = [node.name for node in _parsed(source).body if isinstance(node, ast.ClassDef)]
    if name not in classes:
        there = f"it has {', '.join(classes)}" if classes else "it has none"
        raise InputError(f"{source.place} has no class {name!r} at its top level; {there}.")
    if not _NAME.fullmatch(name):
        raise InputError(f"Class {name} of {source.place}: at most 64 of the letters a-z, A-Z, 0-9 and _.")
    digest = digest_of(source.text)
    _known.setdefault(digest, source)
    return f"{name}@{digest}"


# --- running it -----------------------------------------------------------------------------------------


def _module_name(digest: str) -> str:
    return f"_own_code_{digest}"


def place_of(file: str) -> str | None:
    """Where a line of a traceback comes from, for people, if it is of own code: the place of its source."""
    found = re.fullmatch(r"<(.+) ([0-9a-f]{16})>", file)
    return found[1] if found and found[2] in _known else None


def _run(digest: str) -> ModuleType:
    """Run a source as a module of its own; its lines are known to tracebacks and to ``inspect``."""
    source, name = _known[digest], _module_name(digest)
    module = ModuleType(name)
    module.__file__ = f"<{source.place} {digest}>"
    lines = source.text.splitlines(keepends=True)
    linecache.cache[module.__file__] = (len(source.text), None, lines, module.__file__)
    sys.modules[name] = module
    _running.add(digest)
    try:
        exec(compile(source.text, module.__file__, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, InputError) or not isinstance(error, (Exception, SystemExit)):
            raise
        raise InputError(_why(error, source.place)) from error
    finally:
        _running.discard(digest)
    return module


def _why(error: BaseException, place: str) -> str:
    """Why a source did not run, in a sentence."""
    told = f"{type(error).__name__}: {error}".splitlines()[0]
    if isinstance(error, ImportError):
        return (
            f"{place} imports what is not installed here ({told}): it may import installed packages only, "
            "so keep all else that it needs in the same file."
        )
    return (
        f"{place} does not run on its own ({told}): mend it; it must bring its own imports and constants, as "
        "a file does (in a notebook, '%%writefile my_file.py' makes a cell one)."
    )
