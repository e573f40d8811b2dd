"""What the machine offers: device, number format and threads, chosen by what is there and recorded."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from stancekit.errors import fail

_SMALLER = "lower training.batch_size (and raise training.accumulate), lower max_length, or set training.checkpointing"
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_FULL = ("file write failed", "PytorchStreamWriter", "unexpected pos", "iostream", "No space", "too large", "quota")
"""How torch and safetensors, which keep no error number, word it."""

_KEPT = {-3: 1 << 30, -1: (1 << 31) - 1}
"""glibc's M_MMAP_THRESHOLD and M_TRIM_THRESHOLD (malloc.h), in bytes."""


def device(wanted: str) -> torch.device:
    """Return the device to use: what was asked for, or cuda, mps, cpu in this order."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, yes in there.items() if yes))
    if not there[wanted]:
        have = ", ".join(name for name, yes in there.items() if yes)
        raise fail("training.device", f"there is no {wanted} here", f"take one of: {have}")
    return torch.device(wanted)


def nearest(wanted: str) -> torch.device:
    """Return the device to use where the one asked for may be that of another machine: a saved model must answer."""
    return device("cpu" if wanted == "cpu" else "auto")


def has_bf16(where: torch.device) -> bool:
    """Say whether the device multiplies bfloat16 in hardware, so that it is faster and not only smaller."""
    if where.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if where.type != "cpu":
        return False
    return _cpu_flags() & {"avx512_bf16", "amx_bf16"} != set()


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())


def precision(wanted: str, where: torch.device) -> str:
    """Return bf16 or fp32."""
    if wanted == "bf16" and where.type == "mps":
        raise fail("training.precision", "bf16 is not supported on mps", "set training.precision: fp32")
    return wanted if wanted != "auto" else "bf16" if has_bf16(where) else "fp32"


def facts(where: torch.device, kind: str) -> dict[str, Any]:
    """Return what a result may depend on: device, number format, threads, processes."""
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else where.type
    return {
        "device": name,
        "precision": kind,
        "threads": torch.get_num_threads(),
        "processes": processes(),
    }


def keep_memory(where: torch.device) -> None:
    """Let the process keep the main memory that a step frees, where the C library is glibc; results stay the same.

    It would else be handed back and fetched again, page by page, in every step: some 4 % of a small encoder's time,
    whose gradient of the vocabulary's vectors alone is 47 MB. (torch's tuning guide changes the allocator for that.)
    """
    if where.type != "cpu" or sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # musl has none
        for option, value in _KEPT.items():
            library.mallopt(option, value)


def processes() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def memory_errors() -> Iterator[None]:
    """Say which setting to lower when memory runs out, and where a checkpoint did not fit on the disk."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise fail("training", "the device has not enough memory", _SMALLER) from error
    except MemoryError as error:
        raise fail("training", "there is not enough memory", _SMALLER) from error
    except (RuntimeError, SafetensorError, OSError) as error:
        found = _translated(error)
        if found is error:
            raise
        raise found from error


def _translated(error: Exception) -> Exception:
    text = str(error)
    if "not enough memory" in text or "can't allocate memory" in text:
        return fail("training", "there is not enough memory", _SMALLER)
    if any(sign in text for sign in _FULL) or getattr(error, "errno", None) in _NO_ROOM:
        hint = "free some space and go on with --resume; the checkpoint before it is whole"
        return fail("training", "a checkpoint could not be written: the disk is full", hint)
    return error


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch, and ask for algorithms that give the same result each time.

    Torch would then also fill all memory that it takes, in case a kernel reads what it has not written: a seventh of
    the time of training a tagger, and none of the kernels used here does.
    """
    from transformers import set_seed

    set_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if torch.cuda.is_available():
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
