"""Means over folds, seeds, calibration: against scikit-learn, by hand, and where data run thin."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from dianet_utils import evaluation
from dianet_utils.plumbing.errors import InputError

CLASSES = ["anger", "disgust", "happiness", "surprise"]


def make_table(true: list[int], predicted: list[int], subjects: list[int], seed: int = 0) -> pd.DataFrame:
    """Predictions with probabilities whose largest is the predicted class."""
    generator = np.random.default_rng(len(true) + seed)
    chances = generator.dirichlet(np.ones(4), len(true))
    for row, named in enumerate(predicted):
        top = chances[row].argmax()
        chances[row, [named, top]] = chances[row, [top, named]]
    table = pd.DataFrame(
        {
            "clip": [f"s{subject}/c{index}" for index, subject in enumerate(subjects)],
            "subject": [f"s{subject}" for subject in subjects],
            "seed": seed,
            "true": [CLASSES[index] for index in true],
            "predicted": [CLASSES[index] for index in predicted],
        }
    )
    return table.assign(**{f"p_{name}": chances[:, index] for index, name in enumerate(CLASSES)})


rows = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4))
tables = st.lists(rows, min_size=1, max_size=30).map(
    lambda found: make_table(*map(list, zip(*found, strict=True)))
)

# A class never predicted; a fold with one clip; a subject with one class; a class absent from the truth.
DEGENERATE = {
    "class never predicted": make_table([0, 1, 2, 3, 0, 1], [0, 1, 2, 2, 0, 0], [0, 0, 0, 1, 1, 1]),
    "fold with one clip": make_table([0, 1, 2, 3], [0, 1, 0, 3], [0, 0, 0, 1]),
    "subject with one class": make_table([2, 2, 2, 0, 1], [2, 2, 1, 0, 0], [0, 0, 0, 1, 1]),
    "class absent from truth": make_table([0, 1, 0, 1], [3, 1, 0, 3], [0, 0, 1, 1]),
    "everything wrong": make_table([0, 0], [1, 1], [0, 1]),
}


def check_folds(table: pd.DataFrame) -> None:
    """Each fold against scikit-learn's own defaults for macro averages."""
    folds = evaluation.by_fold(table, CLASSES)
    for (_, subject), fold in folds.iterrows():
        part = table[table["subject"] == subject]
        assert fold["clips"] == len(part)
        assert fold["emotions"] == part["true"].nunique()
        assert fold["accuracy"] == pytest.approx(sk.accuracy_score(part["true"], part["predicted"]))
        f1 = sk.f1_score(part["true"], part["predicted"], average="macro", zero_division=0)
        assert fold["uf1"] == pytest.approx(f1)
        present = sorted(set(part["true"]))
        recall = sk.recall_score(
            part["true"], part["predicted"], labels=present, average="macro", zero_division=0
        )
        assert fold["uar"] == pytest.approx(recall)


def check_pooled(table: pd.DataFrame) -> None:
    """Pooled scores and both rows of ``poolings`` against scikit-learn and plain means."""
    both = evaluation.poolings(table, CLASSES, draws=20).set_index(["pooling", "score"])["value"]
    true, predicted = table["true"], table["predicted"]
    assert both["pooled", "accuracy"] == pytest.approx(np.mean(true == predicted))
    f1 = sk.f1_score(true, predicted, labels=CLASSES, average="macro", zero_division=0)
    assert both["pooled", "uf1"] == pytest.approx(f1)
    recall = sk.recall_score(true, predicted, labels=sorted(set(true)), average="macro", zero_division=0)
    assert both["pooled", "uar"] == pytest.approx(recall)
    folds = evaluation.by_fold(table, CLASSES)
    for score in evaluation.SCORES:
        assert both["mean over folds", score] == pytest.approx(folds[score].mean())


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_cases_agree_with_scikit_learn(name: str) -> None:
    check_folds(DEGENERATE[name])
    check_pooled(DEGENERATE[name])


@settings(max_examples=25, deadline=None)
@given(tables)
def test_any_predictions_agree_with_scikit_learn(table: pd.DataFrame) -> None:
    check_folds(table)
    check_pooled(table)


def test_degenerate_folds_by_hand() -> None:
    folds = evaluation.by_fold(DEGENERATE["subject with one class"], CLASSES).loc[0]
    assert folds.loc["s0", ["accuracy", "uar"]].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert folds.loc["s0", "uf1"] == pytest.approx((4 / 5 + 0) / 2)  # happiness .8, disgust predicted in vain
    single = evaluation.by_fold(DEGENERATE["fold with one clip"], CLASSES).loc[(0, "s1")]
    assert single[["accuracy", "uf1", "uar"]].tolist() == [1, 1, 1]


def test_pooled_and_means_differ_when_folds_differ_in_size() -> None:
    """Nine right clips of one person and one wrong clip of another: 0.9 pooled, 0.5 over folds."""
    table = make_table([0] * 10, [0] * 9 + [1], [0] * 9 + [1])
    both = evaluation.poolings(table, CLASSES).set_index(["pooling", "score"])["value"]
    assert both["pooled", "accuracy"] == pytest.approx(0.9)
    assert both["mean over folds", "accuracy"] == pytest.approx(0.5)


