"""Copy the small results that README shows from results/synthetic to results/reference.

Run it after `make notebooks`: it takes the run of notebook 04, the tables of 05 to 08 and the readings of 10.
"""

import shutil
from pathlib import Path

import pandas as pd
from refresh_notebooks import shrink

from dianet_utils import datasets, loso, run
from dianet_utils.config import configure
from dianet_utils.files import RESULTS, shown

REFERENCE = RESULTS / "reference"
RUN_FILES = ("config.json", "environment.json", "metrics.json", "predictions.csv", "figures/confusion.png")


def default_run() -> Path:
    """The run folder of notebook 04 with its default parameters."""
    kept, _ = datasets.select(datasets.load("synthetic"))
    config = configure("synthetic")
    return RESULTS / "synthetic" / loso.run_name(run.make_bank(kept, config), config)


def copy(source: Path, target: Path) -> None:
    """Copy one file; a picture gets a palette."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".png":
        target.write_bytes(shrink(source.read_bytes()))
    else:
        shutil.copyfile(source, target)


def main() -> None:
    """Copy the run, the tables, and the settings of every run that a table rests on."""
    folder = default_run()
    for name in RUN_FILES:
        copy(folder / name, REFERENCE / "04_loso" / Path(name).name)
    tables = RESULTS / "synthetic" / "tables"
    endings = (".csv", ".md", ".tex", "_accuracies.png")
    for pattern in (
        "table?_pairs.csv",
        *(f"{name}{end}" for name in ("table?", "readings") for end in endings),
    ):
        for path in sorted(tables.glob(pattern)):
            copy(path, REFERENCE / "tables" / path.name)
    numbers = [*tables.glob("table?.csv"), *tables.glob("readings.csv")]
    runs = {name for path in numbers for name in pd.read_csv(path)["run"].dropna()}
    for name in sorted(runs):
        copy(RESULTS / "synthetic" / name / "config.json", REFERENCE / "tables" / "configs" / f"{name}.json")
    print(f"kept in {shown(REFERENCE)}: {folder.name} and the tables of {len(runs)} runs")


if __name__ == "__main__":
    main()
