"""Emotions merged into negative, positive and surprise, and several datasets joined into one.

The second Micro-Expression Grand Challenge (See et al., "MEGC 2019", FG 2019) evaluated CASME II, SAMM
and SMIC together, which needs classes that all of them have: happiness is positive, surprise stays
itself, and anger, contempt, disgust, fear, repression and sadness are negative; ``others`` is left out.
Of CASME II its list has no fear and no sadness. A class that is rare alone counts, as it is merged: of SAMM
all 133 clips. The labels of SMIC are these classes already. MMEW was not part of it; the same rule serves
its labels. The list has 442 clips (CASME II 145, SAMM 133, SMIC 164); a clip of it that selection leaves
out, such as one without an apex, is named with its reason.
"""

import os
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dianet_utils import paper
from dianet_utils.datasets.provenance import GROUPS, is_synthetic, numbered, origin
from dianet_utils.plumbing.errors import InputError

__all__ = [
    "GROUPS",
    "benchmark_counts",
    "check_apart",
    "check_same_emotions",
    "combine",
    "group_of",
    "has_group",
    "join",
    "merge_emotions",
    "verdict",
]

# Clips of each class in the benchmark's list, by dataset: negative, positive, surprise. They follow from its
# totals (164, 145, 133) and the sheets: SAMM's negative are anger 57, contempt 12, disgust 9, fear 8 and
# sadness 6; CASME-II's are 145 without happiness 32 and surprise 25.
BENCHMARK = {"smic": (70, 51, 43), "casme2": (88, 32, 25), "samm": (92, 26, 15)}

_GROUP: dict[str, str | None] = {
    **dict.fromkeys(("anger", "contempt", "disgust", "fear", "repression", "sadness"), "negative"),
    "happiness": "positive",
    "surprise": "surprise",
    "others": None,
}
_NOT_LISTED = {
    "casme2": ("fear", "sadness")
}  # by dataset, emotions that have a group but no clip in the list


def group_of(emotion: str) -> str | None:
    """The group of an emotion, None for ``others``; a group's own name stays. InputError for another name."""
    if emotion in GROUPS:
        return emotion
    if emotion not in _GROUP:
        raise InputError(
            f"MEGC 2019 does not say to which class '{emotion}' belongs: know {', '.join(_GROUP)}."
        )
    return _GROUP[emotion]


def has_group(emotion: str) -> bool:
    """Whether MEGC 2019 says where an emotion belongs; of a table of the user's own it may not."""
    return emotion in GROUPS or emotion in _GROUP


