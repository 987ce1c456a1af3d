"""One clip on disk: what its dynamic images depend on, and how they are made from its files."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.config.choices import FLOWS, PHASES
from dianet_utils.datasets import face_finder
from dianet_utils.datasets.boxes import Box
from dianet_utils.datasets.frames import clip_box, index_frames, read_frame
from dianet_utils.dynamic_images.flow import optical_flow
from dianet_utils.dynamic_images.images import (
    exact_kind,
    grey,
    scale_centred,
    scale_minmax,
    scale_signed,
    weighted_sums,
)
from dianet_utils.dynamic_images.lbp import as_image, lbp_top, small_grey
from dianet_utils.dynamic_images.rank import gram, rank_weights
from dianet_utils.dynamic_images.weights import (
    Integers,
    Moments,
    Reals,
    phase_weights,
    resample,
    whole_numbers,
)
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

Frame = npt.NDArray[np.uint8]

# Part of every key: raise it whenever the same files would give other images.
VERSION = 2


@dataclass(frozen=True)
class Recipe:
    """How each clip of a bank is turned into images."""

    phases: tuple[str, ...]
    size: int
    weighting: str
    temporal: int | None
    scaling: str

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of one clip's images: [phase, 3, size, size]."""
        return (len(self.phases), 3, self.size, self.size)

    @property
    def kind(self) -> npt.DTypeLike:
        """The type of the images: uint8 for min-max, float32 for signed."""
        return np.dtype(np.uint8 if self.scaling == "minmax" else np.float32)


@dataclass(frozen=True)
class Source:
    """The frames onset..offset of one clip that have a file, and what identifies them."""

    clip: pd.Series = field(repr=False)
    files: list[Path]
    moments: Moments

    @classmethod
    def of(cls, clip: pd.Series) -> "Source":
        """Find the files of a row of the clip table; raises InputError if its folder cannot be listed."""
        onset, apex, offset = (int(clip[name]) for name in ("onset", "apex", "offset"))
        index = {n: path for n, path in index_frames(clip["frames"]).items() if onset <= n <= offset}
        return cls(clip, list(index.values()), Moments(np.array(list(index), np.int64), onset, apex, offset))

    def counts(self, phases: tuple[str, ...]) -> dict[str, int]:
        """How many files each phase has."""
        return {phase: int(self.moments.within(phase).sum()) for phase in phases}

    def key(self, recipe: Recipe) -> str:
        """Names this clip's images: a hash of the recipe, the annotation and each file's name, size and time.

        The folder's place does not enter, so a dataset that is moved as it is keeps its images.
        """
        given = [VERSION, asdict(recipe), *self.identity()]
        return hashlib.sha256(json.dumps(given).encode()).hexdigest()

    def identity(self) -> list[Any]:
        """What tells this clip from others: name, annotation, crop, finder, each file's name, size, time."""
        stats = [(path.name, (stat := _stat(path)).st_size, stat.st_mtime_ns) for path in self.files]
        _, onset, apex, offset = self.moments
        crop = self.clip["crop"]
        made = crop if crop == "none" else f"{crop}, {face_finder.name()}"
        return [str(self.clip.name), onset, apex, offset, made, stats]

    def frames(self) -> Iterator[Frame]:
        """Decode the frames one after another, cropped to the clip's one box, as RGB uint8 [H, W, 3]."""
        box: Box | None = clip_box(self.clip)
        size: tuple[int, ...] = ()
        for path in self.files:
            frame = read_frame(path)
            size = size or frame.shape
            if frame.shape != size:
                raise InputError(_of_another_size(path, frame.shape, size))
            yield frame if box is None else box.of(frame)


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise InputError(f"Cannot read the frame {shown(path)}: {error.strerror}.") from None


def clip_images(source: Source, recipe: Recipe) -> npt.NDArray[Any]:
    """All images of one clip from one pass over its files: [phase, 3, size, size], see :func:`frames_images`.

    Raises InputError naming every frame that cannot be read.
    """
    try:
        return frames_images(source.frames(), source.moments, recipe)
    except InputError as error:
        raise InputError("\n".join(_unreadable(source) or [f"{source.clip.name}: {error}"])) from None


