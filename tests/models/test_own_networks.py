"""Other people's networks and fusion blocks: built, tried, saved, and one more system from an empty file."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from own import write_example
from torch import nn
from toy import make_bank, small_config

from dianet_utils import config, loso, models, tables
from dianet_utils.config import configure
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import training
from dianet_utils.models import saved
from dianet_utils.models.dianet import DIANet
from dianet_utils.models.layer_table import layers
from dianet_utils.plumbing.errors import InputError

HEAD = "import torch\nfrom torch import nn\nfrom dianet_utils.models import Network, Output\n\n\n"


def written(folder: Path, body: str, base: str = "nn.Module") -> str:
    """A file with one class whose body is given, as a user names it."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (folder / "my_file.py").write_text(f"{HEAD}class Mine({base}):\n{lines}\n", encoding="utf-8")
    return f"{folder / 'my_file.py'}:Mine"


def network(options: str = "", forward: str = "self.layer(x.flatten(1))") -> str:
    return (
        f"def __init__(self, num_classes{options}):\n    super().__init__()\n"
        f"    self.layer = nn.LazyLinear(num_classes)\ndef forward(self, x):\n    return {forward}"
    )


def block(forward: str) -> str:
    return f"def __init__(self, width):\n    super().__init__()\ndef forward(self, x):\n    return {forward}"


# --- networks -----------------------------------------------------------------------------------------


def test_a_plain_module_becomes_a_network_with_cross_entropy(tmp_path: Path) -> None:
    settings = configure(model=write_example("MyNet", tmp_path), image_size=32, inputs="onset,offset,whole")
    model, images = models.build_model(settings, 4), torch.randn(5, 3, 3, 32, 32)
    output, labels = model(images), models.Labels(torch.arange(5) % 4)
    assert isinstance(model, models.Network)
    assert (output.logits.shape, output.features.shape) == ((5, 4), (5, 1, 4))
    expected = nn.functional.cross_entropy(output.logits, labels.emotion, label_smoothing=0.1)
    assert model.loss(output, labels, 0.0, 0.1).item() == expected.item()
    assert models.status(settings.model) == "own"
    assert model.training
    table = layers(model, 3, 32)
    assert table["parameters"].sum() == sum(weight.numel() for weight in model.parameters())


def test_trying_a_network_moves_none_of_its_statistics(tmp_path: Path) -> None:
    settings = configure(model=write_example("MyNet", tmp_path), image_size=32)
    assert models.build_model(settings, 4).network.norm.num_batches_tracked == 0


def test_its_constructor_gets_the_settings_that_it_names(tmp_path: Path) -> None:
    """And its own default for what no setting means: it has a backbone of its own."""
    body = network(", phases, dropout, hidden=3, backbone='mine', **more")
    body = body.replace("super().__init__()", "super().__init__(); self.seen = locals()")
    name = written(tmp_path, body)
    seen = models.build_model(configure(model=name, dropout=0.25, inputs="onset"), 5).network.seen
    told = [seen[key] for key in ("num_classes", "phases", "dropout", "hidden", "backbone", "more")]
    assert told == [5, 1, 0.25, 256, "mine", {}]


def test_a_network_of_the_packages_kind_keeps_its_own_loss(tmp_path: Path) -> None:
    body = network(forward="Output(self.layer(x.flatten(1)), x.flatten(2))")
    body += "\ndef loss(self, output, labels, consistency_weight=0.0, label_smoothing=0.0):"
    body += "\n    return output.logits.square().mean()"
    settings = configure(model=written(tmp_path, body, "Network"), image_size=16)
    model = models.build_model(settings, 3)
    output = model(torch.randn(2, 2, 3, 16, 16))
    assert type(model).__name__ == "Mine"
    assert output.features.shape == (2, 2, 3 * 16 * 16)
    assert model.loss(output, None).item() == output.logits.square().mean().item()


