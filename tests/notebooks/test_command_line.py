"""What `python -m dianet_utils` says when something is wrong: one line, what and where and what to do."""

import shutil
from pathlib import Path

import nbformat
import openpyxl
import pytest
from helpers import command

from dianet_utils import __main__
from dianet_utils.__main__ import changed, default_output, find_notebook, main
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import RESULTS


def test_notebooks_are_found_by_number_name_or_path() -> None:
    path = find_notebook("04")
    assert path.name == "04_loso.ipynb"
    assert find_notebook("04_loso.ipynb") == find_notebook("04_loso") == find_notebook(str(path)) == path
    with pytest.raises(InputError, match="did you mean '04_loso'"):
        find_notebook("04_losso.ipynb")


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

    monkeypatch.setattr(__main__, "_papermill", stopped)
    (tmp_path / "out.ipynb").write_text("yesterday's")
    assert main(["04", str(tmp_path / "out.ipynb")]) == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "out.ipynb": "yesterday's",
        "out.failed.ipynb": "half",
    }
    monkeypatch.setattr(__main__, "_papermill", lambda notebook, partial, _: partial.write_text("today's"))
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
