"""What holds for any input, tried on thousands: sheets, selection, weights, metrics."""

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, recall_score

from dianet_utils import datasets, evaluation
from dianet_utils.datasets import names, sheets
from dianet_utils.datasets.clips import table
from dianet_utils.dynamic_images import arp_weights, dynamic_image, harmonic_weights, offset_weights
from dianet_utils.plumbing.errors import InputError

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What a cell of Excel may hold: no control characters, no surrogates.
texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
cells = st.one_of(st.none(), texts, st.integers(-(10**12), 10**12), st.floats(-1e15, 1e15))


# --- sheets ----------------------------------------------------------------------------------------


@given(number=st.integers(0, sheets.LARGEST_NUMBER), blanks=st.integers(0, 3))
def test_every_frame_number_is_read_back(number: int, blanks: int) -> None:
    assert sheets.whole_number(str(number)) == number
    assert sheets.whole_number(f"{number}." + "0" * blanks) == number
    assert sheets.number_problem(str(number)) == ""


@given(text=st.one_of(texts, st.floats().map(str), st.integers().map(str)))
def test_a_cell_is_a_frame_number_or_has_a_problem(text: str) -> None:
    number = sheets.whole_number(text)
    assert (number is None) == bool(sheets.number_problem(text))
    assert number is None or 0 <= number <= sheets.LARGEST_NUMBER


# Pieces that most names are made of and pieces that lead elsewhere: about half of the names have a fault.
pieces = st.sampled_from(
    ["EP01", "sub 1", "_", "-", "é", "..", ".", "/", "\\", " ", "\x00", "\n", "con", "~", "C:"]
)


@given(name=st.one_of(st.lists(pieces, max_size=4).map("".join), st.text(max_size=120)))
def test_a_name_has_a_fault_or_stays_inside_any_folder(name: str) -> None:
    folder = Path("/data/copy")
    inside = (folder / name).parent == folder and Path(name).name == name and name not in ("", ".", "..")
    assert inside or names.fault(name)


def test_some_names_have_no_fault() -> None:
    for name in ("EP01_01f", "sub 1", "é-1", "006_1_2", "a.b", "~"):
        assert not names.fault(name), name


@settings(quick, max_examples=15)
@given(
    rows=st.lists(st.lists(cells, min_size=6, max_size=6), min_size=1, max_size=6),
    order=st.permutations(range(6)),
    above=st.integers(0, 3),
)
def test_a_sheet_gives_its_rows_in_any_order_of_columns(
    rows: list[list[object]], order: list[int], above: int, tmp_path: Path
) -> None:
    headers = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Estimated Emotion"]
    found = []
    for places in (range(6), order):
        book = openpyxl.Workbook()
        for line in (
            [["a remark"]] * above + [[headers[p] for p in places]] + [[r[p] for p in places] for r in rows]
        ):
            book.active.append(["'" + c if isinstance(c, str) and c[:1] == "=" else c for c in line])
        book.save(tmp_path / "sheet.xlsx")
        found.append(sheets.read_sheet(tmp_path / "sheet.xlsx"))
    pd.testing.assert_frame_equal(found[0], found[1])
    filled = [row for row in rows if any(str("" if cell is None else cell).strip() for cell in row)]
    assert len(found[0]) == len(filled)
    assert (found[0]["row"] > above + 1).all()
    assert all(text == text.strip() for column in ("subject", "emotion", "apex") for text in found[0][column])


# --- selection -------------------------------------------------------------------------------------

