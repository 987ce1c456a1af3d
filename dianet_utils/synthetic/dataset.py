"""A synthetic dataset on disk: generated once, resumed where it stopped, loaded as a clip table.

A dataset's folder holds::

    dataset.json                           settings and the generator's version; written first
    clips.csv  subjects.csv  truth.json    annotation; traits; the plans of all clips
    frames/s01/clip01/img0001.jpg ...      a clip's folder is there complete or not at all
    complete.json                          bytes of each clip's frames; written last
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dianet_utils.plumbing import files, locks
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.plan import ClipPlan, plan, traits_of
from dianet_utils.synthetic.settings import FRAME_RATE, VERSION, Settings, as_json, from_json
from dianet_utils.synthetic.writing import size_of, tidy, write_clips

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "clip",
    "subject",
    "emotion",
    "onset",
    "apex",
    "offset",
    "fps",
    "frames",
    "action_units",
    "crop",
    "problem",
    "missing_frames",
    "true_apex",
    "gender",
)


def generate(
    settings: Settings | None = None, out: str | Path | None = None, workers: int = 0, shown: bool = True
) -> Path:
    """Write a synthetic dataset and return its folder.

    Clips that are there and whole are kept. A second process that wants the same dataset waits for the first.

    Args:
        settings: Size and difficulty; None for the default ones.
        out: A new folder, or one that an earlier call with the same settings wrote or began; None for one
            named after the settings in ``synthetic`` of
            :func:`~dianet_utils.plumbing.files.cache`.
        workers: Processes that render (0: one per core; 1: this process alone), which changes no byte.
        shown: Whether to print progress.

    Returns:
        The absolute folder.

    Raises:
        InputError: If ``out`` holds something else or cannot be written.

    Example:
        One file per frame that is planned, and the second call finds nothing left to do.

        >>> from tempfile import TemporaryDirectory
        >>> from dianet_utils import synthetic
        >>> small = {"subjects": 3, "clips_per_emotion": 1, "size": 48, "duration": (16, 20)}
        >>> settings = synthetic.Settings(**small, emotions=("disgust", "surprise"))
        >>> with TemporaryDirectory() as folder:
        ...     root = synthetic.generate(settings, folder, workers=1, shown=False)
        ...     times = {path: path.stat().st_mtime_ns for path in root.glob("frames/*/*/*.jpg")}
        ...     again = synthetic.generate(settings, folder, workers=1, shown=False)
        ...     kept = times == {path: path.stat().st_mtime_ns for path in again.glob("frames/*/*/*.jpg")}
        >>> len(times) == sum(clip.offset for clip in synthetic.plan(settings)), kept
        (True, True)
    """
    settings = settings or Settings()
    out = Path(out) if out is not None else files.cache() / "synthetic" / settings.key
    _check_free(out)
    with locks.alone(out) as sole:
        _claim(out, settings)
        _complete(plan(settings), settings, out, workers, shown)
        tidy(out, sole)
    return out.resolve()


def _complete(clips: Sequence[ClipPlan], settings: Settings, out: Path, workers: int, shown: bool) -> None:
    """Write what the dataset in ``out`` lacks."""
    sizes = _recorded_sizes(out)
    missing = [clip for clip in clips if not _is_whole(clip, out, sizes)]
    _write_tables(clips, out)
    if missing:
        write_clips(missing, settings, out, workers, shown)
    if missing or not sizes:
        files.write_json(out / "complete.json", {clip.clip: size_of(clip, out) for clip in clips})


def _recorded_sizes(out: Path) -> dict[str, int]:
    """The bytes of each clip's frames as they were once written; empty without a record that can be read."""
    try:
        sizes = files.read_json(out / "complete.json")
    except FileNotFoundError:
        return {}
    except InputError as error:
        print(f"{error} The clips are checked anew.")
        return {}
    return sizes if isinstance(sizes, dict) else {}


def load(root: str | Path | None = None) -> "pd.DataFrame":
    """The clip table of a generated dataset, with ``true_apex`` and ``gender`` beside the common columns.

    ``root`` is a folder that ``generate`` made (a part that is missing is made again); None is the
    dataset of the default settings, generated on first use. ``clips.attrs["settings"]`` are its settings.
    Raises InputError if the folder is no synthetic dataset.
    """
    import pandas as pd

    from dianet_utils.datasets.clips import table

    folder = generate() if root is None else _made_whole(Path(root))
    genders = _read_table(folder / "subjects.csv")[["subject", "gender"]]
    clips = _read_table(folder / "clips.csv").merge(genders, on="subject", validate="many_to_one")
    clips["clip"] = clips["subject"] + "/" + clips["filename"]
    clips["frames"] = [str(folder / "frames" / clip) for clip in clips["clip"]]
    clips = clips.assign(crop="none", problem="", missing_frames=0)
    numbers = ["onset", "apex", "offset", "true_apex", "fps"]
    clips[numbers] = clips[numbers].apply(pd.to_numeric)
    records = [dict(zip(COLUMNS, row, strict=True)) for row in clips[list(COLUMNS)].itertuples(index=False)]
    return table(records, "synthetic", settings=files.read_json(folder / "dataset.json")["settings"])


