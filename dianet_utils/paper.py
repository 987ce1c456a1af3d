"""The paper as data: every published number with how it is known, and the protocol's constants.

Khuong, Nguyen, Man, Le and Ngo, "DIANet: A Phase-Aware Dual-Stream Network for Micro-Expression
Recognition via Dynamic Images", 4DMR@IJCAI 2025, CEUR-WS Vol-4115, arXiv 2510.12219.

A number is never shown without its kind. The text that this project had of the paper had lost its tables,
so some cells are only bounded by the prose here. The paper is open access: the cells can be read at
https://ceur-ws.org/Vol-4115/ and https://arxiv.org/abs/2510.12219, and filled in by a reader, see
:mod:`dianet_utils.tables.published_cells`.
"""

from dataclasses import dataclass
from typing import Any, Literal

DATASETS = ("casme2", "samm", "mmew")
# Every dataset that can be named; the paper has results on DATASETS alone.
TITLES = {
    "synthetic": "synthetic clips",
    "casme2": "CASME-II",
    "samm": "SAMM",
    "mmew": "MMEW",
    "smic": "SMIC-HS",
    "casme3": "CAS(ME)^3 part A",
}

# What explains that a copy gives another number of clips than the sheet of the paper's counts.
EDITIONS = {
    "casme2": {
        241: "the sheet probably gives an apex to one clip more than that of 2014 (20140508)",
        243: "the sheet is probably that of 2019, which calls three sad clips surprise",
    }
}

# Section 3.1: classes with fewer samples than this are excluded.
MIN_CLASS_SIZE = 10

# Section 3.4 (and section 3.1 for the augmentation). The other defaults are in config/defaults.py.
PROTOCOL = {
    "image_size": 224,
    "optimiser": "adam",
    "learning_rate": 1e-4,
    "batch_size": 32,
    "epochs": 50,
    "flip": True,
    "degrees": 10.0,
}

Basis = Literal["printed", "our interpretation", "ours"]
# What each default on licensed data rests on: ``printed`` in the paper; ``our interpretation`` where it
# speaks of the matter and leaves it open; ``ours`` where it says nothing.
BASIS: dict[str, Basis] = {
    **dict.fromkeys(PROTOCOL, "printed"),
    "model": "printed",
    "inputs": "printed",  # Eq. 2 and 3
    "weighting": "printed",  # Eq. 1
    "split": "printed",  # section 3.2
    "temporal": "our interpretation",  # "temporally normalized": no number, off here
    "scaling": "our interpretation",  # "normalized"
    "backbone": "our interpretation",  # "a modified EfficientNetV2"; B0 is ours
    "streams": "our interpretation",  # "a dedicated" network (abstract), "a shared backbone" (section 2.2)
    "fusion": "our interpretation",  # cross attention by queries, keys and values; not over what
    "dropout": "our interpretation",  # a layer; its rate is ours
    "hidden": "our interpretation",  # two fully connected layers; their width is ours
    "consistency_weight": "our interpretation",  # the lambda of Eq. 5; its value is ours
    "patience": "our interpretation",  # "early stopping"; its patience is ours
    "validation": "our interpretation",  # "based on validation loss": of whom is ours
    "pretrained": "ours",
    "label_smoothing": "ours",
    "weight_decay": "ours",
    "schedule": "ours",
    "apex_jitter": "ours",
    "precision": "ours",
    "mirrored": "ours",
    "frozen": "ours",
    "class_weights": "ours",
    "focal_gamma": "ours",
    "balanced": "ours",
}

# What selection must leave, with the sample counts that the printed accuracies imply (total) and
# the annotation sheets give (classes). Of MMEW only the total is known after selection.
EXPECTED: dict[str, dict[str, Any]] = {
    "casme2": {
        "clips": 240,
        "subjects": 26,
        "classes": {"others": 97, "disgust": 59, "happiness": 32, "repression": 27, "surprise": 25},
    },
    "samm": {
        "clips": 135,
        "subjects": 27,
        "classes": {"anger": 57, "happiness": 26, "others": 26, "surprise": 15, "contempt": 11},
    },
    "mmew": {"clips": 288, "classes": {}},
}

Kind = Literal["printed", "derived", "other source", "bound", "unknown", "reader"]


@dataclass(frozen=True)
class Cell:
    """One cell of a published table: an accuracy in percent, or None, and how it is known.

    ``printed`` stands in the paper's prose; ``derived`` follows from printed differences; ``other
    source`` was published elsewhere, perhaps under another protocol; ``bound`` is only known to lie below
    ``value`` and, where that is known too, above ``lower``; ``unknown`` is not in our copy of the paper;
    ``reader`` was filled in by the reader, who has the table.
    """

    value: float | None
    kind: Kind
    note: str = ""
    lower: float | None = None


