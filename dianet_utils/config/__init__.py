"""What can be set: names to choose from, one record per system, checks, and the typed configuration."""

from dianet_utils.config.choices import (
    FUSIONS,
    INPUTS,
    LEAKY,
    LEAKY_MARK,
    LOSO,
    PHASES,
    SCALINGS,
    STREAMS,
    VALIDATIONS,
    WEIGHTINGS,
)
from dianet_utils.config.configuration import Config, weights_file
from dianet_utils.config.configuring import configure, from_json, with_model
from dianet_utils.config.defaults import (
    CHECKS,
    PAPER_DEFAULTS,
    QUICK_DEFAULTS,
    WHERE_CHECKS,
    defaults,
    setting_of,
)
from dianet_utils.config.own_tables import is_table, results_of, short_name
from dianet_utils.config.systems import OWN, SYSTEMS, System, system

__all__ = [
    "CHECKS",
    "FUSIONS",
    "INPUTS",
    "LEAKY",
    "LEAKY_MARK",
    "LOSO",
    "OWN",
    "PAPER_DEFAULTS",
    "PHASES",
    "QUICK_DEFAULTS",
    "SCALINGS",
    "STREAMS",
    "SYSTEMS",
    "VALIDATIONS",
    "WEIGHTINGS",
    "WHERE_CHECKS",
    "Config",
    "System",
    "configure",
    "defaults",
    "from_json",
    "is_table",
    "results_of",
    "setting_of",
    "short_name",
    "system",
    "weights_file",
    "with_model",
]
