"""Read the clips of every combination of three knobs, and keep the predictions, scores and a figure.

24 combinations are rendered; a linear SVM reads all of them, DIANet seven. It goes on where it was stopped:
what is kept in results/reference/knobs is not run again (remove that folder to run all anew). Two of these
may share the work, then a third call keeps what both gave:

    python tools/run_knobs.py 1/2 & python tools/run_knobs.py 2/2; wait; python tools/run_knobs.py

About an hour of one core. `make knobs` does all three.
"""

import sys

import pandas as pd

from dianet_utils import run, tables
from dianet_utils.plots.turned_knobs import draw_knobs
from dianet_utils.plumbing.files import shown, write_figure, write_text
from dianet_utils.tables import knobs


def kept() -> pd.DataFrame:
    """What earlier calls kept."""
    if (knobs.KEPT / "predictions.csv").is_file():
        return knobs.read()
    return pd.DataFrame(columns=list(knobs.COLUMNS))


def predicted(each: knobs.Knobs) -> pd.DataFrame:
    """What every row predicts on the clips of one combination, one line per clip."""
    clips = knobs.clips(each)
    entries = tables.prepare(knobs.rows(each), clips, run.check_parameters({"dataset": "synthetic"}), 1)
    outcomes = tables.run_rows(entries, tables.folder_of("synthetic"), workers=1)
    table = clips.reset_index()[["clip", "subject", "emotion"]].rename(columns={"emotion": "true"})
    answers = {o.entry.row.key: o.predictions.set_index("clip")["predicted"] for o in outcomes}
    return table.assign(**each.texts).join(pd.DataFrame(answers), on="clip")


def keep(table: pd.DataFrame) -> None:
    """Write the predictions and what follows from them."""
    answers = [row.key for row in knobs.rows(knobs.DEFAULT)]
    table = table[[*knobs.COLUMNS, *answers]]
    scores = knobs.scores(table)
    for name, each in {"predictions": table, "scores": scores}.items():
        text = each.to_csv(index=False, lineterminator="\n", float_format="%.6g")
        print(shown(write_text(knobs.KEPT / f"{name}.csv", text)))
    write_figure(knobs.KEPT / "knobs.png", draw_knobs(scores))


def main(part: int, parts: int) -> None:
    """Run every ``parts``-th combination from the ``part``-th on; keep them where this is the only part."""
    before = kept()
    done = set(before[list(knobs.Knobs._fields)].itertuples(index=False, name=None))
    wanted = [each for each in knobs.grid() if tuple(each.texts.values()) not in done]
    found = [before]
    for number, each in enumerate(wanted[part - 1 :: parts], 1):
        print(f"combination {number} of {len(wanted[part - 1 :: parts])}: {each.texts}", flush=True)
        found.append(predicted(each))
    if parts == 1:
        keep(pd.concat(found))


if __name__ == "__main__":
    part, _, parts = (sys.argv[1] if len(sys.argv) > 1 else "1/1").partition("/")
    main(int(part), int(parts))
