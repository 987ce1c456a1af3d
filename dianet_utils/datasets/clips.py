"""The table of clips, which clips enter an experiment, and how that compares with the paper.

One row is one clip. The index ``clip`` is "subject/filename", unique. Columns:

=============== ======= =================================================================================
subject         text    as the release writes it, zero-padded ("01", "006", "S03")
emotion         text    lower case; "others" in the plural everywhere
onset           Int64   number of the first frame, as in the file names; <NA> where the cell is no number
apex            Int64   number of the frame of strongest expression
offset          Int64   number of the last frame (all three inclusive)
fps             float   frames per second; NaN where a table of the user's own does not tell
frames          text    folder of the clip's frames, "" if none was found
action_units    text    as the sheet has them ("4+7", "R12")
crop            text    "none" where frames are cropped faces, "face" where the face is still to be found,
                        "aligned" where it is to be turned upright as well
problem         text    "" or why the row cannot be used as it stands
missing_frames  int     how many of the frames onset..offset have no file
apex_source     text    of a release: "sheet", "midpoint" or the method that spotted it
dataset         text    short name of the dataset that the clip comes from
synthetic       bool    whether the clip was generated
=============== ======= =================================================================================

The last two say what a table is, see :mod:`~dianet_utils.datasets.provenance`. ``clips.attrs`` holds
``corrections`` (a sentence for each mended cell), ``notes`` (one for each choice the loader made) and
``warnings`` (one for each fault of the copy as a whole).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dianet_utils import paper
from dianet_utils.datasets.frames import clip_frames
from dianet_utils.datasets.merging import benchmark_counts, verdict
from dianet_utils.datasets.provenance import is_comparable, is_merged, origin, title
from dianet_utils.datasets.reasons import kinds
from dianet_utils.plumbing.errors import InputError

EMOTIONS = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "negative",
    "others",
    "positive",
    "repression",
    "sadness",
    "surprise",
)
FRAME_NUMBERS = ["onset", "apex", "offset"]
# The frame numbers that bound each phase.
PHASES = {"onset": ("onset", "apex"), "offset": ("apex", "offset")}


def table(
    records: Sequence[Mapping[str, Any]], dataset: str, synthetic: bool | None = None, **attrs: Any
) -> pd.DataFrame:
    """The table of clips from one mapping per clip, with the columns above (and ``clip``), in that order.

    The columns ``dataset`` and ``synthetic`` are filled here; None for ``synthetic`` means that the name
    of the dataset tells.
    """
    clips = pd.DataFrame(list(records)).set_index("clip")
    clips[FRAME_NUMBERS] = clips[FRAME_NUMBERS].astype("Int64")
    clips = clips.astype({"fps": float, "missing_frames": int})
    clips["dataset"] = dataset
    clips["synthetic"] = dataset == "synthetic" if synthetic is None else synthetic
    clips.attrs = {"corrections": [], "notes": [], "warnings": []}
    clips.attrs.update(attrs)
    return clips


def select(
    clips: pd.DataFrame, min_class_size: int = paper.MIN_CLASS_SIZE
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The clips that an experiment can use, and those left out with a ``reason`` for each.

    Kept are clips of a class with at least ``min_class_size`` labelled clips in the whole table, whose
    row has no problem, with onset < apex < offset, and with at least two files in each phase: a phase
    of one frame has weight 0 and a blank dynamic image. On the sheets of CASME-II and SAMM this rule
    gives exactly the sample counts that the paper's accuracies imply.

    Args:
        clips: The clip table, as :func:`dianet_utils.datasets.load` gives it.
        min_class_size: The fewest clips that a class may have.

    Returns:
        Two tables with the columns of ``clips``, kept and left out; the second also has ``reason``.

    Raises:
        InputError: If no clip is left.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from dianet_utils import datasets, synthetic
        >>> small = {"subjects": 3, "clips_per_emotion": 1, "size": 48, "duration": (16, 20)}
        >>> settings = synthetic.Settings(**small, emotions=("disgust", "surprise"))
        >>> with TemporaryDirectory() as folder:
        ...     clips = datasets.load("synthetic", synthetic.generate(settings, folder, 1, shown=False))
        >>> clips.loc["s01/clip01", "apex"] = clips.loc["s01/clip01", "onset"]
        >>> kept, left_out = datasets.select(clips, min_class_size=2)
        >>> len(kept), left_out["reason"].to_dict()
        (5, {'s01/clip01': 'apex 1 equals the onset, so a phase has one frame'})
    """
    sizes = clips.loc[clips["emotion"] != "", "emotion"].value_counts()
    small = {str(emotion): int(size) for emotion, size in sizes.items() if size < min_class_size}
    reasons = pd.Series(
        ["; ".join(_reasons(clip, small, min_class_size)) for _, clip in clips.iterrows()],
        index=clips.index,
        dtype=object,
    )
    if (reasons != "").all():
        raise InputError(
            f"None of the {len(clips)} clips ({title(clips)}) can be used: {kinds(reasons)}. "
            "See datasets.health(clips) for all that is wrong."
        )
    kept, left_out = clips[reasons == ""].copy(), clips[reasons != ""].copy()
    left_out["reason"] = reasons[reasons != ""]
    kept.attrs, left_out.attrs = dict(clips.attrs), dict(clips.attrs)
    return kept, left_out


