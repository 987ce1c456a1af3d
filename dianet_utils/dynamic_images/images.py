"""Frames and weights become a dynamic image; a dynamic image becomes an input of a network."""

from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from dianet_utils.dynamic_images.weights import Integers, whole_numbers
from dianet_utils.plumbing.errors import InputError

MID_GREY = 128  # what no motion is in an optical flow scaled to uint8

Frames = Sequence[npt.NDArray[np.uint8]] | npt.NDArray[np.uint8]


def weighted_sums(frames: Iterable[npt.NDArray[np.uint8]], weights: Integers) -> npt.NDArray[Any]:
    """Several weighted sums of the same frames in one pass, exact: [sum, H, W, C].

    ``frames`` yields T arrays [H, W, C] uint8 of one size and is read once, one frame in memory at a
    time; ``weights`` is [sum, T], whole numbers. The result is float32 or float64 holding whole
    numbers: every partial sum is a whole number below 2^24, or else below 2^53, which is as far as
    the two types are exact. The weights 2t - T - 1 fit float32 up to T = 513.
    """
    kind = exact_kind(weights)
    sums, level = np.empty(0, kind), np.empty(0, np.uint8)
    # A sum may stand in memory with the opposite sign: as its first weight has it, so that it turns once.
    signs = [next((-1 if weight < 0 else 1 for weight in row if weight), 1) for row in weights.tolist()]
    number = -1
    for number, (frame, column) in enumerate(zip(frames, weights.T, strict=True)):
        check_type(frame, number + 1)
        if number == 0:
            sums, level = np.zeros((len(weights), *frame.shape), kind), np.empty_like(frame)
        if frame.shape != level.shape:
            raise InputError(f"Frame {number + 1} is {_size(frame)} but the first is {_size(level)}.")
        for place, weight in enumerate(column.tolist()):
            if weight * signs[place] < 0:
                _turn(sums, signs, place)
            if weight:
                _accumulate(frame, abs(weight), sums[place], level)
    if number < 0:
        raise InputError("A dynamic image needs 1 frame or more, not 0.")
    for place in [place for place, sign in enumerate(signs) if sign < 0]:
        _turn(sums, signs, place)
    return sums


def _turn(sums: npt.NDArray[Any], signs: list[int], place: int) -> None:
    """Give one sum the opposite sign, in place; 0 stays +0."""
    np.subtract(0, sums[place], out=sums[place])
    signs[place] *= -1


def _accumulate(
    frame: npt.NDArray[np.uint8], weight: int, total: npt.NDArray[Any], level: npt.NDArray[np.uint8]
) -> None:
    """Add ``weight`` times ``frame`` to ``total`` in place, in one pass where a byte holds the weight.

    ``level`` is memory of the frame's size to work in.
    """
    if weight < 256:
        level.fill(weight)
        cv2.accumulateProduct(frame, level, total)
    else:
        cv2.scaleAdd(frame.astype(total.dtype), float(weight), total, dst=total)


def dynamic_image(frames: Frames, weights: npt.ArrayLike) -> npt.NDArray[Any]:
    """The dynamic image ``d = sum_t w_t I_t`` (Eq. 1-3) of the frames of a clip or of a phase.

    Whole-number weights give the exact sum. Real weights, such as the harmonic ones, are first rounded
    to a 2^20th of the largest weight, which keeps a static clip exactly 0.

    Args:
        frames: T frames of one size, uint8 [T, H, W, C], or [T, H, W] where they are grey.
        weights: One number per frame [T], whole or real.

    Returns:
        The image, like a frame: int32 for whole-number weights (int64 where the sum could pass 2^31, from
        about 5,800 frames on) and float64 for real ones.

    Raises:
        InputError: If the frames are not uint8, differ in size or are not as many as the weights.

    Example:
        Two pixels: one rises from 10 to 30, one stays at 90. A static clip and a single frame give nothing.

        >>> import numpy as np
        >>> from dianet_utils.dynamic_images import arp_weights
        >>> frames = np.array([[[[10], [90]]], [[[20], [90]]], [[[30], [90]]]], np.uint8)
        >>> dynamic_image(frames, arp_weights(3)).ravel().tolist()  # -2 * 10 + 0 * 20 + 2 * 30
        [40, 0]
        >>> dynamic_image(frames[[0, 0, 0]], arp_weights(3)).ravel().tolist()
        [0, 0]
        >>> dynamic_image(frames[:1], arp_weights(1)).ravel().tolist()
        [0, 0]
    """
    numbers, unit = whole_numbers(weights)
    if len(frames) != len(numbers):
        raise InputError(f"There are {len(frames)} frames but {len(numbers)} weights.")
    total = weighted_sums(frames, numbers[None])[0]
    if not np.issubdtype(np.asarray(weights).dtype, np.integer):
        return total.astype(np.float64) * unit
    return total.astype(np.int32 if _largest_sum(numbers[None]) < 2**31 else np.int64)


