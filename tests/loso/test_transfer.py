"""Train here, test there: nobody on both sides, only common emotions, every clip that is left out named."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dianet_utils import datasets, evaluation, run
from dianet_utils.config import configure
from dianet_utils.loso import transfer
from dianet_utils.plumbing.errors import InputError

SETTINGS = {
    "image_size": 32,
    "epochs": 1,
    "batch_size": 8,
    "backbone": "test_efficientnet",
    "pretrained": "none",
}


def table(name: str, subjects: int, emotions: list[str]) -> pd.DataFrame:
    """Clips of people who are called alike in every dataset: s1, s2, ..."""
    rows = [(f"s{s}", emotion) for s in range(1, subjects + 1) for emotion in emotions]
    clips = pd.DataFrame(rows, columns=["subject", "emotion"])
    clips.index = pd.Index([f"{s}/{e}" for s, e in rows], name="clip")
    clips["frames"] = [f"{name}/{clip}" for clip in clips.index]
    return clips.assign(dataset=name, synthetic=False)


@pytest.fixture
def both() -> transfer.Pair:
    train = table("casme2", 8, ["disgust", "happiness", "repression", "surprise"])
    return transfer.pair(train, table("samm", 3, ["anger", "happiness", "surprise"]))


def test_only_common_emotions_are_kept_and_every_other_clip_is_named(both: transfer.Pair) -> None:
    assert sorted(both.clips["emotion"].unique()) == ["happiness", "surprise"]
    assert (len(both.clips), int(both.tests.sum())) == (8 * 2 + 3 * 2, 3 * 2)
    reasons = both.left_out["reason"].value_counts().to_dict()
    assert reasons == {
        "class disgust is not in SAMM": 8,
        "class repression is not in SAMM": 8,
        "class anger is not in CASME-II": 3,
    }
    assert not set(both.left_out.index) & set(both.clips.index)
    counts = transfer.class_counts(both)
    assert counts.loc["happiness"].tolist() == [8, 3, 0]
    assert counts.loc["anger"].tolist() == [0, 0, 3]


def test_people_of_the_same_name_stay_two(both: transfer.Pair) -> None:
    assert both.clips.index.is_unique
    train, test = (set(both.clips.loc[rows, "subject"]) for rows in (~both.tests, both.tests))
    assert not train & test
    assert "casme2-s1" in train
    assert "samm-s1" in test


@pytest.mark.parametrize("validation", ["held_out", "none"])
def test_the_test_dataset_chooses_nothing(both: transfer.Pair, validation: str) -> None:
    fold = transfer.fold(both, validation, seed=0)
    assert fold.test.tolist() == np.flatnonzero(both.tests).tolist()
    assert sorted([*fold.train, *fold.validation]) == np.flatnonzero(~both.tests).tolist()
    people = both.clips["subject"].to_numpy()
    assert not set(people[fold.train]) & set(people[fold.validation])
    assert len(set(people[fold.validation])) == (
        2 if validation == "held_out" else 0
    )  # 15 % of 8, rounded up


def test_fewer_than_two_common_emotions_is_one_sentence() -> None:
    with pytest.raises(
        InputError, match=r"two emotions that both .*CASME-II has fear, joy, SAMM has anger, joy"
    ) as told:
        transfer.pair(table("casme2", 3, ["joy", "fear"]), table("samm", 3, ["joy", "anger"]))
    assert "\n" not in str(told.value)


def test_the_same_people_are_refused() -> None:
    clips = table("casme2", 3, ["disgust", "happiness"])
    with pytest.raises(InputError, match="same people"):
        transfer.pair(clips, clips)
    one, two = (
        table("synthetic", 3, ["disgust", "happiness"]),
        table("synthetic", 3, ["disgust", "happiness"]),
    )
    two["frames"] = "elsewhere/" + two["frames"]
    for clips, seed in ((one, 4), (two, 4)):
        clips.attrs["settings"] = {"seed": seed}
    with pytest.raises(InputError, match="same people"):
        transfer.pair(one, two)
    two.attrs["settings"] = {"seed": 5}
    assert transfer.pair(one, two).name == "synthetic-to-synthetic-2"


def test_a_run_keeps_the_usual_files_and_resumes_by_seed(official: dict[str, Path], tmp_path: Path) -> None:
    """CASME-II's layout to SAMM's, and both were written by the generator."""
    train, test = (datasets.select(datasets.load(name, official[name]))[0] for name in ("casme2", "samm"))
    both = transfer.pair(train, test)
    config = configure("casme2", **SETTINGS)
    bank = run.make_bank(both.clips, config, 1, shown=False)
    first = transfer.run(both, bank, config, tmp_path, (0,), 1, "cpu")
    record = (tmp_path / "folds" / "seed0_samm.json").read_bytes()
    results = transfer.run(both, bank, config, tmp_path, (0, 1), 1, "cpu")
    assert (tmp_path / "folds" / "seed0_samm.json").read_bytes() == record
    told = pd.read_csv(tmp_path / "predictions.csv", dtype={"subject": str})
    assert sorted(told["seed"].unique()) == [0, 1]
    assert set(told["clip"]) == set(both.clips.index[both.tests])
    assert told["subject"].tolist() == both.clips.loc[told["clip"], "subject"].tolist()
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(results.metrics))
    assert metrics["dataset"] == "casme2-to-samm"
    assert metrics["synthetic"] is True
    assert (metrics["folds"], metrics["subjects"]) == (1, test["subject"].nunique())
    again = evaluation.metrics(first.predictions, metrics["classes"])  # an interval over the test subjects
    assert first.metrics["intervals"] == again["intervals"]
    assert transfer.within(both, bank).images.shape[0] == len(told) / 2
