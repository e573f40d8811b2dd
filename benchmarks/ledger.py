"""The ledger of figures read on development data: one line a reading, never overwritten."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stancekit.scoring import Score

PATH = Path(__file__).with_name("ledger.jsonl")


def append(data: str, part: str, score: Score, row: str, setting: dict[str, Any], *, once: bool = False) -> None:
    """Add a reading: date, data, part, metric, table row, settings, value with its interval, and the command.

    With `once`, one that stands there already is not added again, whatever its date and command.
    """
    arguments = ["PATH" if Path(a).exists() and "/" in a else a for a in sys.argv[1:]]
    line = {
        "date": datetime.now(UTC).date().isoformat(),
        "data": data,
        "part": part,
        "metric": score.metric,
        "row": row,
        "setting": setting,
        "value": _rounded(score.value),
        "low": _rounded(score.low),
        "high": _rounded(score.high),
        "support": score.support,
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *arguments]),
    }
    if once and any(_same(json.loads(old), line) for old in PATH.read_text(encoding="utf-8").splitlines()):
        return
    with PATH.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(old[key] == new[key] for key in new if key not in ("date", "command"))
