"""Where folds run changes nothing: worker processes, a Dask cluster, and workers that are killed."""

import contextlib
import gc
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import dask
import numpy as np
import psutil
import pytest
from distributed import Client, LocalCluster
from toy import make_bank, small_config

from dianet_utils import loso
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import dask_cluster, one_fold, worker_processes
from dianet_utils.plumbing import locks
from dianet_utils.plumbing.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
needs_sigkill = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank()


def predictions(bank: Bank, out: Path, **where: object) -> bytes:
    done = loso.run(bank, small_config(), out, device="cpu", shown_progress=False, **where)
    return (done.folder / "predictions.csv").read_bytes()


@pytest.fixture(scope="module")
def expected(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What one process gives."""
    return predictions(bank, tmp_path_factory.mktemp("here"), workers=1)


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """Two Dask workers, each a process of its own; gone before the next test looks for processes."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield cluster


@pytest.mark.processes
def test_a_dask_cluster_gives_the_same_bytes(
    bank: Bank, expected: bytes, cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predictions(bank, tmp_path, scheduler=cluster.scheduler_address) == expected
    told = capsys.readouterr().out
    assert "Dask: 2 workers" in told
    assert cluster.dashboard_link.rsplit(":", 1)[1] in told


@needs_sigkill
@pytest.mark.processes
def test_a_dask_worker_killed_in_mid_run_changes_nothing(
    bank: Bank, expected: bytes, cluster: LocalCluster, tmp_path: Path
) -> None:
    pid = next(iter(cluster.workers.values())).pid

    def kill_after_the_first_fold() -> None:
        while not list(tmp_path.glob("folds/*.json")):
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_after_the_first_fold, daemon=True)
    killer.start()
    assert predictions(bank, tmp_path, scheduler=cluster.scheduler_address) == expected
    killer.join()
    assert pid not in [nanny.pid for nanny in cluster.workers.values()]


@needs_sigkill
@pytest.mark.processes
def test_a_worker_process_that_is_killed_costs_its_fold_only(
    bank: Bank, expected: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def kill_one() -> None:
        while True:
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):  # a process that ended before it was looked at
                    if "spawn_main" in " ".join(child.cmdline()):
                        return child.kill()
            time.sleep(0.01)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    assert predictions(bank, tmp_path, workers=2) == expected
    killer.join()
    assert capsys.readouterr().out.count("was lost; the fold runs again") == 1


def images_of_worker() -> tuple[str, float, bool]:
    images = worker_processes._worker["bank"].images
    return type(images).__name__, float(images.sum()), images.flags.writeable


def test_workers_map_one_copy_of_the_images(bank: Bank) -> None:
    with worker_processes.starting(bank, small_config(), "cpu", get_context("spawn").Event()) as start:
        found = start().pool.submit(images_of_worker).result()
    assert found == ("memmap", float(bank.images.sum()), True)


def test_workers_map_the_file_of_the_cached_bank(bank: Bank, tmp_path: Path) -> None:
    np.save(tmp_path / "kept.npy", bank.images)
    mapped = np.load(tmp_path / "kept.npy", mmap_mode="c")
    with worker_processes._images_file(mapped) as path:
        assert path == tmp_path / "kept.npy"
    for other in (mapped[1:], mapped[::-1], np.array(mapped)):  # not what the file holds
        with worker_processes._images_file(other) as path:
            assert path.parent != tmp_path
            assert (np.load(path) == other).all()


HOLDER = """
import sys, time
from dianet_utils.plumbing import locks
with locks.scratch("images.npy") as path:
    path.write_bytes(bytes(1000))
    print(path, flush=True)
    time.sleep(60)
"""


@needs_sigkill
def test_what_killed_processes_left_in_the_temporary_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "dianet-mine").mkdir()
    (tmp_path / "dianet-mine" / "notes.txt").write_text("the user's own")
    os.utime(tmp_path / "dianet-mine", (0, 0))
    given = {"env": {**os.environ, "TMPDIR": str(tmp_path)}, "stdout": subprocess.PIPE, "text": True}
    holders = [subprocess.Popen([sys.executable, "-c", HOLDER], **given) for _ in range(2)]
    killed, alive = (Path(holder.stdout.readline().strip()) for holder in holders)
    assert killed.parent.parent == tmp_path
    holders[0].kill()
    holders[0].wait()
    with locks.scratch("images.npy"):
        assert not killed.parent.exists()
        assert alive.exists()
    holders[1].kill()
    holders[1].wait()
    assert (tmp_path / "dianet-mine" / "notes.txt").exists()


