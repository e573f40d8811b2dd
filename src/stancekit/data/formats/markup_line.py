"""One line of inline markup: marks to spans, and spans to marks that nest.

A span that crosses another is written as touching parts; touching parts are one part when read.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from stancekit.errors import Problems
from stancekit.schema import Attribution, Device, Layers, Parts, Span, Stance, Target, parts_of

_ROLE = re.compile(r"\[([SCT])(\d*)(?:@([\w-]+))?:")
_DEVICE = re.compile(r"\{([\w-]*)(!?)(?:#(\d+))?(!?)(?:>((?:[^|{}\\]|\\.)*))?\|")
_STANCE = re.compile(r"((?:[^=;\[\\]|\\.)+)(?:\[(\d*):?(\d*)\])?=([\w-]+)")
_ROLES = {"S": "source", "C": "cue", "T": "content"}
_SPECIAL = re.compile(r"([\[\]{}|\\\t])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

Found = dict[str, tuple[Any, ...]]


@dataclass
class _Parser:
    where: str
    problems: Problems
    text: list[str] = field(default_factory=list)
    open: list[tuple[str, int, Any]] = field(default_factory=list)
    roles: dict[tuple[int, str], list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[tuple[int, str], str] = field(default_factory=dict)
    devices: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def note(self, what: str, hint: str) -> None:
        self.problems.add(self.where, what, hint)

    def run(self, line: str) -> None:
        at = 0
        while at < len(line):
            mark = line[at]
            if mark == "\\" and at + 1 < len(line):
                self.text.append(line[at + 1])
                at += 2
            elif mark in "[{":
                at = self._open(line, at)
            elif mark in "]}":
                self._close(mark, at)
                at += 1
            else:
                self.text.append(mark)
                at += 1
        for kind, _, _ in self.open:
            self.note(f"a mark {kind} is not closed", "close it with " + {"[": "]", "{": "}"}[kind])

    def _open(self, line: str, at: int) -> int:
        match = (_ROLE if line[at] == "[" else _DEVICE).match(line, at)
        if match is None:
            hint = "write [S:…] [C:…] [T:…] or {frame|…}; a bracket or brace that is text is escaped with \\"
            self.note(f"unreadable mark {line[at : at + 15]!r} at character {at}", hint)
            self.open.append((line[at], len(self.text), None))
            return at + 1
        key = self._role(match) if line[at] == "[" else self._device(match, at)
        self.open.append((line[at], len(self.text), key))
        return match.end()

    def _role(self, match: re.Match[str]) -> tuple[int, str]:
        letter, number, attribute = match.groups()
        key = (int(number or 1), _ROLES[letter])
        if attribute and letter == "T":
            self.note(f"a content mark has no attribute, here @{attribute}", "put it on the source or the cue")
        elif attribute and self.attributes.setdefault(key, attribute) != attribute:
            self.note(f"two attributes for one {key[1]}: {self.attributes[key]}, {attribute}", "keep one")
        return key

    def _device(self, match: re.Match[str], at: int) -> Any:
        frame, negated, number, late, target = match.groups()
        key = ("#", number) if number else ("at", at)
        if not frame and not number:
            self.note("a device without a frame", "write {frame|…}")
        known = self.devices.setdefault(key, {"frame": "", "target": None, "negated": False, "pairs": []})
        if frame and known["frame"] and frame != known["frame"]:
            self.note(f"the parts of device #{number} have two frames", "give the frame once")
        known["frame"] = known["frame"] or frame
        known["target"] = known["target"] or (_ESCAPED.sub(r"\1", target) if target else None)
        known["negated"] = known["negated"] or bool(negated or late)
        return key

    def _close(self, mark: str, at: int) -> None:
        if not self.open or self.open[-1][0] != {"]": "[", "}": "{"}[mark]:
            self.note(f"{mark} at character {at} closes nothing", f"remove it, or escape it: \\{mark}")
            return
        kind, start, key = self.open.pop()
        end = len(self.text)
        if key is None:
            return
        if start == end:
            self.note("an empty mark", "put text into it, or remove it")
        elif kind == "[":
            self.roles[key].append((start, end))
        else:
            self.devices[key]["pairs"].append((start, end))


def parse_line(line: str, where: str, problems: Problems) -> tuple[str, Found]:
    """Return the text of a line and its attributions, devices and stances."""
    body, stance = _split_stance(line)
    parser = _Parser(where, problems)
    parser.run(body)
    text = "".join(parser.text)
    if not text:
        parser.note("a sentence without text", "write its text, or remove the line")
    return text, {
        "attributions": _attributions(parser),
        "devices": _devices(parser),
        "stances": _stances(stance, text, parser) if stance is not None else (),
    }


def _split_stance(line: str) -> tuple[str, str | None]:
    at = 0
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line[at] == "\t" and line[at + 1 : at + 2] == "~":
            return line[:at], line[at + 2 :]
        else:
            at += 1
    return line, None


def _joined(pairs: list[tuple[int, int]]) -> Parts:
    """Return parts in text order, touching ones as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pairs):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return parts_of(merged)


