"""The kept results: every score follows from the predictions that are kept beside it."""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
CONTROLS = REFERENCE / "controls"


def test_scores_of_the_controls_follow_from_their_predictions() -> None:
    scores = pd.read_csv(CONTROLS / "controls.csv", index_col="row")
    predictions = pd.read_csv(CONTROLS / "predictions.csv")
    assert set(predictions["row"]) == set(scores.index)
    for row, told in predictions.groupby("row"):
        assert len(told) == scores.loc[row, "clips"] == told["clip"].nunique()
        assert told["subject"].nunique() == scores.loc[row, "folds"]
        true, named = told["true"], told["predicted"]
        assert scores.loc[row, "accuracy"] == pytest.approx(100 * accuracy_score(true, named), abs=1e-3)
        assert scores.loc[row, "uf1"] == pytest.approx(f1_score(true, named, average="macro"), abs=1e-5)
        assert scores.loc[row, "uar"] == pytest.approx(recall_score(true, named, average="macro"), abs=1e-5)


def test_the_control_that_is_notebook_04s_run_has_its_predictions() -> None:
    told = pd.read_csv(CONTROLS / "predictions.csv").set_index(["row", "clip"])["predicted"]
    run = pd.read_csv(REFERENCE / "04_loso" / "predictions.csv").set_index("clip")["predicted"]
    assert told.loc["onset+offset"].sort_index().equals(run.sort_index())


def test_every_number_of_the_text_on_controls_is_a_kept_one() -> None:
    text = (REFERENCE / "README.md").read_text(encoding="utf-8")
    section = text.split("## A linear rival", 1)[1].split("\n## ", 1)[0]
    scores = pd.read_csv(CONTROLS / "controls.csv", index_col="row")
    lines = [line for line in section.splitlines() if line.startswith("| ") and "[" in line][1:]
    assert len(lines) == len(scores)
    for line, (_, row) in zip(lines, scores.iterrows(), strict=True):
        wanted = f"{row['accuracy']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        assert wanted in line, (wanted, line)
