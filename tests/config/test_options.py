"""Many values in one parameter: how a text and a file are taken, and what is refused."""

import contextlib
import datetime
import json
import math
from pathlib import Path

import pytest

from dianet_utils import config, run
from dianet_utils.config.checks import Choice, Number, Whole
from dianet_utils.config.options import Options, read_options
from dianet_utils.plumbing.errors import InputError
from dianet_utils.run.parameters import RUN_CHECKS
from dianet_utils.run.selection import SELECTION

CHECKS = {"people": str, "patience": Whole(1, 100), "dropout": Number(0, 1), "merge": Choice("megc2019")}


@pytest.mark.parametrize(
    "text", ["patience=50, dropout=0.2", "patience = 50;dropout=0.2", "dropout=.2,patience=50"]
)
def test_a_text_is_taken_entry_by_entry(text: str) -> None:
    assert Options(CHECKS)(text) == {"patience": 50, "dropout": 0.2}


def test_commas_and_equals_signs_may_be_part_of_a_value() -> None:
    assert read_options("people=s01,s02, merge=megc2019", CHECKS) == {
        "people": "s01,s02",
        "merge": "megc2019",
    }
    assert read_options("people=samm=/a b,smic=/c; patience=2", CHECKS)["people"] == "samm=/a b,smic=/c"


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json"])
def test_a_file_is_taken_as_the_text_is(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine.{suffix}"
    path.write_text(json.dumps({"patience": 50, "dropout": 0.2}), "utf-8")  # JSON is YAML as well
    assert Options(CHECKS)(str(path)) == Options(CHECKS)("patience=50, dropout=0.2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patients=50", "did you mean 'patience'"),
        ("patience", "NAME=VALUE"),
        ("patience=1; patience=2", "given twice"),
        ("patience=0, dropout=7", "patience.*dropout"),
        ("nowhere.yaml", "does not open"),
    ],
)
def test_what_cannot_be_taken_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Options(CHECKS)(text)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [("yaml", "patience: 2\npatience: 3"), ("json", '{"patience": 2, "dropout": 0.1, "patience": 3}')],
)
def test_a_name_that_stands_twice_in_a_file_is_refused(tmp_path: Path, suffix: str, content: str) -> None:
    path = tmp_path / f"mine.{suffix}"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=rf"mine.{suffix} gives patience twice"):
        Options(CHECKS)(str(path))


@pytest.mark.parametrize(
    ("content", "said"), [("- 1", "must hold names"), ("a: [", "is no yaml"), ("x: 1", "'x'")]
)
def test_a_file_that_holds_something_else_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=said):
        Options(CHECKS)(str(path))


def test_settings_of_a_notebook_are_parameters_by_their_name() -> None:
    asked = {
        "dataset": "casme2",
        "data_root": "x",
        "settings": "patience=50, dropout=0.2, inputs=onset,offset",
    }
    config = run.config_of(run.check_parameters(asked))
    assert (config.patience, config.dropout, config.inputs) == (50, 0.2, ("onset", "offset"))
    same = run.config_of({"dataset": "casme2", "patience": 50, "dropout": 0.2})
    assert config.digest() == same.digest()


def test_a_setting_given_both_ways_is_refused() -> None:
    with pytest.raises(InputError, match="epochs of settings already has a value"):
        run.check_parameters({"epochs": 3, "settings": "epochs=4"})
    with pytest.raises(InputError, match="parameter dropout is '2' but must be"):
        run.check_parameters({"settings": "dropout=2"})
    with pytest.raises(InputError, match="settings"):
        run.check_parameters({"settings": 3})
    assert run.check_parameters({"settings": [{"epochs": 4}], "In": [""]}) == {}  # a variable of the notebook
    assert run.check_parameters({"settings": "epochs=4", "In": [""]}) == {"epochs": 4}


ODD = [
    *([], {}, [[1]], [{}], {"a": 1}, {1: 2}, [None], [True], ["a"], [b"a"], [1, [2]], [1.5], [math.nan]),
    *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), 1.5, -1, 0, True, False, math.nan, math.inf),
    *(10**400, -(10**400), 1j, range(3), set(), {1, 2}, frozenset(), ("none", {}), ["none", ["none"]]),
    *("", " ", "1e999", "a\0b", "\udc80", "a" * 5000, b"x", object(), print, type, int),
]


@pytest.mark.parametrize("name", [*config.CHECKS, *RUN_CHECKS, *SELECTION.checks])
def test_odd_values_are_taken_or_refused_in_a_sentence(name: str) -> None:
    """As a parameter, among the settings and in a selection: YAML and notebooks can give any of them."""
    for value in ODD:
        for given in ({name: value}, {"settings": {name: value}}, {"selection": {name: value}}):
            with contextlib.suppress(InputError):
                run.check_parameters(given)


def test_a_path_that_cannot_be_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    wrong = {"a" * 256: "at most 255 bytes", "~nobody-here/x": "home|user", f"{tmp_path}/a/x": "loop|levels"}
    for value, why in wrong.items():
        with pytest.raises(InputError, match=f"parameter out is .*(?i:{why})"):
            run.check_parameters({"out": value})
    assert run.check_parameters({"out": str(tmp_path / "new")}) == {"out": str(tmp_path / "new")}
