"""What happens in each clip, drawn before any of it is rendered.

A plan holds everything random about a clip but its camera's path and noise, which follow from
``camera_seed``. Each draw is made whether or not a knob uses it, so turning one knob changes nothing else.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dianet_utils.synthetic.emotions import CONTROL_UNITS, EMOTION_UNITS, LATE_UNITS
from dianet_utils.synthetic.faces.canvas import generator
from dianet_utils.synthetic.faces.identity import GENDERS, draw_traits
from dianet_utils.synthetic.faces.traits import Traits
from dianet_utils.synthetic.settings import FRAME_RATE, Settings

__all__ = ["FRAME_RATE", "ClipPlan", "plan"]


@dataclass(frozen=True)
class ClipPlan:
    """One clip; frames are numbered from 1 and ``onset``, ``apex``, ``offset`` are inclusive numbers.

    ``action_units`` maps each unit to its peak displacement in px of a 192 px frame, ``gains`` to its
    factors on the image's left and right half, ``delays`` to its delay as a part of the rise.
    ``emotion`` is the label as annotated and ``apex`` the annotated one, about ``true_apex``.
    """

    subject: str
    filename: str
    emotion: str
    onset: int
    apex: int
    offset: int
    true_apex: int
    action_units: dict[int, float]
    gains: dict[int, tuple[float, float]]
    delays: dict[int, float]
    rise: float  # exponent of the way up
    decay: float  # exponent of the way down
    residual: float  # part of the motion left at the offset
    blink: tuple[int, int] | None  # frame at which it starts (may lie outside the clip), frames it takes
    face_seed: int
    gender: str
    camera_seed: int

    @property
    def clip(self) -> str:
        """The clip's name in the clip table: subject/filename."""
        return f"{self.subject}/{self.filename}"

    @property
    def coding(self) -> str:
        """Its action units as annotation sheets write them, such as ``4+9``, ``L14`` or ``R14``."""
        return "+".join(_side(self.gains[unit]) + str(unit) for unit in sorted(self.action_units))


def plan(settings: Settings) -> list[ClipPlan]:
    """Plan all clips of a dataset, subject by subject; the emotions of a subject come in random order.

    Args:
        settings: Size and difficulty of the dataset.

    Returns:
        One plan per clip.

    Example:
        The seed determines every clip, and turning one knob changes nothing else.

        >>> from dianet_utils import synthetic
        >>> few = {"subjects": 3, "clips_per_emotion": 1, "emotions": ("disgust", "surprise")}
        >>> clips = synthetic.plan(synthetic.Settings(**few))
        >>> [(clip.subject, clip.filename) for clip in clips[:3]]
        [('s01', 'clip01'), ('s01', 'clip02'), ('s02', 'clip01')]
        >>> clips == synthetic.plan(synthetic.Settings(**few))
        True
        >>> clips == synthetic.plan(synthetic.Settings(**few, seed=1))
        False
        >>> stronger = synthetic.plan(synthetic.Settings(**few, amplitude_px=1.0))
        >>> [clip.apex for clip in clips] == [clip.apex for clip in stronger]
        True
    """
    return [clip for number in range(1, settings.subjects + 1) for clip in _subject_clips(number, settings)]


def traits_of(clip: ClipPlan) -> Traits:
    """The traits of the clip's subject."""
    return _traits(clip.face_seed, clip.gender)


@lru_cache(maxsize=64)
def _traits(face_seed: int, gender: str) -> Traits:
    return draw_traits(face_seed, gender)


def _subject_clips(number: int, settings: Settings) -> list[ClipPlan]:
    """All clips of one subject, in the order of their file names."""
    random = generator(settings.seed, number, 1)
    face_seed = int(random.integers(2**32))
    gender = GENDERS[(number + settings.seed) % 2]
    emotions = np.repeat(settings.emotions, settings.clips_per_emotion)
    labels = random.permutation(emotions)
    clips = [
        _plan_clip(
            f"s{number:02d}", f"clip{take:02d}", str(emotion), face_seed, gender, settings, (number, take)
        )
        for take, emotion in enumerate(labels, start=1)
    ]
    if settings.permute_labels:
        labels = random.permutation(labels)
    return [replace(clip, emotion=str(label)) for clip, label in zip(clips, labels, strict=True)]