@settings(max_examples=15, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_no_order_of_rows_or_folds_changes_anything(table: pd.DataFrame, random: object) -> None:
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = table.iloc[order]
    pd.testing.assert_frame_equal(evaluation.by_fold(table, CLASSES), evaluation.by_fold(shuffled, CLASSES))
    pd.testing.assert_frame_equal(
        evaluation.poolings(table, CLASSES, draws=20), evaluation.poolings(shuffled, CLASSES, draws=20)
    )
    assert evaluation.brier_score(table, CLASSES) == pytest.approx(evaluation.brier_score(shuffled, CLASSES))
    assert evaluation.metrics(table, CLASSES) == evaluation.metrics(shuffled, CLASSES)


def test_intervals_of_both_poolings_hold_their_value() -> None:
    generator = np.random.default_rng(1)
    true, predicted, subjects = (generator.integers(0, n, 120).tolist() for n in (4, 4, 12))
    table = make_table(true, predicted, subjects)
    both = evaluation.poolings(table, CLASSES)
    assert ((both["low"] <= both["value"]) & (both["value"] <= both["high"])).all()
    pooled = both[both["pooling"] == "pooled"].set_index("score")
    low, high = evaluation.metrics(table, CLASSES)["intervals"]["accuracy"]
    assert pooled.loc["accuracy", ["low", "high"]].tolist() == pytest.approx([low, high], abs=1e-6)


def test_seeds_mean_and_spread_by_hand() -> None:
    accuracies = {0: 1.0, 1: 0.5, 2: 0.0}
    table = pd.concat(
        [
            make_table([0, 1], [0, 1], [0, 1], 0),
            make_table([0, 1], [0, 0], [0, 1], 1),
            make_table([0, 1], [1, 0], [0, 1], 2),
        ]
    )
    assert evaluation.by_seed(table, CLASSES)["accuracy"].to_dict() == accuracies
    spread = evaluation.over_seeds(table, CLASSES).loc["accuracy"]
    assert spread[["mean", "sd", "least", "most", "seeds"]].tolist() == [0.5, 0.5, 0.0, 1.0, 3]


def test_one_seed_has_no_spread() -> None:
    assert evaluation.over_seeds(DEGENERATE["fold with one clip"], CLASSES)["sd"].isna().all()


def test_brier_score_by_hand_and_by_scikit_learn() -> None:
    table = make_table([0, 1], [0, 0], [0, 1])
    table[[f"p_{name}" for name in CLASSES]] = [[1, 0, 0, 0], [0.5, 0.25, 0.25, 0]]
    assert evaluation.brier_score(table, CLASSES) == pytest.approx((0 + 0.25 + 0.5625 + 0.0625) / 2)
    uniform = table.assign(**{f"p_{name}": 0.25 for name in CLASSES})
    assert evaluation.brier_score(uniform, CLASSES) == pytest.approx(1 - 1 / 4)
    other = make_table([0, 1, 2, 3, 1], [0, 2, 2, 1, 1], [0, 0, 1, 1, 2])
    one_class = sum(
        sk.brier_score_loss((other["true"] == name).astype(int), other[f"p_{name}"]) for name in CLASSES
    )
    assert evaluation.brier_score(other, CLASSES) == pytest.approx(one_class)


def test_reliability_by_hand() -> None:
    table = make_table([0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 1, 1])
    table[[f"p_{name}" for name in CLASSES]] = [
        [0.9, 0.1, 0, 0],
        [0.1, 0.92, 0, 0],
        [0.04, 0.96, 0, 0],
        [0.55, 0.25, 0.2, 0],
    ]
    curve = evaluation.reliability(table, CLASSES, bins=10)
    assert curve["clips"].tolist() == [1, 1, 2]  # 0.9 falls into (0.8, 0.9]
    assert curve["confidence"].tolist() == pytest.approx([0.55, 0.9, 0.94])
    assert curve["accuracy"].tolist() == [0, 1, 0.5]
    assert evaluation.calibration_error(table, CLASSES) == pytest.approx((0.55 + 0.1 + 2 * 0.44) / 4)


def test_a_calibrated_network_has_a_small_calibration_error() -> None:
    generator = np.random.default_rng(3)
    chances = generator.dirichlet(np.ones(4), 20_000)
    true = (chances.cumsum(1) > generator.random((20_000, 1))).argmax(1)
    table = pd.DataFrame(chances, columns=[f"p_{name}" for name in CLASSES]).assign(
        true=np.array(CLASSES)[true], predicted=np.array(CLASSES)[chances.argmax(1)]
    )
    assert evaluation.calibration_error(table, CLASSES) < 0.02
    sure = table.assign(**{f"p_{name}": (table["predicted"] == name).astype(float) for name in CLASSES})
    assert evaluation.calibration_error(sure, CLASSES) > 0.3


def test_predictions_without_probabilities_are_refused() -> None:
    bare = DEGENERATE["everything wrong"].drop(columns="p_anger")
    with pytest.raises(InputError, match="no column p_anger"):
        evaluation.brier_score(bare, CLASSES)
