"""CoNLL: a token a line with BIO tags in columns, a blank line after every sentence."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancekit.data import record
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.carried import KEY, carry, native
from stancekit.data.formats.pages import LIMIT
from stancekit.data.formats.spelled import Found
from stancekit.data.formats.utf16 import shortened
from stancekit.errors import fail
from stancekit.files import dump_json, parse_json, read_text, replacing
from stancekit.schema import Layers, Sentence, Span, hull
from stancekit.text.tags import OUTSIDE, Item, spans, tag
from stancekit.text.tokens import tokens

ROLES = ("source", "cue", "content")
TASK_OF_ROLES = "roles"
_COLUMNS, _TEXT, _TEXT_JSON = "# global.columns = ", "# text = ", "# text_json = "
_SIDE = f"# {KEY} = "
_COMMENT = re.compile(r"#\s*[\w.]+\s*=.*|#[^\t]*")
_OTHER_SCHEMES = {"U-": "S-", "L-": "E-"}  # BILOU


class Conll:
    """CoNLL with 2 to 4 columns: the token and columns of BIO tags.

    A column `frame` holds devices; `source`, `cue` and `content`, or `roles` for all three in one, the parts of
    attribution relations, read back as spans of the task `roles`, since tags do not say what belongs together;
    any other name is a task of spans. `columns` names the tag columns (`-` is ignored); read are those of the
    line `# global.columns = token …`, or the last column as the task `spans`. Comment lines keep the text
    and what has no span.
    """

    def __init__(self, *, columns: list[str] | None = None) -> None:
        self.columns = columns

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences; a text that no comment holds is its tokens, joined by spaces."""
        block = _Block(path.stem)
        names = self.columns
        for number, line in enumerate(read_text(path).split("\n"), start=1):
            line, where = line.removesuffix("\r"), f"{path}:{number}"
            if line.startswith(_COLUMNS) and self.columns is None:
                names = line.removeprefix(_COLUMNS).split()[1:]
            elif len(line) > LIMIT:
                log.problems.add(where, f"a line of {len(line):,} characters", "write one token a line")
            elif not line.strip():
                yield from block.end(names, log)
            else:
                with log.problems.catching(where):
                    block.line(line, where, path, number)
        yield from block.end(names, log)

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write all sentences; devices lose targets and negation, relations what ties them."""
        lost: Counter[str] = Counter()
        every = list(sentences)
        names = self.columns or _occurring(every)
        if not 1 <= len(names) <= 3 or "-" in names:
            raise fail(path, f"{len(names)} columns of tags: {', '.join(names)}", "choose 1 to 3 with `columns`")
        held = [_held(sentence, names, lost) for sentence in every]
        with replacing(path) as stream:
            stream.write(f"{_COLUMNS}token {' '.join(names)}\n")
            for sentence, carried in zip(every, carry(held, codebook, ("devices",)), strict=True):
                carried = {"layers": []} | carried  # the columns alone would say that all was annotated
                stream.write("\n".join(_write(sentence, names, carried, lost)) + "\n\n")
        return +lost


@dataclass
class _Block:
    """The lines of one sentence, as they are read."""

    name: str
    document: int = 0
    index: int = 0
    where: str = ""
    text: str | None = None
    carried: dict[str, Any] = field(default_factory=dict)
    rows: list[list[str]] = field(default_factory=list)
    broken: bool = False

    def line(self, line: str, where: str, path: Path, number: int) -> None:
        """Take one line that is not blank."""
        self.where = self.where or where
        if line.startswith(_TEXT):
            self.text = line.removeprefix(_TEXT)
        elif line.startswith((_TEXT_JSON, _SIDE)):
            value = parse_json(line.partition(" = ")[2], path, number)
            if line.startswith(_SIDE):
                self.carried = value if isinstance(value, dict) else {}
            else:
                self.text = str(value)
        elif line.startswith("-DOCSTART-"):
            self.document, self.index, self.where = self.document + 1, 0, ""
        elif not self.rows and _COMMENT.fullmatch(line):
            return
        else:
            self._row(line, where)

    def _row(self, line: str, where: str) -> None:
        cells = line.split("\t") if "\t" in line else line.split()
        if len(cells) < 2 or (self.rows and len(cells) != len(self.rows[0])):
            self.broken = True
            hint = "write token and tags with tabs between them, and a blank line after every sentence"
            raise fail(where, f"{len(cells)} columns in the line {shortened(line)}", hint)
        self.rows.append(cells)

    def end(self, names: list[str] | None, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentence that ends here, if there is one, and begin the next."""
        if self.rows and not self.broken:
            with log.problems.catching(self.where):
                sentence = self._sentence(names, log)
                if sentence is not None:
                    log.place(sentence.id, self.where)
                    yield sentence
        if self.rows:
            self.index += 1
        self.where, self.text, self.carried, self.rows, self.broken = "", None, {}, [], False

    def _sentence(self, names: list[str] | None, log: ReadLog) -> Sentence | None:
        columns = list(zip(*self.rows, strict=True))
        if names is None:
            names = ["-"] * (len(columns) - 2) + ["spans"]
        if len(names) != len(columns) - 1:
            raise fail(self.where, f"{len(columns)} columns, but {len(names) + 1} names", "mend `columns`")
        text = " ".join(columns[0]) if self.text is None else self.text
        toks = _located(columns[0], text, self.where)
        seen: set[str] = set()
        found: Found = defaultdict(list)
        for name, tags in zip(names, columns[1:], strict=True):
            if name != "-":
                layer = _layer(name)
                seen.add(layer)
                found[layer] += _items_of(layer, spans([_known(t, self.where) for t in tags], toks))
        for items in found.values():
            items.sort(key=lambda item: (item.get("start", 0), item.get("end", 0), item.get("spans")))
        document = f"{self.name}.{self.document}" if self.document else self.name
        own = {"id": f"{document}.{self.index}", "document": document, "index": self.index}
        value = native(text, own | self.carried, {name: items for name, items in found.items() if items}, seen)
        sentence = record.Reader(self.where, log.problems).sentence(value)
        if sentence is not None and isinstance(self.carried.get("codebook"), dict):
            log.stamp(self.where, self.carried["codebook"])
        return sentence


