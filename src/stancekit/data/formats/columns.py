"""Tables: which column holds what, and rows to sentences and back; shared by every tabular format."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancekit.data import record
from stancekit.data.formats.base import ReadLog
from stancekit.errors import Problems, did_you_mean, fail
from stancekit.schema import Answer, Layers, Sentence, Span, Stance, Target

_ROLES = ("text", "label", "labels", "target", "span_start", "span_end", "id", "document", "index")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Column names by role; a role left out is read from the column of its own name, where there is one.

    `label` holds one label, `labels` several, joined by `separator` (an empty cell: none); with `target`, the
    label is toward it, and `span_start`, `span_end` are character offsets of its mention. Labels are
    stored as the task `task` (`stance` is the stance layer). `meta` lists the metadata columns, all others
    where absent. The id is the file's name and the row where absent, the document the id.
    """

    text: str = "text"
    label: str | None = None
    labels: str | None = None
    separator: str = "|"
    target: str | None = None
    span_start: str | None = None
    span_end: str | None = None
    id: str | None = None
    document: str | None = None
    index: str | None = None
    meta: list[str] | None = None
    task: str = "label"

    def __post_init__(self) -> None:
        if not self.separator:
            raise ValueError("`separator` is empty")
        if isinstance(self.meta, str):
            raise ValueError("`meta` must be a list of columns")

    def asked(self) -> dict[str, str]:
        """Return the columns asked for, by role."""
        return {role: getattr(self, role) for role in _ROLES if getattr(self, role) is not None}

    def resolve(self, present: Sequence[str], where: str) -> dict[str, str]:
        """Return the column of each role, after checking that the columns asked for are there."""
        problems = Problems()
        roles = self.asked()
        for role, name in [*roles.items(), *(("meta", name) for name in self.meta or ())]:
            if name not in present:
                what = (
                    f"there is no column {name!r} ({role}); the columns are {', '.join(map(repr, present)) or 'none'}"
                )
                problems.add(where, what, did_you_mean(name, present))
        doubled = [name for name, count in Counter(present).items() if count > 1]
        if doubled:
            problems.add(where, f"columns that stand twice: {', '.join(map(repr, doubled))}", "rename one of them")
        problems.raise_any()
        taken = {*roles.values(), *(self.meta or ())} | ({"label", "labels"} if self.label or self.labels else set())
        roles |= {r: r for r in _ROLES if r not in roles and r in present and r not in taken}
        if "label" in roles and "labels" in roles:
            hint = "give `label` or `labels`; the other column is then metadata"
            raise fail(where, "there are columns both for one label and for several", hint)
        return roles


