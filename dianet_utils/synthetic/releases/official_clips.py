"""Synthetic clips under the names, numbers and errors that they would have in a licensed release."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from dianet_utils.synthetic.plan import ClipPlan, plan
from dianet_utils.synthetic.settings import Settings

# The classes that the paper keeps of each of its datasets, and one that stays too small to be kept; all
# classes of the others.
CLASSES = {
    "casme2": ("happiness", "surprise", "disgust", "repression", "others"),
    "samm": ("anger", "contempt", "happiness", "others", "surprise"),
    "mmew": ("disgust", "fear", "happiness", "others", "sadness", "surprise"),
    "smic": ("disgust", "happiness", "surprise"),
    "casme3": ("anger", "disgust", "fear", "happiness", "others", "sadness", "surprise"),
}
SMALL_CLASS = {"casme2": "fear", "samm": "sadness", "mmew": "anger"}
SMALL_CLASS_SIZE = 2
# Clips of each emotion and subject, where the settings give class sizes, which are CASME-II's.
CLIPS_PER_EMOTION = 3
# SMIC's classes, by the emotion that is shown.
_SMIC = {"disgust": "negative", "happiness": "positive", "surprise": "surprise"}
# SAMM's sheet misprints the apex of 032_3_1: onset, true apex, offset, printed apex.
_MISPRINT = (4896, 4930, 4970, 1930)


@dataclass(frozen=True)
class OfficialClip:
    """A planned clip under its official name.

    ``first`` is the number of its first frame's file, ``digits`` to how many that number is padded;
    ``cells`` is what the sheet has in place of the true numbers; ``lost`` are numbers without a file.
    """

    plan: ClipPlan
    subject: str
    filename: str
    first: int
    digits: int = 1
    cells: dict[str, int | str] = field(default_factory=dict)
    lost: tuple[int, ...] = ()

    def number(self, name: str) -> int:
        """The true number of the clip's "onset", "apex" or "offset", as in the files' names."""
        return self.first + getattr(self.plan, name) - self.plan.onset

    def cell(self, name: str) -> int | str:
        """What the sheet gives as its "onset", "apex" or "offset"."""
        return self.cells.get(name, self.number(name))


def official_clips(name: str, settings: Settings) -> list[OfficialClip]:
    """The clips of a synthetic dataset as clips of ``name`` (casme2, samm, mmew, ...), subject by subject.

    The classes are those of the dataset, with two clips of one that is too small in those of the paper;
    each subject shows each emotion ``clips_per_emotion`` times, or ``CLIPS_PER_EMOTION`` if that is 0. The
    same errors as in the releases are planted, always at the same places:

    - CASME-II: apex ``/`` in the first clip, apex = onset in the second, the third stops before its offset;
    - SAMM: apex behind the offset in the first, no file of the apex in the second, and the last subject is
      032, whose third clip has the numbers of 032_3_1 and its misprint;
    - MMEW: apex behind the offset in the first, offset before the apex in the second;
    - CAS(ME)^3: an onset of 1,000 too many in the first, apex = onset in the second;
    - SMIC-HS: none, as it has no sheet.
    """
    small = SMALL_CLASS.get(name, "")
    settings = replace(
        settings,
        emotions=(*CLASSES[name], small) if small else CLASSES[name],
        clips_per_emotion=settings.clips_per_emotion or CLIPS_PER_EMOTION,
    )
    subjects = _by_subject(plan(settings), small)
    clips = [
        _NAMING[name](clip, number, take, last=number == len(subjects))
        for number, group in enumerate(subjects, start=1)
        for take, clip in enumerate(group, start=1)
    ]
    return _PLANTING[name](clips) if name in _PLANTING else clips


def _by_subject(plans: Iterable[ClipPlan], small: str) -> list[list[ClipPlan]]:
    """Plans of each subject; of the small class the first two, behind the others of their subjects."""
    subjects: dict[str, list[ClipPlan]] = defaultdict(list)
    rare: list[ClipPlan] = []
    for clip in plans:
        (rare if clip.emotion == small else subjects[clip.subject]).append(clip)
    for clip in rare[:SMALL_CLASS_SIZE]:
        subjects[clip.subject].append(clip)
    return list(subjects.values())


def _name_casme2(clip: ClipPlan, number: int, take: int, last: bool) -> OfficialClip:
    filename = f"EP{take:02d}_01" + ("f" if take % 2 else "")
    return OfficialClip(clip, f"{number:02d}", filename, first=39 + 7 * take)


def _name_samm(clip: ClipPlan, number: int, take: int, last: bool) -> OfficialClip:
    subject = f"{32 if last else number + 5 + (number > 26):03d}"
    first, digits = 562 + 1000 * take + 37 * number, 5 if take % 2 else 1
    return OfficialClip(clip, subject, f"{subject}_{take}_1", first, digits)


def _name_mmew(clip: ClipPlan, number: int, take: int, last: bool) -> OfficialClip:
    return OfficialClip(clip, f"S{number:02d}", f"S{number:02d}-{take:02d}-001", first=1)


def _name_smic(clip: ClipPlan, number: int, take: int, last: bool) -> OfficialClip:
    clip = replace(clip, emotion=_SMIC[clip.emotion])
    short = {"negative": "ne", "positive": "po", "surprise": "sur"}[clip.emotion]
    return OfficialClip(clip, f"s{number}", f"s{number}_{short}_{take:02d}", first=40 + 170 * take, digits=6)


def _name_casme3(clip: ClipPlan, number: int, take: int, last: bool) -> OfficialClip:
    """Two clips of each video; ``filename`` names the video."""
    video = "abcdefghijklm"[(take - 1) // 2 % 13]
    return OfficialClip(clip, f"spNO.{number}", video, first=55 + 300 * take)


def _plant_casme2(clips: list[OfficialClip]) -> list[OfficialClip]:
    clips[0] = replace(clips[0], cells={"apex": "/"})
    clips[1] = replace(clips[1], cells={"apex": clips[1].number("onset")})
    offset = clips[2].number("offset")
    clips[2] = replace(clips[2], lost=(offset - 1, offset))
    return clips


def _plant_samm(clips: list[OfficialClip]) -> list[OfficialClip]:
    clips[0] = replace(clips[0], cells={"apex": clips[0].number("offset") + 9})
    clips[1] = replace(clips[1], lost=(clips[1].number("apex"),))
    place = next(place for place, clip in enumerate(clips) if clip.filename == "032_3_1")
    first, apex, last, printed = _MISPRINT
    middle = apex - first + 1
    timed = replace(clips[place].plan, onset=1, apex=middle, true_apex=middle, offset=last - first + 1)
    clips[place] = replace(clips[place], plan=timed, first=first, cells={"apex": printed})
    return clips


def _plant_mmew(clips: list[OfficialClip]) -> list[OfficialClip]:
    clips[0] = replace(clips[0], cells={"apex": clips[0].number("offset") + 3})
    clips[1] = replace(clips[1], cells={"offset": clips[1].number("apex") - 1})
    return clips


def _plant_casme3(clips: list[OfficialClip]) -> list[OfficialClip]:
    clips[0] = replace(clips[0], cells={"onset": clips[0].number("onset") + 1000})
    clips[1] = replace(clips[1], cells={"apex": clips[1].number("onset")})
    return clips


_NAMING = {
    "casme2": _name_casme2,
    "samm": _name_samm,
    "mmew": _name_mmew,
    "smic": _name_smic,
    "casme3": _name_casme3,
}
_PLANTING = {"casme2": _plant_casme2, "samm": _plant_samm, "mmew": _plant_mmew, "casme3": _plant_casme3}
