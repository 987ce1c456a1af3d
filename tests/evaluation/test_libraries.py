"""Tests and scores against the libraries that others take for them: statsmodels and torchmetrics."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats import contingency_tables, multitest
from torchmetrics.functional import classification

from dianet_utils import evaluation
from dianet_utils.evaluation import comparison

CLASSES = ("anger", "disgust", "happiness", "others", "surprise")
ANSWERS = st.integers(2, len(CLASSES)).flatmap(
    lambda count: st.lists(st.tuples(*[st.integers(0, count - 1)] * 2), min_size=1, max_size=40)
)


@settings(max_examples=20, deadline=None)  # a call of theirs takes a tenth of a second
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    _, expected, _, _ = multitest.multipletests(p_values, method="holm")
    np.testing.assert_allclose(comparison.holm(p_values), expected, rtol=1e-12, atol=1e-300)


@given(*[st.integers(0, 60)] * 4)
def test_mcnemar_is_that_of_statsmodels(both: int, only_first: int, only_second: int, none: int) -> None:
    table = [[both, only_first], [only_second, none]]
    expected = contingency_tables.mcnemar(table, exact=True).pvalue
    assert comparison.mcnemar(only_first, only_second) == pytest.approx(expected, rel=1e-9)


def test_a_compared_pair_has_the_mcnemar_of_its_table_of_answers() -> None:
    """From predictions to the p-value: the 2 x 2 table is made by pandas."""
    generator = np.random.default_rng(4)
    told = pd.DataFrame({"clip": [f"c{index}" for index in range(80)], "seed": 0, "true": "anger"})
    told = told.assign(subject=[f"s{index % 8}" for index in range(80)])
    one, two = (told.assign(predicted=generator.choice(CLASSES[:2], 80, p=[p, 1 - p])) for p in (0.7, 0.5))
    table = pd.crosstab(one["predicted"] == "anger", two["predicted"] == "anger")
    row = comparison.compare({"one": one, "two": two}).iloc[0]
    assert row["p_mcnemar"] == pytest.approx(contingency_tables.mcnemar(table, exact=True).pvalue)


def confusion_of(answers: list[tuple[int, int]]) -> np.ndarray:
    """The confusion matrix [true, predicted] by the package, from pairs (true, predicted)."""
    true, predicted = ([CLASSES[pair[side]] for pair in answers] for side in (0, 1))
    table = pd.DataFrame({"subject": "s", "true": true, "predicted": predicted})
    return evaluation.confusion_by_subject(table, list(CLASSES))[1].sum(0)


@given(ANSWERS)
def test_scores_are_those_of_torchmetrics(answers: list[tuple[int, int]]) -> None:
    """By class: how to average classes without a clip is a convention, in which torchmetrics differs."""
    true, predicted = torch.tensor(answers).T
    count = len(CLASSES)
    f1 = classification.multiclass_f1_score(predicted, true, count, average="none", zero_division=0)
    recall = classification.multiclass_recall(predicted, true, count, average="none", zero_division=0)
    accuracy = classification.multiclass_accuracy(predicted, true, count, average="micro")
    confusion = confusion_of(answers)
    assert evaluation.uf1(confusion) == pytest.approx(f1.mean().item(), abs=1e-6)
    assert evaluation.uar(confusion) == pytest.approx(recall[true.unique()].mean().item(), abs=1e-6)
    assert evaluation.accuracy(confusion) == pytest.approx(accuracy.item(), abs=1e-6)


@given(ANSWERS)
def test_the_confusion_matrix_is_that_of_torchmetrics(answers: list[tuple[int, int]]) -> None:
    true, predicted = torch.tensor(answers).T
    expected = classification.multiclass_confusion_matrix(predicted, true, len(CLASSES))
    np.testing.assert_array_equal(confusion_of(answers), expected)