def test_it_is_built_by_name_or_class_without_a_configuration(tmp_path: Path) -> None:
    name = write_example("MyNet", tmp_path)
    kind = type(models.build(name, 3).network)
    assert "AdaptiveMaxPool2d" in inspect.getsource(kind)  # the source that ran is known to tracebacks too
    assert models.options(name) == ["phases", "dropout"]
    with pytest.raises(InputError, match="has no option hidden: it has phases, dropout"):
        models.build(name, 3, hidden=4)


@pytest.mark.parametrize(
    ("body", "base", "told"),
    [
        (
            network(forward="x"),
            "nn.Module",
            r"must return logits \[2, 3\].*\[2, 2, 3, 16, 16\] of torch.float32",
        ),
        (network(forward="x.flatten(1)[:, :3].long()"), "nn.Module", r"returns \[2, 3\] of torch.int64"),
        (network(forward="(self.layer(x.flatten(1)), None)"), "nn.Module", "returns a tuple"),
        (network(), "Network", r"must return an Output with logits \[2, 3\].*returns \[2, 3\] of"),
        (
            network(forward="Output(x[:, 0, 0, 0], x[:, 0, 0, 0])"),
            "Network",
            r"logits \[2, 16\] of .* and feat",
        ),
        (
            network(forward="self.none(x)"),
            "nn.Module",
            r"Mine fails on an input \[2, 2, 3, 16, 16\]: Attribute",
        ),
        (
            network(", colours"),
            "nn.Module",
            r"cannot be built \(missing a required .*'colours'\).* need a default",
        ),
        (network("").replace("num_classes", "classes"), "nn.Module", "must take num_classes"),
        (
            "def __init__(self, num_classes):\n    1 / 0",
            "nn.Module",
            "constructor raised ZeroDivisionError: div",
        ),
        ("def __init__(self, num_classes):\n    raise SystemExit(3)", "nn.Module", "raised SystemExit: 3"),
        (network(forward="exit()"), "nn.Module", "fails on an input .*: SystemExit"),
        ("def __init__(self, num_classes):\n    pass", "object", "must be a torch.nn.Module: derive"),
        (
            "def __init__(self, num_classes):\n    super().__init__()\n    self.n = num_classes\n"
            "def forward(self, x):\n    return x.flatten(1)[:, :self.n]",
            "nn.Module",
            "Mine has no weights that learn",
        ),
    ],
)
def test_what_is_wrong_with_a_network_is_a_sentence_before_anything_trains(
    body: str, base: str, told: str, tmp_path: Path
) -> None:
    settings = configure(model=written(tmp_path, body, base), image_size=16)
    with pytest.raises(InputError, match=told) as caught:
        loso.run(make_bank(size=16), settings, tmp_path / "run", workers=2, device="cpu")
    assert "\n" not in str(caught.value)


def test_a_constructor_changes_no_setting_of_the_process_and_halves_are_no_trap(tmp_path: Path) -> None:
    """Probabilities of half-precision logits would not add up to 1 in the files of folds."""
    body = network(forward="self.layer(x.flatten(1)).half()").replace(
        "    super().__init__()\n",
        "    super().__init__()\n    torch.set_grad_enabled(False)\n"
        "    torch.set_num_threads(3)\n    torch.set_default_device('cpu')\n",
    )
    before = (torch.get_default_dtype(), torch.get_num_threads(), torch.get_default_device())
    settings = configure(model=written(tmp_path, body), image_size=16)
    model = models.build_model(settings, 4)
    assert torch.is_grad_enabled()
    assert (torch.get_default_dtype(), torch.get_num_threads(), torch.get_default_device()) == before
    assert model(torch.zeros(2, 2, 3, 16, 16)).logits.dtype == torch.float32


# --- fusion blocks ------------------------------------------------------------------------------------


