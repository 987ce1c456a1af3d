"""What every network of the package returns."""

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """Scores and what they were made from.

    ``logits`` [N, C]: one unnormalised score a class. ``features`` [N, P, 512]: one vector a phase as the
    backbone gives it, before fusion (``f1``, ``f2`` of Eq. 4).
    """

    logits: Tensor
    features: Tensor
