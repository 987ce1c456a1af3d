"""How the vectors of two phases are joined: the readings of Fig. 2 and Table 3 of the paper.

Every module maps the two phases ``f1, f2`` (``[N, 2, 512]``; cross_spatial: ``[N, 2, L, 512]``) to two
enhanced vectors ``[N, 2, 512]``, which DIANet concatenates and projects. All cross attention here is

    f1' = f1 + A12 v2,   A12 = softmax(q1 k2^T / sqrt(d))
    f2' = f2 + A21 v1,   A21 = softmax(q2 k1^T / sqrt(d))

with learned linear query, key and value projections of each phase ("bidirectional interaction through
learnable query-key-value projections", section 2.2), one head, and a residual that keeps a phase's own
evidence (the paper names one for the simple block only). The paper does not say what the keys run over; the
readings differ in nothing else. A clip attends to its own other phase, never to another clip of the batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dianet_utils.config import choices


def attention_weights(query: Tensor, key: Tensor) -> Tensor:
    """``softmax(q k^T / sqrt(d))`` over the keys, for q [..., Lq, d] and k [..., Lk, d]: [..., Lq, Lk]."""
    return torch.softmax(query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5, dim=-1)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What the queries take: ``A v`` with ``A`` of :func:`attention_weights`, [..., Lq, d]."""
    return attention_weights(query, key) @ value


class PhaseLinear(nn.ModuleList):
    """One linear projection per phase: [N, 2, ..., width] to the same shape."""

    def __init__(self, width: int):
        super().__init__(nn.Linear(width, width) for _ in range(2))

    def forward(self, features: Tensor) -> Tensor:
        """Project phase p with layer p."""
        return torch.stack([layer(features[:, phase]) for phase, layer in enumerate(self)], dim=1)


class CrossTokens(nn.Module):
    """Cross attention between pieces of the vectors: ``tokens`` pieces of ``d = width / tokens`` channels.

    The vectors are cut after the projections. ``A12[i, j]`` says how much piece i of phase 1 takes from piece
    j of phase 2. ``[N, 2, 512] -> [N, 2, 512]``.
    """

    attend = staticmethod(attend)

    def __init__(self, width: int, tokens: int = 16):
        super().__init__()
        self.tokens = tokens
        self.query, self.key, self.value = (PhaseLinear(width) for _ in range(3))

    def weights(self, features: Tensor) -> Tensor:
        """The attention maps A12 and A21, [N, 2, tokens, tokens]; each row sums to 1."""
        return attention_weights(self._cut(self.query(features)), self._cut(self.key(features)).flip(1))

    def forward(self, features: Tensor) -> Tensor:
        """[N, 2, width] to [N, 2, width]."""
        query, key, value = (self._cut(layer(features)) for layer in (self.query, self.key, self.value))
        return features + self.attend(query, key.flip(1), value.flip(1)).flatten(2)

    def _cut(self, projected: Tensor) -> Tensor:
        return projected.reshape(*projected.shape[:-1], self.tokens, -1)


class CrossChannel(CrossTokens):
    """The default: every channel is a token of its own, so the scores are an outer product.

    ``A12[i, j] = softmax_j(q1[i] k2[j])``, ``[N, 512, 512]``: which channels of phase 2 channel i of phase 1
    takes from. A token has d = 1 channel, so ``sqrt(d)`` is 1. ``[N, 2, 512] -> [N, 2, 512]``.
    """

    # The same sum without the 512 x 512 maps in memory: four times as fast on a CPU. It rounds differently,
    # which is why the single token, whose zero gradient is exact, does not use it.
    attend = staticmethod(nn.functional.scaled_dot_product_attention)

    def __init__(self, width: int):
        super().__init__(width, tokens=width)


class CrossSingleToken(CrossTokens):
    """The paper's words taken literally: one 512-d query meets one 512-d key.

    A softmax over one key is the constant 1, so ``f1' = f1 + v2`` whatever q and k are: their projections get
    exactly zero gradient and never learn. Kept to show this. ``[N, 2, 512] -> [N, 2, 512]``.
    """

    def __init__(self, width: int):
        super().__init__(width, tokens=1)


class CrossSpatial(nn.Module):
    """Cross attention between places: tokens are the L cells of the last feature map, d = width.

    ``A12[i, j]``: how much place i of phase 1's image takes from place j of phase 2's. The enhanced cells are
    averaged at the end. ``[N, 2, L, 512] -> [N, 2, 512]``. Most backbones leave 7 x 7 cells at 224 px and
    2 x 2 at 64 px; a single cell makes it :class:`CrossSingleToken`.
    """

    def __init__(self, width: int):
        super().__init__()
        self.query, self.key, self.value = (PhaseLinear(width) for _ in range(3))

    def weights(self, cells: Tensor) -> Tensor:
        """The attention maps A12 and A21, [N, 2, L, L]; each row sums to 1."""
        return attention_weights(self.query(cells), self.key(cells).flip(1))

    def forward(self, cells: Tensor) -> Tensor:
        """[N, 2, L, width] to [N, 2, width]."""
        query, key, value = (layer(cells) for layer in (self.query, self.key, self.value))
        return (cells + attend(query, key.flip(1), value.flip(1))).mean(dim=2)


class Simple(nn.Module):
    """Table 3's Simple Attention Block: "a basic dot-product attention and residual fusion", no projections.

    ``f1' = f1 + softmax(f1 f2^T / sqrt(d)) f2``. One vector per phase means one key: the softmax is 1 and
    both outputs are ``f1 + f2``, so the block adds the phases up and forgets which was which.
    ``[N, 2, 512] -> [N, 2, 512]``.
    """

    def __init__(self, width: int = 512):
        super().__init__()  # no weights: any width will do

    def forward(self, features: Tensor) -> Tensor:
        """[N, 2, width] to [N, 2, width]."""
        own = features.unsqueeze(2)
        other = own.flip(1)
        return (own + attend(own, other, other)).squeeze(2)


class Concat(nn.Identity):
    """No exchange between the phases: ``f1' = f1``, ``f2' = f2``. ``[N, 2, 512] -> [N, 2, 512]``."""


FUSIONS: dict[str, Callable[[int], nn.Module]] = {
    name: globals()[block] for name, block in choices.FUSIONS.items()
}
