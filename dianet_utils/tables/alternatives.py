"""The readings of what the paper leaves open: made ready, tested against the default, written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dianet_utils import run
from dianet_utils.config import Config
from dianet_utils.evaluation import comparison
from dianet_utils.plumbing import machine
from dianet_utils.plumbing.errors import InputError
from dianet_utils.tables.questions import QUESTIONS, Choice, Question, is_default, row_key
from dianet_utils.tables.readable_text import accuracy_text, each, short_text, synthetic_text, write_files
from dianet_utils.tables.rows import TableRow
from dianet_utils.tables.running import Entry, Outcome, prepare
from dianet_utils.tables.summary import ours_of

if TYPE_CHECKING:
    from dianet_utils.dynamic_images import Bank

# Which phase is without the apex frame, and by how many frames its bound moves for that.
_WITHOUT_APEX = {"apex=onset": ("offset", 1), "apex=offset": ("onset", -1)}
_NOTES = (
    "Each interpretation differs from the default in one thing.",
    "Intervals are 95 % percentile bootstraps over subjects.",
    "p: exact permutation test over subjects against the default, corrected by Holm over all of them.",
    "cosine: mean over test clips of the cosine between the two streams' features, before fusion.",
)


def prepare_readings(
    choice: Choice, clips: pd.DataFrame, parameters: Mapping[str, Any], workers: int = 0
) -> tuple[list[Entry], dict[str, str]]:
    """The rows that can run, made ready, and for each that cannot the reason.

    See :func:`~dianet_utils.tables.running.prepare`.

    The default itself must run: what is wrong with it raises InputError. A row whose backbone cannot be
    given its weights, because neither hub nor file is there, is left out with what the loader says.
    """
    left = dict(choice.left)
    plain: list[TableRow] = []
    apex: list[TableRow] = []
    for row in choice.rows:
        problem = _weights_problem(row, parameters) if "pretrained" in row.settings else ""
        if problem:
            left[row.key] = problem
        else:
            (apex if row.key in _WITHOUT_APEX else plain).append(row)
    entries = prepare(plain, clips, parameters, workers)
    for row in apex:
        try:
            bank = _without_apex(row.key, entries[0], clips, workers)
            entries.append(replace(entries[0], row=row, bank=bank))
        except InputError as error:
            left[row.key] = str(error)
    return entries, left


def _weights_problem(row: TableRow, parameters: Mapping[str, Any]) -> str:
    """Why the backbone of a row cannot have its weights, or nothing."""
    from dianet_utils.models import build_model

    try:
        with machine.own_torch_state("cpu"):
            build_model(run.config_of({**parameters, **row.settings}), num_classes=2)
    except InputError as error:
        return str(error)
    return ""


def _without_apex(key: str, default: Entry, clips: pd.DataFrame, workers: int) -> "Bank":
    """The default's images with those of one phase made again without the apex frame."""
    phase, frames = _WITHOUT_APEX[key]
    place = default.config.inputs.index(phase)
    moved = clips.assign(apex=clips["apex"] + frames)
    images = default.bank.images.copy()
    images[:, place] = run.make_bank(moved, default.config, workers).images[:, place]
    return replace(default.bank, images=images)


