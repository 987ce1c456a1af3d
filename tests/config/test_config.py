"""Parameters as people and papermill pass them: what is taken, what is refused, and how it is said."""

import dataclasses
import json
from dataclasses import MISSING
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dianet_utils import paper, run
from dianet_utils.config import CHECKS, LOSO, Config, configure, defaults, from_json
from dianet_utils.loso.splits import fold_names
from dianet_utils.plumbing.errors import InputError
from dianet_utils.tables.questions import QUESTIONS


def test_licensed_defaults_are_the_papers() -> None:
    for name in paper.DATASETS:
        config = configure(name)
        assert (config.image_size, config.learning_rate, config.batch_size, config.epochs) == (
            224,
            1e-4,
            32,
            50,
        )
        assert (config.optimiser, config.flip, config.degrees) == ("adam", True, 10.0)
        assert config.inputs == ("onset", "offset")
        assert config.backbone.startswith("tf_efficientnetv2")


def test_every_field_has_a_check_and_a_default_that_passes_it() -> None:
    fields = {field.name: field for field in dataclasses.fields(Config)}
    assert {*fields, "setting"} == set(CHECKS)
    for dataset in ("synthetic", *paper.DATASETS):
        values = defaults(dataset)
        assert set(values) == set(fields) - {"dataset"}
        assert configure(dataset, **values) == configure(dataset)
        assert from_json(configure(dataset).as_json()) == configure(dataset)
        assert dataset == "synthetic" or all(
            values[name] == field.default for name, field in fields.items() if field.default is not MISSING
        )


def test_the_papers_setting_on_synthetic_clips_is_that_of_licensed_data() -> None:
    for model in ("dianet", "geme", "learnet"):
        paper_setting = configure("synthetic", "paper", model=model)
        assert dataclasses.replace(paper_setting, dataset="samm") == configure("samm", model=model)
        assert configure("samm", "quick", model=model).epochs == configure(model=model).epochs
    assert configure("synthetic", "paper").digest() != configure("synthetic").digest()
    assert run.config_of({"setting": "paper", "epochs": 3}) == configure("synthetic", "paper", epochs=3)


def test_an_unknown_setting_is_named_with_the_other_mistakes() -> None:
    with pytest.raises(InputError, match=r"setting is 'papers' .* paper, quick.*epochs is 0"):
        configure("synthetic", "papers", epochs=0)


def test_every_setting_says_what_its_licensed_default_rests_on() -> None:
    """And what is printed is what the paper's sections 2.1, 3.1, 3.2 and 3.4 name with a value."""
    fields = {field.name for field in dataclasses.fields(Config)} - {"dataset"}
    assert set(paper.BASIS) == fields
    assert set(paper.BASIS.values()) == {"printed", "our interpretation", "ours"}
    named = "image_size optimiser learning_rate batch_size epochs flip degrees inputs weighting split model"
    assert {name for name, basis in paper.BASIS.items() if basis == "printed"} == set(named.split())


def test_describe_tells_value_default_basis_and_difference() -> None:
    table = run.describe(configure("samm", hidden=64))
    assert list(table) == ["this run", "licensed default", "the default is", "differs"]
    assert table.loc["hidden"].tolist() == ["64", "256", "our interpretation", "yes"]
    assert table.loc["learning_rate"].tolist() == ["0.0001", "0.0001", "printed", ""]
    assert table.loc["label_smoothing", "the default is"] == "ours"
    assert set(table["the default is"]) == {"printed", "our interpretation", "ours"}


def test_what_the_open_questions_ask_is_not_printed() -> None:
    """But for the weighting, which is printed, and which public code has in other forms."""
    asked = {question.setting for question in QUESTIONS} & set(paper.BASIS)
    assert {name for name in asked if paper.BASIS[name] == "printed"} == {"weighting"}


def test_an_addition_at_its_default_leaves_the_name_of_a_run_alone() -> None:
    config = configure("synthetic")
    assert "apex_jitter" not in config.as_json()
    assert config.digest() == configure("synthetic", apex_jitter=0).digest()
    assert config.digest() != configure("synthetic", apex_jitter=2).digest()
    assert not from_json(configure("synthetic", mirrored=False).as_json()).mirrored


