"""What a conversion between formats wrote, left out and lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit.data.dataset import describe_left_out


@dataclass(frozen=True, repr=False)
class Converted:
    """Where how many sentences were written; what reading left out, and what the new format could not hold, by kind."""

    path: Path
    sentences: int
    left_out: Mapping[str, int]
    lost: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        counts = {name: dict(sorted(getattr(self, name).items())) for name in ("left_out", "lost")}
        return {"wrote": str(self.path), "sentences": self.sentences} | counts

    def __repr__(self) -> str:
        left = []
        if self.left_out:
            left = [f"  left out in reading: {describe_left_out(self.left_out)}", f"  kept: {self.sentences} sentences"]
        lost = [f"  lost: {what} ({n})" for what, n in sorted(self.lost.items())]
        return "\n".join([f"wrote {self.path}", *left, *lost])
