"""What several annotators say of one example: its cases, their majority, and the share of each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stancekit.data.annotators import Annotators
from stancekit.metrics.matching import match
from stancekit.schema import Answer, Attribution, Device, Example, Span, Stance, Target, characters, hull
from stancekit.tasks import Task


@dataclass(frozen=True)
class Case:
    """One example with the answer of each annotator, None where one gave none.

    `asked` tells who annotated the layer: of a target, one may have and not named it.
    """

    example: Example
    answers: tuple[Answer | None, ...]
    asked: tuple[bool, ...]

    @property
    def given(self) -> list[Answer]:
        """The answers that were given, in the annotators' order."""
        return [answer for answer in self.answers if answer is not None]

    @property
    def disputed(self) -> bool:
        """Whether two annotators differ, or one did not name the target."""
        said = [answer for answer, asked in zip(self.answers, self.asked, strict=True) if asked]
        return any(answer != said[0] for answer in said[1:])


def cases(task: Task, annotators: Annotators) -> list[Case]:
    """Return the examples of a task that at least one annotator answered, in order.

    Those of a targeted task are told by target (name and span), not by number: annotators may list them differently.
    """
    found: list[Case] = []
    for id_, sentence in annotators.sentences.items():
        views = tuple(None if layers is None else task.view(layers) for layers in annotators.layers[id_])
        asked = tuple(view is not None for view in views)
        if task.kind == "targeted":
            for number, (target, answers) in enumerate(by_target(views).items(), start=1):
                found.append(Case(Example(id=f"{id_}#{number}", sentence=sentence, target=target[0]), answers, asked))
        elif any(asked):
            found.append(Case(Example(id=id_, sentence=sentence), views, asked))
    return found


Key = tuple[Target, int]


def by_target(views: Sequence[Answer | None]) -> dict[Key, tuple[str | None, ...]]:
    """Return the label of every target by annotator; a target that one names twice is told by its number."""
    found: dict[Key, list[str | None]] = {}
    for rater, view in enumerate(views):
        seen: Counter[Target] = Counter()
        for stance in view if isinstance(view, tuple) else ():
            if isinstance(stance, Stance):
                row = found.setdefault((stance.target, seen[stance.target]), [None] * len(views))
                row[rater] = stance.label
                seen[stance.target] += 1
    return {key: tuple(row) for key, row in found.items()}


def shares(answers: Sequence[Answer]) -> dict[str, float]:
    """Return the share of answers that give each label (of sets: that hold it); empty for spans and relations."""
    labels = [[a] if isinstance(a, str) else sorted(a) for a in answers if isinstance(a, str | frozenset)]
    counts = Counter(label for given in labels for label in given)
    return {label: counts[label] / len(answers) for label in sorted(counts)}


def majority(answers: Sequence[Answer]) -> Answer:
    """Return what most annotators say; where as many say yes as no, the first one's word counts.

    Of labels the most frequent; of sets, spans, devices and relations those that more than half gave. Spans and
    devices are one when they overlap with the same label, relations when their cues overlap (contents, where a cue is
    missing); the exact form is the most frequent one, of equals the first annotator's.
    """
    first = answers[0]
    if isinstance(first, str):
        votes = Counter(answers)
        return max(votes, key=votes.__getitem__)  # of equals the first seen
    if isinstance(first, frozenset):
        sets = [answer for answer in answers if isinstance(answer, frozenset)]
        every = {label for labels in sets for label in labels}
        return frozenset(label for label in every if wins([label in labels for labels in sets]))
    lists = [answer for answer in answers if isinstance(answer, tuple)]
    groups = [dict(group) for group in aligned(lists)]
    kept = [_usual(group.values()) for group in groups if wins([k in group for k in range(len(lists))])]
    return tuple(sorted(kept, key=_place))


def wins(votes: Sequence[bool]) -> bool:
    """Say whether more than half vote yes, or half with the first among them."""
    return 2 * sum(votes) > len(votes) or (2 * sum(votes) == len(votes) and votes[0])


Group = list[tuple[int, Any]]


def aligned(answers: Sequence[tuple[Any, ...]]) -> list[Group]:
    """Return spans, devices or relations that are one and the same, each with the number of its annotator.

    Every annotator's items are matched one to one with the first item of each group so far.
    """
    groups: list[Group] = []
    for rater, items in enumerate(answers):
        pairs = {j: i for i, j in match([group[0][1] for group in groups], items, _same)}
        for j, item in enumerate(items):
            if j in pairs:
                groups[pairs[j]].append((rater, item))
            else:
                groups.append([(rater, item)])
    return groups


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Span):
        return one.label == other.label and _overlap((one,), (other,))
    if isinstance(one, Device):
        return one.frame == other.frame and _overlap(one.parts, other.parts)
    if one.cue and other.cue:
        return _overlap(one.cue, other.cue)
    return _overlap(one.content, other.content)


def _overlap(one: tuple[Span, ...], other: tuple[Span, ...]) -> bool:
    return not characters(one).isdisjoint(characters(other))


def _usual(items: Iterable[Any]) -> Any:
    forms = Counter(items)
    return max(forms, key=forms.__getitem__)


def _place(item: Span | Device | Attribution) -> tuple[Any, ...]:
    """Return a sort key: text order; of relations the outer one first."""
    if isinstance(item, Span):
        return (item.start, item.end, item.label)
    if isinstance(item, Device):
        return (*hull(item.parts), item.frame)
    start, end = hull(item.content or item.cue or item.source)
    return (start, -end)
