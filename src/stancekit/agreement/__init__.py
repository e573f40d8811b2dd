"""How far annotators agree: alpha, kappa and F1 between them with intervals, and the human ceiling they set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from stancekit.agreement.measures import Plan, agreement, ceiling
from stancekit.consensus import Case, cases
from stancekit.data import annotators as annotators_module
from stancekit.data import columns
from stancekit.data.annotators import Annotators, Reading, Sources
from stancekit.data.dataset import annotated
from stancekit.errors import fail
from stancekit.evaluation import task_of
from stancekit.files import spare, write_json
from stancekit.scoring import Scores
from stancekit.tasks import Task, labels_in

if TYPE_CHECKING:
    import pandas as pd

_LAYER_TASKS = {"attributions": ("attribution", "voice"), "devices": ("devices", "frames"), "stances": ("stance",)}


@dataclass(frozen=True, repr=False)
class Agreement:
    """Agreement between annotators, and the ceiling they set for any model, by task.

    Rows of `scores` with a `slice` are of one pair of annotators, those of `ceilings` of one annotator.
    """

    annotators: tuple[str, ...]
    scores: Mapping[str, Scores]
    ceilings: Mapping[str, Scores]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        tasks = {t: {"agreement": s.to_json(), "ceiling": self.ceilings[t].to_json()} for t, s in self.scores.items()}
        return {"annotators": list(self.annotators), "tasks": tasks}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Agreement:
        """Read what `to_json` returned."""
        tasks = value["tasks"]
        found = [{t: Scores.from_json(v[key]) for t, v in tasks.items()} for key in ("agreement", "ceiling")]
        return cls(tuple(value["annotators"]), *found)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a score; `kind` is agreement or ceiling."""
        import pandas as pd

        both = (("agreement", self.scores), ("ceiling", self.ceilings))
        return pd.concat([s.to_frame().assign(task=t, kind=k) for k, by_task in both for t, s in by_task.items()])

    def __repr__(self) -> str:
        lines = [f"{len(self.annotators)} annotators: {', '.join(self.annotators)}"]
        for task, scores in self.scores.items():
            lines += [f"{task}:", *(f"  {line}" for line in repr(scores).splitlines())]
        return "\n".join(lines)


def agree(
    sources: Sources,
    *,
    tasks: Sequence[str] | None = None,
    order: Sequence[str] = (),
    groups: Sequence[str] = ("document",),
    resamples: int = 10_000,
    seed: int = 13,
    to: str | Path | None = None,
    **how: Unpack[Reading],
) -> Agreement:
    """Measure how far annotators agree on each task, and write it as JSON where `to` names a file.

    `tasks` are all that two annotators share where none is given; `order` lists labels from low to high, for ordinal
    alpha; intervals resample `groups`. How the sources are read is told at `stancekit.data.annotators.read`.
    """
    annotators = annotators_module.read(sources, **how)
    spare([*annotators.paths, how.get("codebook")], to)
    scores, ceilings = {}, {}
    for name in tasks or shared_tasks(annotators):
        task = task_of(name, annotators.pooled)
        found = cases(task, annotators)
        _refuse(task, found, order)
        columns.check("groups", groups, [case.example for case in found]).raise_any()
        plan = Plan(annotators, task, found, tuple(groups), resamples, seed)
        scores[name] = agreement(plan, order)
        ceilings[name] = ceiling(plan)
    result = Agreement(annotators.names, scores, ceilings)
    if to is not None:
        write_json(Path(to), result.to_json())
    return result


def shared_tasks(annotators: Annotators) -> list[str]:
    """Return the tasks that two annotators or more have answered for some sentence, built-in ones first."""
    shared: set[str] = set()
    for row in annotators.layers.values():
        counts = Counter(name for layers in row if layers is not None for name in annotated(layers))
        shared.update(name for name, times in counts.items() if times > 1)
    built_in = [task for layer, names in _LAYER_TASKS.items() if layer in shared for task in names]
    found = built_in + sorted(shared - set(_LAYER_TASKS))
    if not found:
        raise fail("annotators", "no layer or label was annotated by two of them", "give files of the same annotation")
    return found


def _refuse(task: Task, found: Sequence[Case], order: Sequence[str]) -> None:
    if task.kind == "layers":
        raise fail(f"task {task.name}", "agreement on it is not defined: it is derived", "ask for attribution, devices")
    if not any(len(case.given) > 1 for case in found):
        raise fail(f"task {task.name}", "no example was answered by two annotators", "give another task")
    if not order:
        return
    if task.kind not in ("single", "targeted"):
        raise fail(f"task {task.name}", "an order of labels needs one label an example", "leave the order out")
    used = {label for case in found for answer in case.given for label in labels_in(answer)}
    if used - set(order):
        what = f"the order does not name the label {sorted(used - set(order))[0]!r}"
        raise fail(f"task {task.name}", what, "list every label from low to high")
