"""Disks that are really full and really read-only: what is said, what stays, and that it goes on.

    sudo python tests/stress/disks.py        what README of results/reference/stress shows

It mounts small file systems in memory, so it needs Linux and an administrator. All clips are synthetic.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import kills
from toy import make_bank, small_config

from dianet_utils import datasets, loso, synthetic
from dianet_utils.dynamic_images import build_bank
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError


def mount(place: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(place)], check=True)


def told(work: Callable[[], object], place: Path) -> str:
    """What a piece of work says; an error must be one line, and no file half written."""
    try:
        work()
        said = "done"
    except InputError as error:
        said = str(error).replace(place.as_posix(), "DISK")
    found = kills.look(place)
    if "\n" in said or found.half_written:
        raise SystemExit(f"FAILED: {said} {found}")
    return f"{said} | {found.files} files, {found.half_written} half written"


def attempt(name: str, work: Callable[[], object], place: Path, small: str) -> list[str]:
    """A full disk, then a read-only one, then one with room."""
    rows = []
    mount(place, f"size={small}")
    try:
        rows.append(f"| {name}, full | {told(work, place)} |")
        mount(place, "remount", "size=64m", "ro")
        rows.append(f"| {name}, read-only | {told(work, place)} |")
        mount(place, "remount", "size=64m", "rw")
        rows.append(f"| {name}, with room | {told(work, place)} |")
    finally:
        subprocess.run(["umount", str(place)], check=True)
    return rows


def main() -> int:
    """Try generation, a bank and a run, and keep what was said."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=files.RESULTS / "reference" / "stress")
    given, bank = parser.parse_args(), make_bank()
    folder = Path(tempfile.mkdtemp(prefix="disks-"))
    place = folder / "mounted"
    place.mkdir()
    try:
        root = synthetic.generate(kills.CLIPS, folder / "data", workers=1, shown=False)
        clips = datasets.load("synthetic", root)
        works: dict[str, tuple[Callable[[], object], str]] = {
            "generation": (lambda: synthetic.generate(kills.CLIPS, place / "data", 1, shown=False), "400k"),
            "bank": (lambda: build_bank(clips, size=64, cache=place / "banks", shown=False), "400k"),
            "run": (
                lambda: loso.run(
                    bank, small_config(), place / "run", workers=1, device="cpu", shown_progress=False
                ),
                "24k",
            ),
        }
        rows = [row for name, (work, small) in works.items() for row in attempt(name, work, place, small)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = "\n".join(["| disk | what is said | what lies there |", "|---|---|---|", *rows])
    print(files.write_text(given.out / "disks.md", f"**On synthetic clips**\n\n{table}\n").read_text())
    return int("with room | done" not in table)


if __name__ == "__main__":
    sys.exit(main())
