"""The licensed loaders on synthetic clips in their official layouts, and selection with its reasons."""

from pathlib import Path

import pandas as pd
import pytest
from released import row, write_book, write_casme2, write_frames

from dianet_utils import datasets, paper, run, synthetic
from dianet_utils.datasets.clips import table
from dianet_utils.plumbing.errors import InputError
from dianet_utils.synthetic.releases.official import VARIANTS, write_official
from dianet_utils.synthetic.releases.official_clips import official_clips

TINY = synthetic.Settings(
    subjects=5, clips_per_emotion=2, emotions=("disgust", "happiness", "surprise"), size=64, duration=(16, 24)
)
SMALL = synthetic.Settings(subjects=2, clips_per_emotion=1, size=48, duration=(16, 18))
LICENSED = ("casme2", "samm", "mmew")
# What the writer plants: clip -> reason, beside the two clips of the small class.
PLANTED = {
    "casme2": {
        "01/EP01_01f": "apex '/' is not a whole number",
        "01/EP02_01": "equals the onset, so a phase has one frame",
    },
    "samm": {"006/006_1_1": "lies outside onset"},
    "mmew": {"S01/S01-01-001": "lies outside onset", "S01/S01-02-001": "lies outside onset"},
}


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every form of CASME-II and MMEW side by side."""
    folder = tmp_path_factory.mktemp("variants")
    return {
        name: write_official(name, folder / name, SMALL, VARIANTS[name], progress=False)
        for name in ("casme2", "mmew")
    }


@pytest.mark.parametrize("name", LICENSED)
def test_the_table_has_exactly_what_was_annotated(name: str, official: dict[str, Path]) -> None:
    clips = datasets.load(name, official[name])
    written = official_clips(name, TINY)
    assert list(clips.index) == [f"{clip.subject}/{clip.filename}" for clip in written]
    assert clips.index.is_unique
    assert list(clips["emotion"]) == [clip.plan.emotion for clip in written]
    assert set(clips["fps"]) == {90.0 if name == "mmew" else 200.0}
    assert set(clips["crop"]) == {"face" if name == "samm" else "none"}
    misread = {**PLANTED[name]}
    for clip in written:
        found = clips.loc[f"{clip.subject}/{clip.filename}"]
        assert found["onset"] == clip.number("onset")
        assert Path(found["frames"]).name == clip.filename
        assert found["missing_frames"] == len(clip.lost) or found.name in misread
        if found.name not in misread:
            assert (found["apex"], found["offset"]) == (clip.number("apex"), clip.number("offset"))
            assert found["action_units"] in (clip.plan.coding, "?")


@pytest.mark.parametrize("name", LICENSED)
def test_left_out_are_the_planted_clips_for_the_planted_reasons(name: str, official: dict[str, Path]) -> None:
    clips = datasets.load(name, official[name])
    kept, left_out = datasets.select(clips)
    small = clips.index[clips["emotion"] == {"casme2": "fear", "samm": "sadness", "mmew": "anger"}[name]]
    assert len(small) == 2
    assert sorted(left_out.index) == sorted([*PLANTED[name], *small])
    assert len(kept) + len(left_out) == len(clips)
    for clip, reason in PLANTED[name].items():
        assert reason in left_out.loc[clip, "reason"]
        assert ";" not in left_out.loc[clip, "reason"]
    assert all("has only 2 clips, fewer than 10" in reason for reason in left_out.loc[small, "reason"])
    assert ((kept["onset"] < kept["apex"]) & (kept["apex"] < kept["offset"])).all()


def test_subjects_stay_text_and_a_filename_may_occur_in_each(official: dict[str, Path]) -> None:
    clips = datasets.load("casme2", official["casme2"])
    assert sorted(clips["subject"].unique()) == ["01", "02", "03", "04", "05"]
    filenames = clips.index.str.split("/").str[1]
    assert filenames.duplicated().any()


def test_the_misprint_is_mended_openly(official: dict[str, Path]) -> None:
    clips = datasets.load("samm", official["samm"])
    assert clips.loc["032/032_3_1", ["onset", "apex", "offset"]].tolist() == [4896, 4930, 4970]
    (sentence,) = clips.attrs["corrections"]
    assert sentence.startswith("032/032_3_1: apex 1930 read as 4930")
    kept, left_out = datasets.select(clips)
    assert "032/032_3_1" in kept.index
    assert kept.attrs["corrections"] == left_out.attrs["corrections"] == clips.attrs["corrections"]


@pytest.mark.parametrize(
    ("onset", "apex", "offset"), [(4895, 1930, 4970), (4896, 1930, 4971), (4896, 4931, 4970)]
)
def test_other_numbers_in_that_row_are_not_touched(
    onset: int, apex: int, offset: int, tmp_path: Path
) -> None:
    headers = [
        "Subject",
        "Filename",
        "Onset Frame",
        "Apex Frame",
        "Offset Frame",
        "Action Units",
        "Estimated Emotion",
    ]
    values = ["032", "032_3_1", onset, apex, offset, "12", "Happiness"]
    write_book(tmp_path / "SAMM_Micro_FACS_Codes_v2.xlsx", [[None]] * 13 + [headers, values], "MICRO_ONLY")
    write_frames(tmp_path / "SAMM" / "032" / "032_3_1", [4900, 4901], prefix="032_0")
    clips = datasets.load("samm", tmp_path)
    assert clips["apex"].item() == apex
    assert clips.attrs["corrections"] == []


@pytest.mark.parametrize(
    ("inside", "expected", "crop"),
    [
        (".", "Cropped", "none"),
        ("Cropped", "Cropped", "none"),
        ("CASME2_RAW_selected", "CASME2_RAW_selected/CASME2_RAW_selected", "face"),
        ("CASME2_RAW_selected/CASME2_RAW_selected", "CASME2_RAW_selected/CASME2_RAW_selected", "face"),
        ("CASME2-RAW", "CASME2-RAW", "face"),
    ],
)
def test_forms_of_casme2(inside: str, expected: str, crop: str, variants: dict[str, Path]) -> None:
    """The cropped frames are preferred; another form is had by naming its folder."""
    clips = datasets.load("casme2", variants["casme2"] / inside)
    assert set(clips["crop"]) == {crop}
    assert clips["frames"].str.startswith(str(variants["casme2"] / expected)).all()
    others = [note for note in clips.attrs["notes"] if note.startswith("also found and not used")]
    assert len(others) == (2 if inside == "." else 0)
    assert datasets.is_synthetic(clips)
    assert datasets.title(clips) == "synthetic clips in the layout of CASME-II"


@pytest.mark.parametrize("inside", ["Micro_Expression", "."])
def test_forms_of_mmew(inside: str, variants: dict[str, Path]) -> None:
    clips = datasets.load("mmew", variants["mmew"] / inside)
    assert all(Path(folder).parent.parent.name == "Micro_Expression" for folder in clips["frames"])
    assert (clips["frames"] != "").all()


def test_mmew_by_subject(tmp_path: Path) -> None:
    root = write_official("mmew", tmp_path / "mmew", SMALL, ["by subject"], progress=False)
    clips = datasets.load("mmew", root)
    first = clips.iloc[0]
    assert Path(first["frames"]).relative_to(root).as_posix() == f"S01/{first['emotion']}/S01-01-001"


def test_the_sheet_itself_can_be_the_root(official: dict[str, Path]) -> None:
    by_sheet = datasets.load("samm", official["samm"] / "SAMM_Micro_FACS_Codes_v2.xlsx")
    pd.testing.assert_frame_equal(by_sheet, datasets.load("samm", official["samm"]))


def test_numbers_headers_and_labels_are_read_whatever_their_form(tmp_path: Path) -> None:
    headers = [" subject", "FILENAME ", "Onset_Frame", "apex frame", "OffsetFrame", "Estimated  emotion"]
    rows = [
        ["no annotation here"],
        headers,
        [1, "EP01_01f", 4.0, "6", " 9 ", "Other"],
        ["sub02", "ep01_01F", 4, 6, 9, " Happiness"],
    ]
    write_book(tmp_path / "deep" / "casme2_label.xlsx", rows, "anything")
    for clip in ("sub01/EP01_01f", "sub02/EP01_01f"):
        write_frames(tmp_path / "frames" / clip)
    clips = datasets.load("casme2", tmp_path)
    assert list(clips.index) == ["01/EP01_01f", "02/ep01_01F"]
    assert list(clips["emotion"]) == ["others", "happiness"]
    assert clips[["onset", "apex", "offset"]].to_numpy().tolist() == [[4, 6, 9]] * 2
    assert list(clips["missing_frames"]) == [0, 0]
    assert list(clips["action_units"]) == ["", ""]


def test_rows_that_cannot_be_used_keep_their_place_and_say_why(tmp_path: Path) -> None:
    rows = [
        row("01", "EP01_01", apex="/"),
        row("01", "EP02_01", onset="", offset="9?"),
        row("01", "EP03_01", emotion=""),
        row("01", "EP04_01"),
        row("01", "EP04_01", apex=7),
        row("01", "EP05_01"),
        row("01", "EP06_01"),
        row("01", "EP07_01"),
        [None, None, None, None, None, None, None, None, "a remark below the table"],
    ]
    frames = {f"sub01/EP0{number}_01": range(4, 10) for number in (1, 2, 3, 4, 7)} | {"sub01/EP06_01": [4, 6]}
    clips = datasets.load("casme2", write_casme2(tmp_path, rows, {**frames, "sub07/EP01_01": [1]}))
    assert list(clips.index[3:5]) == ["01/EP04_01", "01/EP04_01 (row 6)"]
    assert pd.isna(clips.loc["01/EP01_01", "apex"])
    kept, left_out = datasets.select(clips, min_class_size=1)
    assert list(kept.index) == ["01/EP07_01"]
    assert left_out["reason"].tolist() == [
        "apex '/' is not a whole number",
        "onset '' is not a whole number; offset '9?' is not a whole number",
        "the emotion is blank",
        "rows 5, 6 describe one clip",
        "rows 5, 6 describe one clip",
        "no folder of frames was found",
        "only 2 of its 6 frames onset .. offset have a file; apex 6 .. offset 9 has 1 of its frames as files",
    ]
    assert any("row 10 of the sheet has no subject" in note for note in clips.attrs["notes"])
    assert "no row of the sheet names the frames in sub07/EP01_01" in clips.attrs["notes"]


def published(name: str) -> pd.DataFrame:
    """Clips with the class counts that the paper's selection leaves, and as many subjects."""
    expected = paper.EXPECTED[name]
    labels = [emotion for emotion, count in expected["classes"].items() for _ in range(count)]
    records = [
        {"clip": f"{place % expected['subjects']}/{place}", "subject": str(place % expected["subjects"])}
        | {"emotion": label, "onset": 1, "apex": 2, "offset": 3, "fps": 200, "missing_frames": 0}
        | {"frames": "folder", "action_units": "", "crop": "none", "problem": ""}
        for place, label in enumerate(labels)
    ]
    return table(records, name)


