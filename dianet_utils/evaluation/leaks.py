"""Telling a leaky run from an honest one by its predictions, and keeping the two apart."""

from collections.abc import Mapping

import pandas as pd

from dianet_utils.config import LEAKY, LEAKY_MARK
from dianet_utils.plumbing.errors import InputError


def is_leaky(predictions: pd.DataFrame) -> bool:
    """Whether the test subject chose the epoch of a run: its predictions carry a column that says so."""
    return "validation" in predictions and bool((predictions["validation"] == LEAKY).any())


def refuse_mixture(predictions: Mapping[str, pd.DataFrame]) -> None:
    """InputError where some of the runs are leaky and others are not."""
    leaky = [name for name, table in predictions.items() if is_leaky(table)]
    honest = [name for name in predictions if name not in leaky]
    if leaky and honest:
        raise InputError(
            f"{', '.join(leaky)}: {LEAKY_MARK}, the test subject chose the epoch there, but not in "
            f"{', '.join(honest)}: do not compare them, unless to measure the leak (leaky_with_honest=True)."
        )
