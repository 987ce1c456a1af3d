"""Clips of the user's own: a table and folders of frames, any classes, any frame rate."""

import re
import shutil
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from toy import small_config

from dianet_utils import datasets, loso, run, synthetic, tables
from dianet_utils.command.execution import default_output
from dianet_utils.config import configure
from dianet_utils.datasets.own_dataset import NEEDED
from dianet_utils.dynamic_images import build_bank
from dianet_utils.loso import transfer
from dianet_utils.plots import data as plots
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, ROOT

WORDS = {"disgust": "frown", "happiness": "Smile", "surprise": "raised brows"}
FRAME = cv2.imencode(".png", np.full((12, 10, 3), 120, np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory, tiny_synthetic: Path) -> pd.DataFrame:
    """The rows of 30 clips of five people, whose frames lie in ``mine/recordings/s01/clip01``."""
    folder = tmp_path_factory.mktemp("own") / "mine"
    shutil.copytree(tiny_synthetic / "frames", folder / "recordings")
    clips = synthetic.load(tiny_synthetic)
    rows = clips[["subject", "onset", "apex", "offset"]].reset_index(drop=True)
    rows["emotion"] = clips["emotion"].map(WORDS).to_numpy()
    rows["frames"] = [f"recordings/{clip}" for clip in clips.index]
    rows = rows.assign(fps=59.94, crop="none")
    rows.attrs["folder"] = folder
    rows.to_csv(folder / "mine.csv", index=False)
    rows.to_excel(folder / "mine.xlsx", index=False)
    return rows


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_a_frame_and_the_files_of_it_are_one_table(mine: pd.DataFrame) -> None:
    folder = mine.attrs["folder"]
    read = {kind: datasets.load(str(folder / f"mine.{kind}")) for kind in ("csv", "xlsx")}
    clips = datasets.table(mine, folder, "mine")
    for each in read.values():
        pd.testing.assert_frame_equal(each, clips)
    assert list(clips.index[:2]) == ["s01/clip01", "s01/clip02"]
    assert set(clips["emotion"]) == {"frown", "smile", "raised brows"}
    assert set(clips["fps"]) == {59.94}
    assert set(clips["problem"]) == {""}
    assert clips["onset"].tolist() == mine["onset"].tolist()
    assert all(Path(path).is_dir() for path in clips["frames"])
    assert (datasets.origin(clips), datasets.title(clips)) == ("own-mine", "own clips (mine)")
    assert not datasets.is_comparable(clips)


def test_nothing_is_wrong_with_it_and_its_classes_are_listed(mine: pd.DataFrame) -> None:
    clips, report = datasets.inspect(mine.attrs["folder"] / "mine.csv", decode=True)
    assert clips is not None
    assert set(report["severity"]) == {"note"}
    assert "frown (10), raised brows (10), smile (10)" in report["problem"].str.cat(sep=" ")
    kept, left_out = datasets.select(clips)
    assert (len(kept), len(left_out)) == (30, 0)
    assert set(datasets.compare_counts("mine.csv", kept)["verdict"]) == {"no published count"}


def test_from_a_file_to_scores_by_the_names_that_notebooks_use(mine: pd.DataFrame, tmp_path: Path) -> None:
    given = {"dataset": str(mine.attrs["folder"] / "mine.csv"), "data_root": None, "seeds": "0", "workers": 1}
    parameters = run.check_parameters(given)
    kept, _ = run.select_clips(parameters)
    config = small_config(**{"dataset": parameters["dataset"], "pretrained": "none", "epochs": 1})
    assert (config.dataset, config.learning_rate) == ("own-mine", 1e-4)
    bank = build_bank(kept, size=32, scaling=config.scaling, shown=False, cache=tmp_path / "banks")
    assert bank.classes == ["frown", "raised brows", "smile"]
    results = loso.run(bank, config, tmp_path / "run", max_folds=1, workers=1, device="cpu")
    assert (results.metrics["dataset"], results.metrics["synthetic"]) == ("own-mine", False)
    assert "p_raised brows" in results.predictions
    assert run.run_folder(bank, config).parent == RESULTS / "own-mine"
    (row,) = tables.choose(4, parameters["dataset"], "onset")
    (entry,) = tables.prepare([row], kept, {**vars(config), "inputs": None}, 1)
    outcomes = tables.run_rows([entry], tmp_path, max_folds=1, workers=1, device="cpu")
    summary = tables.summarise(4, outcomes)
    assert not summary.rows["comparable"].dropna().any()
    assert "The paper has no results on these clips" in tables.write(summary, tmp_path)["md"].read_text()


def test_figures_take_any_class_and_any_frame_rate(mine: pd.DataFrame) -> None:
    clips = datasets.table(mine, mine.attrs["folder"])
    assert "frames at 59.94 per second" in texts(plots.draw_phase_lengths(clips))
    several = texts(plots.draw_phase_lengths(clips.assign(fps=[30.0] * 9 + [60.0] * 21)))
    assert "length of the phase (ms)" in several
    assert "per second" not in several
    unknown = datasets.table(mine.drop(columns="fps"), mine.attrs["folder"])
    assert "length of the phase (frames)" in texts(plots.draw_phase_lengths(unknown))
    for drawn in (plots.draw_subjects(clips), plots.draw_classes(clips, clips.iloc[:0])):
        assert "raised brows" in texts(drawn)
        assert "own clips (table)" in texts(drawn)
    assert plots.draw_endpoints(clips, [clips.index[0]]).axes


def test_names_and_folders_of_results() -> None:
    assert configure("data/samm.csv").dataset == "own-samm"
    assert configure("My clips (2).xlsx").dataset == "own-My-clips-2"
    assert configure("own-samm").dataset == "own-samm"  # as settings on disk have it
    assert configure("a.parquet").pretrained == configure("samm").pretrained == "imagenet"
    assert tables.folder_of("x/mine.csv") == RESULTS / "own-mine"
    assert default_output(Path("04_loso.ipynb"), {"dataset": "x/a.csv"}) == RESULTS / "own-a/04_loso.ipynb"
    pair = {"train_dataset": "samm", "test_dataset": "x/samm.csv"}
    place = RESULTS / "transfer" / "samm-to-own-samm"
    assert default_output(Path("13_transfer.ipynb"), pair) == place / "13_transfer.ipynb"
    checked = run.check_parameters({**pair, "test_root": None, "train_root": "SAMM"})
    assert checked["test_dataset"] == "x/samm.csv"
    with pytest.raises(InputError, match=r"or a table of your own \(.csv, .xlsx, .parquet\)"):
        run.check_parameters({"dataset": "mine.txt"})


def test_a_table_called_like_a_dataset_never_passes_for_it(mine: pd.DataFrame, tmp_path: Path) -> None:
    claimed = mine.assign(dataset="samm", synthetic=False)
    path = tmp_path / "samm.csv"
    claimed.to_csv(path, index=False)
    clips = datasets.load(path, mine.attrs["folder"])
    assert (datasets.origin(clips), datasets.title(clips)) == ("own-samm", "own clips (samm)")
    assert not datasets.is_comparable(clips)
    assert set(datasets.compare_counts("samm", clips)["verdict"]) == {"no published count"}


def test_synthetic_clips_stay_synthetic_in_a_table_of_ones_own(tiny_synthetic: Path, tmp_path: Path) -> None:
    made = synthetic.load(tiny_synthetic)
    made.to_csv(tmp_path / "made.csv")
    clips = datasets.load(tmp_path / "made.csv")
    assert datasets.title(clips) == "synthetic own clips (made)"
    assert list(clips.index) == list(made.index)
    assert clips["gender"].tolist() == made["gender"].tolist()
    pd.testing.assert_series_equal(clips["apex"], made["apex"])


def test_a_sheet_is_refused_where_none_lies_beside_the_frames(
    mine: pd.DataFrame, tiny_synthetic: Path
) -> None:
    for name, root in ((mine.attrs["folder"] / "mine.csv", None), ("synthetic", tiny_synthetic)):
        with pytest.raises(InputError, match="only a licensed dataset has one"):
            datasets.load(name, root, sheet="other.xlsx")


def test_two_tables_of_one_name_do_not_replace_each_others_results(
    mine: pd.DataFrame, tmp_path: Path
) -> None:
    first, second = (
        Path(shutil.copytree(mine.attrs["folder"], tmp_path / name)) / "mine.csv" for name in ("one", "two")
    )
    place = RESULTS / "own-mine"
    assert datasets.results_of(str(first)) == datasets.results_of(str(first)) == place
    with pytest.raises(InputError, match=f"results of another table of that name, {first}: rename one"):
        default_output(Path("01_dataset_inspection.ipynb"), {"dataset": str(second)})
    with pytest.raises(InputError, match="rename one"):  # as every notebook that trains begins
        run.select_clips({"dataset": str(second)})
    assert len(run.select_clips({"dataset": str(second), "out": str(tmp_path / "elsewhere")})[0])
    first.unlink()  # a table that is gone claims nothing
    assert datasets.results_of(str(second)) == place


def test_own_clips_join_others_and_are_tested_on(
    mine: pd.DataFrame, tiny_synthetic: Path, tmp_path: Path
) -> None:
    path = mine.attrs["folder"] / "mine.csv"
    copied = shutil.copytree(mine.attrs["folder"], tmp_path / "copied")  # the same frames are refused
    given = {"dataset": str(path), "selection": f"composite={copied / 'mine.xlsx'}"}
    both, _ = run.select_clips(run.check_parameters(given))
    assert datasets.origin(both) == "own-mine+own-mine-2"
    assert both["subject"].nunique() == 10
    clips = datasets.load(path).assign(emotion=synthetic.load(tiny_synthetic)["emotion"].to_numpy())
    pair = transfer.pair(synthetic.load(tiny_synthetic), clips)
    assert pair.name == "synthetic-to-own-mine"
    assert pair.titles == ("synthetic clips", "own clips (mine)")


def test_the_table_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```text\n(subject,.*?)```", page, flags=re.DOTALL)
    (tmp_path / "clips.csv").write_text(text)
    for line in text.splitlines()[1:]:
        write_frames(tmp_path / line.split(",")[5], range(1, 41))
    clips, report = datasets.inspect(tmp_path / "clips.csv")
    assert clips is not None
    others = report[~report["problem"].str.contains("no face")]  # the frames are plain grey
    assert set(others["severity"]) == {"note"}
    assert clips.index.tolist() == ["p1/smile_1", "p1/frown_1", "p2/smile_1", "p2/frown_1"]
    assert len(datasets.select(clips, min_class_size=1)[0]) == 4
    assert datasets.title(clips) == "own clips (clips)"
    told = page.partition("## Clips of your own")[2]
    assert not [column for column in (*NEEDED, "fps", "crop", "clip") if f"`{column}`" not in told]


# --- what may be wrong --------------------------------------------------------------------------------


def write_frames(folder: Path, numbers: range = range(1, 10)) -> None:
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / f"{number}.png").write_bytes(FRAME)


