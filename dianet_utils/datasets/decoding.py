"""The bytes of one frame to its pixels; what would have to be guessed at is refused."""

import contextlib
import functools
import io
import os
import stat
import warnings
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

MAX_SIDE = 8192  # px; four times the longest side of a released frame
_MAX_BYTES = 2**29  # of a file; no frame of that size needs more, not even as a BMP
_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg"),
    "MPO": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
}
_FIRST_SCAN, _SCAN_HEADER = b"\xff\xda", 14  # marker of a JPEG's pixels; bytes it takes with three channels
_RESTORE = "restore it from the release"
_DAMAGED = f"is damaged or no image: {_RESTORE}"
# What the strict decoder says of sound files that it does not take.
_UNUSUAL = ("subsampling", "Unsupported color conversion", "Invalid SOS parameters")
_NO_STRICT_DECODER = (
    "Damage inside a JPEG goes unnoticed without the package simplejpeg: pip install simplejpeg"
)


def read_file(path: str | Path) -> bytes:
    """The bytes of a frame's file.

    Raises OSError, and ValueError for what is no file or far too large: a pipe would be waited for, and a
    device read, for ever.
    """
    told = os.stat(path)
    if not (stat.S_ISREG(told.st_mode) or stat.S_ISDIR(told.st_mode)):
        raise ValueError("is a pipe or a device and no file: put the frame there")
    if told.st_size > _MAX_BYTES:
        raise ValueError(_too_large(f"{told.st_size / 2**30:.1f} GB"))
    with open(path, "rb") as file:
        return file.read()


def decode(content: bytes) -> npt.NDArray[np.uint8]:
    """RGB uint8 [H, W, 3] from the bytes of a JPEG, PNG, BMP or TIFF file; grey gives three equal channels.

    Raises ValueError saying what is wrong and what to do: empty, cut short, damaged inside, no image, too
    large, of another format, in the colours of print, of more than 8 bits per channel, or transparent.
    """
    if not content:
        raise ValueError(f"is empty: {_RESTORE}")
    kind = _checked_format(content)
    if _cut_short(content, kind):
        raise ValueError(_DAMAGED)
    strict = _decode_strictly(content) if kind in ("JPEG", "MPO") else None
    if strict is not None and b"Exif\0\0" not in content:  # which may turn the picture: OpenCV does it
        return strict
    encoded = np.frombuffer(content, np.uint8)
    if kind != "JPEG":
        _check_depth(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise ValueError(_DAMAGED)
    return np.asarray(image, np.uint8)


def _decode_strictly(content: bytes) -> npt.NDArray[np.uint8] | None:
    """The pixels [H, W, 3] of a JPEG as they lie in it; None, with a warning, where they cannot be checked.

    OpenCV fills what is damaged inside with grey or with noise and says nothing. This decoder, of the same
    library and so with the same pixels, tells every oddity; ValueError for all that mean damage.
    """
    try:
        from simplejpeg import decode_jpeg
    except ImportError:
        warnings.warn(_NO_STRICT_DECODER, stacklevel=2)
        return None
    try:
        return np.asarray(decode_jpeg(content, "RGB", strict=True), np.uint8)
    except ValueError as error:
        if not any(word in str(error) for word in _UNUSUAL):
            raise ValueError(_damaged_inside(str(error))) from None
        warnings.warn(f"JPEGs of an unusual form are not checked for damage inside ({error}).", stacklevel=2)
        return None


def _damaged_inside(what: str) -> str:
    what = what.removeprefix("Corrupt JPEG data: ")
    return f"is damaged inside ({what}): {_RESTORE}, or convert the clip to PNG if it is so there too"


def _checked_format(content: bytes) -> str:
    """The format that the first bytes tell, whatever the file is called; ValueError if it is of no use.

    Frames of one recording share what stands before a JPEG's pixels, so that is read once. Where it ends
    too early to be read, as behind a thumbnail, or is refused, the whole file is looked at.
    """
    if content.startswith(b"\xff\xd8"):
        with contextlib.suppress(ValueError):
            return _format_of_head(content[: content.find(_FIRST_SCAN) + _SCAN_HEADER])
    return _format_of(content)


@functools.lru_cache(maxsize=64)
def _format_of_head(head: bytes) -> str:
    """The same from a JPEG's bytes before its pixels alone, kept for the next frame."""
    return _format_of(head)


def _format_of(content: bytes) -> str:
    """What Pillow reads in a header, after the checks that need no pixels; ValueError if they fail."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            kind, mode, size = str(picture.format), picture.mode, picture.size
            if kind == "PNG":
                picture.verify()  # its checksums; OpenCV spent 10 s on one of 118 bytes
    except Image.DecompressionBombError:
        raise ValueError(_too_large("enormous")) from None
    except Exception:  # the readers of headers raise a dozen kinds of errors, and all mean the same here
        raise ValueError(_DAMAGED) from None
    if max(size) > MAX_SIDE:
        raise ValueError(_too_large(f"{size[0]} x {size[1]} pixels"))
    if kind not in _SUFFIXES:
        raise ValueError(f"is a {kind} file: convert the clip to JPEG, PNG, BMP or TIFF")
    if mode == "CMYK":
        raise ValueError("has the colours of print (CMYK): convert the clip to RGB or grey")
    return kind


def _too_large(what: str) -> str:
    return f"is {what}, more than {MAX_SIDE} per side: scale the clip down"


def _cut_short(content: bytes, kind: str) -> bool:
    """Whether a JPEG ends before its end marker; the decoder would fill the rest with grey in silence."""
    return kind in ("JPEG", "MPO") and b"\xff\xd9" not in content[-256:]


def _check_depth(image: npt.NDArray[np.generic] | None) -> None:
    """Refuse what 8 bits per channel and three channels cannot hold."""
    if image is None:
        raise ValueError(_DAMAGED)
    if image.dtype != np.uint8:
        raise ValueError(
            f"has {8 * image.dtype.itemsize} bits per channel: convert the clip to 8 bits, all frames alike"
        )
    if image.ndim == 3 and image.shape[2] == 4 and (image[..., 3] != 255).any():
        raise ValueError("is transparent in places: lay the clip on a background first")


def misnamed(path: Path) -> str:
    """The format of an image file whose name says another one, or "" (also for what is no image)."""
    try:
        with Image.open(path) as picture:
            kind = str(picture.format)
    except Exception:  # what is wrong with it is said where it is read
        return ""
    fits = os.path.splitext(path.name)[1].lower() in _SUFFIXES.get(kind, ())
    return "" if fits else kind
