"""Sentences that stand twice, word for word or nearly: across the sides of a split, across documents, inside them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from stancekit.auditing.subject import Subject, differing
from stancekit.schema import Sentence
from stancekit.text.duplicates import Pair, connected, exact_duplicates, near_duplicates

LEAST_WORDS = 4
"""Shorter sentences resemble one another by chance (`He did not.`); only their exact copies count."""
_WORD = re.compile(r"\w+")

Reach = dict[int, Counter[str]]
"""The sides (or documents) of a sentence's copies, itself included, for every sentence that may have one."""
Has = Callable[[int, Counter[str]], bool]


@dataclass(frozen=True)
class Twins:
    """How many sentences of a place (`test`, say) have a copy in another, or in the same one.

    `name` is `train-test`, `documents` (across them) or `inside-train`; `near` counts exact copies too.
    """

    name: str
    crosses: bool
    sentences: int
    exact: int
    near: int

    @property
    def share(self) -> float:
        """The share of the sentences that have an exact or near copy."""
        return self.near / self.sentences if self.sentences else 0.0


@dataclass(frozen=True)
class Copy:
    """Two sentences with the Jaccard of their word sets, their sides, and the tasks that answer them differently."""

    ids: tuple[str, str]
    jaccard: float
    exact: bool
    sides: tuple[str, str]
    differ: tuple[str, ...]


@dataclass(frozen=True)
class Duplicates:
    """Counts by place, pairs (across sides or documents first, then the most alike), and contradictions.

    `contradictions` counts by task the groups of exact copies that have more than one answer.
    """

    twins: tuple[Twins, ...]
    pairs: tuple[Copy, ...]
    contradictions: Mapping[str, int]


def duplicates(subject: Subject, threshold: float) -> Duplicates:
    """Find copies among all sentences of a subject."""
    sides = {name: list(sentences) for name, sentences in subject.sides.items()}
    sentences = [s for members in sides.values() for s in members]
    own = [name for name, members in sides.items() for _ in members]
    keys = own if len(sides) > 1 else [s.document or s.id for s in sentences]
    exact = exact_duplicates([s.text for s in sentences])
    near = _near(sentences, threshold)
    reaches = [copies.reach(keys) for copies in (_Copies(exact), _Copies(exact, near))]
    differ = Counter(name for g in exact for name in differing(subject.tasks, [sentences[k] for k in g]))
    return Duplicates(
        tuple(_by_side(list(sides), own, reaches) if len(sides) > 1 else _by_document(keys, reaches)),
        tuple(_pairs(subject, sentences, keys, exact, near)),
        dict(differ),
    )


def _by_side(sides: Sequence[str], own: Sequence[str], reaches: Sequence[Reach]) -> Iterator[Twins]:
    members = {side: [k for k, other in enumerate(own) if other == side] for side in sides}
    for one, other in combinations(sides, 2):
        yield _twins(f"{one}-{other}", True, members[other], reaches, _has_on(one))
    for side in sides:
        yield _twins(f"inside-{side}", False, members[side], reaches, lambda k, found: found[own[k]] > 1)


def _has_on(side: str) -> Has:
    return lambda _, found: found[side] > 0


def _by_document(documents: Sequence[str], reaches: Sequence[Reach]) -> Iterator[Twins]:
    rows = range(len(documents))
    yield _twins("documents", True, rows, reaches, lambda k, found: found.total() > found[documents[k]])
    yield _twins("inside-documents", False, rows, reaches, lambda k, found: found[documents[k]] > 1)


def _twins(name: str, crosses: bool, rows: Sequence[int], reaches: Sequence[Reach], has: Has) -> Twins:
    exact, near = (sum(k in reach and has(k, reach[k]) for k in rows) for reach in reaches)
    return Twins(name, crosses, len(rows), exact, near)


def _pairs(
    subject: Subject,
    sentences: Sequence[Sentence],
    keys: Sequence[str],
    exact: Iterable[list[int]],
    near: Iterable[Pair],
) -> list[Copy]:
    equal = {(group[0], k) for group in exact for k in group[1:]}
    alike = {(i, j): jaccard for i, j, jaccard in near} | dict.fromkeys(equal, 1.0)
    order = sorted(alike, key=lambda pair: (keys[pair[0]] == keys[pair[1]], -alike[pair], pair))
    return [
        Copy(
            (sentences[i].id, sentences[j].id),
            alike[i, j],
            (i, j) in equal,
            (keys[i], keys[j]),
            differing(subject.tasks, (sentences[i], sentences[j])),
        )
        for i, j in order
    ]


def _near(sentences: Sequence[Sentence], threshold: float) -> list[Pair]:
    long = [k for k, s in enumerate(sentences) if len(_WORD.findall(s.text)) >= LEAST_WORDS]
    pairs = near_duplicates([sentences[k].text for k in long], threshold=threshold)
    return [(long[i], long[j], jaccard) for i, j, jaccard in pairs]


class _Copies:
    """Classes of sentences with the same words, and which classes are near one another.

    Of sentences with equal word sets only the first is paired with others, so near ones are found by class.
    """

    def __init__(self, exact: Iterable[Sequence[int]], near: Sequence[Pair] = ()) -> None:
        equal = [(group[0], k, 1.0) for group in exact for k in group[1:]]
        equal += [pair for pair in near if pair[2] == 1]
        self.class_of = {k: group[0] for group in connected(equal) for k in group}
        self.near: dict[int, set[int]] = defaultdict(set)
        for i, j, _ in near:
            one, other = self.class_of.setdefault(i, i), self.class_of.setdefault(j, j)
            if one != other:
                self.near[one].add(other)
                self.near[other].add(one)

    def reach(self, keys: Sequence[str]) -> Reach:
        """Return where the copies of each sentence stand; `keys` are the sides or documents of all."""
        members: dict[int, Counter[str]] = defaultdict(Counter)
        for k, one in self.class_of.items():
            members[one][keys[k]] += 1
        found = {one: sum((members[other] for other in self.near.get(one, ())), own) for one, own in members.items()}
        return {k: found[one] for k, one in self.class_of.items()}
