"""The leaky policy: it does what it says, says what it is, and never passes for an honest run."""

import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from toy import make_bank, small_config

from dianet_utils import datasets, evaluation, loso, run, tables
from dianet_utils.config import LEAKY, LEAKY_MARK
from dianet_utils.dynamic_images import Bank
from dianet_utils.evaluation import comparison
from dianet_utils.plots import results as plots
from dianet_utils.plots import tables as table_plots
from dianet_utils.plumbing.errors import InputError, LeakyWarning

mpl.use("Agg")


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank(subjects=3)


@pytest.fixture(scope="module")
def runs(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> dict[str, loso.Results]:
    """The same bank and seed under two policies that train on the same clips."""
    found = {}
    for validation in ("none", LEAKY):
        config = small_config(validation=validation, epochs=4)
        out = tmp_path_factory.mktemp("runs") / loso.run_name(bank, config)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakyWarning)
            found[validation] = loso.run(bank, config, out, workers=1, device="cpu", shown_progress=False)
    return found


def texts(figure: mpl.figure.Figure) -> str:
    figure.canvas.draw()
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_the_test_subject_validates_and_everybody_else_trains() -> None:
    clips = make_bank(subjects=5, size=16).clips
    for fold in loso.make_folds(clips, LEAKY, seed=0):
        np.testing.assert_array_equal(fold.validation, fold.test)
        assert len(fold.train) + len(fold.test) == len(clips)
        assert fold.subject not in set(clips["subject"].iloc[fold.train])


def test_the_first_epoch_with_the_best_test_accuracy_is_kept(runs: dict[str, loso.Results]) -> None:
    table = runs[LEAKY].predictions
    for fold in runs[LEAKY].folds:
        curve = fold["history"]["test_accuracy"]
        assert len(curve) == 4  # every epoch is run
        assert fold["history"]["best_epoch"] == int(np.argmax(curve)) + 1
        part = table[table["subject"] == fold["subject"]]
        assert (part["true"] == part["predicted"]).mean() == pytest.approx(max(curve))
        assert fold["validation_subjects"] == [fold["subject"]]


def test_choosing_is_all_that_differs(runs: dict[str, loso.Results]) -> None:
    """The training is that of the policy ``none``; so the kept epoch is at least as good as the last one."""
    for honest, leaky in zip(*(runs[name].folds for name in ("none", LEAKY)), strict=True):
        assert leaky["history"]["train_loss"] == honest["history"]["train_loss"]
        hits = np.mean([a == b for a, b in zip(honest["true"], honest["predicted"], strict=True)])
        assert leaky["history"]["test_accuracy"][-1] == pytest.approx(hits)
        assert max(leaky["history"]["test_accuracy"]) >= hits


def test_a_leaky_run_is_named_so_everywhere(runs: dict[str, loso.Results]) -> None:
    honest, leaky = runs["none"], runs[LEAKY]
    assert leaky.folder.name.startswith("LEAKY-test_subject-")
    assert "LEAKY" not in honest.folder.name
    assert leaky.metrics["validation"] == LEAKY
    assert "too high" in leaky.metrics["leaky"]
    assert not {"validation", "leaky"} & set(honest.metrics)
    read = {name: pd.read_csv(found.folder / "predictions.csv") for name, found in runs.items()}
    assert evaluation.is_leaky(read[LEAKY])
    assert not evaluation.is_leaky(read["none"])
    assert list(read[LEAKY].columns) == [*read["none"].columns, "validation"]


def test_a_leaky_run_warns_once_and_needs_its_name(bank: Bank, tmp_path: Path) -> None:
    config = small_config(validation=LEAKY, epochs=1)
    out = run.run_folder(bank, config, str(tmp_path / "mine"))
    with pytest.warns(LeakyWarning, match="compare them with no honest result") as caught:
        loso.run(bank, config, out, max_folds=2, workers=1, device="cpu", shown_progress=False)
    assert len([each for each in caught if each.category is LeakyWarning]) == 1
    assert out.name == LEAKY_MARK
    with pytest.raises(InputError, match="must hold 'LEAKY-test_subject'"):
        loso.run(bank, config, tmp_path / "mine", device="cpu")


def test_a_leaky_run_is_not_compared_with_an_honest_one_in_silence(runs: dict[str, loso.Results]) -> None:
    named = {name: found.predictions for name, found in runs.items()}
    with pytest.raises(InputError, match="the test subject chose the epoch there, but not in none"):
        comparison.compare(named)
    with pytest.raises(InputError, match="LEAKY"):
        evaluation.composite(named)
    asked = comparison.compare(named, leaky_with_honest=True)
    assert asked.attrs["leaky"]
    assert "LEAKY" in texts(table_plots.draw_pairs(asked, {name: name for name in named}, "clips"))
    assert not comparison.compare({"none": named["none"]}).attrs["leaky"]


def test_figures_of_a_leaky_run_say_so(runs: dict[str, loso.Results], bank: Bank) -> None:
    for name, found in runs.items():
        folds = loso.make_folds(bank.clips, name, seed=0)
        figures = [
            plots.draw_protocol(folds, bank.clips),
            plots.draw_training(found.folds, found.metrics["chance"]),
            plots.draw_against_paper(found.metrics, "synthetic clips"),
        ]
        assert [("LEAKY" in texts(figure)) for figure in figures] == [name == LEAKY] * 3
    assert "LEAKY" in run.title(bank.clips, small_config(validation=LEAKY))
    assert run.title(bank.clips, small_config()) == datasets.title(bank.clips)


@pytest.fixture(scope="module")
def outcomes(tiny_synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tables.Outcome]:
    """The row ``onset`` of Table 4 under an honest and the leaky policy."""
    kept, _ = datasets.select(datasets.load("synthetic", tiny_synthetic))
    found = {}
    for validation in ("none", LEAKY):
        given = {**vars(small_config(validation=validation, epochs=1)), "inputs": None}
        entries = tables.prepare(tables.choose(4, "synthetic", "onset"), kept, given, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakyWarning)
            place = tmp_path_factory.mktemp("table")
            (found[validation],) = tables.run_rows(entries, place, max_folds=2, workers=1, device="cpu")
    return found


def test_a_table_of_leaky_rows_is_marked_and_one_of_both_kinds_refused(
    outcomes: dict[str, tables.Outcome], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="LEAKY-test_subject"):
        tables.summarise(4, list(outcomes.values()))
    leaky, honest = (tables.summarise(4, [outcomes[name]]) for name in (LEAKY, "none"))
    assert "LEAKY" in tables.readable(leaky).columns[0]
    assert "LEAKY" in texts(table_plots.draw_table(leaky))
    assert not leaky.rows.loc["onset", "comparable"]
    written = [path.name for path in tables.write(leaky, tmp_path).values()]
    assert all(name.startswith("LEAKY-test_subject-32px-table4") for name in written)
    assert "LEAKY" in (tmp_path / "LEAKY-test_subject-32px-table4.md").read_text(encoding="utf-8")
    assert "LEAKY" not in tables.readable(honest).columns[0]
    assert tables.write(honest, tmp_path)["csv"].name == "32px-table4.csv"
