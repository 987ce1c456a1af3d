"""The trial behind notebook 12: its kept answers and how they are summed up."""

import pandas as pd
import pytest

from dianet_utils.evaluation import own_clip_trial


def test_the_kept_trial_is_whole_and_balanced() -> None:
    trial = own_clip_trial.read()
    assert len(trial) == 360
    assert not trial.duplicated(["clip", "way"]).any()
    for _, part in trial.groupby("way"):
        assert part.groupby("true")["clip"].nunique().tolist() == [24] * 5
        assert part.groupby("subject").size().tolist() == [5] * 24
    own = trial[trial["way"] == "dataset"]
    assert own_clip_trial.summary(trial)["right"].iloc[0] == pytest.approx(
        (own["predicted"] == own["true"]).mean() * 100
    )
    # Notebook 12 says that the found face costs more than luck explains.
    assert (own_clip_trial.summary(trial)["diff_high"].iloc[1:] < 0).all()


def test_the_summary_counts_by_hand() -> None:
    rows = [
        ("a/1", "a", "fear", {"dataset": "fear", "face": "fear", "face and apex": "anger"}),
        ("a/2", "a", "fear", {"dataset": "anger", "face": "fear", "face and apex": "anger"}),
        ("b/1", "b", "fear", {"dataset": "fear", "face": "anger", "face and apex": "anger"}),
        ("b/2", "b", "fear", {"dataset": "fear", "face": "", "face and apex": "fear"}),
    ]
    table = pd.DataFrame(
        [
            (clip, subject, true, way, said, 12, 15)
            for clip, subject, true, answers in rows
            for way, said in answers.items()
        ],
        columns=["clip", "subject", "true", "way", "predicted", "apex", "true_apex"],
    )
    told = own_clip_trial.summary(table)
    assert told["right"].tolist() == [75, 50, 25]
    assert told["difference"].tolist() == [0, -25, -50]
    assert told["changed"].tolist() == [0, 75, 50]
    assert (told["diff_low"].iloc[1], told["diff_high"].iloc[1]) == (-100, 50)  # both draws one person
    assert own_clip_trial.apex_errors(table).tolist() == [3, 3, 3, 3]
