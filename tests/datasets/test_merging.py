"""Three classes and composites: every label in its place, nobody confused with a namesake."""

import numpy as np
import pandas as pd
import pytest

from dianet_utils import datasets, evaluation
from dianet_utils.datasets import EMOTIONS, merging
from dianet_utils.plumbing.errors import InputError

GROUPS = list(merging.GROUPS)


def make_predictions(emotions: list[str], seed: int = 0, subjects: int = 4) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    count = 60
    chances = generator.dirichlet(np.ones(len(emotions)), count)
    names = [f"{index % subjects:02d}" for index in range(count)]
    table = pd.DataFrame(
        {
            "clip": [f"{name}/c{index}" for index, name in enumerate(names)],
            "subject": names,
            "seed": 0,
            "true": generator.choice(emotions, count),
            "predicted": np.array(emotions)[chances.argmax(1)],
        }
    )
    return table.assign(**{f"p_{name}": chances[:, index] for index, name in enumerate(emotions)})


def test_every_emotion_of_the_datasets_has_its_group() -> None:
    assert [merging.group_of(group) for group in GROUPS] == GROUPS  # the labels of SMIC
    groups = {emotion: merging.group_of(emotion) for emotion in EMOTIONS if emotion not in GROUPS[:2]}
    assert [name for name, group in groups.items() if group is None] == ["others"]
    assert [name for name, group in groups.items() if group == "positive"] == ["happiness"]
    assert [name for name, group in groups.items() if group == "surprise"] == ["surprise"]
    with pytest.raises(InputError, match="tense"):
        merging.group_of("tense")


def test_merged_predictions_add_probabilities_and_list_others() -> None:
    table = make_predictions(["disgust", "happiness", "others", "repression", "surprise"])
    merged, left_out = evaluation.merge_predictions(table)
    assert set(left_out["true"]) == {"others"}
    assert len(merged) + len(left_out) == len(table)
    given = table.set_index("clip").loc[merged["clip"]]
    negative = given["p_disgust"] + given["p_repression"]
    expected = negative / (1 - given["p_others"])
    np.testing.assert_allclose(merged["p_negative"], expected)
    np.testing.assert_allclose(merged[[f"p_{group}" for group in GROUPS]].sum(axis=1), 1)
    best = merged[[f"p_{group}" for group in GROUPS]].to_numpy().argmax(1)
    assert [GROUPS[place] for place in best] == merged["predicted"].tolist()
    assert merged["true"].tolist() == [merging.group_of(name) for name in given["true"]]


def test_merging_twice_changes_nothing_more_and_certain_others_are_thirds() -> None:
    table = make_predictions(["disgust", "happiness", "others", "surprise"])
    table.loc[0, ["true", "p_disgust", "p_happiness", "p_others", "p_surprise"]] = [
        "surprise",
        0.0,
        0.0,
        1.0,
        0.0,
    ]
    once, _ = evaluation.merge_predictions(table)
    assert once.loc[once["clip"] == table["clip"][0], "p_surprise"].item() == pytest.approx(1 / 3)
    twice, left_out = evaluation.merge_predictions(once)
    assert left_out.empty
    pd.testing.assert_frame_equal(twice, once)


def test_composite_keeps_namesakes_apart() -> None:
    runs = {
        "casme2": evaluation.merge_predictions(make_predictions(["disgust", "happiness", "surprise"], 1))[0],
        "samm": evaluation.merge_predictions(make_predictions(["anger", "happiness", "surprise"], 2))[0],
    }
    joined = evaluation.composite(runs)
    assert joined["clip"].is_unique
    assert joined["subject"].nunique() == 8  # four in each, with the same names
    scores = evaluation.metrics(joined, GROUPS)
    total = sum(evaluation.confusion_by_subject(table, GROUPS)[1].sum(0) for table in runs.values())
    assert scores["uf1"] == pytest.approx(float(evaluation.uf1(total)), abs=1e-6)
    assert scores["folds"] == 8
    turned = evaluation.composite(dict(reversed(runs.items())))
    assert evaluation.metrics(turned, GROUPS) == scores


def test_composite_refuses_unlike_classes() -> None:
    runs = {"a": make_predictions(["disgust", "surprise"]), "b": make_predictions(["anger", "surprise"])}
    with pytest.raises(InputError, match=r"merge them first \(a: disgust, surprise; b: anger, surprise\)"):
        evaluation.composite(runs)


