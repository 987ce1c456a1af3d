"""The board of results: every row is a row of its schema and follows from its predictions, or is refused."""

import shutil
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from sklearn import metrics as sk

from dianet_utils import evaluation
from dianet_utils.command import leaderboard
from dianet_utils.command.leaderboard import BOARD, read_board, submit
from dianet_utils.command.line import main
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import read_json, write_json

ROWS = pd.read_csv(
    BOARD / "results.csv", dtype={"run": str, "data": str, "seeds": str}, keep_default_na=False
)
KEPT = BOARD.parent / "04_loso"
each_row = pytest.mark.parametrize("row", ROWS.to_dict("records"), ids=ROWS["name"])


@each_row
def test_a_row_is_one_of_the_schema(row: dict) -> None:
    schema = read_json(BOARD / "schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(row, schema)
    assert list(row) == list(schema["properties"])
    for score in ("uf1", "uar", "accuracy"):
        assert row[f"{score}_low"] <= row[score] <= row[f"{score}_high"]


@each_row
def test_the_scores_of_a_row_follow_from_its_predictions(row: dict) -> None:
    """By scikit-learn; the intervals by the package's bootstrap, whose coverage has a test."""
    told = pd.read_csv(BOARD / row["predictions"], dtype={"clip": str, "subject": str})
    classes, (true, named) = row["classes"].split(), (told["true"], told["predicted"])
    assert row["accuracy"] == pytest.approx(sk.accuracy_score(true, named), abs=1e-6)
    f1 = sk.f1_score(true, named, labels=classes, average="macro", zero_division=0)
    assert row["uf1"] == pytest.approx(f1, abs=1e-6)
    assert row["uar"] == pytest.approx(sk.balanced_accuracy_score(true, named), abs=1e-6)
    assert (row["people"], row["clips"]) == (told["subject"].nunique(), told["clip"].nunique())
    assert row["seeds"] == " ".join(map(str, sorted(told["seed"].unique())))
    assert not evaluation.is_leaky(told)
    for score, ends in evaluation.metrics(told, classes)["intervals"].items():
        assert [row[f"{score}_low"], row[f"{score}_high"]] == ends


def test_the_board_has_each_run_once_and_no_answers_without_a_row() -> None:
    assert ROWS["name"].is_unique
    assert not ROWS.duplicated(["run", "data", "seeds"]).any()
    files = {f"predictions/{path.name}" for path in (BOARD / "predictions").iterdir()}
    assert files == set(ROWS["predictions"])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(KEPT, tmp_path / "mine"))


def test_a_run_comes_onto_the_board_with_its_predictions(run: Path, tmp_path: Path) -> None:
    board = tmp_path / "board"
    row = submit(str(run), board=board)
    (kept,) = read_board(board).to_dict("records")
    assert kept == {name: str(value) for name, value in row.items()}
    ours = ROWS.set_index("name").loc["04_loso"]
    assert [row[name] for name in ("uf1", "uar_low", "run", "clips")] == list(
        ours[["uf1", "uar_low", "run", "clips"]]
    )
    assert (board / kept["predictions"]).read_text() == (KEPT / "predictions.csv").read_text()


def test_the_command_says_what_it_did(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leaderboard, "BOARD", tmp_path / "board")
    monkeypatch.setattr(leaderboard.submit, "__defaults__", ("", tmp_path / "board"))
    assert main(["submit", str(run), "first"]) == 0
    told = read_json(KEPT / "metrics.json")
    scores = f"UF1 {told['uf1']:.3f}, UAR {told['uar']:.3f}, accuracy {told['accuracy']:.3f}"
    assert capsys.readouterr().out.startswith(f"first: {scores}; ")
    assert main(["submit", str(run), "second"]) == 2
    assert capsys.readouterr().err == "error: The board has this run already, as first.\n"
    assert main(["submit"]) == 2
    assert "dianet submit RUN [NAME]" in capsys.readouterr().err


def refused(run: Path, tmp_path: Path, why: str, name: str = "") -> None:
    with pytest.raises(InputError, match=why):
        submit(str(run), name, tmp_path / "board")
    assert not (tmp_path / "board").exists()


def answers(run: Path, table: pd.DataFrame) -> None:
    """Put other predictions into a run, with the scores that follow from them."""
    table.to_csv(run / "predictions.csv", index=False)
    told = read_json(run / "metrics.json")
    write_json(run / "metrics.json", {**told, **evaluation.metrics(table, told["classes"])})


def test_a_name_stands_once_whatever_its_case(run: Path, tmp_path: Path) -> None:
    submit(str(run), "one", tmp_path / "board")
    with pytest.raises(InputError, match="has a row ONE already"):
        submit(str(run), "ONE", tmp_path / "board")


