"""``python -m dianet_utils 04_loso.ipynb -p dataset mmew``: papermill, made comfortable.

It finds the notebook, picks the output path, refuses parameters that the notebook does not have, and
ends a failed run with one line instead of a traceback.
"""

import argparse
import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianet_utils import run
from dianet_utils.config import CHECKS, short_name
from dianet_utils.config.checks import near_match
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, ROOT, shown, writing
from dianet_utils.plumbing.progress import duration

NOTEBOOKS = ROOT / "notebooks"
_DAY = 86400  # seconds
_LONGEST = 100  # characters of the settings in a file's name
# Parameters that a folder tells, or that change no number.
_ELSEWHERE = {*run.ROOTS, *run.ROOTS.values(), "workers", "scheduler", "device", "out"}


def main(arguments: list[str] | None = None) -> int:
    """Run one notebook; returns the exit status: 0 done, 1 the run failed, 2 wrong arguments."""
    options = _parser().parse_args(arguments)
    try:
        notebook = find_notebook(options.notebook)
        parameters = read_parameters(notebook, options.parameters, options.raw)
        run.check_parameters({**dict.fromkeys(run.ROOTS.values()), **parameters})
        output = Path(options.output or default_output(notebook, changed(notebook, parameters)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _execute(notebook, output, parameters)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dianet_utils", description="Run a notebook with parameters."
    )
    parser.add_argument("notebook", help="a notebook's path, file name or number, such as 04")
    parser.add_argument("output", nargs="?", help="the executed notebook (default: under results/)")
    pair: dict[str, Any] = {"nargs": 2, "action": "append", "default": [], "metavar": ("NAME", "VALUE")}
    parser.add_argument(
        "-p", dest="parameters", help="a parameter; numbers and true/false are read as such", **pair
    )
    parser.add_argument("-r", dest="raw", help="a parameter kept as text", **pair)
    return parser


def find_notebook(name: str) -> Path:
    """The notebook that a path, a file name or a leading number names."""
    if Path(name).is_file():
        return _checked(Path(name))
    stem = Path(name).name.removesuffix(".ipynb")
    known = {path.stem: path for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}
    matches = [path for key, path in known.items() if key == stem or key.split("_")[0] == stem]
    if len(matches) == 1:
        return matches[0]
    raise InputError(f"There is no notebook {name}{near_match(stem, known)}; there are {', '.join(known)}.")


def _checked(path: Path) -> Path:
    """``path`` where it holds a notebook, otherwise InputError."""
    import nbformat

    try:
        nbformat.read(path, as_version=4)
    except Exception:  # readers of notebooks raise many kinds of errors, and all mean the same here
        raise InputError(f"{shown(path)} is no notebook: give one of notebooks/, or its number.") from None
    return path


def read_parameters(notebook: Path, typed: list[list[str]], raw: list[list[str]]) -> dict[str, Any]:
    """The parameters by name, typed as papermill types them; all unknown names in one InputError."""
    from papermill.inspection import inspect_notebook

    known = inspect_notebook(str(notebook))
    unknown = [name for name, _ in [*typed, *raw] if name not in known]
    if unknown:
        wrong = ", ".join(f"'{name}'{near_match(name, known)}" for name in unknown)
        raise InputError(f"{notebook.name} has no parameter {wrong}; it has {', '.join(known)}.")
    return {**{name: _typed(value) for name, value in typed}, **dict(raw)}


def _typed(value: str) -> Any:
    """A value as papermill reads it on its command line: whole number, number, True/False/None, else text."""
    named = {"True": True, "False": False, "None": None}
    if value in named:
        return named[value]
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def changed(notebook: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of the parameters that differ from what the notebook itself says."""
    from papermill.inspection import inspect_notebook

    usual = {name: told["default"].strip("\"'") for name, told in inspect_notebook(str(notebook)).items()}
    return {name: value for name, value in parameters.items() if str(value) != usual.get(name)}


def default_output(notebook: Path, parameters: dict[str, Any]) -> Path:
    """results/<dataset>/<notebook>.ipynb, or results/transfer/<train>-to-<test>/<notebook>.ipynb.

    Parameters that change what is run are part of the name, as in ``04_loso-epochs=3.ipynb``. A dataset that
    is not named is the synthetic one; a wrong name, which the notebook tells, names no folder.
    """

    def name_of(parameter: str) -> str:
        return short_name(CHECKS["dataset"](parameters.get(parameter, "synthetic")))

    name = f"{notebook.stem}{_settings(parameters)}.ipynb"
    with contextlib.suppress(ValueError):
        if "transfer" in notebook.stem:
            pair = f"{name_of('train_dataset')}-to-{name_of('test_dataset')}"
            return RESULTS / "transfer" / pair / name
        return RESULTS / name_of("dataset") / name
    return RESULTS / name


def _settings(parameters: dict[str, Any]) -> str:
    """What tells a run from others of its dataset, for a file's name; a digest where that is no name."""
    told = "".join(f"-{name}={value}" for name, value in sorted(parameters.items()) if name not in _ELSEWHERE)
    if re.fullmatch(rf"[\w.,=+-]{{0,{_LONGEST}}}", told, re.ASCII):
        return told
    return "-" + hashlib.sha256(told.encode()).hexdigest()[:8]


def _execute(notebook: Path, output: Path, parameters: dict[str, Any]) -> int:
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    start = time.monotonic()
    try:
        with writing(output), _whole(output) as partial:
            _papermill(notebook, partial, parameters)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except PapermillExecutionError as error:
        print(f"error: {error.evalue.strip()}", file=sys.stderr)
        print(f"The notebook up to the error, with its traceback: {shown(_failed(output))}", file=sys.stderr)
        return 1
    except DeadKernelError:
        print(
            "error: the notebook's process was killed, most often for want of memory: give fewer workers, a "
            "smaller batch_size or image_size; the same command goes on from the folds that are done.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("error: stopped; the same command goes on from the folds that are done.", file=sys.stderr)
        return 1
    print(f"done in {duration(time.monotonic() - start)}; executed notebook: {shown(output)}")
    return 0


@contextlib.contextmanager
def _whole(output: Path) -> Iterator[Path]:
    """A file to write while the notebook runs, which then takes the place of ``output`` in one step.

    What a failed run wrote goes to ``<name>.failed.ipynb``; ``output`` stays as it was.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    for left in output.parent.glob(f".{output.stem}.*.running.ipynb"):  # by a run that was killed
        if time.time() - left.stat().st_mtime > _DAY:
            left.unlink(missing_ok=True)
    partial = output.with_name(f".{output.stem}.{os.getpid()}.running.ipynb")
    try:
        yield partial
    except BaseException:
        if partial.is_file():
            os.replace(partial, _failed(output))
        raise
    os.replace(partial, output)
    _failed(output).unlink(missing_ok=True)  # of an earlier try


def _failed(output: Path) -> Path:
    return output.with_name(f"{output.stem}.failed.ipynb")


def _papermill(notebook: Path, output: Path, parameters: dict[str, Any]) -> None:
    import papermill

    papermill.execute_notebook(
        str(notebook),
        str(output),
        parameters,
        progress_bar=False,
        stdout_file=sys.stdout,
        stderr_file=sys.stderr,
        extra_arguments=["--log-level=CRITICAL"],  # every kernel warns of its local connection
    )


if __name__ == "__main__":
    sys.exit(main())
