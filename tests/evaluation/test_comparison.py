"""Paired tests against brute force, against SciPy, and against what chance must give."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dianet_utils.evaluation import comparison
from dianet_utils.plumbing.errors import InputError

CLASSES = ("anger", "disgust", "fear")


def make_predictions(
    seed: int, skill: float = 0.5, subjects: int = 6, clips: int = 5, seeds: tuple[int, ...] = (0,)
) -> pd.DataFrame:
    """Predictions that are right with probability ``skill``, for the same clips whatever the seed."""
    generator = np.random.default_rng(seed)
    rows = []
    for subject, clip, run in product(range(subjects), range(clips), seeds):
        true = CLASSES[(subject + clip) % len(CLASSES)]
        other = CLASSES[(subject + clip + 1) % len(CLASSES)]
        predicted = true if generator.random() < skill else other
        rows.append((f"s{subject}/c{clip}", f"s{subject}", run, true, predicted))
    return pd.DataFrame(rows, columns=["clip", "subject", "seed", "true", "predicted"])


def right(table: pd.DataFrame) -> pd.Series:
    return (table["true"] == table["predicted"]).astype(int)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_permutation_equals_all_sign_flips(gains: list[int]) -> None:
    totals = np.array([np.dot(signs, gains) for signs in product((-1, 1), repeat=len(gains))])
    expected = np.mean(np.abs(totals) >= abs(sum(gains)))
    assert comparison.permutation(gains) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=7))
def test_permutation_equals_scipys_exact_test(gains: list[int]) -> None:
    found = stats.permutation_test(
        (np.array(gains, float),), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert comparison.permutation(gains) == pytest.approx(found.pvalue, abs=1e-12)


def test_permutation_of_many_subjects_is_still_exact() -> None:
    """One prediction a subject: the totals are binomial, whatever their number."""
    gains = [1] * 60 + [-1] * 30
    assert comparison.permutation(gains) == pytest.approx(stats.binomtest(30, 90).pvalue, rel=1e-9)
    assert comparison.permutation([3] * 40) == pytest.approx(2.0**-39)
    assert comparison.permutation([0] * 40) == 1.0


@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemar_equals_all_coin_tosses(only_first: int, only_second: int) -> None:
    count = only_first + only_second
    heads = np.arange(count + 1)
    ways = np.array([stats.binom.pmf(k, count, 0.5) for k in heads])
    at_least = np.abs(heads - count / 2) >= abs(only_first - count / 2)
    assert comparison.mcnemar(only_first, only_second) == pytest.approx(ways[at_least].sum(), abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    """Brute force: a test's corrected p is the largest Bonferroni p of any set of tests it belongs to."""
    count = len(p_values)
    expected = np.zeros(count)
    for members in product((False, True), repeat=count):
        chosen = [index for index, member in enumerate(members) if member]
        if chosen:
            p = min(1.0, len(chosen) * min(p_values[index] for index in chosen))
            expected[chosen] = np.maximum(expected[chosen], p)
    np.testing.assert_allclose(comparison.holm(p_values), expected)


def test_compare_counts_what_the_predictions_hold() -> None:
    one, two = make_predictions(1, 0.7), make_predictions(2, 0.4)
    row = comparison.compare({"one": one, "two": two}).iloc[0]
    assert (row["first"], row["second"], row["clips"], row["subjects"]) == ("one", "two", 30, 6)
    assert row["difference"] == pytest.approx(right(one).mean() - right(two).mean())
    assert row["only_first"] == (right(one) > right(two)).sum()
    assert row["only_second"] == (right(one) < right(two)).sum()
    assert row["low"] <= row["difference"] <= row["high"]
    gains = (right(one) - right(two)).groupby(one["subject"]).sum()
    assert row["p_permutation"] == comparison.permutation(gains)


def test_all_pairs_are_one_family() -> None:
    table = comparison.compare({name: make_predictions(seed) for seed, name in enumerate("abcd")})
    assert len(table) == 6
    for name in ("mcnemar", "permutation"):
        np.testing.assert_allclose(table[f"holm_{name}"], comparison.holm(table[f"p_{name}"]))
        assert (table[f"holm_{name}"] >= table[f"p_{name}"]).all()


def test_order_of_rows_and_of_the_pair_change_no_p_value() -> None:
    one, two = make_predictions(1, 0.7), make_predictions(2, 0.4)
    straight = comparison.compare({"one": one, "two": two}).iloc[0]
    turned = comparison.compare({"two": two.sample(frac=1, random_state=0), "one": one}).iloc[0]
    assert straight["difference"] == -turned["difference"]
    for name in ("p_mcnemar", "p_permutation"):
        assert straight[name] == pytest.approx(turned[name])


def test_a_system_does_not_differ_from_itself_and_one_alone_has_no_pair() -> None:
    one = make_predictions(1)
    row = comparison.compare({"a": one, "b": one.copy()}).iloc[0]
    assert row[["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert row[["p_mcnemar", "p_permutation", "holm_permutation"]].tolist() == [1, 1, 1]
    assert comparison.compare({"a": one}).empty


def test_seeds_are_averaged_not_counted_as_more_clips() -> None:
    """Three equal seeds are no more evidence than one."""
    alone = {
        name: make_predictions(seed, skill) for seed, (name, skill) in enumerate({"a": 0.7, "b": 0.4}.items())
    }
    thrice = {
        name: pd.concat([table.assign(seed=seed) for seed in range(3)]) for name, table in alone.items()
    }
    pd.testing.assert_frame_equal(comparison.compare(alone), comparison.compare(thrice))


def test_rows_on_other_clips_or_seeds_are_refused() -> None:
    one = make_predictions(1)
    for other in (one[one["subject"] != "s3"], make_predictions(1, seeds=(0, 1))):
        with pytest.raises(InputError, match="two did not predict the same clips with as many seeds as one"):
            comparison.compare({"one": one, "two": other})


def test_false_alarms_stay_at_their_level() -> None:
    """Equal systems: the permutation test says p < 0.1 in at most about a tenth of the cases."""
    pairs = [
        comparison.compare(
            {"a": make_predictions(seed, 0.5, 8, 3), "b": make_predictions(seed + 500, 0.5, 8, 3)}
        )
        for seed in range(120)
    ]
    assert np.mean([pair["p_permutation"].iloc[0] < 0.1 for pair in pairs]) < 0.17
