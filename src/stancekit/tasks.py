"""Tasks: which answer is wanted of the sentences, as data and not as a class tree.

A task's `view` takes the answer from a sentence's layers, so gold and predictions have one shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from stancekit import components
from stancekit.codebook import Codebook
from stancekit.errors import did_you_mean, fail
from stancekit.schema import Answer, Example, Layers, Sentence, Span, Stance, Target
from stancekit.text import derive

KINDS = ("single", "multi", "targeted", "spans", "relations", "devices", "layers")
ROLES = ("source", "cue", "content")
SHAPES: dict[str, Callable[[Answer], bool]] = {
    "single": lambda answer: isinstance(answer, str),
    "multi": lambda answer: isinstance(answer, frozenset),
    "targeted": lambda answer: isinstance(answer, tuple) and all(isinstance(a, Stance) for a in answer),
    "spans": lambda answer: isinstance(answer, tuple) and all(isinstance(a, Span) for a in answer),
}
"""By kind of a task of a user's own, whether an answer is one of it."""

METRICS: dict[str, tuple[str, ...]] = {
    "single": ("accuracy", "f1", "confusion"),
    "multi": ("accuracy", "f1"),
    "targeted": ("accuracy", "f1", "confusion"),
    "spans": ("span_exact", "span_overlap", "span_proportional"),
    "relations": ("linked_exact", "linked_overlap", "span_exact", "span_overlap", "strict"),
    "devices": ("span_exact", "span_overlap", "span_proportional", "device_attributes"),
    "layers": ("holder_accuracy", "holder_f1"),
}
LAYER_METRICS: dict[str, tuple[str, ...]] = {
    "relations": ("linked_exact", "linked_overlap", "strict"),
    "devices": ("span_exact", "span_overlap", "device_attributes"),
    "targeted": ("accuracy", "f1"),
    "single": ("accuracy", "f1"),
    "multi": ("f1",),
    "spans": ("span_exact", "span_overlap"),
}
"""What each layer of the task `layers` is scored by: fewer figures than for a task of its own."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is asked: the kind of answer, its labels, how it is scored, and how to take it from the layers.

    `view` returns None where the layer is absent; for a targeted task it returns the sentence's stances.
    `needs` names the layers that gold must have. A task over several layers of which gold may lack some names
    the task of each in `inner`; gold has at least one of them.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    needs: tuple[str, ...]
    view: Callable[[Layers], Answer | None] = field(repr=False, compare=False)
    inner: tuple[Task, ...] = ()


@dataclass(frozen=True)
class Part:
    """Examples of one task with their gold answers, aligned: what `fit` and scoring receive."""

    task: Task
    examples: tuple[Example, ...] = ()
    gold: tuple[Answer, ...] = ()

    def __len__(self) -> int:
        return len(self.examples)


def voice(codebook: Codebook) -> Task:
    """Whose voice a sentence is in: author, direct, indirect or mixed; derived from its attributions."""
    labels = codebook.names("voice")
    return _task("voice", "single", labels, ("attributions",), derive.voice)


def frames(codebook: Codebook) -> Task:
    """Which frames a sentence carries; derived from its devices."""
    return _task("frames", "multi", codebook.names("frame"), ("devices",), derive.frames)


def stance(codebook: Codebook) -> Task:
    """The stance of a sentence's wording toward each target that it names."""
    task = _task("stance", "targeted", codebook.names("stance"), ("stances",), lambda layers: layers.stances)
    return replace(task, metrics=(*task.metrics, "f_avg"))


def attribution(codebook: Codebook) -> Task:
    """Who says what: relations of source, cue and content, with source type and cue stance."""
    return _task("attribution", "relations", ROLES, ("attributions",), lambda layers: layers.attributions)


def devices(codebook: Codebook) -> Task:
    """Framing devices: spans with a frame, a target and negation."""
    return _task("devices", "devices", codebook.names("frame"), ("devices",), _devices)


def _devices(layers: Layers) -> Answer | None:
    """Return the devices, each with a target only where the sentence names it.

    Which actors it names is what the stance layer says; without that layer targets stay as they are.
    """
    if layers.devices is None or layers.stances is None:
        return layers.devices
    named = {stance.target.name for stance in layers.stances}
    return tuple(d if d.target is None or d.target in named else replace(d, target=None) for d in layers.devices)


def holder(codebook: Codebook) -> Task:
    """Whose frame it is: every device with its holder; derived from attributions and devices."""
    return _task("holder", "layers", codebook.names("frame"), ("attributions", "devices"), _both_layers)


def _both_layers(layers: Layers) -> Layers | None:
    return None if layers.attributions is None or layers.devices is None else layers


def layers(codebook: Codebook) -> Task:
    """All that is annotated of a sentence: attributions, devices and stances, as far as it has them."""
    return over((attribution(codebook), devices(codebook), stance(codebook)))


