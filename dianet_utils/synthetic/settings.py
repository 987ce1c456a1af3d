"""What a synthetic dataset is made of: one frozen set of named numbers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.emotions import EMOTION_UNITS

# Part of every dataset's key: raise it when the same settings would give other frames.
VERSION = 1

FRAME_RATE = 200.0  # frames per second, as CASME II and SAMM
REFERENCE_SIZE = 192  # px; lengths in settings and plans are px of a frame of this size
CASME2_EMOTIONS = ("happiness", "surprise", "disgust", "repression", "others")
CASME2_SIZES = (32, 25, 59, 27, 97)  # clips of each that selection leaves of CASME II's sheet

# Settings that came later, and the value at which a dataset is as it was before them. At that value they
# stay out of the JSON, so an older dataset keeps its key.
ADDED: dict[str, Any] = {
    "class_sizes": (),
    "balanced": False,
    "disagreement": 0.0,
    "decay": (0.55, 0.95),
    "apex_spread": 0.0,
}
# Where the first default dataset differs: 16 people with 3 clips of each emotion, timing and motion without
# a source.
VERSION_1: dict[str, Any] = {
    **ADDED,
    "subjects": 16,
    "clips_per_emotion": 3,
    "amplitude_px": 0.5,
    "residual": (0.10, 0.60),
    "duration": (40, 80),
    "apex_position": (0.35, 0.60),
    "drift_px": 0.05,
    "rotation_degrees": 0.02,
}

# Smallest and largest value of each number, and of both ends of each range.
LIMITS: dict[str, tuple[float, float]] = {
    "subjects": (1, 10_000),
    "clips_per_emotion": (0, 1_000),
    "class_sizes": (1, 100_000),
    "seed": (0, 2**32 - 1),
    "size": (32, 2048),
    "amplitude_px": (0, 20),
    "amplitude_spread": (0, 2),
    "wrinkles": (0, 5),
    "noise": (0, 50),
    "jpeg_quality": (1, 100),
    "drift_px": (0, 20),
    "rotation_degrees": (0, 10),
    "flicker": (0, 0.5),
    "blink_probability": (0, 1),
    "asymmetry": (0, 1),
    "phase": (0, 1),
    "ambiguity": (0, 1),
    "disagreement": (0, 1),
    "residual": (0, 1),
    "decay": (0.2, 5),
    "apex_position": (0.05, 0.95),
    "apex_spread": (0, 0.5),
    "apex_jitter": (0, 20),
    "duration": (16, 1_000),
}


@dataclass(frozen=True)
class Settings:
    """Size and difficulty of a synthetic dataset; the same settings always give the same frames.

    Lengths (``amplitude_px``, ``drift_px``) are pixels of a 192 px frame and scale with ``size``. Each
    knob turns one thing alone: two datasets that differ in one knob hold the same people and clips.

    People, class sizes, duration and the apex's place are by default as published of CASME II. Amplitude,
    disagreement, residual, decay, drift and rotation have no source: they were chosen on seeds 101 to 106 so
    that a linear SVM reads the whole clip about as well beside the onset phase (.96) as the paper's network
    does (.94 and .93), at its level of accuracy. So on these clips "one phase tells more than the whole clip"
    is put in, and no evidence. ``version_1`` is the default dataset of earlier releases.

    Raises InputError that lists every value out of place.
    """

    subjects: int = 26
    clips_per_emotion: int = 0  # of each subject; 0: as many of each emotion as class_sizes says
    class_sizes: tuple[int, ...] = CASME2_SIZES  # of each of ``emotions``, over all subjects; () on a grid
    balanced: bool = False  # as many clips, but equally many of each emotion and subject
    emotions: tuple[str, ...] = CASME2_EMOTIONS
    seed: int = 0  # people and clips; two seeds share no subject
    size: int = REFERENCE_SIZE  # px, height and width of a frame

    amplitude_px: float = 0.75  # median over clips of the strongest action unit's peak displacement
    amplitude_spread: float = 0.45  # sd of its logarithm
    wrinkles: float = 1.0  # furrows and bulges that come with the motion: 0 none, 1 natural
    asymmetry: float = 0.35  # sd of the difference between the sides, as a part of the motion
    phase: float = 1.0  # unit-specific delays: 0 all units move as one, 1 natural
    ambiguity: float = 1.0  # 0 each emotion has one unit set, 1 sets overlap as in CASME II
    # Part of the clips that show the units of any clip's emotion, whatever their label: labels follow the
    # video and the person's own report too. ``ambiguity`` scales it.
    disagreement: float = 0.20
    residual: tuple[float, float] = (0.30, 0.80)  # part of the motion still there at the offset
    decay: tuple[float, float] = (1.5, 3.0)  # exponent of the way down: below 1 at once, above 1 held first

    # Frames from onset to offset, both counted, at 200 frames per second: the smallest and the largest
    # number, and between them any quantiles at equal steps.
    duration: tuple[int, ...] = (25, 52, 66, 87, 142)
    apex_position: tuple[float, float] = (0.08, 0.94)  # of the true apex, as a part of the clip
    apex_spread: float = 0.15  # sd of the apex about the middle of its range; 0: anywhere in it
    apex_jitter: float = 1.0  # frames, sd of the annotated apex about the true one

    noise: float = 3.0  # grey levels, sd of the sensor's noise at mid-grey
    jpeg_quality: int = 90
    drift_px: float = 0.015  # sd of the slow shift left over after alignment
    rotation_degrees: float = 0.006  # sd of the slow rotation left over
    flicker: float = 0.004  # sd of the light's brightness, as a part of it
    blink_probability: float = 0.20  # of a blink that overlaps the clip

    permute_labels: bool = False  # shuffle labels (on a grid within each subject): no signal is left

    def __post_init__(self) -> None:
        """Turn lists (as JSON has them) into tuples and refuse what is out of place."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                object.__setattr__(self, field.name, tuple(value))
        if self.clips_per_emotion:
            object.__setattr__(self, "class_sizes", ())
        if problems := _problems(self):
            raise InputError(
                "These settings of the synthetic dataset cannot be used:\n" + "\n".join(problems)
            )

    @classmethod
    def version_1(cls, **others: Any) -> "Settings":
        """The default dataset of earlier releases; ``others`` are settings that differ from it."""
        return cls(**VERSION_1 | others)

    @property
    def key(self) -> str:
        """Names the dataset: a hash of all settings and of the generator's version."""
        content = json.dumps([VERSION, as_json(self)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def as_json(settings: Settings) -> dict[str, Any]:
    """The settings as JSON types, without those of ADDED that add nothing; ``from_json`` turns them back."""
    values = asdict(settings)
    told = {name: values[name] for name in values if name not in ADDED or values[name] != ADDED[name]}
    plain: dict[str, Any] = json.loads(json.dumps(told))
    return plain


def from_json(values: Mapping[str, Any]) -> Settings:
    """Settings from their JSON form, where one of ADDED that is absent adds nothing.

    Raises InputError on unknown names or values out of place.
    """
    if unknown := sorted(set(values) - {field.name for field in fields(Settings)}):
        raise InputError(f"The synthetic dataset has no setting {', '.join(unknown)}; see Settings for all.")
    return Settings(**{**ADDED, **values})


def _problems(settings: Settings) -> list[str]:
    """One sentence for each setting that cannot be used."""
    problems = []
    for field in fields(settings):
        value, default = getattr(settings, field.name), field.default
        if field.name == "emotions":
            problems += _emotion_problems(value)
        elif field.name == "class_sizes":
            problems += _size_problems(settings)
        elif isinstance(default, bool):
            problems += (
                [] if isinstance(value, bool) else [f"{field.name} must be True or False, not {value!r}"]
            )
        elif isinstance(default, tuple):
            problems += _range_problems(field.name, value, type(default[0]))
        else:
            problems += _number_problems(field.name, value, type(default))
    return problems


def _emotion_problems(emotions: Any) -> list[str]:
    """Emotions: at least one, each known, none twice."""
    if not isinstance(emotions, tuple) or not emotions or not all(isinstance(e, str) for e in emotions):
        return [f"emotions must name at least one of {', '.join(EMOTION_UNITS)}, not {emotions!r}"]
    unknown = [repr(emotion) for emotion in emotions if emotion not in EMOTION_UNITS]
    problems = (
        [f"emotions does not know {', '.join(unknown)}; use {', '.join(EMOTION_UNITS)}"] if unknown else []
    )
    if len(set(emotions)) < len(emotions):
        problems.append(f"emotions names one twice: {', '.join(map(str, emotions))}")
    return problems


def _size_problems(settings: Settings) -> list[str]:
    """Class sizes: a whole number for each emotion and a clip for each subject, unless on a grid."""
    if settings.clips_per_emotion or _emotion_problems(settings.emotions):
        return []
    sizes, subjects = settings.class_sizes, settings.subjects
    if not isinstance(sizes, tuple) or len(sizes) != len(settings.emotions):
        return [
            f"class_sizes must have a number of clips for each of emotions, not {sizes!r}; "
            "or give clips_per_emotion, of each subject"
        ]
    problems = [problem for size in sizes for problem in _number_problems("class_sizes", size, int)]
    if not problems and isinstance(subjects, int) and sum(sizes) < subjects:
        problems.append(f"class_sizes has {sum(sizes)} clips, fewer than one for each of {subjects} subjects")
    return problems


def _number_problems(name: str, value: Any, kind: type) -> list[str]:
    """A number: of the right kind and within its limits."""
    low, high = LIMITS[name]
    whole = kind is int
    right_kind = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if right_kind and low <= value <= high:
        return []
    return [f"{name} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}, not {value!r}"]


def _range_problems(name: str, value: Any, kind: type) -> list[str]:
    """A range: two numbers, the smaller one first; of ``duration`` also quantiles between them."""
    if not isinstance(value, tuple) or len(value) < 2 or (len(value) > 2 and name != "duration"):
        return [f"{name} must be two numbers (smallest, largest), not {value!r}"]
    problems = [problem for end in value for problem in _number_problems(name, end, kind)]
    if not problems and list(value) != sorted(value):
        problems.append(f"{name} must have its smaller number first, not {value!r}")
    return problems
