"""What a run notes of dev: its headline, and for a model of all layers the headline of each layer's own task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stancekit import tasks
from stancekit.codebook import Codebook
from stancekit.data import predictions as predictions_file
from stancekit.files import dump_json, sha256
from stancekit.runs import headline
from stancekit.runs.headline import Headline
from stancekit.runs.viewed import view
from stancekit.schema import Prediction
from stancekit.tasks import Part

_LAYER_TASKS = ("attribution", "devices", "stance")


def of(part: Part, predictions: Sequence[Prediction], own: Headline, codebook: Codebook) -> dict[str, Any]:
    """Return metric, value (None where not defined), number and hash of examples by task; nothing where dev is empty.

    `own` is the headline of the part's task. Predictions stand in the order of the examples. The hash is over what was
    asked and its gold: scores compare where it is the same, whatever else a run has in its dev.
    """
    if not len(part):
        return {}
    found = {part.task.name: _row(part, predictions, own)}
    if part.task.kind == "layers":
        for task in part.task.inner or [tasks.built_in(name, codebook) for name in _LAYER_TASKS]:
            viewed, answers = view(task, part, predictions)
            if len(viewed):
                found[task.name] = _row(viewed, answers, headline.of(task))
    return found


def _row(part: Part, predictions: Sequence[Prediction], figure: Headline) -> dict[str, Any]:
    gold = zip(part.examples, part.gold, strict=True)
    asked = [[e.sentence.text, predictions_file.dump(Prediction(id=e.id, answer=answer))] for e, answer in gold]
    digest = sha256(dump_json(asked).encode())[:16]
    return {"metric": figure.name, "value": figure.of(part, predictions), "n": len(part), "examples": digest}
