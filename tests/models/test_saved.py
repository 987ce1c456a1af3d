"""A model on disk gives the same answers, says what it is, and refuses what it is not."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from dianet_utils import datasets, loso, run
from dianet_utils.config import Config, configure
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso.training import train_model
from dianet_utils.models import saved
from dianet_utils.models.model_card import model_card
from dianet_utils.models.normalise import normalise
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError

TINY = {"image_size": 32, "epochs": 1, "batch_size": 8}


@pytest.fixture(scope="module")
def bank_and_config(tiny_synthetic: Path) -> tuple[Bank, Config]:
    kept, _ = datasets.select(datasets.load("synthetic", tiny_synthetic))
    config = configure("synthetic", **TINY)
    return run.make_bank(kept, config, workers=1, shown=False), config


@pytest.fixture(scope="module")
def folder(bank_and_config: tuple[Bank, Config], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run.keep_model(*bank_and_config, tmp_path_factory.mktemp("run"), device="cpu")


def test_everyone_trains_or_validates_and_nobody_tests(bank_and_config: tuple[Bank, Config]) -> None:
    clips = bank_and_config[0].clips
    fold = loso.everyone_fold(clips, "held_out", 0)
    assert sorted([*fold.train, *fold.validation]) == list(range(len(clips)))
    assert not len(fold.test)
    apart = [set(clips["subject"].iloc[rows]) for rows in (fold.train, fold.validation)]
    assert apart[0].isdisjoint(apart[1])
    assert len(apart[1]) == 1  # 15 % of five, at least one
    assert not len(loso.everyone_fold(clips, "none", 0).validation)


def test_a_saved_model_answers_as_the_trained_one(bank_and_config: tuple[Bank, Config], folder: Path) -> None:
    bank, config = bank_and_config
    fold = loso.everyone_fold(bank.clips, config.validation, 0)
    trained = train_model(bank, fold, config)[0].eval()
    kept = saved.load(folder)
    assert (kept.config, list(kept.classes)) == (config, bank.classes)
    images = normalise(torch.from_numpy(bank.images[:4]), config.scaling)
    with torch.inference_mode():
        told, expected = kept.model(images).logits.numpy(), trained(images).logits.numpy()
    np.testing.assert_allclose(told, expected, atol=1e-5)
    assert kept.about["subjects"] == 5
    assert kept.about["synthetic"] is True


def test_a_model_that_is_there_is_kept_and_its_card_learns_the_scores(
    bank_and_config: tuple[Bank, Config], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (folder / saved.CARD).read_text()
    assert "generated faces only" in card
    assert "its worth is unknown" in card
    for forbidden in ("hiring", "lie detection", "health", "not inner feelings"):
        assert forbidden in " ".join(card.lower().split())
    monkeypatch.setattr("dianet_utils.loso.training.train_model", None)  # training again would fail
    scores = {"accuracy": 0.5, "uf1": 0.4, "uar": 0.3, "chance": 0.2, "folds": 4}
    scores["intervals"] = {"accuracy": [0.25, 0.75]}
    weights = (folder / saved.WEIGHTS).read_bytes()
    files.write_json(folder.parent / "metrics.json", scores)
    run.keep_model(*bank_and_config, folder.parent)
    assert (folder / saved.WEIGHTS).read_bytes() == weights
    told = " ".join((folder / saved.CARD).read_text().split())
    assert "accuracy 0.500 (95 % interval over subjects 0.250 to 0.750)" in told
    assert "4 of 5 subjects tested" in told
    with pytest.raises(InputError, match="other settings or other data"):
        run.keep_model(bank_and_config[0], configure("synthetic", **{**TINY, "epochs": 2}), folder.parent)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        (saved.WEIGHTS, "is damaged, or not what .* It is trained and saved again now"),
        (saved.NOTE, "cannot be read .* It is trained and saved again now"),
        (saved.CARD, "not the card of this model: it is written again"),
    ],
)
def test_a_damaged_model_or_card_is_made_again(
    name: str,
    note: str,
    bank_and_config: tuple[Bank, Config],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(folder, tmp_path / "model")
    run.keep_model(*bank_and_config, tmp_path, "cpu")  # no scores lie here
    (tmp_path / "model" / name).write_bytes((folder / name).read_bytes()[:100])
    capsys.readouterr()
    place = run.keep_model(*bank_and_config, tmp_path, "cpu")
    assert re.search(note, capsys.readouterr().out)
    kept, good = saved.load(place), saved.load(folder)
    for key, value in good.model.state_dict().items():
        assert torch.equal(kept.model.state_dict()[key], value), key
    assert (place / saved.CARD).read_text() == model_card(kept.config, list(kept.classes), kept.about)
    run.keep_model(*bank_and_config, tmp_path, "cpu")
    assert capsys.readouterr().out == ""


def _edited(**values: object):
    def edit(folder: Path) -> None:
        note = json.loads((folder / saved.NOTE).read_text())
        (folder / saved.NOTE).write_text(json.dumps({**note, **values}))

    return edit


def _cut(name: str, length: int):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:length])


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda folder: (folder / saved.NOTE).unlink(), "holds no saved model"),
        (lambda folder: (folder / saved.WEIGHTS).unlink(), "Cannot read the weights .*No such file"),
        (_cut(saved.WEIGHTS, 5000), "is damaged, or not what"),
        (_cut(saved.NOTE, 100), "cannot be read"),
        (_edited(format="another"), "describes no model of this project"),
        (_edited(classes="happiness"), "lacks classes"),
        (_edited(about={"clips": 3}), "lacks trained_on, synthetic, subjects, data_fingerprint, loso"),
        (_edited(classes=["happiness", "surprise", "surprise"]), "names a class twice"),
        (_edited(classes=["happiness", "surprise"]), "does not fit its settings"),
        (
            _edited(config={"dataset": "synthetic", "wings": 2}),
            "settings that this version does not know.*wings",
        ),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(
    spoil: object, expected: str, folder: Path, tmp_path: Path
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    spoil(tmp_path)
    with pytest.raises(InputError, match=expected) as caught:
        saved.load(tmp_path)
    assert "\n" not in str(caught.value)
