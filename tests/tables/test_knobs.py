"""The knobs of the synthetic clips: which rows read which combination, and the kept predictions."""

from dataclasses import asdict

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from dianet_utils import synthetic
from dianet_utils.tables import knobs, many_people


def test_a_combination_differs_from_the_default_dataset_in_its_knobs_alone() -> None:
    default = asdict(synthetic.Settings())
    for each in knobs.grid():
        told = asdict(each.settings)
        assert [name for name in told if told[name] != default[name]] == sorted(
            knobs.changed(each), key=list(told).index
        )
    assert synthetic.Settings() in [each.settings for each in knobs.grid()]


def test_dianet_reads_what_differs_in_one_knob_and_the_svm_everything() -> None:
    read = {each: {row.key for row in knobs.rows(each)} for each in knobs.grid()}
    assert len(read) == 4 * 3 * 2
    assert all({f"linear_svm:{name}" for name in knobs.INPUTS} <= keys for keys in read.values())
    both = [each for each, keys in read.items() if set(knobs.INPUTS) <= keys]
    assert len(both) == 1 + 3 + 2 + 1
    assert all(sum(a != b for a, b in zip(each, knobs.DEFAULT, strict=True)) < 2 for each in both)


def test_along_one_knob_the_others_stand_still() -> None:
    lines = pd.DataFrame([{**each.texts, "row": "whole"} for each in knobs.grid()])
    found = knobs.along(lines, "residual")
    assert found["residual"].tolist() == ["0-30", "30-80", "70-100"]
    assert set(found["drift_px"]) == {"0.015"}
    assert set(found["phase"]) == {"1"}


def test_a_row_that_did_not_read_a_combination_has_no_score_there() -> None:
    lines = [("0", "30-80", "1", f"c{n}", f"s{n % 3}", "disgust", "disgust", None) for n in range(6)]
    lines[0] = (*lines[0][:5], "surprise", "disgust", None)
    table = pd.DataFrame(lines, columns=[*knobs.COLUMNS, "whole", "tent"])
    (line,) = knobs.scores(table).itertuples()
    assert (line.row, line.drift_px) == ("whole", "0")
    assert line.accuracy == pytest.approx(100 * 5 / 6)
    assert line.low <= line.accuracy <= line.high


# The kept results.


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return knobs.read()


def test_every_kept_score_follows_from_the_kept_predictions(kept: pd.DataFrame) -> None:
    scores = pd.read_csv(knobs.KEPT / "scores.csv", dtype={name: str for name in knobs.Knobs._fields})
    assert len(scores) == 24 * 5 + 7 * 5
    for line in scores.itertuples():
        part = kept[
            (kept["drift_px"] == line.drift_px)
            & (kept["residual"] == line.residual)
            & (kept["phase"] == line.phase)
        ]
        assert len(part) == 240
        right = 100 * accuracy_score(part["true"], part[line.row])
        assert line.accuracy == pytest.approx(right, abs=1e-3)


def test_the_default_combination_says_what_table_4_says(kept: pd.DataFrame) -> None:
    """The same clips, run by another tool at another time."""
    people = many_people.read().query("dataset == 0").set_index("clip")
    texts = knobs.DEFAULT.texts
    default = kept[(kept[list(texts)] == pd.Series(texts)).all(axis=1)].set_index("clip")
    for row in (*knobs.INPUTS, "linear_svm:whole", "linear_svm:onset"):
        assert (default[row] == people.loc[default.index, row]).all()


def test_the_scores_are_what_the_text_of_notebook_08_says_of_them() -> None:
    scores = pd.read_csv(knobs.KEPT / "scores.csv", dtype={name: str for name in knobs.Knobs._fields})
    recovery = knobs.along(scores, "residual").pivot_table(index="residual", columns="row", values="accuracy")
    for system in ("linear_svm:", ""):
        whole, onset, offset = (recovery[system + name] for name in ("whole", "onset", "offset"))
        assert whole["0-30"] < onset["0-30"] - 8
        assert whole["70-100"] > onset["70-100"] - 5
        assert offset["70-100"] < 45
        assert onset.max() - onset.min() < 2
    drift = knobs.along(scores, "drift_px").pivot_table(index="drift_px", columns="row", values="accuracy")
    assert (drift.loc["0.15"] < drift.loc["0"]).all()
    lost = (drift.loc["0"] - drift.loc["0.15"])[list(knobs.INPUTS)]
    assert lost.idxmax() == "whole"
    delays = knobs.along(scores, "phase").pivot_table(index="phase", columns="row", values="accuracy")
    assert (delays.loc["0"] - delays.loc["1"]).abs().max() < 7
    assert all((table["onset+offset"] > table["onset"]).all() for table in (recovery, drift, delays))
