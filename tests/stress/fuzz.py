"""Damaged sheets, frames and fold files by the thousand: each is read, or refused in one sentence.

    python tests/stress/fuzz.py                        the figures of results/reference/stress
    python tests/stress/fuzz.py --each 20 --out F      a short run, its figures into the folder F

A good file is damaged at random (bytes changed, cut out, doubled, the file cut short; in sheets also the
parts inside the archive; in JSON also the values). Whatever comes of it, the reader may give a result or
raise InputError with the file's name. Anything else counts as a failure and is printed.
"""

import argparse
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import pandas as pd
from released import HEADERS, row, write_book

from dianet_utils import datasets
from dianet_utils.datasets.frames import read_frame
from dianet_utils.datasets.sheets import read_sheet
from dianet_utils.dynamic_images import Bank
from dianet_utils.loso import fold_files
from dianet_utils.plumbing import files
from dianet_utils.plumbing.errors import InputError

Damage = Callable[[bytes, random.Random], bytes]


class Parser(NamedTuple):
    """A reader under test: the file's name, a good file, how it is damaged, and how it is read."""

    name: str
    good: bytes
    damage: Damage
    read: Callable[[Path], object]


def scar(content: bytes, draw: random.Random) -> bytes:
    """One to eight wounds: a byte changed, a piece cut out, doubled or blanked, the end cut off."""
    wounded = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 4, 8])):
        at, length = draw.randrange(len(wounded) + 1), draw.choice([1, 2, 16, 200])
        kind = draw.randrange(5)
        if kind == 0 and at < len(wounded):
            wounded[at] = draw.randrange(256)
        elif kind == 1:
            del wounded[at : at + length]
        elif kind == 2:
            wounded[at:at] = wounded[at : at + length]
        elif kind == 3:
            wounded[at : at + length] = bytes(len(wounded[at : at + length]))
        elif draw.random() < 0.3:
            del wounded[at:]
    return bytes(wounded)


def scar_inside(content: bytes, draw: random.Random) -> bytes:
    """A workbook whose archive is sound and of whose parts one is damaged, or any other damage."""
    if draw.random() < 0.3:
        return scar(content, draw)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = draw.choice([*parts, "xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"])
    if draw.random() < 0.1:
        del parts[name]
    else:
        parts[name] = draw.choice([scar, change_numbers])(parts[name], draw)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part, inside in parts.items():
            archive.writestr(part, inside)
    return packed.getvalue()


def change_numbers(content: bytes, draw: random.Random) -> bytes:
    """A text in which some digits have become other things."""
    odd = [b"-1", b"9" * 40, b"1e999", b"NaN", b"", b"0x1F", b"\xd9\xa3", b"../../x", b"&amp;", b"\x00"]
    wounded = bytearray(content)
    places = [at for at, byte in enumerate(wounded) if chr(byte).isdigit()]
    for at in sorted(draw.sample(places, min(len(places), 3)), reverse=True):
        wounded[at : at + 1] = draw.choice(odd)
    return bytes(wounded)


def change_values(content: bytes, draw: random.Random) -> bytes:
    """Valid JSON of which one value is another thing, or any other damage."""
    if draw.random() < 0.3:
        return scar(content, draw)
    odd: list[Any] = [None, True, -1, 10**400, 1.5, "", "x", "../../x", [], [[]], {}, {"a": 1}, float("nan")]
    value = json.loads(content)
    place, at = value, draw.choice(list(value))
    while isinstance(place[at], (list, dict)) and place[at] and draw.random() < 0.7:
        place = place[at]
        at = draw.choice(list(place)) if isinstance(place, dict) else draw.randrange(len(place))
    place[at] = draw.choice(odd)
    return draw.choice(
        [content[: len(content) // 2], b"[" * 20_000, json.dumps(value).encode()][
            1 if draw.random() < 0.02 else 2 :
        ]
    )


def old_workbook() -> bytes:
    """A small .xls, where the package that writes one is installed; otherwise only its first bytes."""
    try:
        import xlwt
    except ImportError:
        return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4000)
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for place, cells in enumerate([HEADERS, *(row("01", f"EP{n:02d}_01") for n in range(12))]):
        for column, cell in enumerate(cells):
            sheet.write(place, column, cell)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def parsers(folder: Path) -> list[Parser]:
    """All readers of what a user's disk holds."""
    write_book(folder / "good.xlsx", [HEADERS, *(row("01", f"EP{n:02d}_01") for n in range(12))])
    picture = np.random.default_rng(0).integers(0, 255, (40, 32, 3), np.uint8)
    encoded = {
        suffix: cv2.imencode(suffix, picture)[1].tobytes() for suffix in (".jpg", ".png", ".bmp", ".tiff")
    }
    bank = a_bank()
    fold = a_fold(bank)
    clips = pd.DataFrame({"subject": ["s01", "s02", "s03"]}, index=["a", "b", "c"])
    genders = b"subject,gender\ns01,female\ns02,male\ns03,female\n"
    return [
        Parser("CASME2-coding.xlsx", (folder / "good.xlsx").read_bytes(), scar_inside, load_copy),
        Parser("CASME2-coding.xls", old_workbook(), scar, read_sheet),
        *(Parser(f"img1{suffix}", content, scar, read_frame) for suffix, content in encoded.items()),
        Parser("seed0_s01.json", fold, change_values, lambda path: fold_files.read_fold(path, bank)),
        Parser("genders.csv", genders, scar, lambda path: datasets.add_genders(clips, path)),
    ]


