"""What people type: `dianet`, or `python -m dianet_utils`, and its one line where something is wrong."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import openpyxl
import pandas as pd
import pytest
from helpers import ROOT, command

import dianet_utils
from dianet_utils import run
from dianet_utils.command import chapters, execution
from dianet_utils.command.chapters import find_notebook
from dianet_utils.command.execution import default_output
from dianet_utils.command.given import changed, read_parameters
from dianet_utils.command.kept_runs import other_settings
from dianet_utils.command.line import main
from dianet_utils.config import configure
from dianet_utils.config.checks import Choice, Number, Whole, Wholes
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS, write_json


def test_notebooks_are_found_by_number_name_or_path() -> None:
    path = find_notebook("04")
    assert path.name == "04_loso.ipynb"
    assert find_notebook("4") == path
    assert find_notebook("04_loso.ipynb") == find_notebook("04_loso") == find_notebook(str(path)) == path
    with pytest.raises(InputError, match="did you mean '04_loso'"):
        find_notebook("04_losso.ipynb")


def told(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints that does nothing else."""
    assert main(words) == 0
    return capsys.readouterr().out


def test_alone_it_lists_every_notebook_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys=capsys).splitlines()
    files = sorted(path.stem for path in chapters.NOTEBOOKS.glob("[0-9]*.ipynb"))
    assert [line[:2] for line in lines[: len(files)]] == [name[:2] for name in files]
    assert lines[3].startswith("04  Leave one subject out: from clips to a result - draw the ")


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert not done.value.code
    assert capsys.readouterr().out == f"dianet {dianet_utils.__version__}\n"


def test_help_of_a_notebook_tells_value_comment_range_and_what_the_paper_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = told("04", "--help", capsys=capsys)
    wanted = """
  epochs = None  # at most; all of them where nobody validates
      a whole number from 1 to 10000
      printed in the paper: 50
"""
    assert wanted in shown
    cell = nbformat.read(find_notebook("04"), as_version=4).cells[1].source
    names = [line.split(":")[0] for line in cell.splitlines()]
    assert [
        line.split()[0] for line in shown.splitlines() if line.startswith("  ") and line[2] != " "
    ] == names


def test_what_a_check_takes_is_told_in_its_own_words() -> None:
    assert chapters.allowed(Choice("a", "b")) == "one of a, b"
    assert chapters.allowed(Whole(1, 3)) == "a whole number from 1 to 3"
    assert chapters.allowed(Number(0, 1)) == "a number from 0 to 1"
    assert chapters.allowed(Wholes(0, 9)) == "different whole numbers from 0 to 9, with commas between"


def test_parameters_come_from_files_texts_and_lists(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("epochs: 3\ndataset: mmew\nflip: true\n")
    notebook, given = find_notebook("04"), {"files": [str(tmp_path / "p.yaml")]}
    with pytest.raises(InputError, match="no parameter 'flip'"):
        read_parameters(notebook, **given)
    (tmp_path / "p.yaml").write_text("epochs: 3\ndataset: mmew\n")
    given |= {"texts": ["{epochs: 4, batch_size: 8}"], "typed": [["seeds", "[0,1]"], ["batch_size", "16"]]}
    wanted = {"epochs": 4, "dataset": "mmew", "batch_size": 16, "seeds": [0, 1]}
    assert read_parameters(notebook, **given) == wanted
    for wrong in ({"files": ["no/such.yaml"]}, {"texts": ["[1, 2]"]}, {"texts": ["{"]}):
        with pytest.raises(InputError):
            read_parameters(notebook, **wrong)


def test_without_notebooks_it_says_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chapters, "NOTEBOOKS", tmp_path / "notebooks")
    for words in ([], ["04"]):
        assert main(words) == 2
        assert "in a clone of the repository" in capsys.readouterr().err


