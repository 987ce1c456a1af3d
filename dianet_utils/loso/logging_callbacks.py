"""Losses and accuracies of a run into TensorBoard or MLflow, as the callbacks that ``loso.run`` takes.

Both write local files and need no server. The packages are optional, and each is loaded only where it is
asked for.
"""

import importlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote

from dianet_utils.config import Config
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import writing

if TYPE_CHECKING:
    from dianet_utils.loso.folds import Fold

_EXPERIMENT = "dianet"  # of MLflow


class Callbacks(NamedTuple):
    """The two functions that :func:`~dianet_utils.loso.protocol.run` takes under these names."""

    on_epoch: "Callable[[Fold, int, dict[str, float]], None]"
    on_fold: Callable[[dict[str, Any]], None]


class Writer(Protocol):
    """Where numbers go: ``fold`` is a name such as "seed0-s01", or "" for the whole run."""

    def write(self, fold: str, values: Mapping[str, float], step: int) -> None:
        """Note some values by name at a step."""

    def end(self, fold: str) -> None:
        """Nothing more will come of this fold."""


def callbacks(writer: Writer) -> Callbacks:
    """Callbacks that write each fold's losses by epoch, its accuracies when it ends, and the run's so far.

    Without ``on_epoch``, of which a cluster tells nothing, the losses are written when the fold ends.
    ``fold_accuracy`` is of the clips that the fold tests; ``accuracy`` of the run is of all clips tested
    so far.
    """
    heard: set[str] = set()
    right: list[bool] = []
    ended = itertools.count(1)

    def on_epoch(fold: "Fold", epoch: int, losses: dict[str, float]) -> None:
        heard.add(name := _name(fold.seed, fold.subject))
        writer.write(name, losses, epoch)

    def on_fold(record: dict[str, Any]) -> None:
        name, curves = _name(record["seed"], record["subject"]), _by_epoch(record["history"])
        if name not in heard:
            for epoch, losses in enumerate(curves, 1):
                writer.write(name, losses, epoch)
        hits = [told == true for told, true in zip(record["predicted"], record["true"], strict=True)]
        right.extend(hits)
        writer.write(name, _accuracies(record, hits), len(curves))
        writer.end(name)
        writer.write("", {"accuracy": sum(right) / len(right)}, next(ended))

    return Callbacks(on_epoch, on_fold)


def _name(seed: int, subject: str) -> str:
    """A fold's name, which may be that of a folder."""
    return f"seed{seed}-{quote(subject, safe=' ()')}"


def _by_epoch(history: Mapping[str, Any]) -> list[dict[str, float]]:
    """The curves of a fold, epoch by epoch; none of a system that has no epochs."""
    curves = {name: values for name, values in history.items() if isinstance(values, list) and values}
    return [dict(zip(curves, values, strict=True)) for values in zip(*curves.values(), strict=True)]


def _accuracies(record: Mapping[str, Any], hits: list[bool]) -> dict[str, float]:
    told = {name: record.get(name) for name in ("train_accuracy", "validation_accuracy")}
    known = {name: float(value) for name, value in told.items() if value is not None}
    return {**known, "fold_accuracy": sum(hits) / len(hits)}


@contextmanager
def tensorboard(folder: str | Path, config: Config) -> Iterator[Callbacks]:
    """Callbacks that write event files for TensorBoard: a run for each fold, and the whole run in ``folder``.

    Args:
        folder: Where the files go; look at them with ``tensorboard --logdir FOLDER``.
        config: The configuration of the run, kept as a text.

    Yields:
        The callbacks, until the ``with`` block ends.

    Raises:
        InputError: If the package tensorboard is not installed, or ``folder`` cannot be one.
    """
    board = _module("torch.utils.tensorboard", "tensorboard")
    place = Path(folder).expanduser()
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        writer = _Board(place, board.SummaryWriter, stack)
        writer.of("").add_text("config", f"```\n{json.dumps(config.as_json(), indent=1)}\n```")
        yield callbacks(writer)


class _Board:
    """A :class:`Writer` for TensorBoard, whose runs are folders."""

    def __init__(self, folder: Path, kind: Callable[[str], Any], stack: ExitStack):
        self.folder, self.kind, self.stack = folder, kind, stack
        self.open: dict[str, Any] = {}

    def of(self, fold: str) -> Any:
        if fold not in self.open:
            self.open[fold] = self.kind(str(self.folder / fold))
            self.stack.callback(self.open[fold].close)
        return self.open[fold]

    def write(self, fold: str, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self.of(fold).add_scalar(name, value, step)

    def end(self, fold: str) -> None:
        if writer := self.open.pop(fold, None):
            writer.close()


@contextmanager
def mlflow(folder: str | Path, config: Config, name: str | None = None) -> Iterator[Callbacks]:
    """Callbacks that write an MLflow run: a child run for each fold, and the settings as its parameters.

    Args:
        folder: Holds the database; see it by ``mlflow ui --backend-store-uri sqlite:///FOLDER/mlflow.db``.
        config: The configuration of the run.
        name: Of the run; None lets MLflow make one up.

    Yields:
        The callbacks, until the ``with`` block ends: the run is then finished, or failed if an error ends it.

    Raises:
        InputError: If the package mlflow is not installed, or ``folder`` cannot be one.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # else MLflow reports its use over the network
    with _flow(Path(folder).expanduser().resolve(), name) as writer:
        writer.describe(config.as_json())
        yield callbacks(writer)


@contextmanager
def _flow(folder: Path, name: str | None) -> "Iterator[_Flow]":
    """A run that is finished at the end, with those of its folds that are not; or all of them have failed."""
    package = _module("mlflow", "mlflow")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    client = package.MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    known = client.get_experiment_by_name(_EXPERIMENT)
    files = (folder / "artifacts").as_uri()
    experiment = known.experiment_id if known else client.create_experiment(_EXPERIMENT, files)
    writer = _Flow(client, experiment, name)
    try:
        yield writer
    except BaseException:
        writer.close("FAILED")
        raise
    writer.close("FINISHED")


class _Flow:
    """A :class:`Writer` for MLflow, whose runs have children."""

    def __init__(self, client: Any, experiment: str, name: str | None):
        self.client, self.experiment = client, experiment
        self.open = {"": client.create_run(experiment, run_name=name).info.run_id}

    def describe(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            self.client.log_param(self.open[""], name, value)

    def write(self, fold: str, values: Mapping[str, float], step: int) -> None:
        if fold not in self.open:
            tags = {"mlflow.parentRunId": self.open[""]}
            made = self.client.create_run(self.experiment, tags=tags, run_name=fold)
            self.open[fold] = made.info.run_id
        for name, value in values.items():
            self.client.log_metric(self.open[fold], name, value, step=step)

    def end(self, fold: str) -> None:
        self.client.set_terminated(self.open.pop(fold), "FINISHED")

    def close(self, status: str) -> None:
        for run in self.open.values():
            self.client.set_terminated(run, status)


def _module(name: str, package: str) -> ModuleType:
    """A module of an optional package; InputError says how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"The package {package} is not installed: pip install {package}.") from None
