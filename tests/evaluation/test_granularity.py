"""The granularity test against brute force, and the paper's contradictions recomputed."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianet_utils import paper
from dianet_utils.evaluation import granularity


def brute_force(percent: str, count: int, decimals: int) -> bool:
    """Print every k/count exactly, rounded in both ways, and look for the percentage."""
    wanted, unit = Decimal(percent), Decimal(1).scaleb(-decimals)
    for k in range(count + 1):
        exact = Fraction(100 * k, count)
        value = Decimal(exact.numerator) / Decimal(exact.denominator)  # 28 digits: ties are exact
        if wanted in {value.quantize(unit, way) for way in (ROUND_HALF_UP, ROUND_HALF_EVEN)}:
            return True
    return False


@given(st.integers(1, 320), st.integers(0, 3), st.data())
def test_possible_equals_brute_force(count: int, decimals: int, data: st.DataObject) -> None:
    digits = data.draw(st.integers(0, 100 * 10**decimals))
    percent = f"{Decimal(digits).scaleb(-decimals):f}"
    assert granularity.possible(float(percent), count, decimals) == brute_force(percent, count, decimals)


@pytest.mark.parametrize("count", [8, 16, 40, 160])
def test_a_tie_may_be_rounded_either_way(count: int) -> None:
    """1/16 is 6.25 %: printed at one decimal it is 6.3 (half up) or 6.2 (half to even)."""
    for digits in range(1001):
        percent = f"{Decimal(digits).scaleb(-1):f}"
        assert granularity.possible(float(percent), count, 1) == brute_force(percent, count, 1)


@given(st.integers(1, 300), st.data())
def test_what_was_printed_from_n_clips_fits_n(count: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, count))
    assert granularity.possible(float(f"{100 * k / count:.2f}"), count)


def test_fits_counts_what_each_n_explains() -> None:
    table = granularity.fits({"a": 50.0, "b": 33.33}, [2, 3, 4, 6])
    assert table["a"].tolist() == [True, False, True, True]
    assert table["b"].tolist() == [False, True, False, True]
    assert table["explained"].tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("dataset", "best", "low", "high"),
    [("casme2", 240, 121, 256), ("samm", 135, 100, 200), ("mmew", 288, 100, 300)],
)
def test_the_count_of_our_selection_explains_most_of_the_papers_values(
    dataset: str, best: int, low: int, high: int
) -> None:
    """No other N in range explains as many; on CASME-II 120 would, but the sheet has twice as many clips."""
    explained = granularity.paper_fits(dataset, low, high)["explained"]
    assert explained.idxmax() == best == paper.EXPECTED[dataset]["clips"]
    assert (explained == explained.max()).sum() == 1


def test_contradictions_within_the_paper() -> None:
    """What stands in the paper and cannot come from the clips that its other values imply."""
    found = {
        (dataset, row["accuracy"]): row["fits"]
        for dataset, low, high in (("casme2", 200, 256), ("samm", 100, 160), ("mmew", 200, 300))
        for _, row in granularity.contradictions(dataset, low, high).iterrows()
    }
    assert found == {
        ("casme2", 58.78): "245",
        ("casme2", 66.42): "none",
        ("samm", 63.16): "114, 133, 152",
        ("mmew", 64.94): "231, 251, 271",
        ("mmew", 50.08): "none",
    }


def test_own_accuracies_leave_out_what_is_quoted_or_unknown() -> None:
    cells = paper.own_accuracies("casme2")
    assert cells["LEARNet"].kind == "derived"
    assert {cell.value for cell in cells.values()} == {58.78, 70.0, 59.17, 66.42, 56.67, 60.0}
    assert not {"GEME", "FDCN", "ResNet18"} & set(cells)
