"""Further data sets for train, a share of theirs for dev: ids cannot clash, and no text stands on two sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from stancekit.codebook import Codebook
from stancekit.data import split as split_module
from stancekit.data.dataset import Dataset
from stancekit.data.groups import value_of
from stancekit.data.parts import Split
from stancekit.errors import Problem, Problems
from stancekit.files import sha256
from stancekit.schema import Sentence
from stancekit.text.normal import same

HELD_OUT = ("dev", "test")
_DROPPED = "sentences left out, their text stands in another part"
_NOT_DRAWN = "sentences left out by `share`"


def prefix(number: int) -> str:
    """Return what the ids of the k-th further data set (from 1) begin with."""
    return f"also{number}/"


def numbered(dataset: Dataset, number: int) -> Dataset:
    """Return a data set as the k-th further one (from 1), its ids prefixed and its number in its name."""
    before = prefix(number)
    return replace(
        dataset,
        name=f"also {number}, {dataset.name}",
        sentences=tuple(replace(s, id=before + s.id) for s in dataset),
        places={before + sentence_id: place for sentence_id, place in dataset.places.items()},
    )


def drawn(one: Dataset, share: float, dev: Set[str], seed: int) -> Dataset:
    """Return a further data set with its sentences in `dev`, and of the others a share.

    Of a share below 1, whole documents are drawn by seed until they hold that share of the sentences; a larger share
    holds all of a smaller one. Dev is the same for every share, so runs that learnt more or less compare.
    """
    rest = [s for s in one if s.id not in dev]
    sizes = Counter(s.document or s.id for s in rest)
    order = sorted(sizes, key=lambda name: (sha256(f"{seed} {name}".encode()), name))
    taken: set[str] = set()
    held = 0
    for name in order:
        if held >= share * len(rest):
            break
        taken.add(name)
        held += sizes[name]
    kept = tuple(s for s in one if s.id in dev or (s.document or s.id) in taken)
    counts = +Counter({**one.counts, _NOT_DRAWN: len(one) - len(kept)})
    return replace(one, sentences=kept, counts=dict(counts))


def placed_by(split: Split, one: Dataset) -> Dataset:
    """Return a further data set with the sentences that a split has: those that it gained since are left out."""
    return replace(one, sentences=tuple(s for s in one if s.id in split.hashes))


def clashes(dataset: Dataset, book: Codebook) -> list[Problem]:
    """Return a problem for every label set that a data set's own codebook has otherwise than that of the experiment.

    Label sets of other names may stand beside one another; nothing is mapped unasked.
    """
    problems = Problems()
    for name in dataset.codebook.sets.keys() & book.sets.keys():
        if dataset.codebook.names(name) != book.names(name):
            what = f"its codebook {dataset.codebook.name} has other labels of the set {name!r} than {book.name}"
            problems.add(dataset.name, what, f"give a label_map that leads to {book.name}, and leave its codebook out")
    return sorted(problems, key=lambda problem: problem.what)


def for_dev(one: Dataset, share: float, by: Sequence[str], seed: int) -> frozenset[str]:
    """Return the ids of a further data set that go to dev: a share of its sentences, by whole groups.

    Groups are those of the experiment's columns where the data set has them, else its documents. Labels are not
    looked at: experiments of several tasks on the same data have the same dev, and their runs compare.
    """
    if not share:
        return frozenset()
    has = all(value_of(sentence, column) not in (None, "") for sentence in one for column in by)
    columns = by if has else ("document",)
    found = split_module.make_split(one, by=columns, test=0.0, dev=share, seed=seed)
    return frozenset(found.parts["dev"])


def joined(main: Dataset, also: Sequence[Dataset], split: Split, dev: Set[str]) -> Dataset:
    """Return a data set with further ones after it, without their sentences whose text stands in another part.

    `dev` holds the ids of theirs that go to dev, the others go to train. A text is the same whatever its case, white
    space and quotation marks. Documents keep their names, unless an earlier data set has them; no sentence then gets
    neighbours from another text.
    """
    if not also:
        return main
    seen = {s.document for s in main} - {""}
    kept: list[Dataset] = []
    for number, (one, clean) in enumerate(zip(also, _clean(main, also, split, dev), strict=True), start=1):
        counts = +Counter({**one.counts, _DROPPED: len(one) - len(clean)})
        renamed = tuple(_apart(s, seen, prefix(number)) for s in clean)
        seen |= {s.document for s in renamed}
        kept.append(replace(one, sentences=renamed, counts=dict(counts)))
    counts = Counter(main.counts)
    counts.update({f"{one.name}: {kind}": n for one in kept for kind, n in one.counts.items()})
    return replace(
        main,
        sentences=(*main.sentences, *(s for one in kept for s in one)),
        places={**main.places, **{i: place for one in kept for i, place in one.places.items()}},
        counts=dict(counts),
        also=tuple(kept),
    )


def _clean(main: Dataset, also: Sequence[Dataset], split: Split, dev: Set[str]) -> list[list[Sentence]]:
    """Return the sentences of each further data set whose text stands in no other part."""

    def texts(*parts: str) -> set[str]:
        return {same(main.by_id[i].text) for part in parts for i in split.parts[part] if i in main.by_id}

    elsewhere = texts("train", "test")
    own = {s.id: same(s.text) for one in also for s in one if s.id in dev}
    kept = {i: text for i, text in own.items() if text not in elsewhere}
    held_out = texts(*HELD_OUT) | {*kept.values()}
    return [[s for s in one if (s.id in kept if s.id in dev else same(s.text) not in held_out)] for one in also]


def _apart(sentence: Sentence, seen: Iterable[str], before: str) -> Sentence:
    return replace(sentence, document=before + sentence.document) if sentence.document in seen else sentence


def placed(split: Split, dataset: Dataset, dev: Set[str]) -> Split:
    """Return the split of the first data set with the further ones in train and dev: all contents are verified."""
    further = [s.id for one in dataset.also for s in one]
    hashes = {**split.hashes, **{i: dataset.hashes[i] for i in further}}
    parts = {
        **split.parts,
        "train": (*split.parts["train"], *(i for i in further if i not in dev)),
        "dev": (*split.parts["dev"], *(i for i in further if i in dev)),
    }
    return replace(split, parts=parts, hashes=hashes)


def apart(split: Split, number: int) -> tuple[Split, dict[str, str]]:
    """Return a split without its so many further data sets, and the content hashes of theirs, in order."""
    before = tuple(prefix(k) for k in range(1, number + 1))
    further = {i: digest for i, digest in split.hashes.items() if before and i.startswith(before)}
    own = {i: digest for i, digest in split.hashes.items() if i not in further}
    parts = {part: tuple(i for i in ids if i not in further) for part, ids in split.parts.items()}
    return replace(split, parts=parts, hashes=own), further


def shared_documents(one: Dataset, number: int, held_out: Iterable[Sentence]) -> list[str]:
    """Return the documents of the k-th further data set, sorted, that others have in dev or test under that name."""
    before = prefix(number)
    names = {s.document for s in held_out if not s.id.startswith(before)} - {""}
    return sorted({s.document.removeprefix(before) for s in one} & names)


def describe(one: Dataset, split: Split | None) -> str:
    """Return a readable line: how much of a further data set goes to train and to dev, and what was left out."""
    dev = _count_dev(one, split)
    left = "".join(f"; {n:,} {kind}" for kind in (_DROPPED, _NOT_DRAWN) if (n := one.counts.get(kind, 0)))
    return f"{one.name}: {len(one) - dev:,} sentences to train{f', {dev:,} to dev' if dev else ''}{left}"


def _count_dev(one: Dataset, split: Split | None) -> int:
    held = {*split.parts["dev"]} if split else set()
    return sum(s.id in held for s in one)


def summary(one: Dataset, split: Split) -> Mapping[str, Any]:
    """Return what a manifest notes of a further data set."""
    numbers = {"sentences": len(one), "in dev": _count_dev(one, split), "counts": dict(one.counts)}
    return {"name": one.name, "path": str(one.path), "hash": one.hash, "codebook": one.codebook.stamp} | numbers
