"""From the frames of a clip to its dynamic images: weights, images, scalings and the cached bank.

``weights`` says how much each frame counts, ``images`` adds frames up and scales the sum, ``rank``
is rank pooling itself, ``flow`` is optical flow, ``clip`` makes the images of one clip from its
files, ``store`` keeps them, and ``bank`` does all of it for a table of clips. ``apex`` finds the apex of
clips that come without one, and moves it.
"""

from dianet_utils.config.choices import FLOWS, INPUTS, PHASES, SCALINGS, WEIGHTINGS
from dianet_utils.dynamic_images.apex import jitter_shifts, shift_apex
from dianet_utils.dynamic_images.bank import Bank, build_bank
from dianet_utils.dynamic_images.flow import optical_flow
from dianet_utils.dynamic_images.images import (
    MID_GREY,
    dynamic_image,
    grey,
    scale_centred,
    scale_minmax,
    scale_signed,
    weighted_sums,
)
from dianet_utils.dynamic_images.rank import gram, rank_pooling, rank_weights
from dianet_utils.dynamic_images.weights import (
    Moments,
    active_weights,
    affective_weights,
    arp_weights,
    harmonic_weights,
    offset_weights,
    phase_weights,
    resample,
    whole_numbers,
)

__all__ = [
    "FLOWS",
    "INPUTS",
    "MID_GREY",
    "PHASES",
    "SCALINGS",
    "WEIGHTINGS",
    "Bank",
    "Moments",
    "active_weights",
    "affective_weights",
    "arp_weights",
    "build_bank",
    "dynamic_image",
    "gram",
    "grey",
    "harmonic_weights",
    "jitter_shifts",
    "offset_weights",
    "optical_flow",
    "phase_weights",
    "rank_pooling",
    "rank_weights",
    "resample",
    "scale_centred",
    "scale_minmax",
    "scale_signed",
    "shift_apex",
    "weighted_sums",
    "whole_numbers",
]