@dataclass
class RowReader:
    """Turns rows of one file into sentences, noting every problem at its row."""

    columns: Columns
    roles: Mapping[str, str]
    names: Sequence[str]
    path: Path
    log: ReadLog
    next_index: Counter[str] = field(default_factory=Counter)

    def sentence(self, row: Mapping[str, Any], number: int, where: str) -> Sentence | None:
        """Return the sentence of a row, or None after noting why there is none."""
        before = len(self.log.problems)
        text = row[self.roles["text"]]
        wrong = record.text_problem(text)
        if wrong:
            self.log.problems.add(where, wrong, f"fill the column {self.roles['text']!r}, or remove the row")
            return None
        name = self._cell(row, "id") or f"{self.path.stem}.{number}"
        document = self._cell(row, "document") or name
        index = self._whole(row, "index", where)
        gold = self._layers(row, text, where)
        if len(self.log.problems) > before:
            return None
        self.log.place(name, where)
        index = self.next_index[document] if index is None else index
        self.next_index[document] = index + 1
        return Sentence(id=name, text=text, document=document, index=index, meta=self._meta(row), gold=gold)

    def _meta(self, row: Mapping[str, Any]) -> dict[str, Any]:
        roles = set(self.roles.values())
        names = self.columns.meta if self.columns.meta is not None else [n for n in self.names if n not in roles]
        return {name: _plain(row[name]) for name in names if not _is_empty(row[name])}

    def _cell(self, row: Mapping[str, Any], role: str) -> str | None:
        value = row[self.roles[role]] if role in self.roles else None
        return None if _is_empty(value) else str(value)

    def _word(self, row: Mapping[str, Any], role: str) -> str | None:
        """Return a cell without the blanks around it, which would make a class of their own; None where it is blank."""
        return (self._cell(row, role) or "").strip() or None

    def _whole(self, row: Mapping[str, Any], role: str, where: str) -> int | None:
        value = self._cell(row, role)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            self.log.problems.add(where, f"`{role}` is {value!r}, no whole number", f"mend {self.roles[role]!r}")
            return None

    def _layers(self, row: Mapping[str, Any], text: str, where: str) -> Layers:
        answer, target = self._answer(row, text, where), self._word(row, "target")
        if answer is None and target is not None and self.log.asked:  # stands as `tasks.asked` has it
            return Layers(text=text, stances=(Stance(Target(target, self._span(row, text, where)), ""),))
        if answer is None:
            return Layers(text=text)
        if self.columns.task == "stance" and isinstance(answer, tuple):
            return Layers(text=text, stances=answer)  # type: ignore[arg-type]
        return Layers(text=text, labels={self.columns.task: answer})

    def _answer(self, row: Mapping[str, Any], text: str, where: str) -> Answer | None:
        if "labels" in self.roles:
            return self._several(row[self.roles["labels"]])
        label, target = self._word(row, "label"), self._word(row, "target")
        if label is None or "target" not in self.roles:
            return label
        if target is None:
            hint = f"fill the column {self.roles['target']!r}, or empty the label"
            self.log.problems.add(where, f"the label {label!r} has no target", hint)
            return None
        return (Stance(Target(target, self._span(row, text, where)), label),)

    def _several(self, value: Any) -> frozenset[str]:
        if _is_empty(value):
            return frozenset()
        parts = value.split(self.columns.separator) if isinstance(value, str) else list(value)
        return frozenset(stripped for part in parts if (stripped := str(part).strip()))

    def _span(self, row: Mapping[str, Any], text: str, where: str) -> Span | None:
        start, end = self._whole(row, "span_start", where), self._whole(row, "span_end", where)
        if start is None or end is None:
            return None
        if not 0 <= start < end <= len(text):
            what = f"the target's span {start}–{end} lies outside the text of {len(text)} characters"
            self.log.problems.add(where, what, "count characters, end exclusive")
            return None
        return Span(start, end)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: dates and the like as text."""
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else str(value)


def to_rows(
    sentences: Iterable[Sentence], columns: Columns, lost: Counter[str]
) -> tuple[list[str], list[dict[str, str]]]:
    """Return the header and the rows of sentences, counting in `lost` what a table cannot hold."""
    own = {role: getattr(columns, role) or role for role in _ROLES}
    rows, meta = [], dict.fromkeys(columns.meta or ())
    for sentence in sentences:
        base = {own["id"]: sentence.id, own["document"]: sentence.document, own["index"]: str(sentence.index)}
        base |= {own["text"]: sentence.text} | _meta_cells(sentence, set(own.values()), lost)
        meta |= dict.fromkeys(key for key in base if key not in own.values())
        answers = _answer_cells(sentence, columns, own, lost)
        lost["sentence with several targets (now a row each)"] += len(answers) > 1
        for k, cells in enumerate(answers, start=1):
            rows.append(base | cells | ({own["id"]: f"{sentence.id}#{k}"} if len(answers) > 1 else {}))
    used = {key for row in rows for key in row}
    order = [own[role] for role in ("id", "document", "index", "text", *_ROLES[1:6]) if own[role] in used]
    return [*order, *(key for key in meta if key in used)], rows


def _meta_cells(sentence: Sentence, taken: set[str], lost: Counter[str]) -> dict[str, str]:
    cells = {}
    for key, value in sentence.meta.items():
        if key in taken:
            lost[f"metadata {key!r}, which is the name of another column"] += 1
        elif not _is_empty(value):
            lost["metadata that is no text (now text)"] += not isinstance(value, str)
            cells[key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        else:
            lost["empty metadata"] += 1
    return cells


def _answer_cells(
    sentence: Sentence, columns: Columns, own: Mapping[str, str], lost: Counter[str]
) -> list[dict[str, str]]:
    """Return the cells of the answer to the columns' task, a row each; other layers are lost."""
    gold = sentence.gold
    answers: dict[str, Answer | None] = {"attributions": gold.attributions, "devices": gold.devices}
    answers |= {"stance": gold.stances} | dict(gold.labels)
    chosen = answers.pop(columns.task, None)
    for name, answer in answers.items():
        lost[f"answers of {name} (a table holds those of one task)"] += answer is not None
    if isinstance(chosen, str):
        lost["blanks around a label"] += chosen != chosen.strip()
        return [{own["label"]: chosen}]
    if isinstance(chosen, frozenset):
        lost["label that holds the separator"] += any(columns.separator in label for label in chosen)
        return [{own["labels"]: columns.separator.join(sorted(chosen))}]
    if chosen == ():
        lost["empty answers (now not annotated)"] += 1
        return [{}]
    if isinstance(chosen, tuple) and all(isinstance(item, Stance) for item in chosen):
        return [_stance_cells(item, own) for item in chosen if isinstance(item, Stance)]
    lost[f"answers of {columns.task} that a table cannot hold"] += chosen is not None
    return [{}]


def _stance_cells(stance: Stance, own: Mapping[str, str]) -> dict[str, str]:
    cells, span = {own["target"]: stance.target.name, own["label"]: stance.label}, stance.target.span
    if span is None:
        return cells
    return cells | {own["span_start"]: str(span.start), own["span_end"]: str(span.end)}