GOOD = {"subject": "a", "emotion": "frown", "onset": 1, "apex": 4, "offset": 9, "frames": "a/1"}


def test_missing_columns_are_told_together_with_what_they_hold() -> None:
    with pytest.raises(InputError) as caught:
        datasets.table(pd.DataFrame([{"Subject": "a", "apex": 3, "onset": 1, "Apex ": 4}]))
    told = str(caught.value)
    assert "\n" not in told
    for column in ("emotion (the class, any word)", "offset (number of", "frames (folder of"):
        assert column in told
    assert "more than one column apex" in told
    assert "its columns are: subject, apex, onset, apex." in told


def test_every_fault_of_every_row_is_told_at_once(tmp_path: Path) -> None:
    for name in ("a/1", "a/2", "a/3", "a/4", "a/5", "a/6", "a/7", "a/8", "a/9"):
        write_frames(tmp_path / name)
    (tmp_path / "a/9/09.png").write_bytes(FRAME)
    rows = [
        GOOD,
        {**GOOD, "frames": "a/2", "apex": "/", "offset": 8.5},
        {**GOOD, "frames": "a/3", "emotion": " ", "fps": "fast"},
        {**GOOD, "frames": "a/nowhere"},
        {**GOOD, "frames": "a/4", "crop": "mouth", "subject": "../up"},
        {**GOOD, "frames": "a/5", "apex": 9},
        {**GOOD, "frames": "a/6"},
        {**GOOD, "frames": "a/6"},
        {**GOOD, "frames": "", "subject": None},
        {**GOOD, "frames": "a/7", "synthetic": "perhaps"},
        {**GOOD, "frames": "a/8", "offset": 12},
        {**GOOD, "frames": "a/9"},
    ]
    given = pd.DataFrame(rows)
    clips = datasets.table(given.assign(synthetic=given["synthetic"].fillna(0)), tmp_path)
    problems = dict(enumerate(clips["problem"], 1))
    assert problems[1] == problems[6] == problems[11] == ""
    assert problems[2] == "apex '/' is not a whole number; offset '8.5' is not a whole number"
    assert problems[3] == "the emotion is blank; fps 'fast' is not a positive number"
    assert problems[4] == f"there is no folder {tmp_path.as_posix()}/a/nowhere"
    assert problems[5] == "the subject is no name of a file; crop 'mouth' is neither none, face nor aligned"
    assert problems[7] == problems[8] == "rows 7, 8 describe one clip"
    assert "the subject is blank" in problems[9]
    assert problems[9].endswith("; the folder of frames is blank")
    assert problems[10] == "synthetic 'perhaps' is neither true nor false"
    assert "two files for frame 9" in problems[12]
    assert clips.index.is_unique
    report = datasets.health(clips)
    assert not [text for text in filter(None, problems.values()) if text not in set(report["problem"])]
    kept, left_out = datasets.select(clips, min_class_size=1)
    assert kept.index.tolist() == ["a/1", "a/8"]
    assert left_out.loc["a/5", "reason"].startswith("apex 9 equals the offset")
    assert kept.loc["a/8", "missing_frames"] == 3


