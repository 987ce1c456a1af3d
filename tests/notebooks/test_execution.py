"""Every notebook runs from its first cell to its last, and a broken one is noticed."""

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from helpers import NOTEBOOKS, ROOT, command, nbval, prepare, read
from papermill import inspect_notebook

from dianet_utils.command.given import read_parameters

TINY = {
    "image_size": 32,
    "epochs": 2,
    "batch_size": 8,
    "max_folds": 2,
    "workers": 1,
    "device": "cpu",
    "backbone": "test_efficientnet",
    "pretrained": "none",
    "null_subjects": 5,
}
# Two rows of each table are enough to see it work.
ROWS = {
    "05_table1_baselines": "geme,dianet",
    "06_table2_backbones": "test_efficientnet,test_resnet",
    "07_table3_fusion": "simple,cross_channel",
    "08_table4_phases": "whole,onset+offset",
    "10_open_readings": "lambda=10,apex=onset,pretrained",
}


def tiny_parameters(notebook: Path, **given: object) -> dict[str, object]:
    """Those of the tiny parameters that the notebook has."""
    given = {"rows": ROWS.get(notebook.stem), "seeds": "0", **given}
    known = inspect_notebook(str(notebook))
    return {name: value for name, value in {**TINY, **given}.items() if name in known}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_on_tiny_synthetic_data(notebook: Path, tiny_synthetic: Path, tmp_path: Path) -> None:
    roots = {"data_root": tiny_synthetic, "train_root": tiny_synthetic}
    parameters = tiny_parameters(notebook, **roots, out=tmp_path / "run")
    done = nbval(prepare(notebook, tmp_path, **parameters))
    assert done.returncode == 0, done.stdout[-6000:]


def test_a_broken_cell_makes_the_check_fail(tmp_path: Path) -> None:
    notebook = read(NOTEBOOKS[0])
    notebook.cells = [nbformat.v4.new_code_cell("1 + 1"), nbformat.v4.new_code_cell("1 / 0")]
    nbformat.write(notebook, tmp_path / "broken.ipynb")
    done = nbval(tmp_path / "broken.ipynb")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_leaky_table_says_so_in_the_name_of_every_file(tiny_synthetic: Path, tmp_path: Path) -> None:
    notebook = ROOT / "notebooks" / "08_table4_phases.ipynb"
    asked = {"rows": "onset", "max_folds": 1, "validation": "test_subject"}
    parameters = tiny_parameters(notebook, **asked, data_root=tiny_synthetic, out=tmp_path / "run")
    done = nbval(prepare(notebook, tmp_path, **parameters))
    assert done.returncode == 0, done.stdout[-6000:]
    written = [path.name for path in (tmp_path / "run" / "tables").iterdir()]
    assert len(written) == 8
    assert all(name.startswith("LEAKY-test_subject-kfold-5-32px-table4") for name in written)


@pytest.mark.parametrize("dataset", ["casme2", "samm", "mmew"])
def test_loso_through_papermill_on_an_official_layout(
    dataset: str, official: dict[str, Path], tmp_path: Path
) -> None:
    notebook = ROOT / "notebooks" / "04_loso.ipynb"
    parameters = tiny_parameters(notebook, dataset=dataset, data_root=official[dataset], out=tmp_path / "run")
    pairs = [text for name, value in parameters.items() for text in ("-p", name, str(value))]
    done = command("papermill", str(notebook), str(tmp_path / "executed.ipynb"), "--no-progress-bar", *pairs)
    assert done.returncode == 0, done.stderr[-4000:]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["dataset"] == dataset
    assert metrics["synthetic"] is True  # generated clips stay marked, whatever layout they lie in
    assert metrics["folds"] == 2
    config = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert (config["learning_rate"], config["optimiser"], config["scaling"]) == (1e-4, "adam", "minmax")
    assert (tmp_path / "run" / "figures" / "confusion.png").stat().st_size > 1000


LAYOUTS = [
    pytest.param(table, dataset, marks=() if number == place % 3 else pytest.mark.slow)
    for place, table in enumerate(name for name in ROWS if "_table" in name)
    for number, dataset in enumerate(("casme2", "samm", "mmew"))
]


@pytest.mark.parametrize(("table", "dataset"), LAYOUTS)
def test_a_table_through_papermill_on_an_official_layout(
    table: str, dataset: str, official: dict[str, Path], tmp_path: Path
) -> None:
    """One dataset a table in every run of the suite, all of them with ``pytest -m slow``."""
    notebook = ROOT / "notebooks" / f"{table}.ipynb"
    out = tmp_path / "run"
    given = {"dataset": dataset, "data_root": official[dataset], "out": out, "seeds": "0"}
    rows = ROWS[table].replace("geme", "learnet")  # whose genders no licensed dataset brings
    pairs = [
        text
        for name, value in tiny_parameters(notebook, **given, rows=rows).items()
        for text in ("-p", name, str(value))
    ]
    done = command("papermill", str(notebook), str(tmp_path / "executed.ipynb"), "--no-progress-bar", *pairs)
    assert done.returncode == 0, done.stderr[-4000:]
    (path,) = (out / "tables").glob("*px-table?.csv")
    table_rows = pd.read_csv(path, index_col="row")
    ran = table_rows.dropna(subset="accuracy")
    assert sorted(ran.index) == sorted(rows.split(","))
    assert ran["synthetic"].all()  # generated clips stay marked, whatever layout they lie in
    assert set(ran["folds"]) == {2}


def test_transfer_through_papermill_between_official_layouts(
    official: dict[str, Path], tmp_path: Path
) -> None:
    notebook = ROOT / "notebooks" / "13_transfer.ipynb"
    pair = {"train_dataset": "casme2", "test_dataset": "samm"}
    roots = {"train_root": official["casme2"], "test_root": official["samm"]}
    parameters = tiny_parameters(notebook, **pair, **roots, out=tmp_path / "run")
    pairs = [text for name, value in parameters.items() for text in ("-p", name, str(value))]
    done = command("papermill", str(notebook), str(tmp_path / "executed.ipynb"), "--no-progress-bar", *pairs)
    assert done.returncode == 0, done.stderr[-4000:]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (metrics["dataset"], metrics["synthetic"]) == ("casme2-to-samm", True)
    assert set(metrics["classes"]) == {"happiness", "others", "surprise"}
    left_out = (tmp_path / "run" / "left_out.csv").read_text()
    assert "class repression is not in synthetic clips in the layout of SAMM" in left_out
    assert (tmp_path / "run" / "figures" / "gap.png").stat().st_size > 1000


def test_parameters_of_a_notebook_are_typed_as_papermill_types_them() -> None:
    notebook = ROOT / "notebooks" / "04_loso.ipynb"
    typed = read_parameters(
        notebook, [["epochs", "3"], ["learning_rate", "1e-3"], ["out", "None"]], [["seeds", "7"]]
    )
    assert typed == {"epochs": 3, "learning_rate": 1e-3, "out": None, "seeds": "7"}
