"""Clips that are to be cropped to a face and show none: found once, and kept."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from dianet_utils.datasets.frames import NoFaceError, clip_box
from dianet_utils.dynamic_images.clip import Source
from dianet_utils.plumbing import files, machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.progress import Progress

VERSION = 1  # part of every key: raise it whenever the same frames would give another answer


def faceless(clips: pd.DataFrame, cache: str | Path | None = None) -> list[str]:
    """The names of clips in which the crop of a face is to be found and no frame looked at shows one.

    The look is that of the crop itself, :func:`dianet_utils.datasets.frames.clip_box`; a frame that cannot be
    read is no answer, and is told where the images are made. What was found is kept in ``cache`` (default
    ``faces`` in the cache) under a key of everything that went in. Clips need onset, apex and offset.
    """
    sources = [Source.of(clip) for _, clip in clips[clips["crop"] != "none"].iterrows()]
    if not sources:
        return []
    path = Path(cache or files.cache() / "faces") / f"{_key(sources)}.json"
    names = [str(source.clip.name) for source in sources]
    try:
        seen = files.read_json(path)
    except (OSError, ValueError):
        seen = {}
    if list(seen) != names:
        seen = dict(zip(names, _look(sources), strict=True))
        files.write_json(path, seen)
    return [name for name, there in seen.items() if not there]


def _key(sources: list[Source]) -> str:
    given = [VERSION, [source.identity() for source in sources]]
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]


def _look(sources: list[Source]) -> list[bool]:
    """Whether each clip shows a face."""
    progress = Progress(len(sources), "clips", "faces", every=30.0)
    answers = []
    with machine.one_opencv_thread(), ThreadPoolExecutor(machine.cores()) as pool:
        for answer in pool.map(lambda source: _shows_face(source.clip), sources):
            answers.append(answer)
            progress.advance()
    return answers


def _shows_face(clip: pd.Series) -> bool:
    try:
        clip_box(clip)
    except NoFaceError:
        return False
    except InputError:
        return True
    return True
