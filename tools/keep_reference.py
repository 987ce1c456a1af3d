"""Copy the small results that README shows from results/synthetic to results/reference.

Run it after `make notebooks`: it takes the run of notebook 04, the tables of 05 to 08, the readings of 10,
figures of 09 and 11, and the controls of Table 4.
"""

import shutil
from pathlib import Path

import pandas as pd
from refresh_notebooks import shrink

from dianet_utils import datasets, loso, run, tables
from dianet_utils.config import configure
from dianet_utils.evaluation import comparison
from dianet_utils.plumbing.files import RESULTS, shown, write_json, write_text
from dianet_utils.tables.summary import ours_of

REFERENCE = RESULTS / "reference"
STUDIES = {
    "09_evaluation_honesty": ("scores.csv", "pairs.csv", "luck.csv", "policies.png", "zero_skill.png"),
    "11_apex_uncertainty": (
        "errors.csv",
        "cost.csv",
        "gain.csv",
        "rows.csv",
        "pairs.csv",
        "cost.png",
        "errors.png",
    ),
}
# What Table 4 rests on beyond the paper's rows; each takes minutes, those of the linear rival seconds.
CONTROLS = (
    "onset+offset,tent,offset+offset,samples,linear_svm:whole,linear_svm:onset,linear_svm:offset,"
    "linear_svm:onset+offset,linear_svm:tent"
)
TOLD = ("row", "clip", "subject", "seed", "true", "predicted")
RUN_FILES = ("config.json", "environment.json", "figures/confusion.png")


def default_run() -> loso.Results:
    """The run of notebook 04 with its default parameters: seed 0, whatever else lies in its folder."""
    kept, _ = datasets.select(datasets.load("synthetic"))
    config = configure("synthetic")
    bank = run.make_bank(kept, config)
    return loso.run(bank, config, run.run_folder(bank, config))


def copy(source: Path, target: Path) -> None:
    """Copy one file; a picture gets a palette."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".png":
        target.write_bytes(shrink(source.read_bytes()))
    else:
        shutil.copyfile(source, target)


def keep_controls() -> None:
    """Run what is missing of the controls (seed 0); keep their scores and every prediction behind them."""
    kept, _ = datasets.select(datasets.load("synthetic"))
    parameters = run.check_parameters({"dataset": "synthetic"})
    entries = tables.prepare(tables.choose(4, "synthetic", CONTROLS), kept, parameters)
    outcomes = tables.run_rows(entries, tables.folder_of("synthetic"), (0,))
    lines = [{"row": o.entry.row.key, "system": o.entry.row.title, **ours_of(o)} for o in outcomes]
    told = [o.predictions.assign(row=o.entry.row.key)[list(TOLD)] for o in outcomes]
    folder = REFERENCE / "controls"
    write_text(folder / "controls.csv", pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))
    write_text(folder / "predictions.csv", pd.concat(told).to_csv(index=False, lineterminator="\n"))
    pairs = comparison.compare({o.entry.row.key: o.predictions for o in outcomes})
    write_text(folder / "pairs.csv", pairs.to_csv(index=False, lineterminator="\n"))


def main() -> None:
    """Copy the run, the tables, and the settings of every run that a table rests on."""
    default = default_run()
    folder, target = default.folder, REFERENCE / "04_loso"
    for name in RUN_FILES:
        copy(folder / name, target / Path(name).name)
    write_json(target / "metrics.json", default.metrics)
    write_text(target / "predictions.csv", default.predictions.to_csv(index=False, lineterminator="\n"))
    written = RESULTS / "synthetic" / "tables"
    endings = (".csv", ".md", ".tex", "_accuracies.png")
    for pattern in (
        "table?_pairs.csv",
        *(f"{name}{end}" for name in ("table?", "readings") for end in endings),
    ):
        for path in sorted(written.glob(pattern)):
            copy(path, REFERENCE / "tables" / path.name)
    for name, wanted in STUDIES.items():
        for file in wanted:
            copy(RESULTS / "synthetic" / name / file, REFERENCE / name / file)
    numbers = [*written.glob("table?.csv"), *written.glob("readings.csv")]
    runs = {name for path in numbers for name in pd.read_csv(path)["run"].dropna()}
    for name in sorted(runs):
        copy(RESULTS / "synthetic" / name / "config.json", REFERENCE / "tables" / "configs" / f"{name}.json")
    keep_controls()
    print(f"kept in {shown(REFERENCE)}: {folder.name} and the tables of {len(runs)} runs")


if __name__ == "__main__":
    main()
