"""Synthetic clips in the official layouts of the licensed datasets, with the quirks of each release.

Nobody may pass the licensed datasets on, so this is how their loaders are tested, and how a reader tries
the licensed path of every notebook: sheet and frames look like the release, at a smaller size, and every
face is generated. A file SYNTHETIC.txt beside the sheet says so, and loaded tables are marked synthetic.

    python -m dianet_utils.synthetic.releases.official casme2 FOLDER --subjects 4 --clips-per-emotion 3
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from dianet_utils import paper
from dianet_utils.config.checks import near_match
from dianet_utils.datasets.boxes import Box
from dianet_utils.datasets.release import SYNTHETIC_MARK
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown
from dianet_utils.plumbing.progress import Progress
from dianet_utils.synthetic import Settings, render_clip
from dianet_utils.synthetic.camera import add_noise
from dianet_utils.synthetic.releases.official_clips import OfficialClip, official_clips
from dianet_utils.synthetic.releases.official_sheets import SHEETS, write_sheet

# The forms in which each release exists, the usual one first.
VARIANTS = {
    "casme2": ("cropped", "selected", "raw"),
    "samm": ("samm",),
    "mmew": ("by emotion", "by subject"),
    "smic": ("HS cropped", "HS raw"),
    "casme3": ("frame", "depth", "recordings"),
}
# Width and height of the scene as parts of the rendered square: a square of 192 pixels gives SAMM's
# 960 x 650, one of 280 gives the 640 x 480 of CASME-II's raw frames. Other forms are cropped faces.
_SCENES = {"samm": (960 / 192, 650 / 192)} | dict.fromkeys(
    ("selected", "raw", "HS raw", "frame", "depth", "recordings"), (640 / 280, 480 / 280)
)
# Frames that CASME-II's raw folders hold before the onset, and after the offset.
_OUTSIDE = 3


def write_official(
    name: str,
    root: str | Path,
    settings: Settings | None = None,
    variants: Sequence[str] = (),
    progress: bool = True,
) -> Path:
    """Write synthetic clips as the release ``name`` (of :data:`VARIANTS`) into the new folder ``root``.

    ``settings.emotions`` is replaced by the dataset's own classes (see ``official_clips``). ``variants``
    are the forms of :data:`VARIANTS` to write side by side; none means the usual one. The folder appears
    complete or not at all. Raises InputError for unknown names and for a ``root`` that is not empty.
    """
    root, settings = Path(root).resolve(), settings or Settings()
    _check(name, root, variants)
    clips = official_clips(name, settings)
    bar = Progress(len(clips), "clips", f"synthetic clips as {paper.TITLES[name]}", shown=progress)
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=f".{root.name}.") as temporary:
        folder = Path(temporary, root.name)
        folder.mkdir()
        if name in SHEETS:
            write_sheet(name, folder, clips)
        _write_text(folder, name)
        for place, clip in enumerate(clips):
            frames = list(render_clip(clip.plan, settings))
            for variant in variants or VARIANTS[name][:1]:
                _write_clip(folder, clip, frames, variant, place, settings.jpeg_quality)
            bar.advance()
        if root.exists():
            root.rmdir()
        os.replace(folder, root)
    return root


def _check(name: str, root: Path, variants: Sequence[str]) -> None:
    """Refuse unknown names and a folder that has something in it."""
    if name not in VARIANTS:
        known = ", ".join(VARIANTS)
        raise InputError(
            f"There is no official layout '{name}'{near_match(name, VARIANTS)}: give one of {known}."
        )
    unknown = [variant for variant in variants if variant not in VARIANTS[name]]
    if unknown:
        known = ", ".join(VARIANTS[name])
        raise InputError(f"{paper.TITLES[name]} has no variant '{unknown[0]}': give some of {known}.")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InputError(f"{shown(root)} is not an empty folder: nothing is overwritten, so name a new one.")


def _write_text(folder: Path, name: str) -> None:
    """The stray file that says what these clips are."""
    text = (
        f"SYNTHETIC clips in the layout of {paper.TITLES[name]}.\n"
        "Every face and every motion is generated; nothing here was recorded, released or licensed.\n"
    )
    (folder / SYNTHETIC_MARK).write_text(text, encoding="utf-8")


def _write_clip(
    root: Path, clip: OfficialClip, frames: Sequence[np.ndarray], variant: str, place: int, quality: int
) -> None:
    """The folder of one clip (the ``place``-th) in one variant, with a stray file in the first ones."""
    folder = root / _folder(clip, variant)
    folder.mkdir(parents=True, exist_ok=variant == "recordings")  # one folder for the clips of a video
    pictured = in_scene(frames, variant, place)
    for number, picture in _numbered(clip, pictured, outside=_OUTSIDE if variant == "raw" else 0):
        image = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        if variant == "samm":
            image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        path = folder / _file(clip, variant, number)
        options = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
        _, content = cv2.imencode(path.suffix, image, options)
        path.write_bytes(content.tobytes())
    strays = ("Desktop - Shortcut.lnk", "Thumbs.db")
    if place < len(strays):
        (folder / strays[place]).write_bytes(b"a stray file, as releases have them")


def _numbered(
    clip: OfficialClip, frames: Sequence[np.ndarray], outside: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Number and image of each file; before the onset and after the offset the face stands still."""
    around = [frames[0]] * outside + list(frames) + [frames[-1]] * outside
    for number, frame in enumerate(around, start=clip.first - outside):
        if number not in clip.lost:
            yield number, frame


