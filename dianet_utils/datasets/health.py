"""Is a copy of a dataset whole? Everything that is wrong with it, found in one pass, with what to do."""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dianet_utils.datasets.clips import EMOTIONS, FRAME_NUMBERS, disorder
from dianet_utils.datasets.decoding import misnamed
from dianet_utils.datasets.frames import (
    NoFaceError,
    clip_box,
    face_box,
    frame_number,
    index_frames,
    read_frame,
)
from dianet_utils.datasets.provenance import is_own
from dianet_utils.plumbing.errors import InputError

_RESTORE = "restore it from the release"
_LONGEST = 1.0  # seconds, twice as long as a micro-expression lasts at most


class Finding(NamedTuple):
    """One row of the report: an "error" is a fault of this copy, a "warning" bears on a clip's use."""

    severity: str
    clip: str
    problem: str
    remedy: str


def health(clips: pd.DataFrame, decode: bool = False) -> pd.DataFrame:
    """Everything that is wrong or remarkable: columns severity, clip ("" for the dataset), problem, remedy.

    Images are decoded at the onset, apex and offset only, or all of them with ``decode``. Where frames are
    not cropped, a face is looked for in that of the apex. Sorted by severity: "error", "warning", "note".
    """
    findings = [Finding("note", "", note, "") for note in clips.attrs.get("notes", [])]
    findings += [Finding("note", "", text, "mended when read") for text in clips.attrs.get("corrections", [])]
    findings += [Finding("warning", "", text, _RESTORE) for text in clips.attrs.get("warnings", [])]
    findings += _classes(clips)
    findings += _shared_folders(clips)
    rows = [row for _, row in clips.iterrows()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # image decoders release the interpreter lock
        for found in pool.map(lambda row: list(_clip(row, decode)), rows):
            findings += found
    return _report(findings)


def report_error(error: InputError) -> pd.DataFrame:
    """The report on a dataset that could not be loaded: a row for each line of the error."""
    return _report([Finding("error", "", line, "") for line in str(error).splitlines()])


def _report(findings: list[Finding]) -> pd.DataFrame:
    order = ("error", "warning", "note")
    findings = sorted(findings, key=lambda finding: order.index(finding.severity))
    return pd.DataFrame(findings, columns=list(Finding._fields))


def _classes(clips: pd.DataFrame) -> Iterator[Finding]:
    """Classes that no dataset has; those of a table of the user's own are listed, whatever they are."""
    sizes = Counter(clips["emotion"])
    if is_own(clips):
        listed = ", ".join(f"{emotion} ({sizes[emotion]})" for emotion in sorted(sizes) if emotion)
        yield Finding("note", "", f"classes, with their clips: {listed}", "check the spelling")
        return
    for emotion, size in sizes.items():
        if emotion and emotion not in EMOTIONS:
            problem = f"unusual class '{emotion}' (clips: {size})"
            yield Finding("warning", "", problem, f"known are {', '.join(EMOTIONS)}: check the spelling")


def _shared_folders(clips: pd.DataFrame) -> Iterator[Finding]:
    """Folders that several clips use, unless they are parts of one recording that share no frame."""
    for folder, group in clips[clips["frames"] != ""].groupby("frames"):
        if len(group) > 1 and not _follow_each_other(group):
            problem = (
                f"the same folder of frames, {Path(str(folder)).name}, is used by {', '.join(group.index)}"
            )
            yield Finding("error", "", problem, "remove or correct all rows but one in the sheet")


def _follow_each_other(group: pd.DataFrame) -> bool:
    """Whether no frame belongs to two of the clips."""
    ends = group[["onset", "offset"]].dropna().sort_values("onset")
    return bool((ends["onset"].iloc[1:].to_numpy() > ends["offset"].iloc[:-1].to_numpy()).all())


def _clip(clip: pd.Series, decode: bool) -> Iterator[Finding]:
    """All findings of one clip."""
    name = str(clip.name)
    if clip["problem"]:
        yield Finding("warning", name, clip["problem"], "left out; correct the sheet or the folder to use it")
    yield from _duration(clip)
    order = disorder(clip)
    if order:
        yield Finding("warning", name, order, "left out, as a phase needs two frames")
    if not clip["frames"]:
        if "two folders" not in clip["problem"]:
            yield Finding("error", name, "no folder of frames was found", "unpack its frames again")
        return
    try:
        frames = index_frames(clip["frames"])
    except InputError as error:
        if not clip["problem"]:  # otherwise it is in there
            yield Finding("error", name, str(error), "load the dataset again")
        return
    yield from _files(clip, frames)
    yield from _folder(clip)
    yield from _images(clip, frames, decode)
    if clip["crop"] != "none" and frames:
        yield from _face(clip, frames)


def _duration(clip: pd.Series) -> Iterator[Finding]:
    """A clip that is too long for a micro-expression, by its release's frame rate; no rate, no finding."""
    seconds = (clip["offset"] - clip["onset"]) / clip["fps"]
    if pd.notna(seconds) and seconds > _LONGEST:
        problem = (
            f"{seconds:.1f} s from onset to offset ({clip['offset'] - clip['onset'] + 1} frames at "
            f"{clip['fps']:g} per second), where a micro-expression lasts half a second"
        )
        yield Finding(
            "note", str(clip.name), problem, "kept; look at it, or leave it out by selection=exclude=..."
        )


def _face(clip: pd.Series, frames: dict[int, Path]) -> Iterator[Finding]:
    """A clip that is to be cropped and shows no face at its apex, nor where the crop looks."""
    path = frames.get(-1 if pd.isna(clip["apex"]) else int(clip["apex"]), next(iter(frames.values())))
    try:
        face_box(read_frame(path))
    except NoFaceError:
        with contextlib.suppress(InputError):
            if clip[["onset", "offset"]].notna().all() and clip_box(clip):
                return
        problem = f"no face was found, neither in {path.name} nor in other frames"
        yield Finding(
            "warning", str(clip.name), problem, "left out, as its frames are not cropped; look at them"
        )
    except InputError:  # an image that cannot be read is reported with the images
        return


def _files(clip: pd.Series, frames: dict[int, Path]) -> Iterator[Finding]:
    """Annotated frames that have no file."""
    name, known = str(clip.name), clip[FRAME_NUMBERS].dropna()
    absent = [f"{which} {number}" for which, number in known.items() if number not in frames]
    if not frames:
        yield Finding("error", name, "the folder of frames is empty", "unpack its frames again")
    elif absent:
        problem = f"no file for {', '.join(absent)} (the folder has {min(frames)} .. {max(frames)})"
        yield Finding("warning", name, problem, "the frames that are there are used")
    if frames and {"onset", "offset"} <= set(known.index):
        there = sum(known["onset"] <= number <= known["offset"] for number in frames)
        missing = known["offset"] - known["onset"] + 1 - there
        if missing > len(absent):
            problem = f"{missing} of the frames onset .. offset have no file"
            yield Finding("warning", name, problem, "unpack its frames again, if the release has them")


def _folder(clip: pd.Series) -> Iterator[Finding]:
    """Stray files, and a folder of emotions that contradicts the sheet."""
    folder = Path(clip["frames"])
    strays = sorted(item.name for item in folder.iterdir() if frame_number(item.name) is None)
    if strays:
        yield Finding("note", str(clip.name), f"files that are no frames: {', '.join(strays)}", "passed over")
    above = folder.parent.name.lower()
    named = {above, clip["emotion"]} <= set(EMOTIONS) if is_own(clip.to_frame().T) else above in EMOTIONS
    if named and above != clip["emotion"]:
        problem = f"its folder says {above}, its row {clip['emotion']}"
        yield Finding("warning", str(clip.name), problem, "the row is followed")


def _images(clip: pd.Series, frames: dict[int, Path], decode: bool) -> Iterator[Finding]:
    """Images that cannot be read, and sizes that differ within the clip."""
    endpoints = {int(number) for number in clip[FRAME_NUMBERS].dropna()}
    sizes: dict[tuple[int, int], list[str]] = {}
    for number, path in frames.items():
        if not decode and number not in endpoints:
            continue
        try:
            height, width = read_frame(path).shape[:2]
            sizes.setdefault((width, height), []).append(path.name)
        except InputError as error:
            fault, _, remedy = str(error).partition(path.name)[2].strip(" .").partition(": ")
            yield Finding("error", str(clip.name), f"{path.name} {fault}", remedy or _RESTORE)
            continue
        if kind := misnamed(path):
            problem = f"{path.name} is a {kind} file under another name"
            yield Finding("note", str(clip.name), problem, "read by its content")
    if len(sizes) > 1:
        listed = ", ".join(f"{width} x {height} ({names[0]})" for (width, height), names in sizes.items())
        yield Finding("error", str(clip.name), f"frames of different sizes: {listed}", _RESTORE)
