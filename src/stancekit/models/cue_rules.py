"""Attribution by rule: a cue, the noun phrase beside it as the source, and what is said on the other side.

Three patterns of English news: SOURCE said (that) CONTENT · CONTENT, SOURCE said / said SOURCE ·
according to SOURCE, CONTENT (or the content first).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stancekit.models.matching import Match, longest
from stancekit.models.rules import Rules
from stancekit.schema import Attribution, Parts, Span
from stancekit.text.blanks import even, joined
from stancekit.text.quotes import quotations
from stancekit.text.tokens import tokens

_QUOTES = frozenset('"“”„«»‘’')
_BREAKS = frozenset({";", ":", "—", "–", "--", "-", "(", ")", "…", "|"}) | _QUOTES
_LINKS = frozenset(
    "and but or that because while when as if whether although though after before since until so".split()
)
_NOUN_BEFORE = frozenset(
    "a an the this these those its his her their our my your no any some such of in on by for from with new old "
    "'s ’s official first last further own".split()
)
_INFINITIVE_BEFORE = frozenset("to not n't n’t never cannot".split())
_PLURAL = frozenset("they we i you who people police".split())
_ADVERBS = frozenset("also later earlier then again already once still meanwhile long often always".split())
_BE = frozenset("is are was were be been being".split())
_PERFECT = frozenset("has have had".split())
_PREPOSITIONS = frozenset(
    "in on at after during since before by for from with under inside outside near within".split()
)
_STARTS = frozenset("the a an its his her their our one two three several some many most".split())
_ENDERS = _LINKS | frozenset("during late early today yesterday tonight who on at to for with".split())
_FINITE = frozenset("is are was were has had have will would could can may might did does do".split())
_TIME = re.compile(
    r"""\s*,?\s*(?:
        (?:(?:late|early)\s)?(?:on|since|last)\s(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day
        (?:\s(?:morning|afternoon|evening|night))?
        | today | yesterday | tonight | earlier | later | again | here
        | in\san?\s(?:\w+\s)?(?:statement|interview|report|letter|speech|address|briefing|post|tweet|message|note)
        | (?:to\s)?(?:reporters|journalists)
        | (?:on|in)\s(?:[A-Z]\w+\s\d+|\d+\s[A-Z]\w+)
    )\b""",
    re.VERBOSE,
)
_BY_SOURCE_AFTER = re.compile(r"(?:according to|in the (?:words|view|opinion) of|as quoted by)$", re.IGNORECASE)


@dataclass(frozen=True)
class _Line:
    """A sentence cut into tokens, with what the rules ask of it."""

    text: str
    tokens: Sequence[Span]
    words: Sequence[str]
    quotes: Sequence[tuple[int, int]]

    def part(self, first: int, last: int) -> Span | None:
        """Return the span of tokens first to last (exclusive), without commas and stops at its edges."""
        while first < last and self.words[first] in {",", ".", ";", ":", "—", "–", "-", "--"}:
            first += 1
        while first < last and self.words[last - 1] in {",", ".", ";", ":", "—", "–", "-", "--", "!", "?"}:
            last -= 1
        return Span(self.tokens[first].start, self.tokens[last - 1].end) if first < last else None

    def at(self, character: int) -> int:
        """Return the number of the first token that begins at a character or later."""
        return next((k for k, t in enumerate(self.tokens) if t.start >= character), len(self.tokens))


def attributions(text: str, rules: Rules) -> tuple[Attribution, ...]:
    """Return the attribution relations that the rules find, the longest content first."""
    text = even(text)
    cut = tokens(text)
    line = _Line(text, cut, [t.of(text).lower() for t in cut], quotations(text))
    found: list[Attribution] = []
    for cue in _cues(line, rules):
        source, content = _sides(line, cue)
        if content:
            first = _auxiliary(line, cue.first)
            found.append(
                Attribution(
                    source=(source,) if source else (),
                    cue=(Span(line.tokens[first].start, cue.end),),
                    content=content,
                    source_type=_source_type(text, source, rules),
                    cue_stance=cue.value,
                )
            )
    return tuple(sorted(found, key=lambda r: (-sum(p.end - p.start for p in r.content), r.cue)))


def _cues(line: _Line, rules: Rules) -> list[Match]:
    verbs = [m for m in rules.verbs.find(line.text, line.tokens) if _is_finite(line, m.first, rules)]
    return longest([*rules.phrases.find(line.text, line.tokens), *verbs])


def _is_finite(line: _Line, at: int, rules: Rules) -> bool:
    """Say whether a cue word is a verb that reports: no noun, no infinitive, no passive."""
    word, after = line.words[at], "".join(line.words[at + 1 : at + 2])
    while at > 1 and _is_adverb(line.words[at - 1]):
        at -= 1
    before = line.words[at - 1] if at else ""
    if before in _NOUN_BEFORE or before in _INFINITIVE_BEFORE:
        return False
    if word.endswith("ing"):
        return before == "," or before in _BE
    if word in rules.cue_lemmas:  # a noun, too, more often than not: plural subjects only
        return before in _PLURAL or (before.endswith("s") and before not in _BE and len(before) > 3)
    if word.endswith("s") and (_is_adverb(after) or after in _PREPOSITIONS | _FINITE):
        return False
    return before not in _BE


def _is_adverb(word: str) -> bool:
    return word in _ADVERBS or (word.endswith("ly") and len(word) > 4)


def _auxiliary(line: _Line, at: int) -> int:
    """Return where the verb group of a cue begins: at `has` or `is`, an adverb between them or none."""
    helpers = _BE if line.words[at].endswith("ing") else _PERFECT
    for first in (at - 1, at - 2):
        if first >= 0 and line.words[first] in helpers and all(map(_is_adverb, line.words[first + 1 : at])):
            return first
    return at


def _sides(line: _Line, cue: Match) -> tuple[Span | None, Parts]:
    """Return the source and the content of a cue."""
    if _BY_SOURCE_AFTER.search(joined(line.text[cue.start : cue.end])):
        source, end = _after(line, cue.last)
        right = line.part(end, len(line.tokens))
        left = line.part(_clause(line, cue.first), cue.first)
        longer = max((s for s in (left, right) if s), key=lambda s: s.end - s.start, default=None)
        return source, (longer,) if longer else ()
    if _is_inverted(line, cue):
        source, end = _after(line, cue.last)
        return source, _said_before(line, cue.first) + _said_after(line, end)
    source, start = _before(line, cue.first)
    right = _content_after(line, cue.last)
    earlier = _said_before(line, start)
    if right and (not earlier or line.text[: earlier[-1].end][-1] not in _QUOTES):
        return source, (right,)
    return source, earlier + ((right,) if right and line.text[right.start] in _QUOTES else ())


def _is_inverted(line: _Line, cue: Match) -> bool:
    before = line.words[cue.first - 1] if cue.first else ""
    after = line.words[cue.last] if cue.last < len(line.words) else ""
    if after in _QUOTES or after in {"that", ":", ",", ".", ""}:
        return False
    if before in _QUOTES:
        return True
    rest = line.words[cue.last :]
    return before == "," and len(rest) <= 14 and not _FINITE & set(rest)


def _after(line: _Line, first: int) -> tuple[Span | None, int]:
    """Return the noun phrase that begins at a token, an apposition included, and where it ends."""
    end = first
    while end < len(line.words) and not (
        line.words[end] in _ENDERS | _BREAKS or line.words[end] in {",", ".", "!", "?"}
    ):
        if _TIME.match(line.text, line.tokens[end].start):
            break
        end += 1
    rest = line.words[end + 1 :]
    if end < len(line.words) and line.words[end] == "," and rest[:1] and rest[0] in _STARTS | {"who", "whose"}:
        close = next((k for k in range(end + 1, len(line.words)) if line.words[k] in {",", "."} | _BREAKS), end)
        if not _FINITE & set(line.words[end + 2 : close]) or rest[0] == "who":
            end = close
    return line.part(first, end), end


def _clause(line: _Line, end: int) -> int:
    """Return where the clause that ends before a token begins."""
    at = end
    while at and line.words[at - 1] not in _BREAKS:
        at -= 1
    return at


def _before(line: _Line, end: int) -> tuple[Span | None, int]:
    """Return the noun phrase that ends before a token, an apposition included, and where it begins."""
    last = _auxiliary(line, end) if end < len(line.words) else end
    while last and _is_adverb(line.words[last - 1]):
        last -= 1
    at = last
    if last > 1 and line.words[last - 1] == ",":  # SOURCE, an apposition, said
        at = next((k for k in range(last - 2, 0, -1) if line.words[k] == ","), last)
    while at and line.words[at - 1] not in _BREAKS | _LINKS | {","}:
        at -= 1
    if at < last and line.words[at] in _PREPOSITIONS:
        at = next((k for k in range(at + 1, last) if line.words[k] in _STARTS), at)
    return line.part(at, last), at


def _said_before(line: _Line, end: int) -> Parts:
    """Return the content that ends before a token: a quotation closed there, or the clause before a comma."""
    if not end:
        return ()
    stop = line.tokens[end - 1].end
    for start, close in line.quotes:
        if close == stop or line.text[close:stop].strip() == ",":
            return (Span(start, close),)
    if line.words[end - 1] != ",":
        return ()
    part = line.part(_clause(line, end), end)
    return (part,) if part else ()


def _said_after(line: _Line, start: int) -> Parts:
    """Return a quotation that goes on after the source."""
    at = line.tokens[start].start if start < len(line.tokens) else len(line.text)
    for first, last in line.quotes:
        if first >= at and not line.text[at:first].strip(" ,.:;"):
            return (Span(first, last),)
    return ()


def _content_after(line: _Line, first: int) -> Span | None:
    """Return the clause after a cue: from `that` where it comes soon, else past the words of time and hearer."""
    inserted = first < len(line.words) and line.words[first] == ","  # alleged, without proof, that …
    for at in range(first, min(first + 9, len(line.words))):
        if line.words[at] == "that":
            return line.part(at, len(line.tokens))
        if line.words[at] in _BREAKS or (line.words[at] == "," and not inserted):
            break
    start = line.tokens[first - 1].end
    while (match := _TIME.match(line.text, start)) is not None:
        start = match.end()
    part = line.part(line.at(start), len(line.tokens))
    return part if part and len(part.of(line.text).split()) > 1 else None


def _source_type(text: str, source: Span | None, rules: Rules) -> str | None:
    """Return the type that the last telling word of a source (before its apposition) says."""
    if source is None:
        return None
    name = source.of(text)
    head = re.split(r",", name)[0]
    for words in (head, name):
        found = rules.sources.find(words, tokens(words))
        if found:
            return found[-1].value
    return None