def merge_emotions(clips: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A clip table with the three groups as its emotions, and the clips left out with a ``reason``.

    The emotion that the sheet has is kept in the column ``label``. Select before with ``min_class_size=1``: a
    class that is too rare alone is left out there for good.
    """
    groups, reasons = clips["emotion"].map(group_of), _reasons(clips)
    kept = reasons == ""
    merged = clips[kept].assign(label=clips["emotion"], emotion=groups)
    left_out = clips[~kept].assign(reason=reasons)
    merged.attrs, left_out.attrs = dict(clips.attrs), dict(clips.attrs)
    return merged, left_out


def _reasons(clips: pd.DataFrame) -> pd.Series:
    """Why each clip is in no class of the challenge, "" where it is in one."""
    reasons = (
        clips["emotion"]
        .map(group_of)
        .isna()
        .map({True: "others belongs to no class of MEGC 2019", False: ""})
    )
    for dataset, emotions in _NOT_LISTED.items():
        listed = (clips["dataset"] != dataset) | ~clips["emotion"].isin(emotions)
        reasons = reasons.where(
            listed, f"MEGC 2019 has no {' and no '.join(emotions)} of {paper.TITLES[dataset]}"
        )
    return reasons


def combine(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Several clip tables as one, for leave-one-subject-out over all their subjects.

    ``tables`` maps a name to a table. Clips and subjects get the name before theirs ("samm_006"), so that
    equal numbers stay different people. A dataset that came before is numbered in the column ``dataset``
    ("samm-2"). Raises InputError where the emotions differ: merge them first; and where two tables share
    recordings.
    """
    check_same_emotions(tables)
    check_apart(tables)
    return join(tables)


def check_same_emotions(tables: Mapping[str, pd.DataFrame]) -> None:
    """InputError where the emotions of some tables differ."""
    emotions = {name: tuple(sorted(set(table["emotion"]))) for name, table in tables.items()}
    if len(set(emotions.values())) > 1:
        told = "; ".join(f"{name}: {', '.join(names)}" for name, names in emotions.items())
        raise InputError(f"A composite needs the same emotions in every dataset; merge them first ({told}).")


def check_apart(tables: Mapping[str, pd.DataFrame]) -> None:
    """InputError where two tables name the same frames: one person would train and test under two names."""
    places: dict[str, tuple[str, str]] = {}
    for name, table in tables.items():
        frames_of = table.get("frames", pd.Series(dtype=str))
        found = {os.path.realpath(frames): str(clip) for clip, frames in frames_of.items() if frames}
        if shared := sorted(found.keys() & places.keys()):
            other, clip = places[shared[0]]
            raise InputError(
                f"{name} and {other} of the composite share recordings ({len(shared)}; clip "
                f"{found[shared[0]]} of the one is clip {clip} of the other): leave one of the two out."
            )
        places |= {frames: (name, clip) for frames, clip in found.items()}


def join(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The tables under each other, named as :func:`combine` names them, whatever their emotions."""
    parts = []
    seen: set[str] = set()
    for place, (name, table) in enumerate(tables.items(), 1):
        part = numbered(table, place) if seen & set(origin(table).split("+")) else table
        seen |= set(origin(table).split("+"))
        part = part.assign(subject=f"{name}_" + table["subject"].astype(str), source=name)
        parts.append(part.set_axis(pd.Index([f"{name}_{clip}" for clip in table.index], name="clip")))
    joined = pd.concat(parts)
    joined.attrs = {
        told: [line for table in tables.values() for line in table.attrs.get(told, [])]
        for told in ("corrections", "notes")
    }
    return joined


def benchmark_counts(kept: pd.DataFrame) -> pd.DataFrame:
    """Merged clips beside the benchmark's list, dataset by dataset: columns ours, MEGC 2019, verdict.

    One row per dataset and class, one for each dataset's clips ("samm: all clips"), and the total. The
    benchmark is all three datasets together, so its column is <NA> where one is missing, where another one
    is added, and where clips are synthetic. What is not reached stands among the clips left out.
    """
    whole = set(kept["dataset"]) == set(BENCHMARK) and is_synthetic(kept) is False
    rows: list[tuple[str, int, int | None]] = []
    for name, clips in kept.groupby("dataset", sort=False):
        ours = [int((clips["emotion"] == group).sum()) for group in GROUPS]
        listed = BENCHMARK[str(name)] if whole else (None,) * len(GROUPS)
        for group, count, known in zip(GROUPS, ours, listed, strict=True):
            rows.append((f"{name}: {group}", count, known))
        rows.append((f"{name}: all clips", len(clips), sum(BENCHMARK[str(name)]) if whole else None))
    rows.append(("all clips", len(kept), sum(map(sum, BENCHMARK.values())) if whole else None))
    counts = pd.DataFrame(rows, columns=["count of", "ours", "MEGC 2019"]).set_index("count of")
    counts["MEGC 2019"] = counts["MEGC 2019"].astype("Int64")
    counts["verdict"] = [verdict(*pair) for pair in zip(counts["ours"], counts["MEGC 2019"], strict=True)]
    return counts


def verdict(ours: int, published: Any) -> str:
    """``matches``, or by how much a count differs from the published one, <NA> where there is none."""
    if pd.isna(published):
        return "no published count"
    return "matches" if ours == published else f"differs by {ours - published:+d}"
