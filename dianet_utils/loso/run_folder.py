"""What a run folder records: its settings, its environment, its folds, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dianet_utils import datasets, evaluation
from dianet_utils.config import LOSO, Config
from dianet_utils.datasets.provenance import selection_of
from dianet_utils.loso.fold_files import fold_path, read_fold, read_folds
from dianet_utils.loso.splits import fold_names
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import read_json, refuse_strange, shown, write_json, write_text
from dianet_utils.plumbing.locks import alone

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold

_NO_FOLD = "{} holds no finished fold: run it first."


@dataclass(frozen=True)
class Results:
    """What a run gave: predictions, their scores, and the record of each fold, all from its run folder."""

    folder: Path
    predictions: pd.DataFrame
    metrics: dict[str, Any]
    folds: list[dict[str, Any]]


def digest(bank: "Bank", config: Config) -> str:
    """Eight hexadecimal digits that name settings and data, and the folds of a split that was chosen."""
    if config.split == LOSO:
        return config.digest(bank.fingerprint)
    names = fold_names(bank.clips, config.split)
    return config.digest(bank.fingerprint, *(f"{clip}: {name}" for clip, name in names.items()))


def check_folder(out: Path, bank: "Bank", config: Config) -> dict[str, Any]:
    """What ``config.json`` of this run says; InputError for a folder that holds something else."""
    refuse_strange(out, "config.json", "folds/seed*.json")
    described = {
        "config": config.as_json(),
        "data_fingerprint": bank.fingerprint,
        "digest": digest(bank, config),
    }
    path = out / "config.json"
    if not path.is_file() and next(out.glob("folds/seed*.json"), None):
        raise InputError(
            f"{shown(out)} holds folds but no config.json, so their settings are not known: put that file "
            "back, or give another folder."
        )
    if path.is_file() and (held := read_json(path)) != described:
        raise InputError(
            f"{shown(out)} holds a run with other settings or other data ({_difference(held, described)}); "
            "give another folder or leave the name to the run."
        )
    return described


def _difference(held: Any, described: dict[str, Any]) -> str:
    """In which settings a ``config.json`` differs from that of this run, or that only the data do."""
    if not isinstance(held, dict) or not isinstance(held.get("config"), dict):
        return "its config.json is not one"
    theirs, ours = held["config"], described["config"]
    names = [name for name in (*ours, *(theirs.keys() - ours)) if theirs.get(name) != ours.get(name)]
    told = [f"{name}: {theirs.get(name)} there, {ours.get(name)} here" for name in names]
    if held.get("data_fingerprint") != described["data_fingerprint"]:
        told.append("other clips or images")
    return "; ".join(told) or "other folds"


def open_folder(out: Path, bank: "Bank", config: Config) -> None:
    """Create the run folder, or make sure that it is this run's."""
    write_json(out / "config.json", check_folder(out, bank, config))


def record_environment(out: Path, device: str, fingerprint: str, config: Config) -> None:
    """Write ``environment.json``; another environment, in which earlier folds were trained, stays in it."""
    packages = [config.weights_package] if config.weights_package else []
    path, now = out / "environment.json", machine.environment(device, fingerprint, packages)
    before = read_json(path) if path.is_file() else {}
    earlier = before.pop("earlier", []) if isinstance(before, dict) else None
    if not isinstance(earlier, list):
        raise InputError(f"{shown(path)} is no record of an environment: remove it and run the same again.")
    if before and before != now:
        earlier = [before, *(each for each in earlier if each != before)]
    earlier = [each for each in earlier if each != now]
    write_json(path, {**now, **({"earlier": earlier} if earlier else {})})


def read_done(out: Path, fold: "Fold", bank: "Bank", split: str = LOSO) -> dict[str, Any] | None:
    """A finished fold from disk; None when it is missing, or cannot be trusted, which is said."""
    try:
        return read_fold(fold_path(out, fold.seed, fold.subject), bank, split)
    except FileNotFoundError:
        return None
    except InputError as error:
        print(f"{error} The fold is run again.")
        return None


