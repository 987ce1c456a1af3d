"""Scores against scikit-learn and hand counts, and independence of order."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from dianet_utils import evaluation

CLASSES = ["anger", "disgust", "happiness", "surprise"]


def random_predictions(seed: int, clips: int = 60, classes: list[str] = CLASSES) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    subjects = generator.choice(["s01", "s02", "s03", "s04", "s05"], clips)
    return pd.DataFrame(
        {
            "clip": [f"{subject}/c{index}" for index, subject in enumerate(subjects)],
            "subject": subjects,
            "seed": 0,
            "true": generator.choice(classes, clips),
            "predicted": generator.choice(classes, clips),
        }
    )


@pytest.mark.parametrize("seed", range(20))
def test_scores_agree_with_scikit_learn(seed: int) -> None:
    table = random_predictions(seed, clips=5 + 3 * seed, classes=CLASSES[: 2 + seed % 3])
    found = evaluation.metrics(table, CLASSES)
    true, predicted = table["true"], table["predicted"]
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(true, predicted), abs=1e-6)
    f1 = sk.f1_score(true, predicted, labels=CLASSES, average="macro", zero_division=0)
    assert found["uf1"] == pytest.approx(f1, abs=1e-6)
    present = sorted(set(true))
    recall = sk.recall_score(true, predicted, labels=present, average="macro", zero_division=0)
    assert found["uar"] == pytest.approx(recall, abs=1e-6)


def test_confusion_by_subject_adds_up_to_scikit_learns_matrix() -> None:
    table = random_predictions(3)
    subjects, confusions = evaluation.confusion_by_subject(table, CLASSES)
    assert subjects == sorted(table["subject"].unique())
    np.testing.assert_array_equal(
        confusions.sum(0), sk.confusion_matrix(table["true"], table["predicted"], labels=CLASSES)
    )


def test_order_of_rows_changes_nothing() -> None:
    table = random_predictions(4)
    shuffled = table.sample(frac=1, random_state=1)
    assert evaluation.metrics(table, CLASSES) == evaluation.metrics(shuffled, CLASSES)


def test_degenerate_predictions() -> None:
    table = random_predictions(5).assign(true="anger", predicted="anger")
    found = evaluation.metrics(table, CLASSES)
    assert found["accuracy"] == found["uar"] == found["chance"] == 1.0
    assert found["uf1"] == pytest.approx(1 / 4)  # three classes without a clip count as 0
    assert found["intervals"]["accuracy"] == [1.0, 1.0]


def test_chance_is_the_share_of_the_largest_class() -> None:
    table = random_predictions(6, clips=4).assign(true=["anger", "anger", "anger", "disgust"])
    assert evaluation.metrics(table, CLASSES)["chance"] == 0.75


def test_interval_widens_when_clips_of_a_subject_go_together() -> None:
    independent = random_predictions(7, clips=200)
    together = independent.assign(
        true="anger", predicted=np.where(independent["subject"] < "s03", "anger", "disgust")
    )
    alone = independent.assign(true="anger", predicted=np.where(np.arange(200) % 5 < 2, "anger", "disgust"))

    def width(table: pd.DataFrame) -> float:
        low, high = evaluation.metrics(table, CLASSES)["intervals"]["accuracy"]
        return high - low

    assert width(together) > 3 * width(alone)


def test_per_subject_and_per_class_tables() -> None:
    table = random_predictions(8)
    subjects = evaluation.per_subject(table)
    assert subjects["clips"].sum() == len(table)
    assert subjects["correct"].sum() == (table["true"] == table["predicted"]).sum()
    classes = evaluation.per_class(table, CLASSES)
    f1 = sk.f1_score(table["true"], table["predicted"], labels=CLASSES, average=None, zero_division=0)
    np.testing.assert_allclose(classes["f1"], f1)


def test_one_class_in_every_fold_is_told() -> None:
    """A class for all; a class for each fold; two in one fold; folds of one clip, which tell nothing."""
    table = random_predictions(3)
    assert evaluation.one_answer(table) == ""
    assert evaluation.one_answer(table.assign(predicted="anger")) == "anger"
    own = table["subject"].map({"s01": "anger"}).fillna("disgust")
    assert evaluation.one_answer(table.assign(predicted=own)) == "anger, disgust"
    assert evaluation.one_answer(table.assign(predicted=own, fold="1")) == ""
    assert evaluation.one_answer(table.assign(subject=table["clip"])) == ""
