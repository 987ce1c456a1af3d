"""From a notebook's parameters to its clips: one dataset or several, with or without merged classes."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from dianet_utils import datasets, run, synthetic
from dianet_utils.config import configure
from dianet_utils.datasets.provenance import selection_name
from dianet_utils.dynamic_images import build_bank
from dianet_utils.dynamic_images.apex import spot_clips
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError
from dianet_utils.run import selection
from dianet_utils.synthetic.releases.official import write_official


def selected(root: Path, selection: str | None = None, dataset: str = "synthetic") -> tuple:
    """What a notebook with these parameters keeps and leaves out."""
    given = {"dataset": dataset, "data_root": str(root), "selection": selection}
    return run.select_clips(run.check_parameters(given))


@pytest.fixture(scope="module")
def beside(tiny_synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A second dataset for a composite: the same clips in another place, so other recordings."""
    place = tmp_path_factory.mktemp("beside") / "data"
    shutil.copytree(tiny_synthetic, place)
    return f"composite=synthetic={place}"


def test_one_dataset_is_what_select_keeps(tiny_synthetic: Path) -> None:
    kept, left_out = run.select_clips({"dataset": "synthetic", "data_root": tiny_synthetic})
    expected, dropped = datasets.select(datasets.load("synthetic", tiny_synthetic))
    assert kept.equals(expected)
    assert left_out.equals(dropped)


def test_a_composite_of_merged_classes(tiny_synthetic: Path, beside: str) -> None:
    alone, _ = selected(tiny_synthetic, "merge=megc2019")
    assert set(alone["emotion"]) == {"negative", "positive", "surprise"}
    both, _ = selected(tiny_synthetic, f"merge=megc2019, {beside}")
    assert len(both) == 2 * len(alone)
    assert both["subject"].nunique() == 2 * alone["subject"].nunique()
    assert both["source"].value_counts().to_dict() == {"synthetic": len(alone), "synthetic-2": len(alone)}
    assert "synthetic" in datasets.title(both)
    assert "3 classes" in datasets.title(both)


def test_classes_that_are_rare_alone_are_merged(tmp_path: Path) -> None:
    """Selection by itself leaves a class of fewer than ten clips out; the merged classes have them."""
    small = {"subjects": 4, "class_sizes": (10, 10, 10, 3, 10), "size": 48, "duration": (16, 18)}
    root = synthetic.generate(synthetic.Settings(**small), tmp_path / "clips", workers=1, shown=False)
    assert "repression" not in set(selected(root)[0]["emotion"])
    assert selected(root, "min_class_size=3")[0]["emotion"].value_counts()["repression"] == 3
    merged, _ = selected(root, "merge=megc2019")
    assert merged["label"].value_counts()["repression"] == 3


def test_a_composite_without_a_folder_is_refused(tiny_synthetic: Path) -> None:
    with pytest.raises(InputError, match="has 'samm' where it needs a dataset as NAME=FOLDER"):
        selected(tiny_synthetic, "composite=samm")


def test_a_selection_is_part_of_the_name_of_a_run_and_of_titles(tiny_synthetic: Path) -> None:
    config = configure(backbone="test_efficientnet", image_size=32)
    usual, _ = run.select_clips({"dataset": "synthetic", "data_root": tiny_synthetic})
    default = run.make_bank(usual, config, shown=False)
    for told in ("merge=megc2019", "classes=disgust,surprise", "people=s01,s02", "exclude=s01/clip01"):
        kept, _ = selected(tiny_synthetic, told)
        bank = run.make_bank(kept, config, shown=False)
        assert run.run_folder(bank, config) != run.run_folder(default, config)
        assert ("3 classes (MEGC 2019)" if "megc" in told else told) in run.title(kept, config)
        assert selection_name(kept)
    same, left_out = selected(tiny_synthetic, "apex=annotated, min_class_size=10")
    assert same.equals(usual)
    assert run.title(same, config) == run.title(usual, config) == "synthetic clips"
    assert (selection_name(same), len(left_out)) == ("", 0)


