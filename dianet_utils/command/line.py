"""``dianet 04_loso.ipynb -p dataset mmew``: papermill, made comfortable, and a look at what was run.

It finds the notebook, picks the output path, refuses parameters that the notebook does not have, and
ends a failed run with one line instead of a traceback. Without a notebook it lists them.
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dianet_utils import __version__, run
from dianet_utils.command.chapters import contents, find_notebook, help_of
from dianet_utils.command.execution import check_output, default_output, execute
from dianet_utils.command.given import changed, read_parameters
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, shown

_MORE = """other commands:
  dianet                     list the notebooks
  dianet NOTEBOOK --help     the parameters of a notebook
  dianet list [FOLDER]       the runs below results/, or below a folder: settings, folds, scores
  dianet compare RUN RUN     a paired test on the clips that both predicted
  dianet push RUN            its model and predictions to the Hugging Face hub; --dry-run only lists them
  dianet submit RUN [NAME]   its scores and predictions onto the board in results/reference"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was typed; returns the exit status: 0 done, 1 the run failed, 2 wrong arguments."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not words or words[0] not in _OTHERS:
            return _notebook(words)
        print(_OTHERS[words[0]](words[1:]))
        sys.stdout.flush()
    except KeyboardInterrupt:  # before the notebook began: later it is told by whoever runs it
        print("error: stopped before the notebook began.", file=sys.stderr)
        return 1
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        print(f"error: {str(error.filename)[:80]}... is longer than a name can be.", file=sys.stderr)
        return 2
    return 0


# The commands beside notebooks load what they need themselves: no notebook waits for scipy or torch.
def _list(words: list[str]) -> str:
    from dianet_utils.command import kept_runs

    return kept_runs.listing(*_words("list", words, "[FOLDER]", 0, 1) or [str(RESULTS)])


def _compare(words: list[str]) -> str:
    from dianet_utils.command import kept_runs

    return kept_runs.comparison_of(*_words("compare", words, "RUN RUN", 2, 2))


def _push(words: list[str]) -> str:
    from dianet_utils.command.push import push

    return push(words)


def _submit(words: list[str]) -> str:
    from dianet_utils.command import leaderboard

    run_name, *name = _words("submit", words, "RUN [NAME]", 1, 2)
    row = leaderboard.submit(run_name, "".join(name))
    return (
        f"{row['name']}: UF1 {row['uf1']:.3f}, UAR {row['uar']:.3f}, accuracy {row['accuracy']:.3f}; its row "
        f"and its predictions are in {shown(leaderboard.BOARD)}, ready to commit"
    )


_OTHERS: dict[str, Callable[[list[str]], str]] = {
    "list": _list,
    "compare": _compare,
    "push": _push,
    "submit": _submit,
}


def _words(command: str, words: list[str], wanted: str, least: int, most: int) -> list[str]:
    if not least <= len(words) <= most or any(word.startswith("-") for word in words):
        raise InputError(f"It is: dianet {command} {wanted}.")
    return words


def _notebook(words: list[str]) -> int:
    """Run a notebook, or tell what there is and what it takes."""
    parser = _parser()
    options = parser.parse_args(words)
    if not options.notebook:
        print(parser.format_help() if options.help else contents())
        return 0
    notebook = find_notebook(options.notebook)
    if options.help:
        print(help_of(notebook))
        return 0
    parameters = read_parameters(notebook, options.parameters, options.raw, options.texts, options.files)
    run.check_parameters({**dict.fromkeys(run.ROOTS.values()), **parameters})
    output = Path(options.output or default_output(notebook, changed(notebook, parameters))).expanduser()
    check_output(output, notebook)
    return execute(notebook, output, parameters)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dianet",
        description="Run a notebook with parameters.",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("notebook", nargs="?", help="a notebook's path, file name or number, such as 04 or 4")
    parser.add_argument("output", nargs="?", help="the executed notebook (default: under results/)")
    pair: dict[str, Any] = {"nargs": 2, "action": "append", "default": [], "metavar": ("NAME", "VALUE")}
    many: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument(
        "-p", dest="parameters", help="a parameter; numbers, true/false and [0,1] are read as such", **pair
    )
    parser.add_argument("-r", dest="raw", help="a parameter kept as text", **pair)
    parser.add_argument("-y", dest="texts", metavar="YAML", help="parameters as '{epochs: 3}'", **many)
    parser.add_argument("-f", dest="files", metavar="FILE", help="a YAML file of parameters", **many)
    parser.add_argument("-h", "--help", action="store_true", help="this, or what a notebook takes")
    parser.add_argument("--version", action="version", version=f"dianet {__version__}")
    return parser
