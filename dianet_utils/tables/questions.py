"""What the paper leaves open, as questions with their readings, and the rows that are run for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dianet_utils.config import Config
from dianet_utils.config.checks import near_match
from dianet_utils.plumbing.errors import InputError
from dianet_utils.tables.rows import TableRow


@dataclass(frozen=True)
class Question:
    """One thing that the paper does not settle.

    ``readings`` maps each value of the :class:`Config` field ``setting`` to words for people; ``apex`` is no
    setting but a choice of frames, see :func:`dianet_utils.tables.alternatives.prepare_readings`. Those of
    ``on_request`` are run only when they are named.
    """

    key: str
    asks: str
    says: str  # what the paper has to say
    setting: str
    readings: Mapping[Any, str]
    on_request: frozenset[Any] = field(default_factory=frozenset)


_EFFICIENTNETS = {
    "test_efficientnet": "a small relative (two cores)",
    "tf_efficientnetv2_b0": "V2-B0",
    "tf_efficientnetv2_b3": "V2-B3",
    "tf_efficientnetv2_s": "V2-S",
}
QUESTIONS: tuple[Question, ...] = (
    Question(
        "streams",
        "One backbone for both streams?",
        'abstract: "a dedicated CNN"; section 2.2: "a shared backbone"',
        "streams",
        {"shared": "one backbone for both", "dedicated": "one backbone per stream"},
    ),
    Question(
        "backbone",
        "Which EfficientNetV2?",
        '"EfficientNetV2", modified',
        "backbone",
        _EFFICIENTNETS,
        frozenset(_EFFICIENTNETS),
    ),
    Question(
        "pretrained",
        "ImageNet weights?",
        "not said",
        "pretrained",
        {"none": "random weights", "imagenet": "ImageNet weights"},
        frozenset({"imagenet"}),
    ),
    Question(
        "attention",
        "Attention over what?",
        "queries, keys and values; not what they run over",
        "fusion",
        {
            "cross_channel": "over channels",
            "cross_tokens": "over pieces of the vector",
            "cross_spatial": "over places of the feature map",
            "cross_single_token": "over one token",
        },
    ),
    Question(
        "simple",
        "What is the Simple Attention Block?",
        '"basic dot-product attention and residual fusion"',
        "fusion",
        {
            "simple": "dot product, no projections: f1 + f2 twice",
            "concat": "no exchange, as a control",
            "cross_channel": "not used (cross attention)",
        },
    ),
    Question(
        "lambda",
        "How strong is the consistency loss?",
        "lambda is not said",
        "consistency_weight",
        {0.0: "lambda 0", 0.1: "lambda 0.1", 1.0: "lambda 1", 10.0: "lambda 10"},
    ),
    Question(
        "dropout",
        "How much dropout?",
        "a dropout layer; its rate is not said",
        "dropout",
        {0.0: "none", 0.3: "0.3", 0.5: "0.5"},
    ),
    Question(
        "hidden",
        "How wide is the hidden layer?",
        "two fully connected layers; no width",
        "hidden",
        {256: "256 units", 1024: "1024 units"},
    ),
    Question(
        "patience",
        "How patient is early stopping?",
        "early stopping on the validation loss; no patience",
        "patience",
        {10: "10 epochs", 30: "30 epochs"},
    ),
    Question(
        "validation",
        "Who validates?",
        "a validation loss; not of which clips",
        "validation",
        {"held_out": "held-out training subjects", "none": "nobody; the last epoch is kept"},
    ),
    Question(
        "scaling",
        "How is a dynamic image scaled?",
        '"normalized"',
        "scaling",
        {"minmax": "by its extremes, to 0..255", "signed": "by its robust range, 0 stays 0"},
    ),
    Question(
        "weighting",
        "Which rank pooling?",
        "Eq. 1 is approximate; public code has other weights",
        "weighting",
        {"arp": "Eq. 1", "harmonic": "harmonic (Bilen et al.)", "rank": "exact rank pooling"},
    ),
    Question(
        "temporal",
        "How many frames?",
        '"temporally normalized"; no number',
        "temporal",
        {None: "as recorded", 10: "10 frames", 16: "16 frames", 32: "32 frames"},
    ),
    Question(
        "apex",
        "Is the apex frame in both segments?",
        "both ranges name it",
        "apex",
        {"both": "in both", "onset": "in the onset phase only", "offset": "in the offset phase only"},
    ),
)


@dataclass(frozen=True)
class Choice:
    """What is run and what is not: ``rows`` (the default first), and for each other reading the reason."""

    rows: tuple[TableRow, ...]
    left: Mapping[str, str]


def row_key(question: Question, value: Any) -> str:
    """The name of a reading: ``streams=dedicated``, ``temporal=none``."""
    return (
        f"{question.key}={'none' if value is None else f'{value:g}' if isinstance(value, float) else value}"
    )


def is_default(question: Question, value: Any, base: Config) -> bool:
    """Whether the default configuration reads the question so; the apex is in both segments."""
    return bool(value == getattr(base, question.setting, "both"))


def choose_readings(base: Config, rows: str | None = None, weights: str | None = None) -> Choice:
    """The default ``base`` and the readings that differ from it in one thing each.

    ``rows`` names questions (``streams``: all its readings but those on request) or single readings
    (``streams=dedicated``), with commas between; None means all questions. ``weights`` ("imagenet", "package"
    or a .safetensors file) fills the row of pre-trained backbones, which is empty without. Raises one
    InputError for all names that are wrong.
    """
    known = {row_key(q, value): (q, value) for q in QUESTIONS for value in q.readings}
    named = _named(rows, known)
    chosen, left = [], {}
    for key, (question, value) in known.items():
        if is_default(question, value, base) or (named and not {key, question.key} & named):
            continue
        settings = {} if question.key == "apex" else {question.setting: value}
        if key == "pretrained=imagenet" and weights:
            settings["pretrained"] = weights
        elif question.key == "patience" and base.validation == "none":
            left[key] = "nobody validates by default here, so nothing stops early"
            continue
        elif value in question.on_request and key not in named:
            left[key] = _why_left(question, key)
            continue
        chosen.append(TableRow(key, question.readings[value], settings))
    return Choice((TableRow("default", "the default", {}), *chosen), left)


def _named(rows: str | None, known: Mapping[str, Any]) -> set[str]:
    """The names in ``rows``; one InputError for all that is unknown."""
    if rows is None:
        return set()
    names = [part.strip() for part in rows.split(",") if part.strip()]
    allowed = [question.key for question in QUESTIONS] + list(known)
    wrong = [f"'{name}'{near_match(name, allowed)}" for name in names if name not in allowed]
    if wrong or not names:
        problem = f"there is no {', '.join(wrong)}" if wrong else f"{rows!r} names none"
        raise InputError(
            f"Parameter rows: {problem}; questions are {', '.join(allowed[: len(QUESTIONS)])}, "
            f"and a single interpretation is written like {allowed[len(QUESTIONS) + 1]}."
        )
    return set(names)


def _why_left(question: Question, key: str) -> str:
    if question.key == "pretrained":
        return "no weights named: set weights to imagenet (needs the hub) or to a .safetensors file"
    return f"minutes per fold on two cores: run it with rows={key}"
