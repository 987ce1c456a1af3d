"""The apex of a clip: found where nobody annotated it, moved to ask what another annotation would give.

It is looked for in the frames between onset and offset.

Two ways: how the picture differs from the onset frame, and how far the face has moved since, by optical
flow. Comparing every frame with the onset, over the parts of the face that move and without the eyes, which
blink, follows Liong et al., "Automatic apex frame spotting in micro-expression database" (ACPR 2015); the
weights, the removal of rigid motion, and the comparison with both ends of the clip are ours.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from dianet_utils.config.checks import Choice, check_all
from dianet_utils.datasets.boxes import face_weight
from dianet_utils.dynamic_images.clip import Frame, Source
from dianet_utils.dynamic_images.flow import optical_flow
from dianet_utils.dynamic_images.weights import Reals
from dianet_utils.plumbing import files, machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.progress import Progress

METHODS = ("midpoint", "difference", "flow")
VERSION = 1  # part of every key: raise it whenever the same files would give another apex

# Chosen on other synthetic subjects than the default dataset's (seeds 101 and 102).
_SIZE, _FLOW_SIZE, _FLOW_GRID = 96, 192, 48  # pixels: of differences; of frames for flow; of the flow kept
_BLUR = 1.0  # pixels of _SIZE
_SMOOTHING, _ENDS = 0.04, 0.05  # parts of the clip: deviation of the smoothing; frames that make up an end


class Spotted(NamedTuple):
    """The ``place`` of the apex among the frames (from 0) and the ``curve`` [T] that peaks there.

    The curve is how far each frame is from the straight line between both ends of the clip, a root mean
    square in grey levels (difference) or pixels (flow); for the midpoint it is blank.
    """

    place: int
    curve: Reals


def spot(frames: Iterable[Frame], method: str = "difference") -> Spotted:
    """The apex among a clip's frames onset .. offset, RGB uint8 [H, W, 3] of a cropped face, read once.

    ``difference`` compares grey frames of 96 pixels, ``flow`` the dense flow since the onset frame, about
    ten times as slow; both weigh the face without the eyes
    (:func:`~dianet_utils.datasets.boxes.face_weight`). What shift, turn, growth of the face and a change of
    light explain is taken out of each frame, so that a drifting head does not count. What is left at the
    offset grows along a straight line, which is subtracted: the apex is where the face is furthest from its
    way between the two ends. It is never the first or the last frame. Raises InputError for fewer than 3
    frames, and for frames of different sizes.
    """
    method = check_all({"method": method}, {"method": Choice(*METHODS)})["method"]
    if method == "midpoint":
        count = _enough(sum(1 for _ in frames))
        return Spotted((count - 1) // 2, np.zeros(count))
    curve = _bow(_CHANGES[method](_alike(frames)))
    return Spotted(1 + int(np.argmax(curve[1:-1])), curve)


def _alike(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The frames themselves, as long as all have the size of the first, and in the end are enough."""
    size: tuple[int, ...] = ()
    count = 0
    for frame in frames:
        count += 1
        size = size or frame.shape
        if frame.shape != size:
            raise InputError(
                f"Frames of {size[1]} x {size[0]} and {frame.shape[1]} x {frame.shape[0]} pixels "
                "in one clip cannot be compared."
            )
        yield frame
    _enough(count)


def _differences(frames: Iterable[Frame]) -> Reals:
    """The change of the weighted grey values since the onset, without rigid motion and light: [T, pixels]."""
    small = np.stack([_small_grey(frame) for frame in frames])
    first, weight = small[0].astype(float), face_weight(_SIZE)
    down, right = np.gradient(first)
    y, x = _centred(_SIZE)
    rigid = [right, down, x * down - y * right, x * right + y * down, first, np.ones_like(first)]
    return _without((small - small[0]) * weight, [image * weight for image in rigid])


def _flows(frames: Iterable[Frame]) -> Reals:
    """The weighted motion since the onset in pixels, without that of a stiff face: [T, 2 * pixels]."""
    frames = iter(frames)
    first = next(frames)
    moves = np.stack([_small_flow(first, frame) for frame in chain([first], frames)])
    weight = face_weight(_FLOW_GRID)[..., None]
    y, x = _centred(_FLOW_GRID)
    one, none = np.ones_like(x), np.zeros_like(x)
    rigid = [np.dstack(pair) for pair in ((one, none), (none, one), (-y, x), (x, y))]
    return _without(moves * weight, [field * weight for field in rigid])


_CHANGES: dict[str, Callable[[Iterable[Frame]], Reals]] = {"difference": _differences, "flow": _flows}


def _small_grey(frame: Frame) -> npt.NDArray[np.float32]:
    """A frame in grey at _SIZE pixels, a little blurred against noise."""
    small = cv2.resize(
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32),
        (_SIZE, _SIZE),
        interpolation=cv2.INTER_AREA,
    )
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _BLUR), np.float32)


def _small_flow(first: Frame, frame: Frame) -> npt.NDArray[np.float32]:
    """The flow (right, down) from ``first`` to ``frame`` in pixels of the given frames, on a coarse grid."""
    scale = min(1.0, _FLOW_SIZE / max(first.shape[:2]))
    before, after = (
        np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        for image in (first, frame)
    )
    flow = optical_flow(before, after)[..., :2] / scale
    return np.asarray(cv2.resize(flow, (_FLOW_GRID, _FLOW_GRID), interpolation=cv2.INTER_AREA))