def lacks_apex(clips: pd.DataFrame) -> "pd.Series[bool]":
    """Whether nobody annotated a clip's apex: the cell is no number, or the loader took the middle."""
    told = clips["apex_source"] if "apex_source" in clips else pd.Series("sheet", clips.index)
    return clips["apex"].isna() | (told == "midpoint")


def fill_midpoints(clips: pd.DataFrame) -> pd.DataFrame:
    """The table with an apex in the middle between onset and offset wherever none is annotated.

    ``apex_source`` says "midpoint" of those clips, and a problem with the cell of the apex alone is gone.
    What lacks onset or offset, or has another problem, stays as it is.
    """
    filled = clips.assign(apex_source=clips.get("apex_source", "sheet"))
    others = [
        "; ".join(p for p in text.split("; ") if not p.startswith("apex ")) for text in clips["problem"]
    ]
    usable = (pd.Series(others, clips.index) == "") & clips[["onset", "offset"]].notna().all(axis=1)
    going = lacks_apex(clips) & usable
    filled.loc[going, "apex"] = (clips["onset"] + clips["offset"])[going] // 2
    filled.loc[going, ["apex_source", "problem"]] = ["midpoint", ""]
    filled.attrs = dict(clips.attrs)
    return filled


def _reasons(clip: pd.Series, small: Mapping[str, int], min_class_size: int) -> list[str]:
    """Everything that keeps one clip out."""
    reasons = [clip["problem"]] if clip["problem"] else []
    emotion = clip["emotion"]
    if not emotion and not reasons:
        reasons.append("the emotion is blank")
    if emotion in small:
        count = f"{small[emotion]} clip" + ("s" if small[emotion] > 1 else "")
        reasons.append(f"class {emotion} has only {count}, fewer than {min_class_size}")
    if not clip["problem"] and clip[FRAME_NUMBERS].isna().any():
        reasons.append("onset, apex or offset is not known")
    order = disorder(clip)
    if order:
        reasons.append(order)
    elif not clip["frames"]:
        reasons.append("no folder of frames was found")
    elif clip["missing_frames"] > 0:
        reasons += _thin_phases(clip)
    return reasons


def disorder(clip: pd.Series) -> str:
    """How a clip's numbers break onset < apex < offset; empty if they do not, or are not all known."""
    if clip[FRAME_NUMBERS].isna().any():
        return ""
    onset, apex, offset = (int(clip[name]) for name in FRAME_NUMBERS)
    if onset < apex < offset:
        return ""
    if apex in (onset, offset):
        return f"apex {apex} equals the {'onset' if apex == onset else 'offset'}, so a phase has one frame"
    return f"apex {apex} lies outside onset {onset} .. offset {offset}"


def _thin_phases(clip: pd.Series) -> list[str]:
    """A reason for each phase with fewer than two files."""
    reasons = []
    for first, last in PHASES.values():
        if clip[[first, last]].isna().any():  # a fault of the sheet, which has its own reason
            continue
        count = len(clip_frames(clip, int(clip[first]), int(clip[last])))
        if count < 2:
            reasons.append(f"{first} {clip[first]} .. {last} {clip[last]} has {count} of its frames as files")
    return reasons


def compare_counts(name: str, kept: pd.DataFrame) -> pd.DataFrame:
    """Kept clips beside the counts of ``paper.EXPECTED``: columns ours, paper (<NA> if not known), verdict.

    One row per class, then the totals of clips and subjects. Class counts of the paper are those that its
    selection leaves of the public sheets; the total is the one its printed accuracies imply. Clips that
    are synthetic, of another dataset or of unknown origin have no published counts. Clips with merged classes
    are set beside those of the benchmark, see :func:`~dianet_utils.datasets.merging.benchmark_counts`.
    """
    if is_merged(kept):
        return benchmark_counts(kept)
    comparable = is_comparable(kept) and origin(kept) == name
    expected = paper.EXPECTED.get(name, {}) if comparable else {}
    ours = kept["emotion"].value_counts().to_dict()
    published = dict(expected.get("classes", {}))
    rows = [
        (emotion, ours.get(emotion, 0), published.get(emotion)) for emotion in sorted({*ours, *published})
    ]
    rows += [("all clips", len(kept), expected.get("clips"))]
    rows += [("subjects", kept["subject"].nunique(), expected.get("subjects"))]
    counts = pd.DataFrame(rows, columns=["count of", "ours", "paper"]).set_index("count of")
    counts["paper"] = counts["paper"].astype("Int64")
    edition = paper.EDITIONS.get(name, {}).get(len(kept)) if expected else None
    counts["verdict"] = [
        verdict(row["ours"], row["paper"]) + (f": {edition}" if edition and what == "all clips" else "")
        for what, row in counts.iterrows()
    ]
    return counts
