"""A saved model and its predictions as repositories of the Hugging Face hub: cards with front matter, files.

Nothing here reaches the network. What may go is a list of files named one by one, so no frame and no figure
is ever among them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dianet_utils import paper
from dianet_utils.config import LEAKY, LOSO
from dianet_utils.models import saved
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import read_json, shown

_TAGS = ["micro-expression-recognition", "dynamic-images"]
_METRICS = ["accuracy", "f1", "recall"]  # UF1 is the mean F1 of the classes, UAR their mean recall
_BINDS = """Made from recordings of people, or from clips of which it is not known what they show. **The
licence of those data binds**: whoever uses this must have agreed to it. No frame of them is in this
repository."""
_LEAKY = """**LEAKY: the test subject chose the epoch**, so the scores are too high; compare them with no
honest result."""


def model_files(folder: str | Path) -> dict[str, bytes]:
    """The files of a model repository, by name, for the model in a folder that ``saved.save`` wrote.

    ``README.md`` is the card, ``config.json`` the configuration and the classes; with the others beside them
    ``saved.load`` reads a download as it reads the folder. The source of somebody's own network goes too,
    and is not run. Raises InputError where the folder holds no whole model.
    """
    folder = Path(folder)
    note = saved.read_note(folder)
    files = {
        "README.md": _model_readme(note, _card(folder)).encode(),
        "config.json": _json({"classes": note["classes"], **note["config"]}),
        saved.NOTE: (folder / saved.NOTE).read_bytes(),
        saved.WEIGHTS: saved.read_weights(folder, note["sha256"]),
    }
    code = folder / saved.CODE
    return files | ({saved.CODE: code.read_bytes()} if code.is_file() else {})


def _card(folder: Path) -> str:
    try:
        return (folder / saved.CARD).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise InputError(f"{shown(folder / saved.CARD)} cannot be read: run notebook 04 again.") from None


def _model_readme(note: Mapping[str, Any], card: str) -> str:
    """The card of a model with its front matter.

    The scores stay out of the front matter: they are of networks that never saw the tested person, not of
    this one.
    """
    from huggingface_hub import ModelCardData

    config, generated = note["config"], _is_generated(note)
    matter = ModelCardData(
        library_name="dianet-utils",
        tags=_tags(config, generated),
        datasets=[str(config["dataset"])],
        metrics=_METRICS,
        license=_licence(generated),
        license_name=_licence_name(generated),
    )
    return _readme(matter.to_yaml(), card, config, generated, _LOADING)


def dataset_files(run: str | Path) -> dict[str, bytes]:
    """The files of a dataset repository, by name: the predictions of a run folder and the clips they are of.

    ``clips.csv`` has clip, subject and emotion, once each. Raises InputError where there are no predictions.
    """
    run = Path(run)
    if not (run / "predictions.csv").is_file():
        raise InputError(
            f"{shown(run)} is no run folder with predictions.csv: 'dianet list' names those there are."
        )
    content = (run / "predictions.csv").read_bytes()
    files = {"predictions.csv": content, "clips.csv": _clips(run / "predictions.csv")}
    known = {name: run / name for name in ("config.json", "metrics.json")}
    files |= {name: path.read_bytes() for name, path in known.items() if path.is_file()}
    return {"README.md": _dataset_readme(run).encode(), **files}


def _clips(predictions: Path) -> bytes:
    try:
        table = pd.read_csv(predictions, dtype=str, keep_default_na=False)[["clip", "subject", "true"]]
    except (ValueError, KeyError):
        raise InputError(
            f"{shown(predictions)} is damaged: run the same again, which writes it anew."
        ) from None
    clips = table.drop_duplicates().rename(columns={"true": "emotion"})
    return clips.to_csv(index=False, lineterminator="\n").encode()


def _dataset_readme(run: Path) -> str:
    """The card of a run's predictions: a configuration for each table, so that the hub can show both."""
    from huggingface_hub import DatasetCardData

    config, generated = _config(run), is_generated(run)
    tables = [{"config_name": name, "data_files": f"{name}.csv"} for name in ("predictions", "clips")]
    matter = DatasetCardData(
        pretty_name=f"Predictions of {run.name}",
        tags=_tags(config, generated),
        configs=tables,
        license=_licence(generated),
        license_name=_licence_name(generated),
    )
    return _readme(matter.to_yaml(), f"# Predictions: {run.name}\n\n{_TABLES}", config, generated)


def is_generated(run: str | Path) -> bool:
    """Whether all that a run folder holds is known to come from generated faces alone.

    The mark ``synthetic`` is not enough: it stands where any clip was generated.
    """
    told = []
    if (record := Path(run) / "metrics.json").is_file():
        scores = _mapping(record)
        told.append(scores.get("synthetic") is True and scores.get("dataset") == "synthetic")
    if (note := Path(run) / "model" / saved.NOTE).is_file():
        told.append(_is_generated(saved.read_note(note.parent)))
    return bool(told) and all(told)


def _is_generated(note: Mapping[str, Any]) -> bool:
    """The same of a model, by the title of its clips, in which " + " joins the datasets of a composite."""
    title, marked = str(note["about"]["trained_on"]), note["about"]["synthetic"] is True
    return marked and title.startswith(paper.TITLES["synthetic"]) and " + " not in title


def _config(run: Path) -> dict[str, Any]:
    path = run / "config.json"
    return _mapping(path, "config")["config"] if path.is_file() else {}


def _mapping(path: Path, *needed: str) -> dict[str, Any]:
    """What a JSON file of a run holds by name; InputError where it is something else."""
    held = read_json(path)
    if not isinstance(held, dict) or any(not isinstance(held.get(name), dict) for name in needed):
        raise InputError(f"{shown(path)} is not that of a run: run it again.")
    return held


def _licence(generated: bool) -> str:
    return "mit" if generated else "other"


def _licence_name(generated: bool) -> str | None:
    return None if generated else "that-of-the-data"


def _tags(config: Mapping[str, Any], generated: bool) -> list[str]:
    leaky = config.get("validation") == LEAKY
    alone = config.get("split", LOSO) == LOSO
    return [*_TAGS, *["leave-one-subject-out"] * alone, *["synthetic"] * generated, *["leaky"] * leaky]


def _readme(matter: str, text: str, config: Mapping[str, Any], generated: bool, end: str = "") -> str:
    parts = [text.strip()]
    parts += [_LEAKY] if config.get("validation") == LEAKY else []
    parts += [] if generated else [f"## Licence\n\n{_BINDS}"]
    return f"---\n{matter}\n---\n\n" + "\n\n".join([*parts, *filter(None, [end.strip()])]) + "\n"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


_LOADING = """## Loading it

```python
from huggingface_hub import snapshot_download
from dianet_utils.models import saved

kept = saved.load(snapshot_download("OWNER/NAME"))  # the name of this repository
```"""
_TABLES = """`predictions.csv` has one row per clip and seed: clip, subject, seed, true and predicted emotion,
and one probability per class. Each clip was predicted by a network that had not trained on its subject.
`clips.csv` has the clip, its subject and its emotion; `config.json` every setting; `metrics.json` the scores,
with intervals over subjects."""
