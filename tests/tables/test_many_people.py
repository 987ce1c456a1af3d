"""Rows on several datasets of 26 people each: by hand, and the kept ones from their predictions."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from sklearn.metrics import accuracy_score, f1_score, recall_score

from dianet_utils.tables import TABLES, many_people

KEPT = many_people.KEPT
EMOTIONS = ("disgust", "happiness", "surprise")


def make(better: float, people: int = 40, clips: int = 6) -> pd.DataFrame:
    """Two datasets; the default is right on 60 % of the clips, `onset` on 60 % less ``better``."""
    generator = np.random.default_rng(3)
    rows = [
        (d, f"s{s}/c{c}", f"s{s}", generator.choice(EMOTIONS))
        for d in (0, 1)
        for s in range(people // 2)
        for c in range(clips)
    ]
    table = pd.DataFrame(rows, columns=["dataset", "clip", "subject", "true"])
    for name, skill in ((many_people.DEFAULT, 0.6), ("onset", 0.6 - better)):
        right = generator.random(len(table)) < skill
        wrong = table["true"].map(dict(zip(EMOTIONS, EMOTIONS[1:] + EMOTIONS[:1], strict=True)))
        table[name] = np.where(right, table["true"], wrong)
    return table


def test_rows_and_contrasts_are_rows_of_their_tables() -> None:
    assert len(set(many_people.ROWS)) == len({key for _, key in many_people.ROWS}) == len(many_people.ROWS)
    for number in (1, 3, 4):
        pairs = TABLES[number].contrasts
        assert 2 <= len(pairs) <= 3
        columns = {many_people.KEPT_AS.get(key, key) for pair in pairs for key in pair}
        assert columns <= set(many_people.of_table(number))
    asked = {key for number in (1, 3, 4) for key in TABLES[number].quick}
    same = {"dianet", "cross_channel", "linear_svm:onset+offset", "linear_svm:tent"}
    assert asked - same <= {key for _, key in many_people.ROWS}


@pytest.mark.parametrize("number", [1, 3, 4])
def test_rows_have_the_order_of_their_table(number: int) -> None:
    keys = [many_people.KEPT_AS.get(row.key, row.key) for row in TABLES[number].rows]
    assert many_people.of_table(number) == keys


def test_every_row_has_a_title_of_its_own() -> None:
    titles = many_people.titles()
    assert list(titles) == [key for _, key in many_people.ROWS]
    assert len(set(titles.values())) == len(titles)
    expected = {
        many_people.DEFAULT: "DIANet",
        "simple": "DIANet, simple attention",
        "linear_svm": "Linear SVM, onset and offset",
        "linear_svm:tent": "Linear SVM, onset and offset in one image",
        "fdcn": "FDCN (reconstruction)",
    }
    assert {key: titles[key] for key in expected} == expected


def test_a_row_that_lacks_a_dataset_is_left_out() -> None:
    table = make(0.1)
    table.loc[table["dataset"] == 1, "onset"] = None
    assert list(many_people.scores(table).index) == [many_people.DEFAULT]


def test_people_of_two_datasets_are_other_people() -> None:
    line = many_people.contrasts(make(0.2).assign(whole="disgust")).iloc[0]
    assert line["people"] == 40


def test_the_gain_and_its_p_agree_with_a_t_test_over_people() -> None:
    """With many people the sign-flip test and a t test of people's gains say nearly the same."""
    table = make(0.12, people=120)
    line = many_people.contrasts(table).set_index("second").loc["onset"]
    gains = (table[many_people.DEFAULT] == table["true"]).astype(int) - (table["onset"] == table["true"])
    assert line["gain"] == pytest.approx(100 * gains.mean())
    assert [line["dataset 0"], line["dataset 1"]] == pytest.approx(
        [100 * gains[table["dataset"] == d].mean() for d in (0, 1)]
    )
    by_person = gains.groupby([table["dataset"], table["subject"]]).sum()
    assert line["p"] == pytest.approx(ttest_1samp(by_person, 0).pvalue, abs=0.01)
    half = 1.96 * by_person.std() / 6 / np.sqrt(120) * 100
    assert (line["high"] - line["low"]) / 2 == pytest.approx(half, rel=0.1)


def test_holm_counts_the_tests_of_one_table_only() -> None:
    table = make(0.1).assign(tent=lambda t: t["onset"], whole="disgust", simple=lambda t: t["onset"])
    found = many_people.contrasts(table)
    assert found["table"].tolist() == [3, 4, 4, 4]
    alone, *family = found.itertuples()
    assert alone.holm == alone.p
    smallest = min(family, key=lambda line: line.p)
    assert smallest.holm == pytest.approx(min(1.0, 3 * smallest.p))


# The kept results.


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return many_people.read()


def test_every_kept_score_follows_from_the_kept_predictions(kept: pd.DataFrame) -> None:
    scores = pd.read_csv(KEPT / "scores.csv", index_col="row")
    assert list(scores.index) == many_people.rows_of(kept)
    assert kept.groupby(["dataset", "subject"]).ngroups == 5 * 26
    for row, line in scores.iterrows():
        assert line["accuracy"] == pytest.approx(100 * accuracy_score(kept["true"], kept[row]), abs=1e-3)
        told = {"average": "macro", "zero_division": 0}
        assert line["uf1"] == pytest.approx(f1_score(kept["true"], kept[row], **told), abs=1e-5)
        assert line["uar"] == pytest.approx(recall_score(kept["true"], kept[row], **told), abs=1e-5)
        for dataset, part in kept.groupby("dataset"):
            right = accuracy_score(part["true"], part[row])
            assert line[f"dataset {dataset}"] == pytest.approx(100 * right, abs=1e-3)


def test_every_kept_p_value_follows_from_the_kept_predictions(kept: pd.DataFrame) -> None:
    found = pd.read_csv(KEPT / "contrasts.csv")
    pd.testing.assert_frame_equal(many_people.contrasts(kept), found, rtol=1e-4, check_dtype=False)


def test_every_kept_row_tells_how_its_folds_were_trained(kept: pd.DataFrame) -> None:
    folds = pd.read_csv(KEPT / "folds.csv")
    counts = folds.groupby("row").size()
    assert {row: counts[row] for row in many_people.rows_of(kept)} == dict.fromkeys(
        many_people.rows_of(kept), 25
    )
    assert folds["train_accuracy"].between(0, 1).all()
