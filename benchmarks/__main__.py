"""``python -m benchmarks [--quick] [NAME ...]``: measure, print, and keep the results."""

import argparse
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.measure import QUICK, Scale
from dianet_utils.plumbing.files import RESULTS, shown

NAMES = ("startup", "bank", "training", "operations", "folds", "programme")
KEPT = RESULTS / "reference" / "benchmarks"


def main(arguments: list[str] | None = None) -> None:
    """Run the named benchmarks, all without any; a quick run is printed but not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="small sizes, about a minute; nothing is kept")
    rounds: dict[str, Any] = {"type": int, "choices": range(1, 21), "metavar": "N"}
    parser.add_argument("--rounds", help="of each measurement, in place of 5: fewer are noisier", **rounds)
    parser.add_argument("--out", type=Path, help=f"folder of the results (default: {shown(KEPT)})")
    options = parser.parse_args(arguments)
    scale = QUICK if options.quick else Scale()
    scale = replace(scale, rounds=options.rounds) if options.rounds else scale
    for name in options.names or NAMES:
        result = importlib.import_module(f"benchmarks.{name}").run(scale)
        print(report.as_text(result, scale), flush=True)
        if options.out or not options.quick:
            report.write(result, scale, options.out or KEPT)


if __name__ == "__main__":
    main()
