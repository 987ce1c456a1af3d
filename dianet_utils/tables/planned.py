"""The few pairs of rows that a table tests: those that were named before any row was run."""

from collections.abc import Iterable, Mapping

import pandas as pd

from dianet_utils.evaluation import comparison
from dianet_utils.tables.rows import TABLES

COLUMNS = ("first", "second", "gain", "low", "high", "people", "p")


def planned(number: int, predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The contrasts of a table, as far as both rows are there.

    Args:
        number: The number of the table, 1 to 4.
        predictions: By the key of a row, its predictions (columns clip, subject, seed, true, predicted).

    Returns:
        One line per pair: ``gain`` is the accuracy of ``first`` minus that of ``second`` in points, ``low``
        and ``high`` its 95 % interval over people, ``p`` that of the exact sign-flip test over ``people``,
        ``holm`` the same after Holm's correction over these lines.

    Raises:
        InputError: Where two rows did not predict the same clips and seeds, or one of them is leaky.

    Example:
        >>> import pandas as pd
        >>> from dianet_utils import tables
        >>> right = pd.DataFrame({"clip": list("uvwxyz"), "subject": list("uvwxyz"), "seed": 0})
        >>> right = right.assign(true="disgust", predicted="disgust")
        >>> wrong = right.assign(predicted="surprise")
        >>> found = tables.planned(3, {"cross_channel": right, "concat": wrong})
        >>> found[["second", "gain", "people", "p", "holm"]].to_dict("records")
        [{'second': 'concat', 'gain': 100.0, 'people': 6, 'p': 0.03125, 'holm': 0.03125}]
    """
    return tested(TABLES[number].contrasts, predictions)


def tested(pairs: Iterable[tuple[str, str]], predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The same for any pairs of rows that were named in advance, as far as both are there."""
    lines = []
    for pair in pairs:
        if set(pair) <= set(predictions):
            found = comparison.compare({key: predictions[key] for key in pair}).iloc[0]
            points = [100 * found[name] for name in ("difference", "low", "high")]
            lines.append((*pair, *points, int(found["subjects"]), found["p_permutation"]))
    table = pd.DataFrame(lines, columns=list(COLUMNS))
    return table.assign(holm=comparison.holm(table["p"].to_numpy(float)))
