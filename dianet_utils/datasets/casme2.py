"""CASME-II (Yan et al., 2014): 255 clips of 26 subjects at 200 frames per second.

The sheet's apex of one clip is ``/``, and five clips have the apex on the onset or the offset. Of its three
forms of frames the cropped faces are preferred: they are registered by the authors, and need no crop of
ours. The raw ones (640 x 480 pixels, reaching outside onset .. offset) need one face crop per clip.
"""

from dianet_utils.datasets.layouts import Layout
from dianet_utils.datasets.release import Release

_LEVELS, _KEY = (r"sub[\s_-]*\d+|\d{1,2}", r"EP\d.*"), "sub{subject}/{filename}"

RELEASE = Release(
    name="casme2",
    title="CASME-II",
    fps=200.0,
    sheet_pattern=r"casme\W*(2|ii).*(cod|label)",
    worksheet="Sheet1",
    subject="{:02d}",
    layouts=(
        Layout("Cropped", "none", _LEVELS, _KEY, "Cropped/sub01/EP02_01f/reg_img46.jpg", "^reg_|cropped"),
        Layout(
            "RAW_selected", "face", _LEVELS, _KEY, "CASME2_RAW_selected/sub01/EP02_01f/img46.jpg", "select"
        ),
        Layout("RAW", "face", _LEVELS, _KEY, "CASME2-RAW/sub01/EP02_01f/img46.jpg", "raw"),
    ),
)
