"""Why clips are left out, told by kind: reasons that differ in their numbers and names only are one kind."""

import re
from collections import defaultdict

import pandas as pd

_EXAMPLES = 3  # clips named for each kind
# What tells reasons of one kind apart: quoted cells, paths, the class, numbers.
_OWN = re.compile(r"'[^']*'|\S*/\S*|(?<=class )\S+|\d+(, \d+)*")


def kinds(reasons: "pd.Series[str]") -> str:
    """The kinds of the reasons (clip -> reasons with "; " between), the most frequent first.

    Each has the number of its clips, the reason of its first clip and the names of a few.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for clip, told in reasons.items():
        for reason in filter(None, told.split("; ")):
            found[_OWN.sub("", reason)].setdefault(str(clip), reason)
    groups = sorted(found.values(), key=len, reverse=True)
    return "; ".join(_sentence(group) for group in groups)


def _sentence(group: dict[str, str]) -> str:
    """Of one kind, clip -> reason."""
    names = ", ".join(list(group)[:_EXAMPLES]) + (", ..." if len(group) > _EXAMPLES else "")
    alike = " or the like" if len(set(group.values())) > 1 else ""
    return f"{len(group)} because {next(iter(group.values()))}{alike} ({names})"
