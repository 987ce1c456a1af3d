"""A toy bank whose classes a small network can learn, and settings that train it in seconds."""

import numpy as np
import pandas as pd

from dianet_utils.config import Config, configure
from dianet_utils.dynamic_images import Bank

EMOTIONS = ["disgust", "happiness", "surprise"]


def make_bank(
    signal: float = 1.0, subjects: int = 5, repeats: int = 2, size: int = 32, seed: int = 0
) -> Bank:
    """Noise with a bright band whose place names the class: easy when ``signal`` is 1, hopeless at 0."""
    generator = np.random.default_rng(seed)
    rows = [(f"s{s:02d}", e, k) for s in range(1, subjects + 1) for e in EMOTIONS for k in range(repeats)]
    images = generator.normal(0, 0.2, (len(rows), 2, 3, size, size)).astype(np.float32)
    for row, (_, emotion, _) in enumerate(rows):
        top = EMOTIONS.index(emotion) * size // 3
        images[row, :, :, top : top + size // 3] += signal
    clips = pd.DataFrame(
        {"subject": [r[0] for r in rows], "emotion": [r[1] for r in rows]},
        index=pd.Index([f"{s}/{e}{k}" for s, e, k in rows], name="clip"),
    )
    clips = clips.assign(dataset="synthetic", synthetic=True)
    return Bank(images=images.clip(-1, 1), clips=clips, phases=("onset", "offset"), scaling="signed")


def small_config(**given: object) -> Config:
    sizes = {"image_size": 32, "epochs": 2, "batch_size": 8, "hidden": 16}
    plain = {"backbone": "test_efficientnet", "validation": "held_out", "mirrored": False}
    return configure(**{**sizes, **plain, **given})
