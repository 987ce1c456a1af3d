"""One stream that learns both phases as samples of their own, as a control for two streams."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from dianet_utils.models.backbone import FEATURES, Backbone
from dianet_utils.models.losses import PLAIN, Emphasis, emotion_loss
from dianet_utils.models.network import Network, check_images
from dianet_utils.models.output import Labels, Output


class OneStream(Network):
    """Each dynamic image of a clip is a training sample with the clip's label; answers are averaged.

    Images [N, P, 3, H, W] -> one backbone -> features [N, P, 512] -> norm -> MLP -> logits per image; the
    clip's probabilities are the mean over its P images. Nothing joins the phases before the answer.

    The idea is that of another paper of the same group (arXiv 2510.15466), of which only the description is
    known here: a reconstruction. Options as for :class:`~dianet_utils.models.dianet.DIANet`.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "tf_efficientnetv2_b0",
        phases: int = 2,
        pretrained: str = "none",
        frozen: bool = False,
        dropout: float = 0.5,
        hidden: int = 256,
    ):
        super().__init__()
        self.phases = phases
        self.stream = Backbone(backbone, pretrained, frozen=frozen)
        self.norm = nn.LayerNorm(FEATURES)
        self.classifier = nn.Sequential(
            OrderedDict(
                first=nn.Linear(FEATURES, hidden),
                relu=nn.ReLU(),
                dropout=nn.Dropout(dropout),
                second=nn.Linear(hidden, num_classes),
            )
        )

    def forward(self, images: Tensor) -> Output:
        """Images [N, P, 3, H, W] to logits [N, C] (logs of mean probabilities), features [N, P, 512]."""
        check_images(f"OneStream with phases={self.phases}", images, self.phases)
        features = self.stream(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        chances = self.classifier(self.norm(features)).float().softmax(-1).mean(dim=1)
        return Output(chances.clamp_min(torch.finfo(chances.dtype).tiny).log(), features)

    def loss(
        self,
        output: Output,
        labels: Labels,
        consistency_weight: float = 0.0,
        label_smoothing: float = 0.0,
        emphasis: Emphasis = PLAIN,
    ) -> Tensor:
        """The loss of the emotions over all images, each with its clip's label; no consistency term."""
        logits = self.classifier(self.norm(output.features)).flatten(0, 1)
        targets = labels.emotion.repeat_interleave(output.features.shape[1])
        return emotion_loss(logits, targets, label_smoothing, emphasis)
