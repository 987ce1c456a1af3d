"""A saved model's answer to a clip of the reader's own, and where it looked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dianet_utils.config import Config, own_code
from dianet_utils.datasets.recording import Recording
from dianet_utils.dynamic_images import Moments
from dianet_utils.dynamic_images.apex import spot
from dianet_utils.dynamic_images.clip import Recipe, frames_images
from dianet_utils.models.dianet import DIANet
from dianet_utils.models.fusion import CrossSpatial, CrossTokens
from dianet_utils.models.gradcam import look
from dianet_utils.models.normalise import colours_of, normalise
from dianet_utils.models.saved import Saved
from dianet_utils.plumbing.errors import InputError


@dataclass(frozen=True)
class Answer:
    """What a model says of one clip.

    ``probabilities`` by emotion, the largest first, summing to 1; ``looks`` [phase, h, w], Grad-CAM of the
    first of them on each input; ``attention`` [2, L, L], what each phase takes from the other, or None for a
    fusion without attention.
    """

    probabilities: pd.Series
    looks: NDArray[np.float32]
    attention: NDArray[np.float32] | None


def verdict(answer: Answer, doubts: list[str]) -> str:
    """The answer in words, and in the same breath what makes the face doubtful."""
    first = answer.probabilities.index[0]
    return f"{first}, DOUBTFUL: {'; '.join(doubts)}" if doubts else str(first)


def find_phases(frames: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Positions of onset, apex and offset among the frames [T, H, W, 3] of a face, counted from 0.

    The clip is taken as cut to the expression: it starts at the onset and ends at the offset. The apex is
    spotted by difference, see :func:`~dianet_utils.dynamic_images.apex.spot`.
    """
    return 0, spot(frames).place, len(frames) - 1


def moments_of(
    recording: Recording, onset: int | None = None, apex: int | None = None, offset: int | None = None
) -> Moments:
    """When the frames were taken, and the numbers of the key frames: those given, the others found.

    Raises InputError unless onset < apex < offset are numbers of frames of the recording.
    """
    given = {"onset": onset, "apex": apex, "offset": offset}
    found = (int(recording.numbers[place]) for place in find_phases(recording.frames))
    numbers = [
        found_one if value is None else value for value, found_one in zip(given.values(), found, strict=True)
    ]
    if not (numbers[0] < numbers[1] < numbers[2] and set(numbers) <= set(recording.numbers.tolist())):
        said = ", ".join(
            f"{name} {number}{' (found)' if value is None else ''}"
            for (name, value), number in zip(given.items(), numbers, strict=True)
        )
        raise InputError(
            f"{said} are not three rising numbers of frames: the frames read are {recording.numbers[0]} to "
            f"{recording.numbers[-1]}."
        )
    return Moments(recording.numbers, *numbers)


def clip_inputs(recording: Recording, moments: Moments, config: Config) -> NDArray[Any]:
    """The clip's dynamic images as the bank of ``config`` would hold them: [phase, 3, size, size]."""
    recipe = Recipe(config.inputs, config.image_size, config.weighting, config.temporal, config.scaling)
    return frames_images(recording.frames, moments, recipe)


def ask(model: Saved, images: NDArray[Any]) -> Answer:
    """The model's answer to the images [phase, 3, size, size] of one clip. It must be a DIANet.

    The clip alone is asked, also where the configuration asks its mirror image too (``mirrored``).
    """
    network = model.model
    if not isinstance(network, DIANet):
        name = own_code.title(model.config.model)
        raise InputError(f"{model.folder} holds a {name}; streams to look through has only dianet.")
    clip = torch.from_numpy(np.ascontiguousarray(images))[None]
    batch = normalise(clip, model.config.scaling, colours_of(model.config))
    with torch.inference_mode():
        scores = network(batch).logits.softmax(1)[0]
        fusion, attention = network.fusion, None
        if isinstance(fusion, (CrossTokens, CrossSpatial)):
            attention = fusion.weights(network.norm(network.encode(batch)))[0].numpy()
    looks = look(network, batch, scores.argmax()[None])[0].numpy()
    probabilities = pd.Series(scores.numpy(), index=list(model.classes), name="probability")
    return Answer(probabilities.sort_values(ascending=False), looks, attention)
