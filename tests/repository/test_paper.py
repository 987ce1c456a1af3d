"""The published numbers as data: each with its kind, and the sums that tie them together."""

import pytest

from dianet_utils import paper

TABLES = {1: paper.TABLE_1, 2: paper.TABLE_2, 3: paper.TABLE_3, 4: paper.TABLE_4}
CELLS = [getattr(row, name) for table in TABLES.values() for row in table for name in paper.DATASETS]


def test_a_cell_has_a_value_exactly_when_it_is_known() -> None:
    assert all((cell.value is None) == (cell.kind == "unknown") for cell in CELLS)
    assert all(cell.note for cell in CELLS if cell.kind in ("derived", "other source", "bound"))


def test_bounds_follow_from_the_prose() -> None:
    """Who is said to be the best, the worst or in between bounds the cells whose numbers are not known."""
    best = paper.TABLE_1[-1]
    for row in paper.TABLE_1[:-1]:
        assert row.samm.value <= best.samm.value
        assert row.mmew.value <= best.mmew.value
    resnet, efficientnet, convnext, mobilevit = paper.TABLE_2
    for name in ("casme2", "samm"):  # EfficientNetV2 leads there, ResNet18 on MMEW
        assert all(getattr(row, name).value <= getattr(efficientnet, name).value for row in paper.TABLE_2)
    assert all(row.mmew.value <= resnet.mmew.value for row in paper.TABLE_2)
    assert mobilevit.casme2.value == convnext.casme2.value
    whole, _, offset, both = paper.TABLE_4
    for name in ("casme2", "mmew"):
        cell = getattr(offset, name)
        assert (cell.lower, cell.value) == (getattr(whole, name).value, getattr(both, name).value)
    assert sum(cell.kind == "bound" for cell in CELLS) >= 15
    assert not [cell for cell in CELLS if cell.kind == "unknown"]


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
