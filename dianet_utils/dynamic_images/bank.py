"""The dynamic images of a whole table of clips: made once, in parallel, and kept on disk."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.config.checks import Check, Choice, Names, Whole, check_all
from dianet_utils.config.choices import INPUTS, SCALINGS, WEIGHTINGS
from dianet_utils.dynamic_images.clip import Recipe, Source, clip_images
from dianet_utils.dynamic_images.store import Store
from dianet_utils.plumbing import files, locks, machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.progress import Progress


@dataclass(frozen=True, eq=False)
class Bank:
    """The images of a table of clips, row for row.

    ``images`` is [clip, phase, 3, H, W], channels in the order R, G, B: uint8 for the scaling
    ``"minmax"``, float32 in -1..1 for ``"signed"``. ``clips`` is the clip table in the same order.
    ``shifted`` holds the images of the same clips with the apex some frames later, by the number of frames.
    """

    images: npt.NDArray[Any]
    clips: pd.DataFrame
    phases: tuple[str, ...]
    scaling: str
    shifted: dict[int, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def classes(self) -> list[str]:
        """The emotions that occur, sorted; their positions are the targets."""
        return sorted(self.clips["emotion"].unique())

    @property
    def targets(self) -> npt.NDArray[np.int64]:
        """The class of each clip as its position in ``classes``: int64 [clip]."""
        return np.searchsorted(self.classes, self.clips["emotion"].to_numpy(str)).astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of images, clip ids, labels and phases in hexadecimal: what a run's numbers depend on.

        Labels are the emotions, and the genders where the table has them.
        """
        labels = [self.clips[name].tolist() for name in ("emotion", "gender") if name in self.clips]
        names = [self.clips.index.tolist(), *labels, self.phases, self.scaling]
        digest = hashlib.sha256(json.dumps([*names, self.images.shape]).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        for frames, images in sorted(self.shifted.items()):
            digest.update(str(frames).encode())
            digest.update(np.ascontiguousarray(images).data)
        return digest.hexdigest()


def build_bank(
    clips: pd.DataFrame,
    phases: Sequence[str] = ("onset", "offset"),
    size: int = 224,
    weighting: str = "arp",
    temporal: int | None = None,
    scaling: str = "minmax",
    cache: str | Path | None = None,
    workers: int = 0,
    shown: bool = True,
) -> Bank:
    """The images of every clip, from the cache where it holds them.

    Finished clips are kept at once, so a build that was killed goes on where it stopped, and a cached file
    that is damaged or belongs to other frames is made again. A second process that wants the same bank waits
    for the first; banks that nothing has read for
    :data:`~dianet_utils.dynamic_images.store.KEPT_DAYS` days are removed. Annotated frames without a file are
    passed over and the clip is named.

    Args:
        clips: The clip table, as :func:`dianet_utils.datasets.select` keeps it.
        phases: Among ``whole``, ``onset``, ``offset``, or inputs of other systems: ``active`` (OrigiNet's
            image, grey), ``affective`` (AffectiveNet's, as assumed), ``flow_onset`` and ``flow_offset``
            (optical flow from onset to apex and from apex to offset: u, v and length; ``flow`` is the first).
        size: Pixels per side of the square images.
        weighting: Of the first three phases: ``arp`` (Eq. 1-3), ``harmonic`` or ``rank``.
        temporal: The number of frames to which each input is normalised first, but not flow, which needs two
            frames; None for as recorded.
        scaling: ``minmax`` (flow: about mid grey, see
            :func:`~dianet_utils.dynamic_images.images.scale_centred`) or ``signed``.
        cache: The folder that keeps images; None for ``banks`` in
            :func:`~dianet_utils.plumbing.files.cache`.
        workers: Threads that decode; 0 for one per usable core. The result is the same for any number.
        shown: Whether to print progress.

    Returns:
        The bank, its rows in the order of ``clips``.

    Raises:
        InputError: Listing every clip that cannot be used, or every frame that cannot be read, at once; and
            at the first file that cannot be written.

    Example:
        Min-max scaling stretches each image to 0..255 by itself.

        >>> from tempfile import TemporaryDirectory
        >>> from dianet_utils import datasets, dynamic_images, synthetic
        >>> small = {"subjects": 3, "clips_per_emotion": 1, "size": 48, "duration": (16, 20)}
        >>> settings = synthetic.Settings(**small, emotions=("disgust", "surprise"))
        >>> with TemporaryDirectory() as folder:
        ...     root = synthetic.generate(settings, folder + "/clips", workers=1, shown=False)
        ...     clips = datasets.load("synthetic", root)
        ...     bank = dynamic_images.build_bank(clips, size=32, cache=folder + "/banks", shown=False)
        >>> bank.images.shape, bank.images.dtype.name
        ((6, 2, 3, 32, 32), 'uint8')
        >>> set(bank.images.min((2, 3, 4)).flat) == {0}, set(bank.images.max((2, 3, 4)).flat) == {255}
        (True, True)
    """
    given = {"phases": list(phases), "size": size, "weighting": weighting, "temporal": temporal}
    checked = check_all({**given, "scaling": scaling, "workers": workers}, _CHECKS)
    threads = checked.pop("workers") or machine.cores()
    recipe = Recipe(**checked)
    sources = _sources(clips, recipe)
    if shown:
        _print_notices(sources, recipe)
    store = Store(Path(cache or files.cache() / "banks"), recipe, sources)
    with locks.alone(store.folder, f".{store.key}{locks.NAME}"):
        images = store.load()
        if images is None:
            images = store.save(_build(sources, recipe, store, threads, shown))
    return Bank(images, clips, recipe.phases, recipe.scaling)


_CHECKS: dict[str, Check] = {
    "phases": Names(INPUTS),
    "size": Whole(1, 4096),
    "weighting": Choice(*WEIGHTINGS),
    "temporal": Whole(2, 10_000, optional=True),
    "scaling": Choice(*SCALINGS),
    "workers": Whole(0, 1024),
}


def _sources(clips: pd.DataFrame, recipe: Recipe) -> list[Source]:
    """The files of every clip; one InputError for all clips that cannot be used."""
    if clips.empty or not clips.index.is_unique:
        raise InputError("Dynamic images need a table of clips with at least one row and no clip twice.")
    folders = [folder for folder in clips["frames"] if folder]
    if folders and not any(Path(folder).is_dir() for folder in folders):
        raise InputError("\n".join(_vanished(folders)))
    sources, problems = [], []
    for name, clip in clips.iterrows():
        problem = _row_problem(clip)
        try:
            source = None if problem else Source.of(clip)
        except InputError as error:
            source, problem = None, str(error)
        if source is not None:
            sources.append(source)
            bare = [phase for phase, count in source.counts(recipe.phases).items() if count == 0]
            problem = f"no file for any frame of the phase {', '.join(bare)}" if bare else ""
        problems += [f"{name}: {problem}"] if problem else []
    if problems:
        raise InputError(_listing("clips cannot be used; datasets.select leaves them out", problems))
    return sources


def _row_problem(clip: pd.Series) -> str:
    """Why a row of the clip table can have no dynamic images, or ""."""
    numbers = [clip["onset"], clip["apex"], clip["offset"]]
    if clip["problem"]:
        return str(clip["problem"])
    if any(pd.isna(number) for number in numbers) or sorted(numbers) != numbers:
        return f"onset, apex and offset are {', '.join(map(str, numbers))}, not three rising numbers"
    return "" if clip["frames"] else "no folder of frames was found"


def _print_notices(sources: Sequence[Source], recipe: Recipe) -> None:
    """Name the clips whose images are made of fewer frames than annotated, or are blank."""
    short, blank = [], []
    for source in sources:
        missing = source.moments.offset - source.moments.onset + 1 - len(source.files)
        short += [f"{source.clip.name} ({missing})"] if missing else []
        counts = source.counts(recipe.phases)
        blank += [f"{source.clip.name} ({name})" for name, count in counts.items() if count <= _still(name)]
    if short:
        print(f"Annotated frames without a file are passed over: {', '.join(short)}.")
    if blank:
        print(f"Too few frames for more than a blank dynamic image: {', '.join(blank)}.")


def _still(name: str) -> int:
    """The most frames that still show no motion in an input."""
    return 2 if name == "active" else 1


def _build(
    sources: Sequence[Source], recipe: Recipe, store: Store, threads: int, shown: bool
) -> npt.NDArray[Any]:
    """Make the images of all clips in ``threads`` threads, keeping each as it is done."""
    images = np.empty((len(sources), *recipe.shape), recipe.kind)
    progress = Progress(len(sources), "clips", "dynamic images", shown=shown)
    problems: list[str] = []
    with machine.one_opencv_thread(), ThreadPoolExecutor(threads) as pool:
        tasks = [
            pool.submit(_fill, place, source, recipe, store)
            for place, source in zip(images, sources, strict=True)
        ]
        try:
            for task in as_completed(tasks):
                try:
                    task.result()
                except files.DiskError:
                    raise
                except InputError as error:
                    problems += str(error).splitlines()
                progress.advance()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)  # an interrupt does not wait for the rest
    if problems:
        told = _vanished(source.clip["frames"] for source in sources) or sorted(problems)
        raise InputError(_listing("problems stop this bank; the clips that are done are kept", told))
    return images


def _vanished(folders: Iterable[str]) -> list[str]:
    """A sentence for each folder that is not there any more, in place of one for each clip or frame in it."""
    gone: Counter[Path] = Counter()
    for folder in map(Path, folders):
        if not folder.is_dir():
            gone[next(path for path in (folder, *folder.parents) if path.parent.is_dir())] += 1
    return [
        f"The folder {files.shown(path)} is not there any more, and {count} clips need it: bring it back and "
        "run the same again; what was finished before is kept."
        for path, count in gone.items()
    ]


def _fill(place: npt.NDArray[Any], source: Source, recipe: Recipe, store: Store) -> None:
    """Put one clip's images into ``place`` [phase, 3, H, W], from its part or from its frames."""
    name = str(source.clip.name)
    images = store.load_part(name)
    if images is None:
        images = clip_images(source, recipe)
        store.save_part(name, images)
    place[...] = images


def _listing(what: str, lines: Sequence[str]) -> str:
    return lines[0] if len(lines) == 1 else "\n".join([f"{len(lines)} {what}:", *lines])
