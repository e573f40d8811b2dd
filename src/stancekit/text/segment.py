"""Sentence segmentation with exact offsets: quotes, abbreviations, headlines, lists, dialogue dashes.

A rule-based segmenter for English news; a segment never loses or moves a character.
"""

from __future__ import annotations

import itertools
import re

from stancekit.schema import Span

_ABBREVIATIONS = frozenset(
    "st jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun ed eds inc ltd co corp bros "
    "dept est ca al etc jr sr mt ft km kg ave blvd rd op".split()
)
_TITLES = frozenset(
    "mr mrs ms dr prof gen lt col maj capt sgt cpl brig adm cmdr gov sen rep rev hon vs e.g i.e cf approx viz".split()
)
_BEFORE_NUMBERS = frozenset("no nos art para fig vol pp ch".split())
_ALSO_WORDS = frozenset("st co sun sat mar ed op mon est ca".split())
_TERMINAL = re.compile(r"[.!?…]+[\"”’»)\]“']*")
_ENDED = re.compile(r"[.!?…][\"”’»)\]“']*$")
_CLOSING = "\"”’»)]“'"
_OPENING = "\"“„«‘([»'—–-•*"
_BULLET = re.compile(r"[ \t]*(?:[-–—•*]|\d{1,2}[.)]|\([a-z0-9]\))[ \t]+")
_BREAK = re.compile(r"\r\n|[\n\r\u2028\u2029\v\f\x85]")


def sentences(text: str) -> list[Span]:
    """Return the sentences of an article as character spans, in order, without space at their edges.

    Blank lines always end a sentence; so do single line ends, unless the text is hard-wrapped.
    """
    found: list[Span] = []
    for start, end in _blocks(text):
        found.extend(_in_block(text, start, end))
    return found


def _blocks(text: str) -> list[tuple[int, int]]:
    """Cut a text into blocks that a sentence cannot cross."""
    lines, at = [], 0
    for match in _BREAK.finditer(text):
        lines.append((at, match.start()))
        at = match.end()
    lines.append((at, len(text)))
    wrapped = _is_hard_wrapped([text[a:b] for a, b in lines])
    blocks: list[tuple[int, int]] = []
    previous = ""
    for start, end in lines:
        line = text[start:end]
        if not line.strip():
            previous = ""
            continue
        joins = wrapped and previous and not _BULLET.match(line) and not _looks_like_headline(previous, line)
        if joins:
            blocks[-1] = (blocks[-1][0], end)
        else:
            blocks.append((start, end))
        previous = line
    return blocks


def _is_hard_wrapped(lines: list[str]) -> bool:
    """Say whether line ends are only layout: most inner lines are alike in length and end in mid-sentence."""
    pairs = [(a.rstrip(), b) for a, b in itertools.pairwise(lines) if a.strip() and b.strip()]
    if len(pairs) < 3:
        return False
    longest = max(len(a) for a, _ in pairs)
    if longest > 140:
        return False
    open_ended = sum(1 for a, _ in pairs if not _ENDED.search(a))
    full = sum(1 for a, _ in pairs if len(a) > 0.7 * longest)
    return open_ended > 0.6 * len(pairs) and full > 0.6 * len(pairs) and longest >= 40


def _looks_like_headline(line: str, following: str) -> bool:
    return len(line) < 0.6 * len(following) and not _TERMINAL.search(line[-3:])


def _in_block(text: str, start: int, end: int) -> list[Span]:
    found: list[Span] = []
    begin = start
    bullet = _BULLET.match(text, start, end)
    first = bullet.end() if bullet else start
    for match in _TERMINAL.finditer(text, first, end):
        if match.start() >= begin and _ends_here(text, begin, match, end):
            _append(found, text, begin, match.end())
            begin = match.end()
    _append(found, text, begin, end)
    return found


def _append(found: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start == end:
        return
    if found and not any(c.isalnum() for c in text[start:end]):
        found[-1] = Span(found[-1].start, end)
    else:
        found.append(Span(start, end))


def _ends_here(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    at = match.end()
    mark = match.group()
    if at >= end:
        return True
    if not text[at].isspace():
        return _runs_on(text, at, mark)
    following = text[at:end].lstrip()
    if not following:
        return True
    first = _first_letter(following)
    if mark.startswith("."):
        word = _word_before(text, begin, match.start())
        if not _dot_ends(word, mark, following, first):
            return False
    if first.islower():
        return False
    return not (_inside_quote(text, begin, match.end()) and _is_lone_exclamation(mark, following))


def _runs_on(text: str, at: int, mark: str) -> bool:
    """A stop without a space after it ends a sentence only before a capital after a closing quote (`left.”The`)."""
    return mark[-1] in "”»" and text[at].isupper()


def _first_letter(following: str) -> str:
    for character in following[:6]:
        if character.isalnum():
            return character
        if character not in _OPENING and not character.isspace():
            return character
    return ""


def _word_before(text: str, begin: int, at: int) -> str:
    start = at
    while start > begin and (text[start - 1].isalnum() or text[start - 1] in ".-"):
        start -= 1
    return text[start:at]


def _dot_ends(word: str, mark: str, following: str, first: str) -> bool:
    """Say whether a full stop after `word` ends a sentence."""
    if len(mark.rstrip(_CLOSING)) > 1:  # an ellipsis of dots
        return not first.islower()
    if mark != ".":  # closing marks after the stop: the stop is a real one
        return True
    low = word.lower()
    if len(word) == 1 and word.isupper() and word != "I":
        return False  # an initial: J. Orsk
    if low in _TITLES:
        return False
    if low in _BEFORE_NUMBERS:
        return not first.isdigit()
    if low in _ALSO_WORDS and word.islower():
        return True
    if low in _ABBREVIATIONS or re.fullmatch(r"(?:\w\.)+\w", low):
        return _starts_sentence(following)
    return not (word.isdigit() and len(word) <= 2 and first.islower())


_STARTERS = frozenset(
    "the a an it he she they we i in on at but and this that these those there after before when while as if for "
    "from with by to no not his her their our its one two three both all many some most several meanwhile however "
    "officials police residents".split()
)


def _starts_sentence(following: str) -> bool:
    word = re.match(r"[\"“„«‘(\[—–\- ]*(\w+)", following)
    return bool(word and (word[1].lower() in _STARTERS) and word[1][0].isupper())


def _inside_quote(text: str, begin: int, at: int) -> bool:
    opened = sum(text.count(c, begin, at) for c in "“„«")
    closed = sum(text.count(c, begin, at) for c in "”»")
    return opened > closed


def _is_lone_exclamation(mark: str, following: str) -> bool:
    return mark[0] in "!?" and len(mark) > 1 and following[:1].islower()
