"""Where finished images are kept, and when they are trusted: never without a check."""

import contextlib
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dianet_utils.dynamic_images.clip import VERSION, Recipe, Source
from dianet_utils.plumbing import files

KEPT_DAYS = 30  # how long a bank stays that nothing reads; it can always be made again
_OURS = r"[0-9a-f]{16}\.(npy|json)|[0-9a-f]{64}\.npz|\..*\.partial"


class Store:
    """The files of one bank in ``folder``: ``<key>.npy`` with ``<key>.json`` once it is complete, and
    ``parts/<clip key>.npz`` for the clips finished so far.

    The keys hash everything that went in, so files of other frames or parameters are not even looked
    at. A part has its own key, so it outlives a change to another clip of the table.
    """

    def __init__(self, folder: Path, recipe: Recipe, sources: Sequence[Source]):
        """Name the files by what goes in; nothing is read or written yet."""
        self.folder, self.recipe = folder, recipe
        self.keys = {str(source.clip.name): source.key(recipe) for source in sources}
        content = json.dumps([VERSION, asdict(recipe), list(self.keys.items())])
        self.key = hashlib.sha256(content.encode()).hexdigest()[:16]
        self.images, self.note = folder / f"{self.key}.npy", folder / f"{self.key}.json"

    def load(self) -> npt.NDArray[Any] | None:
        """The complete images [clip, phase, 3, H, W], or None where there are none that can be trusted.

        They are mapped from the file, so that processes share one copy; what is written to stays in memory.
        """
        if not (self.images.exists() or self.note.exists()):
            return None
        try:
            images = self._mapped()
            if files.read_json(self.note) == self._describe(images):
                self._touch()
                return images
        except Exception:  # a damaged header makes numpy raise a dozen kinds of errors
            pass
        print(f"The cached bank {files.shown(self.images)} is damaged or incomplete: it is made again.")
        return None

    def _mapped(self) -> npt.NDArray[Any]:
        return np.load(self.images, mmap_mode="c", allow_pickle=False)

    def save(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Keep the complete images and drop their parts; returns them as :meth:`load` does."""
        content = io.BytesIO()
        np.save(content, images, allow_pickle=False)
        files.write_bytes(self.images, content.getvalue())
        files.write_json(self.note, self._describe(images))
        with files.writing(self.folder):
            for clip in self.keys:
                self._part(clip).unlink(missing_ok=True)
        remove_unused(self.folder)
        return self._mapped()

    def _touch(self) -> None:
        """Note that the bank was used today."""
        for path in (self.images, self.note):
            with contextlib.suppress(OSError):  # a cache that may only be read
                os.utime(path)

    def load_part(self, clip: str) -> npt.NDArray[Any] | None:
        """The images of one clip [phase, 3, H, W] that an earlier build finished, or None."""
        path = self._part(clip)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as part:
                images = part["images"]  # the archive holds a checksum, which reading verifies
            if images.shape == self.recipe.shape and images.dtype == self.recipe.kind:
                return images
        except Exception:  # readers of archives and headers raise a dozen kinds, and all mean the same here
            pass
        print(f"The cached part {files.shown(path)} is damaged: clip {clip} is made again.")
        return None

    def save_part(self, clip: str, images: npt.NDArray[Any]) -> None:
        """Keep the images of one finished clip; the archive's checksum stands in for waiting on the disk."""
        content = io.BytesIO()
        np.savez(content, images=images)
        files.write_bytes(self._part(clip), content.getvalue(), durable=False)

    def _part(self, clip: str) -> Path:
        return self.folder / "parts" / f"{self.keys[clip]}.npz"

    def _describe(self, images: npt.NDArray[Any]) -> dict[str, Any]:
        """What the note says: everything that went in, and the hash of what came out."""
        checksum = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
        given = json.loads(json.dumps(asdict(self.recipe)))
        return {
            "version": VERSION,
            "recipe": given,
            "shape": list(images.shape),
            "type": str(images.dtype),
            "sha256": checksum,
            "clips": self.keys,
        }


def remove_unused(folder: Path) -> None:
    """Remove banks and parts that nothing has read for ``KEPT_DAYS`` days; it says how many banks.

    Remains of killed writers go after a day. Only files under the names that this room gives are looked at.
    """
    now, freed, banks = time.time(), 0, 0
    for path in [*folder.glob("*"), *folder.glob("parts/*")]:
        with contextlib.suppress(OSError):
            days = 1 if path.suffix == files.PARTIAL else KEPT_DAYS
            if re.fullmatch(_OURS, path.name) and now - path.stat().st_mtime > days * 86400:
                size = path.stat().st_size
                path.unlink()
                freed, banks = freed + size, banks + (path.suffix == ".npy")
    if banks:
        print(f"{banks} cached banks, unread for {KEPT_DAYS} days, are removed ({freed / 1e6:.0f} MB).")
