"""The network of docs/running.md under the protocol: here, in worker processes, on a cluster, from a cell."""

import linecache
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from distributed import LocalCluster
from own import example, write_example
from toy import make_bank

from dianet_utils import loso, run
from dianet_utils.config import Config, configure
from dianet_utils.dynamic_images import Bank
from dianet_utils.plumbing.errors import InputError

SMALL = {"image_size": 32, "epochs": 2, "batch_size": 8}


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank(subjects=4)


def predictions(bank: Bank, config: Config, out: Path, **given: object) -> bytes:
    given = {"workers": 1, "device": "cpu", "shown_progress": False, **given}
    return (loso.run(bank, config, out, **given).folder / "predictions.csv").read_bytes()


@pytest.mark.processes
def test_every_way_of_running_gives_the_same_bytes_also_after_the_file_has_gone(
    bank: Bank, tmp_path: Path
) -> None:
    """Workers run the source that was read, whatever has become of the file."""
    config = configure(model=write_example("MyNet", tmp_path), **SMALL)
    (tmp_path / "my_file.py").unlink()
    expected = predictions(bank, config, tmp_path / "here")
    assert predictions(bank, config, tmp_path / "processes", workers=2) == expected
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        assert predictions(bank, config, tmp_path / "cluster", scheduler=address) == expected


def test_it_learns_what_there_is_to_learn(bank: Bank, tmp_path: Path) -> None:
    config = configure(model=write_example("MyNet", tmp_path), **{**SMALL, "epochs": 8})
    results = loso.run(bank, config, tmp_path / "run", workers=1, device="cpu", shown_progress=False)
    assert results.metrics["accuracy"] > 0.8


def test_a_changed_source_is_another_run(bank: Bank, tmp_path: Path) -> None:
    mine = write_example("MyNet", tmp_path)
    before = loso.run_name(bank, configure(model=mine, **SMALL))
    (tmp_path / "my_file.py").write_text(example("MyNet") + "# changed\n", encoding="utf-8")
    after = loso.run_name(bank, configure(model=mine, **SMALL))
    assert before.rpartition("-")[0] == after.rpartition("-")[0] == "MyNet-own-own-onset+offset"
    assert before != after
    predictions(bank, configure(model=mine, **SMALL), tmp_path / "run", max_folds=1)
    (tmp_path / "my_file.py").write_text(example("MyNet"), encoding="utf-8")
    with pytest.raises(InputError, match="holds a run with other settings"):
        predictions(bank, configure(model=mine, **SMALL), tmp_path / "run", max_folds=1)


def test_a_parameter_and_a_class_name_the_same_network(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = write_example("MyNet", tmp_path, "bright_file.py")
    monkeypatch.syspath_prepend(tmp_path)
    from bright_file import MyNet

    config = run.config_of(run.check_parameters({"model": mine, **SMALL}))
    assert configure(model=MyNet, **SMALL) == config
    expected = predictions(bank, config, tmp_path / "named", max_folds=2)
    given = predictions(bank, configure(**SMALL), tmp_path / "given", max_folds=2, model=MyNet)
    assert given == expected


def typed(text: str, place: str) -> type:
    """The class that a notebook cell with this text defines, in a module without a file, as in a kernel."""
    module = ModuleType("cell_module")
    module.__dict__.update(nn=torch.nn, torch=torch)  # from cells before
    sys.modules["cell_module"] = module
    exec(compile(text, place, "exec"), module.__dict__)
    return module.MyNet


def test_a_class_of_a_notebook_cell_is_the_whole_cell(bank: Bank, tmp_path: Path) -> None:
    text, place = example("MyNet"), "<cell 1>"
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
    config = configure(model=typed(text, place), **SMALL)
    assert config == configure(model=write_example("MyNet", tmp_path), **SMALL)
    without = text.replace("from torch import nn\n", "")
    linecache.cache[place] = (len(without), None, without.splitlines(keepends=True), place)
    with pytest.raises(
        InputError, match=r"The cell of MyNet does not run on its own .*'nn' is not defined.*%%wri"
    ):
        predictions(bank, configure(model=typed(without, place), **SMALL), tmp_path / "run")


def test_a_class_without_a_source_says_to_write_a_file(bank: Bank) -> None:
    with pytest.raises(
        InputError, match=r"source of MyNet cannot be found: write it to a file .*%%writefile"
    ):
        configure(model=typed(example("MyNet"), "<stdin>"))

    class Local:
        pass

    with pytest.raises(InputError, match=r"no class '.*Local' at its top level"):
        configure(model=Local)


def test_a_file_that_starts_its_own_run_when_it_is_read_says_so(bank: Bank, tmp_path: Path) -> None:
    text = example("MyNet") + (
        "\nfrom dianet_utils import models\nfrom dianet_utils.config import configure\n"
        f"models.build_model(configure(model={str(tmp_path / 'my_file.py') + ':MyNet'!r}), 3)\n"
    )
    (tmp_path / "my_file.py").write_text(text, encoding="utf-8")
    config = configure(model=f"{tmp_path / 'my_file.py'}:MyNet", **SMALL)
    with pytest.raises(InputError, match=r"starts a run of its own class when it is read.*__main__"):
        predictions(bank, config, tmp_path / "run")
