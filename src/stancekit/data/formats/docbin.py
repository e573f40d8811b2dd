"""spaCy's DocBin: a Doc a sentence, spans in `doc.spans`, labels of a sentence in `doc.cats`."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, DocBin, SpanGroup
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.carried import KEY, LAYERS, carry, choose, shown
from stancekit.data.formats.marks import LAYER_OF, ROLES, Mark, Marks, marks_of
from stancekit.data.formats.pages import Page, Piece, assemble, whole
from stancekit.data.formats.spelled import task_and_label
from stancekit.errors import fail
from stancekit.files import dump_json, parse_json, read_bytes, write_bytes
from stancekit.schema import Sentence, Span
from stancekit.text.tokens import tokens

_CHOSEN = 0.5  # spaCy's own threshold of a category


class SpacyDocBin:
    """A `.spacy` file (MessagePack, no pickle), a Doc a sentence.

    Groups of `doc.spans` are `attributions`, `devices`, `stances` and the user's own tasks of spans; `doc.cats`
    holds `TASK/LABEL` at 1 or 0; `doc.user_data["stancekit"]` what they do not say. Tokens are ours, cut where a
    span begins or ends inside one. Of Docs from elsewhere the groups and entities are tasks of spans, the
    categories from 0.5 are the task `cats`, and sentences those that spaCy has set.
    """

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences of all Docs."""
        content = read_bytes(path)
        try:
            docs = list(DocBin(store_user_data=True).from_bytes(content).get_docs(Vocab()))
        except Exception as error:  # spaCy and MessagePack raise whatever a damaged file makes them
            raise fail(path, "this is no DocBin, or it is damaged", "write it again with DocBin.to_disk") from error
        pages = []
        for number, doc in enumerate(docs, start=1):
            where = f"{path}: doc {number}"
            with log.problems.catching(where):
                pages.append(_page(doc, f"{path.stem}.{number}", where, path))
        yield from assemble(pages, log)

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write all sentences; tokens cut at the edge of a span are counted."""
        lost: Counter[str] = Counter()
        every = list(sentences)
        vocab, kept = Vocab(), DocBin(store_user_data=True)
        labels: dict[str, set[str]] = defaultdict(set)
        for sentence in every:
            for task, answer in sentence.gold.labels.items():
                if isinstance(answer, str | frozenset):
                    labels[task] |= {answer} if isinstance(answer, str) else answer
        for sentence, carried in zip(every, carry(every, codebook), strict=True):
            kept.add(_doc(vocab, sentence, carried, labels, lost))
        write_bytes(path, kept.to_bytes())
        return +lost


def _page(doc: Doc, name: str, where: str, path: Path) -> Page:
    side = doc.user_data.get(KEY)
    if not isinstance(side, str):
        return Page(document=name, text=doc.text, found=_foreign(doc), pieces=_pieces(doc, where))
    value = parse_json(side, path, 1)
    carried = value.get("carried") if isinstance(value, dict) else None
    if not isinstance(carried, dict):
        raise fail(where, f"user_data[{KEY!r}] is not what was written", "remove it, or write the file again")
    carried = choose(carried, *_chosen(doc.cats, shown(carried)))
    return Page(document=name, text=doc.text, found=_own(doc, value), pieces=whole(doc.text, where, carried))


def _chosen(cats: Mapping[str, float], known: list[str]) -> tuple[dict[str, list[str]], set[str]]:
    """Return the labels chosen by task, and the tasks that have a category at all."""
    chosen: dict[str, list[str]] = defaultdict(list)
    for category, score in cats.items():
        fits = [task for task in known if category.startswith(f"{task}/")]
        task = max(fits, key=len) if fits else category.partition("/")[0]
        chosen[task] += [category.removeprefix(f"{task}/")] if score >= _CHOSEN else []
    return {task: labels for task, labels in chosen.items() if labels}, set(chosen)


def _own(doc: Doc, value: Mapping[str, Any]) -> Marks:
    """Return the marks of a Doc that was written here; what was added since has no number and no fields."""
    fields = value.get("fields")
    fields = fields if isinstance(fields, dict) else {}
    found, numbers = Marks(), dict[str, int]()
    spans = [(group, span) for group, spans in doc.spans.items() for span in spans]
    spans.sort(key=lambda item: int(item[1].id_) if item[1].id_.isdigit() else len(spans))
    for group, span in spans:
        number = found.add(_mark(group, span, fields.get(span.id_, {})))
        numbers.setdefault(span.id_ or f"new {number}", number)
    for a, b in value.get("links") or ():
        if str(a) in numbers and str(b) in numbers:
            found.links.append((numbers[str(a)], numbers[str(b)]))
    return found


def _mark(group: str, span: Any, fields: Mapping[str, str]) -> Mark:
    prefix = {layer: name for name, layer in LAYER_OF.items()}.get(group, group)
    label = span.label_ if group == "attributions" else f"{prefix}/{span.label_}"
    return Mark(label, (Span(span.start_char, span.end_char),), fields)


def _foreign(doc: Doc) -> Marks:
    found = Marks()
    for span in doc.ents:
        found.add(_mark("entities", span, {}))
    for group, spans in doc.spans.items():
        for span in spans:
            found.add(_mark(group, span, {}))
    return found


def _pieces(doc: Doc, where: str) -> list[Piece]:
    chosen = sorted(label for label, score in doc.cats.items() if score >= _CHOSEN)
    labels = {"labels": {"cats": chosen}} if doc.cats else {}
    if not doc.has_annotation("SENT_START"):
        pieces = whole(doc.text, where)
    else:
        spans = [Span(sent.start_char, sent.end_char) for sent in doc.sents if sent.text.strip()]
        pieces = [Piece(span=span, index=k, where=where) for k, span in enumerate(spans)]
    for piece in pieces:
        piece.carried = labels or None
    return pieces


def _doc(
    vocab: Vocab, sentence: Sentence, carried: Mapping[str, Any], labels: Mapping[str, set[str]], lost: Counter[str]
) -> Doc:
    found = marks_of(sentence.gold, lost).apart()
    starts, words, spaces = _words(sentence.text, [part for mark in found.marks for part in mark.parts], lost)
    doc = Doc(vocab, words=words, spaces=spaces)
    ends = {start + len(word): k + 1 for k, (start, word) in enumerate(zip(starts, words, strict=True))}
    first = {start: k for k, start in enumerate(starts)}
    groups: dict[str, list[DocSpan]] = {name: [] for name in LAYERS if getattr(sentence.gold, name) is not None}
    for number, mark in enumerate(found.marks):
        group, label = ("attributions", mark.label) if mark.label in ROLES else task_and_label(mark.label)
        part = mark.parts[0]
        span = DocSpan(doc, first[part.start], ends[part.end], label=label, span_id=str(number))
        groups.setdefault(LAYER_OF.get(group, group), []).append(span)
    for name, spans in groups.items():
        doc.spans[name] = SpanGroup(doc, name=name, spans=spans)
    for task, answer in sentence.gold.labels.items():
        if isinstance(answer, str | frozenset):
            own = {answer} if isinstance(answer, str) else answer
            doc.cats.update({f"{task}/{label}": float(label in own) for label in sorted(labels[task])})
    fields = {str(number): dict(mark.fields) for number, mark in enumerate(found.marks) if mark.fields}
    doc.user_data[KEY] = dump_json({"carried": carried, "fields": fields, "links": found.links})
    return doc


def _words(text: str, parts: list[Span], lost: Counter[str]) -> tuple[list[int], list[str], list[bool]]:
    """Return the starts of the tokens, the tokens, and whether a space follows each; together they are the text."""
    own, begins, ends = tokens(text), {p.start for p in parts}, {p.end for p in parts}
    edges = sorted(begins | ends)
    inside = (bisect.bisect_right(edges, t.start) < bisect.bisect_left(edges, t.end) for t in own)
    lost["tokens cut at the edge of a span"] += sum(inside)
    cuts = sorted({0, len(text), *edges, *(edge for token in own for edge in (token.start, token.end))})
    starts, words, spaces = list[int](), list[str](), list[bool]()
    for start, end in itertools.pairwise(cuts):
        if text[start:end] == " " and words and not spaces[-1] and start not in begins and end not in ends:
            spaces[-1] = True
        else:
            starts.append(start)
            words.append(text[start:end])
            spaces.append(False)
    return starts, words, spaces
