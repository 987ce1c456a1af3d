"""What stands in a figure can be read, and says what is drawn."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dianet_utils.plots import answers, model, readings
from dianet_utils.plots.turned_knobs import draw_knobs
from dianet_utils.tables import TABLES, knobs


def shown(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text")))


def test_an_even_guess_is_named_by_its_classes_and_crosses_no_number() -> None:
    chances = pd.Series({"a": 0.5, "b": 0.26, "c": 0.24})
    figure = answers.draw_probabilities(chances, "a clip")
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_legend().texts] == ["even guess, 1/3"]
    (line,) = (each for each in ax.lines if each.get_label().startswith("even"))
    assert line.get_xdata()[0] == 1 / 3
    numbers = [text for text in ax.texts if text.get_text()]
    assert [text.get_text() for text in numbers] == ["0.50", "0.26", "0.24"]
    figure.canvas.draw()
    at = ax.transData.transform((1 / 3, 0))[0]
    middles = [ax.transData.transform((0, bar.get_y() + bar.get_height() / 2))[1] for bar in ax.patches]
    for text, middle in zip(numbers, middles, strict=True):
        box = text.get_window_extent()
        assert not box.x0 <= at <= box.x1
        assert box.y0 < middle < box.y1
        assert not any(box.overlaps(bar.get_window_extent()) for bar in ax.patches)


@pytest.mark.parametrize(("largest", "top"), [(0.4, 0.5), (0.9, 0.99)])
def test_probabilities_fill_the_axis_they_are_drawn_on(largest: float, top: float) -> None:
    table = pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, largest]}, index=[5, 6])
    (ax,) = answers.draw_stability(table, 5).axes
    assert ax.get_ylim() == (0, pytest.approx(top))
    (told,) = ax.texts
    ax.figure.canvas.draw()
    assert told.get_window_extent().y1 <= ax.get_window_extent().y1


def test_attention_says_which_phase_attends_to_which() -> None:
    figure = model.draw_attention(np.full((2, 40, 40), 0.025), "channel")
    assert [ax.get_title() for ax in figure.axes[:2]] == [
        "onset attends to offset",
        "offset attends to onset",
    ]
    assert figure.axes[2].get_ylabel() == "weight / equal weight"


def test_ignored_channels_are_white_and_a_copied_one_is_dark_blue() -> None:
    maps = np.zeros((2, 64, 64))
    maps[:, :32, 5], maps[:, 32:] = 1.0, 1 / 64  # half of the rows copy one channel, half take the mean
    figure = model.draw_attention(maps, "channel", first=64)
    for ax in figure.axes[:2]:
        (image,) = ax.images
        colours = image.to_rgba(image.get_array())[..., :3].reshape(64, 64, 3)
        assert (colours[:32, :-1] > 0.95).all()  # sorted: the one copied stands last
        red, _, blue = colours[0, -1]
        assert red < 0.1 < 0.3 < blue
        assert (colours[32:].mean(axis=2) < colours[0, 0].mean() - 0.05).all()


def test_marks_of_one_interpretation_do_not_hide_each_other() -> None:
    norms = pd.DataFrame(0.01, index=list("abcd"), columns=["query", "key", "value"])
    figure = model.draw_gradients(norms)
    figure.canvas.draw()
    ax = figure.axes[0]
    lines = [line for line in ax.lines if line.get_marker() in list("os^")]
    size = lines[0].get_markersize() / 72 * figure.dpi
    for row in range(4):
        heights = [ax.transData.transform((0, line.get_ydata()[row]))[1] for line in lines]
        assert all(abs(one - other) >= size for one, other in combinations(heights, 2))


def test_knobs_call_inputs_as_table_4_does_and_say_what_whiskers_and_clips_are() -> None:
    lines = [
        {**each.texts, "row": row.key, "accuracy": 50.0, "low": 40.0, "high": 60.0}
        for each in knobs.grid()
        for row in knobs.rows(each)
    ]
    figure = draw_knobs(pd.DataFrame(lines))
    titles = {row.key: row.title for row in TABLES[4].rows}
    names = [text.get_text() for text in figure.legends[0].texts]
    assert sorted(names) == sorted(titles[name] for name in knobs.INPUTS)
    assert "SYNTHETIC clips; whiskers: 95 % intervals over people" in shown(figure)
    assert figure.axes[4].get_xlabel() == "motion left at the offset (%)"


def test_the_figure_of_open_questions_speaks_of_interpretations() -> None:
    columns = ["asks", "reading", "accuracy", "low", "high", "holm", "chance", "default"]
    lines = [("Which?", "this", 60, 50, 70, None, 40, True), ("Which?", "that", 61, 51, 71, 1.0, 40, False)]
    drawn = readings.draw_readings(pd.DataFrame(lines, columns=columns), "my clips")
    told = [text.get_text() for text in drawn.legends[0].texts]
    assert "interpretation" in told
    assert "reading" not in " ".join(told)
