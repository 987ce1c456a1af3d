"""Make the board of results anew from the kept runs: notebook 04, and the rows of Table 1.

    python tools/fill_leaderboard.py

Rows of others stay. The rows of Table 1 are kept as one table of answers with the settings of each run; here
each becomes a run folder again for as long as ``dianet submit`` reads it.
"""

import tempfile
from pathlib import Path

import pandas as pd

from dianet_utils import evaluation
from dianet_utils.command.leaderboard import BOARD, read_board, submit
from dianet_utils.loso.splits import fold_names
from dianet_utils.plumbing.files import read_json, shown, write_json, write_text

TABLES = BOARD.parent / "tables"
OURS = "04_loso"


def run_again(name: str, folder: Path) -> Path:
    """The run folder of one row of a table, from the kept answers."""
    told = pd.read_csv(TABLES / "predictions.csv", dtype=str)
    config = read_json(TABLES / "configs" / f"{name}.json")
    predictions = told[["clip", "subject", "true"]].assign(predicted=told[name])
    predictions.insert(2, "seed", 0)
    clips = predictions.set_index("clip").rename(columns={"true": "emotion"})
    predictions["fold"] = fold_names(clips, config["config"]["split"]).to_numpy()
    about = {"dataset": "synthetic", "synthetic": True}
    metrics = evaluation.metrics(predictions, sorted(predictions["true"].unique()))
    write_json(folder / name / "config.json", config)
    write_json(folder / name / "metrics.json", {**about, **metrics})
    write_text(folder / name / "predictions.csv", predictions.to_csv(index=False))
    return folder / name


def main() -> None:
    """Take our rows out and submit them again."""
    runs = pd.read_csv(TABLES / "kfold-5-table1.csv")["run"].dropna()
    kept = read_board()
    if len(kept):
        kept = kept[~kept["name"].isin([OURS, *runs])]
        write_text(BOARD / "results.csv", kept.to_csv(index=False, lineterminator="\n"))
    submit(str(BOARD.parent / OURS))
    with tempfile.TemporaryDirectory() as folder:
        for name in runs:
            submit(str(run_again(name, Path(folder))))
    print(f"{shown(BOARD)}: {len(read_board())} rows")


if __name__ == "__main__":
    main()