def frames_images(given: Iterable[Frame], moments: Moments, recipe: Recipe) -> npt.NDArray[Any]:
    """All images of one clip from its cropped frames, T arrays [H, W, 3]: [phase, 3, size, size].

    Frames go from the decoder into the sums at the size they have; only the finished images are
    resized, so no rounding comes before the subtraction that a dynamic image is. Optical flow keeps the
    frames it needs; rank pooling alone needs all frames of the clip in memory.
    """
    ends: dict[int, Frame] = {}
    textures: list[Frame] = []
    flows = _flow_ends(moments, recipe)
    frames = _keeping(given, {place for pair in flows.values() for place in pair}, ends)
    if "lbp_top" in recipe.phases:
        frames = _with_textures(frames, textures)
    if recipe.weighting == "rank":
        held = list(frames)
        rows = _rank_rows(held, moments, recipe)
        sums = weighted_sums(held, rows)
    else:
        rows = _rows(moments, recipe)
        sums = weighted_sums(frames, rows)
    # Each sum in the type that it would have alone, so that what else a bank holds rounds nothing otherwise.
    exact = [total.astype(exact_kind(row[None]), copy=False) for total, row in zip(sums, rows, strict=True)]
    images = [
        optical_flow(*(ends[place] for place in flows[name])) if name in flows else total
        for name, total in zip(recipe.phases, exact, strict=True)
    ]
    finished = [_finished(*pair, recipe) for pair in zip(recipe.phases, images, strict=True)]
    if textures:
        finished[recipe.phases.index("lbp_top")] = as_image(lbp_top(np.stack(textures)), recipe.size)
    return np.stack(finished)


def _with_textures(frames: Iterable[Frame], kept: list[Frame]) -> Iterator[Frame]:
    """Hand the frames on and put a small grey copy of each into ``kept``."""
    for frame in frames:
        kept.append(small_grey(frame))
        yield frame


def _flow_ends(moments: Moments, recipe: Recipe) -> dict[str, tuple[int, int]]:
    """The positions of the first and the last frame of each optical flow that the recipe asks for."""
    inside = {name: np.flatnonzero(moments.within(name)) for name in recipe.phases if name in FLOWS}
    return {name: (int(places[0]), int(places[-1])) for name, places in inside.items()}


def _keeping(frames: Iterable[Frame], positions: set[int], kept: dict[int, Frame]) -> Iterator[Frame]:
    """Hand the frames on and put those at ``positions`` into ``kept``."""
    for position, frame in enumerate(frames):
        if position in positions:
            kept[position] = frame
        yield frame


def _rows(moments: Moments, recipe: Recipe) -> Integers:
    """One row of whole numbers per input; its unit does not matter to an image scaled by its own range."""
    weights = (phase_weights([name], moments, recipe.weighting, recipe.temporal) for name in recipe.phases)
    return np.stack([whole_numbers(row)[0] for (row,) in weights])


def _rank_rows(frames: list[Frame], moments: Moments, recipe: Recipe) -> Integers:
    """The weights of rank pooling, one row per input: it ranks the frames of a phase among themselves."""
    products = gram(frames)
    rows = _rows(moments, replace(recipe, weighting="arp"))
    for row, phase in zip(rows, recipe.phases, strict=True):
        parts = ("onset", "offset") if phase == "tent" else (phase,)
        if set(parts) <= set(PHASES):
            weights = [_rank_row(products, moments, part, recipe.temporal) for part in parts]
            row[:] = whole_numbers(np.sum(weights, axis=0))[0]
    return rows


def _rank_row(products: Reals, moments: Moments, phase: str, temporal: int | None) -> Reals:
    """The weights [T] of rank pooling in one phase, 0 outside it; ``products`` are those of ``gram``."""
    inside = moments.within(phase)
    inner = products[np.ix_(inside, inside)]
    if temporal is None:
        weights = rank_weights(inner)
    else:
        folded = resample(int(inside.sum()), temporal)
        weights = rank_weights(folded @ inner @ folded.T / (temporal - 1) ** 2) @ folded
    row = np.zeros(len(inside))
    row[inside] = -weights if phase == "offset" else weights
    return row


def _finished(name: str, image: npt.NDArray[Any], recipe: Recipe) -> npt.NDArray[Any]:
    """One input from its sum or its flow [H, W, 3]: resized by area averaging and scaled, [3, H, W]."""
    if name == "active":
        image = grey(image)
    resized = cv2.resize(image, (recipe.size, recipe.size), interpolation=cv2.INTER_AREA)
    minmax = scale_centred if name in FLOWS else scale_minmax
    return (minmax if recipe.scaling == "minmax" else scale_signed)(resized).transpose(2, 0, 1)


def _of_another_size(path: Path, size: tuple[int, ...], first: tuple[int, ...]) -> str:
    return (
        f"The frame {shown(path)} is {size[1]} x {size[0]} pixels but the first of its clip is "
        f"{first[1]} x {first[0]}: restore it from the release."
    )


def _unreadable(source: Source) -> list[str]:
    """A sentence for each frame of the clip that cannot be read, or is of another size than the first."""
    problems = []
    size: tuple[int, ...] = ()
    for path in source.files:
        try:
            shape = read_frame(path).shape
        except InputError as error:
            problems.append(str(error))
            continue
        size = size or shape
        if shape != size:
            problems.append(_of_another_size(path, shape, size))
    return problems
