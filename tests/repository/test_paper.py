"""The published numbers as data: each with its kind, and the sums that tie them together."""

import pytest

from dianet_utils import paper

TABLES = {1: paper.TABLE_1, 2: paper.TABLE_2, 3: paper.TABLE_3, 4: paper.TABLE_4}
CELLS = [getattr(row, name) for table in TABLES.values() for row in table for name in paper.DATASETS]


def test_a_cell_has_a_value_exactly_when_it_is_known() -> None:
    assert all((cell.value is None) == (cell.kind == "unknown") for cell in CELLS)
    assert all(cell.note for cell in CELLS if cell.kind in ("derived", "other source", "bound"))


def test_dianet_is_the_same_in_every_table() -> None:
    rows = [paper.TABLE_1[5], paper.TABLE_2[1], paper.TABLE_3[1], paper.TABLE_4[3]]
    assert {tuple(getattr(row, name).value for name in paper.DATASETS) for row in rows} == {
        (70.00, 68.89, 64.24)
    }


@pytest.mark.parametrize(("name", "gain"), [("casme2", 11.22), ("samm", 9.63), ("mmew", 15.28)])
def test_learnet_follows_from_the_printed_gains(name: str, gain: float) -> None:
    learnet = getattr(paper.TABLE_1[0], name)
    assert learnet.kind == "derived"
    assert learnet.value == pytest.approx(paper.dianet_accuracy(name).value - gain)


@pytest.mark.parametrize("name", paper.DATASETS)
def test_expected_counts_make_the_printed_accuracy_possible(name: str) -> None:
    """Some number of right clips out of N rounds to the accuracy that the paper prints."""
    expected, printed = paper.EXPECTED[name], paper.dianet_accuracy(name).value
    count = expected["clips"]
    assert any(round(100 * right / count, 2) == printed for right in range(count + 1))
    if expected["classes"]:
        assert sum(expected["classes"].values()) == count
        assert min(expected["classes"].values()) >= paper.MIN_CLASS_SIZE


def test_there_is_no_published_accuracy_for_synthetic_data() -> None:
    assert paper.dianet_accuracy("synthetic") == paper.UNKNOWN
