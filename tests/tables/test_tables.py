"""The paper's tables run again: every row there, nothing run twice, nothing invented, nothing mislabelled."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from own import write_example

from dianet_utils import config, datasets, evaluation, loso, models, paper, run, tables
from dianet_utils.evaluation import comparison
from dianet_utils.loso import training
from dianet_utils.models.layer_table import layers
from dianet_utils.plots import compared_systems as system_plots
from dianet_utils.plots import tables as plots
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError
from dianet_utils.tables import published_cells, running

SMALL = {
    "dataset": "synthetic",
    "split": "loso",
    "image_size": 32,
    "epochs": 1,
    "batch_size": 16,
    "hidden": 16,
}
PUBLISHED = {1: paper.TABLE_1, 2: paper.TABLE_2, 3: paper.TABLE_3, 4: paper.TABLE_4}
NETWORKS = sorted(name for name, system in config.SYSTEMS.items() if system.learner == "network")


@pytest.fixture(scope="module", autouse=True)
def without_cells_of_the_reader() -> Iterator[None]:
    """Whoever has filled in cells of the paper has the same tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(published_cells, "NAME", "none.csv")
        yield


@pytest.fixture(scope="module")
def kept(tiny_synthetic: Path) -> pd.DataFrame:
    return datasets.select(datasets.load("synthetic", tiny_synthetic))[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def run_table(
    number: int, rows: str, clips: pd.DataFrame, place: Path, **given: object
) -> list[tables.Outcome]:
    entries = tables.prepare(tables.choose(number, "synthetic", rows), clips, SMALL, 1)
    return tables.run_rows(entries, place, **{"max_folds": 2, "workers": 1, "device": "cpu", **given})


@pytest.fixture(scope="module")
def outcomes(kept: pd.DataFrame, place: Path) -> list[tables.Outcome]:
    return run_table(3, "simple,concat", kept, place)


@pytest.fixture(scope="module")
def summary(outcomes: list[tables.Outcome]) -> tables.Summary:
    return tables.summarise(3, outcomes)


def test_the_papers_setting_chooses_the_papers_rows_and_a_file_of_its_own(kept: pd.DataFrame) -> None:
    licensed = [row.key for row in tables.choose(2, "samm")]
    assert [row.key for row in tables.choose(2, "synthetic", setting="paper")] == licensed
    assert next(row.key for row in tables.choose(2, "samm", setting="quick")).startswith("test_")
    given = SMALL | {"setting": "paper", "image_size": 48, "pretrained": "none"}
    (entry,) = tables.prepare(tables.choose(2, "synthetic", "test_resnet"), kept, given, 1)
    assert (entry.config.optimiser, entry.config.image_size) == ("adam", 48)


def test_a_selection_gives_a_table_files_of_its_own(
    tiny_synthetic: Path, place: Path, outcomes: list[tables.Outcome]
) -> None:
    given = {"dataset": "synthetic", "data_root": str(tiny_synthetic), "selection": "exclude=s01/clip01"}
    clips, _ = run.select_clips(run.check_parameters(given))
    chosen = tables.summarise(3, run_table(3, "simple", clips, place))
    usual = tables.summarise(3, outcomes)
    assert usual.stem == "32px-table3"
    assert chosen.stem.startswith("32px-selection=")
    assert chosen.stem.endswith("-table3")
    assert chosen.data == f"{usual.data}, exclude=s01/clip01"
    assert set(chosen.rows["run"].dropna()).isdisjoint(usual.rows["run"].dropna())


def test_a_row_that_names_one_class_says_so(outcomes: list[tables.Outcome]) -> None:
    said = [
        dataclasses.replace(each, metrics={**each.metrics, "one_answer": "disgust"}) for each in outcomes[:1]
    ]
    told = "every fold names one class whatever the clip shows (disgust)"
    assert sum(told in note for note in tables.notes(tables.summarise(3, [*said, *outcomes[1:]]))) == 1


def test_synthetic_tables_leave_out_groups_of_people_and_licensed_ones_one_person() -> None:
    assert tables.split_of({"dataset": "synthetic"}) == tables.split_of({}) == "kfold:5"
    assert tables.split_of({"dataset": "casme2"}) == tables.split_of({"dataset": "clips.csv"}) == "loso"
    assert tables.split_of({"dataset": "synthetic", "split": "loso"}) == "loso"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_published_row_is_there_once(number: int) -> None:
    found = [row.published for row in tables.TABLES[number].rows if row.published]
    assert sorted(row.name for row in found) == sorted(row.name for row in PUBLISHED[number])
    licensed = tables.choose(number, "samm")
    assert [row for row in licensed if row.published] == [
        row for row in tables.TABLES[number].rows if row.published
    ]


@pytest.mark.parametrize("dataset", ["synthetic", *paper.DATASETS])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_row_is_a_configuration_of_its_own(number: int, dataset: str) -> None:
    configs = [config.configure(dataset, **row.settings) for row in tables.TABLES[number].rows]
    assert len(set(configs)) == len(configs)
    default = config.configure(dataset)
    assert default in [config.configure(dataset, **row.settings) for row in tables.choose(number, dataset)]


def test_rows_agree_with_the_rooms_that_know_their_names() -> None:
    assert {row.key.split(":")[0] for row in tables.TABLES[1].rows} <= set(config.SYSTEMS)
    chosen = tables.choose(1, "synthetic", ",".join(config.SYSTEMS))
    assert [row.settings["model"] for row in chosen] == list(config.SYSTEMS)
    assert {row.key for row in tables.TABLES[3].rows} == set(config.FUSIONS)


@pytest.mark.parametrize(
    ("number", "rows", "told"),
    [
        (1, "learnt,dianet", r"there is no 'learnt' \(did you mean 'learnet'\?\)"),
        (
            2,
            "resnet18,resnet_18",
            r"there is no 'resnet_18' \(did you mean 'resnet18'\?\).* any backbone of timm",
        ),
        (3, "cross,simpel", r"no 'cross', 'simpel' \(did you mean 'simple'\?\)"),
        (4, "onset,onset", "must name different rows"),
        (4, " , ", "must name different rows, at least one"),
    ],
)
def test_a_wrong_row_is_one_error_with_a_near_match(number: int, rows: str, told: str) -> None:
    with pytest.raises(InputError, match=f"rows of Table {number}: .*{told}"):
        tables.choose(number, "synthetic", rows)


def test_rows_come_in_the_order_asked_and_any_timm_network_is_one() -> None:
    assert [row.key for row in tables.choose(4, "synthetic", "offset, whole")] == ["offset", "whole"]
    (row,) = tables.choose(2, "synthetic", "convnext_femto")
    assert (row.settings, row.published) == ({"backbone": "convnext_femto"}, None)


def test_a_network_and_a_fusion_block_of_ones_own_are_rows(
    kept: pd.DataFrame, place: Path, tmp_path: Path
) -> None:
    files = {1: write_example("MyNet", tmp_path), 3: write_example("MyBlock", tmp_path, "my_block.py")}
    (outcome,) = run_table(1, files[1], kept, place, max_folds=1)
    (entry,) = tables.prepare(tables.choose(3, "synthetic", files[3]), kept, SMALL, 1)
    assert (entry.row.title, entry.config.model) == ("MyBlock", "dianet")
    listed = tables.overview([outcome.entry, entry])
    assert listed["model"].tolist() == ["MyNet", "dianet"]
    assert listed["status"].tolist() == ["own", "reconstruction"]
    assert listed["fusion"].tolist() == ["own", "MyBlock"]
    summary = tables.summarise(1, [outcome])
    assert summary.rows.loc["MyNet", ["system", "status"]].tolist() == ["MyNet", "own"]
    assert str(tmp_path) not in summary.rows.to_csv()
    assert tables.readable(summary).iloc[0].tolist()[-3:] == ["not in the paper"] * 3


def test_rows_of_ones_own_bear_names_of_their_own(tmp_path: Path) -> None:
    mine, again = write_example("MyNet", tmp_path), write_example("MyNet", tmp_path, "again.py")
    with pytest.raises(InputError, match="must name different rows"):
        tables.choose(1, "synthetic", f"{mine},{again}")
    (tmp_path / "dianet.py").write_text("class dianet:\n    pass\n")
    with pytest.raises(InputError, match="a class of your own cannot be called dianet, as a row is"):
        tables.choose(1, "synthetic", f"{tmp_path / 'dianet.py'}:dianet")
    with pytest.raises(InputError, match=r"There is no file .*none.py"):
        tables.choose(3, "synthetic", f"{tmp_path / 'none.py'}:MyBlock")


def test_rows_that_cannot_run_are_told_together_before_any_is_trained(kept: pd.DataFrame) -> None:
    rows = tables.choose(2, "synthetic", "test_vit3,test_resnet,test_vit_relpos")
    with pytest.raises(
        InputError, match=r"leave them out with rows=(?s:.*)test_vit3: (?s:.*)test_vit_relpos: "
    ):
        tables.prepare(rows, kept, SMALL, 1)
    without = kept.drop(columns="gender")
    with pytest.raises(InputError, match=r"geme: .*gender"):
        tables.prepare(tables.choose(1, "synthetic", "geme"), without, SMALL, 1)


def test_a_row_is_the_run_of_notebook_04(kept: pd.DataFrame, place: Path) -> None:
    (entry,) = tables.prepare(tables.choose(4, "synthetic", "onset+offset"), kept, SMALL, 1)
    wanted = run.config_of(SMALL)
    assert entry.config == wanted
    assert loso.run_name(entry.bank, entry.config) == loso.run_name(run.make_bank(kept, wanted, 1), wanted)


def test_rows_share_the_images_they_share(kept: pd.DataFrame) -> None:
    one, two = tables.prepare(tables.choose(3, "synthetic", "simple,concat"), kept, SMALL, 1)
    assert one.bank is two.bank


def test_genders_stay_only_with_the_system_that_learns_them(kept: pd.DataFrame, place: Path) -> None:
    """LEARNet and GEME read the same images, and yet their banks are two: only one may depend on genders."""
    given = {name: value for name, value in SMALL.items() if name != "hidden"}
    learnet, geme = tables.prepare(tables.choose(1, "synthetic", "learnet,geme"), kept, given, 1)
    assert "gender" not in learnet.bank.clips
    assert "gender" in geme.bank.clips
    np.testing.assert_array_equal(learnet.bank.images, geme.bank.images)
    (outcome,) = tables.run_rows([geme], place, max_folds=1, workers=1, device="cpu")
    assert outcome.metrics["n"] == 6


def test_a_table_run_again_trains_nothing(
    kept: pd.DataFrame, place: Path, outcomes: list[tables.Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> dict:
        raise AssertionError("a fold was trained twice")

    monkeypatch.setattr(training, "train_fold", never)
    again = tables.summarise(3, run_table(3, "simple,concat", kept, place))
    pd.testing.assert_frame_equal(again.rows, tables.summarise(3, outcomes).rows)


def test_seeds_and_folds_beyond_those_asked_for_stay_out(
    kept: pd.DataFrame, place: Path, outcomes: list[tables.Outcome]
) -> None:
    run_table(3, "simple", kept, place, seeds=(0, 1), max_folds=3)
    (again,) = run_table(3, "simple", kept, place)
    pd.testing.assert_frame_equal(again.predictions, outcomes[0].predictions)
    assert again.metrics == outcomes[0].metrics


def test_several_seeds_are_pooled_and_their_spread_is_told(
    kept: pd.DataFrame, place: Path, tmp_path: Path
) -> None:
    outcomes = run_table(3, "simple", kept, place, seeds=(0, 1), max_folds=3)
    row = tables.summarise(3, outcomes).rows.loc["simple"]
    table = outcomes[0].predictions
    one, two = (100 * np.mean(part["true"] == part["predicted"]) for _, part in table.groupby("seed"))
    assert row["accuracy"] == pytest.approx((one + two) / 2, abs=1e-3)
    assert row["by_seed"] == f"{one:.1f} {two:.1f}"
    summary = tables.summarise(3, outcomes)
    assert "seeds 0, 1 pooled" in tables.write(summary, tmp_path)["md"].read_text()
    assert tables.readable(summary)["by seed"].tolist()[0] == row["by_seed"]


def test_our_numbers_are_those_of_the_predictions(
    outcomes: list[tables.Outcome], summary: tables.Summary, kept: pd.DataFrame
) -> None:
    for outcome in outcomes:
        row = summary.rows.loc[outcome.entry.row.key]
        expected = evaluation.metrics(outcome.predictions, sorted(kept["emotion"].unique()))
        assert row["accuracy"] == 100 * expected["accuracy"]
        assert [row["low"], row["high"]] == [100 * end for end in expected["intervals"]["accuracy"]]
        assert (row["uf1"], row["uar"], row["clips"]) == (expected["uf1"], expected["uar"], expected["n"])
        assert row["seconds"] > 0
        assert row["parameters"] == outcome.entry.cost.parameters


def test_the_time_of_a_fold_is_that_of_the_quickest_seed() -> None:
    """A seed that ran beside other work, or one fold that did, does not count."""
    times = {0: (3.0, 2.0, 50.0), 1: (90.0, 80.0, 1.0)}
    folds = [{"seed": seed, "seconds": each} for seed, of in times.items() for each in of]
    assert running._seconds(folds) == 3.0
    assert running._seconds([*folds, {"seed": 1}]) is None


def test_rows_of_the_paper_that_were_not_run_stay_empty(summary: tables.Summary) -> None:
    absent = summary.rows.loc["cross_channel"]
    assert absent[["accuracy", "uf1", "parameters", "run"]].isna().all()
    assert absent["mmew"] == 64.24
    assert tables.readable(summary).loc["Cross attention over channels"].tolist()[:6] == ["-"] * 6


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_published_cells_keep_value_and_kind_and_unknown_ones_no_number(
    number: int, outcomes: list[tables.Outcome]
) -> None:
    rows = [dataclasses.replace(outcomes[0].entry, row=row) for row in tables.TABLES[number].rows]
    filled = tables.summarise(number, [dataclasses.replace(outcomes[0], entry=entry) for entry in rows])
    texts = (
        tables.readable(filled)
        .iloc[:, -3:]
        .set_axis(list(paper.DATASETS), axis=1)
        .set_axis(filled.rows.index)
    )
    for row in tables.TABLES[number].rows:
        for name in paper.DATASETS:
            cell = getattr(row.published, name, None)
            text = texts.loc[row.key, name]
            if cell is None:
                assert text == "not in the paper"
            elif cell.kind == "unknown":
                assert text == "unknown"
                assert pd.isna(filled.rows.loc[row.key, name])
            elif cell.kind == "bound":
                ends = (
                    f"below {cell.value:.2f}"
                    if cell.lower is None
                    else f"{cell.lower:.2f} to {cell.value:.2f}"
                )
                assert text == f"{ends} (bound)"
            else:
                assert text == f"{cell.value:.2f} {cell.kind}"


def test_cells_of_the_reader_stand_in_table_notes_and_figure(
    outcomes: list[tables.Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "DATA", tmp_path)
    (tmp_path / published_cells.NAME).write_text("table,row,dataset,accuracy\n2,MobileViT,samm,61.25\n")
    (row,) = tables.choose(2, "synthetic", "mobilevit_s")
    entry = dataclasses.replace(outcomes[0].entry, row=row)
    filled = tables.summarise(2, [dataclasses.replace(outcomes[0], entry=entry)])
    assert tables.readable(filled).loc["mobilevit_s"].tolist()[-2] == "61.25 filled by the reader"
    assert any(note.startswith("mobilevit_s, SAMM: before: below 68.89") for note in tables.notes(filled))
    shown = plots.draw_table(filled).legends[0].texts
    assert shown[-1].get_text() == "filled by the reader"
    without = plots.draw_table(tables.summarise(3, outcomes)).legends[0].texts
    assert "filled by the reader" not in [text.get_text() for text in without]


def test_written_files_say_what_they_hold(summary: tables.Summary, tmp_path: Path) -> None:
    paths = tables.write(summary, tmp_path)
    assert "sd over seeds" not in tables.readable(summary)  # of one seed there is none
    assert {path.name for path in paths.values()} == {f"32px-table3.{end}" for end in ("csv", "md", "tex")}
    numbers = pd.read_csv(paths["csv"], index_col="row")
    assert numbers.index.tolist() == summary.rows.index.tolist()
    assert numbers["synthetic"].all()
    assert not numbers["comparable"].dropna().astype(bool).any()
    np.testing.assert_allclose(numbers["accuracy"], summary.rows["accuracy"], atol=1e-4)
    lines = [line for line in paths["md"].read_text().splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) == 2 + len(summary.rows)
    for kind in ("md", "tex"):
        text = paths[kind].read_text()
        assert "synthetic" in text
        assert "not comparable" in text
        assert "70.00 printed" in text
        assert "printed: stands in the paper's text" in text
    body = [line for line in paths["tex"].read_text().splitlines() if line.endswith(r"\\")]
    assert len({line.count("&") for line in body}) == 1


def licensed(outcomes: Sequence[tables.Outcome], name: str) -> list[tables.Outcome]:
    """The same outcomes as if their clips were a licensed dataset's."""
    changed = []
    for outcome in outcomes:
        clips = outcome.entry.bank.clips.assign(dataset=name, synthetic=False)
        bank = dataclasses.replace(outcome.entry.bank, clips=clips)
        changed.append(dataclasses.replace(outcome, entry=dataclasses.replace(outcome.entry, bank=bank)))
    return changed


def test_a_licensed_result_is_comparable_only_with_every_subject(
    outcomes: list[tables.Outcome], kept: pd.DataFrame
) -> None:
    part = tables.summarise(3, licensed(outcomes, "samm"))
    assert (part.data, part.synthetic) == ("SAMM", False)
    assert not part.rows["comparable"].dropna().any()
    whole = [
        dataclasses.replace(outcome, metrics={**outcome.metrics, "folds": kept["subject"].nunique()})
        for outcome in licensed(outcomes, "samm")
    ]
    assert tables.summarise(3, whole).rows["comparable"].dropna().all()
    split = [
        dataclasses.replace(
            outcome,
            entry=dataclasses.replace(
                outcome.entry, config=dataclasses.replace(outcome.entry.config, split="kfold:5")
            ),
            metrics={**outcome.metrics, "split": "kfold:5"},
        )
        for outcome in whole
    ]
    other = tables.summarise(3, split)
    assert not other.rows["comparable"].dropna().any()
    assert (other.data, other.stem) == ("SAMM, split kfold:5", "kfold-5-32px-table3")
    assert "SAMM, split kfold:5, not comparable" in tables.readable(other).columns[0]
    assert "not comparable" not in tables.readable(part).columns[0]


def test_figures_label_synthetic_clips_and_show_what_is_not_known(
    outcomes: list[tables.Outcome], summary: tables.Summary
) -> None:
    figure = plots.draw_table(summary)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[0] == "ours, SYNTHETIC,\nnot comparable"
    assert [title.split("\n")[1] for title in titles[1:]] == ["CASME-II", "SAMM", "MMEW"]
    assert "not run" in [text.get_text() for text in figure.axes[0].texts]
    faces = {}
    for told in ("", None, float("nan"), "s01 (seed 0)"):
        rows = summary.rows.assign(untrained_folds=pd.Series([told] * len(summary.rows), summary.rows.index))
        drawn = plots.draw_table(dataclasses.replace(summary, rows=rows))
        faces[str(told)] = drawn.axes[0].containers[0].lines[0].get_markerfacecolor()
    assert [name for name, face in faces.items() if face == "white"] == ["s01 (seed 0)"]
    beside = plots.draw_table(tables.summarise(3, licensed(outcomes, "samm")))
    ours = [len(ax.containers) for ax in beside.axes]
    assert ours == [0, 2, 0]
    pairs = comparison.compare({outcome.entry.row.key: outcome.predictions for outcome in outcomes})
    drawn = plots.draw_pairs(pairs, summary.rows["system"].to_dict(), summary.data)
    assert "synthetic clips" in drawn.get_suptitle()
    name = pairs_clip(outcomes)
    entries = [outcome.entry for outcome in outcomes]
    assert system_plots.draw_inputs(entries, name).get_suptitle() == f"synthetic clip {name}"
    assert plots.draw_pairs(pairs.iloc[:0], {}, summary.data).axes
    assert plots.draw_cost(summary).axes
    clips = entries[0].bank.clips.assign(synthetic=False)
    recorded = dataclasses.replace(entries[0], bank=dataclasses.replace(entries[0].bank, clips=clips))
    assert system_plots.draw_inputs([recorded], name).get_suptitle() == f"clip {name}"


def pairs_clip(outcomes: list[tables.Outcome]) -> str:
    return str(outcomes[0].entry.bank.clips.index[0])


def test_a_phase_twice_is_the_same_image_in_both_streams(kept: pd.DataFrame) -> None:
    """The control for doubled capacity: two streams, one image, no inconsistency."""
    (entry,) = tables.prepare(tables.choose(4, "synthetic", "whole+whole"), kept, SMALL, 1)
    images = entry.bank.images
    assert images.shape[1] == 2
    np.testing.assert_array_equal(images[:, 0], images[:, 1])
    model = models.build_model(entry.config, len(entry.bank.classes)).eval()
    with torch.no_grad():
        features = model(torch.from_numpy(images[:4])).features
    assert models.losses.consistency_loss(features).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_account_for_every_parameter(name: str) -> None:
    settings = config.configure(model=name)
    network = models.build_model(settings, 5)
    table = layers(network, len(settings.inputs), settings.image_size)
    assert table["parameters"].sum() == sum(parameter.numel() for parameter in network.parameters())
    assert table["side"].iloc[0] <= settings.image_size
    assert 5 in table["channels"].tolist()
    assert not any(module._forward_hooks for module in network.modules())
    assert system_plots.draw_layers({name: table}).axes
