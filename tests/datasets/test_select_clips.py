"""From a notebook's parameters to its clips: one dataset or several, with or without merged classes."""

from pathlib import Path

import pytest

from dianet_utils import datasets, run, synthetic
from dianet_utils.plumbing.errors import InputError


def test_one_dataset_is_what_select_keeps(tiny_synthetic: Path) -> None:
    kept, left_out = run.select_clips({"dataset": "synthetic", "data_root": tiny_synthetic})
    expected, dropped = datasets.select(datasets.load("synthetic", tiny_synthetic))
    assert kept.equals(expected)
    assert left_out.equals(dropped)


def test_a_composite_of_merged_classes(tiny_synthetic: Path) -> None:
    given = {"dataset": "synthetic", "data_root": tiny_synthetic, "merge": "megc2019"}
    alone, _ = run.select_clips(given)
    assert set(alone["emotion"]) == {"negative", "positive", "surprise"}
    both, _ = run.select_clips({**given, "composite": f"synthetic={tiny_synthetic}"})
    assert len(both) == 2 * len(alone)
    assert both["subject"].nunique() == 2 * alone["subject"].nunique()
    assert both["source"].value_counts().to_dict() == {"synthetic": len(alone), "synthetic-2": len(alone)}
    assert "synthetic" in datasets.title(both)
    assert "3 classes" in datasets.title(both)


def test_classes_that_are_rare_alone_are_merged(tmp_path: Path) -> None:
    """Selection by itself leaves a class of fewer than ten clips out; the merged classes have them."""
    small = {"subjects": 4, "class_sizes": (10, 10, 10, 3, 10), "size": 48, "duration": (16, 18)}
    root = synthetic.generate(synthetic.Settings(**small), tmp_path / "clips", workers=1, shown=False)
    given = {"dataset": "synthetic", "data_root": root}
    assert "repression" not in set(run.select_clips(given)[0]["emotion"])
    merged, _ = run.select_clips({**given, "merge": "megc2019"})
    assert merged["label"].value_counts()["repression"] == 3


def test_a_composite_without_a_folder_is_refused(tiny_synthetic: Path) -> None:
    with pytest.raises(InputError, match="has 'samm' where it needs a dataset as NAME=FOLDER"):
        run.select_clips({"data_root": tiny_synthetic, "composite": "samm"})