clip_rows = st.lists(
    st.tuples(
        st.sampled_from(["01", "02", "03"]),
        st.sampled_from(["happiness", "disgust", "others", ""]),
        *[st.one_of(st.none(), st.integers(0, 30))] * 3,
        st.sampled_from(["", "", "apex '/' is not a whole number"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


def as_table(rows: list[tuple]) -> pd.DataFrame:
    records = [
        {"clip": f"{subject}/{place}", "subject": subject, "emotion": emotion, "onset": onset, "apex": apex}
        | {"offset": offset, "fps": 200.0, "frames": "folder" if has_frames else "", "action_units": ""}
        | {"crop": "none", "problem": problem, "missing_frames": 0}
        for place, (subject, emotion, onset, apex, offset, problem, has_frames) in enumerate(rows)
    ]
    return table(records, "casme2")


@quick
@given(rows=clip_rows, smallest=st.integers(1, 4), shuffle=st.randoms(use_true_random=False))
def test_selection_parts_the_clips_and_gives_reasons(
    rows: list[tuple], smallest: int, shuffle: object
) -> None:
    clips = as_table(rows)
    try:
        kept, left_out = datasets.select(clips, smallest)
    except InputError:
        kept, left_out = clips.iloc[:0], clips.assign(reason="told in the error")
    assert sorted([*kept.index, *left_out.index]) == sorted(clips.index)
    assert (left_out["reason"].str.len() > 0).all()
    sizes = clips["emotion"].value_counts()
    for _, clip in kept.iterrows():
        assert clip["onset"] < clip["apex"] < clip["offset"]
        assert clip["frames"]
        assert not clip["problem"]
        assert sizes[clip["emotion"]] >= smallest
    order = list(clips.index)
    shuffle.shuffle(order)
    if len(kept):
        again, _ = datasets.select(clips.loc[order], smallest)
        assert set(again.index) == set(kept.index)


# --- weights ---------------------------------------------------------------------------------------


@given(count=st.integers(1, 600))
def test_weights_sum_to_nothing_and_mirror_each_other(count: int) -> None:
    weights = arp_weights(count)
    assert weights.sum() == 0
    np.testing.assert_array_equal(weights, -weights[::-1])
    np.testing.assert_array_equal(offset_weights(count), -weights)
    assert harmonic_weights(count).sum() == pytest.approx(0, abs=1e-8 * count)


@quick
@given(data=st.data(), count=st.integers(2, 9))
def test_a_dynamic_image_is_linear_and_blind_to_what_stands_still(data: st.DataObject, count: int) -> None:
    seed, still = data.draw(st.integers(0, 999)), data.draw(st.integers(0, 55))
    frames = np.random.default_rng(seed).integers(0, 200, (count, 4, 5, 3)).astype(np.uint8)
    weights = arp_weights(count)
    image = dynamic_image(frames, weights)
    np.testing.assert_array_equal(image, np.tensordot(weights, frames.astype(np.int64), 1))
    np.testing.assert_array_equal(dynamic_image(frames + np.uint8(still), weights), image)
    np.testing.assert_array_equal(dynamic_image(frames[::-1], weights), -image)


# --- metrics ---------------------------------------------------------------------------------------


@quick
@given(
    pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40),
    order=st.randoms(use_true_random=False),
)
def test_scores_are_those_of_scikit_learn_in_any_order(pairs: list[tuple[int, int]], order: object) -> None:
    classes = list("abcd")
    true, predicted = ([classes[pair[side]] for pair in pairs] for side in (0, 1))
    rows = {
        "clip": [f"s{i % 3}/{i}" for i in range(len(pairs))],
        "true": true,
        "predicted": predicted,
        "seed": 0,
    }
    predictions = pd.DataFrame(rows).assign(subject=[f"s{i % 3}" for i in range(len(pairs))])
    found = evaluation.metrics(predictions, classes)
    assert found["accuracy"] == pytest.approx(accuracy_score(true, predicted), abs=1e-6)
    expected = f1_score(true, predicted, labels=classes, average="macro", zero_division=0)
    assert found["uf1"] == pytest.approx(expected, abs=1e-6)
    occurring = sorted(set(true))
    expected = recall_score(true, predicted, labels=occurring, average="macro", zero_division=0)
    assert found["uar"] == pytest.approx(expected, abs=1e-6)
    for name, (low, high) in found["intervals"].items():
        assert 0 <= low <= high <= 1, name
    places = list(range(len(pairs)))
    order.shuffle(places)
    assert evaluation.metrics(predictions.iloc[places], classes) == found


clips_of_a_class = st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any)  # as they were named


@given(rows=st.lists(clips_of_a_class, min_size=3, max_size=3))
def test_a_perfect_and_a_hopeless_classifier_bound_every_other(rows: list[list[int]]) -> None:
    confusion = np.array(rows)
    perfect = np.diag(confusion.sum(1))
    for score in (evaluation.accuracy, evaluation.uf1, evaluation.uar):
        assert 0 <= score(confusion) <= 1
        assert score(perfect) == pytest.approx(1)
        assert score(confusion[::-1, ::-1]) == pytest.approx(score(confusion))