def test_a_run_in_which_others_chose_the_epoch_is_named_by_the_rule() -> None:
    """Such runs of earlier releases chose otherwise, under the same settings; others did not."""
    assert configure("casme2").as_json()["choice_of_epoch"] == 2
    assert "choice_of_epoch" not in configure("casme2", validation="none").as_json()
    assert "choice_of_epoch" not in configure("casme2", validation="test_subject").as_json()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epochs", "3", 3),
        ("epochs", 3.0, 3),
        ("learning_rate", "1e-3", 1e-3),
        ("flip", "false", False),
        ("inputs", "onset", ("onset",)),
        ("inputs", "onset, offset", ("onset", "offset")),
        ("inputs", ["whole"], ("whole",)),
    ],
)
def test_forms_that_papermill_hands_over(name: str, value: object, expected: object) -> None:
    assert getattr(configure(**{name: value}), name) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("epochs", True),
        ("epochs", "ten"),
        ("epochs", float("inf")),
        ("learning_rate", "fast"),
        ("learning_rate", float("nan")),
        ("learning_rate", -1),
        ("flip", "no"),
        ("flip", 1),
        ("inputs", ""),
        ("inputs", "onset,apex"),
        ("fusion", "cross"),
        ("backbone", 7),
        ("image_size", [64]),
    ],
)
def test_wrong_values_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"parameter {name} is .* but must be"):
        configure(**{name: value})


def test_all_mistakes_are_told_at_once_with_near_matches() -> None:
    with pytest.raises(InputError) as caught:
        configure("mmev", epochs="x", lerning_rate=1)
    message = str(caught.value)
    assert "did you mean 'mmew'?" in message
    assert "parameter epochs" in message
    assert "no parameter 'lerning_rate' (did you mean 'learning_rate'?)" in message


def test_licensed_dataset_without_a_folder() -> None:
    with pytest.raises(InputError, match="samm is licensed and needs data_root"):
        run.check_parameters({"dataset": "samm", "data_root": None})
    two = {"train_dataset": "casme2", "train_root": None, "test_dataset": "samm", "test_root": None}
    with pytest.raises(InputError, match=r"casme2 is .* needs train_root.* samm is .* needs test_root"):
        run.check_parameters(two)
    assert run.check_parameters({**two, "train_root": "/a", "test_root": "/b"})["test_root"] == "/b"


OWN = "from typing import Optional\n\ndataset: str = 'synthetic'  # which\nepochs: Optional[int] = None"
INJECTED = '# Parameters\ndataset = "synthetic"\nepoch = 3\n'


def test_a_misspelt_parameter_is_refused_where_papermill_was_given_it() -> None:
    values = {"dataset": "synthetic", "epoch": 3}
    with pytest.raises(InputError, match="no parameter 'epoch' \\(did you mean 'epochs'"):
        run.check_parameters({**values, "In": ["", OWN, INJECTED, "import sys", "x = 1"]})
    with pytest.raises(InputError, match="no parameter 'fusion'"):  # which other notebooks have
        run.check_parameters({"In": ["", OWN, "# Parameters\nfusion = 'concat'"]})


@pytest.mark.parametrize(
    "history",
    [
        (),
        ("", OWN, "epoch = 3"),
        ("", OWN, "epoch: int = 3"),
        ("", OWN, "x = 1", "epoch = 3", OWN),
        ("", OWN, INJECTED, "fig, ax = draw()", OWN),
        ("", OWN, INJECTED.replace("epoch", "epochs"), "def broken("),
        ("", "print(1)", INJECTED),
    ],
    ids=["plain Python", "by hand", "annotated", "run again", "cell gone", "known", "no parameters cell"],
)
def test_a_variable_of_the_readers_own_never_counts(history: tuple[str, ...]) -> None:
    values = {"dataset": "synthetic", "epoch": 3, "In": list(history)}
    assert run.check_parameters(values) == {"dataset": "synthetic"}


def test_long_values_are_shortened_in_messages() -> None:
    with pytest.raises(InputError) as caught:
        configure(epochs="x" * 5000, inputs=["apex"] * 1000)
    assert len(str(caught.value)) < 600


