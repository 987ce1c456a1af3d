"""What stands in a figure can be read, and says what is drawn."""

import numpy as np
import pandas as pd
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
    for text in numbers:
        assert text.get_bbox_patch().get_facecolor() == (1, 1, 1, 1)
        assert text.get_zorder() > line.get_zorder()


def test_attention_says_which_phase_attends_to_which() -> None:
    figure = model.draw_attention(np.full((2, 40, 40), 0.025), "channel")
    assert [ax.get_title() for ax in figure.axes[:2]] == [
        "onset attends to offset",
        "offset attends to onset",
    ]
    assert figure.axes[2].get_ylabel() == "weight / equal weight"


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
