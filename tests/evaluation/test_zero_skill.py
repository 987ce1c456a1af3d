"""The zero-skill bound against simulation, closed forms, and its own claims."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from dianet_utils import paper
from dianet_utils.evaluation import zero_skill

CASME2 = zero_skill.even_structure(paper.EXPECTED["casme2"]["classes"], paper.EXPECTED["casme2"]["subjects"])


def simulated(counts: pd.DataFrame, epochs: int, kind: str, repeats: int = 400) -> float:
    """Guess every clip anew in every epoch, keep the best epoch of each fold, pool."""
    generator = np.random.default_rng(0)
    guess = zero_skill.guesses(counts, kind)
    right = 0
    for row in counts.to_numpy():
        true = np.repeat(np.arange(len(row)), row)
        named = generator.choice(len(row), (repeats, epochs, len(true)), p=guess)
        right += (named == true).sum(2).max(1).sum()
    return right / repeats / counts.to_numpy().sum()


@pytest.mark.parametrize("kind", ["prior", "uniform"])
@pytest.mark.parametrize("epochs", [1, 50])
def test_exact_expectation_agrees_with_simulation(kind: str, epochs: int) -> None:
    counts = zero_skill.even_structure({"a": 17, "b": 9, "c": 4, "d": 1}, 5)
    assert zero_skill.best_accuracy(counts, epochs, kind) == pytest.approx(
        simulated(counts, epochs, kind), abs=0.01
    )


def test_one_epoch_is_worth_what_the_guesses_are() -> None:
    shares = CASME2.sum() / CASME2.to_numpy().sum()
    assert zero_skill.best_accuracy(CASME2, 1, "prior") == pytest.approx((shares**2).sum())
    assert zero_skill.best_accuracy(CASME2, 1, "uniform") == pytest.approx(1 / 5)


def test_hits_of_one_class_are_binomial_and_best_of_one_clip_is_known() -> None:
    np.testing.assert_allclose(
        zero_skill.hits([0, 7], np.array([0.9, 0.3])), binom.pmf(range(8), 7, 0.3), atol=1e-12
    )
    single = zero_skill.hits([1], np.array([0.2]))
    assert zero_skill.expected_best(single, 50) == pytest.approx(1 - 0.8**50)


def test_the_bound_grows_with_epochs_and_with_fewer_clips_a_subject() -> None:
    table = zero_skill.bounds_by_epochs({"casme2": CASME2}, range(1, 51))["casme2"]
    assert table.is_monotonic_increasing
    few = zero_skill.even_structure(paper.EXPECTED["casme2"]["classes"], 60)
    assert zero_skill.best_accuracy(few) > table.iloc[-1] > 2 * table.iloc[0]


def test_an_even_structure_deals_every_clip_once() -> None:
    assert CASME2.sum().to_dict() == paper.EXPECTED["casme2"]["classes"]
    assert CASME2.sum(axis=1).max() - CASME2.sum(axis=1).min() <= 1


def test_uneven_subjects_gain_less() -> None:
    generator = np.random.default_rng(0)
    classes = paper.EXPECTED["casme2"]["classes"]
    labels = np.repeat(list(classes), list(classes.values()))
    even = zero_skill.best_accuracy(CASME2)
    for _ in range(20):
        weights = generator.dirichlet(np.full(26, generator.choice([1.0, 5.0, 20.0])))
        subjects = np.r_[np.arange(26), generator.choice(26, len(labels) - 26, p=weights)]
        uneven = pd.crosstab(subjects, generator.permutation(labels))
        assert zero_skill.best_accuracy(uneven) < even


def test_the_structure_of_a_clip_table() -> None:
    clips = pd.DataFrame({"subject": ["a", "a", "b"], "emotion": ["fear", "anger", "fear"]})
    assert zero_skill.structure(clips).to_numpy().tolist() == [[1, 1], [0, 1]]
