"""Other splits than leave-one-subject-out: nobody on both sides, every clip tested once, and it is said."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
    cross_val_predict,
    cross_val_score,
)
from toy import make_bank, small_config

from dianet_utils import evaluation, loso, run
from dianet_utils.config import configure
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import training, transfer
from dianet_utils.loso.folds import Fold
from dianet_utils.loso.training import train_fold
from dianet_utils.models.model_card import model_card
from dianet_utils.plots import results as plots
from dianet_utils.plumbing.errors import InputError

SITES = {"s01": "north", "s02": "north", "s03": "south", "s04": "south", "s05": "sea/side"}


def with_column(bank: Bank, name: str, values: object) -> Bank:
    clips = bank.clips.assign(**{name: values})
    clips.attrs = dict(bank.clips.attrs)
    return replace(bank, clips=clips)


@pytest.fixture(scope="module")
def bank() -> Bank:
    """Five subjects, of whom one is called like a fold."""
    plain = make_bank()
    subjects = plain.clips["subject"].replace("s05", "fold-1")
    plain = with_column(plain, "subject", subjects)
    return with_column(plain, "site", subjects.replace("fold-1", "s05").map(SITES))


def go(bank: Bank, out: Path, split: str, **given: object) -> loso.Results:
    config = small_config(split=split)
    return loso.run(bank, config, out, workers=1, device="cpu", shown_progress=False, **given)


@pytest.fixture(scope="module")
def finished(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> loso.Results:
    return go(bank, tmp_path_factory.mktemp("kfold"), "kfold:3")


@pytest.mark.parametrize("validation", ["held_out", "none"])
@pytest.mark.parametrize("split", ["kfold:2", "kfold:4", "column:site"])
def test_nobody_is_on_two_sides_and_every_clip_is_tested_once(
    bank: Bank, split: str, validation: str
) -> None:
    clips, names = bank.clips, bank.clips["subject"].to_numpy()
    folds = loso.make_folds(clips, validation, seed=3, split=split)
    for fold in folds:
        sides = [set(names[rows]) for rows in (fold.train, fold.validation, fold.test)]
        assert sum(map(len, sides)) == len(set.union(*sides)) == 5
        assert bool(sides[1]) == (validation == "held_out")
        assert len(fold.train) + len(fold.validation) + len(fold.test) == len(clips)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(len(clips)))


def test_groups_are_balanced_and_do_not_depend_on_the_order_of_the_clips() -> None:
    clips = make_bank(subjects=12, size=8).clips
    names = loso.fold_names(clips, "kfold:4")
    assert names.value_counts().tolist() == [18] * 4
    shuffled = clips.sample(frac=1, random_state=2)
    pd.testing.assert_series_equal(loso.fold_names(shuffled, "kfold:4"), names[shuffled.index])
    assert sorted(loso.fold_names(clips, "kfold:10").unique())[:2] == ["fold-01", "fold-02"]


def test_a_run_tests_every_clip_once_and_says_its_split(finished: loso.Results, bank: Bank) -> None:
    table = pd.read_csv(finished.folder / "predictions.csv", dtype={"subject": str})
    assert sorted(table["clip"]) == sorted(bank.clips.index)
    assert table["subject"].tolist() == bank.clips["subject"].loc[table["clip"]].tolist()
    assert table["fold"].tolist() == loso.fold_names(bank.clips, "kfold:3").loc[table["clip"]].tolist()
    saved = json.loads((finished.folder / "metrics.json").read_text())
    assert (saved["split"], saved["folds"], saved["subjects"], saved["n"]) == ("kfold:3", 3, 5, 30)
    classes = list(bank.classes)
    _, confusions = evaluation.confusion_by_subject(table, classes)
    assert len(confusions) == 5  # the interval's bootstrap is over subjects, not over folds
    low, high = evaluation.intervals(confusions)["accuracy"]
    assert saved["intervals"]["accuracy"] == pytest.approx([low, high], abs=1e-6)
    assert sorted(path.name for path in (finished.folder / "folds").iterdir()) == [
        f"seed0_fold-{number}.json" for number in (1, 2, 3)
    ]


def test_resume_runs_only_what_is_missing_and_gives_the_same_bytes(
    finished: loso.Results, bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, trained = tmp_path / "run", []
    shutil.copytree(finished.folder, out)
    (out / "folds" / "seed0_fold-2.json").unlink()
    (out / "predictions.csv").unlink()

    def counted(bank: Bank, fold: Fold, *rest: object) -> dict:
        trained.append(fold.subject)
        return train_fold(bank, fold, *rest)

    monkeypatch.setattr(training, "train_fold", counted)
    go(bank, out, "kfold:3")
    assert trained == ["fold-2"]
    for name in ("predictions.csv", "metrics.json", "config.json"):
        assert (out / name).read_bytes() == (finished.folder / name).read_bytes()


def test_a_part_of_a_run_is_its_folds(finished: loso.Results, bank: Bank, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished.folder, out)
    part = go(bank, out, "kfold:3", max_folds=1)
    assert set(part.predictions["fold"]) == {"fold-1"}
    assert (part.metrics["split"], part.metrics["folds"]) == ("kfold:3", 1)
    assert loso.gather(out, bank).metrics == finished.metrics


def test_folds_of_another_split_are_refused(finished: loso.Results, bank: Bank, tmp_path: Path) -> None:
    """A subject is called fold-1 here, so the name alone would not tell."""
    out = tmp_path / "run"
    shutil.copytree(finished.folder / "folds", out / "folds")
    with pytest.raises(InputError, match="is a fold of the split kfold:3, not of loso"):
        loso.gather(out, bank)
    with pytest.raises(InputError, match="other settings or other data"):
        go(bank, finished.folder, "loso")


def test_a_column_names_the_folds(bank: Bank, tmp_path: Path) -> None:
    done = go(bank, tmp_path / "run", "column:site")
    assert (done.metrics["split"], done.metrics["folds"], done.metrics["subjects"]) == ("column:site", 3, 5)
    assert [fold["subject"] for fold in done.folds] == ["north", "sea/side", "south"]
    assert (tmp_path / "run" / "folds" / "seed0_sea%2Fside.json").is_file()
    first = done.predictions[done.predictions["fold"] == "north"]
    assert set(first["subject"]) == {"s01", "s02"}


def test_the_name_of_a_run_tells_its_split_and_its_folds(bank: Bank) -> None:
    five, sites = small_config(split="kfold:5"), small_config(split="column:site")
    assert "-kfold-5-" in loso.run_name(bank, five)
    assert "-column-site-" in loso.run_name(bank, sites)
    assert "-column-a%2Fb%20c-" in loso.run_name(
        with_column(bank, "a/b c", bank.clips["site"]), small_config(split="column:a/b c")
    )
    moved = bank.clips["site"].where(bank.clips["subject"] != "s03", "north")
    assert loso.run_name(with_column(bank, "site", moved), sites) != loso.run_name(bank, sites)
    assert run.title(bank.clips, five) == f"{run.title(bank.clips, small_config())}, split kfold:5"


def test_old_names_of_runs_stay() -> None:
    """As they were before there was a split to choose."""
    assert "split" not in configure().as_json()
    runs = configure(validation="none", mirrored=False), configure("casme2", validation="none")
    assert [run.digest() for run in runs] == ["0d50ace8", "7a6f3cab"]
    bank, config = make_bank(size=8), small_config()
    stem = "dianet-test_efficientnet-cross_channel-onset+offset"
    assert loso.run_name(bank, config) == f"{stem}-{config.digest(bank.fingerprint)}"


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("kfold:6", "needs 6 subjects, and these clips have 5: set split to kfold:5 at most"),
        ("column:sites", r"needs a column 'sites' \(did you mean 'site'\?\)"),
        ("column:half", "has fold-1, s01, s02, s03, s04 in more than one fold"),
        ("column:one", "makes one fold, and two are needed"),
        ("column:gaps", "leaves s01/disgust0, .* and 16 more in no fold"),
        ("column:four", "outside rest is one subject, and two are needed"),
    ],
)
def test_what_cannot_divide_the_clips_is_one_sentence(bank: Bank, split: str, expected: str) -> None:
    clips = bank.clips.assign(
        half=["a", "b"] * 15,
        one=1,
        gaps=np.where(bank.clips["subject"] == "fold-1", "a", None),
        four=np.where(bank.clips["subject"] == "fold-1", "alone", "rest"),
    )
    with pytest.raises(InputError, match=expected) as caught:
        loso.make_folds(clips, "held_out", seed=0, split=split)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("split", ["kfold", "kfold:1", "kfold:05", "column:", "column:a\nb", "lo", 5])
def test_what_is_no_split_is_refused_by_name(split: object) -> None:
    with pytest.raises(InputError, match=r"split is .* but must be loso, kfold:N with N from 2, or"):
        configure(split=split)


@pytest.mark.parametrize("split", ["loso", "kfold:3", "column:site"])
def test_scikit_learn_takes_every_split(bank: Bank, split: str) -> None:
    splitter = loso.splitter(bank.clips, split)
    folds = loso.make_folds(bank.clips, "none", seed=0, split=split)
    assert check_cv(splitter) is splitter
    assert splitter.get_n_splits() == len(folds)
    features = bank.images[:, 0].mean((1, 3))
    for fold, (train, test) in zip(folds, splitter.split(features, bank.clips["emotion"]), strict=True):
        np.testing.assert_array_equal(train, fold.train)
        np.testing.assert_array_equal(test, fold.test)
    scores = cross_val_score(LogisticRegression(), features, bank.clips["emotion"], cv=splitter)
    assert len(scores) == len(folds)
    assert scores.min() > 0.9
    assert len(cross_val_predict(LogisticRegression(), features, bank.clips["emotion"], cv=splitter)) == 30


def test_a_splitter_of_scikit_learn_becomes_a_column(bank: Bank) -> None:
    own = StratifiedGroupKFold(3, shuffle=True, random_state=1)
    mine = with_column(bank, "mine", loso.as_column(bank.clips, own))
    folds = loso.make_folds(mine.clips, "none", seed=0, split="column:mine")
    given = own.split(np.zeros((30, 1)), bank.clips["emotion"], bank.clips["subject"])
    assert [list(fold.test) for fold in folds] == [list(test) for _, test in given]
    assert "-column-mine-" in loso.run_name(mine, small_config(split="column:mine"))
    with pytest.raises(InputError, match=r"^GroupShuffleSplit\(.*\) does not test .* exactly once"):
        loso.as_column(bank.clips, GroupShuffleSplit(2, random_state=0))
    with (
        pytest.warns(UserWarning, match="groups parameter is ignored"),
        pytest.raises(InputError, match=r"^StratifiedKFold\(.*\) has s02, s04 in more than one fold"),
    ):
        loso.as_column(bank.clips, StratifiedKFold(3))


def test_figures_and_cards_say_the_split(finished: loso.Results, bank: Bank) -> None:
    folds = loso.make_folds(bank.clips, "held_out", seed=0, split="kfold:3")
    (axes,) = plots.draw_protocol(folds, bank.clips).axes
    assert axes.get_ylabel() == "fold (subjects left out)"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["fold-1", "fold-2", "fold-3"]
    licensed = {**finished.metrics, "synthetic": False, "dataset": "samm"}
    (axes,) = plots.draw_against_paper(licensed, "SAMM").axes
    assert axes.get_title("left") == "Below the line: another split. Do not compare."
    about = {"synthetic": False, "clips": 30, "subjects": 5, "trained_on": "SAMM", "data_fingerprint": ""}
    about |= {"loso": finished.metrics}
    card = model_card(small_config(), list(bank.classes), about)
    assert "The split kfold:3 with the same configuration" in card
    assert "5 of 5 subjects tested" in card
    assert "some chose the epoch" in card
    assert "nobody chose the epoch" in model_card(small_config(validation="none"), list(bank.classes), about)


def test_the_protocol_figure_names_the_roles_that_somebody_has(bank: Bank) -> None:
    for validation, others in (("none", ["trains", "tests"]), ("held_out", ["trains", "validates", "tests"])):
        (legend,) = plots.draw_protocol(loso.make_folds(bank.clips, validation, seed=0), bank.clips).legends
        assert [text.get_text() for text in legend.get_texts()] == others


def test_a_transfer_has_no_split(tmp_path: Path) -> None:
    empty = pd.DataFrame()
    both = transfer.Pair(empty, np.zeros(0), empty, ("a", "b"), ("A", "B"))
    with pytest.raises(InputError, match="leave split out, not kfold:2"):
        transfer.run(both, make_bank(size=8), small_config(split="kfold:2"), tmp_path)
