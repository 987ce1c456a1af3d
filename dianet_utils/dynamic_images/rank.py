"""Rank pooling itself, of which Eq. 1 is the approximation.

Unlike the other weightings it is not linear in the frames: they decide the weights. Yet what comes
out is again a weighted sum of the frames, so only the weights are made here.
"""

import numpy as np
import numpy.typing as npt

from dianet_utils.dynamic_images.images import Frames, check_frames, dynamic_image
from dianet_utils.dynamic_images.weights import Reals

_CHUNK = 2**16  # pixels that are multiplied at a time


def rank_pooling(frames: Frames) -> npt.NDArray[np.float64]:
    """The direction in pixel space along which a clip's frames rank themselves in time.

    Bilen et al. (CVPR 2016) and Fernando et al. (CVPR 2015): with V_t the mean of frames 1..t, learn
    d so that the score <d, V_t> rises with t. It is scikit-learn's ``LinearSVR`` with C = 1, the loss
    ``squared_epsilon_insensitive`` and epsilon = 0.1 (the tolerance usual for rank pooling), on
    frames of 0..255. Scores and times are centred over the clip, so no intercept is needed and a
    static clip gives exactly 0, as it does under Eq. 1. All frames are held in memory.

    Args:
        frames: T frames of one size, uint8 [T, H, W, C].

    Returns:
        The direction d, float64 [H, W, C].

    Raises:
        InputError: If the frames are not uint8 or differ in size.

    Example:
        Three pixels: one grows brighter, one stays, one grows darker.

        >>> import numpy as np
        >>> frames = np.array([[[[50 + 10 * t], [90], [200 - 10 * t]]] for t in range(6)], np.uint8)
        >>> np.sign(rank_pooling(frames)).ravel().tolist()
        [1.0, 0.0, -1.0]
        >>> bool(rank_pooling(frames[[0, 0, 0]]).any())
        False
    """
    return dynamic_image(frames, rank_weights(gram(frames)))


def gram(frames: Frames) -> Reals:
    """The inner products of all pairs of frames [T, T], exact: whole numbers below 2^53 in float64."""
    check_frames(frames)
    flat = np.asarray(frames).reshape(len(frames), -1)
    total = np.zeros((len(flat), len(flat)))
    for start in range(0, flat.shape[1], _CHUNK):
        part = flat[:, start : start + _CHUNK].astype(np.float64)
        total += part @ part.T
    return total


def rank_weights(products: Reals) -> Reals:
    """The weight of each frame in the rank-pooled image, from the frames' inner products [T, T]: [T].

    The regression needs the running means only through their inner products: in the axes of those
    the T points have T coordinates instead of one per pixel, and the same solution. With the means
    V = M I of the frames I and the solution d = sum_t b_t V_t, the frames' weights are M' b.
    """
    from sklearn.svm import LinearSVR

    count = len(products)
    moved = products - products[:1] - products[:, :1] + products[0, 0]  # products of I_t - I_1, still exact
    if not moved.any():
        return np.zeros(count)
    times = np.arange(1, count + 1, dtype=np.float64)
    means = np.tril(np.ones((count, count))) / times[:, None]
    means -= means.mean(axis=0)  # centred over the clip: each row sums to 0
    sizes, axes = np.linalg.eigh(means @ moved @ means.T)
    kept = sizes > sizes.max() * 1e-12
    lengths = np.sqrt(sizes[kept])
    solver = {"fit_intercept": False, "dual": False, "tol": 1e-7, "max_iter": 10_000}
    regression = LinearSVR(C=1.0, epsilon=0.1, loss="squared_epsilon_insensitive", **solver)
    regression.fit(axes[:, kept] * lengths, times - times.mean())
    return means.T @ (axes[:, kept] @ (regression.coef_ / lengths))
