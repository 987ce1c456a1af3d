"""What the host of the repository reads: forms, updates and a container, each by what it must have."""

import json
from pathlib import Path

import pytest
import yaml

from dianet_utils import paper

ROOT = Path(__file__).resolve().parents[2]
FORMS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    if path.stem != "config"
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_has_what_github_demands(name: str) -> None:
    form = FORMS[name]
    assert {"name", "description", "body"} <= set(form)
    fields = [each["id"] for each in form["body"]]
    assert len(set(fields)) == len(fields)
    assert all(each["attributes"]["label"] for each in form["body"])
    assert any(each.get("validations", {}).get("required") for each in form["body"])


def test_forms_ask_for_the_version_and_name_every_dataset() -> None:
    labels = {name: [each["attributes"]["label"] for each in FORMS[name]["body"]] for name in FORMS}
    assert set(labels) == {"bug", "dataset", "question"}
    assert all(any("dianet --version" in label for label in labels[name]) for name in ("bug", "dataset"))
    (choice,) = (each for each in FORMS["dataset"]["body"] if each["type"] == "dropdown")
    titles = {title for name, title in paper.TITLES.items() if name != "synthetic"}
    assert titles <= set(choice["attributes"]["options"])


def test_pins_and_actions_are_looked_at_monthly() -> None:
    told = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert {each["package-ecosystem"]: each["schedule"]["interval"] for each in told} == {
        "pip": "monthly",
        "github-actions": "monthly",
    }


def test_the_container_makes_the_environment_of_make() -> None:
    told = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    made = told["onCreateCommand"].split("make ")[-1]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert Path(made).name == ".ready"
    assert "READY := $(VENV)/.ready" in makefile
    python = told["image"].split(":")[-1].split("-")[0]
    assert f"python={python}" in (ROOT / "environment.yml").read_text(encoding="utf-8")
