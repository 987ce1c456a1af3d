"""Which action units an emotion shows, and how often.

The sets follow the facial action coding system (Ekman & Friesen) and the coding of CASME II (Yan et
al. 2014), whose classes overlap: AU 4 alone may be disgust or others, and AU 12 happiness or, with
units that hold it back, repression. So not every clip can be told from its motion, as in life.
"""

from typing import NamedTuple

# Units that hide an expression: they follow the unit they hide (Ekman & Friesen 1982).
CONTROL_UNITS = frozenset({14, 15, 17, 23})
# The mouth opens and stretches after the brows have moved.
LATE_UNITS = frozenset({20, 25})


class UnitSet(NamedTuple):
    """One way to show an emotion: how often it is seen, and each unit's strength beside the strongest."""

    probability: float
    units: dict[int, float]


# The first set of each emotion is its prototype.
EMOTION_UNITS: dict[str, tuple[UnitSet, ...]] = {
    "happiness": (UnitSet(0.55, {6: 0.8, 12: 1.0}), UnitSet(0.45, {12: 1.0})),
    "surprise": (
        UnitSet(0.45, {1: 1.0, 2: 1.0}),
        UnitSet(0.30, {1: 0.8, 2: 1.0, 5: 0.7}),
        UnitSet(0.25, {1: 0.9, 2: 0.9, 25: 0.7}),
    ),
    "disgust": (
        UnitSet(0.30, {4: 0.8, 9: 1.0}),
        UnitSet(0.25, {4: 0.8, 10: 1.0}),
        UnitSet(0.25, {4: 1.0, 7: 0.9}),
        UnitSet(0.20, {9: 0.8, 10: 1.0}),
    ),
    "repression": (
        UnitSet(0.30, {15: 1.0}),
        UnitSet(0.25, {17: 1.0}),
        UnitSet(0.25, {12: 0.8, 14: 0.7, 15: 0.8}),
        UnitSet(0.20, {12: 0.8, 17: 1.0}),
    ),
    "others": (
        UnitSet(0.40, {4: 1.0}),
        UnitSet(0.20, {4: 1.0, 7: 0.6}),
        UnitSet(0.20, {14: 1.0}),
        UnitSet(0.20, {1: 0.6, 4: 0.8}),
    ),
    "sadness": (
        UnitSet(0.50, {1: 1.0, 4: 0.7, 15: 0.8}),
        UnitSet(0.30, {1: 1.0, 15: 0.7}),
        UnitSet(0.20, {15: 1.0, 17: 0.8}),
    ),
    "fear": (
        UnitSet(0.50, {1: 1.0, 2: 0.8, 4: 0.6, 5: 0.8, 20: 0.7}),
        UnitSet(0.50, {1: 1.0, 4: 0.7, 20: 0.9}),
    ),
    "anger": (UnitSet(0.50, {4: 1.0, 5: 0.5, 7: 0.9, 23: 0.7}), UnitSet(0.50, {4: 1.0, 7: 1.0})),
    "contempt": (UnitSet(0.70, {14: 1.0}), UnitSet(0.30, {12: 0.8, 14: 0.8})),
}
