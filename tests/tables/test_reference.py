"""The kept results: every number of tables and pages follows from the predictions that are kept."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference"
TABLES = sorted([*REFERENCE.glob("tables/kfold-5-table?.csv"), REFERENCE / "tables" / "readings.csv"])


@pytest.fixture(scope="module")
def writing() -> ModuleType:
    """The tool that writes the pages."""
    spec = importlib.util.spec_from_file_location("write_results", ROOT / "tools" / "write_results.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_say_what_the_kept_files_say(writing: ModuleType) -> None:
    for path, text in writing.pages().items():
        assert path.read_text(encoding="utf-8") == text, "run: python tools/write_results.py"


def test_a_place_takes_the_one_value_that_it_names(writing: ModuleType) -> None:
    scores = pd.read_csv(REFERENCE / "people" / "scores.csv", index_col="row")
    text = writing.render(
        "{{people/scores; tent; accuracy; .1f}} {{people/contrasts; onset > whole; gain; -+.1f}}"
    )
    gains = pd.read_csv(REFERENCE / "people" / "contrasts.csv").set_index(["first", "second"])["gain"]
    assert text == f"{scores.loc['tent', 'accuracy']:.1f} {-gains['onset', 'whole']:+.1f}"
    with pytest.raises(LookupError, match="has 0 lines for 'tents'"):
        writing.render("{{people/scores; tents; accuracy; .1f}}")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_score_of_a_table_follows_from_the_predictions_of_its_run(path: Path) -> None:
    predictions = pd.read_csv(REFERENCE / "tables" / "predictions.csv", dtype=str)
    ran = pd.read_csv(path, index_col=0).dropna(subset="accuracy")
    assert len(ran)
    for _, row in ran.iterrows():
        true, named = predictions["true"], predictions[row["run"]]
        told = {"average": "macro", "zero_division": 0}
        assert row["accuracy"] == pytest.approx(100 * accuracy_score(true, named), abs=1e-3)
        assert row["uf1"] == pytest.approx(f1_score(true, named, **told), abs=1e-4)
        assert row["uar"] == pytest.approx(recall_score(true, named, **told), abs=1e-4)


@pytest.mark.parametrize("run", sorted(REFERENCE.glob("04_loso*")), ids=lambda run: run.name)
def test_every_score_of_a_run_follows_from_its_predictions_and_folds(run: Path) -> None:
    told = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    predictions = pd.read_csv(run / "predictions.csv", dtype=str)
    true, named = predictions["true"], predictions["predicted"]
    assert told["accuracy"] == pytest.approx(accuracy_score(true, named), abs=1e-6)
    assert told["uf1"] == pytest.approx(f1_score(true, named, average="macro", zero_division=0), abs=1e-5)
    assert told["uar"] == pytest.approx(recall_score(true, named, average="macro"), abs=1e-5)
    assert told["chance"] == pytest.approx(true.value_counts(normalize=True).max(), abs=1e-6)
    assert predictions["clip"].is_unique
    assert predictions["subject"].nunique() == 26
    assert pd.read_csv(run / "curves.csv")["subject"].nunique() == told["folds"]


def test_what_another_processor_changes_follows_from_both_runs() -> None:
    ours, other = (
        pd.read_csv(REFERENCE / "04_loso" / f"{name}.csv", dtype=str).set_index("clip")
        for name in ("predictions", "other_processor")
    )
    differing = int((ours["predicted"] != other["predicted"].reindex(ours.index)).sum())
    one, two = (f"{(each['predicted'] == each['true']).mean():.3f}" for each in (other, ours))
    told = " ".join((ROOT / "docs" / "running.md").read_text(encoding="utf-8").split())
    assert f"default run {differing} differed; the accuracies were {one} and {two}." in told


def test_one_run_stands_in_readme_and_in_notebooks_04_and_09() -> None:
    run = pd.read_csv(REFERENCE / "04_loso" / "predictions.csv", dtype=str).set_index("clip")["predicted"]
    policies = pd.read_csv(REFERENCE / "09_evaluation_honesty" / "predictions.csv", dtype=str)
    none = policies.query("policy == 'none'").set_index("clip")["predicted"]
    assert none.reindex(run.index).equals(run)
    told = json.loads((REFERENCE / "04_loso" / "metrics.json").read_text(encoding="utf-8"))
    stored = (ROOT / "notebooks" / "04_loso.ipynb").read_text(encoding="utf-8")
    assert f"UF1 {told['uf1']:.3f}, 95 % interval" in stored


def test_what_is_said_of_the_long_run_follows_from_its_files() -> None:
    run = REFERENCE / "04_loso_paper_people"
    ours, svm = (pd.read_csv(run / f"{name}.csv") for name in ("predictions", "linear_svm"))
    assert ours["clip"].tolist() == svm["clip"].tolist()
    gain = (ours["predicted"] == ours["true"]).mean() - (svm["predicted"] == svm["true"]).mean()
    assert pd.read_csv(run / "against_svm.csv")["difference"].item() == pytest.approx(gain)
    curves = pd.read_csv(run / "curves.csv")
    best = curves.loc[curves.groupby("subject")["validation_loss"].idxmin()].set_index("subject")["epoch"]
    told = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    poor = [fold.removesuffix(" (seed 0)") for fold in told["untrained_folds"]]
    page = " ".join((REFERENCE / "README.md").read_text(encoding="utf-8").split())
    low, high = best.drop(poor).min(), best.drop(poor).max()
    first = ", ".join(map(str, sorted(best[poor])[:-1]))
    assert (
        f"best epochs {first} and {max(best[poor])}); the others have best epochs from {low} to {high}"
        in page
    )


def test_policies_score_what_their_predictions_say() -> None:
    folder = REFERENCE / "09_evaluation_honesty"
    told = pd.read_csv(folder / "predictions.csv")
    right = (told["true"] == told["predicted"]).groupby(told["policy"]).mean()
    scores = pd.read_csv(folder / "scores.csv").query("pooling == 'pooled' and score == 'accuracy'")
    assert scores.set_index("policy")["value"].to_dict() == pytest.approx(right.to_dict())
    for pair in pd.read_csv(folder / "pairs.csv").itertuples():
        assert pair.difference == pytest.approx(right[pair.first] - right[pair.second])


def test_no_page_has_a_place_left_open() -> None:
    for page in (REFERENCE / "README.md", ROOT / "README.md", ROOT / "CHANGELOG.md"):
        assert not re.search(r"\{\{|<<\w+>>", page.read_text(encoding="utf-8")), page.name
