"""What notebook 12 loses on the way: one's own clip beside the same clip as a dataset has it."""

from pathlib import Path

import pandas as pd

from dianet_utils.evaluation.scores import bounds, draw_subjects
from dianet_utils.plumbing import files

KEPT = files.RESULTS / "reference" / "12_own_clip" / "predictions.csv"
WAYS = {
    "dataset": "crop and apex of the dataset",
    "face": "face found",
    "face and apex": "face and apex found",
}


def read(path: Path = KEPT) -> pd.DataFrame:
    """One row per clip and way: clip, subject, true, way, predicted, apex, true_apex."""
    return pd.read_csv(path, dtype={"clip": str, "subject": str})


def summary(predictions: pd.DataFrame) -> pd.DataFrame:
    """For each way the share of right answers, its difference to the dataset's own way, and changed answers.

    All in per cent; ``low`` .. ``high`` and ``diff_low`` .. ``diff_high`` are 95 % intervals from a
    bootstrap over subjects, who have equally many clips.
    """
    asked = predictions.set_index(["subject", "clip", "true"]).groupby("way")["predicted"]
    wide = pd.concat(dict(iter(asked)), axis=1)
    right = wide.eq(wide.index.get_level_values("true"), axis=0).astype(float)
    people = right.groupby("subject").mean() * 100
    draws = draw_subjects(len(people)) / len(people)
    rows = {}
    for way, title in WAYS.items():
        loss = people[way] - people["dataset"]
        low, high = bounds(draws @ people[way].to_numpy())
        diff_low, diff_high = bounds(draws @ loss.to_numpy())
        rows[title] = {
            "right": people[way].mean(),
            "low": low,
            "high": high,
            "difference": loss.mean(),
            "diff_low": diff_low,
            "diff_high": diff_high,
            "changed": wide[way].ne(wide["dataset"]).mean() * 100,
        }
    return pd.DataFrame(rows).T


def apex_errors(predictions: pd.DataFrame) -> pd.Series:
    """Frames between the apex found and the true one, without sign: one per clip."""
    found = predictions[predictions["way"] == "face and apex"].set_index("clip")
    return (found["apex"] - found["true_apex"]).abs()