def test_seeds_are_sorted_whole_numbers() -> None:
    assert run.check_parameters({"seeds": "2,0"})["seeds"] == (0, 2)
    assert run.check_parameters({"seeds": 5})["seeds"] == (5,)
    for several in (range(3), list(np.arange(3)), [2, 0.0, "1"]):
        assert run.check_parameters({"seeds": several})["seeds"] == (0, 1, 2)
    for wrong in ("1,1", "a", "-1", []):
        with pytest.raises(InputError, match="parameter seeds"):
            run.check_parameters({"seeds": wrong})


def test_names_agree_with_the_rooms_that_know_them() -> None:
    """``config`` loads no room, so it repeats their names; here they are held together."""
    from dianet_utils import config, datasets, dynamic_images
    from dianet_utils.dynamic_images import apex
    from dianet_utils.models.fusion import FUSIONS

    assert config.PHASES == dynamic_images.PHASES
    assert config.INPUTS == dynamic_images.INPUTS
    assert list(FUSIONS) == list(config.FUSIONS)
    assert run.RUN_CHECKS["spotter"].names == apex.METHODS
    assert CHECKS["weighting"].names == tuple(dynamic_images.WEIGHTINGS)
    assert CHECKS["scaling"].names == tuple(dynamic_images.SCALINGS)
    assert CHECKS["model"].names is config.SYSTEMS
    assert set(CHECKS["dataset"].names) == set(datasets.NAMES)


def test_a_file_of_weights_enters_the_digest_by_its_content(tmp_path: Path) -> None:
    for name, content in (("one", b"a"), ("same", b"a"), ("other", b"b")):
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    one, same, other = (
        configure(pretrained=str(tmp_path / f"{name}.safetensors")) for name in ("one", "same", "other")
    )
    assert one.digest() == same.digest() != other.digest()
    assert str(tmp_path) not in str(one.as_json())
    before = one.digest()
    (tmp_path / "one.safetensors").write_bytes(b"another")
    assert one.digest() != before
    assert configure(**same.as_json()).as_json() == same.as_json()


def test_a_gpu_that_is_not_there_is_said() -> None:
    from dianet_utils.plumbing.machine import choose_device

    with pytest.raises(
        InputError, match=r"no device cuda:15, as torch sees \d+ GPUs here: set device to auto"
    ):
        choose_device("cuda:15")
    assert choose_device("cpu") == "cpu"


KEPT = sorted((Path(__file__).resolve().parents[2] / "results/reference/tables/configs").glob("*.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_settings_of_a_kept_run_still_give_its_name(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    config = from_json(kept["config"])
    assert config.as_json() == kept["config"]
    clips = pd.read_csv(path.parents[1] / "predictions.csv", index_col="clip", dtype=str)
    clips = clips.rename(columns={"true": "emotion"})
    names = {} if config.split == LOSO else fold_names(clips, config.split)
    folds = [f"{clip}: {name}" for clip, name in names.items()]
    assert config.digest(kept["data_fingerprint"], *folds) == kept["digest"] == path.stem.rpartition("-")[2]


def test_digest_names_the_settings() -> None:
    assert configure().digest() == configure().digest()
    assert configure().digest() != configure(epochs=3).digest()
    assert configure().digest("a") != configure().digest("b")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("CASME-II", "casme2"),
        ("casme-ii", "casme2"),
        ("CASME2", "casme2"),
        ("CAS(ME)^3", "casme3"),
        ("cas(me)^3 part a", "casme3"),
        ("SMIC-HS", "smic"),
        ("MMEW", "mmew"),
        ("SAMM", "samm"),
        ("Synthetic", "synthetic"),
    ],
)
def test_a_datasets_title_is_its_name(title: str, name: str) -> None:
    assert CHECKS["dataset"](title) == name
    assert configure(title) == configure(name)


@pytest.mark.parametrize("title", ["CASME", "CASME-III", "CAS(ME)^2", "SMIC-VIS", ""])
def test_what_is_no_datasets_title_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="one of synthetic, casme2"):
        CHECKS["dataset"](title)
