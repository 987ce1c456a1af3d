"""LEARNet: four branches over one dynamic image of the whole clip."""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from dianet_utils.models.baselines.blocks import SameConv, initialise_as_keras, keras_norm
from dianet_utils.models.network import Network, check_images
from dianet_utils.models.output import Output


class LEARNet(Network):
    """Verma, Vipparthi, Singh and Murala, "LEARNet: Dynamic imaging network for micro expression
    recognition", IEEE TIP 2020, arXiv 1904.09410. A port: 1,866,053 trainable parameters for 5 classes.

    Images [N, 1, 3, 112, 112]. All convolutions are "same" with stride 2, then ReLU.

    stem: 3x3, 16 channels (56 px) -> a1..a4: 1x1, 16 (28 px), four side by side;
    branch 1: a1 -> b1 (3x3, 32; 14 px) -> c1 (5x5, 64; 7 px);
    branch 2: BN(a1 + a2) -> b2 (3x3, 32), BN(b1 + b2) -> c2 (5x5, 64);
    branches 3 and 4: the same two with a3, a4, b3, b4;
    head: c1..c4 concatenated -> BN -> 3x3, 256 (4 px) -> flatten (4096) -> linear 256, ReLU -> dropout 0.5
    -> linear.

    Not published, and taken from this package: the optimiser and its settings. Also ours: the dynamic image
    of Eq. 1, where its public code has weights (2t - T) / t, and the running averages of the BNs
    (:func:`~dianet_utils.models.baselines.blocks.keras_norm`). ``image_size`` other than 112 changes the
    number of weights after the flattening.
    """

    def __init__(self, num_classes: int, image_size: int = 112):
        super().__init__()
        self.image_size = image_size
        self.stem = SameConv(3, 16, 3)
        self.a = nn.ModuleList(SameConv(16, 16, 1) for _ in range(4))
        self.b = nn.ModuleList(SameConv(16, 32, 3) for _ in range(4))
        self.c = nn.ModuleList(SameConv(32, 64, 5) for _ in range(4))
        self.a_norms = nn.ModuleList(keras_norm(16) for _ in range(2))
        self.b_norms = nn.ModuleList(keras_norm(32) for _ in range(2))
        self.norm, self.last = keras_norm(256), SameConv(256, 256, 3)
        side = -(-image_size // 32)  # five convolutions halve it, rounding up
        self.hidden = nn.Linear(256 * side**2, 256)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(256, num_classes)
        initialise_as_keras(self)

    def forward(self, images: Tensor) -> Output:
        """Images [N, 1, 3, S, S] to logits [N, C] and features [N, 1, 256]."""
        check_images("LEARNet", images, 1, self.image_size)
        stem = relu(self.stem(images[:, 0]))
        joined = torch.cat([*self._pair(stem, 0), *self._pair(stem, 1)], dim=1)
        features = relu(self.hidden(relu(self.last(self.norm(joined))).flatten(1)))
        return Output(self.classifier(self.dropout(features)), features[:, None])

    def _pair(self, stem: Tensor, pair: int) -> tuple[Tensor, Tensor]:
        """Two branches, of which the second also sees the first: [B, 64, 7, 7] each at 112 px."""
        first, second = 2 * pair, 2 * pair + 1
        a1, a2 = (relu(self.a[branch](stem)) for branch in (first, second))
        b1 = relu(self.b[first](a1))
        b2 = relu(self.b[second](self.a_norms[pair](a1 + a2)))
        return relu(self.c[first](b1)), relu(self.c[second](self.b_norms[pair](b1 + b2)))
