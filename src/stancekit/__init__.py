"""stancekit: who says it, how it is framed, and how sure you can be.

Everything public stands here, and is loaded on first use: `import stancekit` is light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Attribution": "stancekit.schema",
    "Device": "stancekit.schema",
    "Example": "stancekit.schema",
    "Layers": "stancekit.schema",
    "Prediction": "stancekit.schema",
    "Sentence": "stancekit.schema",
    "Span": "stancekit.schema",
    "Stance": "stancekit.schema",
    "Target": "stancekit.schema",
    "StancekitError": "stancekit.errors",
    "Run": "stancekit.runs.run",
    "Tagger": "stancekit.tagger",
    "load": "stancekit.runs.run",
    "check": "stancekit.experiment",
    "compare": "stancekit.experiment",
    "convert": "stancekit.experiment",
    "evaluate": "stancekit.experiment",
    "predict": "stancekit.experiment",
    "report": "stancekit.experiment",
    "tag": "stancekit.experiment",
    "train": "stancekit.experiment",
    "adjudicate": "stancekit.adjudication",
    "agree": "stancekit.agreement",
    "answers": "stancekit.prompting",
    "audit": "stancekit.auditing",
    "disagreements": "stancekit.adjudication",
    "ingest": "stancekit.ingestion",
    "prompt": "stancekit.prompting",
    "pull": "stancekit.publishing",
    "push": "stancekit.publishing",
    "rehydrate": "stancekit.sharing",
    "release": "stancekit.sharing",
    "sample": "stancekit.sampling",
}
_MODULES = ("datasets",)

if TYPE_CHECKING:
    from stancekit import datasets
    from stancekit.adjudication import adjudicate, disagreements
    from stancekit.agreement import agree
    from stancekit.auditing import audit
    from stancekit.errors import StancekitError
    from stancekit.experiment import check, compare, convert, evaluate, predict, report, tag, train
    from stancekit.ingestion import ingest
    from stancekit.prompting import answers, prompt
    from stancekit.publishing import pull, push
    from stancekit.runs.run import Run, load
    from stancekit.sampling import sample
    from stancekit.schema import (
        Attribution,
        Device,
        Example,
        Layers,
        Prediction,
        Sentence,
        Span,
        Stance,
        Target,
    )
    from stancekit.sharing import rehydrate, release
    from stancekit.tagger import Tagger

__all__ = [
    "Attribution",
    "Device",
    "Example",
    "Layers",
    "Prediction",
    "Run",
    "Sentence",
    "Span",
    "Stance",
    "StancekitError",
    "Tagger",
    "Target",
    "adjudicate",
    "agree",
    "answers",
    "audit",
    "check",
    "compare",
    "convert",
    "datasets",
    "disagreements",
    "evaluate",
    "ingest",
    "load",
    "predict",
    "prompt",
    "pull",
    "push",
    "rehydrate",
    "release",
    "report",
    "sample",
    "tag",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"stancekit.{name}")
    raise AttributeError(f"module 'stancekit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