def grey(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The luma of a weighted sum of RGB frames, three times over: [H, W, 3] to float32 [H, W, 3].

    ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601) is linear, so the luma of the sum is the sum of the
    frames' lumas, without rounding each frame to whole grey levels first.
    """
    luma = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)
    return np.repeat(luma[:, :, None], 3, axis=2)


def scale_minmax(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Stretch one dynamic image to 0..255 by its own extremes over all channels, as the field does: uint8.

    No motion lands on whatever grey the extremes leave for it. The opposite sign gives the inverted
    image, 255 - x (to one level, where rounding meets a tie). A constant image becomes 0.
    """
    low, high = float(image.min()), float(image.max())
    if low == high:
        return np.zeros(image.shape, dtype=np.uint8)
    values = np.subtract(image, low, dtype=np.float64)
    values *= 255.0 / (high - low)
    return np.rint(values, out=values).astype(np.uint8)


def scale_signed(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Divide one dynamic image by three robust standard deviations and clip it to -1..1: float32.

    The deviation is ``1.4826 * median(abs(x))``, the usual estimate that a few strong pixels do not
    move. 0 stays 0 and the sign stays the sign. Where more than half of the values are exactly 0
    the median is taken over the others; an image of zeros stays as it is.
    """
    size = np.abs(image.astype(np.float64))
    middle = float(np.median(size))
    if middle == 0.0 and size.any():
        middle = float(np.median(size[size > 0]))
    scale = 3 * 1.4826 * middle
    return np.clip(image / scale if scale else image, -1.0, 1.0).astype(np.float32)


def scale_centred(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Stretch an optical flow about 0, so that no motion is :data:`MID_GREY` whatever else moves: uint8.

    ``128 + 127 x / max(abs(x))``, 1..255, one scale for all channels. The opposite motion is 256 - x.
    """
    largest = float(np.abs(image).max())
    return np.rint(MID_GREY + image * (127.0 / (largest or 1.0))).astype(np.uint8)


def check_type(frame: npt.NDArray[Any], number: int) -> None:
    """Raise InputError if a frame, the ``number``-th of its clip from 1, is not uint8."""
    if frame.dtype != np.uint8:
        raise InputError(
            f"Frame {number} has the type {frame.dtype}, and frames are whole numbers from 0 to 255: "
            "round them and give them as uint8, those from 0 to 1 times 255."
        )


def check_frames(frames: Frames) -> None:
    """Raise InputError if the frames of a clip are not uint8 or differ in size: all show one face."""
    for number, frame in enumerate(frames, start=1):
        check_type(frame, number)
        if frame.shape != frames[0].shape:
            raise InputError(f"Frame {number} is {_size(frame)} but the first is {_size(frames[0])}.")


def exact_kind(weights: Integers) -> type[np.floating[Any]]:
    """The smaller of float32 and float64 that holds every partial sum under ``weights`` [sum, T] exactly."""
    largest = _largest_sum(weights)
    if largest >= 2**53:
        raise InputError(
            "The weights are too large for an exact sum: 255 times their sum must stay below 2^53."
        )
    return np.float32 if largest < 2**24 else np.float64


def _largest_sum(weights: Integers) -> int:
    """The largest absolute value that a partial sum over uint8 frames can take, in any order."""
    positive = int(np.maximum(weights, 0).sum(axis=1).max())
    negative = int(np.minimum(weights, 0).sum(axis=1).min())
    return 255 * max(positive, -negative)


def _size(image: npt.NDArray[Any]) -> str:
    return "x".join(str(side) for side in image.shape)
