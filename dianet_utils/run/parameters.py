"""The parameters of notebooks: checked at once, as settings of a run, and beside the paper's defaults."""

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dianet_utils import datasets, paper
from dianet_utils.config import CHECKS, VALIDATIONS, WHERE_CHECKS, Config, configure, is_table
from dianet_utils.config.checks import (
    Check,
    Choice,
    Flag,
    Names,
    Number,
    Place,
    Text,
    Whole,
    Wholes,
    check_all,
    near_match,
)
from dianet_utils.config.options import Options
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.run.selection import SELECTION

if TYPE_CHECKING:
    import pandas as pd

# Parameters of notebooks that are no field of Config: most do not change a fold's numbers.
RUN_CHECKS: dict[str, Check] = {
    "settings": Options({name: CHECKS[name] for name in CHECKS if name not in ("setting", "dataset")}),
    "data_root": Place(optional=True),
    "train_dataset": CHECKS["dataset"],
    "train_root": Place(optional=True),
    "test_dataset": CHECKS["dataset"],
    "test_root": Place(optional=True),
    "within": Flag(),
    "weights": Place(optional=True),
    "clip": Place(optional=True),
    "model_folder": Place(optional=True),
    "trust_code": Flag(),
    "onset": Whole(0, 10**9, optional=True),
    "apex": Whole(0, 10**9, optional=True),
    "offset": Whole(0, 10**9, optional=True),
    "face": Whole(1, 99, optional=True),
    "crop": Flag(),
    "align": Flag(),
    "rows": Text(optional=True),
    "genders": Place(optional=True),
    "selection": SELECTION,
    "drift_px": Number(0.0, 20.0),
    "residual": Number(0.0, 1.0),
    "shifts": Wholes(-1000, 1000),
    "jitter": Whole(1, 100),
    "spotter": Choice("midpoint", "difference", "flow"),
    **WHERE_CHECKS,
    "policies": Names(VALIDATIONS, once=True),
    "null_subjects": Whole(5, 1000),
    "scheduler": Text(optional=True),
    "out": Place(optional=True),
}
# Each parameter that names a dataset, with the one that names the folder of a licensed copy.
ROOTS = {"dataset": "data_root", "train_dataset": "train_root", "test_dataset": "test_root"}
_INJECTED = "# Parameters"  # how the cell begins into which papermill writes what it was given


def versions() -> None:
    """Print one line of versions, and set what makes torch fast on a CPU, without loading anything.

    What is set stays for the whole process, and changes no number: waiting OpenMP threads sleep
    (``OMP_WAIT_POLICY``, unless it is set), and on Linux freed memory is kept for the next step instead of
    being returned, see :func:`~dianet_utils.plumbing.machine.prepare`.
    """
    machine.prepare()
    print(", ".join(f"{name} {version}" for name, version in machine.versions().items()))


def check_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters among a notebook's ``globals()``.

    Names that papermill was given and the notebook's parameters cell lacks are refused as well: papermill
    only warns of a misspelt name and runs the defaults. Other variables never count.

    Args:
        values: Names and values; those that are no parameters are passed over.

    Returns:
        The checked values, without those left at None; those in ``settings`` are among them.

    Raises:
        InputError: Once, for all mistakes.

    Example:
        papermill hands numbers and flags over as texts.

        >>> from dianet_utils import run
        >>> run.check_parameters({"dataset": "synthetic", "epochs": "3", "flip": "false", "fusion": None})
        {'dataset': 'synthetic', 'epochs': 3, 'flip': False}
        >>> run.check_parameters({"epochs": 0})  # doctest: +NORMALIZE_WHITESPACE
        Traceback (most recent call last):
            ...
        dianet_utils.plumbing.errors.InputError: parameter epochs is 0 but must be a whole number
        from 1 to 10000.
    """
    checks = {**CHECKS, **RUN_CHECKS}
    given = {name: values[name] for name in checks if values.get(name) is not None}
    unknown, known = _injected(values.get("In", ()))
    if _theirs(given.get("settings"), "In" in values, known):
        given.pop("settings", None)
    found = [f"there is no parameter '{name}'{near_match(name, known)}" for name in sorted(unknown)]
    checked = _spread(check_all(given, checks, found))
    lacking = [
        f"Dataset {checked[name]} is licensed and needs {root}, the folder that holds your copy: "
        f"-p {name} {checked[name]} -p {root} FOLDER; or set DIANET_DATA once, the folder that holds your "
        f"copies, this one under {checked[name]}."
        for name, root in ROOTS.items()
        if root in values and root not in checked and _lacks_folder(checked.get(name, "synthetic"))
    ]
    if lacking:
        raise InputError(" ".join(lacking))
    return checked


def _spread(checked: dict[str, Any]) -> dict[str, Any]:
    """The parameters and those in ``settings``; InputError for a name that is given both ways."""
    more = checked.pop("settings", {})
    twice = [name for name in more if name in checked]
    if twice:
        raise InputError(
            f"{', '.join(twice)} of settings already has a value as a parameter: give it there and "
            "leave it out of settings."
        )
    return {**checked, **more}


def _lacks_folder(dataset: str) -> bool:
    """Whether a dataset is licensed, and its copy in none of the usual places."""
    return dataset != "synthetic" and not is_table(dataset) and datasets.own_copy(dataset) is None


def _theirs(settings: Any, in_notebook: bool, known: set[str]) -> bool:
    """Whether ``settings`` is a notebook's own variable of that name, not what papermill passes."""
    if known:
        return "settings" not in known
    return in_notebook and not isinstance(settings, (str, int, float, Mapping))


