"""What notebooks call first and most: checked parameters, and the way from them to a run."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dianet_utils import loso, machine
from dianet_utils.checks import Check, Choice, Number, Text, Whole, Wholes, check_all, near_match
from dianet_utils.config import CHECKS, Config, configure
from dianet_utils.errors import InputError
from dianet_utils.files import RESULTS

if TYPE_CHECKING:
    import pandas as pd

    from dianet_utils.dynamic_images import Bank

# Parameters of notebooks that do not change a fold's numbers.
RUN_CHECKS: dict[str, Check] = {
    "data_root": Text(optional=True),
    "clip": Text(optional=True),
    "rows": Text(optional=True),
    "genders": Text(optional=True),
    "drift_px": Number(0.0, 20.0),
    "residual": Number(0.0, 1.0),
    "seeds": Wholes(0, 2**31 - 1),
    "max_folds": Whole(1, 10_000, optional=True),
    "workers": Whole(0, 256),
    "scheduler": Text(optional=True),
    "device": Choice("auto", "cpu", "cuda", *(f"cuda:{index}" for index in range(16))),
    "out": Text(optional=True),
}
_CONFIG_FIELDS = {field.name for field in fields(Config)}
_FRESH_KERNEL = 6  # cells; later in a session a stray name is the reader's own variable


def versions() -> None:
    """Prepare the machine for torch and print one line of versions, without loading anything."""
    machine.prepare()
    print(", ".join(f"{name} {version}" for name, version in machine.versions().items()))


def check_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters among a notebook's ``globals()``; one InputError for all mistakes.

    In a fresh kernel a plain value under an unknown name that resembles a parameter is refused as
    well: papermill only warns about a misspelt name and runs the defaults. Returns the checked
    values, without those left at None.
    """
    checks = {**CHECKS, **RUN_CHECKS}
    given = {name: values[name] for name in checks if values.get(name) is not None}
    if len(values.get("In", [])) <= _FRESH_KERNEL:
        given.update(_misspelt(values, checks))
    checked = check_all(given, checks)
    if (
        "data_root" in values
        and checked.get("dataset", "synthetic") != "synthetic"
        and "data_root" not in checked
    ):
        raise InputError(
            f"Dataset {checked['dataset']} is licensed and needs data_root, the folder that holds your copy: "
            f"-p dataset {checked['dataset']} -p data_root FOLDER."
        )
    return checked


def _misspelt(values: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    plain = {
        name: value
        for name, value in values.items()
        if not name.startswith("_") and name != "In" and isinstance(value, (str, int, float, bool, list))
    }
    return {name: value for name, value in plain.items() if name not in checks and near_match(name, checks)}


def config_of(parameters: Mapping[str, Any]) -> Config:
    """The configuration among checked parameters; what is absent takes the dataset's default."""
    return configure(**{name: value for name, value in parameters.items() if name in _CONFIG_FIELDS})


def make_bank(clips: "pd.DataFrame", config: Config, workers: int = 0, shown: bool = True) -> "Bank":
    """The bank of dynamic images that a configuration needs, from the cache where it is there.

    Genders stay with the clips only for a system that learns them: no other run depends on them.
    """
    from dianet_utils.dynamic_images import build_bank

    return build_bank(
        clips if config.uses_gender else clips.drop(columns="gender", errors="ignore"),
        phases=config.inputs,
        size=config.image_size,
        weighting=config.weighting,
        temporal=config.temporal,
        scaling=config.scaling,
        workers=workers,
        shown=shown,
    )


def run_folder(bank: "Bank", config: Config, out: str | None = None) -> Path:
    """Where a run is kept: ``out`` when given, else results/<dataset>/<run name>."""
    return Path(out) if out else RESULTS / config.dataset / loso.run_name(bank, config)


def describe(config: Config) -> "pd.DataFrame":
    """One row a setting: its value here, the paper's default, and where the two differ."""
    import pandas as pd

    from dianet_utils.config import PAPER_DEFAULTS

    here = {name: value for name, value in vars(config).items() if name != "dataset"}
    rows = [(name, value, PAPER_DEFAULTS[name]) for name, value in here.items()]
    table = pd.DataFrame(rows, columns=["setting", "this run", "licensed default"]).set_index("setting")
    table["differs"] = ["yes" if a != b else "" for a, b in table.itertuples(index=False)]
    return table.astype(str)