def kept(place: Path, predicted: str, clips: str = "abcdef", **settings: object) -> Path:
    """A run folder as a run leaves it: clip ``x`` of subject ``x``, truly ``x`` in upper case."""
    rows = {"clip": list(clips), "subject": list(clips), "seed": 0, "true": list(clips.upper())}
    place.mkdir(parents=True)
    pd.DataFrame(rows).assign(predicted=list(predicted)).to_csv(place / "predictions.csv", index=False)
    write_json(place / "config.json", {"config": configure(**settings).as_json()})
    for name in clips:
        write_json(place / "folds" / f"seed0-{name}.json", {})
    return place


def test_list_tells_folds_scores_and_what_differs_from_the_defaults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(tmp_path / "one", "ABCDEF")
    write_json(tmp_path / "one" / "metrics.json", {"uf1": 0.5, "uar": 0.25, "accuracy": 2 / 3})
    kept(tmp_path / "two", "ABC", "abc", model="learnet", epochs=7, apex_jitter=2)
    lines = [line.strip() for line in told("list", str(tmp_path), capsys=capsys).splitlines()]
    one, two = (tmp_path / name for name in ("one", "two"))
    assert lines[:3] == [one.as_posix(), "6 folds", "UF1 0.500, UAR 0.250, accuracy 0.667"]
    assert lines[3:] == [two.as_posix(), "3 folds", "no scores yet", "model=learnet, epochs=7, apex_jitter=2"]
    assert main(["list", str(tmp_path / "nothing")]) == 2
    assert other_settings(configure("casme2", inputs="offset").as_json()) == "inputs=offset"


