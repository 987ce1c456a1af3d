"""What ``dianet push`` would send: valid repositories, never a frame, and licences are named."""

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pandas as pd
import pytest
import torch
from huggingface_hub import DatasetCard, ModelCard
from own import write_example
from toy import make_bank, small_config

from dianet_utils import models
from dianet_utils.command.line import main
from dianet_utils.command.push import push
from dianet_utils.models import hub, saved
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import write_json

ABOUT = {"trained_on": "synthetic clips", "clips": 30, "subjects": 5, "data_fingerprint": "f", "loso": None}
ABOUT |= {"framing": None, "finder": "cascade"}


def made(place: Path, synthetic: bool | None = True, **given: object) -> Path:
    """A run folder with predictions, a model, and what must never go: a frame, a figure, another pickle."""
    config = small_config(**given)
    clips = make_bank().clips
    rows = {"clip": clips.index, "subject": clips["subject"], "seed": 0, "true": clips["emotion"]}
    table = pd.DataFrame(rows).assign(predicted="disgust", p_disgust=1.0, p_happiness=0.0, p_surprise=0.0)
    place.mkdir(parents=True)
    pd.concat([table, table.assign(seed=1)]).to_csv(place / "predictions.csv", index=False)
    write_json(place / "config.json", {"config": config.as_json()})
    write_json(place / "metrics.json", {"dataset": "synthetic", "synthetic": synthetic, "accuracy": 1 / 3})
    network = models.build_model(config, 3).eval()
    about = {**ABOUT, "synthetic": synthetic}
    saved.save(place / "model", network, config, ["disgust", "happiness", "surprise"], about)
    for stray in (
        "frame.jpg",
        "figures/face.png",
        "model/frame.png",
        "model/optimiser.pt",
        "folds/seed0-s01.json",
    ):
        (place / stray).parent.mkdir(exist_ok=True)
        (place / stray).write_bytes(b"x")
    return place


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("hub") / "dianet-onset+offset-12345678")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("hub") / "recorded", synthetic=False, validation="test_subject")


def written(files: dict[str, bytes], place: Path) -> Path:
    for name, content in files.items():
        (place / name).write_bytes(content)
    return place


def test_the_card_of_a_model_is_one_to_the_hub(generated: Path, recorded: Path, tmp_path: Path) -> None:
    card = ModelCard.load(written(hub.model_files(generated / "model"), tmp_path) / "README.md")
    assert (card.data.license, card.data.library_name) == ("mit", "dianet-utils")
    assert (card.data.datasets, card.data.metrics) == (["synthetic"], ["accuracy", "f1", "recall"])
    assert {"micro-expression-recognition", "synthetic"} < set(card.data.tags)
    assert (generated / "model" / saved.CARD).read_text().strip() in card.text
    assert "No lie detection" in card.text
    assert "licence" not in card.text.lower()
    bound = ModelCard(hub.model_files(recorded / "model")["README.md"].decode())
    assert (bound.data.license, bound.data.license_name) == ("other", "that-of-the-data")
    assert "licence of those data binds" in " ".join(bound.text.split())
    assert "leaky" in bound.data.tags
    assert "LEAKY" in bound.text


def test_a_model_that_was_downloaded_answers_as_it_did(generated: Path, tmp_path: Path) -> None:
    kept = saved.load(generated / "model")
    files = hub.model_files(generated / "model")
    read = saved.load(written(files, tmp_path))
    images = torch.rand(2, 2, 3, 32, 32)
    assert torch.equal(read.model(images).logits, kept.model(images).logits)
    told = json.loads(files["config.json"])
    assert told.pop("classes") == list(kept.classes)
    assert told == kept.config.as_json()


def test_the_source_of_ones_own_network_goes_too_and_is_not_run(tmp_path: Path) -> None:
    place = made(tmp_path / "run", model=write_example("MyNet", tmp_path), hidden=None, backbone=None)
    (place / "model" / saved.CODE).write_text("raise SystemExit")
    assert hub.model_files(place / "model")[saved.CODE] == b"raise SystemExit"


def test_predictions_and_clips_are_a_dataset_to_the_hub(
    generated: Path, recorded: Path, tmp_path: Path
) -> None:
    files = hub.dataset_files(generated)
    card = DatasetCard.load(written(files, tmp_path) / "README.md")
    assert card.data.license == "mit"
    for table in card.data.to_dict()["configs"]:
        assert len(pd.read_csv(tmp_path / table["data_files"]))
    clips = pd.read_csv(io.BytesIO(files["clips.csv"]), index_col="clip")
    bank = make_bank()
    assert clips["emotion"].to_dict() == bank.clips["emotion"].to_dict()
    assert clips["subject"].to_dict() == bank.clips["subject"].to_dict()
    assert files["predictions.csv"] == (generated / "predictions.csv").read_bytes()
    bound = DatasetCard(hub.dataset_files(recorded)["README.md"].decode())
    assert (bound.data.license, bound.data.license_name) == ("other", "that-of-the-data")
    assert "LEAKY" in bound.text


