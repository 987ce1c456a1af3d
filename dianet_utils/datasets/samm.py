"""SAMM (Davison et al., 2018): 159 clips of 29 subjects with micro-expressions, 200 frames per second.

Frames are grey and show the upper body, so the face is found once per clip. File names are padded with
zeros in some clips and not in others. One apex is a misprint, mended here as public loaders agree it must be.
"""

from dianet_utils.datasets.layouts import Layout
from dianet_utils.datasets.release import Correction, Release

RELEASE = Release(
    name="samm",
    title="SAMM",
    fps=200.0,
    sheet_pattern=r"samm.*micro.*facs",
    worksheet="MICRO_ONLY",
    subject="{:03d}",
    layouts=(
        Layout(
            "SAMM",
            "face",
            (r"(sub[\s_-]*)?\d{1,3}", r"\d{3}_.+"),
            "{subject}/{filename}",
            "SAMM/006/006_1_2/006_05562.jpg",
        ),
    ),
    corrections=(
        Correction(
            clip="032/032_3_1",
            wrong={"onset": 4896, "apex": 1930, "offset": 4970},
            right={"apex": 4930},
            reason="a misprint in the sheet, as 1930 lies far before the onset 4896 and 4930 inside the clip",
        ),
    ),
)
