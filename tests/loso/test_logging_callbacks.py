"""What a run writes for TensorBoard and MLflow: by a writer that notes, and read back by their readers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from own import PAGE
from toy import make_bank, small_config

from dianet_utils import loso, run
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import logging_callbacks
from dianet_utils.plumbing.errors import InputError

QUIET: dict[str, Any] = {"device": "cpu", "shown_progress": False}


class Notes:
    """A writer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, float], int]] = []
        self.ended: list[str] = []

    def write(self, fold: str, values: Mapping[str, float], step: int) -> None:
        assert fold not in self.ended
        self.told.append((fold, dict(values), step))

    def end(self, fold: str) -> None:
        self.ended.append(fold)


def expected(results: loso.Results) -> list[tuple[str, dict[str, float], int]]:
    """What the records of a run say of each fold: its losses by epoch, its accuracies, the run's so far."""
    told: list[tuple[str, dict[str, float], int]] = []
    hits: list[bool] = []
    for number, record in enumerate(results.folds, 1):
        name, history = f"seed{record['seed']}-{record['subject']}", record["history"]
        pairs = zip(history["train_loss"], history["validation_loss"], strict=True)
        told += [
            (name, {"train_loss": train, "validation_loss": held}, epoch)
            for epoch, (train, held) in enumerate(pairs, 1)
        ]
        mine = results.predictions[results.predictions["subject"] == record["subject"]]
        right = (mine["true"] == mine["predicted"]).tolist()
        hits += right
        accuracies = {key: record[key] for key in ("train_accuracy", "validation_accuracy")}
        accuracies["fold_accuracy"] = sum(right) / len(right)
        told += [
            (name, accuracies, len(history["train_loss"])),
            ("", {"accuracy": sum(hits) / len(hits)}, number),
        ]
    return told


def test_a_writer_hears_every_loss_and_accuracy_once(tmp_path: Path) -> None:
    notes, bank = Notes(), make_bank(subjects=4)
    log = logging_callbacks.callbacks(notes)
    results = loso.run(bank, small_config(), tmp_path, workers=1, **QUIET, **log._asdict())
    assert notes.told == expected(results)
    assert notes.told[-1] == ("", {"accuracy": pytest.approx(results.metrics["accuracy"], abs=1e-6)}, 4)
    assert notes.ended == [f"seed0-{name}" for name in sorted(set(bank.clips["subject"]))]


def test_without_epochs_the_losses_come_when_the_fold_ends(tmp_path: Path) -> None:
    """As with several workers, where nobody is told of an epoch."""
    notes = Notes()
    on_fold = logging_callbacks.callbacks(notes).on_fold
    results = loso.run(make_bank(subjects=4), small_config(), tmp_path, workers=1, **QUIET, on_fold=on_fold)
    assert notes.told == expected(results)


def test_a_system_without_epochs_has_accuracies_alone(tmp_path: Path) -> None:
    notes, bank = Notes(), make_bank(subjects=3)
    config = small_config(model="linear_svm", hidden=None, backbone=None, validation="none", image_size=32)
    loso.run(bank, config, tmp_path, workers=1, **QUIET, on_fold=logging_callbacks.callbacks(notes).on_fold)
    assert {step for fold, _, step in notes.told if fold} == {0}
    assert {name for fold, values, _ in notes.told if fold for name in values} == {
        "train_accuracy",
        "fold_accuracy",
    }


def test_under_the_leaky_policy_the_accuracy_of_the_test_subject_is_told(tmp_path: Path) -> None:
    notes, config = Notes(), small_config(validation="test_subject")
    log = logging_callbacks.callbacks(notes)
    with pytest.warns(UserWarning, match="LEAKY"):
        loso.run(
            make_bank(subjects=3),
            config,
            tmp_path / "LEAKY-test_subject",
            max_folds=1,
            workers=1,
            **QUIET,
            **log._asdict(),
        )
    assert [{*values} for _, values, _ in notes.told[:2]] == [{"train_loss", "test_accuracy"}] * 2


