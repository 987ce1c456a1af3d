"""What the paper leaves open: every question has its rows, each differs in one thing, none is made up."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import timm
from safetensors.torch import save_file

from dianet_utils import config, datasets, paper, tables
from dianet_utils import dynamic_images as di
from dianet_utils.datasets.frames import clip_frames, read_frame
from dianet_utils.evaluation import comparison
from dianet_utils.plots import readings as plots
from dianet_utils.plumbing.errors import InputError

SMALL = {"dataset": "synthetic", "image_size": 32, "epochs": 1, "batch_size": 16, "hidden": 16}
BASE = config.configure(**SMALL)
# What the paper does not settle, by the setting that does; "apex" is a choice of frames.
OPEN = {
    *("streams", "backbone", "pretrained", "fusion", "consistency_weight", "dropout", "hidden", "patience"),
    *("validation", "scaling", "weighting", "temporal", "apex"),
}


@pytest.fixture(scope="module")
def kept(tiny_synthetic: Path) -> pd.DataFrame:
    return datasets.select(datasets.load("synthetic", tiny_synthetic))[0]


def prepared(kept: pd.DataFrame, rows: str, weights: str | None = None) -> tuple[list[tables.Entry], dict]:
    return tables.prepare_readings(tables.choose_readings(BASE, rows, weights), kept, SMALL, 1)


@pytest.fixture(scope="module")
def outcomes(kept: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> list[tables.Outcome]:
    entries, _ = prepared(kept, "lambda=10,simple=concat")
    place = tmp_path_factory.mktemp("runs")
    return tables.run_rows(entries, place, max_folds=2, workers=1, device="cpu")


def test_every_open_question_has_its_readings() -> None:
    assert {question.setting for question in tables.QUESTIONS} == OPEN
    fusions = {value for q in tables.QUESTIONS if q.setting == "fusion" for value in q.readings}
    assert fusions == set(config.FUSIONS)
    assert all(len(question.readings) > 1 and question.says for question in tables.QUESTIONS)
    lambdas = next(q.readings for q in tables.QUESTIONS if q.key == "lambda")
    assert min(lambdas) == 0


@pytest.mark.parametrize("dataset", ["synthetic", *paper.DATASETS])
def test_a_row_differs_from_the_default_in_one_thing(dataset: str) -> None:
    base = config.configure(dataset)
    questions = ",".join(question.key for question in tables.QUESTIONS)
    for rows in (None, questions):
        default, *others = tables.choose_readings(base, rows).rows
        assert default.settings == {}
        changed = [config.configure(dataset, **row.settings) for row in others if row.settings]
        assert len(set(changed)) == len(changed)
        for one in changed:
            assert sum(vars(one)[name] != value for name, value in vars(base).items()) == 1
        assert [row.key for row in others if not row.settings] == ["apex=onset", "apex=offset"]


def test_what_is_not_run_says_why() -> None:
    choice = tables.choose_readings(BASE)
    assert "set weights" in choice.left["pretrained=imagenet"]
    assert "minutes per fold" in choice.left["backbone=tf_efficientnetv2_b0"]
    assert not choice.left.keys() & {row.key for row in choice.rows}
    named = tables.choose_readings(BASE, "backbone=tf_efficientnetv2_b0, streams")
    assert [row.key for row in named.rows] == [
        "default",
        "streams=dedicated",
        "backbone=tf_efficientnetv2_b0",
    ]
    assert named.left == {}


def test_wrong_names_are_one_error() -> None:
    with pytest.raises(InputError, match=r"no 'stream' \(did you mean 'streams'\?\), 'lambda=3'"):
        tables.choose_readings(BASE, "stream,lambda=3,apex")
    with pytest.raises(InputError, match="names none"):
        tables.choose_readings(BASE, " , ")


def test_weights_that_cannot_be_had_leave_the_row_empty(kept: pd.DataFrame, tmp_path: Path) -> None:
    entries, left = prepared(kept, "pretrained", str(tmp_path / "none.safetensors"))
    assert [entry.row.key for entry in entries] == ["default"]
    assert "none.safetensors" in left["pretrained=imagenet"]
    entries, left = prepared(kept, "pretrained", "package")
    assert [entry.row.key for entry in entries] == ["default"]
    assert f"weights for the backbone '{BASE.backbone}'" in left["pretrained=imagenet"]
    network = timm.create_model(BASE.backbone, num_classes=0)
    save_file(network.state_dict(), tmp_path / "some.safetensors")
    entries, left = prepared(kept, "pretrained", str(tmp_path / "some.safetensors"))
    assert [entry.config.pretrained for entry in entries] == ["none", str(tmp_path / "some.safetensors")]
    assert left == {}


@pytest.mark.parametrize(("reading", "changed"), [("onset", "offset"), ("offset", "onset")])
def test_the_apex_frame_leaves_one_phase_alone(kept: pd.DataFrame, reading: str, changed: str) -> None:
    (default, other), _ = prepared(kept, f"apex={reading}")
    phases = list(default.bank.phases)
    same, place = phases.index(reading), phases.index(changed)
    np.testing.assert_array_equal(other.bank.images[:, same], default.bank.images[:, same])
    assert other.bank.fingerprint != default.bank.fingerprint
    clip = kept.iloc[3]
    ends = (clip["apex"] + 1, clip["offset"]) if changed == "offset" else (clip["onset"], clip["apex"] - 1)
    frames = np.stack([read_frame(path) for path in clip_frames(clip, *map(int, ends))])
    weights = di.offset_weights(len(frames)) if changed == "offset" else di.arp_weights(len(frames))
    small = cv2.resize(
        di.dynamic_image(frames, weights).astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA
    )
    np.testing.assert_allclose(
        other.bank.images[3, place], di.scale_signed(small).transpose(2, 0, 1), atol=1e-5
    )


def test_the_table_holds_the_default_in_every_question_and_invents_nothing(
    outcomes: list[tables.Outcome],
) -> None:
    table = tables.readings_table(outcomes, {"lambda=1": "for a test", "pretrained=imagenet": "no hub"})
    assert table["question"].unique().tolist() == ["pretrained", "simple", "lambda"]
    shown = table[table["default"]]
    assert shown.index.tolist() == ["pretrained=none", "simple=cross_channel", "lambda=0.1"]
    assert (shown["accuracy"] == 100 * outcomes[0].metrics["accuracy"]).all()
    assert shown["gain"].isna().all()
    empty = table.loc[["lambda=1", "pretrained=imagenet"]]
    assert empty["accuracy"].isna().all()
    assert empty["left"].tolist() == ["for a test", "no hub"]
    assert "lambda=0" not in table.index  # neither run nor left out: not asked for
    texts = tables.readable_readings(table, "lambda")
    assert texts.loc["lambda 1"].tolist() == ["-"] * 7 + ["for a test"]
    assert texts.index.name == "interpretation"
    assert plots.draw_readings(table, "synthetic clips").axes[0].texts


def test_gains_and_tests_are_those_of_the_predictions(outcomes: list[tables.Outcome]) -> None:
    default, *others = (outcome.predictions for outcome in outcomes)
    tests = tables.against_default(outcomes)
    for key, other in zip(("simple=concat", "lambda=10"), others, strict=True):
        both = other.merge(default, on=["clip", "seed"])
        hits = [(both[f"predicted_{side}"] == both[f"true_{side}"]).mean() for side in "xy"]
        assert tests.loc[key, "gain"] == pytest.approx(100 * (hits[0] - hits[1]))
    np.testing.assert_array_equal(tests["holm"], comparison.holm(tests["p"]))
    assert tables.against_default(outcomes[:1]).empty


def test_the_cosine_is_that_of_the_folds_and_absent_where_one_lacks_it(
    outcomes: list[tables.Outcome],
) -> None:
    outcome = outcomes[1]
    folds = sorted((outcome.folder / "folds").glob("*.json"))
    found = [value for path in folds for value in json.loads(path.read_text())["cosine"]]
    assert len(found) == len(outcome.predictions)
    assert outcome.cosine == pytest.approx(np.mean(found))
    assert -1 <= min(found) <= max(found) <= 1.000001
    older = json.loads(folds[0].read_text())
    del older["cosine"], older["digest"]  # as earlier releases wrote them
    folds[0].write_text(json.dumps(older))
    (again,) = tables.run_rows([outcome.entry], outcome.folder.parent, max_folds=2, workers=1, device="cpu")
    assert again.cosine is None


def test_streams_that_see_one_image_have_a_cosine_of_one(kept: pd.DataFrame, tmp_path: Path) -> None:
    (entry,) = tables.prepare(tables.choose(4, "synthetic", "onset+onset"), kept, SMALL, 1)
    (outcome,) = tables.run_rows([entry], tmp_path, max_folds=1, workers=1, device="cpu")
    assert outcome.cosine == pytest.approx(1, abs=1e-5)
    (single,) = tables.prepare(tables.choose(4, "synthetic", "onset"), kept, SMALL, 1)
    (outcome,) = tables.run_rows([single], tmp_path, max_folds=1, workers=1, device="cpu")
    assert outcome.cosine is None


def test_written_readings_say_what_they_are(outcomes: list[tables.Outcome], tmp_path: Path) -> None:
    table = tables.readings_table(outcomes, {"lambda=1": "for a test"})
    paths = tables.write_readings(table, "synthetic clips", True, tmp_path)
    assert sorted(path.name for path in paths.values()) == ["readings.csv", "readings.md", "readings.tex"]
    assert pd.read_csv(paths["csv"], index_col="row").index.tolist() == table.index.tolist()
    for kind in ("md", "tex"):
        text = paths[kind].read_text()
        assert "synthetic clips: nothing here is about people" in text
        assert "for a test" in text