def _folder(clip: OfficialClip, variant: str) -> str:
    """Where a release has the frames of a clip."""
    name, emotion = clip.filename, clip.plan.emotion
    return {
        "cropped": f"Cropped/sub{clip.subject}/{name}",
        "selected": f"CASME2_RAW_selected/CASME2_RAW_selected/sub{clip.subject}/{name}",
        "raw": f"CASME2-RAW/sub{clip.subject}/{name}",
        "samm": f"SAMM/{clip.subject}/{name}",
        "by emotion": f"Micro_Expression/{emotion}/{name}",
        "by subject": f"{clip.subject}/{emotion}/{name}",
        "HS cropped": f"SMIC_all_cropped/HS/{clip.subject}/micro/{emotion}/{name}",
        "HS raw": f"SMIC_all_raw/HS/{clip.subject}/micro/{emotion}/{name}",
        "frame": f"Part_A_ME_clip/frame/{clip.subject}_{name}_{clip.cell('onset')}",
        "recordings": f"part_A/{clip.subject}/{name}/color",
        "depth": f"Part_A_ME_clip/depth/{clip.subject}_{name}_{clip.cell('onset')}",
    }[variant]


def _file(clip: OfficialClip, variant: str, number: int) -> str:
    """What a release calls the file of a frame."""
    prefix = {
        "cropped": "reg_img",
        "selected": "img",
        "raw": "img",
        "samm": f"{clip.subject}_",
        "HS cropped": "reg_image",
        "HS raw": "image",
    }.get(variant, "")
    return f"{prefix}{number:0{clip.digits}d}.{'bmp' if variant == 'HS cropped' else 'jpg'}"


def in_scene(
    frames: Sequence[np.ndarray], variant: str, place: int = 0, noise: float = 0.0
) -> list[np.ndarray]:
    """Rendered frames [size, size, 3] of a clip as a variant shows them; ``noise`` is the scene's."""
    scene, pictured = _backdrop(frames[0], variant, place), []
    for seed, frame in enumerate(frames, start=1):
        backdrop = scene
        if scene is not None and noise:
            seen = scene.astype(np.float32)
            add_noise(seen, noise, seed)
            backdrop = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
        pictured.append(_pictured(frame, variant, place, backdrop))
    return pictured


def _pictured(frame: np.ndarray, variant: str, place: int, backdrop: np.ndarray | None) -> np.ndarray:
    """The frame as the variant shows it: in a scene, or as a face whose width differs between clips."""
    if backdrop is not None:
        face, scene = face_place(variant, place, len(frame)), backdrop.copy()
        inside, edge = face.of(scene), _feather(len(frame))
        inside[:] = np.rint(edge * frame + (1 - edge) * inside)
        return scene
    if variant == "cropped":
        cut = 1 + place % 4
        return frame[:, cut:-cut]
    return frame


def _feather(size: int) -> np.ndarray:
    """Weights [size, size, 1] that fall from 1 inside to 0 at the edges."""
    ramp = np.clip(np.minimum(np.arange(size), np.arange(size)[::-1]) / (0.08 * size), 0, 1)
    return (ramp[:, None] * ramp)[..., None]


def _backdrop(frame: np.ndarray, variant: str, place: int) -> np.ndarray | None:
    """A plain wall and shoulders, in the colours at the edges of ``frame``; None for cropped faces."""
    if variant not in _SCENES:
        return None
    size, (width, height) = len(frame), _scene(variant, len(frame))
    wall, cloth = np.median(frame[: size // 2, 0], axis=0), np.median(frame[-1], axis=0)
    scene = np.empty((height, width, 3), np.uint8)
    scene[:] = np.rint(wall)
    face = face_place(variant, place, size)
    centre, axes = (face.x + size // 2, face.y + round(0.93 * size) + height), (round(1.1 * size), height)
    return cv2.ellipse(scene, centre, axes, 0, 0, 360, cloth.tolist(), -1, cv2.LINE_AA)


def _scene(variant: str, size: int) -> tuple[int, int]:
    width, height = _SCENES[variant]
    return round(width * size), round(height * size)


def face_place(variant: str, place: int, size: int) -> Box:
    """Where the ``place``-th clip of a variant with a scene shows the rendered square of ``size`` pixels."""
    width, height = _scene(variant, size)
    x = round((width - size) * (0.3 + 0.1 * (place % 5)))
    y = round((height - size) * (0.2 + 0.1 * (place % 3)))
    return Box(x, y, size, size)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; it ends with a sentence, not a traceback, on input it cannot use."""
    parser = argparse.ArgumentParser(description="Write SYNTHETIC clips in the layout of a licensed dataset.")
    parser.add_argument("name", help=", ".join(VARIANTS))
    parser.add_argument("folder", help="a new folder")
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--clips-per-emotion", type=int, default=3, help="of each subject")
    parser.add_argument("--size", type=int, default=192, help="pixels of the face")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--variant", action="append", default=[], help="a form of the release; may be repeated"
    )
    given = parser.parse_args(arguments)
    try:
        settings = Settings(given.subjects, given.clips_per_emotion, seed=given.seed, size=given.size)
        root = write_official(given.name, given.folder, settings, given.variant)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    print(f"{shown(root)}: SYNTHETIC clips in the layout of {paper.TITLES[given.name]}, no licensed data.")
    if (size := given.subjects * given.clips_per_emotion) < paper.MIN_CLASS_SIZE:
        print(f"Classes have {size} clips, and the paper keeps none with fewer than {paper.MIN_CLASS_SIZE}.")
    print(f"Read them with datasets.load({given.name!r}, {shown(root)!r}).")


if __name__ == "__main__":
    main()
