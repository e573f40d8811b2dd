"""Making splits: by groups or by held-out values, stratified, seeded, frozen; or from parts in separate files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stancekit.data.assign import assign
from stancekit.data.dataset import Dataset
from stancekit.data.groups import Group, check_largest, fixed_by_names, group, node_name, nodes_of, value_of
from stancekit.data.lock import frozen, verify
from stancekit.data.parts import PARTS, Split
from stancekit.errors import Problems, did_you_mean, fail
from stancekit.schema import Sentence
from stancekit.tasks import Task, labels_in

Size = float | Mapping[str, Sequence[Any]]


def make_split(
    dataset: Dataset,
    *,
    by: Sequence[str] = ("document",),
    test: Size = 0.2,
    dev: Size = 0.15,
    stratify: Task | None = None,
    seed: int = 13,
    lock: Path | None = None,
) -> Split:
    """Split a data set by groups, so that no group stands on two sides.

    `by` names `document`, `id` or metadata columns; several are joined to connected components. `test` and
    `dev` are shares of the sentences that are not held out, or values held out: `{"conflict": ["orlen"]}`. With
    a lock file that exists, old groups keep their part and only new ones are placed; it is written else.
    """
    shares = shares_of(test, dev)
    groups = group(dataset, by)
    fixed = _held_out(dataset, groups, test, dev)
    locked = frozen(lock, dataset, by)
    if locked:
        kept = fixed_by_names(groups, locked.groups, str(lock))
        moved = [f"{g} from {kept[g]} to {fixed[g]}" for g in kept if fixed.get(g, kept[g]) != kept[g]]
        if moved:
            raise fail(lock, f"the values held out would move {', '.join(moved[:5])}", "remove the lock to split anew")
        fixed |= kept
    elif shares["train"] < 1:
        check_largest([g for g in groups if g.name not in fixed], by, shares["train"])
    counts = {g.name: _counts(g.sentences, stratify) for g in groups}
    placed = fixed | assign(counts, fixed, {p: s for p, s in shares.items() if s}, seed)
    split = _split(dataset, groups, placed, by, seed)
    _check_parts(split, {part for part, size in (("test", test), ("dev", dev)) if size}, len(groups))
    split = _with_shares(split, dataset, stratify)
    if lock is not None and (locked is None or locked.hashes != split.hashes):
        split.write(lock)
    return split


def shares_of(test: Size, dev: Size, place: Callable[[str], str] = lambda _: "split") -> dict[str, float]:
    """Return the shares of the sentences that are not held out by value; a wrong one is an error at its `place`."""
    problems = Problems()
    shares = {}
    for part, size in (("dev", dev), ("test", test)):
        shares[part] = float(size) if isinstance(size, int | float) else 0.0
        if not 0 <= shares[part] < 1:
            problems.add(
                place(part), f"`{part}` is {size}", "give a share from 0 up to 1, such as 0.2, or values held out"
            )
    if not problems and shares["dev"] + shares["test"] >= 1:
        problems.add(place("test"), f"dev {dev} and test {test} leave nothing for train", "make them smaller")
    problems.raise_any()
    return {"train": 1 - shares["dev"] - shares["test"], **shares}


def _held_out(dataset: Dataset, groups: Sequence[Group], test: Size, dev: Size) -> dict[str, str]:
    """Return the part of the groups held out by value; a group held out in part would leak and is an error."""
    wanted, problems = {}, Problems()
    for part, size in (("test", test), ("dev", dev)):
        for column, values in size.items() if isinstance(size, Mapping) else ():
            known = {str(value_of(sentence, column)) for sentence in dataset}
            for value in map(str, [values] if isinstance(values, str) else values):
                wanted[column, value] = part
                if value not in known:
                    problems.add(f"split ({part})", f"no sentence has {column} {value!r}", did_you_mean(value, known))
    problems.raise_any()
    fixed = {}
    for one in groups:
        sides = {_wanted(sentence, wanted) for sentence in one.sentences}
        if len(sides) > 1:
            told = " and ".join(sorted(side or "the rest" for side in sides))
            hint = "hold out all of its values, or split by other columns"
            problems.add("split", f"the group {one.name} would stand in {told}", hint)
        elif sides != {""}:
            fixed[one.name] = sides.pop()
    problems.raise_any()
    return fixed


def _wanted(sentence: Sentence, wanted: Mapping[tuple[str, str], str]) -> str:
    return next((part for (c, value), part in wanted.items() if str(value_of(sentence, c)) == value), "")


def _counts(sentences: Iterable[Sentence], task: Task | None) -> Counter[str]:
    """Return the number of sentences (under `""`) and of each label of a task."""
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts[""] += 1
        if task is not None:
            counts.update(labels_in(task.view(sentence.gold)))
    return counts


def _split(dataset: Dataset, groups: Iterable[Group], placed: Mapping[str, str], by: Sequence[str], seed: int) -> Split:
    side = {s.id: placed[g.name] for g in groups for s in g.sentences}
    names = {name: placed[g.name] for g in groups for name in g.names}
    parts = {part: tuple(s.id for s in dataset if side[s.id] == part) for part in PARTS}
    return Split(parts, names, tuple(by), seed, dataset.hashes)


def _check_parts(split: Split, wanted: set[str], groups: int) -> None:
    for part in sorted({"train", *wanted}):
        if not split.parts[part]:
            what = f"the part {part} is empty: there are {groups} groups for {len(wanted) + 1} parts"
            raise fail(f"split by {' + '.join(split.by)}", what, "give more data, other columns, or fewer parts")


def _with_shares(split: Split, dataset: Dataset, task: Task | None) -> Split:
    """Add each part's label shares, and say how far they are from those of all sentences."""
    if task is None:
        return split
    counts = {part: _counts(split.of(dataset, part), task) for part in PARTS if split.parts[part]}
    counts["all"] = sum(counts.values(), Counter())
    labels = sorted(label for label in counts["all"] if label)
    shares = {
        part: {label: row[label] / max(row.total() - row[""], 1) for label in labels} for part, row in counts.items()
    }
    differences = [
        (
            abs(row[label] - shares["all"][label]),
            f"{label} in {part}: {row[label]:.1%}, in all {shares['all'][label]:.1%}",
        )
        for part, row in shares.items()
        for label in labels
    ]
    return replace(split, shares=shares, deviation=max(differences, default=(0.0, "no labels")))


