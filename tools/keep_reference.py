"""Copy the small results that README shows from results/synthetic to results/reference.

Run it after `make notebooks`, or after some of them: it takes the run of notebook 04, the tables of 05 to 08
and the readings of 10 with every prediction behind them, and the scores and figures of 09 and 11. What is not
whole is told and stays as it was kept. Five datasets of 26 people each are kept by tools/keep_people.py.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from refresh_notebooks import shrink

from dianet_utils import datasets, loso, run
from dianet_utils.config import configure
from dianet_utils.evaluation import comparison
from dianet_utils.plumbing.files import RESULTS, shown, write_json, write_text

REFERENCE = RESULTS / "reference"
STUDIES = {
    "09_evaluation_honesty": (
        "scores.csv",
        "pairs.csv",
        "predictions.csv",
        "luck.csv",
        "policies.png",
        "zero_skill.png",
        "power.png",
    ),
    "11_apex_uncertainty": (
        "errors.csv",
        "cost.csv",
        "gain.csv",
        "rows.csv",
        "pairs.csv",
        "predictions.csv",
        "cost.png",
        "errors.png",
    ),
}
# Tables 1 to 4 rest on folds of people; some say their image size. The readings are notebook 10's.
STEMS = ("kfold-5-table?", "kfold-5-*px-table?", "readings")
TABLES = 6  # 1, 3 and 4, 2 at two sizes, and the readings
RUN_FILES = ("config.json", "environment.json", "figures/confusion.png")


# Notebook 04 with these parameters beside its defaults, by the folder that keeps the run.
RUNS: dict[str, dict[str, str]] = {
    "04_loso": {},
    "04_loso_paper": {"setting": "paper", "pretrained": "none", "split": "kfold:5"},
    "04_loso_paper_people": {"setting": "paper", "pretrained": "none", "precision": "bfloat16"},
}


def keep_run(name: str) -> None:
    """One run of notebook 04, seed 0, with the SVM beside it; nothing where folds are missing."""
    kept, _ = datasets.select(datasets.load("synthetic"))
    config = configure("synthetic", **RUNS[name])
    bank = run.make_bank(kept, config)
    folder, target = run.run_folder(bank, config), REFERENCE / name
    there = len(list((folder / "folds").glob("seed0_*.json")))
    wanted = len(loso.make_folds(kept, config.validation, seed=0, split=config.split))
    if there < wanted:
        print(f"{name}: {there} of {wanted} folds are there, so it is not kept")
        return
    results = loso.run(bank, config, folder)
    for file in RUN_FILES:
        copy(folder / file, target / Path(file).name)
    seconds = float(pd.Series([fold["seconds"] for fold in results.folds]).median())
    write_json(target / "metrics.json", {**results.metrics, "seconds_per_fold": seconds})
    write_text(target / "predictions.csv", results.predictions.to_csv(index=False, lineterminator="\n"))
    text = curves(results.folds).to_csv(index=False, lineterminator="\n", float_format="%.5g")
    write_text(target / "curves.csv", text)
    svm = pd.read_csv(folder / "linear_svm" / "predictions.csv", dtype={"clip": str, "subject": str})
    write_text(target / "linear_svm.csv", svm.to_csv(index=False, lineterminator="\n"))
    pairs = comparison.compare({"run": results.predictions, "linear_svm": svm})
    write_text(target / "against_svm.csv", pairs.to_csv(index=False, lineterminator="\n"))


def curves(folds: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The losses of every fold: ``subject epoch train_loss validation_loss``."""
    lines = []
    for fold in folds:
        losses = fold["history"]["train_loss"]
        pairs = zip(losses, fold["history"]["validation_loss"] or [None] * len(losses), strict=True)
        lines += [(fold["subject"], epoch, *pair) for epoch, pair in enumerate(pairs, 1)]
    return pd.DataFrame(lines, columns=["subject", "epoch", "train_loss", "validation_loss"])


def copy(source: Path, target: Path) -> None:
    """Copy one file; a picture gets a palette."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".png":
        target.write_bytes(shrink(source.read_bytes()))
    else:
        shutil.copyfile(source, target)


def keep_predictions(runs: Iterable[str]) -> None:
    """What every run named for each clip: one line per clip, one column per run."""
    table = pd.DataFrame()
    for name in sorted(runs):
        told = pd.read_csv(RESULTS / "synthetic" / name / "predictions.csv", dtype=str).query("seed == '0'")
        if table.empty:
            table = told.set_index("clip")[["subject", "true"]]
        table[name] = told.set_index("clip")["predicted"]
    write_text(REFERENCE / "tables" / "predictions.csv", table.to_csv(lineterminator="\n"))


def keep_tables() -> None:
    """The tables with the settings and answers of every run they rest on; nothing where one is missing."""
    written = RESULTS / "synthetic" / "tables"
    numbers = [path for stem in STEMS for path in written.glob(f"{stem}.csv")]
    if len(numbers) < TABLES:
        print(f"tables: {len(numbers)} of {TABLES} are there, so none is kept")
        return
    for stem in STEMS:
        for end in (".csv", ".md", ".tex", "_accuracies.png", "_planned.csv"):
            for path in sorted(written.glob(f"{stem}{end}")):
                copy(path, REFERENCE / "tables" / path.name)
    runs = {name for path in numbers for name in pd.read_csv(path)["run"].dropna()}
    for name in sorted(runs):
        copy(RESULTS / "synthetic" / name / "config.json", REFERENCE / "tables" / "configs" / f"{name}.json")
    keep_predictions(runs)


def keep_study(name: str) -> None:
    """What a notebook wrote beside its run; nothing where a file is missing."""
    folder = RESULTS / "synthetic" / name
    if missing := [file for file in STUDIES[name] if not (folder / file).is_file()]:
        print(f"{name}: {', '.join(missing)} not there, so it is not kept")
        return
    for file in STUDIES[name]:
        copy(folder / file, REFERENCE / name / file)


def main() -> None:
    """Keep each run, the tables and each study, as far as they are there whole."""
    for name in RUNS:
        keep_run(name)
    keep_tables()
    for name in STUDIES:
        keep_study(name)
    print(f"the results that README shows are in {shown(REFERENCE)}")


if __name__ == "__main__":
    main()
