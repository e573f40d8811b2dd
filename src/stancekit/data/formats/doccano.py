"""doccano JSONL: text classification, and sequence labelling with relations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stancekit.data import record
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.carried import KEY, LAYERS, carry, choose
from stancekit.data.formats.mark_names import full, holding, read_full
from stancekit.data.formats.marks import Mark, Marks, marks_of
from stancekit.data.formats.pages import Page, assemble, whole
from stancekit.data.formats.utf16 import UNITS, Quoted, to_characters
from stancekit.errors import did_you_mean, fail
from stancekit.files import parse_json, read_text, write_lines
from stancekit.schema import Layers, Sentence, Span

_LABELS = ("label", "labels", "entities")


class Doccano:
    """doccano JSONL, a text a line.

    Without `classes`, sequence labelling: labels are named as in the inline markup (`Cue@distancing`,
    `frame/blame>Ruritania`) and relations tie source, cue and content. With `classes`, text classification
    with the labels of that task. The file quotes no words, so `units` says how offsets were counted where
    they could be either (`characters`, `utf16`); `auto` takes characters unless one ends behind the text. With
    `split`, texts that are whole articles are cut into sentences; with `task`, labels of another scheme are the
    answers of that task; `annotated` lists the layers and tasks that were annotated everywhere.
    """

    def __init__(
        self,
        *,
        classes: str | None = None,
        units: str = "auto",
        split: bool = False,
        task: str | None = None,
        annotated: list[str] | None = None,
    ) -> None:
        if units not in UNITS:
            raise fail("", f"`units` is {units!r}", did_you_mean(units, UNITS))
        self.classes, self.units, self.split = classes, units, split
        self.task, self.annotated = task, annotated

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences of all lines; labels of a text as a whole are those of the task `classes`, or `label`."""
        pages = []
        for number, line in enumerate(read_text(path).split("\n"), start=1):
            if line.strip():
                where = f"{path}:{number}"
                with log.problems.catching(where):
                    pages.append(self._page(parse_json(line, path, number), number, path.stem, where, log))
        yield from assemble(pages, log, self.task, self.annotated)

    def _page(self, raw: Any, number: int, name: str, where: str, log: ReadLog) -> Page:
        if not isinstance(raw, dict):
            raise fail(where, "a record must be a JSON object", "export from doccano as JSONL")
        text = raw.get("text", raw.get("data"))
        wrong = record.text_problem(text)
        if wrong or not isinstance(text, str):
            raise fail(where, wrong, "give the text as `text`")
        meta = raw.get("meta")
        carried = raw.get(KEY) or (meta.get(KEY) if isinstance(meta, dict) else None)
        carried = carried if isinstance(carried, dict) else None
        labels: Any = next((raw[key] for key in _LABELS if raw.get(key)), [])
        items = labels if isinstance(labels, list) else [labels]
        found = Marks()
        if self.classes is not None or (items and all(isinstance(item, str) for item in items)):
            name_of_task = self.classes or "label"
            carried = choose(carried or {}, {name_of_task: [str(item) for item in items]}, [name_of_task])
        else:
            found = self._marks(items, raw.get("relations") or [], text, where, log)
        pieces = whole(text, where, carried, split=self.split)
        return Page(document=f"{name}.{raw.get('id', number)}", text=text, found=found, pieces=pieces)

    def _marks(self, items: list[Any], relations: Any, text: str, where: str, log: ReadLog) -> Marks:
        rows = [row for item in items if (row := _entity(item, where, log)) is not None]
        spans = to_characters(text, [Quoted(where, (pair,)) for _, pair, _ in rows], log, self.units)
        found, numbers = Marks(), dict[Any, int]()
        for (name, _, label), pairs in zip(rows, spans, strict=True):
            if pairs is not None:
                label, fields = (label, {}) if self.task and "/" not in label else read_full(label)
                number = found.add(Mark(label, tuple(Span(a, b) for a, b in pairs), fields))
                numbers[number if name is None else name] = number
        for item in relations if isinstance(relations, list) else ():
            ends = [numbers.get(item.get(key)) for key in ("from_id", "to_id")] if isinstance(item, dict) else [None]
            log.counts["ends of relations without a mark"] += ends.count(None)
            if None not in ends:
                found.links.append((ends[0], ends[1]))  # type: ignore[arg-type]
        return found

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write a line a sentence."""
        lost: Counter[str] = Counter()
        every = list(sentences)
        write_lines(path, self._classified(every, codebook, lost) if self.classes else _labelled(every, codebook, lost))
        return +lost

    def _classified(
        self, sentences: list[Sentence], codebook: Mapping[str, str] | None, lost: Counter[str]
    ) -> list[dict[str, Any]]:
        for sentence in sentences:
            for layer in LAYERS:
                lost[f"{layer} (classification holds labels of the text)"] += getattr(sentence.gold, layer) is not None
            answers = [name for name, answer in sentence.gold.labels.items() if isinstance(answer, tuple)]
            lost.update(f"answers of {name} that are no labels of the text" for name in answers)
        bare = [replace(s, gold=_labels_alone(s.gold)) for s in sentences]
        rows = []
        for sentence, carried in zip(bare, carry(bare, codebook, ()), strict=True):
            answer = sentence.gold.labels.get(self.classes or "")
            labels = [answer] if isinstance(answer, str) else sorted(answer) if isinstance(answer, frozenset) else []
            rows.append({"text": sentence.text, "label": labels, KEY: carried})
        return rows


def _labelled(
    sentences: list[Sentence], codebook: Mapping[str, str] | None, lost: Counter[str]
) -> list[dict[str, Any]]:
    rows = []
    for sentence, carried in zip(sentences, carry(sentences, codebook), strict=True):
        entities, relations = _entities(holding(marks_of(sentence.gold, lost).apart(), lost, named=True))
        rows.append({"text": sentence.text, "entities": entities, "relations": relations, KEY: carried})
    return rows


def _labels_alone(gold: Layers) -> Layers:
    plain = {name: answer for name, answer in gold.labels.items() if isinstance(answer, str | frozenset)}
    return Layers(text=gold.text, labels=plain, votes=gold.votes)


def _entity(item: Any, where: str, log: ReadLog) -> tuple[Any, tuple[int, int], str] | None:
    """Return id, offsets and label of an entity, in the form of either of doccano's exports."""
    name: Any = None
    if isinstance(item, dict):
        name, item = item.get("id"), [item.get("start_offset"), item.get("end_offset"), item.get("label")]
    if isinstance(item, list) and len(item) == 3 and [type(x) for x in item] == [int, int, str]:
        return name, (item[0], item[1]), item[2]
    log.problems.add(
        where, f"an entity is {item!r:.60}", "write [start, end, label], or the object that doccano exports"
    )
    return None


def _entities(found: Marks) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    entities = [
        {"id": n, "label": full(mark), "start_offset": mark.parts[0].start, "end_offset": mark.parts[0].end}
        for n, mark in enumerate(found.marks)
    ]
    relations = [
        {"id": n, "from_id": a, "to_id": b, "type": _kind(found.marks[a], found.marks[b])}
        for n, (a, b) in enumerate(found.links)
    ]
    return entities, relations


def _kind(a: Mark, b: Mark) -> str:
    return "part" if a.label == b.label else b.label.lower()
