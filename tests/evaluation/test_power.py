"""The power of the test over people: against theory, against the exact test, and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dianet_utils.evaluation import comparison, power
from dianet_utils.plumbing.errors import InputError

# One clip per person; the systems disagree on three clips of ten, to either side alike.
ALONE = pd.DataFrame({"gain": np.repeat([1, -1, 0], [150, 150, 700]), "clips": 1})


def theory(difference: float, people: int, variance: float, clips: int = 1) -> float:
    """The normal approximation of McNemar's power (Connor 1987), and of its form for people with clips.

    Under the null hypothesis the total varies by its square, under the alternative about its mean.
    """
    shift = clips * difference
    null, own = np.sqrt(variance + shift**2), np.sqrt(variance)
    reach = stats.norm.ppf(1 - power.LEVEL / 2) * null
    return float(sum(stats.norm.cdf((sign * np.sqrt(people) * shift - reach) / own) for sign in (1, -1)))


@pytest.mark.parametrize(("people", "points"), [(100, 10.0), (200, 5.0), (200, 10.0), (60, 20.0)])
def test_independent_clips_have_the_power_of_mcnemars_test(people: int, points: float) -> None:
    found = power.power(ALONE, [points], [people], draws=3000).loc[people, points]
    assert found == pytest.approx(theory(points / 100, people, variance=0.3), abs=0.04)


def test_several_independent_clips_per_person_are_as_good_as_so_many_people() -> None:
    """Without a person effect only the clips count: 50 people with 8 each, or 400 with one."""
    generator = np.random.default_rng(0)
    gains = generator.choice([1, -1, 0], p=[0.15, 0.15, 0.7], size=(5000, 8)).sum(axis=1)
    people = pd.DataFrame({"gain": gains, "clips": 8})
    found = power.power(people, [5.0], [50], draws=3000).loc[50, 5.0]
    assert found == pytest.approx(theory(0.05, 50, variance=2.4, clips=8), abs=0.04)
    assert found == pytest.approx(power.power(ALONE, [5.0], [400], draws=3000).loc[400, 5.0], abs=0.06)


def test_people_who_differ_cost_power() -> None:
    """The same share of differing clips, but all eight of a person fall to one side."""
    together = pd.DataFrame({"gain": np.repeat([8, -8, 0], [150, 150, 700]), "clips": 8})
    apart = power.power(ALONE, [10.0], [400]).loc[400, 10.0]
    assert power.power(together, [10.0], [50]).loc[50, 10.0] < apart / 2


def test_without_a_difference_one_study_in_twenty_finds_one() -> None:
    generator = np.random.default_rng(2)
    clips = generator.integers(3, 20, size=2000)
    people = pd.DataFrame({"gain": generator.normal(0.5, 1, 2000) * np.sqrt(clips), "clips": clips})
    table = power.power(people, [0.0], [20, 60, 200], draws=4000)
    assert table[0.0].to_numpy() == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("people", [40, 100])
def test_false_alarms_on_single_clips_are_those_of_mcnemars_exact_test(people: int) -> None:
    """Which are below 5 %, as few whole clips tie: summed over how many clips differ, and to which side."""
    differing = np.arange(people + 1)
    alarms = [
        sum(
            stats.binom.pmf(one, count, 0.5)
            for one in range(count + 1)
            if comparison.mcnemar(one, count - one) < power.LEVEL
        )
        for count in differing[: 3 * people // 5]
    ]
    exact = float(stats.binom.pmf(differing[: len(alarms)], people, 0.3) @ alarms)
    found = power.power(ALONE, [0.0], [people], draws=4000).loc[people, 0.0]
    assert found == pytest.approx(exact, abs=0.012)


def test_false_alarms_are_those_of_the_exact_test() -> None:
    generator = np.random.default_rng(1)
    gains = np.array([-3, -1, -1, 0, 0, 1, 2, 2])  # their sum is 0, so that nothing is centred away
    people = pd.DataFrame({"gain": gains, "clips": 9})
    studies = gains[generator.integers(len(gains), size=(1500, 14))]
    exact = np.mean([comparison.permutation(study) < power.LEVEL for study in studies])
    assert power.power(people, [0.0], [14], draws=3000).loc[14, 0.0] == pytest.approx(exact, abs=0.02)


def test_the_systems_own_difference_does_not_enter() -> None:
    """Gains are centred: a pair that is apart already has the power of one that is not."""
    ahead = ALONE.assign(gain=ALONE["gain"] + 0.4)
    pd.testing.assert_frame_equal(power.power(ahead, [5.0], [50]), power.power(ALONE, [5.0], [50]))


def test_gains_are_counted_person_by_person_and_averaged_over_seeds() -> None:
    first = pd.DataFrame(
        {
            "clip": ["a1", "a2", "b1"] * 2,
            "subject": ["a", "a", "b"] * 2,
            "seed": [0] * 3 + [1] * 3,
            "true": "fear",
            "predicted": ["fear", "fear", "fear", "fear", "anger", "fear"],
        }
    )
    second = first.assign(predicted=["anger"] * 5 + ["fear"])
    found = power.person_gains(first, second)
    assert found.to_dict("index") == {"a": {"gain": 1.5, "clips": 2}, "b": {"gain": 0.5, "clips": 1}}
    with pytest.raises(InputError, match="did not predict the same clips"):
        power.person_gains(first, second[second["seed"] == 0])


def test_people_needed_and_claims_are_read_off_the_curve() -> None:
    table = pd.DataFrame({2.0: [0.1, 0.2, 0.3], 9.0: [0.2, 0.6, 1.0], 50.0: [0.9, 1.0, 1.0]}, [10, 20, 40])
    found = power.needed(table)
    assert np.isnan(found[2.0])
    assert found[[9.0, 50.0]].tolist() == [30, 10]
    made = power.claims(table, {"here": (9.0, 15.0), "there": (2.0, 40.0)})
    assert made.loc["here"].tolist() == pytest.approx([9.0, 15.0, 0.4, 30])
    assert made.loc["there", "power"] == pytest.approx(0.3)


def test_too_few_people_are_refused() -> None:
    for people, counts in ((ALONE.head(1), [10]), (ALONE, [1])):
        with pytest.raises(InputError, match="needs two people or more"):
            power.power(people, [5.0], counts)
