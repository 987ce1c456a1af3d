"""Kills, two at once, disks that refuse, numbers that run away: nothing lost, nothing half written."""

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from toy import make_bank, small_config

from dianet_utils import loso, synthetic, tables
from dianet_utils.dynamic_images import Bank, build_bank, store
from dianet_utils.loso import fold_files, protocol, training
from dianet_utils.loso.folds import Fold
from dianet_utils.loso.training import train_fold
from dianet_utils.models import saved
from dianet_utils.plumbing import files, locks, machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.run import run_folder

TINY = synthetic.Settings(
    subjects=3, clips_per_emotion=1, emotions=("disgust", "surprise"), size=32, duration=(16, 18)
)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank()


def run(bank: Bank, out: Path, **given: object) -> loso.Results:
    return loso.run(
        bank, small_config(), out, **{"workers": 1, "device": "cpu", "shown_progress": False, **given}
    )


@pytest.fixture(scope="module")
def finished(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> loso.Results:
    """An undisturbed run in one process."""
    return run(bank, tmp_path_factory.mktemp("undisturbed"))


def copied(finished: loso.Results, out: Path) -> Path:
    return Path(shutil.copytree(finished.folder, out))


# --- locks -----------------------------------------------------------------------------------------

HOLD = """
import sys
from dianet_utils.plumbing import locks

with locks.alone(sys.argv[1]):
    print("held", flush=True)
    input()
"""


def process(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Another Python that runs ``code`` and talks by lines."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )


@contextlib.contextmanager
def killed_holder(folder: Path) -> Iterator[None]:
    """Another process holds the lock of ``folder`` as the block begins, and is killed while it runs."""
    holder = process(HOLD, folder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    threading.Timer(0.3, holder.send_signal, [signal.SIGKILL]).start()
    yield
    assert holder.wait() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_lock_waits_says_so_and_ends_with_a_killed_holder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with killed_holder(tmp_path), locks.alone(tmp_path) as held:
        assert held
    assert "Another process works in" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("name", ["picture.png", "figures/picture.png"])
def test_a_figure_waits_for_who_works_in_its_run_and_for_nobody_else(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = matplotlib.figure.Figure()
    with killed_holder(tmp_path / "run"):
        files.write_figure(tmp_path / "elsewhere" / name, picture)
        assert "Another process" not in capsys.readouterr().out
        path = files.write_figure(tmp_path / "run" / name, picture)
    assert "run: waiting until it ends." in capsys.readouterr().out
    assert path.read_bytes() == (tmp_path / "elsewhere" / name).read_bytes()
    assert not (tmp_path / "elsewhere" / locks.NAME).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_scores_that_are_gathered_anew_wait_too(
    bank: Bank, finished: loso.Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = copied(finished, tmp_path / "run")
    with killed_holder(out):
        assert loso.gather(out, bank).metrics == finished.metrics
    assert "waiting until it ends." in capsys.readouterr().out
    with pytest.raises(InputError, match="holds no finished fold"):
        loso.gather(tmp_path, bank)
    assert not (tmp_path / locks.NAME).exists()


KEEP = """
import sys
from pathlib import Path
from dianet_utils import datasets, run
from dianet_utils.config import configure
from dianet_utils.loso import training

train = training.train_model

def slow(*given):
    print("trains", flush=True)
    input()
    return train(*given)

training.train_model = slow
clips, _ = datasets.select(datasets.load("synthetic", sys.argv[1]))
config = configure("synthetic", image_size=32, epochs=1, batch_size=8)
run.keep_model(run.make_bank(clips, config, workers=1, shown=False), config, Path(sys.argv[2]), "cpu")
print("kept", flush=True)
"""


@pytest.mark.processes
def test_two_processes_that_keep_the_model_of_one_run_train_it_once(
    tiny_synthetic: Path, tmp_path: Path
) -> None:
    one = process(KEEP, tiny_synthetic, tmp_path)
    assert one.stdout is not None
    assert one.stdout.readline() == "trains\n"
    two = process(KEEP, tiny_synthetic, tmp_path)
    assert two.stdout is not None
    assert "waiting until it ends" in two.stdout.readline()
    assert one.communicate("\n")[0] == "kept\n"
    assert two.communicate()[0] == "kept\n"  # it has not trained
    assert saved.load(tmp_path / "model").about["subjects"] == 5
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(files.PARTIAL)]


def test_what_is_called_after_a_fold_may_write_into_the_run(bank: Bank, tmp_path: Path) -> None:
    """The run holds the lock of its folder meanwhile, and must not wait for itself."""
    picture, out = matplotlib.figure.Figure(), tmp_path / "run"
    drawn = []

    def draw(fold: dict) -> None:
        drawn.append(files.write_figure(out / "figures" / f"{fold['subject']}.png", picture))

    run(bank, out, max_folds=2, on_fold=draw)
    assert [path.name for path in drawn] == ["s01.png", "s02.png"]


def test_the_next_run_removes_what_a_killed_writer_left_of_a_figure_or_a_model(
    bank: Bank, finished: loso.Results, tmp_path: Path
) -> None:
    out = copied(finished, tmp_path / "run")
    left = [out / folder / f".x.png.1234{files.PARTIAL}" for folder in ("figures", "model", "folds")]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    run(bank, out)
    assert not [path for path in left if path.exists()]


def test_a_folder_that_takes_no_lock_is_said_once_and_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    for _ in range(2):
        with locks.alone(tmp_path / "file") as held:
            assert not held
    assert capsys.readouterr().out.count("file cannot be locked") == 1


def both(work: object) -> None:
    """Do the same in two threads at once; what one of them raises is raised."""
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=do) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def test_two_runs_on_one_folder_train_every_fold_once(
    bank: Bank,
    finished: loso.Results,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trained = []

    def counted(bank: Bank, fold: Fold, *rest: object) -> dict:
        trained.append(fold.subject)
        return train_fold(bank, fold, *rest)

    monkeypatch.setattr(training, "train_fold", counted)
    both(lambda: run(bank, tmp_path / "run"))
    assert sorted(trained) == ["s01", "s02", "s03", "s04", "s05"]
    assert (tmp_path / "run/predictions.csv").read_bytes() == (
        finished.folder / "predictions.csv"
    ).read_bytes()
    assert "waiting until it ends" in capsys.readouterr().out


def test_two_builds_of_one_bank_and_two_generations_do_the_work_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dianet_utils.dynamic_images import bank as room
    from dianet_utils.synthetic import writing

    rendered, made = [], []
    render, clip_images = writing.render_clip, room.clip_images
    monkeypatch.setattr(
        writing, "render_clip", lambda clip, *a: rendered.append(clip.clip) or render(clip, *a)
    )
    monkeypatch.setattr(room, "clip_images", lambda *a: made.append(a[0].clip.name) or clip_images(*a))
    both(lambda: synthetic.generate(TINY, tmp_path / "data", workers=1, shown=False))
    assert len(rendered) == len(set(rendered)) == 6
    clips = synthetic.load(tmp_path / "data")
    both(lambda: build_bank(clips, size=16, cache=tmp_path / "cache", workers=1, shown=False))
    assert len(made) == len(set(made)) == 6


UNGUARDED = {
    "generate": "from dianet_utils import synthetic\n"
    "small = dict(subjects=3, clips_per_emotion=1, size=32, duration=(16, 18))\n"
    "settings = synthetic.Settings(**small, emotions=('disgust', 'surprise'))\n"
    "synthetic.generate(settings, 'made', workers=2, shown=False)\n",
    "run": "from toy import make_bank, small_config\n"
    "from dianet_utils import loso\n"
    "loso.run(make_bank(), small_config(epochs=1), 'made', workers=2, device='cpu', max_folds=2)\n",
}


@pytest.mark.parametrize("call", ["generate", pytest.param("run", marks=pytest.mark.processes)])
def test_a_script_without_a_guard_ends_with_the_sentence(call: str, tmp_path: Path) -> None:
    """Its workers run the script anew and find the lock held by their own parent, who waits for them."""
    (tmp_path / "plain.py").write_text(UNGUARDED[call], encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "plain.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "call it below if __name__ == '__main__' or with workers=1." in last
    assert "InputError" in last
    assert done.stdout.count("lost") <= 1


# --- disks -----------------------------------------------------------------------------------------


def refuse(monkeypatch: pytest.MonkeyPatch, code: int, part: str) -> None:
    """From here on the disk refuses to put files whose path has ``part`` in it into their place."""
    replace = os.replace

    def refusing(source: object, target: object) -> None:
        if part in str(target):
            raise OSError(code, os.strerror(code))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refusing)


@pytest.mark.parametrize(
    ("code", "way_out"), [(28, "make room"), (30, "make that folder writable"), (5, "mend")]
)
def test_what_a_disk_refuses_is_one_sentence(code: int, way_out: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, code, "note")
        with pytest.raises(
            files.DiskError, match=rf"^Cannot write .*note.txt \(.*\): {way_out}.* is kept\.$"
        ):
            files.write_text(tmp_path / "note.txt", "text")
    assert not list(tmp_path.iterdir())


def test_what_can_be_made_again_goes_where_it_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIANET_CACHE", raising=False)
    monkeypatch.setattr(files, "DATA", tmp_path / "checkout" / "data")
    assert files.cache() == tmp_path / "checkout" / "data"
    closed = tmp_path  # a checkout that may only be read
    monkeypatch.setattr(os, "access", lambda place, _: not Path(place).is_relative_to(closed))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert not files.cache().is_relative_to(tmp_path / "checkout")
    assert "dianet" in files.cache().as_posix()
    monkeypatch.setenv("DIANET_CACHE", str(tmp_path / "mine"))
    clips = synthetic.load(synthetic.generate(TINY, tmp_path / "clips", workers=1, shown=False))
    build_bank(clips, size=16, shown=False)
    assert len(list((tmp_path / "mine" / "banks").glob("*.npy"))) == 1
    assert not (tmp_path / "checkout").exists()


def test_a_folder_of_another_run_says_in_what_it_differs(
    bank: Bank, finished: loso.Results, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    config = small_config(epochs=7, batch_size=5)
    said = r"other data \(batch_size: 8 there, 5 here; epochs: 2 there, 7 here\);"
    with pytest.raises(InputError, match=said):
        loso.run(bank, config, tmp_path / "run", device="cpu")
    other = dataclasses.replace(bank, images=bank.images / 2)
    with pytest.raises(InputError, match=r"other data \(other clips or images\);"):
        loso.run(other, small_config(), tmp_path / "run", device="cpu")


def test_a_full_disk_stops_a_run_and_keeps_what_is_done(
    bank: Bank, finished: loso.Results, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, 28, "s03")
        with pytest.raises(files.DiskError, match=r"s03.json"):
            run(bank, out)
    before = {path: path.stat().st_mtime_ns for path in (out / "folds").iterdir()}
    assert sorted(path.name for path in before) == ["seed0_s01.json", "seed0_s02.json"]
    run(bank, out)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (out / "predictions.csv").read_bytes() == (finished.folder / "predictions.csv").read_bytes()


def test_a_folder_that_cannot_be_written_is_one_sentence(bank: Bank, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(
            files.DiskError, match=r"^Cannot write .*file.*: mend that folder or choose another"
        ):
            run(bank, place)
    if sys.platform != "win32" and os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(files.DiskError, match="make that folder writable"):
            run(bank, tmp_path / "closed")


def test_a_full_disk_stops_generation_and_banks_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.mkdtemp", full)
        with pytest.raises(files.DiskError, match=r"^Cannot write .*clip01 \(.*\): make room on that disk"):
            synthetic.generate(TINY, tmp_path / "data", workers=1, shown=False)
    clips = synthetic.load(tmp_path / "data")
    with monkeypatch.context() as patch:
        refuse(patch, 28, "parts")
        with pytest.raises(files.DiskError) as caught:
            build_bank(clips, size=16, cache=tmp_path / "cache", shown=False)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache" / "parts").iterdir())


def test_banks_that_nothing_reads_go_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = synthetic.load(synthetic.generate(TINY, tmp_path / "data", workers=1, shown=False))
    cache = tmp_path / "cache"
    for size in (8, 16, 24):
        build_bank(clips, size=size, cache=cache, shown=False)
    (cache / "mine.npy").write_bytes(b"")
    old = [path for path in cache.iterdir() if path.is_file()]
    for path in old:
        os.utime(path, (1, 1))
    build_bank(clips, size=16, cache=cache, shown=False)  # read today, and so kept
    build_bank(clips, size=32, cache=cache, shown=False)
    shapes = sorted(np.load(path).shape[-1] for path in cache.glob("*.npy") if path.stat().st_size)
    assert shapes == [16, 32]
    assert (cache / "mine.npy").exists()
    assert f"2 cached banks, unread for {store.KEPT_DAYS} days, are removed" in capsys.readouterr().out


# --- folders of other people -------------------------------------------------------------------------


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["predictions.csv", "config.json", ".theirs.partial"])
def test_a_folder_of_something_else_is_refused_and_left_as_it_was(
    name: str, bank: Bank, tmp_path: Path
) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / name).write_text('{"theirs": 1}')
    before = listing(tmp_path)
    with pytest.raises(InputError, match=r"give (a new|another) folder"):
        run(bank, tmp_path)
    assert listing(tmp_path) == before


def test_a_table_goes_into_no_folder_of_something_else(
    bank: Bank, finished: loso.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert tables.folder_of("synthetic", "~/new") == tmp_path / "new"
    assert run_folder(bank, small_config(), "~/new") == tmp_path / "new"
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "first.ipynb").write_text("{}")
    assert tables.folder_of("synthetic", "~/new") == tmp_path / "new"
    (tmp_path / "new" / "thesis.tex").write_text("theirs")
    with pytest.raises(InputError, match=r"new holds something else \(thesis.tex\)"):
        tables.folder_of("synthetic", "~/new")
    copied(finished, tmp_path / "new" / "a run")
    assert tables.folder_of("synthetic", "~/new") == tmp_path / "new"


# --- damage ----------------------------------------------------------------------------------------


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**read(path), **values}))


FOREIGN = {
    "cut short": (lambda path: path.write_text(path.read_text()[:200]), "is damaged (no JSON)"),
    "bytes": (lambda path: path.write_bytes(bytes(range(256))), "is damaged (no JSON)"),
    "list": (lambda path: path.write_text("[1, 2]"), "is damaged (parts of a fold are missing)"),
    "no clips": (lambda path: change(path, clips=None), "is about other clips or other labels"),
    "another subject": (lambda path: change(path, subject="s02"), "is about subject s02 (seed 0)"),
    "a stranger": (
        lambda path: change(path, subject="s99"),
        "is about subject s99 (seed 0), not about whom its name says",
    ),
    "other classes": (lambda path: change(path, classes=["a", "b", "c"]), "knows the classes a, b, c"),
    "other labels": (lambda path: change(path, true=["disgust"] * 6), "is about other clips or other labels"),
    "NaN": (
        lambda path: change(path, probabilities=[[float("nan")] * 3] * 6),
        "has probabilities that do not add up to 1",
    ),
    "too few": (
        lambda path: change(path, probabilities=[[1.0, 0.0, 0.0]]),
        "has probabilities of the shape (1, 3)",
    ),
    "edited": (
        lambda path: change(path, probabilities=[[0.4, 0.3, 0.3]] * 6, predicted=["disgust"] * 6),
        "was changed after it was written",
    ),
    "reversed": (
        lambda path: change(
            path, **{name: read(path)[name][::-1] for name in ("predicted", "probabilities")}
        ),
        "was changed after it was written",
    ),
    "rounded too far": (
        lambda path: change(path, probabilities=[[0.3333, 0.3333, 0.3333]] * 6, digest=""),
        "has probabilities that do not add up to 1",
    ),
    "lacking": (
        lambda path: path.write_text(json.dumps({"subject": "s04", "seed": 0})),
        "is damaged (parts of a fold are missing: classes, clips, true, predicted, probabilities)",
    ),
    "contradiction": (lambda path: change(path, predicted=["x"] * 6), "predicts other classes"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_damaged_or_foreign_fold_is_named_and_never_mixed_in(
    case: str,
    bank: Bank,
    finished: loso.Results,
    tmp_path: Path,
) -> None:
    out = copied(finished, tmp_path / "run")
    spoil, words = FOREIGN[case]
    spoil(out / "folds" / "seed0_s04.json")
    with pytest.raises(InputError) as caught:
        loso.gather(out, bank)
    assert "folds/seed0_s04.json " + words.split(" (seed")[0] in str(caught.value)
    assert (out / "predictions.csv").read_bytes() == (finished.folder / "predictions.csv").read_bytes()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
@pytest.mark.parametrize("spoil", [pipe, folder, circle])
def test_a_fold_that_is_no_file_is_told_and_not_waited_for(
    spoil: Callable[[Path], None], bank: Bank, finished: loso.Results, tmp_path: Path
) -> None:
    out = copied(finished, tmp_path / "run")
    spoil(out / "folds" / "seed0_s04.json")
    code = "import sys; from pathlib import Path; from toy import make_bank; from dianet_utils import loso\n"
    code += "try: loso.gather(Path(sys.argv[1]), make_bank())\nexcept ValueError as error: print(error)"
    reader = process(code, out)
    told = reader.communicate(timeout=120)[0]
    assert "seed0_s04.json is a folder, a pipe or a broken link and no file." in told
    if spoil is not folder:  # in whose place a fold can be put
        assert run(bank, out).metrics["folds"] == 5


@pytest.mark.parametrize("text", ["[]", "null", "5", '"x"', '{"earlier": 5}'])
def test_a_record_of_an_environment_that_is_none_is_named(
    text: str, bank: Bank, finished: loso.Results, tmp_path: Path
) -> None:
    out = copied(finished, tmp_path / "run")
    (out / "folds" / "seed0_s04.json").unlink()
    (out / "environment.json").write_text(text)
    with pytest.raises(InputError, match=r"environment\.json is no record of an environment: remove it"):
        run(bank, out)


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"config": 5}'])
def test_scores_are_not_gathered_from_settings_that_are_none(
    text: str, bank: Bank, finished: loso.Results, tmp_path: Path
) -> None:
    out = copied(finished, tmp_path / "run")
    (out / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json holds no settings of a run"):
        loso.gather(out, bank)


def test_folds_without_a_digest_as_earlier_releases_wrote_them_still_count(
    bank: Bank, finished: loso.Results, tmp_path: Path
) -> None:
    out = copied(finished, tmp_path / "run")
    for path in (out / "folds").iterdir():
        path.write_text(json.dumps({name: value for name, value in read(path).items() if name != "digest"}))
    again = loso.gather(out, bank)
    assert (again.folder / "predictions.csv").read_bytes() == (
        finished.folder / "predictions.csv"
    ).read_bytes()


def test_a_fold_that_was_not_asked_for_stops_a_run_before_it_trains(
    bank: Bank,
    finished: loso.Results,
    tmp_path: Path,
) -> None:
    out = copied(finished, tmp_path / "run")
    (out / "folds" / "seed7_s99.json").write_text("{}")
    (out / "folds" / "seed0_s01.json").unlink()
    with pytest.raises(InputError, match=r"move them away\.\n.*seed7_s99.json is damaged"):
        run(bank, out)
    assert not (out / "folds" / "seed0_s01.json").exists()
    with pytest.raises(InputError, match="holds no finished fold"):
        loso.gather(tmp_path, bank)


def test_damaged_tables_of_a_generated_dataset_are_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also a table that names folders elsewhere: what was not generated is not read."""
    root = synthetic.generate(TINY, tmp_path / "data", workers=1, shown=False)
    whole = synthetic.load(root)
    for name, content in (
        ("clips.csv", (root / "clips.csv").read_text().replace("clip01", "../../../etc")),
        ("subjects.csv", ""),
        ("complete.json", "{"),
        ("truth.json", "[]"),
    ):
        (root / name).write_text(content)
        pd.testing.assert_frame_equal(synthetic.load(root), whole)
        assert f"{name} " in capsys.readouterr().out
    for content in (
        "{",
        "[]",
        '{"settings": []}',
        '{"settings": {"emotions": [[1]]}}',
        '{"settings": {"x": 1}}',
    ):
        (root / "dataset.json").write_text(content)
        with pytest.raises(InputError, match=r"dataset\.json|settings? "):
            synthetic.load(root)


# --- numbers that run away -------------------------------------------------------------------------


def spoiled(bank: Bank, rows: np.ndarray) -> Bank:
    images = bank.images.copy()
    images[rows] = np.nan
    return Bank(images=images, clips=bank.clips, phases=bank.phases, scaling=bank.scaling)


def test_a_loss_that_is_not_finite_ends_its_fold_alone(bank: Bank, tmp_path: Path) -> None:
    """A clip of s05 is spoilt: four folds train on it, and the fifth cannot predict it."""
    config = small_config(validation="none")
    broken = spoiled(bank, np.flatnonzero(bank.clips["subject"] == "s05")[:1])
    with pytest.raises(InputError) as caught:
        loso.run(broken, config, tmp_path, workers=1, device="cpu", shown_progress=False)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("5 of 5 folds failed, so this run has no scores")
    assert lines[1] == "The predictions of fold s05 (seed 0) are not finite for s05/disgust0."
    for line in lines[2:]:
        assert "is not finite in epoch 1, batch " in line
        assert "s05/disgust0" in line


def test_the_other_folds_run_on_and_are_kept(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sometimes(bank: Bank, fold: Fold, *rest: object) -> dict:
        bad = fold.subject == "s02"
        return train_fold(spoiled(bank, fold.train[:1]) if bad else bank, fold, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train_fold", sometimes)
        with pytest.raises(
            InputError, match=r"^1 of 5 folds failed.*\n.*fold s02 \(seed 0\) .* batch \d of \d"
        ):
            run(bank, tmp_path / "run")
    names = sorted(path.name for path in (tmp_path / "run" / "folds").iterdir())
    assert names == [f"seed0_s0{number}.json" for number in (1, 3, 4, 5)]
    assert not (tmp_path / "run" / "predictions.csv").exists()
    assert run(bank, tmp_path / "run").metrics["folds"] == 5


def test_the_validation_names_its_batch_too(bank: Bank) -> None:
    fold = loso.make_folds(bank.clips, "held_out", seed=0)[0]
    clip = bank.clips.index[fold.validation[-1]]
    with pytest.raises(
        FloatingPointError, match=rf"The validation loss .* epoch 1, batch 1 of 1 \(.*{clip}\)"
    ):
        train_fold(spoiled(bank, fold.validation[-1:]), fold, small_config())


# --- the same numbers ------------------------------------------------------------------------------


def test_any_order_and_any_number_of_pauses_give_the_same_bytes(
    bank: Bank,
    finished: loso.Results,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Folds one at a time from the last to the first, each in a run of its own that is stopped after it."""
    make_folds = loso.make_folds
    for last in range(5, 0, -1):
        monkeypatch.setattr(protocol, "make_folds", lambda *a, last=last: make_folds(*a)[last - 1 :][::-1])
        run(bank, tmp_path / "run")
    for name in ("predictions.csv", "metrics.json"):
        assert (tmp_path / "run" / name).read_bytes() == (finished.folder / name).read_bytes()


def test_every_environment_that_trained_a_fold_stays_on_record(
    bank: Bank,
    finished: loso.Results,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = copied(finished, tmp_path / "run")
    here = json.loads((out / "environment.json").read_text())
    assert {"versions", "torch_build", "processor", "cores", "threads_per_fold", "commit"} <= set(here)
    monkeypatch.setattr(machine, "environment", lambda *_: {"processor": "another"})
    run(bank, out)  # trains nothing, so it says nothing
    assert json.loads((out / "environment.json").read_text()) == here
    (out / "folds" / "seed0_s01.json").unlink()
    run(bank, out)
    now = json.loads((out / "environment.json").read_text())
    assert now == {"processor": "another", "earlier": [here]}


def test_names_of_fold_files_stay_inside_their_folder(tmp_path: Path) -> None:
    names = [
        "01",
        "S03",
        "../../x",
        "/etc/passwd",
        "a\0b",
        "..",
        "NUL",
        "x" * 3000,
        "日本",
        "a b",
        "c:\\d",
        "",
    ]
    paths = [fold_files.fold_path(tmp_path, 0, name) for name in names]
    assert len(set(paths)) == len(names)
    for path in paths:
        assert path.parent == tmp_path / "folds"
        assert path.resolve().parent == (tmp_path / "folds").resolve()
        files.write_json(path, {})
    assert paths[0].name == "seed0_01.json"
    assert paths[1].name == "seed0_S03.json"


def test_folds_without_settings_are_nobodys(tmp_path: Path) -> None:
    """Else another system would take them for its own."""
    bank, quiet = make_bank(), {"workers": 1, "device": "cpu", "shown_progress": False}
    loso.run(bank, small_config(), tmp_path, max_folds=1, **quiet)
    (tmp_path / "config.json").unlink()
    with pytest.raises(InputError, match=r"holds folds but no config\.json"):
        loso.run(bank, small_config(epochs=3), tmp_path, max_folds=1, **quiet)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_folds", -1),
        ("max_folds", 0),
        ("max_folds", "two"),
        ("seeds", ()),
        ("seeds", (0, 0)),
        ("seeds", [1.5]),
        ("seeds", None),
        ("workers", -1),
        ("workers", 1.5),
        ("device", "gpu"),
        ("device", None),
    ],
)
def test_what_is_run_and_where_is_checked(name: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"parameter {name} is .* but must be"):
        loso.run(make_bank(), small_config(), tmp_path / "run", **{name: value})
    assert not (tmp_path / "run").exists()