def test_a_fusion_block_of_ones_own_meets_the_streams_of_dianet(tmp_path: Path) -> None:
    settings = small_config(fusion=write_example("MyBlock", tmp_path))
    model = models.build_model(settings, 3)
    assert isinstance(model, DIANet)
    assert type(model.fusion).__name__ == "MyBlock"
    assert model.fusion.mix.in_features == 1024
    model.loss(model(torch.randn(4, 2, 3, 32, 32)), models.Labels(torch.arange(4) % 3)).backward()
    assert model.fusion.mix.weight.grad.any()
    assert "MyBlock" in loso.run_name(make_bank(), settings)
    with pytest.raises(InputError, match="fusion is settled by learnet itself"):
        configure(model="learnet", fusion=settings.fusion)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (block("x.mean(1)"), r"Mine must return .* \[2, 2, 512\] for \[2, 2, 512\], and returns \[2, 512\]"),
        (block("x.nothing"), r"Mine fails on an input \[2, 2, 512\]: AttributeError"),
        (block("x").replace("width", "width, heads"), r"cannot be built \(missing .*'heads'"),
        (
            block("x").replace("super().__init__()", "raise ValueError('no')"),
            "constructor raised ValueError: no",
        ),
    ],
)
def test_what_is_wrong_with_a_block_is_a_sentence(body: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        models.build_model(small_config(fusion=written(tmp_path, body)), 3)


ONLY_IN_TRAINING = "self.layer(x.flatten(1)) if not self.training else "


@pytest.mark.parametrize(
    ("forward", "told"),
    [
        ("self.layer(x[:, :, :2].flatten(1))", "RuntimeError: .*mat1 and mat2 shapes cannot be multiplied"),
        ("x.flatten(1)[:, :3]", "RuntimeError: element 0 of tensors does not require grad"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("exit(3)", "SystemExit: 3"),
        ("self.layer(x.flatten(1))[:1]", "Mine must return logits"),
    ],
)
def test_a_network_that_fails_in_training_alone_is_named(forward: str, told: str, tmp_path: Path) -> None:
    """It passes the trial, which trains nothing."""
    name = written(tmp_path, network(forward=ONLY_IN_TRAINING + forward))
    bank, fold = own_fold()
    where = r"Mine fails in training( in line \d+ of .*my_file\.py)?: "
    with pytest.raises(InputError, match=told if "Mine" in told else where + told):
        training.train_fold(bank, fold, configure(model=name, image_size=32, epochs=1, batch_size=8))


def test_a_fusion_block_that_fails_in_training_alone_is_named(tmp_path: Path) -> None:
    body = block(forward="x if not self.training else 1 / 0")
    settings = small_config(fusion=written(tmp_path, body), epochs=1)
    with pytest.raises(InputError, match=r"Mine fails in training in line 10 of .*: ZeroDivisionError"):
        training.train_fold(*own_fold(), settings)


def test_want_of_memory_is_not_the_networks_fault(tmp_path: Path) -> None:
    forward = "self.layer(x.flatten(1)) if not self.training else (_ for _ in ()).throw(MemoryError())"
    name = written(tmp_path, network(forward=forward))
    with pytest.raises(MemoryError):
        training.train_fold(*own_fold(), configure(model=name, image_size=32, epochs=1, batch_size=8))


def test_a_callback_that_fails_is_no_fault_of_the_network(tmp_path: Path) -> None:
    settings = configure(model=write_example("MyNet", tmp_path), image_size=32, epochs=1, batch_size=8)
    bank, fold = own_fold()
    with pytest.raises(ZeroDivisionError):
        training.train_fold(bank, fold, settings, on_epoch=lambda *_: 1 / 0)


def own_fold() -> tuple[Bank, loso.Fold]:
    bank = make_bank()
    return bank, loso.make_folds(bank.clips, "none", seed=0)[0]


# --- saved models -------------------------------------------------------------------------------------


def keep(settings: config.Config, folder: Path) -> Path:
    """A saved, untrained model."""
    about = {"trained_on": "noise", "clips": 1, "subjects": 1, "data_fingerprint": "", "loso": None}
    model = models.build_model(settings, 3)
    return saved.save(folder, model, settings, list("abc"), {**about, "synthetic": True})


ELSEWHERE = """
import json, sys, torch
from dianet_utils.config import configure
from dianet_utils.models import saved
from dianet_utils.plumbing.errors import InputError
place, how, parameter, named = sys.argv[1:]
try:
    saved.load(place)
except InputError as error:
    print(error, file=sys.stderr)
if how == "named":  # nothing of the folder is run
    configure(**{parameter: named})
model = saved.load(place, trust_code=how == "trusted").model
print(json.dumps(model(torch.ones(3, 2, 3, 32, 32)).logits.tolist()))
"""


@pytest.mark.parametrize(
    ("parameter", "name", "how"), [("model", "MyNet", "trusted"), ("fusion", "MyBlock", "named")]
)
def test_a_saved_model_brings_its_source_which_only_trust_runs(
    parameter: str, name: str, how: str, tmp_path: Path
) -> None:
    named = write_example(name, tmp_path)
    settings = configure(**{"image_size": 32, parameter: named})
    place = keep(settings, tmp_path / "model")
    kept = saved.load(place)  # this process knows the source
    assert kept.config == settings
    assert (place / saved.CODE).read_text() == (tmp_path / "my_file.py").read_text()
    command = [sys.executable, "-c", ELSEWHERE, str(place), how, parameter, named]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.search(rf"holds code of its own .*trust_code=True.*my_file.py:{name}", done.stderr)
    expected = kept.model(torch.ones(3, 2, 3, 32, 32)).logits
    torch.testing.assert_close(torch.tensor(json.loads(done.stdout)), expected)


def test_a_source_that_is_not_the_notes_is_refused_even_where_it_is_trusted(tmp_path: Path) -> None:
    settings = configure(model=write_example("MyNet", tmp_path), image_size=32)
    place = keep(settings, tmp_path / "model")
    assert "MyNet, own" in (place / saved.CARD).read_text()
    with (place / saved.CODE).open("a") as file:
        file.write("raise SystemError\n")
    with pytest.raises(InputError, match=r"own_code.py is not what model.json describes"):
        saved.load(place, trust_code=True)
    (place / saved.CODE).unlink()
    with pytest.raises(InputError, match=r"Cannot read the source .*own_code.py of MyNet"):
        saved.load(place, trust_code=True)
    assert json.loads((place / saved.NOTE).read_text())["config"]["model"] == settings.model


# --- one more system, as CONTRIBUTING.md says -----------------------------------------------------------


def test_a_system_is_a_class_in_a_file_and_one_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_example("MyNet", tmp_path, "brightnet.py")  # step 1, on the path as a module of the package is
    monkeypatch.syspath_prepend(tmp_path)
    record = config.System("brightnet:MyNet", "reconstruction", inputs=("onset",), fixed=config.OWN)
    monkeypatch.setitem(config.SYSTEMS, "brightnet", record)  # step 2
    settings = configure(model="brightnet", image_size=32, epochs=1, batch_size=8)
    assert (settings.inputs, settings.backbone) == (("onset",), "own")
    assert models.status("brightnet") == "reconstruction"
    (row,) = tables.choose(1, "synthetic", "brightnet")
    assert (row.title, row.settings["model"]) == ("MyNet", "brightnet")
    with pytest.raises(InputError, match=r"did you mean 'brightnet'"):
        configure(model="brightnett")
    both = make_bank()
    bank = type(both)(both.images[:, :1], both.clips, ("onset",), both.scaling)
    out = tmp_path / loso.run_name(bank, settings)
    results = loso.run(bank, settings, out, max_folds=1, workers=1, device="cpu")
    assert out.name.startswith("brightnet-own-onset-")
    assert results.metrics["folds"] == 1
