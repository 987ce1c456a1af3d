"""Progress while a fold trains, and the callbacks of a run."""

import multiprocessing
import time
from pathlib import Path

import pytest
import torch
from toy import make_bank, small_config

from dianet_utils import loso
from dianet_utils.plumbing import progress
from dianet_utils.plumbing.errors import InputError


def test_callbacks_hear_of_every_epoch_and_fold_and_change_no_number(tmp_path: Path) -> None:
    bank, config = make_bank(), small_config()
    heard, records = [], []

    def on_epoch(fold: loso.Fold, epoch: int, losses: dict[str, float]) -> None:
        torch.rand(7)  # must not be felt by the training
        heard.append((fold.subject, epoch, losses["train_loss"]))

    quiet = {"workers": 1, "device": "cpu", "shown_progress": False}
    told = loso.run(bank, config, tmp_path / "a", **quiet, on_epoch=on_epoch, on_fold=records.append)
    wanted = [
        (fold["subject"], epoch, loss)
        for fold in records
        for epoch, loss in enumerate(fold["history"]["train_loss"], 1)
    ]
    assert heard == wanted
    assert {fold["subject"] for fold in records} == set(bank.clips["subject"])
    loso.run(bank, config, tmp_path / "b", **quiet)
    files = [tmp_path / name / "predictions.csv" for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(told.folds) == len(records)


def test_folds_that_are_removed_during_a_run_are_told(tmp_path: Path) -> None:
    """What is left would pass for a run of fewer people."""
    bank, config, removed = make_bank(), small_config(), []

    def remove(record: dict) -> None:
        if not removed:
            removed.append(record["subject"])
            (tmp_path / "folds" / f"seed0_{record['subject']}.json").unlink()

    quiet = {"workers": 1, "device": "cpu", "shown_progress": False}
    with pytest.raises(InputError, match=r"1 of . folds were removed from .* run the same again"):
        loso.run(bank, config, tmp_path, **quiet, on_fold=remove)
    again = loso.run(bank, config, tmp_path, **quiet)
    assert {fold["subject"] for fold in again.folds} == set(bank.clips["subject"])


@pytest.mark.processes
def test_several_workers_tell_the_same_epochs_in_the_order_of_each_fold(tmp_path: Path) -> None:
    bank, config, heard, records = make_bank(), small_config(), [], []
    loso.run(
        bank,
        config,
        tmp_path,
        workers=2,
        device="cpu",
        shown_progress=False,
        on_epoch=lambda fold, epoch, losses: heard.append((fold.subject, epoch, losses)),
        on_fold=records.append,
    )
    for fold in records:
        told = [
            (epoch, losses["train_loss"]) for subject, epoch, losses in heard if subject == fold["subject"]
        ]
        assert told == list(enumerate(fold["history"]["train_loss"], 1))
    assert len(heard) == sum(len(fold["history"]["train_loss"]) for fold in records)


@pytest.mark.processes
def test_a_finished_fold_is_kept_before_its_epochs_are_told(tmp_path: Path) -> None:
    """A slow callback must not hold back what was done: a kill would lose it."""
    kept: list[int] = []

    def slow(fold: loso.Fold, epoch: int, losses: dict[str, float]) -> None:
        time.sleep(0.4)
        kept.append(len(list(tmp_path.glob("folds/*.json"))))

    loso.run(
        make_bank(), small_config(epochs=20), tmp_path, max_folds=2, workers=2, device="cpu", on_epoch=slow
    )
    assert len(kept) == 40
    assert (
        kept.index(2) < 30
    )  # seconds before the last of the calls, which one fold after the other would need


@pytest.mark.processes
def test_a_callback_that_fails_ends_a_run_with_several_workers(tmp_path: Path) -> None:
    def stop(fold: loso.Fold, epoch: int, losses: dict[str, float]) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        loso.run(make_bank(), small_config(epochs=3000), tmp_path, workers=2, device="cpu", on_epoch=stop)
    assert not multiprocessing.active_children()


def test_on_epoch_hears_nothing_of_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave out the scheduler"):
        loso.run(make_bank(), small_config(), tmp_path, scheduler="tcp://127.0.0.1:1", on_epoch=print)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the clock of progress, to be set."""
    told = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: told[0])
    return told


def test_a_long_fold_tells_its_epoch_and_the_time_left(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    line = progress.Progress(4, "folds", "LOSO", every=0.0)
    for second in range(10, 110, 10):
        now[0] = float(second)
        line.within("s1", second / 200, f"epoch {second // 10}")
    shown = capsys.readouterr().out.splitlines()
    # 30 of 200 s of the first of four folds: 770 s are left
    assert shown[0] == "LOSO: 0/4 folds, about 12 min 50 s left, s1: epoch 3"
    assert [text.split("epoch ")[1] for text in shown] == ["3", "6", "9"]


def test_the_time_left_counts_the_folds_that_run_side_by_side(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    line = progress.Progress(4, "folds", "LOSO", every=0.0)
    now[0] = 40.0  # the workers are ready
    line.within("s1", 0.1, "epoch 1")
    now[0] = 80.0
    line.within("s2", 0.4, "epoch 4")
    now[0] = 81.0
    line.within("s1", 0.5, "epoch 5")  # too soon after the last line to be told
    now[0] = 130.0
    line.within("s2", 1.0, "epoch 10")
    now[0] = 140.0
    line.advance("3 of 4 clips right", "s1")
    assert capsys.readouterr().out.splitlines() == [
        "LOSO: 0/4 folds, s1: epoch 1",  # from one look at one fold no rate is known
        "LOSO: 0/4 folds, about 5 min 50 s left, s2: epoch 4",  # 0.4 folds in 40 s, 3.5 to go
        "LOSO: 0/4 folds, about 2 min 41 s left, s2: epoch 10",  # 1.4 folds in 90 s, 2.5 to go
        "LOSO: 1/4 folds, about 1 min 45 s left, 3 of 4 clips right",  # 1.9 folds in 100 s, 2 to go
    ]
