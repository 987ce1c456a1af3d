"""What a machine needs to be told before torch loads, and what a run records about it."""

import ctypes
import multiprocessing
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import metadata
from multiprocessing import connection
from pathlib import Path
from typing import Any

from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import ROOT

_RECORDED = (
    "torch",
    "torchvision",
    "timm",
    "safetensors",
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
    (a third of the time of a training step at 224 px), in one heap for all threads, so that those that
    decode frames keep theirs too. None of it changes a result.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    m_trim_threshold, m_mmap_max, m_arena_max = -1, -4, -8
    libc = ctypes.CDLL(None)
    libc.mallopt(m_arena_max, 1)
    libc.mallopt(m_mmap_max, 0)
    libc.mallopt(m_trim_threshold, 2**31 - 1)


def end_with_parent() -> None:
    """Let a worker process end when the process that started it does, even if that one was killed.

    Otherwise it would wait for work for ever.
    """
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def cores() -> int:
    """How many CPU cores this process may use; on Windows at most 61, as no pool of processes has more."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, 61) if platform.system() == "Windows" else usable


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Keep OpenCV from starting threads of its own inside ours."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def own_torch_state(device: str) -> Iterator[None]:
    """One thread on a CPU, and afterwards the number of threads and the random states that torch had before.

    ``device`` is where the block calculates: the states of GPUs are kept where it is one of them, and a block
    on a CPU must leave theirs alone (:func:`seed_torch`).
    """
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    states = torch.cuda.get_rng_state_all() if device.startswith("cuda") else []
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
        if states:
            torch.cuda.set_rng_state_all(states)


def seed_torch(seed: int, device: str) -> None:
    """Seed the random state that torch draws from on a device; on a CPU no GPU is seeded with it."""
    import torch

    if device == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


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


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """Installed versions of Python, of the packages that can change a number, and of ``more``."""
    found = {"python": platform.python_version()}
    for name in (*_RECORDED, *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def choose_device(device: str) -> str:
    """``auto`` is the GPU when there is one, otherwise the CPU; InputError for a GPU that is not there.

    A driver that is too old for this torch leaves no GPU, and that is said.
    """
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    old = "" if found else old_driver()
    if device == "auto":
        if old:
            print(f"{old} This runs on the CPU.")
        return "cuda" if found else "cpu"
    if device.startswith("cuda") and int(device.removeprefix("cuda").lstrip(":") or 0) >= found:
        raise InputError(
            f"There is no device {device}, as torch sees {found} GPUs here: set device to auto or cpu, or "
            f"install a driver and a torch build for your GPU.{f' {old}' if old else ''}"
        )
    return device


def old_driver() -> str:
    """One sentence where the NVIDIA driver is too old for the CUDA that torch was built for; else ""."""
    import torch

    driver, built = _cuda_of_driver(), torch.version.cuda
    if not driver or not built or driver[0] >= int(built.split(".")[0]):
        return ""  # within one major version an older driver will do
    return (
        f"The NVIDIA driver here goes up to CUDA {driver[0]}.{driver[1]}, and torch {torch.__version__} is "
        f"built for CUDA {built}: update the driver, or install a torch build for CUDA {driver[0]}."
    )


def _cuda_of_driver() -> tuple[int, int] | None:
    """The newest CUDA, (major, minor), that the installed NVIDIA driver knows; None without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int()
    if driver.cuDriverGetVersion(ctypes.byref(version)):
        return None
    return version.value // 1000, version.value % 1000 // 10


def device_name(device: str) -> str:
    """The name of a torch device for people: the card's name, or the processor's."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device) if torch.cuda.is_available() else device
    return _processor()


def _processor() -> str:
    """The processor's model where the system tells it, otherwise its kind."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        return next(
            line.split(":", 1)[1].strip() for line in told.splitlines() if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _torch_build() -> dict[str, Any]:
    """What a build of torch computes with: where it differs, the last digits of a result may."""
    import torch

    return {
        "version": torch.__version__,
        "cpu_instructions": torch.backends.cpu.get_cpu_capability(),
        "mkldnn": torch.backends.mkldnn.is_available(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if torch.cuda.is_available() else None,
        "matmul_precision": torch.get_float32_matmul_precision(),
    }


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


def environment(device: str, fingerprint: str, packages: Iterable[str] = ()) -> dict[str, Any]:
    """What a run's ``environment.json`` records: all that may make its numbers differ elsewhere.

    ``packages`` are those that this run uses and others do not, such as one that brings weights.
    """
    return {
        "versions": versions(packages),
        "torch_build": _torch_build(),
        "system": " ".join((platform.system(), *platform.libc_ver())).strip(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": cores(),
        "device": device,
        "device_name": device_name(device),
        "threads_per_fold": 1 if device == "cpu" else None,
        "commit": commit(),
        "data_fingerprint": fingerprint,
    }
