"""Which clips enter a run: the parameter ``selection``, and the one place where it acts.

================== ================================================================================
``merge``          ``megc2019``: negative, positive, surprise, as in MEGC 2019
``composite``      more datasets, ``samm=FOLDER,mine.csv``: people of all are left out one by one
``min_class_size`` the fewest clips of a class, in each dataset; the paper's 10, with ``merge`` 1 unless given
``classes``        classes that are kept, after merging
``people``         subjects that are kept
``exclude``        clips or subjects that are left out
``apex``           where none is annotated: ``annotated`` leaves the clip out, ``midpoint`` takes the middle,
                   ``spot`` looks for it in the frames
``sheet``          the file with the annotations, where a copy of the dataset holds several
``align``          turn each clip until the eyes lie level, where the face is still to be found
================== ================================================================================

Class sizes are counted before ``classes``, ``people`` and ``exclude`` take clips away.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dianet_utils import datasets, paper
from dianet_utils.config import is_table, results_of, short_name
from dianet_utils.config.checks import Choice, Flag, Place, Texts, Whole, near_match
from dianet_utils.config.options import Options
from dianet_utils.datasets import merging
from dianet_utils.datasets.clips import fill_midpoints, lacks_apex
from dianet_utils.datasets.provenance import mark_selection
from dianet_utils.datasets.reasons import kinds
from dianet_utils.plumbing.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    Selected = tuple[pd.DataFrame, pd.DataFrame]  # clips kept, and those left out with a reason

SELECTION = Options(
    {
        "merge": Choice("megc2019"),
        "composite": Texts(),
        "min_class_size": Whole(1, 10**6),
        "classes": Texts(),
        "people": Texts(),
        "exclude": Texts(),
        "apex": Choice("annotated", "midpoint", "spot"),
        "sheet": Place(),
        "align": Flag(),
    }
)
_TOLD = (
    "min_class_size",
    "classes",
    "people",
    "exclude",
    "apex",
    "sheet",
    "align",
)  # merge and composite tell themselves
_LISTED = 6  # names in a message


def select_clips(parameters: Mapping[str, Any]) -> "Selected":
    """The clips that checked parameters name, and those left out, each with a ``reason``.

    Reads ``dataset``, ``data_root``, ``genders``, ``selection`` and ``out``, as ``check_parameters`` returns
    them. In a composite subjects are called ``samm_006``, and clips likewise; ``people`` and ``exclude`` take
    that name, and ``006`` for those of every dataset. Raises InputError for what is not there, for a named
    class or person of whom no clip is left, for datasets of a composite whose classes differ or that share
    recordings, and for a table whose name another one's results have.
    """
    selection = parameters.get("selection") or {}
    if not parameters.get("out"):
        results_of(parameters.get("dataset", "synthetic"))  # refuses a table of a name that is taken there
    chosen = _by_class(_load(parameters, selection), selection)
    if len(chosen) > 1:
        merging.check_same_emotions({name: kept for name, (kept, _) in chosen.items()})
        merging.check_apart({name: kept for name, (kept, _) in chosen.items()})
    chosen = _by_name(chosen, selection)
    if len(chosen) == 1:
        return next(iter(chosen.values()))
    kept, left_out = ({name: pair[side] for name, pair in chosen.items()} for side in (0, 1))
    return merging.join({name: table for name, table in kept.items() if len(table)}), merging.join(left_out)


def select_tables(
    tables: "Mapping[str, pd.DataFrame]", selection: Mapping[str, Any] | None = None
) -> "dict[str, Selected]":
    """The same for several tables that stay apart, by name: kept clips, and those left out.

    A class, clip or subject counts as known where one of the tables has it. Raises InputError also for
    ``composite``, ``sheet`` and ``align``, which say what to load and how.
    """
    selection = selection or {}
    if wrong := [name for name in ("composite", "sheet", "align") if name in selection]:
        raise InputError(f"selection: {' and '.join(wrong)} cannot be given where two datasets are compared.")
    return _by_name(_by_class(tables, selection), selection)


def _load(parameters: Mapping[str, Any], selection: Mapping[str, Any]) -> "dict[str, pd.DataFrame]":
    """The datasets of a run by short name, the first with genders where a file gives them."""
    sources = [(parameters.get("dataset", "synthetic"), parameters.get("data_root"))]
    sources += [_source(part) for part in selection.get("composite", ())]
    sheet = {"sheet": selection["sheet"]} if "sheet" in selection else {}
    tables: dict[str, pd.DataFrame] = {}
    for number, (dataset, root) in enumerate(sources, 1):
        clips = datasets.load(dataset, root, **({} if tables else sheet))
        if parameters.get("genders") and not tables:
            clips = datasets.add_genders(clips, parameters["genders"])
        if selection.get("align"):
            clips["crop"] = clips["crop"].replace("face", "aligned")
        name = short_name(dataset)
        tables[name if name not in tables else f"{name}-{number}"] = clips
    return tables


def _source(part: str) -> tuple[str, str | None]:
    """A dataset's name and folder from "name=folder"; a table of one's own needs no folder."""
    name, _, root = (text.strip() for text in part.partition("="))
    if not root and not is_table(name):
        raise InputError(f"selection: composite has '{part}' where it needs a dataset as NAME=FOLDER.")
    return name, root or None


def _by_class(tables: "Mapping[str, pd.DataFrame]", selection: Mapping[str, Any]) -> "dict[str, Selected]":
    """Each table with its apexes, selected, without clips that show no face, merged, and cut to classes."""
    merged, smallest = "merge" in selection, selection.get("min_class_size")
    chosen = {}
    for name, clips in tables.items():
        usual = 1 if merged else smallest or paper.MIN_CLASS_SIZE
        pair = datasets.select(_with_apexes(clips, selection.get("apex", "annotated")), usual)
        faceless = _without_face(pair[0])
        pair = _leave_out(pair, faceless)
        if faceless and not merged:
            pair = _leave_out(pair, _too_rare(pair[0], usual))
        if merged:
            kept, without_class = datasets.merge_emotions(pair[0])
            pair = kept, _stacked(pair[1], without_class)
            pair = _leave_out(pair, _too_rare(kept, smallest or 1))
        chosen[name] = pair
    return _of_classes(chosen, selection["classes"], merged) if "classes" in selection else chosen


def _of_classes(
    chosen: "Mapping[str, Selected]", wanted: Sequence[str], merged: bool
) -> "dict[str, Selected]":
    """The clips of the wanted classes."""
    parts = [table for pair in chosen.values() for table in pair]
    known = {emotion for table in parts for emotion in table["emotion"]}
    known &= set(merging.GROUPS) if merged else known
    _refuse_unknown("class", wanted, known)
    told = f"not among the classes {', '.join(wanted)} of the selection"
    cut = {}
    for name, pair in chosen.items():
        others = [clip for clip, emotion in pair[0]["emotion"].items() if emotion not in wanted]
        cut[name] = _leave_out(pair, dict.fromkeys(others, told))
    _refuse_lost("class", wanted, cut)
    return cut


def _by_name(chosen: "Mapping[str, Selected]", selection: Mapping[str, Any]) -> "dict[str, Selected]":
    """The clips of the wanted people without those excluded, marked with what was chosen."""
    people, exclude = selection.get("people", ()), selection.get("exclude", ())
    known = {name for key, pair in chosen.items() for table in pair for name in _subjects(key, table)}
    _refuse_unknown("person", people, known)
    known |= {name for key, pair in chosen.items() for table in pair for name in _clips(key, table)}
    _refuse_unknown("clip or person", exclude, known)
    finished = {}
    for key, pair in chosen.items():
        reasons = dict(_unwanted(key, pair[0], people, exclude))
        finished[key] = _marked(_leave_out(pair, reasons), selection)
    _refuse_lost("person", people, finished)
    if not any(len(kept) for kept, _ in finished.values()):
        left_out = functools.reduce(_stacked, (gone for _, gone in finished.values()))
        raise InputError(f"selection: no clip is left: {kinds(left_out['reason'])}.")
    return finished


def _unwanted(
    key: str, clips: "pd.DataFrame", people: Sequence[str], exclude: Sequence[str]
) -> Iterator[tuple[Any, str]]:
    """Clips that the parameters leave out, each with the reason."""
    for clip, subject in clips["subject"].items():
        names = {subject, f"{key}_{subject}"}
        if people and not names & set(people):
            yield clip, "not among the people of the selection"
        elif (names | {clip, f"{key}_{clip}"}) & set(exclude):
            yield clip, "excluded by parameter"


def _subjects(key: str, clips: "pd.DataFrame") -> set[str]:
    """What a table's subjects are called, alone and in a composite."""
    return {name for subject in clips["subject"] for name in (str(subject), f"{key}_{subject}")}


