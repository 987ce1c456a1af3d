"""SMIC-HS (Li et al., FG 2013): 164 clips of 16 subjects at 100 frames per second, in three classes.

Known from the owners' page (https://www.oulu.fi/cmvs/node/41319) and public loaders: negative 70, positive
51, surprise 43; folders ``HS/s1/micro/negative/s1_ne_01`` beside ``non_micro``; files numbered as in the long
recording; no annotation sheet, as the folders name subject, class and clip; no apex. Assumed: a folder
holds exactly onset .. offset. The field takes the frame in the middle as the apex, and so does the
loader; ``spotting.spot_clips`` looks for it in the frames instead. The slow and the infrared recordings (VIS,
NIR) lie beside HS and are passed over.
"""

from dianet_utils.datasets.layouts import Layout
from dianet_utils.datasets.release import Release

_LEVELS = (r"s\d+", "micro", "negative|positive|surprise", r"s\d+_.+")
_KEY, _CLIP = "{subject}/micro/{filename}", "HS/s1/micro/negative/s1_ne_01"

RELEASE = Release(
    name="smic",
    title="SMIC-HS",
    fps=100.0,
    layouts=(
        Layout(
            "cropped",
            "none",
            _LEVELS,
            _KEY,
            f"SMIC_all_cropped/{_CLIP}/reg_image000046.bmp",
            "^reg_|cropped",
            "VIS|NIR",
        ),
        Layout("raw", "face", _LEVELS, _KEY, f"SMIC_all_raw/{_CLIP}/image000046.jpg", "raw", "VIS|NIR"),
    ),
)