@pytest.mark.parametrize("name", ["casme2", "samm"])
def test_counts_against_the_paper(name: str) -> None:
    clips = published(name)
    kept, left_out = datasets.select(clips)
    assert left_out.empty
    counts = datasets.compare_counts(name, kept)
    assert set(counts["verdict"]) == {"matches"}
    counts = datasets.compare_counts(name, kept.iloc[2:])
    first = kept["emotion"].iloc[0]
    assert counts.loc[[first, "all clips"], "verdict"].tolist() == ["differs by -2"] * 2


def test_synthetic_clips_are_never_held_against_the_paper(
    official: dict[str, Path], tiny_synthetic: Path
) -> None:
    for name, root in (("casme2", official["casme2"]), ("synthetic", tiny_synthetic)):
        clips = datasets.load(name, root)
        counts = datasets.compare_counts(name, datasets.select(clips)[0])
        assert set(counts["verdict"]) == {"no published count"}
        assert counts.loc["all clips", "ours"] > 0
        assert "synthetic" in datasets.title(clips)


def test_classes_are_counted_over_all_labelled_clips() -> None:
    """SAMM keeps contempt with 11 of its 12 clips; a class of ten stays although one row is unusable."""
    clips = published("samm")
    contempt = clips.index[clips["emotion"] == "contempt"]
    clips.loc[contempt[:4], "apex"] = 1
    kept, left_out = datasets.select(clips)
    assert (kept["emotion"] == "contempt").sum() == 7
    assert set(left_out["reason"]) == {"apex 1 equals the onset, so a phase has one frame"}
    kept, left_out = datasets.select(clips, min_class_size=12)
    assert "class contempt has only 11 clips, fewer than 12" in left_out.loc[contempt[-1], "reason"]