def _centred(size: int) -> tuple[Reals, Reals]:
    """Rows and columns [size, size] counted from the middle, -1 to 1."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    return y, x


def _without(changes: npt.NDArray[Any], explained: list[npt.NDArray[Any]]) -> Reals:
    """What is left of each of ``changes`` [T, ...] after least squares on the ``explained`` ones: [T, N]."""
    flat = changes.reshape(len(changes), -1).astype(np.float64)
    axes, _ = np.linalg.qr(np.stack([each.ravel() for each in explained], axis=1).astype(np.float64))
    return flat - (flat @ axes) @ axes.T


def _bow(changes: Reals) -> Reals:
    """How far each frame is from the line between both ends, smoothed: root mean square, [T]."""
    count = len(changes)
    ends = max(1, round(_ENDS * count))
    first, last = changes[:ends].mean(axis=0), changes[-ends:].mean(axis=0)
    line = first + np.linspace(0, 1, count)[:, None] * (last - first)
    raw = np.sqrt(np.mean((changes - line) ** 2, axis=1))
    return _smoothed(raw, _SMOOTHING * count)


def _smoothed(curve: Reals, deviation: float) -> Reals:
    """A curve under a Gaussian of ``deviation`` frames, its ends repeated outwards."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(curve, deviation, mode="nearest"), np.float64)


def _enough(count: int) -> int:
    if count < 3:
        raise InputError(f"An apex lies between an onset and an offset: 3 frames or more, not {count}.")
    return count


def spot_clips(
    clips: pd.DataFrame,
    method: str = "difference",
    cache: str | Path | None = None,
    workers: int = 0,
    shown: bool = True,
) -> pd.DataFrame:
    """The table with the apex that ``method`` finds in place of its own, ``apex_source`` naming the method.

    Rows with a problem and clips with fewer than 3 files between onset and offset keep what they have.
    What was found is kept in ``cache`` (default ``spotted`` in :func:`~dianet_utils.plumbing.files.cache`)
    under a key of everything that went in. A note in ``clips.attrs`` says how many were spotted, and stands
    in the health report.
    """
    check_all({"method": method}, {"method": Choice(*METHODS)})
    sources = [Source.of(clip) for _, clip in clips.iterrows() if not clip["problem"] and clip["frames"]]
    sources = [source for source in sources if len(source.files) >= 3]
    path = Path(cache or files.cache() / "spotted") / f"{_key(sources, method)}.json"
    found = _kept(path, sources)
    if found is None:
        found = _spot_all(sources, method, workers or machine.cores(), shown)
        files.write_json(path, found)
    spotted = clips.copy()
    names = list(found)
    spotted.loc[names, "apex"] = pd.array([found[name] for name in names], dtype="Int64")
    spotted["apex_source"] = spotted.get("apex_source", "sheet")
    spotted.loc[names, "apex_source"] = method
    told = f"the apex of {len(found)} of {len(clips)} clips was spotted in their frames ({method})"
    spotted.attrs = {**clips.attrs, "notes": [*clips.attrs.get("notes", []), told]}
    return spotted


def _key(sources: list[Source], method: str) -> str:
    """Names what was spotted: a hash of the method and of all that tells the clips' frames."""
    given = [VERSION, method, [source.identity() for source in sources]]
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]


def _kept(path: Path, sources: list[Source]) -> dict[str, int] | None:
    """What an earlier call found, or None where there is nothing, or nothing that can be trusted."""
    try:
        found = files.read_json(path)
    except (OSError, ValueError):
        return None
    return found if list(found) == [str(source.clip.name) for source in sources] else None


def _spot_all(sources: list[Source], method: str, threads: int, shown: bool) -> dict[str, int]:
    """The number of the apex frame of each clip by name."""
    progress = Progress(len(sources), "clips", f"apex by {method}", every=30.0, shown=shown)
    found = {}
    with machine.one_opencv_thread(), ThreadPoolExecutor(threads) as pool:
        for source, apex in zip(sources, pool.map(lambda each: _apex_of(each, method), sources), strict=True):
            found[str(source.clip.name)] = apex
            progress.advance()
    return found


def _apex_of(source: Source, method: str) -> int:
    """The number of a clip's apex frame; the middle is that of onset and offset, whatever files there are."""
    onset, offset = source.moments.onset, source.moments.offset
    if method == "midpoint":
        return (onset + offset) // 2
    return int(source.moments.numbers[spot(source.frames(), method).place])


def shift_apex(clips: pd.DataFrame, frames: int) -> pd.DataFrame:
    """The table of clips with every apex ``frames`` later (negative: earlier), and a column ``clipped``.

    onset < apex < offset stays true: an apex that would leave the clip stops one frame inside it, and is
    ``clipped``. No clip may have an apex outside its ends to begin with, see ``datasets.select``.
    """
    shifted = clips.copy()
    moved = clips["apex"] + frames
    shifted["apex"] = np.maximum(clips["onset"] + 1, np.minimum(clips["offset"] - 1, moved))
    shifted["clipped"] = (shifted["apex"] != moved).astype(bool)
    shifted.attrs = dict(clips.attrs)
    return shifted


def jitter_shifts(jitter: int) -> tuple[int, ...]:
    """The shifts among which training with a jitter of so many frames draws: 0, half of it and all of it."""
    half = (jitter + 1) // 2
    return tuple(sorted({-jitter, -half, 0, half, jitter}))