def _injected(history: Sequence[str]) -> tuple[set[str], set[str]]:
    """Names that papermill's cell sets and the parameters cell lacks, and those that the latter has.

    ``history`` holds the cells that a kernel ran, the last one at the end. A parameters cell has annotated
    values and no other statement but imports; where it ran again alone, papermill's cell is gone.
    """
    known: set[str] = set()
    given: set[str] = set()
    for cell in history:
        if cell.startswith(_INJECTED):
            given = _assigned(cell, ast.Assign)
        elif declared := _assigned(cell, ast.AnnAssign):
            known, given = known | declared, set()
    return (given - known if known else set()), known


def _assigned(cell: str, kind: type[ast.Assign] | type[ast.AnnAssign]) -> set[str]:
    """The names that a cell of such assignments, and imports, sets; none where it does something else."""
    try:
        lines = [line for line in ast.parse(cell).body if not isinstance(line, ast.ImportFrom)]
    except (SyntaxError, ValueError):
        return set()
    if not all(isinstance(line, kind) for line in lines):
        return set()
    names = [name for line in lines for name in ast.walk(line) if isinstance(name, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def config_of(parameters: Mapping[str, Any]) -> Config:
    """The configuration among checked parameters; what is absent takes the default of ``setting``.

    Args:
        parameters: As :func:`check_parameters` returns them; those that are no settings are passed over.

    Returns:
        The configuration.

    Raises:
        InputError: For settings that do not go together.

    Example:
        Where to run is no setting, and on licensed data the defaults are the paper's.

        >>> from dianet_utils import run
        >>> config = run.config_of({"dataset": "casme2", "epochs": 3, "device": "cpu"})
        >>> config.epochs, config.image_size, config.backbone
        (3, 224, 'tf_efficientnetv2_b0')
    """
    return configure(**{name: value for name, value in parameters.items() if name in CHECKS})


def describe(config: Config) -> "pd.DataFrame":
    """Every setting of a configuration beside the paper's default.

    Args:
        config: The configuration.

    Returns:
        One row per setting, all as texts: its value in this run, the default on licensed data, what that
        default is (``printed`` in the paper, ``our interpretation`` of what it leaves open, or ``ours`` where
        it says nothing, see :data:`dianet_utils.paper.BASIS`), and ``yes`` where run and default differ.

    Example:
        >>> from dianet_utils import run
        >>> table = run.describe(run.config_of({"dataset": "casme2", "epochs": 3, "hidden": 64}))
        >>> print(table[table["differs"] == "yes"].to_csv())
        setting,this run,licensed default,the default is,differs
        hidden,64,256,our interpretation,yes
        epochs,3,50,printed,yes
        <BLANKLINE>
    """
    import pandas as pd

    from dianet_utils.config import PAPER_DEFAULTS

    told = config.as_json().keys() - {"dataset"}
    rows = [
        (name, value, PAPER_DEFAULTS[name], paper.BASIS[name], "yes" if value != PAPER_DEFAULTS[name] else "")
        for name, value in vars(config).items()
        if name in told
    ]
    columns = ["setting", "this run", "licensed default", "the default is", "differs"]
    return pd.DataFrame(rows, columns=columns).set_index("setting").astype(str)