def _clips(key: str, clips: "pd.DataFrame") -> set[str]:
    return {name for clip in clips.index for name in (str(clip), f"{key}_{clip}")}


def _with_apexes(clips: "pd.DataFrame", choice: str) -> "pd.DataFrame":
    """The table as it is, or with an apex in the middle, or spotted, wherever none is annotated."""
    if choice == "annotated":
        return clips
    from dianet_utils.dynamic_images.apex import spot_clips

    filled = fill_midpoints(clips)
    if choice == "spot":
        lacking = filled[lacks_apex(clips) & (filled["problem"] == "") & (filled["frames"] != "")]
        lacking = lacking.drop(index=list(_without_face(lacking)))
        if len(lacking):
            found = spot_clips(lacking)
            filled.loc[lacking.index, ["apex", "apex_source"]] = found[["apex", "apex_source"]]
    return filled


def _without_face(clips: "pd.DataFrame") -> dict[str, str]:
    """A reason for each clip that is to be cropped to its face and shows none: no image can be made of it."""
    from dianet_utils.dynamic_images.faces import faceless

    return dict.fromkeys(faceless(clips), "no face was found between onset and offset, and it is not cropped")


def _too_rare(clips: "pd.DataFrame", smallest: int) -> dict[Any, str]:
    """A reason for each clip of a class that is too small."""
    sizes = clips["emotion"].value_counts()
    told = {
        name: f"class {name} has only {size} clips, fewer than {smallest}" for name, size in sizes.items()
    }
    return {clip: told[name] for clip, name in clips["emotion"].items() if sizes[name] < smallest}