def test_nothing_left_is_an_error_that_says_why(official: dict[str, Path]) -> None:
    clips = datasets.load("mmew", official["mmew"])
    with pytest.raises(
        InputError, match=r"None of the 62 clips .synthetic clips in the layout of MMEW. .* fewer than 99"
    ):
        datasets.select(clips, min_class_size=99)


def test_what_is_wrong_is_counted_by_kind_not_by_text(tmp_path: Path) -> None:
    """Five texts of three kinds: the rarest text must not pass for the most frequent fault."""
    rows = [row("01", f"EP0{number}_01", apex=20 + number) for number in range(1, 5)]
    rows += [row("01", "EP05_01", apex="/"), row("01", "EP06_01", apex="/"), row("01", "EP07_01")]
    frames = {f"sub01/EP0{number}_01": range(4, 10) for number in range(1, 7)}
    clips = datasets.load("casme2", write_casme2(tmp_path, rows, frames))
    with pytest.raises(InputError) as caught:
        datasets.select(clips, min_class_size=1)
    assert (
        "can be used: 4 because apex 21 lies outside onset 4 .. offset 9 or the like (01/EP01_01, "
        "01/EP02_01, 01/EP03_01, ...); 2 because apex '/' is not a whole number (01/EP05_01, 01/EP06_01); "
        "1 because no folder of frames was found (01/EP07_01). See" in str(caught.value)
    )


