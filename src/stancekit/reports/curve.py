"""The training curve: loss on train and score on dev by step, with the scales to draw them on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stancekit.files import read_json
from stancekit.reports import tables
from stancekit.reports.rendering import number
from stancekit.runs import runfolder
from stancekit.runs.run import Run
from stancekit.training.fitting import CURVE

Rows = list[list[float]]
"""Steps with a value each."""

_INTERVALS = {"steps": 6, "values": 4}
"""So many intervals, or hardly more, lie between the ticks of an axis."""


def of_run(run: Run) -> dict[str, Any] | None:
    """Return the curve of a run as rows of step and value, with its scales and what it says in words.

    None for a run without one: its model is fitted at once.
    """
    if CURVE not in run.manifest["files"]:
        return None
    runfolder.verify(run.path, run.manifest, CURVE)
    raw = read_json(run.path / CURVE)
    loss, dev = _rows(raw.get("loss")), _rows(raw.get("dev"))
    steps = int(max([raw.get("steps") or 0, *(row[0] for row in loss + dev)]))
    if (not loss and not dev) or not steps:
        return None
    name = tables.name(str(raw.get("metric") or "score"))
    best = next((row for row in dev if row[0] == raw.get("best_step")), None)
    panels = [_panel("loss", "Loss on train, by step", loss), _panel("dev", f"{name} on dev, by step", dev)]
    return {
        "metric": str(raw.get("metric") or ""),
        "steps": steps,
        "ticks": _ticks(0, steps, whole=True),
        "best": best,
        "panels": [panel for panel in panels if panel["rows"]],
        "learning_rate": _rows(raw.get("learning_rate")),
        "line": _line(steps, loss, dev, best, name),
    }


def _rows(values: Any) -> Rows:
    """Return the pairs of finite numbers: a model of one's own may leave anything."""
    pairs = [v for v in values if isinstance(v, list) and len(v) == 2] if isinstance(values, list) else []
    return [pair for pair in pairs if all(type(n) in (int, float) and math.isfinite(n) for n in pair)]


def _panel(key: str, title: str, rows: Rows) -> dict[str, Any]:
    """Return a panel: its rows, the ticks of its scale (the ends are the first and the last), and its words."""
    if not rows:
        return {"key": key, "rows": rows}
    values = [value for _, value in rows]
    ticks = _ticks(min(values), max(values))
    first, last = rows[0], rows[-1]
    told = f"{title}: from {first[1]:.3g} at step {first[0]:.0f} to {last[1]:.3g} at step {last[0]:.0f}"
    return {"key": key, "title": title, "rows": rows, "ticks": ticks, "told": told}


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Return round numbers at equal distances that reach from below `low` to above `high`.

    With `whole` they are whole numbers that end at or before `high`.
    """
    size = max(abs(low), abs(high), 1.0)
    width = high - low if high - low > size * 1e-9 else size / 10  # closer values are a level line
    rough = width / _INTERVALS["steps" if whole else "values"]
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.999)
    step = max(1.0, step) if whole else step
    first = math.floor(low / step + 1e-9)
    last = math.floor(high / step + 1e-9) if whole else math.ceil(high / step - 1e-9)
    if first == last:  # a level line; a score has no room above 1
        first, last = (first - 1, last) if first > 0 else (first, last + 1)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(k * step, digits) for k in range(first, last + 1)]


def _line(steps: int, loss: Rows, dev: Rows, best: Sequence[float] | None, name: str) -> str:
    """Return the curve in a line of words."""
    said = [f"{steps:,} step{'s' if steps > 1 else ''}"]
    if loss:
        said.append(f"loss {loss[0][1]:.3f} → {loss[-1][1]:.3f}")
    if dev:
        step, value = best or dev[-1]
        which = f", the {'best' if best else 'last'} of {len(dev)}" if len(dev) > 1 else ""
        said.append(f"{name} on dev {number(value)} at step {step:,.0f}{which}")
    return "; ".join(said)
