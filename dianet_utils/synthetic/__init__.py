"""Synthetic micro-expressions: faces, action units and time courses, with the truth known.

``plan`` says what happens in each clip, ``render_clip`` shows it, ``displacement`` is the true motion;
``generate`` writes a whole dataset, ``load`` gives its clip table, ``clearest`` names a clip for figures.
"""

from dianet_utils.synthetic.dataset import generate, load
from dianet_utils.synthetic.emotions import EMOTION_UNITS
from dianet_utils.synthetic.example import clearest
from dianet_utils.synthetic.faces.action_units import UNITS
from dianet_utils.synthetic.plan import ClipPlan, plan, traits_of
from dianet_utils.synthetic.rendering import displacement, render_clip
from dianet_utils.synthetic.settings import FRAME_RATE, Settings
from dianet_utils.synthetic.timecourse import activation, blink_closure

__all__ = [
    "EMOTION_UNITS",
    "FRAME_RATE",
    "UNITS",
    "ClipPlan",
    "Settings",
    "activation",
    "blink_closure",
    "clearest",
    "displacement",
    "generate",
    "load",
    "plan",
    "render_clip",
    "traits_of",
]