def against_default(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Each reading against the default, the first of ``outcomes``, on the same clips: one row per reading.

    ``gain`` is the reading's accuracy minus the default's in points, ``gain_low`` and ``gain_high`` its 95 %
    interval, ``p`` that of the permutation test over subjects, ``holm`` the same after Holm's correction over
    all readings.
    """
    default, *others = outcomes
    lines = []
    for other in others:
        key = other.entry.row.key
        pair = comparison.compare({key: other.predictions, "default": default.predictions}).iloc[0]
        gains = {name: 100 * pair[of] for name, of in _GAINS.items()}
        lines.append({"row": key, **gains, "p": pair["p_permutation"]})
    table = pd.DataFrame(lines, columns=["row", *_GAINS, "p"]).set_index("row").astype(float)
    return table.assign(holm=comparison.holm(table["p"].to_numpy()))


_GAINS = {"gain": "difference", "gain_low": "low", "gain_high": "high"}


def readings_table(outcomes: Sequence[Outcome], left: Mapping[str, str]) -> pd.DataFrame:
    """Every question that was asked: one row per reading, the default's in each question.

    ``outcomes`` has the default first; ``left`` says why a reading was not run. Index ``row``; columns
    ``question asks says reading default``, those of :func:`dianet_utils.tables.summary.ours_of`, ``cosine``,
    those of :func:`against_default` and ``left``. What was not run stays empty.
    """
    ran = {outcome.entry.row.key: outcome for outcome in outcomes}
    tests = against_default(outcomes)
    asked = {key.split("=")[0] for key in (*ran, *left)}
    lines = []
    for question in QUESTIONS:
        for key, title, default in _readings(question, outcomes[0].entry.config):
            outcome = outcomes[0] if default else ran.get(key)
            if question.key not in asked or not (outcome or key in left):
                continue
            line: dict[str, Any] = {"row": key, "question": question.key, "asks": question.asks}
            line |= {"says": question.says, "reading": title, "default": default, "left": left.get(key, "")}
            line |= {**ours_of(outcome), "cosine": outcome.cosine} if outcome else {}
            lines.append({**line, **(tests.loc[key] if key in tests.index else {})})
    columns = [*ours_of(outcomes[0]), "cosine", *tests.columns]
    table = pd.DataFrame(lines).set_index("row")
    return table.reindex(columns=[*dict.fromkeys([*table.columns, *columns])])


def _readings(question: Question, base: Config) -> list[tuple[str, str, bool]]:
    """Key, title and whether it is the default of each reading; a default of the user's own comes first."""
    readings = dict(question.readings)
    own = getattr(base, question.setting, "both")
    if own not in readings:
        readings = {own: str(own), **readings}
    return [(row_key(question, v), title, is_default(question, v, base)) for v, title in readings.items()]


def readable_readings(table: pd.DataFrame, question: str | None = None) -> pd.DataFrame:
    """The table, or one of its questions, as texts for people."""
    part = table if question is None else table[table["question"] == question]
    columns = {
        "accuracy % [95 % interval]": each(part, "accuracy low high", accuracy_text),
        "against the default, points": each(part, "gain gain_low gain_high", _gain_text),
        "p (Holm)": each(part, "p holm", "{:.3f} ({:.3f})".format),
        "UF1": each(part, "uf1", "{:.3f}".format),
        "cosine": each(part, "cosine", "{:.2f}".format),
        "parameters": each(part, "parameters", short_text),
        "FLOPs": each(part, "flops", short_text),
    }
    titles = part["reading"].where(~part["default"], part["reading"] + " (default)")
    texts = pd.DataFrame(columns, index=pd.Index(titles, name="interpretation"))
    if part["left"].any():
        texts["not run because"] = part["left"].to_numpy()
    if question is None:
        texts.insert(0, "question", part["asks"].to_numpy())
    return texts


def _gain_text(value: float, low: float, high: float) -> str:
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def write_readings(
    table: pd.DataFrame, data: str, synthetic: bool | None, folder: str | Path
) -> dict[str, Path]:
    """Write ``readings.csv`` (all numbers), ``.md`` and ``.tex`` (texts).

    ``data`` names the clips; None for ``synthetic`` says that it is not known whether they are.
    """
    ran = table.dropna(subset="accuracy").iloc[0]
    label = {
        True: "These are synthetic clips: nothing here is about people. ",
        None: "The origin of these clips is not known. ",
        False: "",
    }[synthetic]
    caption = (
        f"What the paper leaves open. {label}{data}, {ran['clips']:.0f} clips, {ran['folds']:.0f} folds, "
        f"seed {ran['seeds'].replace(' ', ', ')}, chance {ran['chance']:.1f} %."
    )
    numbers = table.assign(data=data, synthetic=synthetic_text(synthetic))
    return write_files(Path(folder) / "readings", numbers, readable_readings(table), caption, _NOTES)