def _layer(column: str) -> str:
    """Return the layer or task that a column holds."""
    return "devices" if column == "frame" else TASK_OF_ROLES if column in ROLES else column


def _items_of(layer: str, tagged: list[Span]) -> list[dict[str, Any]]:
    if layer == "devices":
        return [{"spans": [[s.start, s.end]], "frame": s.label} for s in tagged]
    return [{"start": s.start, "end": s.end, "label": s.label} for s in tagged]


def _known(tag_: str, where: str) -> str:
    if tag_ in ("", "_", OUTSIDE):
        return OUTSIDE
    mended = _OTHER_SCHEMES.get(tag_[:2], tag_[:2]) + tag_[2:]
    if mended[:2] not in ("B-", "I-", "E-", "S-") or not mended[2:]:
        raise fail(where, f"{tag_!r} is no BIO tag", "O, B-LABEL or I-LABEL is expected; name other columns `-`")
    return mended


def _located(words: tuple[str, ...], text: str, where: str) -> list[Span]:
    """Return where the tokens stand in the text, one after the other with nothing but space between."""
    found, at = [], 0
    for word in words:
        start = text.find(word, at) if word else -1
        if start < 0 or text[at:start].strip():
            raise fail(where, f"the token {shortened(word)} is not next in the text {shortened(text)}", "mend either")
        at = start + len(word)
        found.append(Span(start, at))
    return found


def _occurring(sentences: list[Sentence]) -> list[str]:
    """Return the columns that the sentences need."""
    tasks = {n for s in sentences for n, a in s.gold.labels.items() if isinstance(a, tuple) and _are_spans(a)}
    names = ["frame"] * any(s.gold.devices is not None for s in sentences) + sorted(tasks)
    if any(s.gold.attributions is not None for s in sentences):
        names = [TASK_OF_ROLES, *names] if names else list(ROLES)
    return names or ["frame"]


def _are_spans(answer: tuple[Any, ...]) -> bool:
    return all(isinstance(item, Span) for item in answer)


def _held(sentence: Sentence, names: list[str], lost: Counter[str]) -> Sentence:
    """Return what the columns hold of a sentence, counting the rest."""
    gold, labels = sentence.gold, dict(sentence.gold.labels)
    lost["stances"] += gold.stances is not None
    lost["links between source, cue and content (now spans of the task roles)"] += len(gold.attributions or ())
    devices = gold.devices if "frame" in names else None
    lost["devices"] += gold.devices is not None and devices is None
    lost["targets of devices"] += sum(device.target is not None for device in devices or ())
    lost["negation of devices"] += sum(device.negated for device in devices or ())
    for name, answer in gold.labels.items():
        if isinstance(answer, tuple) and (name not in names or not _are_spans(answer)):
            lost[f"answers of {name}"] += 1
            del labels[name]
    if gold.attributions is not None and {*ROLES, TASK_OF_ROLES} & {*names}:
        labels[TASK_OF_ROLES] = ()
    kept = Layers(text=gold.text, devices=devices, labels=labels, votes=gold.votes)
    return Sentence(**{**vars(sentence), "gold": kept})


def _items(gold: Layers, column: str) -> list[Item]:
    """Return what a column tags, in the order in which it takes its place: the cue over the source over the content."""
    if column == "frame":
        return [(device.frame, device.parts) for device in gold.devices or ()]
    if column in (*ROLES, TASK_OF_ROLES):
        roles = ("cue", "source", "content") if column == TASK_OF_ROLES else (column,)
        items = [(role, parts) for role in roles for a in gold.attributions or () if (parts := getattr(a, role))]
        return sorted(dict.fromkeys(items), key=lambda item: (roles.index(item[0]), hull(item[1])))
    answer = gold.labels.get(column)
    return [(s.label, (s,)) for s in answer if isinstance(s, Span)] if isinstance(answer, tuple) else []


def _write(sentence: Sentence, names: list[str], carried: Mapping[str, Any], lost: Counter[str]) -> Iterator[str]:
    """Yield the lines of one sentence."""
    text, toks = sentence.text, tokens(sentence.text)
    yield _TEXT_JSON + json.dumps(text, ensure_ascii=False) if re.search(r"[\r\n]", text) else _TEXT + text
    yield _SIDE + dump_json(carried)
    columns = [[token.of(text) for token in toks]]
    for name in names:
        items = _items(sentence.gold, name)
        fit = [(label, parts) for label, parts in items if label and not re.search(r"\s", label)]
        lost["spans whose label is empty or holds a space"] += len(items) - len(fit)
        tagged = tag(fit, toks)
        lost.update(tagged.lost)
        columns.append(tagged.layers[0])
    yield from ("\t".join(cells) for cells in zip(*columns, strict=True))
