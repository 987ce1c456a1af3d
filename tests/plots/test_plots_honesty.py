"""The figures of notebook 09 show what they are given, and call a leaky policy leaky."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dianet_utils import evaluation, paper
from dianet_utils.evaluation import granularity, zero_skill
from dianet_utils.plots import honesty as plots

mpl.use("Agg")
CLASSES = ["anger", "disgust", "fear"]


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


@pytest.fixture(scope="module")
def named() -> dict[str, pd.DataFrame]:
    generator = np.random.default_rng(0)
    chances = generator.dirichlet(np.ones(3), 60)
    table = pd.DataFrame(
        {
            "clip": [f"{index % 6}/c{index}" for index in range(60)],
            "subject": [f"{index % 6}" for index in range(60)],
            "seed": 0,
            "true": generator.choice(CLASSES, 60),
            "predicted": np.array(CLASSES)[chances.argmax(1)],
        }
    ).assign(**{f"p_{name}": chances[:, index] for index, name in enumerate(CLASSES)})
    return {"held_out": table, "test_subject": table.assign(validation="test_subject")}


def test_policies_show_every_value_and_name_the_leak(named: dict[str, pd.DataFrame]) -> None:
    scores = pd.concat(evaluation.poolings(t, CLASSES).assign(policy=p) for p, t in named.items())
    told = texts(plots.draw_policies(scores, 1 / 3, "synthetic clips"))
    assert all(f"{value:.3f}" in told for value in scores["value"])
    assert "LEAKY: test_subject" in told
    assert "chance 0.33" in told


def test_the_line_of_chance_crosses_no_number(named: dict[str, pd.DataFrame]) -> None:
    scores = evaluation.poolings(named["held_out"], CLASSES).assign(policy="held_out")
    ax = plots.draw_policies(scores, scores["value"].iloc[0], "synthetic clips").axes[0]
    (line,) = (each for each in ax.lines if each.get_label().startswith("chance"))
    assert len(ax.texts) == 2
    for text in ax.texts:
        assert text.get_bbox_patch().get_facecolor() == (1, 1, 1, 1)
        assert text.get_zorder() > line.get_zorder()


def test_choosing_marks_the_kept_epoch_of_every_fold() -> None:
    curves = [[0.2, 0.6, 0.4], [0.8, 0.1, 0.8]]
    folds = [
        {"history": {"test_accuracy": curve, "best_epoch": int(np.argmax(curve)) + 1}} for curve in curves
    ]
    figure = plots.draw_choosing(folds, "synthetic clips")
    stars = [line.get_xydata().tolist() for line in figure.axes[0].lines if line.get_marker() == "*"]
    assert [[2.0, 0.6]] in stars
    assert [[1.0, 0.8]] in stars
    assert "mean of the kept epochs, 0.700" in texts(figure)
    box, ax = figure.legends[0].get_window_extent(), figure.axes[0]
    assert box.y1 <= ax.get_window_extent().y0
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width


def test_zero_skill_names_the_last_value_of_every_dataset() -> None:
    counts = zero_skill.even_structure({"a": 12, "b": 8}, 5)
    table = zero_skill.bounds_by_epochs({"one": counts, "two": counts * 2}, [1, 20])
    told = texts(plots.draw_zero_skill(table, "no skill"))
    assert all(f"{value:.2f}" in told for value in table.loc[20])


def test_zero_skill_labels_do_not_overlap_and_keep_the_order_of_their_lines() -> None:
    last = {"a": 0.57, "b": 0.59, "c": 0.71, "d": 0.58}
    table = pd.DataFrame({name: [0.2, value] for name, value in last.items()}, index=[1, 50])
    figure = plots.draw_zero_skill(table, "no skill")
    figure.canvas.draw()
    labels = {text.get_text(): text.get_window_extent() for text in figure.axes[0].texts}
    assert set(labels) == {f"{value:.2f}" for value in last.values()}
    ends = [labels[f"{value:.2f}"] for value in sorted(last.values())]
    assert all(low.y1 < high.y0 for low, high in pairwise(ends))


def test_reliability_draws_every_bin(named: dict[str, pd.DataFrame]) -> None:
    curves = {name: evaluation.reliability(table, CLASSES) for name, table in named.items()}
    figure = plots.draw_reliability(curves, "synthetic clips")
    assert "LEAKY: test_subject" in texts(figure)
    drawn = figure.axes[0].lines[1].get_xydata()
    np.testing.assert_allclose(drawn, curves["held_out"][["confidence", "accuracy"]])


def test_granularity_marks_the_count_of_the_selection() -> None:
    figure = plots.draw_granularity({name: granularity.paper_fits(name) for name in paper.DATASETS})
    told = texts(figure)
    for expected in ("N = 240: 4 of 6", "N = 135: 3 of 4", "N = 288: 3 of 5"):
        assert expected in told
    assert figure.get_supylabel() == "printed accuracies that fit"
    for ax, name in zip(figure.axes, paper.DATASETS, strict=True):
        others, marked = ax.collections
        assert ax.get_title(loc="left") == paper.TITLES[name]
        assert marked.get_segments()[0][0][0] == paper.EXPECTED[name]["clips"]
        assert marked.get_linewidth()[0] >= 2 * others.get_linewidth()[0]
        assert marked.get_color()[0].tolist() == [0, 0, 0, 1]


def test_power_has_a_line_per_difference_and_a_ring_per_claim() -> None:
    table = pd.DataFrame({3.6: [0.0, 0.2, 0.4], 14.2: [0.1, 0.7, 1.0]}, index=[10, 20, 40])
    made = {"CASME-II, N = 240": (3.6, 30.0), "MMEW, N = 288": (14.2, 20.0)}
    figure = plots.draw_power({"both minus one": table, "cross minus simple": table}, made, "synthetic clips")
    told = texts(figure)
    for expected in ("3.6 points apart", "14.2 points apart", "N = 240", "cross minus simple", "power 0.8"):
        assert expected in told
    assert [ax.get_title() for ax in figure.axes] == ["both minus one", "cross minus simple"]
    for ax in figure.axes:
        assert ax.get_xlabel() == "number of people"
        (top,) = ax.child_axes
        names = [label for label in top.get_xticklabels() if label.get_text()]
        places = {label.get_text(): label.get_position()[0] for label in names}
        assert places == {name: people for name, (_, people) in made.items()}
        box = ax.title.get_window_extent()
        assert all(box.y0 > label.get_window_extent().y1 for label in names)
        lines = [line.get_xydata().tolist() for line in ax.lines]
        assert [[10.0, 0.1], [20.0, 0.7], [40.0, 1.0]] in lines
        assert [[30.0, pytest.approx(0.3)], [20.0, 0.7]] in lines