def test_what_is_not_wanted_is_left_out_with_its_reason(tiny_synthetic: Path) -> None:
    kept, left_out = selected(tiny_synthetic, "people=s01,s02; exclude=s01/clip01; classes=disgust,surprise")
    assert set(kept["subject"]) == {"s01", "s02"}
    assert set(kept["emotion"]) == {"disgust", "surprise"}
    assert len(kept) + len(left_out) == 30
    assert set(left_out["reason"]) == {
        "excluded by parameter",
        "not among the people of the selection",
        "not among the classes disgust, surprise of the selection",
    }
    assert left_out.index[left_out["reason"] == "excluded by parameter"].tolist() == ["s01/clip01"]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("classes=disgst", r"there is no class 'disgst' \(did you mean 'disgust'\?\)"),
        ("people=s0l", r"there is no person 's0l' \(did you mean 's0\d'\?\)"),
        (
            "people=anna",
            r"there is no person 'anna' \(there are s01, s02, s03, s04, s05, synthetic_s01, ...\)",
        ),
        ("exclude=s01/clip99", r"there is no clip or person 's01/clip99' \(did you mean 's01/clip0\d'\?\)"),
        ("merge=megc2019, classes=disgust", "there is no class 'disgust'"),
        (
            "people=s01, exclude=s01",
            "no clip of person 's01' is left: 6 because excluded by parameter",
        ),
        ("exclude=s01,s02,s03,s04,s05", "no clip is left"),
        ("mrge=megc2019", r"did you mean 'merge'\?"),
        ("min_class_size=0", "min_class_size is '0' but must be a whole number from 1"),
        ("apex=middle", "apex is 'middle' but must be one of annotated, midpoint, spot"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest(
    tiny_synthetic: Path, told: str, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        selected(tiny_synthetic, told)
    assert "\n" not in str(caught.value)


def test_a_class_that_is_wanted_and_too_small_is_refused(tmp_path: Path, tiny_synthetic: Path) -> None:
    clips = datasets.load("synthetic", tiny_synthetic)
    rare = (
        clips[clips["emotion"] != "disgust"].index.tolist()
        + clips.index[clips["emotion"] == "disgust"][:2].tolist()
    )
    clips.loc[rare].reset_index().to_csv(tmp_path / "rare.csv", index=False)
    with pytest.raises(InputError, match="class 'disgust' is left: 2 because class disgust has only 2"):
        selected(tiny_synthetic, "classes=disgust", str(tmp_path / "rare.csv"))


def test_a_composite_of_the_same_recordings_is_refused(tiny_synthetic: Path, tmp_path: Path) -> None:
    """One person under two names would train and test."""
    synthetic.load(tiny_synthetic)[:3].to_csv(tmp_path / "few.csv")
    (tmp_path / "link").symlink_to(tiny_synthetic)
    for other, shared in ((f"synthetic={tmp_path / 'link'}", 30), (str(tmp_path / "few.csv"), 3)):
        with pytest.raises(InputError, match=rf"share recordings \({shared}; clip s01/clip01 of the one is"):
            selected(tiny_synthetic, f"min_class_size=1; composite={other}")


def test_people_of_a_composite_go_by_both_names(tiny_synthetic: Path, beside: str) -> None:
    assert set(selected(tiny_synthetic, f"{beside}; people=synthetic-2_s01")[0]["subject"]) == {
        "synthetic-2_s01"
    }
    kept, left_out = selected(tiny_synthetic, f"{beside}; exclude=s01,synthetic_s02/clip01")
    excluded = set(left_out[left_out["reason"] == "excluded by parameter"].index)
    assert {name.split("/")[0] for name in excluded} == {"synthetic_s01", "synthetic-2_s01", "synthetic_s02"}
    assert "synthetic-2_s02/clip01" in kept.index


@pytest.fixture
def without_apex(tmp_path: Path, tiny_synthetic: Path) -> Path:
    """A table of one's own of which three clips have no apex, the third no offset either."""
    clips = datasets.load("synthetic", tiny_synthetic)
    rows = clips.reset_index()[["clip", "subject", "emotion", "onset", "apex", "offset", "frames", "crop"]]
    rows = rows.astype({"apex": object, "offset": object})
    rows.loc[:2, "apex"] = ["/", "", "/"]
    rows.loc[2, "offset"] = "?"
    rows.to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def test_clips_without_an_apex_get_the_middle_or_a_spotted_one(
    tiny_synthetic: Path, without_apex: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    truth = datasets.load("synthetic", tiny_synthetic)
    first, second, third = truth.index[:3]
    usual, left_out = selected(tiny_synthetic, None, str(without_apex))
    assert list(left_out.index) == [first, second, third]
    kept, left_out = selected(tiny_synthetic, "apex=midpoint", str(without_apex))
    assert list(left_out.index) == [third]
    middle = (truth["onset"] + truth["offset"]) // 2
    assert kept["apex"].tolist() == [
        middle[clip] if clip in (first, second) else truth.loc[clip, "apex"] for clip in kept.index
    ]
    assert kept["apex_source"].value_counts().to_dict() == {"sheet": len(usual), "midpoint": 2}
    spotted, _ = selected(tiny_synthetic, "apex=spot", str(without_apex))
    assert spotted["apex_source"].value_counts().to_dict() == {"sheet": len(usual), "difference": 2}
    there = truth.loc[[first, second]].drop(columns="apex_source", errors="ignore")
    assert spotted.loc[[first, second], "apex"].tolist() == spot_clips(there)["apex"].tolist()


def test_a_release_whose_apexes_are_all_midpoints_is_spotted(tiny_synthetic: Path) -> None:
    clips = datasets.load("synthetic", tiny_synthetic).assign(apex_source="midpoint")
    kept, _ = run.select_tables({"a": clips}, {"apex": "spot"})["a"]
    assert set(kept["apex_source"]) == {"difference"}
    again, _ = run.select_tables({"a": clips}, {"apex": "midpoint"})["a"]
    assert again["apex"].tolist() == clips["apex"].tolist() or set(again["apex_source"]) == {"midpoint"}


def test_a_clip_without_a_face_stops_nothing(
    official: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of SAMM are not cropped; those of the second of three clips show nothing but a wall."""
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    clips = datasets.select(datasets.load("samm", official["samm"]))[0].iloc[:3]
    clips.reset_index().drop(columns="synthetic").to_csv(tmp_path / "mine.csv", index=False)
    folder = Path(clips["frames"].iloc[1])
    shutil.copytree(folder, tmp_path / "wall")
    for path in (tmp_path / "wall").glob("*.jpg"):
        cv2.imwrite(str(path), np.full((90, 120, 3), 120, np.uint8))
    table = tmp_path / "mine.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(str(folder), str(tmp_path / "wall")))
    for _ in range(2):  # looked for, then read from what was kept
        kept, left_out = selected(tmp_path, "min_class_size=1", str(table))
        assert left_out["reason"].str.startswith("no face was found between onset and offset").tolist() == [
            True
        ]
        assert [*kept.index, *left_out.index] == [clips.index[place] for place in (0, 2, 1)]
    assert len(build_bank(kept, size=16, shown=False).images) == 2
    with pytest.raises(InputError, match="No face was found"):
        build_bank(left_out, size=16, shown=False)


def test_two_tables_that_stay_apart_share_a_selection(tiny_synthetic: Path) -> None:
    clips = datasets.load("synthetic", tiny_synthetic)
    other = clips[clips["subject"] != "s01"]
    chosen = run.select_tables({"train": clips, "test": other}, {"exclude": ("s01",), "min_class_size": 5})
    assert [len(kept) for kept, _ in chosen.values()] == [24, 24]
    with pytest.raises(InputError, match="composite cannot be given where two datasets are compared"):
        run.select_tables({"train": clips}, {"composite": ("mine.csv",)})


def test_a_selection_may_be_a_file(tiny_synthetic: Path, tmp_path: Path) -> None:
    (tmp_path / "chosen.yaml").write_text("people: [s01, s02]\nexclude: s01/clip01\n", encoding="utf-8")
    kept, _ = selected(tiny_synthetic, str(tmp_path / "chosen.yaml"))
    assert kept.equals(selected(tiny_synthetic, "people=s01,s02, exclude=s01/clip01")[0])


def test_a_sheet_is_asked_of_the_dataset_itself(
    tiny_synthetic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    load = datasets.load
    monkeypatch.setattr(datasets, "load", lambda *given, **more: asked.append(more) or load(*given))
    kept, _ = selected(tiny_synthetic, "sheet=/my/place/codes v2.xlsx")
    assert asked == [{"sheet": "/my/place/codes v2.xlsx"}]
    assert datasets.title(kept) == "synthetic clips, sheet=codes v2.xlsx"
    assert re.fullmatch("selection=[0-9a-f]{8}", selection_name(kept))


def test_clips_whose_face_is_to_be_found_can_be_aligned(tmp_path: Path) -> None:
    small = synthetic.Settings(subjects=2, clips_per_emotion=1, size=48, duration=(16, 18))
    raw = write_official("casme2", tmp_path / "raw", small, ("raw",), progress=False)
    cropped = write_official("casme2", tmp_path / "cropped", small, progress=False)
    for root, crop in ((raw, "aligned"), (cropped, "none")):
        given = {"dataset": "CASME-II", "data_root": str(root), "selection": "align=true, min_class_size=1"}
        kept, left_out = run.select_clips(run.check_parameters(given))
        assert set(kept["crop"]) | set(left_out["crop"]) == {crop}
        assert "align=True" in datasets.title(kept)


def test_where_no_clip_shows_a_face_the_message_says_so(
    tiny_synthetic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_without_face", lambda clips: dict.fromkeys(clips.index, "no face"))
    with pytest.raises(InputError, match="no clip is left: 30 because no face"):
        run.select_clips({"dataset": "synthetic", "data_root": str(tiny_synthetic)})


def test_a_class_that_loses_its_faces_may_become_too_rare(
    tiny_synthetic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = datasets.load("synthetic", tiny_synthetic)
    lost = clips.index[clips["emotion"] == "surprise"][:1]
    monkeypatch.setattr(selection, "_without_face", lambda clips: dict.fromkeys(lost, "no face"))
    kept, left_out = run.select_clips({"dataset": "synthetic", "data_root": str(tiny_synthetic)})
    assert sorted(kept["emotion"].unique()) == ["disgust", "happiness"]
    assert left_out.loc[lost[0], "reason"] == "no face"
    assert set(left_out["reason"][1:]) == {"class surprise has only 9 clips, fewer than 10"}