def make_clips(name: str, emotions: list[str]) -> pd.DataFrame:
    """Two clips of each emotion, of the subjects 01 and 02."""
    rows = [(f"{subject}/{emotion}", subject, emotion) for subject in ("01", "02") for emotion in emotions]
    clips = pd.DataFrame(rows, columns=["clip", "subject", "emotion"]).set_index("clip")
    clips.attrs = {"corrections": [f"{name} mended"], "notes": []}
    return clips.assign(dataset=name, synthetic=True)


def test_merged_and_combined_clips() -> None:
    sheets = {
        "casme2": make_clips("casme2", ["disgust", "happiness", "others", "repression", "surprise"]),
        "samm": make_clips("samm", ["anger", "happiness", "others", "surprise"]),
    }
    tables = {}
    for name, kept in sheets.items():
        merged, left_out = datasets.merge_emotions(kept)
        assert len(merged) + len(left_out) == len(kept)
        assert (merged["label"].map(merging.group_of) == merged["emotion"]).all()
        assert left_out["reason"].str.contains("others").all()
        tables[name] = merged
    joined = datasets.combine(tables)
    assert joined.index.is_unique
    assert len(joined) == 8 + 6
    assert joined.groupby("subject")["source"].nunique().tolist() == [1] * 4
    assert datasets.origin(joined) == "casme2+samm"
    assert joined.attrs["corrections"] == ["casme2 mended", "samm mended"]
    assert datasets.title(joined) == (
        "synthetic clips in the layout of CASME-II + SAMM, 3 classes (MEGC 2019)"
    )
    with pytest.raises(InputError, match="merge them first"):
        datasets.combine({"a": tables["casme2"], "b": sheets["samm"]})


def test_megc_2019_has_no_fear_and_no_sadness_of_casme2_and_all_of_samm() -> None:
    """The rule of its list: CASME-II's 145 without fear and sadness, all 133 of SAMM that have a group."""
    emotions = ["disgust", "fear", "happiness", "others", "repression", "sadness", "surprise"]
    merged, left_out = datasets.merge_emotions(make_clips("casme2", emotions))
    assert set(merged["label"]) == {"disgust", "happiness", "repression", "surprise"}
    reasons = left_out.groupby("emotion")["reason"].unique().map(list).to_dict()
    assert reasons["fear"] == reasons["sadness"] == ["MEGC 2019 has no fear and no sadness of CASME-II"]
    merged, left_out = datasets.merge_emotions(make_clips("samm", [*emotions, "anger", "contempt"]))
    assert set(left_out["emotion"]) == {"others"}
    assert {"fear", "sadness"} <= set(merged["label"])


def benchmark(short: int = 0) -> pd.DataFrame:
    """Recorded clips with the benchmark's numbers of classes; ``short`` of SAMM's surprises are missing."""
    sizes = {"smic": (70, 51, 43), "casme2": (88, 32, 25), "samm": (92, 26, 15 - short)}
    emotions = ("negative", "positive", "surprise")
    rows = [
        (dataset, emotion, "x", False)
        for dataset, counts in sizes.items()
        for emotion, count in zip(emotions, counts, strict=True)
        for _ in range(count)
    ]
    clips = pd.DataFrame(rows, columns=["dataset", "emotion", "label", "synthetic"])
    return clips.assign(subject="01")


def test_the_benchmark_is_named_dataset_by_dataset_where_all_three_are_there() -> None:
    counts = datasets.compare_counts("smic", benchmark())
    totals = counts.loc[["smic: all clips", "casme2: all clips", "samm: all clips", "all clips"]]
    assert totals["MEGC 2019"].tolist() == [164, 145, 133, 442]  # as the challenge's paper prints them
    assert counts["ours"].tolist() == counts["MEGC 2019"].tolist()
    assert set(counts["verdict"]) == {"matches"}
    counts = datasets.compare_counts("smic", benchmark(short=2))
    assert counts.loc["samm: surprise", "verdict"] == "differs by -2"
    assert counts.loc["samm: all clips", "verdict"] == "differs by -2"
    assert counts.loc["casme2: all clips", "verdict"] == "matches"


def test_without_all_three_there_is_no_benchmark() -> None:
    clips = benchmark()
    for other in (clips[clips["dataset"] != "samm"], clips.assign(synthetic=True)):
        counts = datasets.compare_counts("smic", other)
        assert counts["MEGC 2019"].isna().all()
        assert set(counts["verdict"]) == {"no published count"}
        assert counts.loc["all clips", "ours"] == len(other)
