"""The project can be cited: its records say the same, and name the paper by what is known of it."""

import json
from pathlib import Path

import yaml
from stamp_address import stamp_text, urls
from test_repository import PROJECT, tomllib

import dianet_utils

ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
ZENODO = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))


def test_citation_zenodo_and_the_package_say_the_same() -> None:
    for name in ("title", "version", "license"):
        assert CITATION[name] == ZENODO[name]
    assert CITATION["type"] == ZENODO["upload_type"] == "software"
    assert [author["name"] for author in CITATION["authors"]] == [each["name"] for each in ZENODO["creators"]]
    assert CITATION["version"] == dianet_utils.__version__
    assert (CITATION["title"], CITATION["license"]) == (PROJECT["description"], PROJECT["license"])


def test_both_name_the_paper() -> None:
    paper = CITATION["preferred-citation"]
    (theirs,) = ZENODO["related_identifiers"]
    assert [each["value"] for each in paper["identifiers"]] == [theirs["identifier"]]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert paper["title"].split(":")[0] in readme
    assert theirs["identifier"].removeprefix("arXiv:") in readme


def test_the_changelog_has_the_notes_of_every_version() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    assert f"## {dianet_utils.__version__}" in lines


def test_an_address_is_stamped_into_pyproject_once(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project.scripts]\na = "b"\n\n[project.optional-dependencies]\ndev = []\n')
    for url in ("https://example.org/git/dianet", "https://github.com/some/name"):
        stamp_text(path, r"^\[project\.urls\]\n(?:.+\n)*", urls(url), after='a = "b"\n')
    told = tomllib.loads(path.read_text())["project"]
    pages = {"Issues": f"{url}/issues", "Changelog": f"{url}/blob/HEAD/CHANGELOG.md"}
    assert told["urls"] == {"Repository": url, **pages}
    assert told["optional-dependencies"] == {"dev": []}
