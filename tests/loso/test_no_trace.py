"""A run inside the reader's process leaves torch's threads and every random state as they were."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import make_bank, small_config

from dianet_utils import loso, models, run
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso.training import train_fold
from dianet_utils.models import saved
from dianet_utils.plumbing import machine


@pytest.fixture
def bank() -> Bank:
    bank = make_bank(subjects=3)
    bank.clips["crop"] = "face"
    return bank


def state() -> tuple:
    """What drawing a number or training a network may change."""
    return (
        torch.get_num_threads(),
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002 (the global one is what must stay)
        random.getstate(),
    )


def test_training_and_keeping_leave_no_trace(bank: Bank, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    torch.manual_seed(7)
    config = small_config(epochs=1)
    try:
        before = state()
        fold = train_fold(bank, loso.make_folds(bank.clips, "held_out", 0)[0], config)
        assert state() == before
        loso.run(bank, config, tmp_path, workers=1, device="cpu", shown_progress=False)
        assert state() == before
        kept = run.keep_model(bank, config, tmp_path, "cpu")
        saved.load(kept)
        assert state() == before
        torch.set_num_threads(1)
        torch.manual_seed(8)
        assert train_fold(bank, loso.make_folds(bank.clips, "held_out", 0)[0], config) == fold
    finally:
        torch.set_num_threads(threads)


def test_a_fold_that_fails_leaves_no_trace(bank: Bank) -> None:
    fold = loso.make_folds(bank.clips, "held_out", 0)[0]
    bank.images[fold.train] = np.nan
    before = state()
    with pytest.raises(FloatingPointError):
        train_fold(bank, fold, small_config())
    assert state() == before


def test_the_seed_of_a_cpu_is_torchs_own_and_leaves_gpus_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a GPU was seeded")

    with machine.own_torch_state("cpu"):
        torch.manual_seed(5)
        expected = torch.rand(3)
        monkeypatch.setattr(torch.cuda, "manual_seed_all", refuse)
        machine.seed_torch(5, "cpu")
        torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


def test_the_states_of_gpus_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in: the machine that runs the tests need not have one."""
    states = [torch.zeros(4), torch.ones(4)]
    put = []
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states)
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", put.append)
    with machine.own_torch_state("cuda:1"):
        assert put == []
    assert put == [states]


def test_building_for_its_size_draws_nothing_from_the_readers_numbers() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with machine.own_torch_state("cpu"):
        models.build("learnet", 3)
    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)