@dataclass(frozen=True)
class Row:
    """One row of a published table: the system and its cell on each of :data:`DATASETS`."""

    name: str
    casme2: Cell
    samm: Cell
    mmew: Cell


def _printed(value: float) -> Cell:
    return Cell(value, "printed")


def _derived(value: float, note: str) -> Cell:
    return Cell(value, "derived", note)


def _elsewhere(value: float, note: str) -> Cell:
    return Cell(value, "other source", note)


def _below(value: float, why: str) -> Cell:
    return Cell(value, "bound", f"below {value:.2f}: {why}")


def _between(lower: float, value: float, why: str) -> Cell:
    return Cell(value, "bound", f"between {lower:.2f} and {value:.2f}: {why}", lower)


UNKNOWN = Cell(None, "unknown")
_DIANET = (_printed(70.00), _printed(68.89), _printed(64.24))
_LEADS = "DIANet has the highest accuracy (section 3.5)"
_IF_THERE = f"{_LEADS}; whether the table has this cell, our copy does not tell"
_BEST_BACKBONE = "EfficientNetV2 is the best backbone there (section 3.6.1)"
_RESNET_BEST = "ResNet18 is the best backbone there (section 3.6.1)"
_LAST = "MobileViT lags behind the other backbones on every dataset (section 3.6.1)"
_OFFSET_BEST = "DI-Offset is the best single phase there (section 3.7.1)"
_PHASE = "one phase tells more than the whole clip, and both more than one (section 3.7.1)"

TABLE_1 = (
    Row(
        "LEARNet",
        _derived(58.78, "70.00 - 11.22, the authors' re-run"),
        _derived(59.26, "68.89 - 9.63, the authors' re-run"),
        _derived(48.96, "64.24 - 15.28, the authors' re-run"),
    ),
    Row(
        "OrigiNet",
        _elsewhere(62.09, "4 classes"),
        _elsewhere(34.89, "4 classes; the prose names the figure too"),
        _below(64.24, _LEADS),
    ),
    Row("AffectiveNet", _elsewhere(68.74, "4 classes"), _below(68.89, _LEADS), _below(64.24, _LEADS)),
    Row("GEME", _printed(75.20), _elsewhere(55.88, "5 classes"), _below(64.24, _IF_THERE)),
    Row("FDCN", _printed(73.09), _elsewhere(58.07, "its own abstract"), _below(64.24, _IF_THERE)),
    Row("DIANet", *_DIANET),
)

TABLE_2 = (
    Row("ResNet18", _below(70.00, _BEST_BACKBONE), _below(68.89, _BEST_BACKBONE), _printed(64.94)),
    Row("EfficientNetV2", *_DIANET),
    Row("ConvNeXt", _printed(59.17), _below(68.89, _BEST_BACKBONE), _below(64.94, _RESNET_BEST)),
    Row(
        "MobileViT",
        _below(59.17, _LAST),
        _below(68.89, _LAST),
        _below(64.24, _LAST),
    ),
)

TABLE_3 = (
    Row("Simple attention block", _printed(66.42), _printed(63.16), _printed(50.08)),
    Row("Cross attention fusion block", *_DIANET),
)

TABLE_4 = (
    Row("DI (whole clip)", _printed(56.67), _below(61.48, _OFFSET_BEST), _printed(48.96)),
    Row("DI-Onset", _printed(60.00), _below(61.48, _OFFSET_BEST), _printed(52.78)),
    Row("DI-Offset", _between(56.67, 70.00, _PHASE), _printed(61.48), _between(48.96, 64.24, _PHASE)),
    Row("DI-Onset and DI-Offset", *_DIANET),
)


def own_accuracies(dataset: str) -> dict[str, Cell]:
    """The accuracies that the authors measured themselves on a licensed dataset: those of known value.

    One cell for each different value, under the row's name: printed ones, and LEARNet's, which follow from
    printed differences. The other systems of Table 1 are quoted from their papers, with other clips.
    """
    rows = [TABLE_1[0], TABLE_1[-1], *TABLE_2, *TABLE_3, *TABLE_4]
    cells: dict[float, tuple[str, Cell]] = {}
    for row in rows:
        cell: Cell = getattr(row, dataset)
        if cell.value is not None and cell.kind in ("printed", "derived"):
            cells.setdefault(cell.value, (row.name, cell))
    return dict(cells.values())


def dianet_accuracy(dataset: str) -> Cell:
    """The accuracy that the paper prints for DIANet on a licensed dataset; unknown elsewhere."""
    return getattr(TABLE_1[-1], dataset) if dataset in DATASETS else UNKNOWN
