"""What goes between a network and its loss."""

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """Scores and what they were made from.

    ``logits`` [N, C]: one unnormalised score per class. ``features`` [N, P, D]: what the scores were made
    from; for DIANet one vector of 512 per phase as the backbone gives it, before fusion (``f1``, ``f2`` of
    Eq. 4), for the compared systems what enters their last layer. ``gender`` [N, 2]: scores of the subject's
    gender, of networks that learn it.
    """

    logits: Tensor
    features: Tensor
    gender: Tensor | None = None


class Labels(NamedTuple):
    """What a loss compares with: int64 class numbers ``emotion`` [N] and, where it is learnt, ``gender`` [N].

    Genders are numbered by :data:`dianet_utils.datasets.genders.GENDERS`.
    """

    emotion: Tensor
    gender: Tensor | None = None
