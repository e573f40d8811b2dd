"""Arrays of a model on disk: safetensors, whole or not at all, the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from stancekit.errors import fail
from stancekit.files import read_bytes, write_bytes

Tensors = dict[str, NDArray[Any]]


def write(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays in their own dtype; names are sorted and memory order is C."""
    write_bytes(path, save({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}))


def read(path: Path) -> Tensors:
    """Read named arrays back; a damaged file is an error that names it."""
    try:
        return dict(load(read_bytes(path)))
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise fail(path, f"no valid safetensors file: {error}", "copy the run again, or train it again") from error


def under(tensors: Mapping[str, NDArray[Any]], prefix: str) -> Tensors:
    """Return the arrays whose name begins with `prefix`, without it."""
    return {name.removeprefix(prefix): values for name, values in tensors.items() if name.startswith(prefix)}
