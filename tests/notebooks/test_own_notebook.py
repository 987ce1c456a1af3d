"""A network of the reader's own through papermill, its folds in two worker processes."""

import json
from pathlib import Path

from helpers import ROOT, command
from own import write_example


def test_loso_of_a_network_of_ones_own_through_papermill(tiny_synthetic: Path, tmp_path: Path) -> None:
    given = {"image_size": 32, "epochs": 2, "batch_size": 8, "workers": 2, "device": "cpu"}
    given |= {"data_root": tiny_synthetic, "out": tmp_path / "run", "model": write_example("MyNet", tmp_path)}
    pairs = [text for name, value in given.items() for text in ("-p", name, str(value))]
    notebook, executed = ROOT / "notebooks" / "04_loso.ipynb", tmp_path / "executed.ipynb"
    done = command("papermill", str(notebook), str(executed), "--no-progress-bar", *pairs)
    assert done.returncode == 0, done.stderr[-4000:]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["folds"] == 5
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["model"].startswith("MyNet@")
    assert (tmp_path / "run" / "model" / "own_code.py").read_text() == (tmp_path / "my_file.py").read_text()
