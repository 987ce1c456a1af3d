"""What a machine needs to be told before torch loads, and what a run records about it."""

import ctypes
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from dianet_utils.files import ROOT

_RECORDED = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "opencv-python",
    "pandas",
    "scikit-learn",
    "scikit-image",
)


def prepare() -> None:
    """Set what makes torch fast on a shared CPU; call it before torch is imported.

    Waiting threads sleep instead of spinning (spinning made two threads up to six times slower than
    one on a busy machine), and glibc keeps freed memory instead of returning it after every step
    (a third of the time of a training step at 224 px). Neither changes a result.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    m_trim_threshold, m_mmap_max = -1, -4
    libc = ctypes.CDLL(None)
    libc.mallopt(m_mmap_max, 0)
    libc.mallopt(m_trim_threshold, 2**31 - 1)


def cores() -> int:
    """How many CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_bfloat16(device: str) -> bool:
    """Whether a torch device calculates in bfloat16 itself; elsewhere it is emulated, slower than float32.

    A CPU says so among its flags (x86: avx512_bf16 or amx_bf16, ARM: bf16), which are read on Linux only.
    """
    if device.startswith("cuda"):
        import torch

        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})


def versions() -> dict[str, str]:
    """Installed versions of Python and of the packages that can change a number."""
    found = {"python": platform.python_version()}
    for name in _RECORDED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def device_name(device: str) -> str:
    """The name of a torch device for people: the card's name, or the kind of processor."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device) if torch.cuda.is_available() else device
    return platform.machine()


def commit() -> str | None:
    """The git commit of the repository, with ``+changes`` where files differ from it; None without git."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return f"{head}+changes" if _git("status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def environment(device: str, fingerprint: str) -> dict[str, Any]:
    """What a run's ``environment.json`` records."""
    return {
        "versions": versions(),
        "system": platform.system(),
        "device": device,
        "device_name": device_name(device),
        "threads_per_fold": 1 if device == "cpu" else None,
        "commit": commit(),
        "data_fingerprint": fingerprint,
    }
