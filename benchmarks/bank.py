"""Making the bank, against the plain loop and against decoding alone."""

import tempfile
from pathlib import Path

import cv2
import pandas as pd

from benchmarks import material, textbook
from benchmarks.measure import Contender, Result, Scale, interleaved, medians, ratio
from dianet_utils.dynamic_images import build_bank

SIZE = 224
PAIR, TABLE4 = ("onset", "offset"), ("whole", "onset", "offset")


def decode(clips: pd.DataFrame) -> None:
    """Read every file once with OpenCV and throw it away: the floor."""
    for _, clip in clips.iterrows():
        for number in range(clip["onset"], clip["offset"] + 1):
            cv2.imread(f"{clip['frames']}/img{number}.jpg")


def build(clips: pd.DataFrame, phases: tuple[str, ...], workers: int) -> None:
    """The package's whole way, files on disk included, into an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        build_bank(clips, phases, SIZE, workers=workers, cache=cache, shown=False)


def run(scale: Scale) -> Result:
    """Frames of one size: decoding, the plain loop, and the bank with one and two threads."""
    with tempfile.TemporaryDirectory() as folder:
        by_length = {
            length: material.write_clips(Path(folder), scale.clips, length) for length in scale.lengths
        }
        clips = by_length[scale.lengths[0]]
        costs = interleaved(
            {
                "decoding": Contender(decode, (clips,)),
                "plain loop": Contender(textbook.plain_bank, (clips, PAIR, SIZE), prepared=False),
                "stack loop": Contender(
                    textbook.plain_bank, (clips, PAIR, SIZE, textbook.stacked_dynamic_image), prepared=False
                ),
                "bank": Contender(build, (clips, PAIR, 1)),
                "bank, 2 threads": Contender(build, (clips, PAIR, 2)),
                "plain loop, 3 phases": Contender(textbook.plain_bank, (clips, TABLE4, SIZE), prepared=False),
                "bank, 3 phases": Contender(build, (clips, TABLE4, 1)),
                "bank, 3 phases, 2 threads": Contender(build, (clips, TABLE4, 2)),
                **{
                    f"bank, {n} frames per clip": Contender(build, (by_length[n], PAIR, 1)) for n in by_length
                },
                "bank, half the clips": Contender(build, (clips[: len(clips) // 2], PAIR, 1)),
            },
            scale,
        )
        frames = dict.fromkeys(costs, material.frames_of(clips))
        frames |= {f"bank, {n} frames per clip": material.frames_of(table) for n, table in by_length.items()}
        frames["bank, half the clips"] = material.frames_of(clips[: len(clips) // 2])
    ratios = [
        ratio(costs, "plain loop", "bank", wanted=1.7),
        ratio(costs, "plain loop", "bank, 2 threads", "wall", wanted=3.0),
        ratio(costs, "plain loop", "decoding"),
        ratio(costs, "decoding", "bank", wanted=0.85),
        ratio(costs, "stack loop", "bank"),
        ratio(costs, "stack loop", "bank, 2 threads", "wall"),
        ratio(costs, "plain loop, 3 phases", "bank, 3 phases", wanted=1.7),
        ratio(costs, "plain loop, 3 phases", "bank, 3 phases, 2 threads", "wall", wanted=3.0),
        ratio(costs, "bank", "bank, 2 threads", "wall"),
    ]
    return Result("bank", "frame", medians(costs, frames), pd.DataFrame(ratios), _NOTES)


_NOTES = [
    f"Colour JPEGs of {material.WIDTH} x {material.HEIGHT} pixels, quality {material.QUALITY}, "
    f"made into images of {SIZE} px.",
    "Decoding: cv2.imread of each file once. Plain loop: for each phase its frames are read, turned to "
    "float64, weighed and added, and the sum is resized and scaled, in a process without allocator settings. "
    "Stack loop: the same from one float64 array of all frames of a phase, as much public code does it. No "
    "way that decodes every frame can beat the plain loop by more than the plain loop takes over decoding.",
    "Bank: build_bank into an empty cache, with keys, parts, checksums and the finished file; 3 phases are "
    "the images that Table 4 needs.",
]
