"""DIANet: one stream per phase, fusion by cross attention, a small classifier (section 2.2, Fig. 1 and 2)."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from dianet_utils.config import own_code
from dianet_utils.models.backbone import FEATURES, Backbone
from dianet_utils.models.fusion import FUSIONS, Concat
from dianet_utils.models.losses import PLAIN, Emphasis, total_loss
from dianet_utils.models.network import Network, check_images
from dianet_utils.models.output import Labels, Output
from dianet_utils.models.own_network import fusion_block
from dianet_utils.models.precision import full_precision
from dianet_utils.plumbing.errors import InputError


class DIANet(Network):
    """DI-Onset and DI-Offset in, emotion scores out.

    Images [N, P, 3, H, W] -> backbone -> features [N, P, 512] -> norm -> fusion [N, P, 512] -> concatenation
    [N, P * 512] -> projection [N, 512] -> MLP (linear, ReLU, dropout, linear) -> logits [N, C].

    ``streams="shared"`` (section 2.2) sends both phases through one backbone in one batch of N * P images, so
    that BatchNorm takes its training statistics over the phases together; ``"dedicated"`` (the abstract) has
    one backbone per phase. ``phases=1`` is the single stream of Table 4, without fusion. ``fusion`` names a
    reading of :mod:`~dianet_utils.models.fusion`, or a block of the user's own ("my_file.py:MyBlock", see
    :func:`~dianet_utils.models.own_network.fusion_block`). For ``pretrained`` see
    :func:`dianet_utils.models.pretrained.load`, for ``frozen`` see
    :class:`~dianet_utils.models.backbone.Backbone`. ``hidden`` and ``dropout`` (0 to 1) are of the MLP; the
    paper prints neither. Its authors have published no code, so this too is a reconstruction, with every
    open reading an option.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "tf_efficientnetv2_b0",
        fusion: str = "cross_channel",
        streams: str = "shared",
        phases: int = 2,
        pretrained: str = "none",
        frozen: bool = False,
        dropout: float = 0.5,
        hidden: int = 256,
    ):
        super().__init__()
        _check(num_classes, fusion, streams, phases, dropout, hidden)
        spatial = fusion == "cross_spatial" and phases == 2
        count = phases if streams == "dedicated" else 1
        self.streams = nn.ModuleList(Backbone(backbone, pretrained, spatial, frozen) for _ in range(count))
        self.norm = nn.LayerNorm(FEATURES)
        self.fusion = _fusion(fusion) if phases == 2 else Concat(FEATURES)
        self.projection = nn.Linear(phases * FEATURES, FEATURES)
        self.classifier = nn.Sequential(
            OrderedDict(
                first=nn.Linear(FEATURES, hidden),
                relu=nn.ReLU(),
                dropout=nn.Dropout(dropout),
                second=nn.Linear(hidden, num_classes),
            )
        )
        self.phases = phases

    def forward(self, images: Tensor) -> Output:
        """Images [N, P, 3, H, W] to logits [N, C] and features [N, P, 512]."""
        encoded = self.encode(images)
        with full_precision(images.device):  # attention over 512 tokens is coarse and slow in bfloat16
            return self._score(encoded.float())

    def _score(self, encoded: Tensor) -> Output:
        fused = self.fusion(self.norm(encoded))
        logits = self.classifier(self.projection(fused.flatten(1)))
        return Output(logits, encoded.mean(dim=2) if encoded.ndim == 4 else encoded)

    def loss(
        self,
        output: Output,
        labels: Labels,
        consistency_weight: float = 0.0,
        label_smoothing: float = 0.0,
        emphasis: Emphasis = PLAIN,
    ) -> Tensor:
        """Eq. 5: see :func:`~dianet_utils.models.losses.total_loss`."""
        return total_loss(output, labels.emotion, consistency_weight, label_smoothing, emphasis)

    def encode(self, images: Tensor) -> Tensor:
        """Images [N, P, 3, H, W] to features [N, P, 512], or to cells [N, P, L, 512] for cross_spatial."""
        check_images(f"DIANet with phases={self.phases}", images, self.phases)
        if len(self.streams) == 1:
            return self.streams[0](images.flatten(0, 1)).unflatten(0, images.shape[:2])
        return torch.stack([stream(images[:, phase]) for phase, stream in enumerate(self.streams)], dim=1)


def _fusion(name: str) -> nn.Module:
    return fusion_block(name, FEATURES) if own_code.is_own(name) else FUSIONS[name](FEATURES)


def _check(num_classes: int, fusion: str, streams: str, phases: int, dropout: float, hidden: int) -> None:
    """Say all that is wrong with the options at once."""
    rules = [
        (num_classes >= 1, f"num_classes={num_classes}: at least 1"),
        (
            fusion in FUSIONS or own_code.is_own(fusion),
            f"fusion={fusion!r}: choose one of {', '.join(FUSIONS)}",
        ),
        (streams in ("shared", "dedicated"), f"streams={streams!r}: choose shared or dedicated"),
        (phases in (1, 2), f"phases={phases}: DIANet has 1 or 2"),
        (0 <= dropout < 1, f"dropout={dropout}: from 0 to below 1"),
        (hidden >= 1, f"hidden={hidden}: at least 1"),
    ]
    wrong = [message for holds, message in rules if not holds]
    if wrong:
        raise InputError("DIANet cannot be built with " + "; ".join(wrong) + ".")
