"""What a table is survives what is done to it; where it cannot be known, everything says so."""

import dataclasses
import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from toy import make_bank, small_config

from dianet_utils import datasets, loso, paper, run, tables
from dianet_utils.datasets.provenance import UNKNOWN
from dianet_utils.models import Cost
from dianet_utils.models.model_card import model_card
from dianet_utils.plots import results as result_plots
from dianet_utils.plots import tables as table_plots


@pytest.fixture(scope="module")
def samm(official: dict[str, Path]) -> pd.DataFrame:
    """Generated clips in the layout of SAMM."""
    return datasets.select(datasets.load("samm", official["samm"]))[0]


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def reread(clips: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(clips.to_csv()), dtype={"subject": str}).set_index("clip")


def with_ages(clips: pd.DataFrame) -> pd.DataFrame:
    ages = pd.DataFrame({"subject": clips["subject"].unique(), "age": 30})
    return clips.reset_index().merge(ages, on="subject").set_index("clip")


WAYS = {
    "merge": with_ages,
    "concat": lambda clips: pd.concat([clips.iloc[:9], clips.iloc[9:]]),
    "sort": lambda clips: clips.sort_values("emotion"),
    "filter": lambda clips: clips[clips["emotion"] != "surprise"],
    "select": lambda clips: datasets.select(clips, min_class_size=1)[0],
    "reset": lambda clips: clips.reset_index().set_index("clip"),
    "CSV": reread,
    "text": lambda clips: clips.astype({"synthetic": str}),
    "records": lambda clips: pd.DataFrame(clips.to_dict("records")),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_origin_survives(way: str, samm: pd.DataFrame) -> None:
    changed = WAYS[way](samm)
    changed.attrs = {}
    assert datasets.origin(changed) == "samm"
    assert datasets.is_synthetic(changed) is True
    assert datasets.title(changed) == "synthetic clips in the layout of SAMM"
    recorded = WAYS[way](samm.assign(synthetic=False))
    assert datasets.is_synthetic(recorded) is False
    assert (datasets.title(recorded), datasets.is_comparable(recorded)) == ("SAMM", True)


def test_merged_classes_are_named_after_a_round_trip(samm: pd.DataFrame) -> None:
    merged, _ = datasets.merge_emotions(samm.assign(synthetic=False))
    assert datasets.title(reread(merged)) == "SAMM, 3 classes (MEGC 2019)"
    assert not datasets.is_comparable(merged)


def outer(clips: pd.DataFrame) -> pd.DataFrame:
    """An outer merge with somebody whom the table does not have."""
    notes = pd.DataFrame({"subject": [*clips["subject"].unique(), "stranger"], "age": 30})
    return clips.reset_index().merge(notes, on="subject", how="outer").set_index("clip")


UNTOLD = {
    "outer merge": outer,
    "no column": lambda clips: clips.drop(columns=["dataset", "synthetic"]),
    "no dataset": lambda clips: clips.drop(columns="dataset"),
    "no flag": lambda clips: clips.drop(columns="synthetic"),
    "blank": lambda clips: clips.assign(dataset=["", *clips["dataset"][1:]]),
    "no rows": lambda clips: clips.iloc[:0],
}


@pytest.mark.parametrize("way", UNTOLD)
def test_what_cannot_be_known_is_called_so_and_compared_with_nothing(way: str, samm: pd.DataFrame) -> None:
    untold = UNTOLD[way](samm.assign(synthetic=False))
    assert datasets.origin(untold) == datasets.title(untold) == UNKNOWN
    assert not datasets.is_comparable(untold)
    assert set(datasets.compare_counts("samm", untold)["verdict"]) == {"no published count"}


def moved(clips: pd.DataFrame, place: str) -> pd.DataFrame:
    """Other recordings: a composite takes none twice."""
    return clips.assign(frames=place + clips["frames"])


def test_one_clip_that_is_known_to_be_synthetic_is_enough(samm: pd.DataFrame) -> None:
    assert datasets.title(outer(samm)) == "unknown origin, partly synthetic"
    mixed = samm.assign(synthetic=[True] + [False] * (len(samm) - 1))
    assert datasets.title(mixed) == "partly synthetic SAMM"
    assert datasets.is_synthetic(mixed) is True
    recorded = moved(samm, "b").assign(dataset="casme2", synthetic=False)
    both = datasets.combine({"samm": samm, "casme2": recorded})
    assert datasets.title(both) == "CASME-II + synthetic clips in the layout of SAMM"
    assert not datasets.is_comparable(both)


def test_a_composite_keeps_the_datasets_of_its_rows(samm: pd.DataFrame) -> None:
    """What the parts are called by the caller does not make them something else."""
    others = {"samm-2": moved(samm, "b"), "x": moved(samm, "c").assign(dataset="casme2")}
    twice = datasets.combine({"samm": samm, **others})
    assert datasets.origin(twice) == "samm+samm-2+casme2"
    unknown = datasets.combine({"samm": samm, "casme2": moved(samm, "b").drop(columns="dataset")})
    assert datasets.title(unknown) == "unknown origin, partly synthetic"


def test_the_bank_and_the_name_of_a_run_do_not_depend_on_the_origin(tiny_synthetic: Path) -> None:
    clips = datasets.select(datasets.load("synthetic", tiny_synthetic))[0]
    config = small_config()
    bank = run.make_bank(clips, config, 1, shown=False)
    bare = clips.drop(columns=["dataset", "synthetic"])
    other = run.make_bank(bare, config, 1, shown=False)
    assert other.fingerprint == bank.fingerprint
    assert loso.run_name(other, config) == loso.run_name(bank, config)


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> list[tables.Outcome]:
    """One row of Table 4 on clips that do not tell where they come from."""
    bank = make_bank()
    bank = dataclasses.replace(bank, clips=bank.clips.assign(dataset=[np.nan, *bank.clips["dataset"][1:]]))
    bank = dataclasses.replace(bank, clips=bank.clips.drop(columns="synthetic"))
    (row,) = tables.choose(4, "synthetic", "onset+offset")
    entry = tables.Entry(row, small_config(epochs=1), bank, Cost(1, 1))
    place = tmp_path_factory.mktemp("unknown")
    return tables.run_rows([entry], place, max_folds=2, workers=1, device="cpu")


def test_metrics_tables_and_figures_say_that_the_origin_is_unknown(
    unknown: list[tables.Outcome], tmp_path: Path
) -> None:
    metrics = unknown[0].metrics
    assert (metrics["dataset"], metrics["synthetic"]) == (UNKNOWN, None)
    summary = tables.summarise(4, unknown)
    assert not summary.rows["comparable"].dropna().any()
    paths = tables.write(summary, tmp_path)
    assert f"{UNKNOWN}, not comparable" in paths["md"].read_text()
    assert "The origin of these clips is not known" in paths["tex"].read_text()
    numbers = pd.read_csv(paths["csv"])
    assert (set(numbers["data"]), set(numbers["synthetic"])) == ({UNKNOWN}, {"unknown"})
    drawn = texts(table_plots.draw_table(summary))
    assert f"ours, {UNKNOWN},\nnot comparable" in drawn
    title = datasets.title(unknown[0].entry.bank.clips)
    against = texts(result_plots.draw_against_paper(metrics, title))
    assert UNKNOWN in against
    assert "Do not compare" in against
    confusion = result_plots.draw_confusion(np.eye(3, dtype=int), ["a", "b", "c"], title)
    assert UNKNOWN in texts(confusion)


def test_a_model_says_that_it_is_not_known_what_it_has_seen() -> None:
    about = {"trained_on": UNKNOWN, "clips": 3, "subjects": 2, "data_fingerprint": "0", "loso": None}
    cards = {flag: model_card(small_config(), ["a"], {**about, "synthetic": flag}) for flag in (None, True)}
    assert "not known where its clips come from" in cards[None]
    assert "generated faces only" in cards[True]


@pytest.mark.parametrize("name", paper.DATASETS)
def test_recorded_clips_of_the_papers_datasets_are_comparable(name: str, samm: pd.DataFrame) -> None:
    assert datasets.is_comparable(samm.assign(dataset=name, synthetic=False))
    assert not datasets.is_comparable(samm.assign(dataset="smic", synthetic=False))