def test_a_run_with_missing_folds_is_refused(run: Path, tmp_path: Path) -> None:
    table = pd.read_csv(run / "predictions.csv")
    for subject in table["subject"].unique():
        write_json(run / "folds" / f"seed0_{subject}.json", {})
    answers(run, table[table["subject"] != "s03"])
    refused(run, tmp_path, "has 25 of the run's 26 folds: finish the run")


def test_fewer_folds_than_the_settings_or_the_dataset_ask_for_are_refused(run: Path, tmp_path: Path) -> None:
    table = pd.read_csv(run / "predictions.csv")
    told, about = read_json(run / "config.json"), read_json(run / "metrics.json")
    answers(run, table[table["subject"] != "s03"])
    part = read_json(run / "metrics.json")
    write_json(run / "metrics.json", {**part, "dataset": "casme2", "synthetic": False})
    refused(run, tmp_path, "has 25 of the run's 26 folds")
    write_json(run / "metrics.json", {name: about[name] for name in about if name != "all_folds"})
    write_json(run / "config.json", {**told, "config": {**told["config"], "split": "kfold:5"}})
    answers(run, table.assign(fold=[f"fold-{1 + int(name[1:]) % 4}" for name in table["subject"]]))
    refused(run, tmp_path, "has 4 of the run's 5 folds")


def test_a_run_says_how_many_folds_it_should_have(run: Path, tmp_path: Path) -> None:
    """On synthetic clips nothing else does, where the fold files are not there."""
    table = pd.read_csv(run / "predictions.csv")
    answers(run, table[table["subject"] != "s03"])
    write_json(run / "metrics.json", {**read_json(run / "metrics.json"), "all_folds": 26})
    refused(run, tmp_path, "has 25 of the run's 26 folds")


def test_a_damaged_run_or_board_is_one_sentence(run: Path, tmp_path: Path) -> None:
    whole = {name: (run / name).read_text() for name in ("predictions.csv", "metrics.json", "config.json")}
    halves = whole["predictions.csv"][: len(whole["predictions.csv"]) // 2]
    head, *rows = whole["predictions.csv"].splitlines()
    for name, content, why in (
        ("predictions.csv", "", "is damaged"),
        ("predictions.csv", "\0\1\2", "is damaged|lacks"),
        ("predictions.csv", "\n".join([head, rows[0], *rows]), "twice with one seed"),
        ("predictions.csv", halves, "damaged|lacks|folds|differ in"),
        ("metrics.json", "[1]", "is not that of a run"),
        (
            "metrics.json",
            whole["metrics.json"].replace("disgust", "digust"),
            "does not know the class disgust",
        ),
        ("metrics.json", whole["metrics.json"].replace("{", '{"train": {},', 1), "is a transfer"),
        ("metrics.json", whole["metrics.json"].replace('"disgust"', "7"), "does not tell its settings"),
        ("metrics.json", whole["metrics.json"].replace("true", '"yes"'), "does not tell its settings"),
        (
            "config.json",
            whole["config.json"].replace('"digest": "', '"digest": ["a"], "x": "'),
            "does not tell",
        ),
        ("config.json", "null", "is not that of a run"),
    ):
        (run / name).write_text(content)
        refused(run, tmp_path, why)
        (run / name).write_text(whole[name])
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"git checkout .* brings it back"):
        submit(str(run), "", tmp_path / "board")


def test_a_seed_that_lacks_a_clip_is_refused(run: Path, tmp_path: Path) -> None:
    table = pd.read_csv(run / "predictions.csv")
    answers(run, pd.concat([table, table.iloc[1:].assign(seed=1)]))
    refused(run, tmp_path, r"has not each clip once per seed \(see s01/clip01\)")


def test_scores_that_are_not_those_of_the_predictions_are_refused(run: Path, tmp_path: Path) -> None:
    table = pd.read_csv(run / "predictions.csv")
    table.assign(predicted=table["true"]).to_csv(run / "predictions.csv", index=False)
    refused(run, tmp_path, "differ in accuracy, uf1, uar: run it again")


def test_a_leaky_run_is_refused(run: Path, tmp_path: Path) -> None:
    answers(run, pd.read_csv(run / "predictions.csv").assign(validation="test_subject"))
    refused(run, tmp_path, "the test subject chose the epoch")


def test_what_is_no_run_or_no_name_is_refused(run: Path, tmp_path: Path) -> None:
    refused(run, tmp_path, "cannot name a file", name="../outside")
    (run / "metrics.json").unlink()
    refused(run, tmp_path, "has no metrics.json: finish the run first")
    refused(tmp_path / "nothing", tmp_path, "is no run folder")
