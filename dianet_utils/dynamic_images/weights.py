"""How much each frame counts in a dynamic image.

A dynamic image is one weighted sum of frames (Eq. 1), so everything that tells one kind from
another, the phase, the weighting and temporal normalisation, is a row of weights over the frames of
the clip. Here the weights are made, as whole numbers wherever the formula allows it. The active and
the affective-motion image of other systems are such sums too, over the whole clip.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dianet_utils.config.choices import FLOWS
from dianet_utils.plumbing.errors import InputError

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

_FINEST = 2**20  # real weights become whole multiples of (the largest weight) / _FINEST


def arp_weights(count: int) -> Integers:
    """``a_t = 2t - T - 1`` for t = 1..T (Eq. 1): approximate rank pooling.

    The weights run from 1 - T to T - 1 in steps of two and sum to 0, so what does not move vanishes; for
    T = 1 the one weight is 0 and the image is blank.

    Args:
        count: The number of frames T.

    Returns:
        The weights, whole numbers [T].

    Raises:
        InputError: For fewer than 1 frame.

    Example:
        Every pair of frames votes, +1 for the later one and -1 for the earlier one:

        >>> arp_weights(4).tolist()
        [-3, -1, 1, 3]
        >>> [sum((t > s) - (t < s) for s in range(4)) for t in range(4)]
        [-3, -1, 1, 3]
        >>> int(arp_weights(41).sum()), arp_weights(1).tolist()
        (0, [0])
    """
    _need_frames(count)
    return 2 * np.arange(1, count + 1) - count - 1


def offset_weights(count: int) -> Integers:
    """``b_t = T + 1 - 2t`` for t = 1..T (Eq. 3): exactly minus :func:`arp_weights`.

    Args:
        count: The number of frames T.

    Returns:
        The weights, whole numbers [T].

    Raises:
        InputError: For fewer than 1 frame.

    Example:
        The weights of Eq. 1 turned round in time:

        >>> offset_weights(4).tolist()
        [3, 1, -1, -3]
        >>> offset_weights(41).tolist() == arp_weights(41)[::-1].tolist()
        True
    """
    return -arp_weights(count)


def harmonic_weights(count: int) -> Reals:
    """``2(T - t + 1) - (T + 1)(H_T - H_(t-1))`` for t = 1..T, with H the harmonic numbers.

    This is approximate rank pooling on the running mean of the frames (Bilen et al., "Dynamic image
    networks for action recognition", CVPR 2016). It equals the sum of ``(2i - T - 1) / i`` over
    i = t..T, sums to 0 and is largest near the middle of the sequence.

    Args:
        count: The number of frames T.

    Returns:
        The weights, float64 [T], correct to the rounding of float64.

    Raises:
        InputError: For fewer than 1 frame.

    Example:
        The other form of the same sum, in exact fractions:

        >>> from fractions import Fraction
        >>> [str(sum(Fraction(2 * i - 4, i) for i in range(t, 4))) for t in (1, 2, 3)]
        ['-4/3', '2/3', '2/3']
        >>> harmonic_weights(3).round(4).tolist()
        [-1.3333, 0.6667, 0.6667]
        >>> bool(abs(harmonic_weights(41).sum()) < 1e-9)
        True
    """
    _need_frames(count)
    steps = np.arange(1, count + 1)
    tails = np.cumsum(1.0 / steps[::-1])[::-1]  # H_T - H_(t-1), the smallest terms added first
    return 2.0 * (count - steps + 1) - (count + 1) * tails


def active_weights(count: int) -> Integers:
    """OrigiNet's active image as weights of the grey frames, whole numbers [T].

    Verma et al., "Non-linearities improve OrigiNet based on active imaging for micro expression
    recognition" (IJCNN 2020), add up the differences of all pairs of frames but the adjacent ones:
    ``sum over j of sum over k <= j - 2 of (I_j - I_k)``. So a frame weighs ``2t - T - 1`` as under Eq. 1,
    save at both ends, which have one neighbour instead of two: ``2 - T`` and ``T - 2``. They sum to 0,
    and two frames, which are adjacent, give a blank image.
    """
    weights = arp_weights(count)
    weights[0] += count > 1
    weights[-1] -= count > 1
    return weights


def affective_weights(count: int) -> Reals:
    """The affective-motion image as weights of the frames: ``H_(t-1) - H_(T-t)``, float64 [T].

    An assumption: of the paper on AffectiveNet (Verma et al., IEEE MultiMedia 2020) we had the abstract
    only. It names the purpose of the image, to "cumulate rapid and short-lived variational information into
    a single response". Here every pair of frames counts by how *fast* it changes, ``sum over k < j of
    (I_j - I_k) / (j - k)``, where Eq. 1 counts every pair alike. Collected by frame that gives the harmonic
    numbers H above. They sum to 0.
    """
    _need_frames(count)
    numbers = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, count))])
    return numbers - numbers[::-1]


def resample(count: int, length: int) -> Integers:
    """Temporal normalisation to ``length`` frames by linear interpolation, as weights [length, T].

    Row k holds what each of the T original frames gives to the new frame k, in units of
    ``1 / (length - 1)``: the new frames stand at the positions ``k (T - 1) / (length - 1)``, so in
    this unit every weight is a whole number and each row sums to ``length - 1``. Weights ``w`` for
    the new frames fold into ``w @ resample(T, length)`` for the original ones, and the sum of the
    original frames is then *exactly* ``length - 1`` times the dynamic image of interpolated ones,
    which are never made or rounded. Both scalings divide by the image's own range, so they ignore
    the factor.
    """
    _need_frames(count)
    if length < 2:
        raise InputError(f"Temporal normalisation needs 2 frames or more, not {length}.")
    step = length - 1
    before, share = np.divmod(np.arange(length) * (count - 1), step)
    weights = np.zeros((length, count + 1), dtype=np.int64)
    rows = np.arange(length)
    weights[rows, before] = step - share
    weights[rows, before + 1] += share
    return weights[:, :count]  # the extra column only ever receives a share of 0


class Moments(NamedTuple):
    """When a clip's frames were taken: their numbers [T], rising, and the numbers of its key frames."""

    numbers: Integers
    onset: int
    apex: int
    offset: int

    def within(self, phase: str) -> npt.NDArray[np.bool_]:
        """Which of the frames an input is made of [T]; the apex belongs to both halves.

        Optical flow runs through one phase (:data:`FLOWS`); the active and the affective-motion image take
        all frames.
        """
        phase = FLOWS.get(phase, phase)
        first = self.apex if phase == "offset" else self.onset
        last = self.apex if phase == "onset" else self.offset
        return (first <= self.numbers) & (self.numbers <= last)


def phase_weights(
    phases: Sequence[str], moments: Moments, weighting: str = "arp", temporal: int | None = None
) -> Integers | Reals:
    """One row of weights per phase, over the frames of a clip: [phase, T], zero outside the phase.

    ``weighting`` is ``"arp"`` (whole numbers) or ``"harmonic"`` (float64); the offset phase carries
    the opposite sign (Eq. 3). ``tent`` is the sum of both phases: weights that rise to the apex and
    fall after it, in which the apex frame counts twice. It is no image of the paper but a control: it shows
    one stream what two streams see. ``active`` and ``affective`` have weights of their own; a flow and
    LBP-TOP, which are no sums of frames, have none (a row of 0). ``temporal`` first normalises each phase
    to that many frames and makes its weights ``temporal - 1`` times as large (see :func:`resample`).
    Rank pooling depends on the frames and is made by :func:`dianet_utils.dynamic_images.rank.rank_weights`.
    """
    rows: list[npt.NDArray[Any]] = []
    for phase in phases:
        if phase == "tent":
            rows.append(phase_weights(("onset", "offset"), moments, weighting, temporal).sum(axis=0))
            continue
        kind = _OWN_WEIGHTS.get(phase) or _KINDS[weighting]
        inside = moments.within(phase)
        count = int(inside.sum())
        inner = kind(count) if temporal is None else kind(temporal) @ resample(count, temporal)
        row = np.zeros(len(inside), dtype=inner.dtype)
        row[inside] = -inner if phase == "offset" else inner
        rows.append(row)
    return np.stack(rows)


_KINDS: dict[str, Callable[[int], Integers | Reals]] = {"arp": arp_weights, "harmonic": harmonic_weights}
_OWN_WEIGHTS: dict[str, Callable[[int], Integers | Reals]] = {
    "active": active_weights,
    "affective": affective_weights,
    "lbp_top": lambda count: np.zeros(count, np.int64),
    **dict.fromkeys(FLOWS, lambda count: np.zeros(count, np.int64)),
}


def whole_numbers(weights: npt.ArrayLike) -> tuple[Integers, float]:
    """``weights`` [T] as whole numbers and the unit they count: weights = numbers * unit.

    Whole numbers come back as they are, with unit 1. Real weights are rounded to multiples of
    a 2^20th of the largest; the largest takes what rounding left over, so weights that summed to 0
    still do, exactly, and a static clip stays exactly blank under every weighting.
    """
    given = np.asarray(weights)
    if np.issubdtype(given.dtype, np.integer):
        return given.astype(np.int64), 1.0
    largest = float(np.abs(given).max())
    if largest == 0.0:
        return np.zeros(given.shape, dtype=np.int64), 1.0
    unit = largest / _FINEST
    numbers = np.rint(given / unit).astype(np.int64)
    numbers[np.argmax(np.abs(numbers))] += round(float(given.sum()) / unit) - int(numbers.sum())
    return numbers, unit


def _need_frames(count: int) -> None:
    if count < 1:
        raise InputError(f"A dynamic image needs 1 frame or more, not {count}.")
