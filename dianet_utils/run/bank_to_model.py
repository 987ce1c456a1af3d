"""From clips to a run: the bank of images, the run's folder and title, and the model that is kept."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dianet_utils import datasets, loso
from dianet_utils.config import LEAKY_MARK, LOSO, Config
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, read_json
from dianet_utils.plumbing.locks import alone

if TYPE_CHECKING:
    import pandas as pd

    from dianet_utils.dynamic_images import Bank


def make_bank(
    clips: "pd.DataFrame", config: Config, workers: int = 0, shown: bool = True, shifts: Sequence[int] = ()
) -> "Bank":
    """The bank of dynamic images that a configuration needs, from the cache where it is there.

    Genders stay with the clips only for a system that learns them: no other run depends on them.

    Args:
        clips: The clip table, as :func:`dianet_utils.datasets.select` keeps it.
        config: The configuration.
        workers: Threads that decode; 0 for one per usable core.
        shown: Whether to print progress.
        shifts: Frames by which the apex of every clip is moved, each in images of its own beside the others;
            an apex jitter of the configuration adds its own.

    Returns:
        The bank, from :func:`dianet_utils.dynamic_images.build_bank`.

    Raises:
        InputError: For every clip or frame that cannot be used, at once.

    Example:
        One image per input of the configuration:

        >>> from tempfile import TemporaryDirectory
        >>> from dianet_utils import datasets, run, synthetic
        >>> small = {"subjects": 3, "clips_per_emotion": 1, "size": 48, "duration": (16, 20)}
        >>> settings = synthetic.Settings(**small, emotions=("disgust", "surprise"))
        >>> config = run.config_of({"inputs": ("whole", "onset"), "image_size": 32})
        >>> with TemporaryDirectory() as folder:
        ...     clips = datasets.load("synthetic", synthetic.generate(settings, folder, 1, shown=False))
        ...     bank = run.make_bank(clips, config, shown=False)
        >>> bank.phases, bank.images.shape, bank.classes
        (('whole', 'onset'), (6, 2, 3, 32, 32), ['disgust', 'surprise'])
    """
    from dianet_utils.dynamic_images import jitter_shifts, shift_apex

    bank = _bank(clips, config, workers, shown)
    moved = sorted({*shifts, *jitter_shifts(config.apex_jitter)} - {0})
    if not moved:
        return bank
    images = {frames: _bank(shift_apex(clips, frames), config, workers, shown).images for frames in moved}
    return replace(bank, shifted=images)


def _bank(clips: "pd.DataFrame", config: Config, workers: int, shown: bool) -> "Bank":
    from dianet_utils.dynamic_images import build_bank

    return build_bank(
        clips if config.uses_gender else clips.drop(columns="gender", errors="ignore"),
        phases=config.inputs,
        size=config.image_size,
        weighting=config.weighting,
        temporal=config.temporal,
        scaling=config.scaling,
        workers=workers,
        shown=shown,
    )


def run_folder(bank: "Bank", config: Config, out: str | None = None) -> Path:
    """Where a run is kept: ``out`` when given (``~`` is home), else results/<dataset>/<run name>.

    A leaky run does not go into ``out`` itself but into a folder below it that says what it is.
    """
    if out is None:
        return RESULTS / config.dataset / loso.run_name(bank, config)
    place = Path(out).expanduser()
    return place / LEAKY_MARK if config.leaky and LEAKY_MARK not in place.name else place


def title(clips: "pd.DataFrame", config: Config) -> str:
    """The dataset's name for figures and tables; it says another split, and where the test subject chose."""
    name = datasets.title(clips)
    if config.split != LOSO:
        name = f"{name}, split {config.split}"
    return f"{name}, LEAKY: epoch chosen on the test subject" if config.leaky else name


def keep_model(bank: "Bank", config: Config, folder: Path, device: str = "auto") -> Path:
    """The model of a run folder, in ``folder/model``: trained on all subjects if it is not there yet.

    See :mod:`dianet_utils.models.saved`. Its card has the scores of the run, as far as ``folder`` holds them
    now; it is written anew, without another training, when they or the finder of faces have changed. A model
    or a card that is damaged is made again, which is said. A second process that is given the same folder
    waits for the first, and takes its model. Raises InputError if what lies there is the model of another
    configuration or of other data.
    """
    with alone(folder):
        return _keep_model(bank, config, folder, device)


def _keep_model(bank: "Bank", config: Config, folder: Path, device: str) -> Path:
    from dianet_utils.datasets import face_finder
    from dianet_utils.loso.training import train_model
    from dianet_utils.models import saved
    from dianet_utils.plumbing.machine import choose_device

    place, record = folder / "model", folder / "metrics.json"
    scores = read_json(record) if record.is_file() else None
    if kept := saved.load_or_none(place):
        if kept.config.as_json() != config.as_json() or kept.about["data_fingerprint"] != bank.fingerprint:
            raise InputError(f"{place} holds a model of other settings or other data: give another folder.")
        about = kept.about if kept.about.get("finder") == face_finder.name() else _origin(bank)
        if kept.about == about | {"loso": scores} and saved.has_card(kept):
            return place
        return saved.save(place, kept.model, config, bank.classes, about | {"loso": scores})
    fold = loso.everyone_fold(bank.clips, config.validation, seed=0)
    model, _ = train_model(bank, fold, config, choose_device(device))
    return saved.save(place, model, config, bank.classes, {**_origin(bank), "loso": scores})


def _origin(bank: "Bank") -> dict[str, Any]:
    """What a model's note says of the clips that it was trained on."""
    from dianet_utils.datasets import face_finder
    from dianet_utils.datasets.frames import framing_of

    framing = framing_of(bank.clips)
    return {
        "trained_on": datasets.title(bank.clips),
        "synthetic": datasets.is_synthetic(bank.clips),
        "clips": len(bank.clips),
        "subjects": int(bank.clips["subject"].nunique()),
        "data_fingerprint": bank.fingerprint,
        "framing": framing and list(framing),
        "finder": face_finder.name(),
    }