@pytest.mark.parametrize(("factory", "package"), [("tensorboard", "tensorboard"), ("mlflow", "mlflow")])
def test_a_package_that_is_missing_is_one_sentence(
    factory: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(logging_callbacks.importlib, "import_module", missing)
    with (
        pytest.raises(InputError, match=f"{package} is not installed: pip install {package}"),
        getattr(logging_callbacks, factory)(tmp_path / "log", small_config()),
    ):
        pass
    assert not list(tmp_path.iterdir())


def odd_bank() -> Bank:
    """A person whose name is no file name."""
    bank = make_bank(subjects=3)
    subjects = bank.clips["subject"].replace("s02", "a/b: c")
    return Bank(bank.images, bank.clips.assign(subject=subjects), bank.phases, bank.scaling)


@pytest.mark.parametrize("logger", ["tensorboard", "mlflow"])
def test_a_file_in_place_of_the_folder_is_one_sentence(logger: str, tmp_path: Path) -> None:
    pytest.importorskip(logger)
    (tmp_path / "board").write_text("mine")
    log = getattr(logging_callbacks, logger)(tmp_path / "board", small_config())
    with pytest.raises(InputError, match=r"Cannot write .*board \(File exists\)"), log:
        pass
    assert (tmp_path / "board").read_text() == "mine"


def test_tensorboard_reads_back_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config, board = small_config(), tmp_path / "board"
    with logging_callbacks.tensorboard(board, config) as log:
        results = loso.run(odd_bank(), config, tmp_path / "run", workers=1, **QUIET, **log._asdict())
    for record in results.folds:
        place = board / f"seed0-{record['subject'].replace('/', '%2F').replace(':', '%3A')}"
        read = EventAccumulator(str(place)).Reload()
        for name in ("train_loss", "validation_loss"):
            told = [(event.step, event.value) for event in read.Scalars(name)]
            assert told == list(enumerate(map(pytest.approx, record["history"][name]), 1))
    whole = EventAccumulator(str(board)).Reload()
    assert whole.Scalars("accuracy")[-1].value == pytest.approx(results.metrics["accuracy"], abs=1e-6)
    text = whole.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    assert '"backbone": "test_efficientnet"' in text


def test_mlflow_reads_back_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the package mlflow is not installed")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    config, place = small_config(), tmp_path / "my log"
    with logging_callbacks.mlflow(place, config, name="toy") as log:
        results = loso.run(odd_bank(), config, tmp_path / "run", workers=1, **QUIET, **log._asdict())
    with pytest.raises(KeyError), logging_callbacks.mlflow(place, config, name="broken"):
        raise KeyError
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{place / 'mlflow.db'}")
    (experiment,) = (each for each in client.search_experiments() if each.name == "dianet")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    whole = runs["toy"]
    assert whole.data.params["backbone"] == "test_efficientnet"
    assert whole.data.metrics["accuracy"] == pytest.approx(results.metrics["accuracy"], abs=1e-6)
    assert (whole.info.status, runs["broken"].info.status) == ("FINISHED", "FAILED")
    for record in results.folds:
        fold = runs[f"seed0-{record['subject'].replace('/', '%2F').replace(':', '%3A')}"]
        assert fold.data.tags["mlflow.parentRunId"] == whole.info.run_id
        assert fold.info.status == "FINISHED"
        told = client.get_metric_history(fold.info.run_id, "train_loss")
        assert [(metric.step, metric.value) for metric in told] == list(
            enumerate(record["history"]["train_loss"], 1)
        )


@pytest.mark.parametrize("factory", ["tensorboard", "mlflow"])
def test_the_example_of_the_documentation_runs(
    factory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(factory, reason=f"the package {factory} is not installed")
    (code,) = (
        block.split("```")[0]
        for block in PAGE.read_text("utf-8").split("```python\n")
        if "logging_callbacks" in block.split("```")[0]
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "select_clips", lambda parameters: (None, None))
    monkeypatch.setattr(run, "make_bank", lambda clips, config: make_bank(subjects=3))
    exec(code.replace(".tensorboard(", f".{factory}("), {"__name__": "__main__"})
    assert [path for path in (tmp_path / "log").rglob("*") if path.is_file()]
    assert len(list((tmp_path / "run" / "folds").iterdir())) == 2
