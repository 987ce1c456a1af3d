"""Finding the folders of frames of a licensed release, in whichever layout the user's copy has."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dianet_utils.datasets.clips import EMOTIONS
from dianet_utils.datasets.frames import frame_number
from dianet_utils.datasets.names import plain
from dianet_utils.datasets.sheets import subfolders
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

# How deep below the root the folder of frames may lie: unpacked releases are often nested twice.
_DEPTH = 4


@dataclass(frozen=True)
class Layout:
    """One way in which a release lays out its frames.

    ``crop`` is "none" where the frames are cropped faces and "face" where the face is still to be found.
    ``levels`` are the patterns of the nested folder names, the clip's own last. ``key`` names a clip's
    folder by subject and filename, or by the ``video`` that the sheet names where clips share one; levels
    named after emotions are left out of it. ``hint`` tells layouts with the same levels apart: it is looked
    for in the first file's name, then in the folders above. ``others`` are the names of folders with the same
    levels that hold other recordings (depth, infrared).
    """

    name: str
    crop: str
    levels: tuple[str, ...]
    key: str
    example: str
    hint: str = ""
    others: str = ""

    def fits(self, folder: Path) -> bool:
        """Whether ``folder`` holds clips in this layout."""
        if self.others and re.fullmatch(self.others, folder.name, re.IGNORECASE):
            return False
        return next(clip_folders(folder, self.levels), None) is not None


@dataclass(frozen=True)
class FrameFolder:
    """The folder that holds all frames of a release; its clips' folders by key; folders not chosen.

    A key is what :func:`key_of` makes of the folders' names. One with more than one folder is a fault of the
    copy that the loader reports.
    """

    path: Path
    layout: Layout
    clips: dict[str, list[Path]]
    others: tuple[Path, ...]


def find_frames(layouts: Sequence[Layout], title: str, root: Path) -> FrameFolder:
    """The folder of frames at or below ``root``, or around it if ``root`` is the sheet.

    Where a copy has several layouts the first of ``layouts`` is taken and the others are named in the
    result. Raises InputError if there are no frames, or several folders in the layout to take.
    """
    starts = [root.parent, root.parent.parent] if root.is_file() else [root]
    found = next(filter(None, (_candidates(layouts, start) for start in starts)), None)
    if found is None:
        raise InputError(
            f"No frames of {title} (such as {layouts[0].example}) were found in {shown(starts[0])} or up to "
            f"{_DEPTH} levels below it: unpack them there, or correct data_root."
        )
    layout = min((its for _, its in found), key=layouts.index)
    chosen = [path for path, its in found if its == layout]
    if len(chosen) > 1:
        listed = ", ".join(shown(path) for path in chosen)
        raise InputError(
            f"Several folders hold frames of {title} ({layout.name}): {listed}. "
            "Give the one you mean as data_root."
        )
    others = tuple(path for path, its in found if its != layout)
    return FrameFolder(chosen[0], layout, _by_key(chosen[0], layout), others)


def holds_frames(layouts: Sequence[Layout], folder: Path) -> bool:
    """Whether frames in one of the layouts lie at ``folder`` or below."""
    return bool(_candidates(layouts, folder))


def _candidates(layouts: Sequence[Layout], start: Path) -> list[tuple[Path, Layout]]:
    """Every folder at ``start`` and below that holds clips in one of the layouts, with that layout."""
    first_levels = [layout.levels[0] for layout in layouts]
    found = []
    for folder in _walk(start, first_levels, _DEPTH):
        fitting = [layout for layout in layouts if layout.fits(folder)]
        if fitting:
            found.append((folder, _tell_apart(folder, fitting)))
    return found


def _walk(folder: Path, not_into: Sequence[str], depth: int) -> Iterator[Path]:
    """``folder`` and those below it, without entering the folders of single subjects or emotions."""
    yield folder
    if depth > 0:
        for inside in subfolders(folder):
            if not any(re.fullmatch(pattern, inside.name, re.IGNORECASE) for pattern in not_into):
                yield from _walk(inside, not_into, depth - 1)


def clip_folders(folder: Path, levels: Sequence[str]) -> Iterator[Path]:
    """The clips' folders below ``folder``, whose nested names match ``levels`` without regard to case."""
    for inside in subfolders(folder):
        if re.fullmatch(levels[0], inside.name, re.IGNORECASE):
            if len(levels) == 1:
                yield inside
            else:
                yield from clip_folders(inside, levels[1:])


def _tell_apart(folder: Path, fitting: Sequence[Layout]) -> Layout:
    """The layout whose hint fits the first frame's name, or the nearest folder's; the last one if none."""
    first_clip = next(clip_folders(folder, fitting[0].levels))
    names = (item.name for item in sorted(first_clip.iterdir()))
    first_frame = next((name for name in names if frame_number(name) is not None), "")
    for name in (first_frame, folder.name, folder.parent.name, folder.parent.parent.name):
        for layout in fitting:
            if layout.hint and re.search(layout.hint, name, re.IGNORECASE):
                return layout
    return fitting[-1]


def _by_key(folder: Path, layout: Layout) -> dict[str, list[Path]]:
    clips = defaultdict(list)
    for clip in clip_folders(folder, layout.levels):
        clips[key_of(clip.relative_to(folder).as_posix())].append(clip)
    return dict(clips)


def key_of(path: str) -> str:
    """What is compared of a clip's folder below that of all frames: its plain names, without emotions."""
    return "/".join(part for part in map(plain, path.split("/")) if part not in EMOTIONS)


def doubled_subjects(frames: FrameFolder) -> list[str]:
    """A sentence for each number that several subjects' folders claim."""
    together = defaultdict(set)
    for clip in (path for paths in frames.clips.values() for path in paths):
        parts = [part for part in clip.relative_to(frames.path).parts if part.lower() not in EMOTIONS]
        together[plain(parts[0])].add(parts[0])
    return [
        f"the folders {' and '.join(sorted(names))} are taken for one subject"
        for names in together.values()
        if len(names) > 1
    ]
