"""Run the rows of Tables 1, 3 and 4 on five synthetic datasets: 130 people, none of them in two.

Each row is run in five folds of people (kfold:5); with one person left out at a time it would take five times
as long. It goes on where it was stopped, leaves out what is kept in
results/reference/people (remove that file to run all anew), and two of these may run side by side:

    python tools/run_people.py 1/2 &
    python tools/run_people.py 2/2

About three hours of one core together. `make people` runs both and keeps what they gave.
"""

import sys

import pandas as pd

from dianet_utils import run, tables
from dianet_utils.tables import many_people


def main(part: int, parts: int) -> None:
    """Every ``parts``-th run that is not kept yet, from the ``part``-th on, in the order of the rows."""
    kept = (
        many_people.read()
        if (many_people.KEPT / "predictions.csv").is_file()
        else pd.DataFrame({"dataset": []})
    )
    wanted = [
        (row, seed)
        for row in many_people.ROWS
        for seed in many_people.SEEDS
        if not many_people.has(kept, row[1], seed)
    ]
    parameters = run.check_parameters({"dataset": "synthetic"})
    for number, (row, seed) in enumerate(wanted):
        if number % parts == part - 1:
            print(f"run {number + 1} of {len(wanted)}: people of seed {seed}", flush=True)
            clips, rows = many_people.clips(seed), [many_people.table_row(row)]
            entries = tables.prepare(rows, clips, parameters, workers=1)
            tables.run_rows(entries, tables.folder_of("synthetic"), workers=1)


if __name__ == "__main__":
    part, _, parts = (sys.argv[1] if len(sys.argv) > 1 else "1/1").partition("/")
    main(int(part), int(parts))
