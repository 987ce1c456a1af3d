"""Names of subjects and clips: what they may not be, so that they never become paths, and which are one."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 100  # characters
_SUBJECT = re.compile(r"(?:s|sub)?[\s_-]*0*(\d+)")  # a folder's, in lower case
_VIDEO = re.compile(r"\.(avi|mp4|mov|mkv|wmv)$")  # of the video that a folder was named after
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices of Windows


def fault(name: str) -> str:
    """Why ``name`` cannot be a subject or a filename, or "".

    It must be the name of one file on every system: no separator, nothing unseen, not ``.`` or ``..``, no
    device of Windows, at most :data:`LONGEST` characters. Frames are found by comparing names with the
    folders that are there, so a name cannot lead elsewhere in any case; here the row is told.
    """
    if not name:
        return "is blank (a merged cell holds its text only once: unmerge and fill it)"
    if len(name) > LONGEST:
        return f"has {len(name)} characters, more than {LONGEST}"
    if not name.isprintable():
        return f"holds a character that is not seen ({name!a}): type it anew"
    if re.search(r'[/\\:*?"<>|\x00-\x1f\x7f]', name) or name.strip(". ") != name.strip():
        return "is no name of a file"
    if _RESERVED.fullmatch(name):
        return "is a name that Windows keeps for a device"
    return ""


def alike(names: Iterable[str]) -> list[str]:
    """Different names that may be one, with commas: they differ in case, zeros in front, or a prefix."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        groups.setdefault(plain(name), []).append(name)
    return [", ".join(group) for group in groups.values() if len(group) > 1]


def composed(text: str) -> str:
    """A text whose accents are part of their letters, however it was typed (Unicode's form NFC)."""
    return unicodedata.normalize("NFC", text)


def plain(name: str) -> str:
    """A folder's name as compared: ``sub1``, ``Sub-01`` and ``01`` are one, so are ``x.avi`` and ``X``."""
    name = _VIDEO.sub("", name.strip().lower())
    number = _SUBJECT.fullmatch(name)
    return number.group(1) if number else name
