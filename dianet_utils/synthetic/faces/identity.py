"""Who a synthetic subject is: a few dozen traits, drawn from a seed and told to nothing else.

Traits know nothing of emotions or clips, so a face cannot give a label away.
"""

import numpy as np

from dianet_utils.synthetic.faces.action_units import UNITS
from dianet_utils.synthetic.faces.canvas import generator
from dianet_utils.synthetic.faces.traits import Colour, Traits

HAIR_STYLES = ("short", "parted", "long", "shaved")
GENDERS = ("female", "male")

# Six skin tones from light to dark, between which tones are mixed; red, green, blue of 255.
SKIN_TONES = (
    (228, 196, 174),
    (214, 178, 150),
    (200, 158, 126),
    (178, 130, 96),
    (150, 102, 74),
    (116, 80, 58),
)
HAIR_COLOURS = ((28, 24, 22), (58, 40, 30), (98, 64, 42), (168, 132, 92), (82, 78, 76))
IRIS_COLOURS = ((66, 44, 30), (96, 62, 38), (92, 98, 72), (84, 112, 134))
HAIR_ODDS_LIGHT, HAIR_ODDS_DARK = (0.40, 0.32, 0.14, 0.09, 0.05), (0.75, 0.20, 0.03, 0.00, 0.02)
IRIS_ODDS_LIGHT, IRIS_ODDS_DARK = (0.5, 0.3, 0.1, 0.1), (0.8, 0.2, 0.0, 0.0)
STYLE_ODDS = {"female": (0.10, 0.35, 0.55, 0.00), "male": (0.45, 0.33, 0.04, 0.18)}

# Mean and standard deviation of each measure, in face units unless said; drawn within 2 sd.
MEASURES: dict[str, tuple[float, float]] = {
    "head_width": (0.72, 0.025),
    "head_height": (0.99, 0.02),
    "jaw": (0.27, 0.05),  # part of the width lost from eyes to chin
    "squareness": (2.25, 0.15),  # exponent of the head's outline: 2 is an ellipse
    "eye_x": (0.285, 0.015),
    "eye_y": (-0.11, 0.015),
    "eye_width": (0.142, 0.010),
    "eye_height": (0.066, 0.008),
    "eye_tilt": (0.020, 0.025),
    "brow_y": (-0.290, 0.016),
    "brow_width": (0.180, 0.012),
    "brow_thickness": (0.028, 0.006),
    "brow_arch": (0.040, 0.014),
    "brow_tilt": (0.0, 0.025),
    "nose_length": (0.235, 0.02),
    "nose_width": (0.120, 0.012),
    "nose_height": (0.15, 0.02),
    "mouth_y": (0.505, 0.018),
    "mouth_width": (0.225, 0.018),
    "upper_lip": (0.046, 0.008),
    "lower_lip": (0.064, 0.010),
    "cupid_bow": (0.014, 0.004),
    "mouth_curve": (0.014, 0.008),  # how far the corners lie above the middle
    "lip_colour": (0.55, 0.15),  # 0 pale to 1 strong
    "chin_y": (0.80, 0.02),
    "hairline": (-0.64, 0.04),
    "light_across": (0.0, 0.40),  # radians, from the left or the right
    "light_above": (0.50, 0.12),  # radians
    "ambient": (0.46, 0.05),  # part of the light that comes from everywhere
}
# Mean and standard deviation of strengths from 0 to 1.
STRENGTHS: dict[str, tuple[float, float]] = {
    "age": (0.35, 0.25),
    "nasolabial_fold": (0.30, 0.22),
    "eye_bags": (0.28, 0.18),
}


def draw_traits(seed: int, gender: str) -> Traits:
    """The subject that ``seed`` names, of the presented ``gender``; nothing else goes in."""
    random = generator(seed, 1)
    measures = {
        name: _within(random, mean, sd, mean - 2 * sd, mean + 2 * sd) for name, (mean, sd) in MEASURES.items()
    }
    strengths = {name: _within(random, mean, sd, 0, 1) for name, (mean, sd) in STRENGTHS.items()}
    _shift_by_gender(measures, gender)
    tone = random.uniform(0, 5)
    darkness = tone / 5
    light = darkness < 0.5
    brightness = random.normal(1, 0.03)
    return Traits(
        gender=gender,
        **measures,
        **strengths,
        skin=_colour(np.array(_skin(tone)) * brightness),
        darkness=darkness,
        hair=_pick(random, HAIR_COLOURS, HAIR_ODDS_LIGHT if light else HAIR_ODDS_DARK),
        iris=_pick(random, IRIS_COLOURS, IRIS_ODDS_LIGHT if light else IRIS_ODDS_DARK),
        hair_style=str(random.choice(HAIR_STYLES, p=STYLE_ODDS[gender])),
        beard=_sometimes(random, 0.45 if gender == "male" else 0.0, 0.25, 0.8),
        freckles=_sometimes(random, 0.3, 0.3, 1.0),
        glasses=bool(random.random() < 0.25),
        background=_colour(0.3 * random.uniform(90, 200, 3) + 0.7 * random.uniform(90, 190)),
        clothes=_colour(random.uniform(30, 190, 3)),
        expressiveness={unit: float(np.exp(random.normal(0, 0.18))) for unit in UNITS},
    )


def _shift_by_gender(measures: dict[str, float], gender: str) -> None:
    """Move a few measures towards what is more frequent in faces of that gender."""
    sign = 1 if gender == "male" else -1
    measures["jaw"] -= 0.03 * sign
    measures["squareness"] += 0.10 * sign
    measures["brow_thickness"] += 0.005 * sign
    measures["brow_arch"] -= 0.008 * sign
    measures["lip_colour"] -= 0.15 * sign
    measures["eye_height"] -= 0.003 * sign


def _within(random: np.random.Generator, mean: float, sd: float, low: float, high: float) -> float:
    """A normal draw, clipped."""
    return float(np.clip(random.normal(mean, sd), low, high))


def _sometimes(random: np.random.Generator, probability: float, low: float, high: float) -> float:
    """0, or with ``probability`` a uniform draw; always takes two draws."""
    present, strength = random.random() < probability, random.uniform(low, high)
    return float(strength) if present else 0.0


def _skin(tone: float) -> np.ndarray:
    """The skin colour at ``tone`` from 0 (lightest) to 5 (darkest), of 255."""
    tones = np.array(SKIN_TONES, float)
    first = min(int(tone), 4)
    return tones[first] + (tone - first) * (tones[first + 1] - tones[first])


def _pick(
    random: np.random.Generator, colours: tuple[tuple[int, int, int], ...], odds: tuple[float, ...]
) -> Colour:
    """One of ``colours`` by ``odds``."""
    return _colour(np.array(colours[random.choice(len(colours), p=odds)]))


def _colour(of_255: np.ndarray) -> Colour:
    """A colour of 255 as numbers from 0 to 1."""
    red, green, blue = (float(value) / 255 for value in of_255)
    return red, green, blue
