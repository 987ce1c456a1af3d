"""Networks and fusion blocks that are not this package's, made to fit it and tried once before they train."""

import contextlib
import inspect
import traceback
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from dianet_utils.config import own_code
from dianet_utils.models.network import Network
from dianet_utils.models.output import Output
from dianet_utils.plumbing.errors import InputError


class Wrapped(Network):
    """Any network that maps images [N, P, 3, H, W] to logits [N, C], as a :class:`Network`.

    Its loss is plain cross-entropy, and its ``features`` are the logits, [N, 1, C].
    """

    memory_format = torch.contiguous_format  # a `view` of feature maps, as much code has it, needs this

    def __init__(self, network: nn.Module, num_classes: int):
        super().__init__()
        self.network = network
        self.num_classes = num_classes

    def forward(self, images: Tensor) -> Output:
        """Images [N, P, 3, H, W] to logits [N, C] and features [N, 1, C]."""
        logits = self.network(images)
        wanted = (len(images), self.num_classes)
        if not (isinstance(logits, Tensor) and logits.shape == wanted and logits.is_floating_point()):
            raise InputError(
                f"{type(self.network).__name__} must return logits {_shape(wanted)}, one float a class, "
                f"for images {_shape(images.shape)}, and returns {_told(logits)}."
            )
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # halves round probabilities
        return Output(logits, logits[:, None])


def own_class(name: str) -> type[nn.Module]:
    """The class of a reference to own code; InputError unless it is an ``nn.Module``."""
    found = own_code.load(name)
    if not issubclass(found, nn.Module):
        raise InputError(f"{own_code.title(name)} must be a torch.nn.Module: derive the class from it.")
    return found


def made(kind: type[nn.Module], *places: Any, **given: Any) -> nn.Module:
    """An instance of somebody's class; InputError naming what its constructor lacks or raised.

    What the constructor changes of torch's settings for the whole process is put back.
    """
    try:
        inspect.signature(kind).bind(*places, **given)
    except TypeError as error:
        raise InputError(
            f"{kind.__name__} cannot be built ({error}): arguments of its constructor that bear the name of "
            "no setting need a default."
        ) from None
    try:
        with _settings_kept():
            return kind(*places, **given)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{kind.__name__} cannot be built: its constructor raised {_first(error)}."
        ) from error


@contextlib.contextmanager
def _settings_kept() -> Iterator[None]:
    """Put back gradients, the default type and device, and the number of threads of the process."""
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    threads, device = torch.get_num_threads(), torch.get_default_device()
    try:
        yield
    finally:
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)


def fusion_block(name: str, width: int) -> nn.Module:
    """A fusion block of the user's own, ``MyBlock(width)``; it must map [N, 2, width] to the same shape."""
    block = made(own_class(own_code.reference(name)), width)
    vectors = torch.zeros(2, 2, width)
    fused = _tried(block, vectors)
    if not (isinstance(fused, Tensor) and fused.shape == vectors.shape):
        raise InputError(
            f"{type(block).__name__} must return the vectors of both phases, {_shape(vectors.shape)} for "
            f"{_shape(vectors.shape)}, and returns {_told(fused)}."
        )
    return block


def try_network(network: Network, name: str, num_classes: int, phases: int, size: int) -> None:
    """Raise InputError unless a network scores two clips of ``phases`` images and has weights that learn."""
    images = torch.zeros(2, phases, 3, size, size)
    output = _tried(network, images, name)
    if not _is_output(output, len(images), num_classes):
        raise InputError(
            f"{name} must return an Output with logits [2, {num_classes}] and features [2, P, D] for images "
            f"{_shape(images.shape)}, and returns {_told(output)}."
        )
    if not any(weight.requires_grad for weight in network.parameters()):
        raise InputError(f"{name} has no weights that learn.")


@contextlib.contextmanager
def failures_told(*names: str) -> Iterator[None]:
    """Turn what own code among ``names`` raises while it trains into an InputError that names it.

    Errors that are told already and want of memory pass, as do all errors where no name is that of own code.
    """
    own = [own_code.title(name) for name in names if own_code.is_own(name)]
    try:
        yield
    except (InputError, FloatingPointError, MemoryError, torch.OutOfMemoryError):
        raise
    except (Exception, SystemExit) as error:
        if not own:
            raise
        raise InputError(f"{' or '.join(own)} fails in training{_line(error)}: {_first(error)}.") from error


def _line(error: BaseException) -> str:
    """Where in own code an exception arose, " in line 7 of my_net.py", or ""."""
    lines = traceback.extract_tb(error.__traceback__)
    told = [
        f" in line {line.lineno} of {place}" for line in lines if (place := own_code.place_of(line.filename))
    ]
    return told[-1] if told else ""


def _is_output(given: Any, clips: int, num_classes: int) -> bool:
    """Whether ``given`` is an Output with logits [clips, num_classes] and features [clips, P, D]."""
    if not (
        isinstance(given, Output) and isinstance(given.logits, Tensor) and isinstance(given.features, Tensor)
    ):
        return False
    features = given.features.shape
    return given.logits.shape == (clips, num_classes) and len(features) == 3 and features[0] == clips


def _tried(network: nn.Module, given: Tensor, name: str = "") -> Any:
    """What ``network`` returns, in evaluation mode, so that no statistics move."""
    network.eval()
    try:
        with torch.no_grad():
            return network(given)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        name = name or type(network).__name__
        raise InputError(f"{name} fails on an input {_shape(given.shape)}: {_first(error)}.") from error
    finally:
        network.train()


def _shape(shape: tuple[int, ...]) -> str:
    return str(list(shape))


def _told(value: Any) -> str:
    """What was returned, for people."""
    if isinstance(value, Tensor):
        return f"{_shape(value.shape)} of {value.dtype}"
    if isinstance(value, Output):
        return f"logits {_told(value.logits)} and features {_told(value.features)}"
    return f"a {type(value).__name__}"


def _first(error: BaseException) -> str:
    """An exception in a line."""
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