def gather(out: str | Path, bank: "Bank") -> Results:
    """Read every fold of a run folder and write its predictions and scores anew, while nobody else does.

    Raises InputError naming the files among them that are damaged or of another run.
    """
    out = Path(out)
    if not (out / "folds").is_dir():  # not even a lock is put into such a folder
        raise InputError(_NO_FOLD.format(shown(out)))
    with alone(out):
        return _gather(out, bank)


def _gather(out: Path, bank: "Bank") -> Results:
    split = _split_of(out)
    folds = read_folds(out, bank, split=split)
    if not folds:
        raise InputError(_NO_FOLD.format(shown(out)))
    predictions = pd.concat([_rows(fold, bank.clips["subject"]) for fold in folds], ignore_index=True)
    predictions = predictions.sort_values(["seed", "clip"], ignore_index=True)
    metrics = _scores(predictions, folds, bank)
    write_text(out / "predictions.csv", predictions.to_csv(index=False, lineterminator="\n"))
    about: dict[str, Any] = {
        "dataset": datasets.origin(bank.clips),
        "synthetic": datasets.is_synthetic(bank.clips),
    }
    about |= {"selection": chosen} if (chosen := selection_of(bank.clips)) else {}
    about |= {"all_folds": int(fold_names(bank.clips, split).nunique())}  # of a seed, run or not
    metrics = {**about, **({} if split == LOSO else {"split": split}), **metrics}
    write_json(out / "metrics.json", metrics)
    return Results(out, predictions, metrics, folds)


def _scores(predictions: pd.DataFrame, folds: list[dict[str, Any]], bank: "Bank") -> dict[str, Any]:
    """The scores of some folds, whether they had learnt their training clips, and the one answer of all."""
    metrics = evaluation.metrics(predictions, list(bank.classes))
    said = evaluation.one_answer(predictions)
    told = {"one_answer": said} if said else {}
    return {**metrics, **evaluation.trained(folds, metrics["chance"]), **told}


def _split_of(out: Path) -> str:
    """How a run folder's clips are divided, by its settings."""
    path = out / "config.json"
    held = read_json(path) if path.is_file() else {"config": {}}
    if not isinstance(held, dict) or not isinstance(held.get("config"), dict):
        raise InputError(f"{shown(path)} holds no settings of a run: give the folder of a run.")
    return str(held["config"].get("split", LOSO))


def only(results: Results, folds: "Sequence[Fold]", bank: "Bank") -> Results:
    """The part of a run folder's results that ``folds`` made; the folder's files go on to describe all."""
    wanted = {(fold.seed, fold.subject) for fold in folds}
    told = [fold for fold in results.folds if (fold["seed"], fold["subject"]) in wanted]
    if len(told) == len(results.folds):
        return results
    tested = {(fold["seed"], clip) for fold in told for clip in fold["clips"]}
    pairs = zip(results.predictions["seed"], results.predictions["clip"], strict=True)
    predictions = results.predictions[[pair in tested for pair in pairs]].reset_index(drop=True)
    about = {name: value for name, value in results.metrics.items() if name != "one_answer"}
    metrics = {**about, **_scores(predictions, told, bank)}
    return Results(results.folder, predictions, metrics, told)


def _rows(fold: dict[str, Any], subjects: pd.Series) -> pd.DataFrame:
    """The predictions of one fold: clip, subject, seed, true, predicted, and p_<class> for each class.

    Those of another split than leave-one-subject-out have a column ``fold`` too, and those of a leaky run a
    last column ``validation``, so that they tell wherever they are read.
    """
    columns = [f"p_{name}" for name in fold["classes"]]
    rows = pd.DataFrame(fold["probabilities"], columns=columns)
    told = {"clip": fold["clips"], "subject": subjects.loc[fold["clips"]].to_numpy()}
    told |= {name: fold[name] for name in ("seed", "true", "predicted")}
    for position, (name, values) in enumerate(told.items()):
        rows.insert(position, name, values)
    if "split" in fold:
        rows["fold"] = fold["subject"]
    return rows.assign(validation=fold["validation"]) if "validation" in fold else rows
