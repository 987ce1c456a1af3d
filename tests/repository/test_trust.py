"""Nothing let in: no pickle, no name that leads outside, no listener, no network, no home folder told."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from toy import make_bank, small_config

from dianet_utils import loso
from dianet_utils.dynamic_images import Bank

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*ROOT.glob("dianet_utils/**/*.py"), *ROOT.glob("tools/*.py"), *ROOT.glob("tests/stress/*.py")]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {"os.system", "os.popen", "eval", "exec", "runpy.run_path"}
# The one place that runs a text: the file or class that the user named, see tests/config/test_own_code.py.
ALLOWED = {"own_code.py": ["exec"]}


def trees() -> list[tuple[str, ast.AST]]:
    """The syntax of every source file and of every notebook's code."""
    found = [(path.name, ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES]
    for path in NOTEBOOKS:
        cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        found.append((path.name, ast.parse("\n".join(cells))))
    return found


def name_of(call: ast.Call) -> str:
    """What is called, such as ``np.load``."""
    return ast.unparse(call.func)


def offences(tree: ast.AST) -> list[str]:
    """Everything in a file that could run code from data."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [getattr(node, "module", "") or "", *(alias.name for alias in node.names)]
            found += [name for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
        if not isinstance(node, ast.Call):
            continue
        called, given = name_of(node), {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called in FORBIDDEN_CALLS or called.split(".")[-1] in ("read_pickle", "to_pickle"):
            found.append(called)
        if called in ("torch.save", "torch.jit.load", "yaml.load"):
            found.append(called)
        if called == "torch.load" and given.get("weights_only") != "True":
            found.append(f"{called} without weights_only=True")
        if called in ("np.load", "numpy.load") and given.get("allow_pickle") != "False":
            found.append(f"{called} without allow_pickle=False")
        if called in ("np.save", "np.savez") and "object" in ast.unparse(node):
            found.append(f"{called} of objects")
        if given.get("shell") == "True" or given.get("allow_pickle") == "True":
            found.append(called)
    return found


def test_nothing_in_the_sources_can_run_code_from_data() -> None:
    assert {name: found for name, tree in trees() if (found := offences(tree))} == ALLOWED


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(p)",
        "torch.load(p, weights_only=False)",
        "np.load(p)",
        "np.load(p, allow_pickle=True)",
        "pd.read_pickle(p)",
        "eval(text)",
        "subprocess.run(x, shell=True)",
    ],
)
def test_the_search_finds_each_of_them(code: str) -> None:
    assert offences(ast.parse(code))


GUARDED = """
import json, os, socket, sys
allowed, out = sys.argv[1:]
events = {"pickle": [], "network": [], "listen": [], "write": []}
LOOPBACK = ("127.", "::1", "localhost", "/", b"\\0")

def guard(event, given):
    if event == "pickle.find_class":
        events["pickle"].append(str(given[:2]))
    elif event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "urllib.Request"):
        events["network"].append(f"{event} {given[1:]}")
    elif event == "socket.bind" and not str(given[1][0]).startswith(("127.", "::1", "localhost")):
        events["listen"].append(str(given[1]))
    elif event == "open" and isinstance(given[0], (str, bytes)):
        path, mode, flags = os.fsdecode(given[0]), given[1] or "", given[2] or 0
        writes = set(mode) & set("wax+") or (not mode and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if writes and path != os.devnull and not os.path.realpath(path).startswith(allowed):
            events["write"].append(path)

import torch  # libraries may do as they like while they load
import timm, sklearn.model_selection, sklearn.metrics, torch._dynamo
sys.addaudithook(guard)
from pathlib import Path
from dianet_utils import datasets, loso, run
from dianet_utils.plumbing import files
from dianet_utils import synthetic
files.DATA, files.RESULTS = Path(allowed, "data"), Path(allowed, "results")
settings = synthetic.Settings(
    subjects=5, clips_per_emotion=2, emotions=("disgust", "surprise"), size=32, duration=(16, 18)
)
root = synthetic.generate(settings, Path(allowed, "data", "set"), workers=1, shown=False)
kept, _ = datasets.select(datasets.load("synthetic", root))
config = run.config_of({"dataset": "synthetic", "image_size": 32, "epochs": 1})
bank = run.make_bank(kept, config, 1, shown=False)
folder = Path(allowed, "results", loso.run_name(bank, config))
loso.run(bank, config, folder, max_folds=1, workers=1, device="cpu")
Path(out).write_text(json.dumps(events))
"""


@pytest.mark.processes
def test_the_default_way_loads_no_pickle_and_touches_no_network_and_no_other_folder(tmp_path: Path) -> None:
    """Watched by the interpreter itself, which reports every unpickling, socket and opened file."""
    (tmp_path / "allowed").mkdir()
    report = tmp_path / "allowed" / "report.json"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", GUARDED, str((tmp_path / "allowed").resolve()), str(report)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text()) == {"pickle": [], "network": [], "listen": [], "write": []}
    assert list((tmp_path / "allowed" / "results").glob("*/predictions.csv"))


EVIL = ["../../out", "/tmp/out", "..", "NUL", "a\0b", "x" * 500, "s p", "C:\\out"]


def test_names_of_subjects_cannot_lead_out_of_the_run_folder(tmp_path: Path) -> None:
    """Even in a table that no loader has checked."""
    plain = make_bank(subjects=len(EVIL), repeats=1, size=16)
    clips = plain.clips.assign(subject=[EVIL[int(name[1:]) - 1] for name in plain.clips["subject"]])
    clips.index = pd.Index([f"{s}/{e}" for s, e in zip(clips["subject"], clips["emotion"], strict=True)])
    clips.index.name = "clip"
    bank = Bank(images=plain.images, clips=clips, phases=plain.phases, scaling=plain.scaling)
    out = tmp_path / "a" / "b" / "run"
    results = loso.run(
        bank, small_config(image_size=16, epochs=1), out, workers=1, device="cpu", shown_progress=False
    )
    assert results.metrics["folds"] == len(EVIL)
    assert {path for path in tmp_path.rglob("*") if path.is_file() and out not in path.parents} == set()
    assert len(list((out / "folds").iterdir())) == len(EVIL)
    again = loso.run(
        bank, small_config(image_size=16, epochs=1), out, workers=1, device="cpu", shown_progress=False
    )
    pd.testing.assert_frame_equal(again.predictions, results.predictions)


def test_nothing_is_told_to_listen_to_others() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "IP ?= 127.0.0.1" in makefile
    assert re.search(r"jupyter lab --ip=\$\(IP\)", makefile)
    texts = {path.name: path.read_text(encoding="utf-8") for path in [*SOURCES, *NOTEBOOKS]}
    assert not [name for name, text in texts.items() if re.search(r"0\.0\.0\.0|host\s*=\s*['\"]['\"]", text)]


def test_no_output_names_a_home_folder_or_a_key() -> None:
    """Also those of other people's machines: notebooks as stored, and all that is kept under results."""
    kept = [*(ROOT / "results" / "reference").rglob("*"), *NOTEBOOKS]
    texts = {path: path.read_text(encoding="utf-8") for path in kept if path.suffix in TEXTS}
    private = re.compile(
        r"/(home|Users|root)/\w|[A-Z]:\\\\?Users|/tmp/\w|hf_[A-Za-z0-9]{20}|gh[pousr]_\w{20}"
    )
    assert not {path.name: found.group() for path, text in texts.items() if (found := private.search(text))}
    assert len(texts) > 10


TEXTS = {".json", ".csv", ".md", ".tex", ".ipynb"}
