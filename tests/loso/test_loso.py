"""Folds, training and run folders: who sees what, same numbers always, nothing run twice."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from toy import EMOTIONS, make_bank, small_config

from dianet_utils import loso
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import training
from dianet_utils.loso.batches import Batches
from dianet_utils.loso.folds import Fold
from dianet_utils.loso.training import train_fold
from dianet_utils.plumbing.errors import InputError


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank()


@pytest.fixture(scope="module")
def finished(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> loso.Results:
    """An undisturbed run in one process."""
    out = tmp_path_factory.mktemp("run")
    return loso.run(bank, small_config(), out, workers=1, device="cpu", shown_progress=False)


@pytest.mark.parametrize("validation", ["held_out", "none"])
@pytest.mark.parametrize("subjects", [3, 5, 12])
def test_no_subject_is_on_two_sides_of_a_fold(validation: str, subjects: int) -> None:
    clips = make_bank(subjects=subjects, size=16).clips
    folds = loso.make_folds(clips, validation, seed=3)
    names = clips["subject"].to_numpy()
    for fold in folds:
        sides = [set(names[rows]) for rows in (fold.train, fold.validation, fold.test)]
        assert sides[2] == {fold.subject}
        assert sum(map(len, sides)) == len(set.union(*sides)) == subjects
        assert len(fold.train) + len(fold.validation) + len(fold.test) == len(clips)
        assert bool(sides[1]) == (validation == "held_out")
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(len(clips)))


def test_folds_do_not_depend_on_the_order_of_the_clips() -> None:
    clips = make_bank(subjects=6, size=16).clips
    shuffled = clips.sample(frac=1, random_state=2)

    def described(table: pd.DataFrame) -> list[tuple[set[str], set[str]]]:
        folds = loso.make_folds(table, "held_out", seed=1)
        return [(set(table.index[fold.validation]), set(table.index[fold.test])) for fold in folds]

    assert described(clips) == described(shuffled)


def test_too_few_subjects() -> None:
    with pytest.raises(InputError, match="at least 3 subjects"):
        loso.make_folds(make_bank(subjects=2, size=16).clips, "held_out", seed=0)


def test_run_folder_holds_what_it_promises(finished: loso.Results, bank: Bank) -> None:
    table = pd.read_csv(finished.folder / "predictions.csv", dtype={"subject": str})
    assert list(table.columns[:5]) == ["clip", "subject", "seed", "true", "predicted"]
    assert list(table.columns[5:]) == [f"p_{name}" for name in EMOTIONS]
    assert sorted(table["clip"]) == sorted(bank.clips.index)
    truth = bank.clips["emotion"].loc[table["clip"]].tolist()
    assert table["true"].tolist() == truth
    probabilities = table.filter(like="p_").to_numpy()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert [EMOTIONS[i] for i in probabilities.argmax(1)] == table["predicted"].tolist()
    saved = json.loads((finished.folder / "metrics.json").read_text())
    assert saved["n"] == 30
    assert saved["folds"] == 5
    environment = json.loads((finished.folder / "environment.json").read_text())
    assert environment["data_fingerprint"] == bank.fingerprint


def test_resume_runs_only_what_is_missing_and_gives_the_same_bytes(
    finished: loso.Results,
    bank: Bank,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished.folder, out)
    (out / "folds" / "seed0_s02.json").unlink()
    damaged = out / "folds" / "seed0_s04.json"
    damaged.write_text(damaged.read_text()[:100])
    (out / "predictions.csv").unlink()
    trained = []

    def counted(bank: Bank, fold: Fold, *rest: object) -> dict:
        trained.append(fold.subject)
        return train_fold(bank, fold, *rest)

    monkeypatch.setattr(training, "train_fold", counted)
    again = loso.run(bank, small_config(), out, workers=1, device="cpu", shown_progress=False)
    assert trained == ["s02", "s04"]
    assert "seed0_s04.json is damaged (no JSON). The fold is run again." in capsys.readouterr().out
    for name in ("predictions.csv", "metrics.json"):
        assert (again.folder / name).read_bytes() == (finished.folder / name).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.processes
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    finished: loso.Results, bank: Bank, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    code = (
        "import sys, toy as t; from dianet_utils import loso;"
        "loso.run(t.make_bank(), t.small_config(), sys.argv[1], workers=1, device='cpu')"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(out)], cwd=Path(__file__).parents[1])
    try:
        while process.poll() is None and len(list(out.glob("folds/*.json"))) < 2:
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    done = {path.name: path.stat().st_mtime_ns for path in out.glob("folds/*.json")}
    assert 2 <= len(done) < 5
    again = loso.run(bank, small_config(), out, workers=1, device="cpu", shown_progress=False)
    assert (out / "predictions.csv").read_bytes() == (finished.folder / "predictions.csv").read_bytes()
    assert {name: (out / "folds" / name).stat().st_mtime_ns for name in done} == done
    assert again.metrics == finished.metrics


def test_a_fold_alone_equals_the_fold_in_the_run(finished: loso.Results, bank: Bank) -> None:
    fold = loso.make_folds(bank.clips, "held_out", seed=0)[3]
    alone = train_fold(bank, fold, small_config())
    assert alone in [
        {k: v for k, v in done.items() if k not in ("seconds", "digest")} for done in finished.folds
    ]


def test_more_seeds_join_the_same_folder(bank: Bank, finished: loso.Results, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished.folder, out)
    second = loso.run(
        bank, small_config(), out, seeds=(1,), max_folds=1, workers=1, device="cpu", shown_progress=False
    )
    assert (second.metrics["seeds"], second.metrics["n"], len(second.folds)) == ([1], 6, 1)
    pd.testing.assert_frame_equal(
        second.predictions, pd.read_csv(out / "predictions.csv").query("seed == 1").reset_index(drop=True)
    )
    both = loso.gather(out, bank)
    assert both.metrics["seeds"] == [0, 1]
    assert len(both.predictions) == 30 + 6


@pytest.mark.processes
def test_worker_processes_give_the_same_bytes(finished: loso.Results, bank: Bank, tmp_path: Path) -> None:
    parallel = loso.run(bank, small_config(), tmp_path / "run", workers=2, device="cpu", shown_progress=False)
    expected = (finished.folder / "predictions.csv").read_bytes()
    assert (parallel.folder / "predictions.csv").read_bytes() == expected


def test_a_folder_of_another_run_is_refused(bank: Bank, finished: loso.Results) -> None:
    with pytest.raises(InputError, match="other settings or other data"):
        loso.run(bank, small_config(epochs=3), finished.folder, workers=1, device="cpu")


def test_a_clear_signal_is_learnt_and_its_absence_is_not(tmp_path: Path) -> None:
    config = small_config(epochs=12, learning_rate=4e-3, batch_size=8, validation="none")
    easy = loso.run(make_bank(), config, tmp_path / "easy", workers=1, device="cpu", shown_progress=False)
    assert easy.metrics["accuracy"] > 0.85
    void = make_bank(signal=0.0, subjects=4)
    nothing = loso.run(void, config, tmp_path / "void", workers=1, device="cpu", shown_progress=False)
    assert nothing.metrics["intervals"]["accuracy"][0] <= 1 / 3


def test_early_stopping_restores_the_best_epoch() -> None:
    class Constant(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value = torch.nn.Parameter(torch.zeros(1))

    model, keeper = Constant(), training.BestEpoch(patience=2)
    stopped = None
    for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.5, 0.5]):
        model.value.data.fill_(epoch)
        if keeper.enough(model, epoch, loss):
            stopped = epoch
            break
    assert stopped == 3
    assert keeper.restore(model) == 1
    assert model.value.item() == 1.0


def test_the_validation_subjects_choose_and_the_test_subject_does_not(bank: Bank) -> None:
    """Changing the test clips' images and labels must not move a single training number."""
    fold = loso.make_folds(bank.clips, "held_out", seed=0)[0]
    images = bank.images.copy()
    images[fold.test] = np.random.default_rng(9).normal(0, 1, images[fold.test].shape)
    clips = bank.clips.copy()
    clips.iloc[fold.test, clips.columns.get_loc("emotion")] = "disgust"
    other = Bank(images=images, clips=clips, phases=bank.phases, scaling=bank.scaling)
    ours, theirs = (train_fold(data, fold, small_config())["history"] for data in (bank, other))
    assert ours == theirs


def test_a_loss_that_is_not_finite_names_the_fold(bank: Bank) -> None:
    fold = loso.make_folds(bank.clips, "held_out", seed=0)[1]
    images = bank.images.copy()
    images[fold.train[0]] = np.nan
    broken = Bank(images=images, clips=bank.clips, phases=bank.phases, scaling=bank.scaling)
    with pytest.raises(FloatingPointError, match=r"fold s02 \(seed 0\) is not finite in epoch 1"):
        train_fold(broken, fold, small_config())


def test_batches_cover_every_clip_once_and_none_is_tiny(bank: Bank) -> None:
    data = Batches.of(bank, "cpu")
    for count in (3, 7, 9, 17, 25, 30):
        batches = data.shuffled(np.arange(count), 8, torch.Generator().manual_seed(1))
        assert sorted(torch.cat(batches).tolist()) == list(range(count))
        assert min(len(batch) for batch in batches) >= min(count, 3)
