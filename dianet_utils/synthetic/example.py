"""Which clip stands for the others in a figure."""

import pandas as pd

from dianet_utils.synthetic import settings
from dianet_utils.synthetic.plan import ClipPlan, plan
from dianet_utils.synthetic.timecourse import blink_closure


def clearest(clips: pd.DataFrame) -> str:
    """Name the clip with the largest motion among those that show a dynamic image at its clearest.

    Those are the clips without a blink that lose more than half of their motion before the offset; where
    there is none, all clips count. Of clips that were not generated this is not known: the first is named.

    Args:
        clips: A clip table with at least one clip.
    """
    if "settings" not in clips.attrs:
        return str(clips.index[0])
    made = plan(settings.from_json(clips.attrs["settings"]))
    return max((clip for clip in made if clip.clip in clips.index), key=_clarity).clip


def _clarity(clip: ClipPlan) -> tuple[bool, float]:
    quiet = not blink_closure(clip).any()
    return quiet and clip.residual < 0.5, max(clip.action_units.values())