def test_list_passes_over_what_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(tmp_path / "one", "ABCDEF")
    write_json(tmp_path / "one" / "metrics.json", {"uf1": "much"})
    for name, content in {"two": "// no JSON", "three": '{"config": {"x": 1}}', "four": "[]"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(content)
    kept(tmp_path / "five", "ABCDEF")
    (tmp_path / "five" / "metrics.json").write_text("{")
    assert main(["list", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert shown.out.count("its metrics.json holds no scores") == 2
    assert [name in shown.out for name in ("one", "two", "three", "four")] == [True, False, False, False]
    assert "two/config.json is no JSON and is passed over" in shown.err


@pytest.mark.parametrize(
    "words",
    [["list", "{}"], ["compare", "{}", "{}"], ["push", "{}"], ["04", "-p", "out", "x/{}"]],
)
def test_a_name_that_is_too_long_for_any_disk_is_a_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format("a" * 300) for word in words]) == 2
    told = capsys.readouterr().err
    assert "longer than a name can be" in told or "at most 255 bytes" in told
    assert len(told.splitlines()) == 1
    assert len(told) < 250


def test_a_map_of_settings_counts_and_a_nest_without_end_is_refused() -> None:
    assert run.check_parameters({"settings": {"dropout": 0.7}}) == {"dropout": 0.7}
    with pytest.raises(InputError, match="foo"):
        run.check_parameters({"settings": {"foo": 1}})
    with pytest.raises(InputError, match="is no YAML"):
        read_parameters(find_notebook("04"), texts=["a: " + "[" * 3000])
    with pytest.raises(InputError, match=r"-y .* gives epochs twice"):
        read_parameters(find_notebook("04"), texts=["epochs: 3\nepochs: 4"])


def test_a_reader_that_has_seen_enough_ends_it_without_a_word(tmp_path: Path) -> None:
    """As ``| head`` does: its end of the pipe is closed before anything is written."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"config": {"dataset": "synthetic"}}', "utf-8")
    ours, theirs = os.pipe()
    os.close(ours)
    words = [sys.executable, "-m", "dianet_utils", "list", str(tmp_path)]
    done = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, "")


def test_compare_pairs_the_clips_that_both_predicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = kept(tmp_path / "right", "ABCDEFG", "abcdefg")
    wrong = kept(tmp_path / "wrong", "XXXXXXH", "abcdefh")
    shown = told("compare", str(right), str(wrong), capsys=capsys)
    assert "both predicted 6 clips of 6 subjects (seeds 0)" in shown
    assert "A minus B: +100.0 points" in shown
    assert f"p, exact: {2 / 2**6:.3g} (signs of subjects), {2 / 2**6:.3g} (McNemar, clips)" in shown
    other = kept(tmp_path / "other", "XYZ", "xyz")
    for words in ([str(right), str(other)], [str(right)], [str(right), str(tmp_path / "none")]):
        assert main(["compare", *words]) == 2


def test_output_goes_under_results_by_dataset() -> None:
    assert default_output(Path("04_loso.ipynb"), {"dataset": "mmew"}) == RESULTS / "mmew" / "04_loso.ipynb"
    pair = {"train_dataset": "casme2", "test_dataset": "samm"}
    transfer = default_output(Path("13_transfer.ipynb"), pair)
    assert transfer == RESULTS / "transfer" / "casme2-to-samm" / "13_transfer.ipynb"


def test_settings_are_part_of_the_name_of_the_output() -> None:
    notebook, usual = find_notebook("04"), {"dataset": "synthetic", "seeds": 0, "workers": 2, "out": "x"}
    assert default_output(notebook, changed(notebook, usual)).name == "04_loso.ipynb"
    other = default_output(notebook, changed(notebook, {**usual, "fusion": "simple", "epochs": 3}))
    assert other == RESULTS / "synthetic" / "04_loso-epochs=3-fusion=simple.ipynb"
    first, second = (default_output(notebook, {"model": f"a/{name}.py:Net"}).name for name in "mn")
    assert first != second
    assert "/" not in first + second


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_run_that_is_stopped_leaves_the_executed_notebook_as_it_was(
    stop: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(notebook: Path, partial: Path, parameters: dict) -> None:
        partial.write_text("half")
        raise stop

    monkeypatch.setattr(execution, "_papermill", stopped)
    (tmp_path / "out.ipynb").write_text("yesterday's")
    assert main(["04", str(tmp_path / "out.ipynb")]) == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "out.ipynb": "yesterday's",
        "out.failed.ipynb": "half",
    }
    monkeypatch.setattr(execution, "_papermill", lambda notebook, partial, _: partial.write_text("today's"))
    assert main(["04", str(tmp_path / "out.ipynb")]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"out.ipynb": "today's"}


def test_a_file_that_is_no_notebook_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (b"no notebook", b"[]", b"{}", bytes(range(256))):
        (tmp_path / "x.ipynb").write_bytes(content)
        assert main([str(tmp_path / "x.ipynb"), str(tmp_path / "out.ipynb")]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "x.ipynb is no notebook" in told


def test_a_notebook_whose_process_is_killed_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cell = nbformat.v4.new_code_cell("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "x.ipynb")
    assert main([str(tmp_path / "x.ipynb"), str(tmp_path / "out.ipynb")]) == 1
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert "want of memory" in told[0]
    assert not (tmp_path / "out.ipynb").exists()


def test_unknown_parameters_are_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["04", "-p", "epoch", "3", "-p", "datasett", "mmew"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "'epoch' (did you mean 'epochs'?)" in told
    assert "'datasett' (did you mean 'dataset'?)" in told


def broken_copy(official: dict[str, Path], folder: Path) -> dict[str, list[str]]:
    """Copies of MMEW's layout with one fault each: a frame cut short, a sheet without a column."""
    shutil.copytree(official["mmew"], folder / "frame")
    frame = max((folder / "frame").rglob("2.jpg"))
    frame.write_bytes(frame.read_bytes()[:200])
    shutil.copytree(official["mmew"], folder / "sheet")
    path = next((folder / "sheet").glob("*.xlsx"))
    book = openpyxl.load_workbook(path)
    header = next(cell for cell in book.active[1] if cell.value == "ApexFrame")
    header.value = "Peak"
    book.save(path)
    return {
        fault: ["-p", "dataset", "mmew", "-p", "data_root", str(folder / fault)]
        for fault in ("frame", "sheet")
    }


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["-p", "dataset", "mmev"], 2, "did you mean 'mmew'?"),
        (["-p", "dataset", "samm"], 2, "samm is licensed and needs data_root"),
        (
            ["-p", "dataset", "samm", "-p", "data_root", "no/such/folder"],
            1,
            "SAMM, no/such/folder, does not exist",
        ),
        ("frame", 1, "2.jpg is damaged or no image: restore it from the release"),
        ("sheet", 1, "lacks the columns ApexFrame"),
    ],
    ids=["wrong dataset", "no data_root", "wrong data_root", "damaged frame", "column missing"],
)
def test_a_run_that_fails_ends_with_one_line(
    arguments: list[str] | str, status: int, expected: str, official: dict[str, Path], tmp_path: Path
) -> None:
    if isinstance(arguments, str):
        arguments = [*broken_copy(official, tmp_path)[arguments], "-p", "image_size", "32"]
    (tmp_path / "out.ipynb").write_text("yesterday's")
    done = command("dianet_utils", "04", str(tmp_path / "out.ipynb"), *arguments)
    assert done.returncode == status
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert expected in lines[0]
    assert "Traceback" not in done.stderr + done.stdout
    assert (tmp_path / "out.ipynb").read_text() == "yesterday's"
    assert (tmp_path / "out.failed.ipynb").is_file() == (status == 1)
    assert not list(tmp_path.glob(".*"))


