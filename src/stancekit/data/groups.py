"""Groups that a split keeps together: the values of a column, or connected components over several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stancekit.data.dataset import Dataset
from stancekit.errors import Problem, Problems, StancekitError, did_you_mean
from stancekit.schema import Sentence

Node = tuple[str, str]


@dataclass(frozen=True)
class Group:
    """Sentences that stay together, with the (column, value) pairs that tie them, sorted."""

    nodes: tuple[Node, ...]
    sentences: tuple[Sentence, ...]

    @property
    def name(self) -> str:
        """The first of its values, as `column=value`."""
        return node_name(self.nodes[0])

    @property
    def names(self) -> list[str]:
        """All of its values, as `column=value`."""
        return [node_name(node) for node in self.nodes]

    def __len__(self) -> int:
        return len(self.sentences)


def node_name(node: Node) -> str:
    """Return `column=value`."""
    return f"{node[0]}={node[1]}"


def value_of(sentence: Sentence, column: str) -> Any:
    """Return a sentence's value of `id`, `document` or a metadata column; None where it has none."""
    if column == "id":
        return sentence.id
    if column == "document":
        return sentence.document or sentence.id
    return sentence.meta.get(column)


def check_columns(dataset: Dataset, columns: Iterable[str]) -> None:
    """Refuse columns that some sentence has no value for."""
    known = {"id", "document"} | {key for sentence in dataset for key in sentence.meta}
    problems = Problems()
    for column in columns:
        if column not in known:
            problems.add(dataset.name, f"there is no column {column!r} to split by", did_you_mean(column, known))
            continue
        missing = [s.id for s in dataset if value_of(s, column) in (None, "")]
        if missing:
            hint = f"fill the column, or split by another one; {len(missing)} sentences lack it"
            problems.add(dataset.where(missing[0]), f"the sentence has no {column!r}", hint)
    problems.raise_any()


def group(dataset: Dataset, by: Sequence[str]) -> list[Group]:
    """Return the groups of a data set, sorted by name: sentences that share a value of any column are together."""
    check_columns(dataset, by)
    parent: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for sentence in dataset:
        first, *others = nodes_of(sentence, by)
        for other in others:
            parent[root(other)] = root(first)
    sentences: dict[Node, list[Sentence]] = defaultdict(list)
    members: dict[Node, set[Node]] = defaultdict(set)
    for sentence in dataset:
        nodes = nodes_of(sentence, by)
        sentences[root(nodes[0])].append(sentence)
        members[root(nodes[0])].update(nodes)
    found = [Group(tuple(sorted(members[top])), tuple(rows)) for top, rows in sentences.items()]
    return sorted(found, key=lambda g: g.nodes)


def nodes_of(sentence: Sentence, by: Sequence[str]) -> list[Node]:
    """Return a sentence's (column, value) pairs, in the order of the columns."""
    return [(column, str(value_of(sentence, column))) for column in by]


def linking_values(one: Group, by: Sequence[str]) -> list[str]:
    """Return the values that tie most others into a group, with the number of values that they join."""
    joined: dict[Node, set[Node]] = defaultdict(set)
    for sentence in one.sentences:
        nodes = nodes_of(sentence, by)
        for node in nodes:
            joined[node].update(n for n in nodes if n != node)
    ranked = sorted(joined, key=lambda node: (-len(joined[node]), node))
    return [f"{node_name(n)} (joins {len(joined[n])})" for n in ranked[:5] if len(joined[n]) > 1]


def check_largest(groups: Sequence[Group], by: Sequence[str], room: float) -> None:
    """Refuse a split of which one group is larger than train, the largest part, can hold (a share)."""
    whole = sum(map(len, groups))
    largest = max(groups, key=len, default=None)
    if largest is None or len(largest) <= max(room, 0.6) * whole:
        return
    what = f"one group holds {len(largest) / whole:.0%} of the sentences, train can hold {room:.0%}"
    if len(by) == 1:
        hint = f"it is {largest.name}; split by another column, or give more data"
    else:
        hint = (
            f"values that link it: {', '.join(linking_values(largest, by))}; split by fewer columns, or leave them out"
        )
    raise StancekitError(Problem(f"split by {' + '.join(by)}", what, hint))


def fixed_by_names(groups: Iterable[Group], sides: Mapping[str, str], source: str) -> dict[str, str]:
    """Return the part of every group of which some value already has one; two parts in one group are an error."""
    fixed, problems = {}, Problems()
    for one in groups:
        parts = {sides[name]: name for name in one.names if name in sides}
        if len(parts) > 1:
            told = " and ".join(f"{name} in {part}" for part, name in sorted(parts.items()))
            problems.add(source, f"a group would stand on two sides: {told}", "remove the sentences that tie them")
        elif parts:
            fixed[one.name] = next(iter(parts))
    problems.raise_any()
    return fixed
