"""What is measured on: generated clips as colour JPEGs of 280 x 340 px, as CASME-II's crops, and noise."""

import functools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from dianet_utils import synthetic
from dianet_utils.config import Config
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


def noise_bank(
    clips: int, size: int, subjects: int = 4, phases: tuple[str, ...] = ("onset", "offset")
) -> Bank:
    """A bank of smooth noise: training on it costs what training on faces costs."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (clips, len(phases), size // 8, size // 8, 3), dtype=np.uint8)
    images = [[cv2.resize(image, (size, size)).transpose(2, 0, 1) for image in clip] for clip in coarse]
    table = pd.DataFrame(
        {
            "subject": [f"s{n % subjects:02d}" for n in range(clips)],
            "emotion": [EMOTIONS[n // subjects % len(EMOTIONS)] for n in range(clips)],
        },
        index=pd.Index([f"s{n % subjects:02d}/{n}" for n in range(clips)], name="clip"),
    )
    table = table.assign(dataset="synthetic", synthetic=True)
    table["gender"] = [("female", "male")[n % subjects % 2] for n in range(clips)]
    return Bank(np.array(images), table, phases, "minmax")


@functools.cache
def epoch_of(config: Config, steps: int) -> Callable[[], object]:
    """One epoch of ``steps`` batches by the package's loop, ready to be called again and again."""
    import torch

    from dianet_utils import loso, models
    from dianet_utils.loso import epochs, training
    from dianet_utils.loso.batches import Batches
    from dianet_utils.models.precision import keep_in_float32

    torch.set_num_threads(1)
    bank = noise_bank(config.batch_size * steps, config.image_size, phases=config.inputs)
    rows = np.arange(len(bank.clips))
    fold = loso.Fold("s00", 0, rows, rows[:0], rows[:1])
    data = Batches.of(bank, "cpu", config.uses_gender)
    model = models.build_model(config, len(EMOTIONS))
    model = model.to(memory_format=model.memory_format)
    model.observe(data.labels(torch.from_numpy(rows)))
    if config.precision == "bfloat16":
        keep_in_float32(model)
    optimiser, schedule = training._optimiser(model, config, steps)
    generator = torch.Generator().manual_seed(0)
    return lambda: epochs.train_epoch(model, data, fold, config, generator, optimiser, schedule)