INTERRUPTED = """
import signal, sys
sys.path.insert(0, "tests")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from toy import make_bank, small_config
from dianet_utils import loso
if __name__ == "__main__":
    try:
        loso.run(make_bank(), small_config(epochs=2000), sys.argv[1], device="cpu", workers=2)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
"""


def command_of(process: psutil.Process) -> str:
    """How a process was started; "" of one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@needs_sigkill
@pytest.mark.processes
@pytest.mark.parametrize("working", [False, True])
def test_an_interrupt_ends_workers_without_a_word(working: bool, tmp_path: Path) -> None:
    """Ctrl-C reaches all processes of a terminal: while workers start, and while they train."""
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, str(script), str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    run = psutil.Popen(command, start_new_session=True, **given)
    while len(children := [one for one in run.children() if "spawn_main" in command_of(one)]) < 2:
        time.sleep(0.02)
    while working and min(child.memory_info().rss for child in children) < 250e6:  # torch is loaded
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGINT)
    try:
        _, told = run.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    assert told.splitlines() == ["stopped"]
    assert not any(child.is_running() for child in children)


def documented(first: str) -> str:
    """The lines of a page's block of commands that begins so."""
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    (block,) = (each for each in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if each.startswith(first))
    return block


@needs_sigkill
@pytest.mark.processes
@pytest.mark.parametrize("first", ["dask scheduler --host 127.0.0.1", "openssl req"])
def test_the_cluster_of_the_page_trains(
    first: str, bank: Bank, expected: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands as they stand, on a free port of this machine; with keys, nobody else can connect."""
    if first.startswith("openssl") and not shutil.which("openssl"):
        pytest.skip("openssl")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    block = ("\n" + documented(first)).replace("8786", port).replace("HOST", "127.0.0.1")
    block = block.replace("\ndask ", f"\n{sys.executable} -m dask ").replace("--nworkers 8", "--nworkers 2")
    lines = block.splitlines()
    start = next(place for place, line in enumerate(lines) if " scheduler " in line)
    background = [re.sub(r" *(#.*)?$", " --no-dashboard &", line) for line in lines[start : start + 2]]
    background[1] = background[1].replace("--no-dashboard", "--no-dashboard --local-directory .")
    script = "\n".join([*lines[:start], *background, "env | grep DASK_DISTRIBUTED__COMM; echo ready", "wait"])
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    shell = subprocess.Popen(["bash", "-c", script], cwd=tmp_path, start_new_session=True, **given)
    try:
        named = dict(line.strip().split("=", 1) for line in iter(shell.stdout.readline, "ready\n"))
        protocol = "tls" if named else "tcp"
        told = dask.config.merge(dask.config.config, dask.config.collect_env(named))
        with dask.config.set(told):
            for _ in range(60):
                with contextlib.suppress(InputError):
                    dask_cluster._check_answers(f"{protocol}://127.0.0.1:{port}")
                    break
                time.sleep(0.5)
            assert predictions(bank, tmp_path / "run", scheduler=f"{protocol}://127.0.0.1:{port}") == expected
        if named:
            with pytest.raises(InputError, match="No Dask scheduler answers"):
                dask_cluster._check_answers(f"tls://127.0.0.1:{port}")
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def test_a_fold_that_loses_every_worker_is_an_error_that_names_it(bank: Bank) -> None:
    fold = loso.make_folds(bank.clips, "held_out", seed=0)[1]
    lost: Counter[str] = Counter()
    for _ in range(one_fold.RETRIES):
        worker_processes._count_loss(lost, fold, True)
    with pytest.raises(InputError, match=r"subject s02 \(seed 0\) lost one worker after another"):
        worker_processes._count_loss(lost, fold, True)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9", "no address"])
def test_a_scheduler_that_does_not_answer_is_a_clear_error(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(dask_cluster, "_CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match="No Dask scheduler answers"):
        loso.run(bank, small_config(), tmp_path, device="cpu", scheduler=address)


def test_a_port_that_accepts_and_never_answers_is_told_in_time(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no client is left behind, whose end could hold up the next one."""

    def clients() -> int:
        return sum(isinstance(each, Client) for each in gc.get_objects())

    before = clients()
    monkeypatch.setattr(dask_cluster, "_CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match="No Dask scheduler answers"):
            loso.run(bank, small_config(), tmp_path, device="cpu", scheduler=address)
    assert clients() <= before


def test_a_scheduler_without_workers_is_told_and_given_up(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dask_cluster, "_WORKER_SECONDS", 1)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None) as empty,
        pytest.raises(InputError, match=r"has no workers: start some with 'dask worker"),
    ):
        loso.run(bank, small_config(), tmp_path, device="cpu", scheduler=empty.scheduler_address)
    assert "no workers at" in capsys.readouterr().out