def _plan_clip(
    subject: str,
    filename: str,
    emotion: str,
    face_seed: int,
    gender: str,
    settings: Settings,
    key: tuple[int, int],
) -> ClipPlan:
    """Draw one clip of ``emotion``; ``key`` is the subject's and the clip's number."""
    random = generator(settings.seed, *key, 2)
    units = _choose_units(emotion, settings.ambiguity, random)
    last, true_apex, apex = _draw_timing(settings, random)
    strength = settings.amplitude_px * np.exp(random.normal(0, 1) * settings.amplitude_spread)
    expressiveness = _traits(face_seed, gender).expressiveness
    draws = {unit: _draw_unit(unit, emotion, units, settings, random) for unit in units}
    residual_low, residual_high = settings.residual
    return ClipPlan(
        subject=subject,
        filename=filename,
        emotion=emotion,
        onset=1,
        apex=apex,
        offset=last,
        true_apex=true_apex,
        action_units={
            unit: float(strength * share * expressiveness[unit] * draws[unit][0])
            for unit, share in units.items()
        },
        gains={unit: draws[unit][1] for unit in units},
        delays={unit: draws[unit][2] for unit in units},
        rise=float(random.uniform(0.8, 1.5)),
        decay=float(random.uniform(0.55, 0.95)),
        residual=float(residual_low + random.random() * (residual_high - residual_low)),
        blink=_draw_blink(last, settings.blink_probability, random),
        face_seed=face_seed,
        gender=gender,
        camera_seed=int(random.integers(2**32)),
    )


def _choose_units(emotion: str, ambiguity: float, random: np.random.Generator) -> dict[int, float]:
    """The emotion's prototype, or (with probability ``ambiguity``) any of its unit sets."""
    sets = EMOTION_UNITS[emotion]
    free, drawn = random.random() < ambiguity, random.choice(len(sets), p=[each.probability for each in sets])
    return sets[drawn if free else 0].units


def _draw_timing(settings: Settings, random: np.random.Generator) -> tuple[int, int, int]:
    """Numbers of the last frame, of the true apex and of the annotated apex."""
    shortest, longest = settings.duration
    earliest, latest = settings.apex_position
    last = shortest + int(random.random() * (longest - shortest + 1))
    true_apex = 1 + round((earliest + random.random() * (latest - earliest)) * (last - 1))
    apex = round(true_apex + random.normal(0, 1) * settings.apex_jitter)
    margin = max(1, min(5, true_apex - 1, last - true_apex))  # frames left on either side of the apex
    return last, true_apex, int(np.clip(apex, 1 + margin, last - margin))


def _draw_unit(
    unit: int, emotion: str, units: dict[int, float], settings: Settings, random: np.random.Generator
) -> tuple[float, tuple[float, float], float]:
    """Strength (about 1), left and right gain, and delay of one unit."""
    strength = float(np.exp(random.normal(0, 0.2)))
    difference = float(np.clip(random.normal(0, 1) * settings.asymmetry, -0.7, 0.7))
    gains = (1 - difference, 1 + difference)
    if emotion == "contempt" and unit == 14:  # a one-sided dimpler is contempt's mark
        gains = (1.0, 0.1) if difference < 0 else (0.1, 1.0)
    spread, control, late = (
        abs(random.normal(0, 0.08)),
        random.uniform(0.45, 0.95),
        random.uniform(0.15, 0.50),
    )
    delay = spread
    if unit in CONTROL_UNITS and not CONTROL_UNITS.issuperset(units):
        delay += control
    if unit in LATE_UNITS:
        delay += late
    return strength, gains, float(settings.phase * delay)


def _draw_blink(last: int, probability: float, random: np.random.Generator) -> tuple[int, int] | None:
    """Start and length of a blink that overlaps the clip, or None."""
    happens, length, place = random.random() < probability, int(random.integers(24, 46)), random.random()
    start = round(1 - length / 2 + place * (last + length / 6))
    return (start, length) if happens else None


def _side(gains: tuple[float, float]) -> str:
    """L or R for a unit on one side of the subject's face, who looks out of the image."""
    left, right = gains
    if min(left, right) > 0.2 * max(left, right):
        return ""
    return "R" if left > right else "L"
