"""The same sentences as several annotators labelled them: files that share ids, or one with an annotator column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from stancekit.codebook import Codebook
from stancekit.data import load as load_module
from stancekit.data.dataset import Dataset
from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import sha256
from stancekit.schema import Layers, Sentence

Source = str | Path | Dataset
_TOLD = 10
_NEAR = 12


class Reading(TypedDict, total=False):
    """How annotators are read; `read` says what each means."""

    annotator: str | None
    item: str | None
    partial: bool
    format: str | None
    options: Mapping[str, Any] | None
    codebook: Codebook | str | Path | None
    on_error: Literal["stop", "skip"]


@dataclass(frozen=True, eq=False)
class Annotators:
    """Sentences without gold by id, in order, and what each annotator said of them.

    `layers` maps ids to a layer set an annotator, in the order of `names`; None where one did not see the sentence.
    """

    names: tuple[str, ...]
    sentences: Mapping[str, Sentence]
    layers: Mapping[str, tuple[Layers | None, ...]]
    datasets: tuple[Dataset, ...]

    @property
    def hash(self) -> str:
        """The SHA-256 over the hashes of the data sets, in order."""
        return sha256("".join(d.hash for d in self.datasets).encode())

    @property
    def codebook(self) -> Codebook:
        """The codebook that all of them follow."""
        return self.datasets[0].codebook

    @property
    def paths(self) -> list[Path]:
        """The files that they were read from."""
        return [dataset.path for dataset in self.datasets if dataset.path is not None]

    @property
    def pooled(self) -> Dataset:
        """All annotators' sentences one after another; ids repeat."""
        first = self.datasets[0]
        return Dataset(first.name, tuple(s for d in self.datasets for s in d), first.codebook, first.path)


Sources = Annotators | Sequence[Source] | Mapping[str, Source]


def read(sources: Sources, **how: Unpack[Reading]) -> Annotators:
    """Read two or more annotators.

    Each source is one annotator, named by its file or by the mapping's key, and all must have the same ids (with
    `partial`, some may be missing). With `annotator`, a metadata column, one source holds a row an annotator and
    sentence; the sentence is told by the metadata column `item`, else by the id without `@` and the annotator's name,
    else by document and text. `format`, `options`, `codebook` and `on_error` are those of `load`.
    """
    if isinstance(sources, Annotators):
        return sources
    annotator = how.get("annotator")
    named = sources if isinstance(sources, Mapping) else _by_file(sources)
    if annotator is None and len(named) < 2:
        raise fail("annotators", f"agreement needs two annotators, here are {len(named)}", _HINT)
    if annotator is not None and len(named) != 1:
        raise fail("annotators", f"an annotator column stands in one file, here are {len(named)}", _HINT)
    problems, found = Problems(), {}
    for name, source in named.items():
        with problems.catching(name):
            found[name] = source if isinstance(source, Dataset) else _load(source, how)
    problems.raise_any()
    if annotator is None:
        by_id = {name: dict(dataset.by_id) for name, dataset in found.items()}
        return _joined(by_id, tuple(found.values()), how.get("partial", False))
    (dataset,) = found.values()
    return _joined(_by_column(dataset, annotator, how.get("item")), (dataset,), True, _one_file(how.get("item")))


_HINT = "give a file an annotator, or one file and the metadata column that names the annotator"


def _load(source: str | Path, how: Reading) -> Dataset:
    return load_module.load(
        source,
        format=how.get("format"),
        options=how.get("options") or {},
        codebook=how.get("codebook"),
        on_error=how.get("on_error", "stop"),
    )


def _by_file(sources: Sequence[Source] | Source) -> dict[str, Source]:
    """Name sources by their file, or by their whole path where two files have one name; one alone is no list."""
    if isinstance(sources, Source):
        sources = [sources]
    stems = [source.name if isinstance(source, Dataset) else Path(source).stem for source in sources]
    full = [source.name if isinstance(source, Dataset) else str(source) for source in sources]
    names = stems if len(set(stems)) == len(stems) else full
    for name, times in Counter(names).items():
        if times > 1:
            raise fail(name, "this annotator is given twice", "give each file once")
    return dict(zip(names, sources, strict=True))