def test_clips_of_one_recording_may_share_its_folder(tmp_path: Path) -> None:
    write_frames(tmp_path / "long", range(1, 30))
    first = {**GOOD, "frames": "long", "clip": "a/first"}
    second = {**first, "clip": "a/second", "onset": 12, "apex": 15, "offset": 20}
    clips = datasets.table(pd.DataFrame([first, second]), tmp_path)
    assert set(datasets.health(clips.assign(crop="none"))["severity"]) == {"note"}
    assert len(datasets.select(clips, min_class_size=1)[0]) == 2
    overlapping = datasets.table(pd.DataFrame([first, {**second, "onset": 9}]), tmp_path)
    assert "is used by a/first, a/second" in datasets.health(overlapping)["problem"].str.cat()


def test_an_index_or_a_column_names_the_clips(tmp_path: Path) -> None:
    rows = pd.DataFrame([GOOD, {**GOOD, "subject": 2.0, "filename": "smile 2"}])
    assert datasets.table(rows, tmp_path).index.tolist() == ["a/1", "2/smile 2"]
    rows.index = pd.Index(["x", "y"], name="clip")
    assert datasets.table(rows, tmp_path).index.tolist() == ["x", "y"]


def sentence(path: Path, root: Path | None = None) -> str:
    with pytest.raises(InputError) as caught:
        datasets.load(path, root)
    told = str(caught.value)
    assert "\n" not in told
    assert told.endswith(".")
    assert not re.search(r"Error|Exception|openpyxl|pandas|Arrow", told)
    return told