def _leave_out(pair: "Selected", reasons: Mapping[Any, str]) -> "Selected":
    """The pair with the clips that have a reason among those left out."""
    kept, left_out = pair
    if not reasons:
        return pair
    going = kept.index.isin(list(reasons))
    return kept[~going], _stacked(left_out, kept[going].assign(reason=kept.index[going].map(dict(reasons))))


def _stacked(first: "pd.DataFrame", second: "pd.DataFrame") -> "pd.DataFrame":
    """Clips left out before and after; one table where the other is empty, which would blur its types."""
    import pandas as pd

    if not len(first) or not len(second):
        return second if len(second) else first
    return pd.concat([first, second])


def _marked(pair: "Selected", selection: Mapping[str, Any]) -> "Selected":
    """The clips kept with what was chosen, as far as it is not what is chosen anyway."""
    smallest = 1 if "merge" in selection else paper.MIN_CLASS_SIZE
    usual = {"apex": "annotated", "min_class_size": smallest, "align": False}
    told = {
        name: selection[name] for name in _TOLD if name in selection and selection[name] != usual.get(name)
    }
    return (mark_selection(pair[0], told), pair[1]) if told else pair


def _refuse_unknown(what: str, names: Sequence[str], known: set[str]) -> None:
    """One InputError for all names that are not there, with the nearest, or a few of those that are."""
    there = sorted(name for name in known if name)
    more = ", ..." if len(there) > _LISTED else ""
    listed = f" (there are {', '.join(there[:_LISTED])}{more})"
    wrong = [f"'{name}'{near_match(name, there) or listed}" for name in names if name not in known]
    if wrong:
        raise InputError(f"selection: there is no {what} {', '.join(wrong)}.")


def _refuse_lost(what: str, names: Sequence[str], chosen: "Mapping[str, Selected]") -> None:
    """InputError for a class or person that was asked for by name and of which no clip is left."""
    import pandas as pd

    for name in names:
        column = "emotion" if what == "class" else "subject"
        rows = [
            [table[table[column].isin([name, name.removeprefix(f"{key}_")])] for table in pair]
            for key, pair in chosen.items()
        ]
        if not any(len(kept) for kept, _ in rows):
            reasons = pd.concat([left["reason"] for _, left in rows])
            raise InputError(f"selection: no clip of {what} '{name}' is left: {kinds(reasons)}.")