def load_copy(path: Path) -> object:
    """The table of clips of the copy in which the sheet lies, its selection and its report."""
    clips = datasets.load("casme2", path.parent)
    datasets.health(clips)
    return datasets.select(clips, min_class_size=1)


def a_bank() -> Bank:
    """Three clips of each of two subjects, without a picture in them."""
    rows = [(subject, emotion) for subject in ("s01", "s02") for emotion in ("disgust", "fear", "surprise")]
    clips = pd.DataFrame(rows, columns=["subject", "emotion"], index=[f"{s}/{e}" for s, e in rows])
    return Bank(np.zeros((6, 1, 3, 8, 8), np.uint8), clips, ("onset",), "minmax")


def a_fold(bank: Bank) -> bytes:
    """A fold file as a run writes it."""
    rows = bank.clips[bank.clips["subject"] == "s01"]
    numbers = np.full((len(rows), 3), [0.5, 0.3, 0.2])
    fold = {"subject": "s01", "seed": 0, "classes": bank.classes, "clips": list(rows.index)}
    fold |= {"true": list(rows["emotion"]), "predicted": [bank.classes[0]] * len(rows)}
    fold |= {"probabilities": numbers.tolist(), "history": {"train_loss": [1.0, 0.5]}, "seconds": 1.0}
    return files.json_text(fold).encode()


def attack(parser: Parser, folder: Path, count: int, draw: random.Random) -> dict[str, Any]:
    """How many of ``count`` damaged files were read, refused, or broke the reader."""
    found = {"read": 0, "refused": 0, "failed": 0}
    slowest = 0.0
    for _ in range(count):
        damaged = parser.damage(parser.good, draw)
        path = folder / "folds" / parser.name if parser.name.endswith(".json") else folder / parser.name
        path.write_bytes(damaged)
        begun = time.perf_counter()
        try:
            parser.read(path)
            found["read"] += 1
        except InputError as error:
            named = parser.name in str(error) or folder.name in str(error) or "clips" in str(error)
            found["refused" if named and len(str(error)) < 4000 else "failed"] += 1
            if not named:
                print(f"{parser.name}: does not name the file: {error}")
        except Exception as error:
            found["failed"] += 1
            print(f"{parser.name}: {type(error).__name__}: {str(error)[:300]}")
        slowest = max(slowest, time.perf_counter() - begun)
    return {"file": parser.name, "damaged": count, **found, "slowest_seconds": round(slowest, 2)}


def main() -> int:
    """Attack every reader and keep the figures; 1 if one of them failed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--each", type=int, default=1500, help="damaged files a reader")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, default=files.RESULTS / "reference" / "stress")
    given = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        for number, parser in enumerate(parsers(Path(temporary))):
            folder = Path(temporary, f"copy{number}")
            (folder / "folds").mkdir(parents=True)
            for clip in range(12):
                frames = folder / "Cropped" / "sub01" / f"EP{clip:02d}_01"
                frames.mkdir(parents=True)
                for frame in range(4, 10):
                    (frames / f"reg_img{frame}.jpg").write_bytes(b"not read here")
            rows.append(attack(parser, folder, given.each, random.Random(f"{given.seed}/{parser.name}")))
            print(*rows[-1].values(), flush=True)
    table = pd.DataFrame(rows)
    files.write_text(given.out / "fuzz.csv", table.to_csv(index=False))
    return int(table["failed"].sum() > 0)


if __name__ == "__main__":
    sys.exit(main())