def _attributions(parser: _Parser) -> tuple[Attribution, ...]:
    found = []
    for number in sorted({number for number, _ in parser.roles}):
        roles = {role: _joined(parser.roles.get((number, role), [])) for role in _ROLES.values()}
        manner = parser.attributes.get((number, "cue"), "neutral") if roles["cue"] else None
        kind = parser.attributes.get((number, "source"))
        found.append(Attribution(**roles, source_type=kind, cue_stance=manner))
    return tuple(found)


def _devices(parser: _Parser) -> tuple[Device, ...]:
    found = [
        Device(parts=_joined(d["pairs"]), frame=d["frame"], target=d["target"], negated=d["negated"])
        for d in parser.devices.values()
        if d["pairs"]
    ]
    for device in found:
        if not device.frame:
            parser.note("parts of a device that never says its frame", "write {frame#1|…} once")
    return tuple(sorted(found, key=lambda d: (d.parts, d.frame)))


def _stances(field_text: str, text: str, parser: _Parser) -> tuple[Stance, ...]:
    found = []
    for item in re.split(r"(?<!\\);", field_text):
        match = _STANCE.fullmatch(item.strip())
        if match is None:
            parser.note(f"unreadable stance {item.strip()!r}", "write target=label; target[start:end]=label")
            continue
        name = _ESCAPED.sub(r"\1", match[1]).strip()
        if match[2] and match[3]:
            if not int(match[2]) < int(match[3]) <= len(text):
                parser.note(f"the span of {name!r} lies outside the sentence", "mend the offsets")
                continue
            span: Span | None = Span(int(match[2]), int(match[3]))
        else:
            span = None if match[2] is not None else find_name(name, text)
        found.append(Stance(Target(name, span), match[4]))
    return tuple(found)


def find_name(name: str, text: str) -> Span | None:
    """Return the first whole-word mention of a name in a text."""
    match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    return Span(*match.span()) if match and name else None


def write_line(text: str, layers: Layers) -> str:
    """Return the line of a sentence; its text must hold no line end."""
    opens: dict[int, list[str]] = defaultdict(list)
    closes: dict[int, list[str]] = defaultdict(list)
    queue = list(_pieces(layers))
    heapq.heapify(queue)
    stack: list[int] = []
    while queue:
        start, negative_end, order, first, rest, close = heapq.heappop(queue)
        end = -negative_end
        while stack and stack[-1] <= start:
            stack.pop()
        if stack and stack[-1] < end:
            heapq.heappush(queue, (stack[-1], -end, order, rest, rest, close))
            end = stack[-1]
        stack.append(end)
        opens[start].append(first)
        closes[end].insert(0, close)
    out = []
    for at in range(len(text) + 1):
        out += closes[at]
        out += opens[at]
        if at < len(text):
            out.append(_SPECIAL.sub(r"\\\1", text[at]))
    line = "".join(out)
    if line.startswith(("#", "---")) or not line.strip():
        line = "\\" + line
    return line + (f"\t~ {_write_stances(layers, text)}" if layers.stances else "")


def _pieces(layers: Layers) -> list[tuple[int, int, int, str, str, str]]:
    """Return (start, -end, order, opening mark, opening of a continuation, closing mark) of every part."""
    found: list[tuple[int, int, int, str, str, str]] = []
    for number, relation in enumerate(layers.attributions or (), start=1):
        for letter, role in _ROLES.items():
            attribute = {"S": relation.source_type, "C": relation.cue_stance}.get(letter)
            tag = f"@{attribute}" if attribute and attribute != "neutral" else ""
            mark = f"[{letter}{number if number > 1 else ''}{tag}:"
            found += [(p.start, -p.end, len(found), mark, mark, "]") for p in getattr(relation, role)]
    for number, device in enumerate(layers.devices or (), start=1):
        target = ">" + re.sub(r"([|{}\\])", r"\\\1", device.target) if device.target else ""
        head = f"{{{device.frame}{'!' if device.negated else ''}"
        crossed = len(device.parts) > 1 or _is_crossed(device.parts[0], layers)
        mark = f"{head}#{number}{target}|" if crossed else f"{head}{target}|"
        rest = f"{{#{number}|"
        marks = [mark] + [rest] * (len(device.parts) - 1)
        found += [(p.start, -p.end, len(found), m, rest, "}") for p, m in zip(device.parts, marks, strict=True)]
    return found


def _is_crossed(part: Span, layers: Layers) -> bool:
    others = [p for a in layers.attributions or () for r in (a.source, a.cue, a.content) for p in r]
    others += [p for d in layers.devices or () for p in d.parts]
    return any(o.start < part.start < o.end < part.end or part.start < o.start < part.end < o.end for o in others)


def _write_stances(layers: Layers, text: str) -> str:
    items = []
    for stance in layers.stances or ():
        span, name = stance.target.span, re.sub(r"([=;\[\\])", r"\\\1", stance.target.name)
        given = "" if span == find_name(stance.target.name, text) else f"[{span.start}:{span.end}]" if span else "[]"
        items.append(f"{name}{given}={stance.label}")
    return "; ".join(items)
