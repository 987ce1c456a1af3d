"""Which rows each of the paper's tables has, and what sets each apart from the default DIANet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dianet_utils import paper
from dianet_utils.config import SYSTEMS, own_code, setting_of, system
from dianet_utils.config.checks import near_match
from dianet_utils.plumbing.errors import InputError


@dataclass(frozen=True)
class TableRow:
    """One row of a table: ``key`` names it among a notebook's ``rows``, ``title`` is for people.

    ``settings`` are what sets it apart from the dataset's default configuration; ``published`` is its
    row in the paper, None where the paper has no such row.
    """

    key: str
    title: str
    settings: Mapping[str, Any]
    published: paper.Row | None = None


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's tables, with the keys of the rows that are run unless others are named.

    ``contrasts`` are the pairs of rows that are tested: what the paper claims, and what decides it. They were
    named before the rows were run on the calibrated synthetic clips.
    """

    number: int
    caption: str
    rows: tuple[TableRow, ...]
    quick: tuple[str, ...]  # at the quick setting
    paper: tuple[str, ...]  # at the paper's
    contrasts: tuple[tuple[str, str], ...]


def _by_name(rows: Iterable[paper.Row]) -> dict[str, paper.Row]:
    return {row.name: row for row in rows}


# Of systems that settle these themselves: a notebook's parameters are for DIANet.
_OWN_BACKBONE: dict[str, Any] = {"backbone": None, "pretrained": None, "frozen": None}


def _table_1() -> PaperTable:
    """Systems, each with the inputs and the image size that it was made for."""
    names = {row.name.lower(): row for row in paper.TABLE_1}
    rows = tuple(_system_row(key, key, row.name, row) for key, row in names.items())
    rivals = tuple(TableRow(key, title, settings) for key, title, settings in _RIVALS)
    keys = tuple(row.key for row in (*rows, *rivals))
    caption = "Five systems, DIANet and simple rivals"
    return PaperTable(
        1, caption, (*rows, *rivals), keys, keys, (("dianet", "fdcn"), ("dianet", "linear_svm"))
    )


# What a network must pass: plain methods on the same images and folds, see ``models/classical.py``.
_RIVALS: tuple[tuple[str, str, dict[str, Any]], ...] = tuple(
    (key, title, {"model": key.split(":")[0], "inputs": inputs, **_OWN_BACKBONE})
    for key, title, inputs in (
        ("linear_svm", "Linear SVM, onset and offset", ("onset", "offset")),
        ("linear_svm:tent", "Linear SVM, onset and offset in one image", ("tent",)),
        ("logistic", "Logistic regression", ("onset", "offset")),
        ("lbp_top", "LBP-TOP and SVM", None),
        ("optical_strain", "Optical strain and SVM", None),
        ("bi_woof", "Bi-WOOF and SVM", None),
    )
)


def _system_row(key: str, model: str, title: str, published: paper.Row | None = None) -> TableRow:
    """A system; the parameters of DIANet's backbone say nothing about one that settles it for itself."""
    settled = [name for name in _OWN_BACKBONE if name in system(model).fixed]
    return TableRow(key, title, {"model": model, **dict.fromkeys(settled)}, published)


# The timm network that stands for each of the paper's backbones, and a small relative for two cores.
BACKBONES = {
    "ResNet18": ("resnet18", "test_resnet"),
    "EfficientNetV2": ("tf_efficientnetv2_b0", "test_efficientnet"),
    "ConvNeXt": ("convnext_tiny", "test_convnext"),
    "MobileViT": ("mobilevit_s", "mobilevit_xxs"),
}


def _table_2() -> PaperTable:
    """Backbones in one and the same DIANet; the small relatives have no published cell."""
    published = _by_name(paper.TABLE_2)
    full = {
        key: TableRow(key, key, {"backbone": key}, published[name]) for name, (key, _) in BACKBONES.items()
    }
    small = {key: _backbone_row(key) for _, key in BACKBONES.values()}
    pairs = [(BACKBONES["EfficientNetV2"], BACKBONES[other]) for other in ("ResNet18", "ConvNeXt")]
    contrasts = tuple((one[size], two[size]) for size in (0, 1) for one, two in pairs)
    rows = (*full.values(), *small.values())
    return PaperTable(2, "Backbones of DIANet", rows, tuple(small), tuple(full), contrasts)


def _backbone_row(name: str) -> TableRow:
    return TableRow(name, name, {"backbone": name})


# Each with the name of its row in the paper, or none.
_FUSIONS = {
    "cross_channel": ("Cross attention over channels", "Cross attention fusion block"),
    "simple": ("Simple attention", "Simple attention block"),
    "concat": ("No exchange", ""),
    "cross_single_token": ("Cross attention, one token", ""),
    "cross_tokens": ("Cross attention over pieces", ""),
    "cross_spatial": ("Cross attention over places", ""),
}
_INPUTS = {
    "whole": ("Whole clip", "DI (whole clip)"),
    "onset": ("Onset", "DI-Onset"),
    "offset": ("Offset", "DI-Offset"),
    "onset+offset": ("Onset and offset", "DI-Onset and DI-Offset"),
    "tent": ("Onset and offset in one image", ""),  # both phases, one stream
    "onset+onset": ("Onset twice", ""),  # two streams, and nothing new for the second to see
    "offset+offset": ("Offset twice", ""),
    "whole+whole": ("Whole clip twice", ""),
}


