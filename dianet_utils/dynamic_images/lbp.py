"""LBP-TOP: how often each texture pattern occurs in the frames, and in two planes that hold time."""

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 128  # px, to which the grey frames are resized first
BLOCKS = 8  # a side: patterns are counted in each of 8 x 8 parts of the face
BINS = 59  # 58 uniform patterns of 8 neighbours, and one bin for all others

Volume = npt.NDArray[np.uint8]
# Steps to the eight neighbours in a plane, in order around the middle.
_AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_PLANES = ((1, 2), (0, 2), (0, 1))  # axes of the volume [T, H, W] that span XY, XT and YT


def small_grey(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A frame, RGB uint8 [H, W, 3], as a grey one of :data:`SIDE` px: uint8 [128, 128]."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def lbp_top(frames: Volume) -> npt.NDArray[np.float32]:
    """The histograms of a clip, float32 [3, BLOCKS, BLOCKS, BINS]; each sums to 1.

    Zhao and Pietikäinen (TPAMI 2007), used on micro-expressions by Li et al. (FG 2013): uniform local binary
    patterns of the 8 nearest neighbours in the planes XY, XT and YT of ``frames`` [T, SIDE, SIDE], counted
    over time in each block. Neighbours are the pixels themselves, at radius 1 in space and time. A clip of
    fewer than three frames has no pattern in time, and gives zeros.
    """
    histograms = np.zeros((len(_PLANES), BLOCKS * BLOCKS, BINS), np.float32)
    if len(frames) >= 3:
        blocks = _blocks()
        for plane, axes in enumerate(_PLANES):
            places = blocks * BINS + _UNIFORM[_patterns(frames, axes)]
            counts = np.bincount(places.ravel(), minlength=BLOCKS * BLOCKS * BINS)
            histograms[plane] = counts.reshape(-1, BINS) / counts.reshape(-1, BINS).sum(1, keepdims=True)
    return histograms.reshape(len(_PLANES), BLOCKS, BLOCKS, BINS)


def as_image(histograms: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """The histograms laid out as an image, float32 [3, size, size], one plane per channel.

    Each block of the face is a tile of 8 x 8 values, of which the last five are 0; the rest of the image, if
    ``size`` is larger than 64, too. So a bank can hold them like any other input.
    """
    tile = 8
    tiles = np.zeros((len(_PLANES), BLOCKS, BLOCKS, tile * tile), np.float32)
    tiles[..., :BINS] = histograms
    image = np.zeros((len(_PLANES), size, size), np.float32)
    laid = tiles.reshape(-1, BLOCKS, BLOCKS, tile, tile).transpose(0, 1, 3, 2, 4)
    image[:, : BLOCKS * tile, : BLOCKS * tile] = laid.reshape(-1, BLOCKS * tile, BLOCKS * tile)
    return image


def _patterns(frames: Volume, axes: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The 8-bit pattern of every inner voxel of ``frames`` [T, H, W] in the plane that two axes span."""
    inner = frames[1:-1, 1:-1, 1:-1]
    codes = np.zeros(inner.shape, np.uint8)
    for bit, steps in enumerate(_AROUND):
        shift = [0, 0, 0]
        for axis, step in zip(axes, steps, strict=True):
            shift[axis] = step
        window = tuple(slice(1 + s, size - 1 + s) for s, size in zip(shift, frames.shape, strict=True))
        codes |= (frames[window] >= inner).astype(np.uint8) << bit
    return codes


def _blocks() -> npt.NDArray[np.int64]:
    """The number of the block in which each inner pixel lies, [SIDE - 2, SIDE - 2]."""
    along = np.arange(1, SIDE - 1) * BLOCKS // SIDE
    return along[:, None] * BLOCKS + along


def _uniform_bins() -> npt.NDArray[np.int64]:
    """The bin of each of the 256 patterns: one for each with at most two changes around the circle."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(1) <= 2
    bins = np.full(256, BINS - 1)
    bins[uniform] = np.arange(uniform.sum())
    return bins


_UNIFORM = _uniform_bins()
