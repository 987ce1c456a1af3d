"""Optical flow: how far each pixel moved from one frame to another."""

import cv2
import numpy as np
import numpy.typing as npt


def optical_flow(first: npt.NDArray[np.uint8], last: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The motion from ``first`` to ``last`` (RGB uint8 [H, W, 3]) in pixels: float32 [H, W, 3].

    Channels: u (to the right), v (down) and the length ``sqrt(u^2 + v^2)``. Dense inverse search (Kroeger
    et al., ECCV 2016) as OpenCV has it, preset medium, on the grey frames; sub-pixel, and at an edge of
    the face smoothed over a patch of 8 pixels. A frame against itself gives 0 everywhere.
    """
    before, after = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, last))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # keeps state: one per call
    flow = np.asarray(search.calc(before, after, np.zeros((*before.shape, 2), np.float32)))
    return np.dstack([flow, np.hypot(flow[..., 0], flow[..., 1])])
