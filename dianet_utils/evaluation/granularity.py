"""The granularity test: which numbers of clips make a printed accuracy possible at all?

An accuracy over N clips is k/N for a whole k, so at two decimals most percentages cannot occur for a
given N below a few hundred. A table whose values fit no common N was not measured on one set of clips, or
holds a slip. The idea is that of the GRIM test for printed means (Brown and Heathers 2017).
"""

from collections.abc import Iterable, Mapping

import pandas as pd

from dianet_utils import paper


def possible(percent: float, count: int, decimals: int = 2) -> bool:
    """Whether some k/``count``, in percent and rounded to ``decimals``, prints as ``percent``.

    Both ways to round a half count, up and to the even digit. The arithmetic is in whole numbers, so no
    tie is decided by a binary fraction.
    """
    digits = round(percent * 10**decimals)
    scale = 100 * 10**decimals
    nearest = (2 * digits * count + scale) // (2 * scale)
    return any(
        _prints(k, count, scale, digits) for k in (nearest - 1, nearest, nearest + 1) if 0 <= k <= count
    )


def _prints(k: int, count: int, scale: int, digits: int) -> bool:
    """Whether scale * k / count rounds to ``digits``: half up or half to even."""
    twice = 2 * scale * k  # compare 2 * count * value with the ends of the interval that rounds to digits
    low, high = (2 * digits - 1) * count, (2 * digits + 1) * count
    return low <= twice < high or (twice == high and digits % 2 == 0)


def fits(printed: Mapping[str, float], counts: Iterable[int], decimals: int = 2) -> pd.DataFrame:
    """Which N explains which printed accuracy: one row per N of ``counts``, one column per ``printed`` name.

    The last column ``explained`` says how many of the accuracies (in percent) N makes possible.
    """
    numbers = pd.Index(list(counts), name="N")
    table = pd.DataFrame(
        {name: [possible(value, n, decimals) for n in numbers] for name, value in printed.items()},
        index=numbers,
    )
    return table.assign(explained=table.sum(axis=1))


def paper_fits(dataset: str, low: int = 100, high: int = 300) -> pd.DataFrame:
    """:func:`fits` of all that the authors measured on a licensed dataset, for N from ``low`` to ``high``."""
    cells = paper.own_accuracies(dataset)
    return fits({name: cell.value for name, cell in cells.items() if cell.value}, range(low, high + 1))


def contradictions(dataset: str, low: int = 100, high: int = 300) -> pd.DataFrame:
    """Printed accuracies that the dataset's own number of clips cannot give: one row each.

    Columns ``accuracy`` (percent), ``kind`` (printed or derived), ``clips`` (our selection's N, which the
    other values imply), ``nearest`` (what that N could give next to it) and ``fits`` (every N from ``low``
    to ``high`` that does give it).
    """
    table, count = paper_fits(dataset, low, high), paper.EXPECTED[dataset]["clips"]
    rows = {}
    for name, cell in paper.own_accuracies(dataset).items():
        if cell.value is not None and not table.loc[count, name]:
            nearest = round(100 * round(cell.value * count / 100) / count, 2)
            those = ", ".join(map(str, table.index[table[name]])) or "none"
            rows[name] = (cell.value, cell.kind, count, nearest, those)
    columns = ["accuracy", "kind", "clips", "nearest", "fits"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("row")
