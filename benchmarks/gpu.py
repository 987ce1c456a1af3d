"""The full-size job on a GPU: CASME-II's size, folds side by side. Not yet run on a card; no result is kept.

python -m benchmarks.gpu                 26 folds, 1, 2, 4 and 8 processes, float32 and bfloat16
python -m benchmarks.gpu --folds 4       a first look
"""

import argparse
import tempfile
import time

from benchmarks import material
from dianet_utils import loso
from dianet_utils.config import configure
from dianet_utils.plumbing import machine

SUBJECTS, CLIPS = 26, 240


def seconds(folds: int, workers: int, precision: str) -> float:
    """The time by the clock of so many folds of the licensed default: 50 epochs at 224 px, batches of 32."""
    config = configure("casme2", pretrained="none", precision=precision, patience=50)
    bank = material.noise_bank(CLIPS, config.image_size, SUBJECTS)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        loso.run(bank, config, out, max_folds=folds, workers=workers, device="cuda", every=60)
    return time.perf_counter() - start


def main() -> None:
    """Print a line for each number of processes and each precision."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--folds", type=int, default=SUBJECTS)
    folds = parser.parse_args().folds
    machine.prepare()
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("This machine has no GPU that torch can use.")
    print(torch.cuda.get_device_name())
    for precision in ("float32", "bfloat16"):
        for workers in (1, 2, 4, 8):
            print(f"{precision}, {workers} at once: {seconds(folds, workers, precision):.0f} s", flush=True)


if __name__ == "__main__":
    main()