def _check_free(out: Path) -> None:
    """Refuse a folder that holds something else than a dataset of ours, before anything is put into it."""
    if not out.exists():
        return
    # One look: between two, another process may have begun to generate there.
    names = {item.name for item in out.iterdir() if item.name[0] != "."} if out.is_dir() else {out.name}
    if names and "dataset.json" not in names:
        raise InputError(f"{files.shown(out)} holds something else than this dataset: give a new folder.")


def _claim(out: Path, settings: Settings) -> None:
    """Begin the dataset in ``out``, or make sure that it is the one that lies there."""
    description = {"name": "synthetic", "version": VERSION, "settings": as_json(settings)}
    if not (out / "dataset.json").is_file():
        files.write_json(out / "dataset.json", description)
        return
    found = _description(out)
    if found != description:
        raise InputError(
            f"{files.shown(out)} holds a synthetic dataset of {_difference(found, description)}: "
            "give another folder, or remove this one."
        )


def _description(root: Path) -> dict[str, Any]:
    """What ``dataset.json`` says; InputError if it is not of our making."""
    found = files.read_json(root / "dataset.json")
    if not isinstance(found, dict) or not isinstance(found.get("settings"), dict):
        raise InputError(f"{files.shown(root / 'dataset.json')} describes no synthetic dataset: remove it.")
    return found


def _is_whole(clip: ClipPlan, out: Path, sizes: Mapping[str, int]) -> bool:
    """Whether a clip's frames are all there, and of as many bytes as recorded (if they are)."""
    size = size_of(clip, out)
    return size is not None and size == sizes.get(clip.clip, size)


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """In what a dataset's description differs, for people."""
    if found.get("version") != wanted["version"]:
        return f"another version of the generator ({found.get('version')}, not {wanted['version']})"
    given, needed = found.get("settings", {}), wanted["settings"]
    names = [name for name in dict.fromkeys([*needed, *given]) if given.get(name) != needed.get(name)]
    return f"other settings ({', '.join(names)})"


def _made_whole(root: Path) -> Path:
    """The folder of a generated dataset, made whole if a part of it is missing."""
    if not (root / "dataset.json").is_file():
        raise InputError(f"{files.shown(root)} holds no synthetic dataset: give a folder that generate made.")
    return generate(from_json(_description(root)["settings"]), root)


def _read_table(path: Path) -> "pd.DataFrame":
    """A CSV file whose cells all stay text."""
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _write_tables(clips: Sequence[ClipPlan], out: Path) -> None:
    """Write clips.csv, subjects.csv and truth.json, unless they are there as the plan has them."""
    subjects = {clip.subject: {"subject": clip.subject, **_traits_row(clip)} for clip in clips}
    tables = {
        "clips.csv": _csv([_annotation(clip) for clip in clips]),
        "subjects.csv": _csv(list(subjects.values())),
        "truth.json": files.json_text({clip.clip: asdict(clip) for clip in clips}),
    }
    for name, text in tables.items():
        path = out / name
        if path.is_file() and path.read_bytes() == text.encode():
            continue
        if path.is_file():
            print(f"{files.shown(path)} was not as it was generated: it is written anew.")
        files.write_text(path, text)


def _annotation(clip: ClipPlan) -> dict[str, Any]:
    """A clip's row of clips.csv."""
    return {
        "subject": clip.subject,
        "filename": clip.filename,
        "emotion": clip.emotion,
        "onset": clip.onset,
        "apex": clip.apex,
        "offset": clip.offset,
        "true_apex": clip.true_apex,
        "fps": FRAME_RATE,
        "action_units": clip.coding,
    }


def _traits_row(clip: ClipPlan) -> dict[str, Any]:
    """The traits of a clip's subject as cells; colours as #rrggbb."""
    values = asdict(traits_of(clip))
    gains = {unit: round(gain, 3) for unit, gain in values["expressiveness"].items()}
    for name, value in values.items():
        if isinstance(value, tuple):
            values[name] = "#" + "".join(f"{min(round(255 * part), 255):02x}" for part in value)
        elif isinstance(value, float):
            values[name] = round(value, 4)
    return {**values, "expressiveness": json.dumps(gains)}


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
