"""One stream that takes both phases as samples: its answer, its loss, and that it learns."""

import torch
import torch.nn.functional as F  # noqa: N812 (the name that every torch text uses)

from dianet_utils import models
from dianet_utils.config import configure
from dianet_utils.models import Labels, build_model


def built() -> models.Network:
    torch.manual_seed(0)
    return build_model(configure(model="one_stream", hidden=16, dropout=0.0), 3)


def clips(count: int = 6) -> torch.Tensor:
    return torch.randn((count, 2, 3, 32, 32), generator=torch.Generator().manual_seed(1))


def test_the_answer_is_the_mean_of_the_answers_to_each_image() -> None:
    network, images = built().eval(), clips()
    one = models.build("one_stream", 3, backbone="test_efficientnet", phases=1, hidden=16, dropout=0.0).eval()
    one.load_state_dict(network.state_dict())
    with torch.inference_mode():
        both = network(images).logits.softmax(1)
        each = torch.stack([one(images[:, phase : phase + 1]).logits.softmax(1) for phase in (0, 1)])
        turned = network(images.flip(1)).logits.softmax(1)
    assert torch.allclose(both, each.mean(0), atol=1e-5)
    assert torch.allclose(both, turned, atol=1e-5)  # no phase has a place of its own


def test_every_image_is_a_sample_of_the_loss() -> None:
    network, images = built().eval(), clips()
    targets = torch.tensor([0, 1, 2, 0, 1, 2])
    output = network(images)
    loss = network.loss(output, Labels(targets))
    scores = network.classifier(network.norm(output.features))
    by_hand = (F.cross_entropy(scores[:, 0], targets) + F.cross_entropy(scores[:, 1], targets)) / 2
    assert torch.allclose(loss, by_hand)


def test_it_learns_a_few_clips_by_heart() -> None:
    network, images, targets = built(), clips(), torch.tensor([0, 1, 2, 0, 1, 2])
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(40):
        loss = network.loss(network(images), Labels(targets))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (network(images).logits.argmax(1) == targets).all()
