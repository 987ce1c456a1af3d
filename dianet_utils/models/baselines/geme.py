"""GEME: one stream learns the emotion, another the subject's gender, and the first sees both."""

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 (the name that every torch text uses)
from torch import Tensor, nn

from dianet_utils.models.baselines.blocks import classifier, conv_norm_relu
from dianet_utils.models.losses import PLAIN, Emphasis, focal_loss
from dianet_utils.models.network import Network, check_images
from dianet_utils.models.output import Labels, Output

WIDTHS = (24, 48, 96, 160)  # channels of a stream, stage by stage


class Residual(nn.Module):
    """A residual block that halves the side: ReLU(two convolutions + a 1x1 shortcut).

    ``[B, inputs, H, W] -> [B, outputs, H/2, W/2]``.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = conv_norm_relu(inputs, outputs, 3, 2)
        self.second = conv_norm_relu(outputs, outputs)[:2]
        self.shortcut = conv_norm_relu(inputs, outputs, 1, 2)[:2]

    def forward(self, features: Tensor) -> Tensor:
        """Add the block's response to what came in."""
        return F.relu(self.second(self.first(features)) + self.shortcut(features))


class GEME(Network):
    """Nie, Takalkar, Duan, Zhang and Xu, "GEME: Dual-stream multi-task gender-based micro-expression
    recognition", Neurocomputing 427, 2021. A reconstruction.

    Known: a dynamic image of the clip; two streams with residual blocks, one for the emotion, one for the
    gender, whose features help the emotion; both tasks learnt together, without pre-training.

    Assumed: 112 px, a 5x5 stem with stride 4 and three residual blocks per stream (24, 48, 96, 160 channels),
    the help (the pooled gender features are concatenated to those of the emotion), the classifier with
    ``hidden`` units and ``dropout``, the loss of emotions (:func:`focal_loss` with ``focus``, its weights
    class-balanced with ``beta``; named in the literature, not confirmed), and that of genders (cross-entropy,
    counted ``gender_weight``). Test clips need no gender: only the loss reads it.
    """

    weights: Tensor

    def __init__(
        self,
        num_classes: int,
        dropout: float = 0.5,
        hidden: int = 256,
        focus: float = 2.0,
        beta: float = 0.999,
        gender_weight: float = 0.5,
    ):
        super().__init__()
        self.emotion, self.gender = _stream(), _stream()
        self.classifier = classifier(2 * WIDTHS[-1], hidden, dropout, num_classes)
        self.gender_classifier = nn.Linear(WIDTHS[-1], 2)
        self.focus, self.beta, self.gender_weight = focus, beta, gender_weight
        self.register_buffer("weights", torch.ones(num_classes))

    def forward(self, images: Tensor) -> Output:
        """Images [N, 1, 3, H, W] to logits [N, C], features [N, 1, 320] and gender scores [N, 2]."""
        check_images("GEME", images, 1)
        emotion, gender = (stream(images[:, 0]).mean(dim=(2, 3)) for stream in (self.emotion, self.gender))
        features = torch.cat([emotion, gender], dim=1)
        return Output(self.classifier(features), features[:, None], self.gender_classifier(gender))

    def observe(self, labels: Labels) -> None:
        """Weigh the classes by their numbers of training clips."""
        counts = torch.bincount(labels.emotion, minlength=len(self.weights))
        self.weights.copy_(class_balanced_weights(counts, self.beta))

    def loss(
        self,
        output: Output,
        labels: Labels,
        consistency_weight: float = 0.0,
        label_smoothing: float = 0.0,
        emphasis: Emphasis = PLAIN,
    ) -> Tensor:
        """The focal loss of the emotions plus ``gender_weight`` times the cross-entropy of the genders.

        Its weights and its focus are the network's own, and another ``emphasis`` is refused.
        """
        if not emphasis.plain:
            raise ValueError("GEME weighs classes and clips in its own way: leave the emphasis plain.")
        emotion = focal_loss(output.logits, labels.emotion, self.weights, self.focus, label_smoothing)
        if output.gender is None or labels.gender is None:
            raise ValueError("The loss of GEME needs Labels with the gender of every clip.")
        return emotion + self.gender_weight * F.cross_entropy(output.gender, labels.gender)


def _stream() -> nn.Sequential:
    """A stem and three residual blocks: [B, 3, H, W] to [B, 160, H/32, W/32]."""
    return nn.Sequential(conv_norm_relu(3, WIDTHS[0], 5, 4), *(Residual(*pair) for pair in pairwise(WIDTHS)))


def class_balanced_weights(counts: Tensor, beta: float) -> Tensor:
    """One weight per class from its number of clips ``counts`` [C]: float [C], of mean 1.

    Cui et al., "Class-balanced loss based on effective number of samples" (CVPR 2019): proportional to
    ``(1 - beta) / (1 - beta^n)``. ``beta`` 0 weighs all classes alike, towards 1 by the inverse of n. A
    class without clips, which no loss ever meets, counts as one clip.
    """
    effective = (1 - beta ** counts.clamp(min=1).double()) / (1 - beta)
    return (len(counts) / effective / (1 / effective).sum()).float()
