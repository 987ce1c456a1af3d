"""Controls where a reader can move them, and the same figure where nobody can."""

from types import SimpleNamespace

import ipywidgets
import matplotlib.pyplot as plt
import pytest

from dianet_utils.plots import interactive

CHOICES = {"clip": ["b", "a"], "frame": [5, *range(1, 9)]}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    monkeypatch.setattr(plt, "show", lambda: None)
    return []


def test_without_a_reader_the_first_values_are_drawn_once(drawn: list[dict]) -> None:
    assert not interactive.has_reader()
    interactive.explore(lambda **chosen: drawn.append(chosen), **CHOICES)
    assert drawn == [{"clip": "b", "frame": 5}]


@pytest.mark.parametrize("asks", [True, False])
def test_a_front_end_that_can_ask_its_reader_has_one(asks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=asks))
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    assert interactive.has_reader() is asks


def test_with_a_reader_each_choice_has_a_control_that_redraws(
    drawn: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    controls: dict = {}
    monkeypatch.setattr(interactive, "has_reader", lambda: True)
    monkeypatch.setattr(ipywidgets, "interact", lambda draw, **given: controls.update(draw=draw, **given))
    interactive.explore(lambda **chosen: drawn.append(chosen), **CHOICES)
    assert controls["clip"].options == ("b", "a")
    assert controls["frame"].options == tuple(range(1, 9))
    assert (controls["clip"].value, controls["frame"].value) == ("b", 5)
    assert controls["frame"].layout.width == "95%"
    assert controls["frame"].style.description_width == "initial"
    controls["draw"](clip="a", frame=3)
    assert drawn == [{"clip": "a", "frame": 3}]
