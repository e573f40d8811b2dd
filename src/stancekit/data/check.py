"""Everything that can be wrong with a data set or its split, in one pass, with counts of what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stancekit.data import also
from stancekit.data.check_targets import check_targets
from stancekit.data.dataset import Dataset, annotated
from stancekit.data.label_sets import labels_of, unknown_labels
from stancekit.data.parts import Split
from stancekit.errors import Problem, Problems
from stancekit.schema import Attribution, Device, Sentence, Span, Stance, characters
from stancekit.tasks import SHAPES, Task, examples_of, labels_in
from stancekit.text import derive


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    `counts` holds numbers by title and label; `problems` must be mended, `warnings` may be meant so; `notes`
    say how the split came out and what a label map changed.
    """

    problems: Problems
    warnings: tuple[Problem, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "problems": [vars(problem) for problem in self.problems],
            "warnings": [vars(problem) for problem in self.warnings],
            "counts": {title: dict(row) for title, row in self.counts.items()},
            "notes": list(self.notes),
        }


def check(
    dataset: Dataset, task: Task | None = None, split: Split | None = None, problems: Problems | None = None
) -> CheckReport:
    """Check a data set, and a task and a split over it; `problems` are those that reading it found."""
    found, warnings = problems or Problems(), Problems()
    _check_ids(dataset, found)
    for sentence in dataset:
        where = dataset.where(sentence.id)
        found.found.extend(unknown_labels(sentence, dataset.codebook, where))
        _check_spans(sentence, where, found)
        _check_devices(sentence, where, warnings if sentence.id in dataset.mapped else found, warnings)
    check_targets(dataset, found, warnings)
    counts = _dataset_counts(dataset)
    if task is not None:
        parts = {part: split.of(dataset, part) for part in split.parts} if split else {"all": dataset.sentences}
        counts |= _check_task(dataset, task, parts, found, warnings)
    notes = [f"label map: {line}" for line in dataset.map_lines()]
    notes += [also.describe(one, split) for one in dataset.also]
    if split is not None:
        notes += split.describe()
        if split.leaks:
            hint = "figures on them flatter; cut a part of your own by groups to know how much"
            warnings.add(dataset.name, f"{len(split.leaks)} groups stand in more than one part", hint)
        _check_also(dataset, task, split, warnings)
    return CheckReport(found, tuple(warnings), counts, tuple(notes))


def _check_also(dataset: Dataset, task: Task | None, split: Split, warnings: Problems) -> None:
    """Note further data sets of no use to the task, and those with documents that are held out."""
    held_out = [dataset.by_id[i] for part in also.HELD_OUT for i in split.parts[part]]
    for number, one in enumerate(dataset.also, start=1):
        if task is not None and not any(task.view(sentence.gold) is not None for sentence in one):
            warnings.add(one.name, f"it has no example of {task.name}", f"the task needs {', '.join(task.needs)}")
        shared = also.shared_documents(one, number, held_out)
        if shared:
            what = f"{len(shared)} of its documents, {shared[0]} say, have the name of one in dev or test"
            warnings.add(one.name, what, "if they are the same, figures flatter: leave them out")


def _check_ids(dataset: Dataset, problems: Problems) -> None:
    counts = Counter(sentence.id for sentence in dataset)
    for sentence_id, count in counts.items():
        if count > 1:
            problems.add(dataset.where(sentence_id), f"the id {sentence_id!r} stands {count} times", "make ids unique")
    if not counts and not problems:
        problems.add(dataset.path or dataset.name, "there is no sentence in it", "give labelled sentences")


def _spans(sentence: Sentence) -> Iterable[tuple[str, Span]]:
    gold = sentence.gold
    for relation in gold.attributions or ():
        for role in ("source", "cue", "content"):
            yield from ((role, part) for part in getattr(relation, role))
    for device in gold.devices or ():
        yield from (("device", part) for part in device.parts)
    for stance in gold.stances or ():
        yield from (("target", span) for span in (stance.target.span,) if span)
    for name, answer in gold.labels.items():
        for item in answer if isinstance(answer, tuple) else ():
            span = item.target.span if isinstance(item, Stance) else item if isinstance(item, Span) else None
            if span is not None:
                yield name, span


def _check_spans(sentence: Sentence, where: str, problems: Problems) -> None:
    size = len(sentence.text)
    for kind, span in _spans(sentence):
        if span.end > size:
            what = f"the {kind} {span.start}–{span.end} ends past the text of {size} characters"
            problems.add(where, what, "count characters, end exclusive")


