"""What notebooks call first and most: from checked parameters to clips, a bank and a run.

``parameters`` checks what a notebook was given, ``selection`` says which clips enter, and ``bank_to_model``
makes the images, names the run's folder and keeps its model.
"""

from dianet_utils.run.bank_to_model import keep_model, make_bank, run_folder, title
from dianet_utils.run.parameters import (
    ROOTS,
    RUN_CHECKS,
    check_parameters,
    config_of,
    describe,
    versions,
)
from dianet_utils.run.selection import select_clips, select_tables

__all__ = [
    "ROOTS",
    "RUN_CHECKS",
    "check_parameters",
    "config_of",
    "describe",
    "keep_model",
    "make_bank",
    "run_folder",
    "select_clips",
    "select_tables",
    "title",
    "versions",
]