def from_parts(
    files: Mapping[str, Dataset],
    *,
    by: Sequence[str] = ("document",),
    dev: Size = 0.15,
    stratify: Task | None = None,
    seed: int = 13,
    lock: Path | None = None,
) -> tuple[Dataset, Split]:
    """Join parts that came as separate files (train, test, and dev or none) into a data set and its split.

    Without a dev file, dev is cut from train by groups. Groups on two sides are kept as they came, and told
    in `leaks`: the parts of a published data set often have some.
    """
    whole = _joined(files)
    locked = frozen(lock, whole, by)
    cut = _cut(files["train"], by, 0.0 if "dev" in files else dev, stratify, seed, locked)
    own = {part: tuple(s.id for s in files[part]) if part in files else () for part in PARTS}
    parts = {**own, "train": cut.parts["train"], "dev": own["dev"] or cut.parts["dev"]}
    split = Split(parts, cut.groups, tuple(by), seed, whole.hashes, leaks=_leaks(whole, parts, by))
    split = _with_shares(split, whole, stratify)
    if lock is not None and (locked is None or locked.hashes != split.hashes):
        split.write(lock)
    return whole, split


def _cut(train: Dataset, by: Sequence[str], dev: Size, stratify: Task | None, seed: int, locked: Split | None) -> Split:
    """Cut dev from a train file, keeping what a lock froze."""
    if locked is None:
        return make_split(train, by=by, test=0.0, dev=dev, stratify=stratify, seed=seed)
    groups = group(train, by)
    fixed = fixed_by_names(groups, locked.groups, "the lock file")
    counts = {g.name: _counts(g.sentences, stratify) for g in groups}
    shares = {part: share for part, share in shares_of(0.0, dev).items() if share}
    return _split(train, groups, fixed | assign(counts, fixed, shares, seed), by, seed)


def _joined(files: Mapping[str, Dataset]) -> Dataset:
    """Join data sets, reporting ids that stand in two of them."""
    problems, counts = Problems(), Counter[str]()
    sentences: dict[str, Sentence] = {}
    places: dict[str, str] = {}
    for dataset in files.values():
        for sentence in dataset:
            if sentence.id in sentences:
                what = f"the id {sentence.id!r} stands twice, first at {places[sentence.id]}"
                problems.add(dataset.where(sentence.id), what, "give every sentence an id of its own in all parts")
            sentences[sentence.id] = sentence
            places[sentence.id] = dataset.where(sentence.id)
        counts.update(dataset.counts)
    problems.raise_any()
    first = files["train"]
    name = " + ".join(dict.fromkeys(dataset.name for dataset in files.values()))
    return replace(first, name=name, sentences=tuple(sentences.values()), counts=dict(counts), places=places)


def _leaks(dataset: Dataset, parts: Mapping[str, Iterable[str]], by: Sequence[str]) -> dict[str, tuple[str, ...]]:
    seen: dict[str, list[str]] = defaultdict(list)
    for part, ids in parts.items():
        for name in dict.fromkeys(node_name(n) for i in ids for n in nodes_of(dataset.by_id[i], by)):
            seen[name].append(part)
    return {name: tuple(found) for name, found in sorted(seen.items()) if len(found) > 1}


__all__ = ["PARTS", "Split", "from_parts", "make_split", "verify"]
