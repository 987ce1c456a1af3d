"""Every benchmark runs at a tiny size; what it measures is not asked here, times are no test."""

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from benchmarks import material, operations, programme, report, startup, textbook
from benchmarks.measure import Contender, Cost, Scale, interleaved, ratio
from dianet_utils.dynamic_images import build_bank
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.files import ROOT

TINY = Scale(
    rounds=1,
    clips=2,
    lengths=(16,),
    image_sizes=(32,),
    batch=4,
    steps=1,
    loaders=0,
    folds=(3,),
    epochs=1,
    backbone="test_efficientnet",
    apart=False,
)


@pytest.mark.parametrize("name", ["bank", "training", "programme"])
def test_a_benchmark_runs_and_is_written(name: str, tmp_path: Path) -> None:
    result = importlib.import_module(f"benchmarks.{name}").run(TINY)
    report.write(result, TINY, tmp_path)
    costs = pd.read_csv(tmp_path / f"{name}.csv")
    assert (costs[["clock ms", "peak MB"]] > 0).all(axis=None)
    ratios = tmp_path / f"{name}_ratios.csv"
    assert ratios.exists() == (
        name != "programme" or machine.has_bfloat16("cpu")
    )  # its ratios are of the two
    assert not ratios.exists() or (pd.read_csv(ratios)["median"] > 0).all()
    assert f"# Benchmark: {name}" in (tmp_path / f"{name}.md").read_text()


def test_folds_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import folds

    monkeypatch.setattr(folds, "memory", lambda *given: [])  # starts processes, as two workers do
    monkeypatch.setattr(folds, "WORKERS", (1, 1))
    assert list(folds.run(TINY).costs.index) == ["3 folds, 1 at once"]


def test_the_shares_of_the_operations_sum_up() -> None:
    table = operations.profile(operations.settings(TINY)[operations.QUICK], 1)
    assert table["share, %"].sum() == pytest.approx(100)
    assert table["operation"].str.contains("convolution").any()
    assert "setting" in report.as_text(operations.run(TINY), TINY)


def test_the_hours_of_the_programme_follow_from_the_cost_of_one_clip() -> None:
    """CASME-II in 26 folds: 85 % of 240 clips times 25/26, 50 epochs."""
    costs = pd.DataFrame({"precision": "float32", "network": ["n"], "CPU ms": [100.0], "flops": [10**9]})
    table = programme._scaled(costs)
    trained = 26 * 50 * 0.85 * 240 * 25 / 26
    assert table.loc["n", "CASME-II, h"] == pytest.approx(trained * 0.1 / 3600 / 2)
    assert table.loc["n", "H100 floor, min"] > 3e9 * trained / 989e12 / 60


def test_every_published_row_is_in_the_programme_once() -> None:
    names = [name for name, _ in programme.networks(None)]
    assert len(names) == len(set(names)) == 6 + 3 + 1 + 3  # the default DIANet stands in all four tables


def test_the_code_to_the_first_figure_is_that_of_the_notebook() -> None:
    code = startup.first_figure()
    assert code.count("plots.draw_") == 1
    compile(code, "first figure", "exec")


@pytest.mark.parametrize("one", [textbook.dynamic_image, textbook.stacked_dynamic_image])
def test_the_plain_loops_give_what_the_package_gives(one: textbook.DynamicImage, tmp_path: Path) -> None:
    """Truncated instead of rounded and in OpenCV's order of colours, as tutorials have it."""
    clips = material.write_clips(tmp_path, 2, 16)
    phases = ("whole", "onset", "offset")
    ours = build_bank(clips, phases, 48, cache=tmp_path / "cache", shown=False).images
    plain = textbook.plain_bank(clips, phases, 48, one)[..., ::-1].transpose(0, 1, 4, 2, 3)
    assert np.abs(ours.astype(int) - plain).max() <= 1


def test_contenders_take_turns_after_one_round_that_does_not_count() -> None:
    order: list[str] = []
    costs = interleaved(
        {name: Contender(order.append, (name,)) for name in "ab"}, Scale(rounds=2, apart=False)
    )
    assert order == ["a", "b"] * 3
    assert [len(each) for each in costs.values()] == [2, 2]


def test_a_ratio_is_taken_round_by_round() -> None:
    seconds = {"slow": (2, 9, 6), "fast": (1, 3, 1)}
    costs = {name: [Cost(each, each, 1) for each in cpu] for name, cpu in seconds.items()}
    found = ratio(costs, "slow", "fast")
    assert (found["median"], found["least"], found["most"]) == (3, 2, 6)


ENDLESS = """
import os, sys, time
from benchmarks.measure import Contender, Scale, interleaved

def wait(place):
    open(place, "w").write(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    interleaved({"waits": Contender(wait, (sys.argv[1],))}, Scale(rounds=1))
"""


@pytest.mark.processes
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_contender_ends_with_a_measurement_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS, encoding="utf-8")
    place, where = tmp_path / "pid", {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "endless.py"), str(place)], env=where)
    while not (place.is_file() and place.read_text()):
        assert parent.poll() is None
        time.sleep(0.05)
    contender = psutil.Process(int(place.read_text()))
    parent.kill()
    parent.wait()
    assert contender.wait(timeout=60) is None  # psutil knows no status of a process that is not its child
