"""Progress while a fold trains, and the callbacks of a run."""

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


def test_on_epoch_needs_one_worker(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="workers=1"):
        loso.run(make_bank(), small_config(), tmp_path, workers=2, on_epoch=print)
    assert not list(tmp_path.iterdir())


def test_a_long_fold_tells_its_epoch_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    line = progress.Progress(4, "folds", "LOSO", every=0.0)
    for second in range(10, 110, 10):
        now[0] = float(second)
        line.within(second / 200, f"s1: epoch {second // 10}")
    shown = capsys.readouterr().out.splitlines()
    # 30 of 200 s of the first of four folds: 770 s are left
    assert shown[0] == "LOSO: 0/4 folds, about 12 min 50 s left, s1: epoch 3"
    assert [text.split("epoch ")[1] for text in shown] == ["3", "6", "9"]
