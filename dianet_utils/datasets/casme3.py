"""CAS(ME)^3 part A (Li et al., TPAMI 2023): micro-expressions of 100 recorded subjects, 30 frames per second.

Known from the authors' page (https://github.com/jingtingEmmaLi/CAS-ME-3) and public loaders: the sheet
``cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx`` (its worksheet ``label``; an older ``_v1.xls``) with the
headers Subject, Filename, Onset, Apex, Offset, AU, Objective class, emotion, and 860 rows in seven
emotions, of which two are written ``happy`` and ``sad``. Filename names the video, of which a subject may
have several clips, so a clip's folder is ``Part_A_ME_clip/frame/<Subject>_<Filename>_<Onset>``; ``depth`` and
``video`` lie beside ``frame``. Whole recordings lie as ``part_A/<Subject>/<Filename>/color``, with the frames
under the same numbers. The onset of one row (spNO.216, d) is a misprint, mended here. Assumed: 30 frames per
second (on the word of one public loader), and that the frames show more than the face.
"""

from dianet_utils.datasets.layouts import Layout
from dianet_utils.datasets.release import Correction, Release

RELEASE = Release(
    name="casme3",
    title="CAS(ME)^3 part A",
    fps=30.0,
    sheet_pattern=r"cas\(?me\)?.?3.?part.?a.?me.?label",
    worksheet="label",
    clip="{filename}_{onset}",
    layouts=(
        Layout(
            "Part_A_ME_clip",
            "face",
            (r"spNO\.\d+_.+",),
            "{subject}_{filename}",
            "Part_A_ME_clip/frame/spNO.1_a_355/355.jpg",
            others="depth",
        ),
        Layout(
            "part_A",
            "face",
            (r"spNO\.\d+", r"[A-Za-z]\d?", "color"),
            "{subject}/{video}/color",
            "part_A/spNO.1/b/color/175.jpg",
        ),
    ),
    corrections=(
        Correction(
            clip="spNO.216/d",
            wrong={"onset": 3647},
            right={"onset": 2647},
            reason="a misprint, by the word of a public loader; with 3647 the row's numbers do not rise",
        ),
    ),
)
