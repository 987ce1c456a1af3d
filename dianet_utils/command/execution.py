"""One notebook from its parameters to the executed file, with one line where it fails."""

import contextlib
import hashlib
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianet_utils import run
from dianet_utils.config import CHECKS, results_of, short_name
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, shown, writing
from dianet_utils.plumbing.progress import duration

_DAY = 86400  # seconds
_LONGEST_NAME = 200  # bytes of the executed notebook's, which others around it are longer than
_LONGEST = 100  # characters of the settings in a file's name
# Parameters that a folder tells, or that change no number.
_ELSEWHERE = {*run.ROOTS, *run.ROOTS.values(), "workers", "scheduler", "device", "out"}


def default_output(notebook: Path, parameters: dict[str, Any]) -> Path:
    """results/<dataset>/<notebook>.ipynb, or results/transfer/<train>-to-<test>/<notebook>.ipynb.

    Parameters that change what is run are part of the name, as in ``04_loso-epochs=3.ipynb``. A dataset that
    is not named is the synthetic one; a wrong name, which the notebook tells, names no folder. InputError for
    a table of clips whose name is taken, see :func:`~dianet_utils.config.results_of`.
    """
    name = f"{notebook.stem}{_settings(parameters)}.ipynb"
    transfer = "transfer" in notebook.stem
    wanted = ("train_dataset", "test_dataset") if transfer else ("dataset",)
    try:
        given = [CHECKS["dataset"](parameters.get(parameter, "synthetic")) for parameter in wanted]
    except ValueError:
        return RESULTS / name
    if transfer:
        return RESULTS / "transfer" / "-to-".join(map(short_name, given)) / name
    return results_of(given[0]) / name


def _settings(parameters: dict[str, Any]) -> str:
    """What tells a run from others of its dataset, for a file's name; a digest where that is no name."""
    told = "".join(f"-{name}={value}" for name, value in sorted(parameters.items()) if name not in _ELSEWHERE)
    if re.fullmatch(rf"[\w.,=+-]{{0,{_LONGEST}}}", told, re.ASCII):
        return told
    return "-" + hashlib.sha256(told.encode()).hexdigest()[:8]


def check_output(output: Path, notebook: Path) -> None:
    """InputError where an executed notebook would take the place of something else, or cannot lie."""
    if output.suffix.lower() != ".ipynb":
        reason = "its name does not end in .ipynb"
    elif len(output.name.encode()) > _LONGEST_NAME:
        reason = f"its name is longer than {_LONGEST_NAME} bytes"
    elif output.is_symlink() or (output.exists() and not output.is_file()):
        reason = "it is a link, a folder or a device"
    elif output.exists() and output.samefile(notebook):
        reason = "it is the notebook itself"
    else:
        return
    raise InputError(
        f"The executed notebook cannot be {_short(shown(output))}: {reason}. (-p dataset gives a dataset.)"
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def execute(notebook: Path, output: Path, parameters: dict[str, Any]) -> int:
    """Run a notebook; returns the exit status: 0 done, 1 failed, which is told in one line."""
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
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # else it tells of the task that was stopped
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