STOPPED = """
import runpy, sys

wanted = sys.argv[1]

class Stop:
    def find_spec(self, name, *rest):
        if name == wanted:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Stop())
sys.argv[1:] = ["04"]
runpy.run_module("dianet_utils", run_name="__main__")
"""


@pytest.mark.parametrize("loading", ["dianet_utils.command.line", "papermill"])
def test_ctrl_c_while_packages_are_loaded_is_one_line(loading: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, loading], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: stopped before the notebook began."]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("clips.csv", "does not end in .ipynb"),
        (".", "does not end in .ipynb"),
        ("/dev/null", "does not end in .ipynb"),
        ("link.ipynb", "is a link"),
        ("folder.ipynb", "is a link, a folder or a device"),
        ("mine.ipynb", "is the notebook itself"),
        ("x" * 250 + ".ipynb", "is longer than"),
    ],
)
def test_an_executed_notebook_takes_the_place_of_nothing_else(
    output: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(find_notebook("03"), "mine.ipynb")
    Path("clips.csv").write_text("clip,subject\n")
    Path("folder.ipynb").mkdir()
    Path("link.ipynb").symlink_to("elsewhere.ipynb")
    with pytest.raises(InputError, match=re.escape(reason)):
        execution.check_output(Path(output), Path("mine.ipynb"))
    execution.check_output(Path("new.ipynb"), Path("mine.ipynb"))


def test_a_path_that_leads_nowhere_is_not_another_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (f"{tmp_path}/04_loso.ipynb", "a" * 5000):
        with pytest.raises(InputError, match="There is no notebook"):
            find_notebook(name)
    monkeypatch.chdir(tmp_path)
    assert find_notebook("notebooks/04_loso.ipynb") == find_notebook("4")


def test_settings_that_are_no_mapping_are_not_dropped() -> None:
    for given in (["epochs=3"], {3}, b"epochs=3"):
        with pytest.raises(InputError, match="parameter settings"):
            run.check_parameters({"settings": given})
    with pytest.raises(InputError, match="there is no"):
        run.check_parameters({"settings": {1: 2}})


def test_a_zero_has_no_sign() -> None:
    assert configure(dropout=-0.0).digest() == configure(dropout=0).digest()