def test_another_split_is_not_called_leave_one_subject_out(generated: Path, tmp_path: Path) -> None:
    tag, place = "leave-one-subject-out", tmp_path / "run"
    shutil.copytree(generated, place)
    assert tag in DatasetCard(hub.dataset_files(place)["README.md"].decode()).data.tags
    write_json(place / "config.json", {"config": small_config(split="kfold:5").as_json()})
    assert tag not in DatasetCard(hub.dataset_files(place)["README.md"].decode()).data.tags


def test_a_dry_run_tells_every_file_with_its_size_and_sends_nothing(
    generated: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "HfApi", None)
    assert main(["push", str(generated), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    weights = (generated / "model" / saved.WEIGHTS).stat().st_size
    assert f"    model.safetensors  {weights:,} bytes" in lines
    assert lines[-1] == "Nothing was sent."
    names = [line.split()[0] for line in lines if line.startswith("    ")]
    model = ["README.md", "config.json", "model.json", "model.safetensors"]
    data = ["README.md", "predictions.csv", "clips.csv", "config.json", "metrics.json"]
    assert names == model + data
    assert lines[0] == "model repository dianet-onset_offset-12345678:"


class Api:
    """The hub as it is called: what it was sent."""

    sent: dict[str, Any]

    def __init__(self, token: str):
        assert token == "mine"

    def create_repo(
        self, name: str, repo_type: str, private: bool, exist_ok: bool
    ) -> huggingface_hub.RepoUrl:
        assert exist_ok
        Api.sent[repo_type] = {"private": private}
        return huggingface_hub.RepoUrl(
            f"https://huggingface.co/{'datasets/' * (repo_type == 'dataset')}me/{name}"
        )

    def upload_folder(self, repo_id: str, folder_path: str, repo_type: str) -> None:
        files = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path(folder_path).iterdir()
        }
        Api.sent[repo_type] |= {"repo": repo_id, "files": files}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> type[Api]:
    Api.sent = {}
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "mine")
    return Api


def test_what_is_listed_is_sent_and_nothing_else(generated: Path, api: type[Api]) -> None:
    told = push([str(generated), "--to", "toy"])
    wanted = {"model": hub.model_files(generated / "model"), "dataset": hub.dataset_files(generated)}
    for kind, files in wanted.items():
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        assert api.sent[kind] == {"private": True, "repo": "me/toy", "files": digests}
    assert told.endswith("sent to https://huggingface.co/datasets/me/toy")
    push([str(generated), "--to", "toy", "--public"])
    assert not api.sent["model"]["private"]


@pytest.mark.parametrize("synthetic", [False, None])
def test_what_people_gave_goes_only_where_the_licence_was_read(
    synthetic: bool | None, tmp_path: Path, api: type[Api]
) -> None:
    place = made(tmp_path / "run", synthetic=synthetic)
    with pytest.raises(InputError, match=r"licence of their data binds .* add --licensed"):
        push([str(place)])
    assert not api.sent
    assert "add --licensed" in push([str(place), "--dry-run"])
    assert "add --licensed" not in push([str(place), "--dry-run", "--licensed"])
    push([str(place), "--licensed"])
    assert set(api.sent) == {"model", "dataset"}


def test_a_run_is_generated_only_if_all_of_it_is(tmp_path: Path, generated: Path) -> None:
    assert hub.is_generated(generated)
    place = made(tmp_path / "run")
    for told in ({"synthetic": False}, {"synthetic": True, "dataset": "synthetic+samm"}):
        write_json(place / "metrics.json", told)
        assert not hub.is_generated(place)
    (place / "metrics.json").unlink()
    assert hub.is_generated(place)  # by its model
    note = json.loads((place / "model" / saved.NOTE).read_text())
    for title in ("synthetic clips + SAMM", "unknown origin, partly synthetic", "SAMM"):
        note["about"]["trained_on"] = title
        write_json(place / "model" / saved.NOTE, note)
        assert not hub.is_generated(place)
    (place / "model" / saved.NOTE).unlink()
    assert not hub.is_generated(place)


def test_without_a_token_or_the_network_it_is_one_sentence(
    generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(InputError, match="no token of Hugging Face: run 'hf auth login'"):
        push([str(generated)])
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "mine")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="could not be reached, or refused the model") as caught:
        push([str(generated)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "is no run folder with predictions.csv"),
        ([".", "--dry-run"], "is no run folder with predictions.csv"),
        ([".", "--to", "a b"], "'a b' is no name on the hub"),
        ([".", "--to", ".."], "'..' is no name on the hub"),
        ([".", "--to", "../x"], "'../x' is no name on the hub"),
    ],
)
def test_what_cannot_be_pushed_is_named(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["push", *words]) == 2
    assert said in capsys.readouterr().err