def over(inner: Sequence[Task]) -> Task:
    """Return the task `layers` over these tasks; its labels are the frames of its devices.

    Each keeps its labels, and is scored by `LAYER_METRICS` on the sentences that have its layer.
    """
    kept = tuple(replace(one, metrics=_layer_metrics(one)) for one in inner)

    def view(layers: Layers) -> Layers | None:
        return layers if any(one.view(layers) is not None for one in kept) else None

    labels = next((one.labels for one in kept if one.kind == "devices"), ())
    needs = tuple(name for one in kept for name in one.needs)
    metrics = ("each_layer", *METRICS["layers"])
    return Task(name="layers", kind="layers", labels=labels, metrics=metrics, needs=needs, view=view, inner=kept)


def _layer_metrics(one: Task) -> tuple[str, ...]:
    official = ("f_avg",) if one.kind == "targeted" and {"favor", "against"} <= set(one.labels) else ()
    return (*LAYER_METRICS[one.kind], *official)


def _task(
    name: str, kind: str, labels: tuple[str, ...], needs: tuple[str, ...], view: Callable[[Layers], Answer | None]
) -> Task:
    return Task(name=name, kind=kind, labels=labels, metrics=METRICS[kind], needs=needs, view=view)


def own(name: str, kind: str, labels: Sequence[str] = (), metrics: Sequence[str] = (), column: str = "") -> Task:
    """Return a task over a user's own label column (single, multi, targeted or spans)."""
    expect_kind(kind, f"task {name}")
    key = column or name

    def view(layers: Layers) -> Answer | None:
        answer = layers.labels.get(key)
        return () if answer == frozenset() and kind in ("targeted", "spans") else answer  # in JSON both are []

    chosen = tuple(metrics) or METRICS[kind]
    return Task(name=name, kind=kind, labels=tuple(labels), metrics=chosen, needs=(key,), view=view)


def expect_kind(kind: str, where: object) -> None:
    """Refuse a kind that no task of a user's own has."""
    if kind not in SHAPES:
        raise fail(where, f"there is no kind {kind!r} for a task of your own", did_you_mean(kind, SHAPES))


def nothing(kind: str) -> Answer:
    """Return the answer that stands where none was given, or nothing found."""
    return {"single": "", "multi": frozenset()}.get(kind, ())  # type: ignore[return-value]


def built_in(name: str, codebook: Codebook) -> Task:
    """Return a task of the component table with the labels of a codebook."""
    task: Task = components.find("task", name)(codebook)
    return task


def observed_labels(task: Task, sentences: Iterable[Sentence]) -> tuple[str, ...]:
    """Return the labels that occur in gold, sorted: the label set of a task that declares none."""
    seen: Counter[str] = Counter()
    for sentence in sentences:
        seen.update(labels_in(task.view(sentence.gold)))
    return tuple(sorted(seen))


def labels_in(answer: Answer | None) -> list[str]:
    """Return every label that an answer mentions, once a mention."""
    if answer is None:
        return []
    if isinstance(answer, Layers):
        return labels_in(answer.devices)
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, frozenset):
        return sorted(answer)
    return [getattr(item, "frame", None) or getattr(item, "label", "") or "relation" for item in answer]


def examples_of(task: Task, sentence: Sentence) -> list[tuple[Example, Answer]]:
    """Cut one sentence into the task's examples with gold: none where its layer is absent."""
    answer = task.view(sentence.gold)
    if answer is None:
        return []
    if task.kind != "targeted":
        return [(Example(id=sentence.id, sentence=sentence), answer)]
    assert isinstance(answer, tuple)
    stances = [s for s in answer if isinstance(s, Stance)]
    return [
        (Example(id=f"{sentence.id}#{k}", sentence=sentence, target=s.target), s.label)
        for k, s in enumerate(stances, start=1)
    ]


def targets_of(example: Example, name: str | None = None) -> tuple[Target, ...]:
    """Return the targets to be judged in an example, in order: all that a model may take from gold.

    That is the example's own target, or those of a sentence whose layers are asked for: of one label set by its
    name (`stance` is the stance layer), or of all of them, each once. Labels stay unseen.
    """
    if example.target is not None:
        return (example.target,)
    gold = example.sentence.gold
    sets: dict[str, Answer] = {**gold.labels, "stance": gold.stances or ()}
    found = [sets.get(name, ())] if name is not None else [sets["stance"], *gold.labels.values()]
    stances = [s for answer in found if isinstance(answer, tuple) for s in answer if isinstance(s, Stance)]
    return tuple(s.target for s in stances) if name is not None else tuple(dict.fromkeys(s.target for s in stances))


def asked(sentence: Sentence, targets: Iterable[Target], own: Iterable[str] = ()) -> Sentence:
    """Return a sentence without gold but for the targets to be judged, each under no label: what a tagger asks.

    `own` names targeted label sets of a user's own that are asked for, too.
    """
    stances = tuple(Stance(target, "") for target in targets)
    return replace(sentence, gold=Layers(text=sentence.text, stances=stances, labels=dict.fromkeys(own, stances)))


def part(task: Task, sentences: Iterable[Sentence]) -> Part:
    """Return the labelled examples of some sentences; those without the task's layer are left out."""
    pairs = [pair for sentence in sentences for pair in examples_of(task, sentence)]
    return Part(task, tuple(e for e, _ in pairs), tuple(a for _, a in pairs))
