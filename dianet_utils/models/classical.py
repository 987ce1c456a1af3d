"""Simple rivals: scikit-learn pipelines that read the same images and go through the same folds.

A network has to pass them to have learnt anything that a line through the pixels does not tell. Each function
here gives a new, unfitted pipeline. It takes a bank's images [N, P, 3, H, W] as they are stored, and knows
classes by their numbers. Settings are scikit-learn's defaults unless the docstring says otherwise; none was
tuned.
"""

import importlib
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from dianet_utils.config import SYSTEMS
from dianet_utils.dynamic_images.lbp import BINS, BLOCKS
from dianet_utils.models.cost import Cost

Images = npt.NDArray[Any]
Reals = npt.NDArray[np.float64]

BINS_OF_ANGLES = 8
CELLS = 8  # a side, in which Bi-WOOF counts


def linear_svm() -> Pipeline:
    """A linear support vector machine on the grey pixels of all inputs."""
    return make_pipeline(FunctionTransformer(grey_pixels), LinearSVC(random_state=0))


def logistic_regression() -> Pipeline:
    """Logistic regression on the grey pixels of all inputs; at most 1000 steps."""
    return make_pipeline(FunctionTransformer(grey_pixels), LogisticRegression(max_iter=1000))


def bi_woof_svm() -> Pipeline:
    """Bi-WOOF features of the flow from onset to apex (:func:`bi_woof`) and a linear SVM.

    Liong et al., "Less is more: Micro-expression recognition from video using apex frame" (Signal Processing:
    Image Communication 62, 2018), the paper's reference [11]. A reconstruction: the flow is ours (DIS).
    """
    return make_pipeline(FunctionTransformer(bi_woof), StandardScaler(), _svm())


def optical_strain_svm() -> Pipeline:
    """The map of optical strain from onset to apex (:func:`strain`) and a linear SVM.

    Liong et al., "Optical strain based recognition of subtle emotions" (ISPACS 2014), the paper's reference
    [5]. A reconstruction: they sum the strain over the clip, here it is that of the flow from onset to apex.
    """
    return make_pipeline(FunctionTransformer(_strain_pixels), StandardScaler(), _svm())


def lbp_top_svm() -> Pipeline:
    """LBP-TOP histograms (:func:`~dianet_utils.dynamic_images.lbp.lbp_top`) and a linear SVM.

    The baseline of Li et al., "A spontaneous micro-expression database" (FG 2013), the paper's reference [4].
    A reconstruction: blocks, radius and kernel differ from study to study, and frames are taken as recorded.
    """
    return make_pipeline(FunctionTransformer(_histograms), StandardScaler(), _svm())


def _svm() -> SVC:
    """The linear SVM of the handcrafted systems, whose features are standardised first."""
    return SVC(kernel="linear", break_ties=True)


def estimator(name: str) -> Pipeline:
    """A new pipeline of the system ``name``, whose record in ``SYSTEMS`` names one of the functions above."""
    module, _, function = SYSTEMS[name].network.partition(":")
    return getattr(importlib.import_module(module), function)()


def class_probabilities(fitted: Pipeline, images: Images) -> Reals:
    """One number per class that sums to 1, [N, C]: the softmax of the decision function.

    The largest is the predicted class. They are not calibrated: an SVM has no probabilities of its own.
    """
    scores = np.asarray(fitted.decision_function(images), np.float64)
    if scores.ndim == 1:  # of two classes scikit-learn gives one number
        scores = np.column_stack([-scores, scores])
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def estimator_cost(name: str, images: Images, classes: int) -> Cost:
    """Weights and FLOPs of one clip, the features not counted: a score is a sum of weighted features."""
    features = estimator(name)[0].transform(images[:1]).shape[1]
    return Cost((features + 1) * classes, 2 * features * classes)


def grey_pixels(images: Images) -> Reals:
    """The mean over colours of every pixel of every input: [N, P, 3, H, W] to [N, P * H * W]."""
    return images.mean(axis=2, dtype=np.float64).reshape(len(images), -1)


class Flow(NamedTuple):
    """A flow taken apart: its length and angle, and the optical strain, each [N, H, W]."""

    length: Reals
    angle: Reals
    strain: Reals


def take_apart(images: Images) -> Flow:
    """The flow of images [N, 1, 3, H, W] (u, v, length), scaled as the bank has it.

    Optical strain is the size of the symmetric part of the flow's gradient (Shreve et al., 2009):
    ``sqrt(du/dx^2 + dv/dy^2 + (du/dy + dv/dx)^2 / 2)``.
    """
    u, v = (images[:, 0, channel].astype(np.float64) for channel in (0, 1))
    (du_dy, du_dx), (dv_dy, dv_dx) = (np.gradient(part, axis=(1, 2)) for part in (u, v))
    strain_size = np.sqrt(du_dx**2 + dv_dy**2 + (du_dy + dv_dx) ** 2 / 2)
    return Flow(np.hypot(u, v), np.arctan2(v, u), strain_size)


def _strain_pixels(images: Images) -> Reals:
    return take_apart(images).strain.reshape(len(images), -1)


def bi_woof(images: Images) -> Reals:
    """Bi-weighted oriented optical flow: [N, 1, 3, H, W] to [N, CELLS * CELLS * BINS_OF_ANGLES].

    In each cell of the face a histogram of the flow's angles, every pixel counted by the flow's length
    (locally) and the whole histogram by the cell's mean optical strain (globally); together they sum to 1.
    """
    flow = take_apart(images)
    side = images.shape[-1]
    along = np.arange(side) * CELLS // side
    cells = along[:, None] * CELLS + along
    angles = ((flow.angle + np.pi) / (2 * np.pi) * BINS_OF_ANGLES).astype(int) % BINS_OF_ANGLES
    sizes = np.bincount(cells.ravel())
    rows = []
    for angle, length, strain_size in zip(angles, flow.length, flow.strain, strict=True):
        counts = np.bincount(
            (cells * BINS_OF_ANGLES + angle).ravel(), length.ravel(), CELLS**2 * BINS_OF_ANGLES
        )
        means = np.bincount(cells.ravel(), strain_size.ravel()) / sizes
        row = (counts.reshape(-1, BINS_OF_ANGLES) * means[:, None]).ravel()
        rows.append(row / (row.sum() or 1.0))
    return np.stack(rows)


def _histograms(images: Images) -> Reals:
    """Undo :func:`~dianet_utils.dynamic_images.lbp.as_image`: [N, 1, 3, 64, 64] to [N, 3 * 64 * BINS]."""
    count, tile = len(images), 8
    tiles = images[:, 0, :, : BLOCKS * tile, : BLOCKS * tile].reshape(count, 3, BLOCKS, tile, BLOCKS, tile)
    values = tiles.transpose(0, 1, 2, 4, 3, 5).reshape(count, 3, BLOCKS * BLOCKS, tile * tile)
    return values[..., :BINS].reshape(count, -1).astype(np.float64)
