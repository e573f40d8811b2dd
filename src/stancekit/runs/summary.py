"""Several seeds of one experiment: mean and standard deviation of each score, beside each seed's own."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stancekit.scoring import Scores


@dataclass(frozen=True)
class Summary:
    """Scores of several seeds: rows of metric, slice, label, mean, sd and the values in the seeds' order."""

    seeds: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        return {"seeds": list(self.seeds), "rows": list(self.rows)}

    def __repr__(self) -> str:
        whole = [r for r in self.rows if not r["label"] and not r["slice"]]
        lines = [f"  {r['metric']:22} {r['mean']:.3f} ± {r['sd']:.3f}" for r in whole]
        return "\n".join([f"{len(self.seeds)} seeds: {', '.join(self.seeds)} (mean ± standard deviation)", *lines])


def summarise(scores: Mapping[str, Scores]) -> Summary:
    """Join the scores of several seeds; rows that a seed leaves undefined are left out."""
    seeds = tuple(scores)
    values: dict[tuple[str, str, str], list[float]] = {}
    for found in scores.values():
        for row in found.rows:
            if row.value is not None and row.value == row.value:
                values.setdefault((row.metric, row.slice, row.label), []).append(row.value)
    rows = [
        {
            "metric": metric,
            "slice": part,
            "label": label,
            "mean": statistics.fmean(numbers),
            "sd": statistics.stdev(numbers),
            "values": numbers,
        }
        for (metric, part, label), numbers in values.items()
        if len(numbers) == len(seeds) > 1
    ]
    return Summary(seeds, tuple(rows))
