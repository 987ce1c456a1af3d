"""The records of finished folds: what they hold, how files are called, when they are trusted."""

import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from dianet_utils.config import LOSO, Config
from dianet_utils.loso.splits import fold_names
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import DamagedFileError, read_json, shown

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank
    from dianet_utils.loso.folds import Fold

_ROUNDING = 2e-6  # by as much may two probabilities have come to look alike
_NEEDED = ("subject", "seed", "classes", "clips", "true", "predicted", "probabilities")
_LONGEST = 150  # characters of a subject in a file's name


def fold_path(out: Path, seed: int, subject: str) -> Path:
    """Where a fold is kept: always a file of ``out/folds``, whatever the subject, or the fold, is called.

    Letters, digits, ``_``, ``.``, ``-`` and ``~`` stand for themselves, others as %XX.
    """
    name = quote(subject, safe="")
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(subject.encode()).hexdigest()[:16]}"
    return out / "folds" / f"seed{seed}_{name}.json"


def fold_record(
    bank: "Bank", fold: "Fold", probabilities: np.ndarray, history: dict[str, Any]
) -> dict[str, Any]:
    """What is kept of a fold, as JSON types: its clips, their true and predicted classes, the probabilities.

    ``probabilities`` [clip, class] of ``fold.test``; the largest names the prediction. Raises
    ``FloatingPointError`` naming the clips where they are not finite.
    """
    names, clips = np.array(bank.classes), [str(clip) for clip in bank.clips.index[fold.test]]
    if not np.isfinite(probabilities).all():
        lost = [clip for clip, row in zip(clips, probabilities, strict=True) if not np.isfinite(row).all()]
        raise FloatingPointError(
            f"The predictions of fold {fold.subject} (seed {fold.seed}) are not finite for {', '.join(lost)}."
        )
    return {
        "subject": fold.subject,
        "seed": fold.seed,
        "classes": list(bank.classes),
        "clips": clips,
        "true": [str(name) for name in names[bank.targets[fold.test]]],
        "predicted": [str(name) for name in names[probabilities.argmax(1)]],
        "probabilities": probabilities.round(6).tolist(),
        "history": history,
        "train_clips": len(fold.train),
        "validation_subjects": sorted({str(s) for s in bank.clips["subject"].iloc[fold.validation]}),
    }


def sealed(fold: dict[str, Any]) -> dict[str, Any]:
    """A fold with a ``digest`` over all the rest of it, by which a later change is noticed.

    It holds off damage and edits by hand, not somebody who computes it anew.
    """
    return {**fold, "digest": _digest(fold)}


def _digest(fold: dict[str, Any]) -> str:
    text = json.dumps({name: value for name, value in fold.items() if name != "digest"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fold_marks(config: Config) -> dict[str, str]:
    """What the record of a fold says of its protocol; nothing where one subject is left out, honestly."""
    marks = {"split": config.split} if config.split != LOSO else {}
    return {**marks, "validation": config.validation} if config.leaky else marks


def read_fold(path: Path, bank: "Bank", split: str = LOSO) -> dict[str, Any]:
    """A finished fold of this bank and split; raises InputError that names the file and what is wrong."""
    if os.path.lexists(path) and not path.is_file():  # a pipe would be waited for
        raise InputError(f"{shown(path)} is a folder, a pipe or a broken link and no file.")
    try:
        fold = read_json(path)
    except FileNotFoundError:
        raise
    except DamagedFileError:  # a fold need not be removed: it is run again
        raise InputError(f"{shown(path)} is damaged (no JSON).") from None
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read ({error.strerror}).") from None
    if fault := _fault(fold, path, bank, split, fold_names(bank.clips, split)):
        raise InputError(f"{shown(path)} {fault}.")
    return fold


def read_folds(
    out: Path, bank: "Bank", without: Collection[Path] = (), split: str = LOSO
) -> list[dict[str, Any]]:
    """Every fold of a run folder, by file name; one InputError for all files that are no fold of this bank.

    Files of ``without`` are not read.
    """
    folds, problems = [], []
    for path in sorted((out / "folds").glob("seed*.json")):
        if path in without:
            continue
        try:
            folds.append(read_fold(path, bank, split))
        except InputError as error:
            problems.append(str(error))
    if problems:
        listed = "\n".join(problems)
        raise InputError(f"These files are no folds of this run: move them away.\n{listed}")
    return folds


def _fault(fold: Any, path: Path, bank: "Bank", split: str, names: pd.Series) -> str:
    """What is wrong with a fold's content, or ""."""
    try:
        if isinstance(fold, dict) and (missing := [name for name in _NEEDED if name not in fold]):
            return f"is damaged (parts of a fold are missing: {', '.join(missing)})"
        subject, seed = fold["subject"], fold["seed"]
        if (made := fold.get("split", LOSO)) != split:
            return f"is a fold of the split {made}, not of {split}"
        kind, rows = "subject" if split == LOSO else "fold", bank.clips[names == subject]
        if rows.empty and split == LOSO:  # a transfer's fold, which is named after the dataset that is tested
            rows = bank.clips[bank.clips.index.isin(fold["clips"])]
        if rows.empty:
            return f"is about the {kind} {subject!r}, whom these clips do not show"
        if path != fold_path(path.parent.parent, seed, subject):
            return f"is about {kind} {subject} (seed {seed}), not about whom its name says"
        if fold["classes"] != bank.classes:
            return f"knows the classes {', '.join(fold['classes'])}, not {', '.join(bank.classes)}"
        if fold["clips"] != list(rows.index) or fold["true"] != list(rows["emotion"]):
            return "is about other clips or other labels"
        return _fault_of_numbers(fold) or _fault_of_digest(fold)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return "is damaged (parts of a fold are missing)"


def _fault_of_numbers(fold: dict[str, Any]) -> str:
    """What is wrong with a fold's probabilities [clip, class] or the classes it predicts, or ""."""
    numbers = np.array(fold["probabilities"], np.float64)
    if numbers.shape != (len(fold["clips"]), len(fold["classes"])):
        return f"has probabilities of the shape {numbers.shape}"
    if not (numbers >= 0).all() or np.abs(numbers.sum(1) - 1).max() > numbers.shape[1] * _ROUNDING:
        return "has probabilities that do not add up to 1"
    named = np.array(fold["predicted"])[:, None] == np.array(fold["classes"])
    if not (named.sum(1) == 1).all() or (numbers.max(1) - numbers[named] > _ROUNDING).any():
        return "predicts other classes than its most probable ones"
    return ""


def _fault_of_digest(fold: dict[str, Any]) -> str:
    """What a digest tells of a fold, or ""; folds of earlier releases have none."""
    if "digest" in fold and fold["digest"] != _digest(fold):
        return "was changed after it was written (its digest does not fit)"
    return ""
