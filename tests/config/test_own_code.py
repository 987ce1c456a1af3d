"""Code of the user's own: its name follows from its content, and what is wrong with it is one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest
from own import example, write_example

from dianet_utils.config import OWN, configure, own_code, with_model
from dianet_utils.plumbing.errors import InputError


@pytest.fixture
def mine(tmp_path: Path) -> str:
    return write_example("MyNet", tmp_path)


def test_a_network_of_ones_own_settles_what_the_compared_systems_settle(mine: str) -> None:
    config = configure(model=mine)
    assert {name: getattr(config, name) for name in OWN} == OWN
    assert config.inputs == configure().inputs
    assert configure("casme2", model=mine, inputs="whole,onset,offset,flow").image_size == 224
    assert configure(**config.as_json()) == config
    with pytest.raises(InputError, match=r"backbone is settled by MyNet itself \('own'\)"):
        configure(model=mine, backbone="resnet18")


def test_its_name_follows_from_its_content_and_not_from_where_it_lies(mine: str, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    before = configure(model=mine)
    assert configure(model=write_example("MyNet", other, "net.py")) == before
    (tmp_path / "my_file.py").write_bytes(example("MyNet").replace("\n", "\r\n").encode())
    assert configure(model=mine) == before  # as git may check it out on Windows
    (tmp_path / "my_file.py").write_text(example("MyNet").replace("16, 5", "16, 3"), encoding="utf-8")
    after = configure(model=mine)
    assert after.model != before.model
    assert after.digest() != before.digest()
    assert str(tmp_path) not in str(after.as_json())
    assert own_code.title(after.model) == own_code.title(mine) == "MyNet"


def test_a_source_is_read_once_and_torch_is_not_needed_to_name_it(mine: str) -> None:
    script = (
        "import sys; from pathlib import Path; from dianet_utils.config import configure, own_code\n"
        "config = configure(model=sys.argv[1]); Path(sys.argv[1].rpartition(':')[0]).unlink()\n"
        "(source,) = config.sources.values(); assert 'class MyNet' in source.text\n"
        "assert configure(**config.as_json()) == config; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, mine], check=True)


def test_another_model_takes_over_what_the_two_do_not_settle(mine: str) -> None:
    config = configure(model="learnet", epochs=3, image_size=64)
    own = with_model(config, mine)
    assert (own.epochs, own.image_size, own.inputs, own.fusion) == (3, 64, ("whole",), "own")
    assert own.dropout == configure().dropout  # LEARNet's is its own
    back = with_model(own, "dianet")
    assert (back.backbone, back.fusion, back.epochs) == (configure().backbone, configure().fusion, 3)


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (None, "MyNet", "There is no file .*my_file.py: give the path"),
        ("class MyNet:\n  pass", "", "names a file but no class"),
        ("class MyNet:\n  pass", "YourNet", "no class 'YourNet' at its top level; it has MyNet"),
        ("MyNet = 3", "MyNet", "no class 'MyNet' at its top level; it has none"),
        ("class MyNet(:", "MyNet", "is no Python that runs here: invalid syntax"),
        ("# coding: klingon", "MyNet", "cannot be read as Python .*klingon"),
        ("class Nét:\n  pass", "Nét", "at most 64 of the letters a-z"),
        ("import near\nclass MyNet:\n  pass", "MyNet", "imports near from its own folder.* in the one file"),
    ],
)
def test_what_is_wrong_with_a_file_is_a_sentence(
    text: str | None, name: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "near.py").touch()
    if text is not None:
        (tmp_path / "my_file.py").write_text(text, encoding="utf-8")
    for parameter in ("model", "fusion"):
        with pytest.raises(InputError, match=rf"parameter {parameter}: .*{told}") as caught:
            configure(**{parameter: f"{tmp_path / 'my_file.py'}:{name}"})
        assert "\n" not in str(caught.value)


def test_a_folder_or_bytes_are_no_file_of_python(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    for name in ("folder.py", "bytes.py", "x" * 5000 + ".py"):
        with pytest.raises(InputError, match="cannot be read as Python"):
            configure(model=f"{tmp_path / name}:MyNet")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "import no_such_package",
            "imports what is not installed here .*no_such_package.* installed packages",
        ),
        ("from .near import x", "imports what is not installed here"),
        ("1 / 0", "does not run on its own .ZeroDivisionError: division by zero"),
        ("raise SystemExit('done')", "does not run on its own .SystemExit"),
        ("MyNet = 3", "MyNet of .* is no class once the source has run"),
    ],
)
def test_a_source_that_does_not_run_is_a_sentence(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "my_file.py").write_text(f"class MyNet:\n  pass\n{text}", encoding="utf-8")
    config = configure(model=f"{tmp_path / 'my_file.py'}:MyNet")
    for _ in range(2):  # nothing half-run is left behind
        with pytest.raises(InputError, match=told) as caught:
            own_code.load(config.model)
        assert "\n" not in str(caught.value)


def test_a_reference_whose_source_is_not_known_says_what_to_name() -> None:
    with pytest.raises(InputError, match=r"source of MyNet@0{16} is not known here: name its file, as my_fi"):
        configure(model=f"MyNet@{'0' * 16}")


def test_neither_a_name_nor_a_file_is_told_both_ways_out() -> None:
    for wrong in ("my_net", "my_net:MyNet", 7, ["learnet"]):
        with pytest.raises(
            InputError, match=r"one of .*dianet, or a class of your own as my_file.py:MyClass"
        ):
            configure(model=wrong)
