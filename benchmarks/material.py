"""What is measured on: generated clips as colour JPEGs of 280 x 340 px, as CASME-II's crops, and noise."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from dianet_utils import synthetic
from dianet_utils.dynamic_images import Bank

WIDTH, HEIGHT, QUALITY = 280, 340, 95
EMOTIONS = ("disgust", "happiness", "others", "repression", "surprise")


def write_clips(folder: Path, count: int, length: int) -> pd.DataFrame:
    """A table of ``count`` synthetic clips of ``length`` frames, written as JPEG files below ``folder``."""
    settings = synthetic.Settings(
        subjects=-(-count // 5), clips_per_emotion=1, size=HEIGHT, duration=(length, length), seed=9
    )
    rows = []
    for plan in synthetic.plan(settings)[:count]:
        place = folder / f"{length}" / plan.clip
        place.mkdir(parents=True)
        for number, frame in enumerate(synthetic.render_clip(plan, settings), start=plan.onset):
            left = (HEIGHT - WIDTH) // 2
            colours = cv2.cvtColor(frame[:, left : left + WIDTH], cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(place / f"img{number}.jpg"), colours, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        moments = (plan.onset, plan.apex, plan.offset)
        rows.append((plan.clip, plan.subject, plan.emotion, *moments, str(place), "none", ""))
    columns = ["clip", "subject", "emotion", "onset", "apex", "offset", "frames", "crop", "problem"]
    table = pd.DataFrame(rows, columns=columns).set_index("clip")
    return table.assign(dataset="synthetic", synthetic=True)


def frames_of(clips: pd.DataFrame) -> int:
    """How many frames the clips have together."""
    return int((clips["offset"] - clips["onset"] + 1).sum())


def noise_bank(clips: int, size: int, subjects: int = 4) -> Bank:
    """A bank of smooth noise: training on it costs what training on faces costs."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (clips, 2, size // 8, size // 8, 3), dtype=np.uint8)
    images = [[cv2.resize(image, (size, size)).transpose(2, 0, 1) for image in clip] for clip in coarse]
    table = pd.DataFrame(
        {
            "subject": [f"s{n % subjects:02d}" for n in range(clips)],
            "emotion": [EMOTIONS[n // subjects % len(EMOTIONS)] for n in range(clips)],
        },
        index=pd.Index([f"s{n % subjects:02d}/{n}" for n in range(clips)], name="clip"),
    )
    table = table.assign(dataset="synthetic", synthetic=True)
    return Bank(np.array(images), table, ("onset", "offset"), "minmax")