def _by_column(dataset: Dataset, column: str, item: str | None) -> dict[str, dict[str, Sentence]]:
    """Return the sentences of each annotator by item, in the data's order."""
    problems, where = Problems(), dataset.path or dataset.name
    known = {key for sentence in dataset for key in sentence.meta}
    for name in filter(None, (column, item)):
        if name not in known:
            problems.add(where, f"there is no metadata column {name!r}", did_you_mean(name, known))
    problems.raise_any()
    found: dict[str, dict[str, Sentence]] = {}
    for sentence in dataset:
        name = _value(sentence, column, dataset, problems)
        key = _value(sentence, item, dataset, problems) if item else _item(sentence, name)
        own = found.setdefault(name, {})
        if key in own:
            what = f"the annotator {name!r} has this sentence twice, first at {dataset.where(own[key].id)}"
            problems.add(dataset.where(sentence.id), what, "keep one of them, or tell sentences apart by `item`")
        meta = {k: v for k, v in sentence.meta.items() if k not in (column, item)}
        own[key] = replace(sentence, meta=meta)
    problems.raise_any()
    if len(found) < 2:
        what = f"the column {column!r} names one annotator only: {', '.join(found)}"
        raise fail(where, what, "agreement needs two or more")
    return {name: found[name] for name in sorted(found)}


def _value(sentence: Sentence, column: str, dataset: Dataset, problems: Problems) -> str:
    value = sentence.meta.get(column)
    if value is None or value == "":
        problems.add(dataset.where(sentence.id), f"the sentence has no {column!r}", "fill the column")
    return str(value)


def _item(sentence: Sentence, annotator: str) -> str:
    """Return what tells a sentence: its id without the annotator, or its document and text."""
    if sentence.id.endswith(f"@{annotator}"):
        return sentence.id.removesuffix(f"@{annotator}")
    return f"{sentence.document}:{sha256(sentence.text.encode())[:12]}".removeprefix(":")


def _one_file(item: str | None) -> str:
    """Say how the sentences of one file are told, where no two annotators share one."""
    if item is not None:
        return f"the column {item!r} must have the same value in every annotator's row of a sentence"
    return "name the column that tells sentences apart (`--item COLUMN`); else document and text must be the same"


def _joined(
    found: Mapping[str, Mapping[str, Sentence]],
    datasets: tuple[Dataset, ...],
    partial: bool,
    hint: str = "the files must share their sentence ids",
) -> Annotators:
    """Join by id; one text for each id, and (unless partial) every id with every annotator."""
    problems, sentences = Problems(), _first_seen(found)
    for name, own in found.items():
        changed = [i for i, s in own.items() if s.text != sentences[i].text]
        _tell(problems, name, {i: _difference(own[i].text, sentences[i].text) for i in changed}, _SAME_TEXT)
        if not partial:
            missing = dict.fromkeys((i for i in sentences if i not in own), "is missing, another annotator has it")
            _tell(problems, name, missing, _SAME_IDS)
    problems.raise_any()
    layers = {i: tuple(own[i].gold if i in own else None for own in found.values()) for i in sentences}
    if not any(sum(given is not None for given in row) > 1 for row in layers.values()):
        raise fail("annotators", "no sentence has two annotators", hint)
    return Annotators(tuple(found), sentences, layers, datasets)


_SAME_TEXT = "annotators must see the same text: mend one of the two, or leave the sentence out of both"
_SAME_IDS = "annotate it, or allow missing sentences (`partial`), which alpha can bear"


def _first_seen(found: Mapping[str, Mapping[str, Sentence]]) -> dict[str, Sentence]:
    """Return every sentence as its first annotator has it, without gold."""
    sentences: dict[str, Sentence] = {}
    for own in found.values():
        for key, sentence in own.items():
            if key not in sentences:
                sentences[key] = replace(sentence, id=key, gold=Layers(text=sentence.text))
    return sentences


def _tell(problems: Problems, name: str, told: Mapping[str, str], hint: str) -> None:
    """Note what is wrong with each sentence of an annotator; after some, how many more there are."""
    for key, what in list(told.items())[:_TOLD]:
        problems.add(name, f"the sentence {key!r} {what}", hint)
    if len(told) > _TOLD:
        problems.add(name, f"{len(told) - _TOLD} more sentences like these", hint)


def _difference(own: str, other: str) -> str:
    """Say where two texts begin to differ."""
    at = next((i for i, (a, b) in enumerate(zip(own, other, strict=False)) if a != b), min(len(own), len(other)))
    start = max(0, at - _NEAR)
    there = f"{own[start : at + _NEAR]!r}, another annotator has {other[start : at + _NEAR]!r}"
    return f"has another text, from character {at} on: {there}"
