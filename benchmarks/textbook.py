"""What a notebook without this package would do: the yardsticks, written as tutorials write them.

Plain, not slow on purpose. Both do the same work as the package: the same weights (Eq. 1 and 3), the
same network, loss, optimiser and augmentation.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

DynamicImage = Callable[[str, int, int, int], np.ndarray]


def dynamic_image(folder: str, first: int, last: int, sign: int) -> np.ndarray:
    """One phase by the book: read each frame, turn it to float64, weigh it, add it: [H, W, 3]."""
    count = last - first + 1
    total: Any = None
    for t in range(1, count + 1):
        frame: Any = cv2.imread(f"{folder}/img{first + t - 1}.jpg")
        frame = frame.astype(np.float64)
        if total is None:
            total = np.zeros_like(frame)
        total += sign * (2 * t - count - 1) * frame
    return total


def stacked_dynamic_image(folder: str, first: int, last: int, sign: int) -> np.ndarray:
    """One phase from a list of all its frames, made one float64 array and weighed at once: [H, W, 3]."""
    frames = [cv2.imread(f"{folder}/img{number}.jpg") for number in range(first, last + 1)]
    stack = np.stack(frames).astype(np.float64)
    weights = sign * (2 * np.arange(1, len(frames) + 1) - len(frames) - 1)
    return (weights[:, None, None, None] * stack).sum(axis=0)


def plain_bank(
    clips: pd.DataFrame, phases: tuple[str, ...], size: int, one: DynamicImage = dynamic_image
) -> np.ndarray:
    """The images of all clips, uint8 [clip, phase, size, size, 3], each phase read for itself by ``one``."""
    ends = {"whole": ("onset", "offset", 1), "onset": ("onset", "apex", 1), "offset": ("apex", "offset", -1)}
    images = []
    for _, clip in clips.iterrows():
        for phase in phases:
            first, last, sign = ends[phase]
            image = one(clip["frames"], clip[first], clip[last], sign)
            image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
            image = (image - image.min()) / (image.max() - image.min()) * 255
            images.append(image.astype(np.uint8))
    return np.stack(images).reshape(len(clips), len(phases), size, size, 3)


def write_pngs(images: np.ndarray, folder: Path) -> None:
    """The images of a bank [clip, phase, 3, H, W] as the PNG files that a tutorial would train from."""
    for number, clip in enumerate(images):
        for phase, image in enumerate(clip):
            cv2.imwrite(str(folder / f"{number}_{phase}.png"), image.transpose(1, 2, 0)[:, :, ::-1])


class Pairs:
    """The two images of each clip from PNG files, with torchvision's transforms for each sample."""

    def __init__(self, folder: Path, targets: list[int]):
        from torchvision import transforms

        self.folder, self.targets = folder, targets
        self.transform = transforms.Compose(
            [
                transforms.RandomHorizontalFlip(),
                transforms.RandomRotation(10, transforms.InterpolationMode.BILINEAR),
                transforms.ToTensor(),
                transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            ]
        )

    def __len__(self) -> int:
        """How many clips there are."""
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, Any, int]:
        """Onset image, offset image, class."""
        from PIL import Image

        pair = (Image.open(self.folder / f"{index}_{phase}.png").convert("RGB") for phase in (0, 1))
        onset, offset = map(self.transform, pair)
        return onset, offset, self.targets[index]


def make_loader(folder: Path, targets: list[int], batch_size: int, workers: int) -> Any:
    """A DataLoader of :class:`Pairs`; on Linux its workers are forked, as in a notebook."""
    from torch.utils.data import DataLoader

    data: Any = Pairs(folder, targets)
    start = "fork" if workers and sys.platform == "linux" else None
    return DataLoader(data, batch_size, shuffle=True, num_workers=workers, multiprocessing_context=start)


def train_epoch(model: Any, loader: Any, optimiser: Any) -> float:
    """One epoch: a forward call a stream, Eq. 5 as it is printed, the running loss read at every step."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    total = 0.0
    for onset, offset, target in loader:
        first, second = model.streams[0](onset), model.streams[0](offset)
        features = torch.stack([first, second], dim=1)
        fused = model.fusion(model.norm(features)).flatten(1)
        logits = model.classifier(model.projection(fused))
        loss = F.cross_entropy(logits, target) + 0.1 * (1 - F.cosine_similarity(first, second)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item()
    return total
