"""Figures of rows on several datasets show the numbers that they are given, with what they rest on."""

import pandas as pd
import pytest

from dianet_utils.plots import contrasts, results

EACH = {"dataset 0": 60.0, "dataset 1": 70.0}


def texts(figure: object) -> str:
    return " ".join(text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text")))


def test_every_row_shows_its_accuracy_its_interval_and_its_datasets() -> None:
    scores = pd.DataFrame(
        {"accuracy": [65.0, 50.0], "low": [60.0, 41.0], "high": [71.0, 58.0]}, index=["a", "b"]
    )
    figure = contrasts.draw_people(scores.assign(**EACH), {"a": "One", "b": "Two"}, 40.0, "SYNTHETIC clips")
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["One", "Two"]
    points = [bar.lines[0].get_xdata()[0] for bar in ax.containers]
    reach = [bar.lines[2][0].get_segments()[0][:, 0].tolist() for bar in ax.containers]
    assert points == [65.0, 50.0]
    assert reach == [pytest.approx([60.0, 71.0]), pytest.approx([41.0, 58.0])]
    dots = [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == len(EACH)]
    assert list(EACH.values()) in dots
    assert {"SYNTHETIC", "65.0", "50.0", "chance"} <= set(texts(figure).split())


def test_a_contrast_names_both_rows_and_its_p() -> None:
    line = {"first": ["a"], "second": ["b"], "gain": [3.0], "low": [-1.0], "high": [7.0], "holm": [0.023]}
    figure = contrasts.draw_contrasts(pd.DataFrame(line), {"a": "One", "b": "Two"}, "my clips")
    told = texts(figure)
    assert "One\nminus: Two" in told
    assert "p = 0.023" in told
    assert "my clips" in told


def test_a_fold_that_was_not_trained_is_named_in_the_figure() -> None:
    history = {"train_loss": [1.0, 0.5], "validation_loss": [], "best_epoch": 2}
    folds = [
        {"subject": name, "seed": 0, "history": history, "train_accuracy": share}
        for name, share in (("s01", 0.9), ("s02", 0.25))
    ]
    assert "not trained: s02 (seed 0)" in texts(results.draw_training(folds, 0.2))
    assert "not trained" not in texts(results.draw_training(folds[:1], 0.2))


def test_a_fold_that_does_not_tell_its_training_accuracy_has_no_bar() -> None:
    """As those of earlier releases: nothing is drawn where nothing is known, least of all 0 %."""
    history = {"train_loss": [1.0, 0.5], "validation_loss": [], "best_epoch": 2}
    folds = [{"subject": name, "seed": 0, "history": history} for name in ("s01", "s02")]
    folds[0]["train_accuracy"] = 0.9
    bars = results.draw_training(folds, 0.2).axes[-1].patches
    assert [bar.get_height() for bar in bars] == [90.0]
