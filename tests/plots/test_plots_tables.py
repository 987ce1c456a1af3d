"""Figures of the kept tables: what is drawn can be told apart, and legends hold what is drawn."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from dianet_utils import paper
from dianet_utils.plots import tables as plots
from dianet_utils.plumbing.files import RESULTS
from dianet_utils.tables import TABLES, Summary


def kept(number: int) -> Summary:
    """A table of those that are kept, as it was when it was written."""
    rows = pd.read_csv(RESULTS / "reference" / "tables" / f"kfold-5-table{number}.csv", index_col="row")
    data = rows["data"].iloc[0]
    return Summary(number, TABLES[number].caption, data, True, "synthetic", True, rows, split="kfold-5")


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].texts]


@pytest.mark.parametrize("number", [1, 3, 4])
def test_the_legend_of_a_table_has_the_kinds_that_are_drawn_and_no_other(number: int) -> None:
    summary = kept(number)
    figure = plots.draw_table(summary)
    drawn = {line.get_marker() for ax in figure.axes[1:] for line in ax.lines if len(line.get_xdata()) == 1}
    kinds = {kind for kind, marker in plots.KIND_MARKERS.items() if marker in drawn}
    assert kinds == {
        kind for name in paper.DATASETS for kind in summary.rows[f"{name}_kind"][summary.rows[name].notna()]
    }
    assert set(legend(figure)) == {"ours, 95 % interval", "chance", *kinds}


def test_the_legend_names_an_untrained_fold_only_where_there_is_one() -> None:
    summary = kept(2)
    assert "ours, a fold not trained" in legend(plots.draw_table(summary))
    summary.rows["untrained_folds"] = None
    assert "ours, a fold not trained" not in legend(plots.draw_table(summary))


def test_no_two_systems_share_marker_colour_and_fill_and_those_without_a_network_are_open() -> None:
    summary = kept(1)
    figure = plots.draw_cost(summary)
    for ax in figure.axes:
        points = {bar.get_label(): bar.lines[0] for bar in ax.containers}
        looks = {(p.get_marker(), p.get_color(), p.get_markerfacecolor()) for p in points.values()}
        assert len(looks) == len(points) == len(summary.rows) == 12
        open_ones = {name for name, point in points.items() if point.get_markerfacecolor() == "white"}
        assert open_ones == set(summary.rows.query("status == 'rival'")["system"])
    assert "open" in figure.legends[0].get_title().get_text()
    assert not plots.draw_cost(kept(3)).legends[0].get_title().get_text()


def test_a_row_is_open_in_both_figures_where_a_fold_was_not_trained() -> None:
    summary = kept(2)
    poor = set(summary.rows.loc[summary.rows["untrained_folds"].notna(), "system"])
    assert 0 < len(poor) < summary.rows["accuracy"].notna().sum()
    ours = plots.draw_table(summary).axes[0]
    names = dict(zip(ours.get_yticks(), (label.get_text() for label in ours.get_yticklabels()), strict=True))
    marks = [bar.lines[0] for bar in ours.containers]
    assert {names[m.get_ydata()[0]] for m in marks if m.get_markerfacecolor() == "white"} == poor
    figure = plots.draw_cost(summary)
    for ax in figure.axes:
        points = {bar.get_label(): bar.lines[0] for bar in ax.containers}
        assert {name for name, point in points.items() if point.get_markerfacecolor() == "white"} == poor
    assert figure.legends[0].get_title().get_text() == "open: a fold not trained"


def test_every_pair_stands_once_below_the_diagonal_as_row_minus_column() -> None:
    accuracy = {"a": 0.5, "b": 0.7, "c": 0.4, "d": 0.4}
    pairs = [("a", "b"), ("a", "c"), ("d", "a"), ("b", "c"), ("b", "d"), ("c", "d")]  # one is given turned
    table = pd.DataFrame(
        [{"first": x, "second": y, "difference": accuracy[x] - accuracy[y]} for x, y in pairs]
    )
    ax = plots.draw_pairs(table, {name: name.upper() for name in accuracy}, "clips").axes[0]
    rows, columns = (
        [label.get_text() for label in labels] for labels in (ax.get_yticklabels(), ax.get_xticklabels())
    )
    shown = {}
    for text in ax.texts:
        x, y = text.get_position()
        assert x <= y
        shown[rows[y], columns[x]] = float(text.get_text())
    assert {frozenset(pair) for pair in shown} == {frozenset(map(str.upper, pair)) for pair in pairs}
    assert len(shown) == len(pairs)
    for (row, column), points in shown.items():
        assert points == pytest.approx(100 * (accuracy[row.lower()] - accuracy[column.lower()]))


def test_many_systems_can_still_be_told_apart() -> None:
    looks = plots._looks([False] * 40 + [True] * 24)
    assert len({tuple(look.values()) for look in looks}) == 64
