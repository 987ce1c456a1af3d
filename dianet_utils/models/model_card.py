"""The card of a trained model: what a person must know before using it."""

from collections.abc import Mapping
from typing import Any

from dianet_utils.config import Config, own_code
from dianet_utils.config.own_tables import is_own_name


def model_card(config: Config, classes: list[str], about: Mapping[str, Any]) -> str:
    """What a person must know before using the model, as Markdown."""
    return _TEMPLATE.format(
        name=f"{own_code.title(config.model)}, {config.backbone}, inputs {' and '.join(config.inputs)}",
        warning=_warning(config, about["synthetic"]),
        classes=", ".join(classes),
        size=config.image_size,
        scaling=config.scaling,
        roles=_CHOSEN if config.validation == "held_out" else _ALL,
        score=_score(about),
        **about,
    )


def _warning(config: Config, synthetic: bool | None) -> str:
    """What the clips of the training do not tell about others."""
    if synthetic is None:
        return _UNKNOWN
    if synthetic:
        return _SYNTHETIC
    return _OWN if is_own_name(config.dataset) else _RECORDED


def _score(about: Mapping[str, Any]) -> str:
    scores = about["loso"]
    if not scores:
        return (
            "Leave-one-subject-out was not run with this configuration (notebook 04): its worth is unknown."
        )
    low, high = scores["intervals"]["accuracy"]
    protocol = f"The split {scores['split']}" if "split" in scores else "Leave-one-subject-out"
    tested = scores.get("subjects", scores["folds"])
    return f"""{protocol} with the same configuration: accuracy {scores["accuracy"]:.3f}
(95 % interval over subjects {low:.3f} to {high:.3f}), UF1 {scores["uf1"]:.3f}, UAR {scores["uar"]:.3f},
chance {scores["chance"]:.3f}, {tested} of {about["subjects"]} subjects tested. These are scores of
networks that never saw the tested person, *not* of the network in this folder, which saw all of them."""


_CHOSEN = "All subjects took part; most trained, some chose the epoch."
_ALL = "All subjects trained, and nobody chose the epoch."
_SYNTHETIC = """**It has seen generated faces only. On recordings of people its answers mean nothing**;
it exists to show how the pieces work."""
_RECORDED = """It has seen one laboratory's recordings: few people, one camera, expressions suppressed on
request. Nothing is known of other people, cameras, ages or situations."""
_OWN = """It has seen the clips of one table that its maker brought. Nothing is known of other people,
cameras, ages or situations."""
_UNKNOWN = """**It is not known where its clips come from, nor whether they show people or generated faces.**
Take its answers to mean nothing."""
_TEMPLATE = """# Model card: {name}

{warning}

## What it was trained on

{clips} clips of {subjects} subjects: {trained_on}. {roles}
Fingerprint of the data: `{data_fingerprint}`.

It names one of: {classes}. It reads dynamic images of {size} x {size} pixels (scaling {scaling}).

## What its answers are worth

{score}

The scores hold for clips like those of the dataset: the same camera, frame rate, light and crop, with onset,
apex and offset set by trained coders. A probability it gives is not calibrated. It must name one of its
classes even where none applies, or nothing happened.

## What it must not be used for

- No decision about a person: not in hiring or at work, in school, policing, border control, courts,
  insurance, health or care.
- No lie detection. Micro-expressions do not show whether somebody lies.
- No claim about what somebody feels. The labels say what coders saw in a face that was asked to stay still;
  they are not inner feelings.
- No recording or analysis of people who have not agreed to it.

It is meant for teaching, for reproducing research, and for finding its own faults.
"""
