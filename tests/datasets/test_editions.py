"""CASME-II's editions on stand-ins with their class counts: 240 clips of 26 people, and 241 or 243."""

from pathlib import Path

import pytest
from released import row, write_casme2

from dianet_utils import datasets, paper

SIZES = {
    "others": 99,
    "disgust": 63,
    "happiness": 32,
    "repression": 27,
    "surprise": 25,
    "sadness": 7,
    "fear": 2,
}
# Clips whose apex is no number, or lies on the onset or the offset.
FAULTS = {("others", 0): "/", ("others", 1): 4, ("disgust", 0): 9, ("disgust", 1): 9}
FAULTS |= {("disgust", 2): 9, ("disgust", 3): 9}


def rows(apex_of_the_slash: object = "/", surprised: int = 0) -> list[list]:
    """The sheet's 255 rows; ``surprised`` of the sad clips are called surprise."""
    made = []
    for emotion, size in SIZES.items():
        for number in range(size):
            apex = FAULTS.get((emotion, number), 6)
            label = "surprise" if emotion == "sadness" and number < surprised else emotion
            place = len(made)
            cell = apex_of_the_slash if apex == "/" else apex
            made.append(row(f"{place % 26 + 1:02d}", f"EP{place:03d}_01", apex=cell, emotion=label))
    return made


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frames of all clips, beside a sheet that each test writes anew."""
    return write_casme2(
        tmp_path_factory.mktemp("editions"),
        rows(),
        {f"sub{cells[0]}/{cells[1]}": range(4, 10) for cells in rows()},
    )


@pytest.mark.parametrize(
    ("edition", "count"),
    [({}, 240), ({"apex_of_the_slash": 6}, 241), ({"surprised": 3}, 243)],
    ids=["2014", "one apex more", "2019"],
)
def test_an_edition_gives_its_number_of_clips(edition: dict, count: int, frames: Path) -> None:
    write_casme2(frames, rows(**edition), {})
    clips = datasets.load("casme2", frames)
    kept, _ = datasets.select(clips)
    assert len(clips) == 255
    assert (len(kept), kept["subject"].nunique()) == (count, 26)
    differs = datasets.compare_counts("casme2", kept)["verdict"].str.removeprefix("differs by ")
    classes = {"others": 241, "surprise": 243}
    for emotion in paper.EXPECTED["casme2"]["classes"]:
        shift = f"{count - 240:+d}" if classes.get(emotion) == count else "matches"
        assert differs[emotion] == shift
    assert ("the sheet is probably that of 2019" in differs["all clips"]) == (count == 243)
    assert ("an apex to one clip more" in differs["all clips"]) == (count == 241)


def test_a_title_loads_as_the_name_does(frames: Path) -> None:
    assert datasets.load("CASME-II", frames).equals(datasets.load("casme2", frames))
