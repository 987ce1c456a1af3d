"""MMEW (Ben et al., 2021): 300 micro-expression clips of 30 subjects at 90 frames per second.

Frames are cropped faces of 231 x 231 pixels, numbered from 1 in each clip without padding. The release
sorts clips into folders of emotions; its documentation has folders of subjects above them.
"""

from dianet_utils.datasets.clips import EMOTIONS
from dianet_utils.datasets.layouts import Layout
from dianet_utils.datasets.release import Release

_EMOTION, _CLIP = "|".join(EMOTIONS), r"S\d+-.+"

RELEASE = Release(
    name="mmew",
    title="MMEW",
    fps=90.0,
    sheet_pattern=r"mmew.*micro",
    worksheet="",
    subject="S{:02d}",
    layouts=(
        Layout(
            "by emotion",
            "none",
            (_EMOTION, _CLIP),
            "{filename}",
            "Micro_Expression/happiness/S03-01-002/1.jpg",
        ),
        Layout(
            "by subject",
            "none",
            (r"(S|sub)[\s_-]*\d+|\d{1,2}", _EMOTION, _CLIP),
            "{subject}/{filename}",
            "S03/happiness/S03-01-002/1.jpg",
        ),
    ),
)
