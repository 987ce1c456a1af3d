"""The bank on the device that trains: random batches, normalised images, labels."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dianet_utils.datasets.genders import gender_numbers
from dianet_utils.dynamic_images import FLOWS, Bank, jitter_shifts
from dianet_utils.models import Labels
from dianet_utils.models.normalise import IMAGENET, Colours, normalise


@dataclass
class Batches:
    """The bank on the training device, handed out in random batches."""

    images: Tensor  # [clip, phase, 3, H, W], as the bank stores them
    shifted: dict[int, Tensor]  # the same with the apex so many frames later
    targets: Tensor  # [clip]
    genders: Tensor | None  # [clip], for networks that learn them
    flows: tuple[int, ...]  # the phases that are optical flow
    scaling: str
    clips: tuple[str, ...]  # their ids, to name them
    classes: int  # how many there are
    colours: Colours = IMAGENET  # for the scaling minmax

    @classmethod
    def of(cls, bank: Bank, device: str, gendered: bool = False, colours: Colours = IMAGENET) -> "Batches":
        """Put a bank on a device, once per fold; with genders for networks that learn them."""
        images, *moved = (
            torch.from_numpy(np.ascontiguousarray(each)).to(device)
            for each in (bank.images, *bank.shifted.values())
        )
        shifted = dict(zip(bank.shifted, moved, strict=True))
        targets = torch.from_numpy(bank.targets).to(device)
        genders = torch.from_numpy(gender_numbers(bank.clips)).to(device) if gendered else None
        flows = tuple(place for place, phase in enumerate(bank.phases) if phase in FLOWS)
        names = tuple(map(str, bank.clips.index))
        return cls(images, shifted, targets, genders, flows, bank.scaling, names, len(bank.classes), colours)

    def shuffled(
        self, rows: np.ndarray, size: int, generator: torch.Generator, balanced: bool = False
    ) -> list[Tensor]:
        """Random batches of about ``size`` that cover ``rows``; none is so small that BatchNorm fails.

        With ``balanced`` they hold as many rows, by :func:`equal_shares`.
        """
        if balanced:
            rows = equal_shares(rows, self.targets.cpu().numpy()[rows], generator)
        order = torch.from_numpy(rows)[torch.randperm(len(rows), generator=generator)]
        return list(torch.tensor_split(order, max(1, round(len(rows) / size))))

    def inputs(self, rows: Tensor, shift: int = 0) -> Tensor:
        """The images [N, P, 3, H, W] of ``rows`` [N], normalised; ``shift`` takes those of a moved apex."""
        images = self.shifted[shift] if shift else self.images
        return normalise(images[rows.to(images.device)], self.scaling, self.colours)

    def jittered(self, rows: Tensor, jitter: int, generator: torch.Generator) -> Tensor:
        """Inputs of which each has an apex drawn anew; without jitter nothing is drawn."""
        shifts = jitter_shifts(jitter)
        if len(shifts) == 1:
            return self.inputs(rows)
        choice = torch.randint(len(shifts), (len(rows),), generator=generator)
        drawn = self.inputs(rows)
        for place, shift in enumerate(shifts):
            there = choice == place
            if shift and there.any():
                drawn[there.to(drawn.device)] = self.inputs(rows[there], shift)
        return drawn

    def labels(self, rows: Tensor) -> Labels:
        """What the loss compares the output for ``rows`` [N] with."""
        rows = rows.to(self.targets.device)
        return Labels(self.targets[rows], None if self.genders is None else self.genders[rows])


def equal_shares(rows: np.ndarray, kinds: np.ndarray, generator: torch.Generator) -> np.ndarray:
    """As many rows as ``rows`` [N], drawn from them so that each of their ``kinds`` [N] comes equally often.

    Where N cannot be shared out evenly, some kinds drawn at random get one more. A row comes again only after
    all others of its kind have come as often.
    """
    names = np.unique(kinds)
    extra = torch.randperm(len(names), generator=generator).numpy() < len(rows) % len(names)
    drawn = []
    for name, more in zip(names, extra, strict=True):
        mine, count = rows[kinds == name], len(rows) // len(names) + int(more)
        times = math.ceil(count / len(mine))
        orders = [torch.randperm(len(mine), generator=generator).numpy() for _ in range(times)]
        drawn.append(mine[np.concatenate(orders)[:count]])
    return np.concatenate(drawn)