FOLDERS = ["sub1/EP01_01f", "sub01/ep01_01F", "01/EP01_01f", "sub 01/EP01_01f", "Sub-1/EP01_01f.avi"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_subjects_are_matched_by_number_and_clips_without_the_videos_suffix(
    folder: str, tmp_path: Path
) -> None:
    for cell in ("01", 1, "sub01", "Sub-1", "sub 1"):
        write_casme2(tmp_path, [row(cell, "EP01_01f")], {folder: range(4, 10)})
        clips = datasets.load("casme2", tmp_path)
        assert clips.index.tolist() == ["01/EP01_01f"]
        assert Path(clips["frames"].item()) == tmp_path / "Cropped" / folder


def test_folders_that_claim_one_number_are_named(tmp_path: Path) -> None:
    folders = {"sub1/EP01_01f": range(4, 10), "sub01/EP01_01f": range(4, 10), "sub01/EP02_01": range(4, 10)}
    root = write_casme2(tmp_path, [row("01", "EP01_01f"), row("01", "EP02_01")], folders)
    clips = datasets.load("casme2", root)
    assert "the folders sub01 and sub1 are taken for one subject" in clips.attrs["notes"]
    doubled, single = clips["problem"]
    assert doubled == "two folders hold its frames, sub01/EP01_01f and sub1/EP01_01f"
    assert single == ""


def test_writer_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match="not an empty folder"):
        write_official("samm", tmp_path, SMALL, progress=False)
    with pytest.raises(InputError, match="did you mean 'samm'"):
        write_official("sam", tmp_path / "new", SMALL, progress=False)
    with pytest.raises(InputError, match="has no variant 'rawest'"):
        write_official("casme2", tmp_path / "new", SMALL, ["rawest"], progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_same_settings_write_the_same_bytes(variants: dict[str, Path], tmp_path: Path) -> None:
    again = write_official("mmew", tmp_path / "mmew", SMALL, VARIANTS["mmew"], progress=False)
    files = sorted(path.relative_to(again) for path in again.rglob("*.jpg"))
    assert files == sorted(path.relative_to(variants["mmew"]) for path in variants["mmew"].rglob("*.jpg"))
    assert all((again / path).read_bytes() == (variants["mmew"] / path).read_bytes() for path in files[::7])


def test_a_copy_in_its_usual_place_needs_no_data_root(
    official: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("samm", "mmew"):
        monkeypatch.setenv("DIANET_DATA", str(official[name].parent))
        assert datasets.load(name).equals(datasets.load(name, official[name]))
        assert run.check_parameters({"dataset": name, "data_root": None}) == {"dataset": name}


def test_without_a_copy_every_way_to_name_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIANET_DATA", str(tmp_path))
    with pytest.raises(
        InputError, match=r"as data_root, or put it at data/samm or at samm in .* DIANET_DATA"
    ):
        datasets.load("samm")
    with pytest.raises(InputError, match=r"-p data_root FOLDER; or set DIANET_DATA once"):
        run.check_parameters({"dataset": "samm", "data_root": None})


@pytest.mark.parametrize("name", LICENSED)
@pytest.mark.parametrize("unknown", ["onset", "apex", "offset"])
@pytest.mark.parametrize("frames", ["some are missing", "all are missing", "no folder"])
def test_any_fault_of_the_sheet_with_any_fault_of_the_frames_gives_reasons(
    name: str, unknown: str, frames: str, official: dict[str, Path], tmp_path: Path
) -> None:
    clips = datasets.load(name, official[name])
    chosen = datasets.select(clips, min_class_size=1)[0].index[0]
    folder = tmp_path / "frames"
    folder.mkdir()
    if frames == "some are missing":
        for path in sorted(Path(clips.loc[chosen, "frames"]).iterdir())[:3]:
            (folder / path.name).write_bytes(path.read_bytes())
    clips.loc[chosen, "frames"] = "" if frames == "no folder" else str(folder)
    clips.loc[chosen, "missing_frames"] = 5
    clips.loc[chosen, [unknown, "problem"]] = [pd.NA, f"{unknown} is no number"]
    kept, left_out = datasets.select(clips, min_class_size=1)
    assert chosen not in kept.index
    assert f"{unknown} is no number" in left_out.loc[chosen, "reason"]