def test_files_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    def written(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    header = b"subject,emotion,onset,apex,offset,frames\n"
    assert "There is no file" in sentence(tmp_path / "none.csv")
    assert "There is no file" in sentence(tmp_path / f"{'x' * 150}.xlsx")
    assert "is empty" in sentence(written("a.csv", b""))
    twice = b"subject,emotion,onset,apex,offset,frames,Emotion \na,frown,1,4,9,f,smile\n"
    assert "more than one column emotion" in sentence(written("a.csv", twice))
    assert "more than one column emotion" in sentence(
        written("a.csv", twice.replace(b"Emotion ", b"emotion"))
    )
    assert "each row must have as many cells" in sentence(written("b.csv", header + b"a,b,1,2,3,f,g,h\n"))
    assert "not text in UTF-8" in sentence(written("c.csv", header + "é".encode("latin-1")))
    assert "has no row" in sentence(written("d.csv", header))
    assert "no Excel workbook" in sentence(written("e.xlsx", b"PK\3\4 cut short\0"))
    assert "is plain text" in sentence(written("f.xlsx", header))
    assert "lacks the columns subject" in sentence(written("g.csv", b"clip\tpath\n1\t2\n"))
    good = written("h.csv", header.replace(b",", b";") + b"\na;frown;1;4;9;a/1\n")
    assert "does not exist: correct data_root" in sentence(good, tmp_path / "gone")
    assert datasets.load(good)["problem"].tolist() == [f"there is no folder {tmp_path.as_posix()}/a/1"]
    assert "give its file" in sentence(Path("own-mine"))


def test_people_who_may_be_one_are_told_or_are_one(tmp_path: Path) -> None:
    """Whoever is typed in two ways would be tested by a network that has trained on them."""
    write_frames(tmp_path / "f")
    row = {"emotion": "frown", "onset": 1, "apex": 4, "offset": 9, "frames": "f", "crop": "none"}
    people = ["s02", "S02", "2", "José", "Jose\u0301", "s01\u200b"]
    frame = pd.DataFrame([{"subject": name, "clip": f"c{n}", **row} for n, name in enumerate(people)])
    frame.to_csv(tmp_path / "mine.csv", index=False)
    clips = datasets.load(tmp_path / "mine.csv")
    assert clips["subject"].nunique() == 5  # José is one
    assert [note for note in clips.attrs["notes"] if "may be one person" in note] == [
        "these subjects may be one person, who would then be tested and train: 2, S02, s02"
    ]
    assert (clips["problem"] != "").sum() == 1
    assert "the subject holds a character that is not seen ('s01\\u200b')" in clips["problem"].iloc[5]


def test_parquet_without_its_reader_names_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mine: pd.DataFrame
) -> None:
    path = tmp_path / "mine.parquet"
    path.write_bytes(b"PAR1")

    def missing(_: Path) -> pd.DataFrame:
        raise ImportError

    monkeypatch.setattr(pd, "read_parquet", missing)
    told = sentence(path)
    assert "pip install pyarrow" in told
    assert "save the table as .csv or .xlsx" in told
    monkeypatch.setattr(pd, "read_parquet", lambda _: mine)
    assert len(datasets.load(path, mine.attrs["folder"])) == len(mine)
