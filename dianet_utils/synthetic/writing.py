"""Rendering clips into files, in one process or several; a clip's folder is complete or absent.

A process that renders needs NumPy and OpenCV alone. Frames depend on the settings and their clip,
never on the process that renders them or on the order.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import cv2

from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import remove_partial, writing
from dianet_utils.plumbing.locks import UNGUARDED
from dianet_utils.plumbing.progress import Progress
from dianet_utils.synthetic.camera import to_jpeg
from dianet_utils.synthetic.plan import ClipPlan
from dianet_utils.synthetic.rendering import render_clip
from dianet_utils.synthetic.settings import Settings

ASIDE = ".partial"  # where a clip lies until it is whole
CLIPS_PER_JOB = 15  # all of one subject, so that its face is rendered once
STALE_SECONDS = 60  # after which half a clip that a killed process left is removed


def folder_of(clip: ClipPlan, out: Path) -> Path:
    """Where the frames of a clip lie in the dataset ``out``."""
    return out / "frames" / clip.subject / clip.filename


def size_of(clip: ClipPlan, out: Path) -> int | None:
    """Bytes of a clip's frames together, or None if one of them is missing or empty."""
    sizes = []
    for number in range(clip.onset, clip.offset + 1):
        try:
            sizes.append((folder_of(clip, out) / _name(number)).stat().st_size)
        except (FileNotFoundError, NotADirectoryError):
            return None
    return sum(sizes) if all(sizes) else None


def write_clips(clips: Sequence[ClipPlan], settings: Settings, out: Path, workers: int, shown: bool) -> None:
    """Render clips into ``out`` by ``workers`` processes (0: one per core; 1: this one)."""
    if workers < 0:
        raise InputError(f"workers must be 0 (one per core) or more, not {workers}.")
    jobs = _jobs(clips)
    workers = min(workers or machine.cores(), len(jobs))
    progress = Progress(len(clips), "clips", "Generating synthetic clips", shown=shown)
    for finished in _here(jobs, settings, out) if workers == 1 else _in_pool(jobs, settings, out, workers):
        for _ in range(finished):
            progress.advance()


def _name(number: int) -> str:
    """The file name of a frame."""
    return f"img{number:04d}.jpg"


def _jobs(clips: Sequence[ClipPlan]) -> list[list[ClipPlan]]:
    """Clips in small groups, each of one subject."""
    by_subject: dict[str, list[ClipPlan]] = {}
    for clip in clips:
        by_subject.setdefault(clip.subject, []).append(clip)
    return [
        group[first : first + CLIPS_PER_JOB]
        for group in by_subject.values()
        for first in range(0, len(group), CLIPS_PER_JOB)
    ]


def _here(jobs: Sequence[list[ClipPlan]], settings: Settings, out: Path) -> Iterator[int]:
    """Do the jobs in this process; after each clip, 1."""
    for job in jobs:
        for clip in job:
            yield _do([clip], settings, out)


def _in_pool(jobs: Sequence[list[ClipPlan]], settings: Settings, out: Path, workers: int) -> Iterator[int]:
    """Do the jobs in processes of one thread each; after each job, how many clips it had."""
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker) as pool:
        futures = [pool.submit(_do, job, settings, out) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            raise InputError(
                "A process that generates synthetic clips ended early: call generate again and it goes on "
                f"where it stopped; {UNGUARDED}"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    machine.end_with_parent()
    cv2.setNumThreads(1)


def _do(clips: Sequence[ClipPlan], settings: Settings, out: Path) -> int:
    """Render clips and put each in its place; how many there were."""
    for clip in clips:
        frames = [to_jpeg(frame, settings.jpeg_quality) for frame in render_clip(clip, settings)]
        _place(frames, clip, out)
    return len(clips)


def _place(frames: Sequence[bytes], clip: ClipPlan, out: Path) -> None:
    """Write a clip's frames aside, then move their folder into its place in one step."""
    target, aside = folder_of(clip, out), out / ASIDE
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=aside, prefix=f"{clip.subject}-{clip.filename}-"))
        try:
            folder.chmod(0o755)
            for number, frame in enumerate(frames, start=clip.onset):
                (folder / _name(number)).write_bytes(frame)
            _move(folder, target, whole=lambda: size_of(clip, out) == sum(map(len, frames)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _move(folder: Path, target: Path, whole: Callable[[], bool]) -> None:
    """Rename ``folder`` to ``target``; what lies there goes only if it is not ``whole``.

    It may be whole where folders cannot be locked and another process was faster, with the same bytes.
    """
    try:
        folder.rename(target)
    except OSError:
        if whole():
            return
        shutil.rmtree(target)
        folder.rename(target)


def tidy(out: Path, sole: bool) -> None:
    """Remove half-written clips that a killed process left: all of them for the ``sole`` writer.

    Otherwise another process may be at work, and its half-written clips are younger.
    """
    aside = out / ASIDE
    for folder in aside.glob("*"):
        if sole or time.time() - folder.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # not empty, or not there
        aside.rmdir()
    if sole:
        remove_partial(out)