def _check_devices(sentence: Sentence, where: str, problems: Problems, warnings: Problems) -> None:
    """Note devices of one frame that overlap (a label map may make them so), and those that cross a content edge."""
    text, devices = sentence.text, sentence.gold.devices or ()
    for k, one in enumerate(devices):
        for other in devices[k + 1 :]:
            if one.frame == other.frame and characters(one.parts) & characters(other.parts):
                what = f"two {one.frame} devices overlap: {_words(one, text)} and {_words(other, text)}"
                problems.add(where, what, "devices overlap only with different frames; make them one")
        if derive.crosses_content(one, sentence.gold.attributions or ()):
            what = f"the device {_words(one, text)} crosses the edge of a content; it counts as the author's"
            warnings.add(where, what, "mend the edge of the device or of the content")
    for relation in sentence.gold.attributions or ():
        if not _has_parts(relation):
            problems.add(where, "an attribution without source, cue and content", "give its spans, or remove it")


def _words(device: Device, text: str) -> str:
    return repr(" … ".join(part.of(text) for part in device.parts))


def _has_parts(relation: Attribution) -> bool:
    return bool(relation.source or relation.cue or relation.content)


def _dataset_counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Return numbers of sentences and documents, annotated layers, labels by set, and what reading left out."""
    sets: dict[str, Counter[str]] = {}
    for sentence in dataset:
        voice = derive.voice(sentence.gold)
        pairs = [*labels_of(sentence), *([("voice", voice)] if voice else [])]
        for name, label in pairs:
            sets.setdefault(name, Counter())[label] += 1
    counts = {"data": _sizes(dataset), "annotated sentences": _layers(dataset)}
    counts |= {one.name: _sizes(one) | _layers(one) for one in dataset.also}
    counts |= {name: dict(row.most_common()) for name, row in sorted(sets.items())}
    return counts | ({"left out or mended in reading": dict(dataset.counts)} if dataset.counts else {})


def _sizes(dataset: Dataset) -> dict[str, int]:
    return {"sentences": len(dataset), "documents": dataset.documents}


def _layers(dataset: Dataset) -> dict[str, int]:
    return dict(Counter(name for sentence in dataset for name in annotated(sentence.gold)))


def _check_task(
    dataset: Dataset,
    task: Task,
    parts: Mapping[str, Iterable[Sentence]],
    problems: Problems,
    warnings: Problems,
) -> dict[str, dict[str, int]]:
    """Check answers against the task, and each part for what fitting and scoring need; return its counts."""
    counts: dict[str, dict[str, int]] = {}
    place = str(dataset.path or dataset.name)
    for part, sentences in parts.items():
        labels, examples = _count_labels(dataset, task, sentences, problems)
        counts[f"{task.name}, {part}"] = {"examples": examples, **labels}
        if part in ("train", "all"):
            _check_train(place, task, part, labels, examples, problems)
        elif part == "test" and not examples:
            problems.add(place, f"the part test has no example of {task.name}", "annotate some, or split otherwise")
        elif part == "dev" and not examples:
            warnings.add(place, f"the part dev has no example of {task.name}", "thresholds will not be tuned")
    return counts


def _count_labels(
    dataset: Dataset, task: Task, sentences: Iterable[Sentence], problems: Problems
) -> tuple[dict[str, int], int]:
    counts, examples = Counter(dict.fromkeys(task.labels, 0)), 0
    for sentence in sentences:
        answer = task.view(sentence.gold)
        fits = SHAPES.get(task.kind)
        if answer is not None and fits and not fits(answer):
            what = f"the answer of {task.name!r} does not fit a task of kind {task.kind!r}"
            problems.add(dataset.where(sentence.id), what, "give the task the kind of its column, or mend the answer")
        elif answer is not None:
            examples += len(examples_of(task, sentence))
            found = labels_in(answer)
            counts.update(found)
            for one in task.inner:
                counts[f"with {one.name}"] += one.view(sentence.gold) is not None
            for label in set(found) - set(task.labels) if task.kind in SHAPES else ():
                what = f"the label {label!r} is none of the task {task.name!r}"
                problems.add(dataset.where(sentence.id), what, f"its labels are {', '.join(task.labels)}")
    return dict(counts), examples


def _check_train(
    place: str, task: Task, part: str, labels: Mapping[str, int], examples: int, problems: Problems
) -> None:
    """Note a train part from which nothing can be learnt."""
    seen = [label for label, count in labels.items() if count]  # or layer, where the task is over several
    of_part = "the data has" if part == "all" else "the part train has"
    if not examples:
        problems.add(place, f"{of_part} no example of {task.name}", f"the task needs {', '.join(task.needs)}")
    elif not seen:
        problems.add(place, f"{of_part} examples of {task.name}, but no label", "annotate some")
    elif len(seen) == 1 and task.kind in ("single", "targeted"):
        problems.add(place, f"{of_part} one class only of {task.name}: {seen[0]!r}", "give examples of another class")
