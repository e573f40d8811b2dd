"""Label Studio JSON: tasks with predictions to be corrected, and its export with annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from stancekit.data import record
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.carried import KEY, carry, choose, shown
from stancekit.data.formats.labelstudio_view import view
from stancekit.data.formats.marks import LAYER_OF, Mark, Marks, marks_of
from stancekit.data.formats.pages import Page, assemble, whole
from stancekit.data.formats.utf16 import UNITS, Quoted, Units, to_characters
from stancekit.errors import did_you_mean, fail
from stancekit.files import dump_json, read_json, write_text
from stancekit.schema import Sentence, Span

_RESULTS = ("annotations", "predictions")
_FIELDS = ("target", "negated", "source_type", "cue_stance")
_KINDS = {"target": "textarea"}  # the other fields are choices


class LabelStudio:
    """Label Studio JSON, a sentence a task; a file `NAME.xml` beside it holds the labelling interface.

    `results` chooses annotations or predictions: written are predictions, read are annotations where absent; a
    task without them is read as a sentence that is not annotated. `annotator` chooses whose (the id or mail of
    `completed_by`), otherwise the first; with `annotators`, there is a record for each. Offsets are written in
    characters; `units="utf16"` writes them as browsers count. `text` names the field of the text. With `split`,
    tasks that are whole articles are cut into sentences; with `task`, labels of another scheme are the answers
    of that task; `annotated` lists the layers and tasks that were annotated everywhere, also where there is no
    mark.
    """

    def __init__(
        self,
        *,
        results: Literal["annotations", "predictions"] | None = None,
        annotator: str | int | None = None,
        annotators: bool = False,
        text: str = "text",
        units: str = "auto",
        split: bool = False,
        task: str | None = None,
        annotated: list[str] | None = None,
    ) -> None:
        if results not in (None, *_RESULTS):
            raise fail("", f"`results` is {results!r}", did_you_mean(str(results), _RESULTS))
        if units not in UNITS:
            raise fail("", f"`units` is {units!r}", did_you_mean(units, UNITS))
        self.results, self.annotator, self.annotators, self.text = results, annotator, annotators, text
        self.units, self.split, self.task, self.annotated = units, split, task, annotated

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences of all tasks."""
        tasks = read_json(path)
        if not isinstance(tasks, list):
            raise fail(path, "this is no list of tasks", "export from Label Studio as JSON (not JSON-MIN)")
        pages: list[Page] = []
        for number, task in enumerate(tasks, start=1):
            where = f"{path}: task {number}"
            with log.problems.catching(where):
                pages += self._pages(task, number, path.stem, where, log)
        yield from assemble(pages, log, self.task, self.annotated)

    def _pages(self, raw: Any, number: int, name: str, where: str, log: ReadLog) -> Iterator[Page]:
        """Yield the page of a task, or one an annotator."""
        data = raw.get("data") if isinstance(raw, dict) else None
        text = data.get(self.text) if isinstance(data, dict) else None
        wrong = record.text_problem(text)
        if not isinstance(data, dict) or not isinstance(text, str) or wrong:
            raise fail(where, f"data.{self.text}: {wrong or 'missing'}", "export as JSON; `text` names the field")
        given = data.get(KEY)
        document = str(data.get("document") or f"{name}.{raw.get('id', number)}")
        for annotator, result in self._results(raw, where, log):
            carried = given if isinstance(given, dict) else None
            items = [item for item in result or () if isinstance(item, dict)]
            found, chosen = _Result(text, where, log, self.units).read(items)
            if result is not None and (carried or chosen):
                carried = choose(carried or {}, chosen, shown(carried or {}))
            pieces = whole(text, where, carried, split=self.split)
            page = Page(document=document, text=text, found=found, pieces=pieces, annotated=result is not None)
            page.annotator = annotator
            yield page

    def _results(self, raw: Mapping[str, Any], where: str, log: ReadLog) -> list[tuple[str, list[Any] | None]]:
        """Return the results to read with their annotators (one without a name, unless all are asked for)."""
        kind = self.results or "annotations"
        given = raw.get(kind) or []
        if not isinstance(given, list) or not all(isinstance(a, dict) for a in given):
            raise fail(where, f"`{kind}` must be a list of objects", "export from Label Studio as JSON")
        done = [a for a in given if not a.get("was_cancelled")]
        if self.annotator is not None:
            done = [a for a in done if str(self.annotator) in _names(a.get("completed_by"))]
        if any(not isinstance(a.get("result") or [], list) for a in done):
            raise fail(where, "`result` must be a list", "export from Label Studio as JSON")
        log.counts[f"tasks without {kind}"] += not done
        if self.annotators:
            return [(_names(a.get("completed_by"))[0], a.get("result") or []) for a in done]
        log.counts[f"further {kind} of a task (left out)"] += max(len(done) - 1, 0)
        log.counts = +log.counts
        return [("", done[0].get("result") or [])] if done else [("", None)]

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write a task a sentence, and the interface: results show only with one of the same names."""
        lost: Counter[str] = Counter()
        kind = self.results or "predictions"
        tasks, results, every = [], [], list(sentences)
        for number, (sentence, carried) in enumerate(zip(every, carry(every, codebook), strict=True), start=1):
            result = _write(sentence, marks_of(sentence.gold, lost).apart(), carried, self.units)
            results += result
            tasks.append({"id": number, "data": {self.text: sentence.text, KEY: carried}, kind: [{"result": result}]})
        write_text(path, "[\n" + ",\n".join(map(dump_json, tasks)) + "\n]\n")
        write_text(path.with_suffix(".xml"), view(self.text, results))
        return +lost


def _names(completed_by: Any) -> list[str]:
    """Return what an annotator is called: the id, and the mail address where the export has it."""
    if isinstance(completed_by, dict):
        return [str(completed_by[key]) for key in ("id", "email") if key in completed_by] or ["?"]
    return [str(completed_by)]


class _Result:
    """Reads the regions, relations and choices of one result."""

    def __init__(self, text: str, where: str, log: ReadLog, units: str) -> None:
        self.text, self.where, self.log, self.units = text, where, log, units

    def read(self, items: list[dict[str, Any]]) -> tuple[Marks, dict[str, list[str]]]:
        """Return the marks, and the labels chosen for the text as a whole, by task."""
        regions: list[tuple[str, Quoted, str]] = []
        fields: dict[str, dict[str, str]] = {}
        chosen: dict[str, list[str]] = {}
        for item in items:
            value = item.get("value")
            if not isinstance(value, dict):
                continue
            name, labels = str(item.get("from_name")), value.get("labels")
            if isinstance(labels, list):
                quoted = self._quoted(value)
                regions += [(str(item.get("id")), quoted, str(label)) for label in labels if quoted]
            elif "start" in value and name in _FIELDS:
                values = _values(value)
                fields.setdefault(str(item.get("id")), {}).update({name: values[0]} if values else {})
            elif isinstance(value.get("choices"), list):
                chosen.setdefault(name, []).extend(map(str, value["choices"]))
            else:
                self.log.counts[f"results of another kind: {item.get('type')} (left out)"] += 1
        return self._marks(items, regions, fields), chosen

    def _quoted(self, value: Mapping[str, Any]) -> Quoted | None:
        start, end, quote = value.get("start"), value.get("end"), value.get("text")
        if type(start) is not int or type(end) is not int:
            what = f"a region from {start!r} to {end!r}"
            return self.log.problems.add(self.where, what, "regions of plain text have whole numbers")
        return Quoted(self.where, ((start, end),), quote if isinstance(quote, str) else None)

    def _marks(
        self, items: list[dict[str, Any]], regions: list[tuple[str, Quoted, str]], fields: Mapping[str, dict[str, str]]
    ) -> Marks:
        found, numbers = Marks(), dict[str, int]()
        spans = to_characters(self.text, [quoted for _, quoted, _ in regions], self.log, self.units)
        for (name, _, label), pairs in zip(regions, spans, strict=True):
            if pairs is not None:
                numbers[name] = found.add(Mark(label, tuple(Span(a, b) for a, b in pairs), fields.get(name, {})))
        for item in items:
            if item.get("type") == "relation":
                ends = [numbers.get(str(item.get(key))) for key in ("from_id", "to_id")]
                self.log.counts["ends of relations without a mark"] += ends.count(None)
                if ends[0] is not None and ends[1] is not None:
                    found.links.append((ends[0], ends[1]))
        return found


def _values(value: Mapping[str, Any]) -> list[str]:
    given = value.get("choices") or value.get("text")
    return [str(item) for item in given] if isinstance(given, list) else [given] if isinstance(given, str) else []


def _write(sentence: Sentence, found: Marks, carried: Mapping[str, Any], units: str) -> list[dict[str, Any]]:
    """Return the result of one task."""
    count = Units(sentence.text).unit if units == "utf16" else int
    result: list[dict[str, Any]] = []
    for number, mark in enumerate(found.marks):
        part = mark.parts[0]
        place = {"start": count(part.start), "end": count(part.end)}
        region = {"id": f"m{number}", "to_name": "text"}
        value = place | {"text": part.of(sentence.text), "labels": [mark.label]}
        result.append(region | {"from_name": "marks", "type": "labels", "value": value})
        for key, text in sorted(mark.fields.items()):
            kind = _KINDS.get(key, "choices")
            held = place | {"text" if kind == "textarea" else "choices": [text]}
            result.append(region | {"from_name": key, "type": kind, "value": held})
    for a, b in found.links:
        ends = {"from_id": f"m{a}", "to_id": f"m{b}"}
        kind = found.marks[b].label.lower() if found.marks[b].label != found.marks[a].label else "part"
        result.append(ends | {"type": "relation", "direction": "right", "labels": [kind]})
    for task, answer in carried.get("labels", {}).items():
        if task not in LAYER_OF and answer:
            value = {"choices": [answer] if isinstance(answer, str) else answer}
            result.append({"id": f"c-{task}", "from_name": task, "to_name": "text", "type": "choices", "value": value})
    return result
