"""Arrays that are costly to compute, kept on disk by the hash of all that they hang on."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from stancekit.errors import StancekitError, fail
from stancekit.files import dump_json, write_bytes
from stancekit.models.tensors import Tensors

FOLDER = "STANCEKIT_CACHE"
LIMIT = "STANCEKIT_CACHE_GIB"
_GIB = 2.0
_SUM = "sum"
Part = str | bytes | NDArray[Any] | Mapping[str, Any] | Sequence[Any]


def cached(parts: Sequence[Part], compute: Callable[[], Mapping[str, NDArray[Any]]]) -> Tensors:
    """Return the arrays that `compute` gives, from disk where the same `parts` were asked for before.

    `parts` are all that the arrays hang on: text, bytes, arrays, or JSON. The folder is STANCEKIT_CACHE, else
    the user's cache folder; STANCEKIT_CACHE set to nothing turns caching off. Above STANCEKIT_CACHE_GIB
    (2 by default) the files that were not used for longest go. A file that is damaged is computed anew; where nothing
    can be written, nothing is kept. Several processes may use the folder at once.
    """
    store = _store()
    if store is None:
        return dict(compute())
    path = store.place(key(parts))
    found = _read(path)
    if found is None:
        found = dict(compute())
        store.write(path, found)
    return found


def key(parts: Sequence[Part]) -> str:
    """Return a hash that differs where any part does, its kind and shape included."""
    digest = sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            kind, content = f"{part.dtype.str}{part.shape}", np.ascontiguousarray(part).tobytes()
        elif isinstance(part, bytes):
            kind, content = "bytes", part
        else:
            kind, content = "json", dump_json(part).encode()
        digest.update(f"{kind} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def folder() -> Path | None:
    """Return where the cache stands, None where it is turned off or there is no home."""
    if (wanted := os.environ.get(FOLDER)) is not None:
        return Path(wanted).expanduser() if wanted else None
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "stancekit"
    with suppress(RuntimeError):
        return Path.home() / ".cache" / "stancekit"
    return None


def _limit() -> int:
    wanted = os.environ.get(LIMIT) or _GIB
    try:
        return int(float(wanted) * 2**30)
    except (ValueError, OverflowError) as error:
        raise fail(LIMIT, f"{wanted!r} is no number of gibibytes", "write 2, say") from error


@dataclass
class _Store:
    """A folder of at most `limit` bytes (a sixteenth more between two looks); `unseen` were written since the last."""

    folder: Path
    limit: int
    unseen: float = field(default=float("inf"))

    def place(self, name: str) -> Path:
        return self.folder / name[:2] / f"{name}.safetensors"

    def write(self, path: Path, found: Tensors) -> None:
        content = save({name: np.ascontiguousarray(found[name]) for name in sorted(found)}, {_SUM: _sum(found)})
        if len(content) > self.limit:
            return
        with suppress(StancekitError):  # a full or read-only disk costs time, not the result
            write_bytes(path, content)
            self.unseen += len(content)
        if self.unseen > self.limit / 16:
            self._prune()
            self.unseen = 0

    def _prune(self) -> None:
        """Remove the files that were used longest ago until the rest fits; others may remove them meanwhile."""
        seen = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):
                facts = path.stat()
                seen.append((facts.st_mtime_ns, path.name, facts.st_size, path))
        excess = sum(size for _, _, size, _ in seen) - self.limit
        for _, _, size, path in sorted(seen):
            if excess <= 0:
                break
            with suppress(OSError):
                path.unlink()
                excess -= size


_STORES: dict[tuple[Path, int], _Store] = {}


def _store() -> _Store | None:
    place = folder()
    if place is None:
        return None
    limit = _limit()
    return _STORES.setdefault((place, limit), _Store(place, limit))


def _read(path: Path) -> Tensors | None:
    """Read arrays through a memory map; None where there is no whole file."""
    try:
        with safe_open(path, framework="numpy") as file:
            found = {name: file.get_tensor(name) for name in sorted(file.keys())}
            whole = (file.metadata() or {}).get(_SUM) == _sum(found)
    except (OSError, SafetensorError, ValueError, TypeError, KeyError):
        return None
    with suppress(OSError):  # a cache that others own may be read too
        os.utime(path)  # used now, so pruned late
    return found if whole else None


def _sum(found: Tensors) -> str:
    total = 0
    for name in sorted(found):
        array = np.ascontiguousarray(found[name])
        total = zlib.crc32(array.data, zlib.crc32(f"{name}{array.dtype.str}{array.shape}".encode(), total))
    return f"{total:08x}"
