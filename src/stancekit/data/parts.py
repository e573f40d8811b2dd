"""The split itself: which sentence goes where, how alike the parts are, and its file form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from stancekit.data.dataset import Dataset
from stancekit.errors import fail
from stancekit.files import read_json, write_json
from stancekit.schema import Sentence

PARTS = ("train", "dev", "test")


@dataclass(frozen=True, repr=False)
class Split:
    """Which sentence goes where.

    `parts` maps train, dev and test to sentence ids in the data's order; `groups` maps `column=value` to
    its part; `hashes` holds the content hash of every sentence; `shares` the share of each label in each part
    and in `all`; `deviation` is the largest difference of such a share from that of all, and where it is;
    `leaks` names the groups on two sides, which only parts that came as separate files can have.
    """

    parts: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, str]
    by: tuple[str, ...]
    seed: int
    hashes: Mapping[str, str]
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    deviation: tuple[float, str] = (0.0, "")
    leaks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "\n".join(self.describe())

    def of(self, dataset: Dataset, part: str) -> tuple[Sentence, ...]:
        """Return the sentences of a part, in the data's order."""
        return tuple(dataset.by_id[i] for i in self.parts[part])

    @cached_property
    def part_of(self) -> dict[str, str]:
        """The part of every sentence, by id."""
        return {i: part for part, ids in self.parts.items() for i in ids}

    def describe(self) -> list[str]:
        """Return readable lines: sizes, how far the label shares differ, and leaks."""
        whole = max(sum(map(len, self.parts.values())), 1)
        sizes = ", ".join(f"{part} {len(ids)} ({len(ids) / whole:.0%})" for part, ids in self.parts.items())
        lines = [f"split by {' + '.join(self.by)}, seed {self.seed}: {sizes}"]
        if self.shares:
            lines.append(f"label shares differ from all by at most {self.deviation[0]:.1%} ({self.deviation[1]})")
        lines += [f"{value} stands in {' and '.join(parts)}" for value, parts in list(self.leaks.items())[:5]]
        if len(self.leaks) > 5:
            lines.append(f"… {len(self.leaks)} groups on two sides in all")
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return the split as JSON: the content of a lock file."""
        return {
            "settings": {"by": list(self.by), "seed": self.seed},
            "groups": dict(self.groups),
            "parts": {part: list(ids) for part, ids in self.parts.items()},
            "hashes": dict(self.hashes),
            "shares": {part: dict(shares) for part, shares in self.shares.items()},
            "deviation": list(self.deviation),
            "leaks": {value: list(parts) for value, parts in self.leaks.items()},
        }

    def write(self, path: Path) -> None:
        """Write the split as a lock file."""
        write_json(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> Split:
        """Read a lock file."""
        value = read_json(path)
        try:
            return cls(
                parts={part: tuple(value["parts"][part]) for part in PARTS},
                groups=dict(value["groups"]),
                by=tuple(value["settings"]["by"]),
                seed=int(value["settings"]["seed"]),
                hashes=dict(value["hashes"]),
                shares={part: dict(shares) for part, shares in value["shares"].items()},
                deviation=(float(value["deviation"][0]), str(value["deviation"][1])),
                leaks={name: tuple(parts) for name, parts in value["leaks"].items()},
            )
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise fail(path, "this is no lock file of a split", "remove it to split anew, or restore it") from error
