"""The rows that compare weights from ImageNet: they differ in weights and scaling alone."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import run_pretrained
from sklearn.metrics import accuracy_score, f1_score

from dianet_utils.config import configure
from dianet_utils.config.weight_packages import PACKAGES
from dianet_utils.tables import pretraining


def test_every_row_has_the_papers_training_and_differs_in_weights_and_scaling_alone() -> None:
    assert pretraining.SHARED["backbone"] in PACKAGES
    shared = configure(**pretraining.SHARED, pretrained="none")
    licensed = configure("samm")
    for name in ("optimiser", "learning_rate", "epochs", "patience", "validation", "schedule", "degrees"):
        assert getattr(shared, name) == getattr(licensed, name)
    keys = {"pretrained", "frozen", "scaling"}
    assert all(set(row.settings) <= keys for row in pretraining.ROWS)
    made = [tuple(row.settings.get(key) for key in sorted(keys)) for row in pretraining.ROWS]
    assert len(set(made)) == len(made) == 6


def test_titles_say_how_the_weights_are_used() -> None:
    titles = {row.key: row.title for row in pretraining.ROWS}
    assert [titles[f"{key}:minmax"] for key in ("scratch", "frozen", "tuned")] == [
        "Random weights, minmax",
        "ImageNet, frozen, minmax",
        "ImageNet, fine-tuned, minmax",
    ]


def test_every_contrast_that_is_there_is_tested_and_no_other() -> None:
    lines = [(0, f"c{n}", f"s{n % 8}", "disgust") for n in range(24)]
    table = pd.DataFrame(lines, columns=["dataset", "clip", "subject", "true"])
    table["tuned:minmax"], table["scratch:minmax"] = "disgust", "surprise"
    (line,) = pretraining.contrasts(table).itertuples()
    assert (line.first, line.second) == ("tuned:minmax", "scratch:minmax")
    assert (line.gain, line.people) == (100, 8)
    assert line.p == line.holm == pytest.approx(2 / 2**8)


def test_every_kept_score_and_p_value_follows_from_the_kept_predictions() -> None:
    kept = pretraining.read()
    scores = pd.read_csv(pretraining.KEPT / "scores.csv", index_col="row")
    assert set(scores.index) == set(kept.columns[4:]) <= {row.key for row in pretraining.ROWS}
    for row, line in scores.iterrows():
        assert line["accuracy"] == pytest.approx(100 * accuracy_score(kept["true"], kept[row]), abs=1e-3)
        found = f1_score(kept["true"], kept[row], average="macro", zero_division=0)
        assert line["uf1"] == pytest.approx(found, abs=1e-5)
    tests = pd.read_csv(pretraining.KEPT / "contrasts.csv")
    pd.testing.assert_frame_equal(pretraining.contrasts(kept), tests, rtol=1e-4, check_dtype=False)
    folds = pd.read_csv(pretraining.KEPT / "folds.csv")
    assert (folds.groupby("row").size() == 5).all()


def test_a_row_joins_those_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Path(shutil.copytree(pretraining.KEPT, tmp_path / "kept"))
    monkeypatch.setattr(pretraining, "KEPT", kept)
    table = pretraining.read()
    *before, last = [row.key for row in pretraining.ROWS]
    answers = table[["clip", "subject", "true"]].assign(predicted=table[last])
    table[[*pretraining.CLIP_COLUMNS, *before]].to_csv(kept / "predictions.csv", index=False)
    predictions, folds = run_pretrained.earlier()
    assert set(folds["row"]) == set(before)  # those of a row without predictions do not count
    outcome = SimpleNamespace(predictions=answers[::-1], entry=SimpleNamespace(row=pretraining.ROWS[-1]))
    both = run_pretrained.joined(predictions, outcome).reset_index()
    pd.testing.assert_frame_equal(both, table)
    first = run_pretrained.joined(pd.DataFrame(), outcome)
    assert first[last].tolist() == answers["predicted"].tolist()[::-1]
    with pytest.raises(SystemExit, match="holds rows of other clips"):
        run_pretrained.joined(predictions.iloc[1:], outcome)