def _table_3() -> PaperTable:
    """Fusion blocks: the paper's two, and readings that it does not have."""
    published = _by_name(paper.TABLE_3)
    rows = tuple(
        TableRow(key, title, {"fusion": key}, published.get(name)) for key, (title, name) in _FUSIONS.items()
    )
    contrasts = (("cross_channel", "simple"), ("cross_channel", "concat"))
    return PaperTable(3, "Fusion blocks of DIANet", rows, tuple(_FUSIONS), tuple(_FUSIONS), contrasts)


def _table_4() -> PaperTable:
    """Phases: the paper's four; controls with one image, or one phase in both streams; the same by a line."""
    published = _by_name(paper.TABLE_4)
    rows = tuple(
        TableRow(key, title, {"inputs": tuple(key.split("+"))}, published.get(name))
        for key, (title, name) in _INPUTS.items()
    )
    rows += (TableRow("samples", "Onset and offset as two samples", {"model": "one_stream"}),)
    rows += tuple(
        TableRow(
            f"linear_svm:{key}",
            f"Linear SVM, {_INPUTS[key][0][0].lower()}{_INPUTS[key][0][1:]}",
            {"model": "linear_svm", "inputs": tuple(key.split("+")), **_OWN_BACKBONE},
        )
        for key in ("whole", "onset", "offset", "onset+offset", "tent")
    )
    keys = tuple(row.key for row in rows)
    both = "onset+offset"
    return PaperTable(
        4, "Inputs of DIANet", rows, keys, keys, ((both, "onset"), (both, "tent"), ("onset", "whole"))
    )


TABLES = {table.number: table for table in (_table_1(), _table_2(), _table_3(), _table_4())}


def choose(number: int, dataset: str, rows: str | None = None, setting: str | None = None) -> list[TableRow]:
    """The rows of one of the paper's tables that are to be run.

    Args:
        number: The number of the table, 1 to 4.
        dataset: The name of the dataset.
        rows: Keys of rows with commas between; None for the defaults of the setting. More rows than the
            paper's: in Table 1 any system and "my_file.py:MyNet", in Table 2 any backbone of timm, in Table 3
            "my_file.py:MyBlock"; the last two go by the name of their class.
        setting: ``paper`` or ``quick``; None for that of the dataset.

    Returns:
        The rows, in the order given.

    Raises:
        InputError: Once, for all that is wrong.

    Example:
        >>> from dianet_utils import tables
        >>> [row.title for row in tables.choose(4, "synthetic", "whole, onset+offset")]
        ['Whole clip', 'Onset and offset']
        >>> [row.settings["backbone"] for row in tables.choose(2, "casme2")]
        ['resnet18', 'tf_efficientnetv2_b0', 'convnext_tiny', 'mobilevit_s']
        >>> tables.choose(4, "synthetic", "onsets")
        Traceback (most recent call last):
            ...
        dianet_utils.plumbing.errors.InputError: Parameter rows of Table 4: there is no 'onsets' ...
    """
    table = TABLES[number]
    known = {row.key: row for row in table.rows}
    if rows is None:
        return [
            known[key] for key in (table.quick if setting_of(dataset, setting) == "quick" else table.paper)
        ]
    names = [part.strip() for part in rows.split(",") if part.strip()]
    found = {name: known.get(name) or _further_row(number, name) for name in names}
    chosen = [row for row in found.values() if row]
    if problem := _problem(rows, names, found, known):
        also = f", and {_FURTHER[number]}" if number in _FURTHER else ""
        raise InputError(f"Parameter rows of Table {number}: {problem}; rows are {', '.join(known)}{also}.")
    return chosen


def _problem(
    rows: str, names: list[str], found: Mapping[str, TableRow | None], known: Mapping[str, TableRow]
) -> str:
    """What is wrong with the rows ``found`` for ``names``, or nothing."""
    unknown = [f"'{name}'{near_match(name, known)}" for name, row in found.items() if row is None]
    if unknown:
        return f"there is no {', '.join(unknown)}"
    keys = [row.key for row in found.values() if row]
    if not names or len(set(keys)) < len(names):
        return f"{rows!r} must name different rows, at least one"
    taken = [row.key for name, row in found.items() if row and name not in known and row.key in known]
    return f"a class of your own cannot be called {taken[0]}, as a row is" if taken else ""


# What more can be a row, for people.
_FURTHER = {
    1: "any other system, or a network of your own as my_file.py:MyNet",
    2: "any backbone of timm",
    3: "a fusion block of your own as my_file.py:MyBlock",
}


def _further_row(number: int, name: str) -> TableRow | None:
    """A row that the paper does not have, or None."""
    if number == 2:
        return _backbone_row(name) if _is_backbone(name) else None
    if number == 1 and name in SYSTEMS:
        return _system_row(name, name, system(name).network.rpartition(":")[2])
    if number in (1, 3) and own_code.is_own(name):
        reference = own_code.reference(name)
        called = own_code.title(reference)
        block = TableRow(called, called, {"fusion": reference})
        return _system_row(called, reference, called) if number == 1 else block
    return None


def _is_backbone(name: str) -> bool:
    import timm

    return bool(timm.is_model(name))
