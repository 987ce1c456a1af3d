"""Tiny datasets that the tests share."""

from pathlib import Path

import matplotlib
import pytest
from hypothesis import settings

from dianet_utils import synthetic
from dianet_utils.config import own_tables
from dianet_utils.synthetic.releases.official import write_official

# The same examples on every run: what fails in one place fails everywhere. How long one takes is no test.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
matplotlib.use("agg")  # figures of tests need no window, which a system without a screen could not open

TINY = synthetic.Settings(
    subjects=5, clips_per_emotion=2, emotions=("disgust", "happiness", "surprise"), size=64, duration=(16, 24)
)


@pytest.fixture(scope="session")
def tiny_synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty small clips of five subjects, in the generator's own layout."""
    return synthetic.generate(TINY, tmp_path_factory.mktemp("synthetic") / "data", workers=1, shown=False)


@pytest.fixture(autouse=True)
def notes_of_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test notes the tables that it reads in a folder of its own, not in ``results``."""
    monkeypatch.setattr(own_tables, "_note", lambda folder: tmp_path / "notes" / f"{folder.name}.txt")


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same kind of clips in the three official layouts."""
    folder = tmp_path_factory.mktemp("official")
    return {
        name: write_official(name, folder / name, TINY, progress=False) for name in ("casme2", "samm", "mmew")
    }
