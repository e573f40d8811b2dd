"""Sentence segmentation with exact offsets: quotes, abbreviations, headlines, lists, dialogue dashes.

A rule-based segmenter for English news; a segment never loses or moves a character. A text is cut into blocks at
blank lines and line ends; in a block, every mark that may end a sentence is asked in turn whether it does.
"""

from __future__ import annotations

import itertools
import re

from stancekit.schema import Span
from stancekit.text import abbreviations

_CLOSING = "\"”’»)]“'"
_OPENING = "\"“„«‘([»'—–-•*"
_TERMINAL = re.compile(rf"(?:[.!?…]+|[—–-]{{1,3}}(?=[\"”»]))[{re.escape(_CLOSING)}]*")
_ENDED = re.compile(rf"[.!?…][{re.escape(_CLOSING)}]*$")
_WINDOW = 300  # characters looked at on either side: a line of many megabytes takes no longer a mark
_BREAK = re.compile(r"\r\n|[\n\r\u2028\u2029\v\f\x85]")
_BULLET = re.compile(r"[ \t]*(?:[-–—•*]|\d{1,2}[.)]|\([a-z0-9]\))[ \t]+")

_NUMBER = r"(?:\d{1,3}(?:\.\d{1,2})*|[^\W\d_]|[ivxlc]+|[IVXLC]+)"
_ENUMERATOR = re.compile(
    rf"(?:^|[:;]\s+)[\"“„«‘(\[•*—–-]*\s*{_NUMBER}$"
    r"|^(?:Article|Section|Chapter|Part|Point|Rule|Step|Day|Item|Question|Table|Figure|Box|Annex|Appendix|Clause"
    rf"|Phase|Stage|Note)\s+{_NUMBER}$"
)
_SMALL_STARTS = re.compile(r"(?:\((?:[a-z]|[ivx]+|\d{1,2})\)|[a-z]\))\s|https?://|www\.|pic\.twitter")
"""List items and addresses begin in small letters."""
_DATELINE = re.compile(
    rf"[^\W\d_a-z]{{2,}}[^a-z.!?]*,\s(?:\d{{1,2}}\s)?(?i:{'|'.join(abbreviations.DAYS_AND_MONTHS)})"
    r"(?:\s\d{1,2})?(?:,?\s\d{4})?(?:\.?\s(?:\([^)]*\)|/[^/]*/))?"
)
_SAYING = (
    "said|says|asked|asks|wondered|shouted|cried|called|yelled|told|replied|answered|demanded|whispered|exclaimed|"
    "added|insisted|murmured|muttered|wrote|begged|snapped|joked|quipped|repeated|urged|inquired|screamed|warned"
)
_SPEAKER = re.compile(rf"(?:[^\W\d_a-z][\w'’.-]*\s+)(?:(?:[^\W\d_a-z][\w'’.-]*|van|von|der|de|al)\s+)*(?:{_SAYING})\b")


def sentences(text: str) -> list[Span]:
    """Return the sentences of an article as character spans, in order, without space at their edges.

    Blank lines always end a sentence; so do single line ends, unless the text is hard-wrapped.
    """
    found: list[Span] = []
    for start, end in blocks(text):
        found.extend(_in_block(text, start, end))
    return found


def blocks(text: str) -> list[tuple[int, int]]:
    """Cut a text into blocks that a sentence cannot cross."""
    lines, at = [], 0
    for match in _BREAK.finditer(text):
        lines.append((at, match.start()))
        at = match.end()
    lines.append((at, len(text)))
    wrapped = _is_hard_wrapped([text[a:b] for a, b in lines])
    found: list[tuple[int, int]] = []
    previous = ""
    for start, end in lines:
        line = text[start:end]
        if not line.strip():
            previous = ""
            continue
        joins = wrapped and previous and not _BULLET.match(line) and not _looks_like_headline(previous, line)
        if joins:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
        previous = line
    return found


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
    return len(line) < 0.6 * len(following) and not _ENDED.search(line)


def _in_block(text: str, start: int, end: int) -> list[Span]:
    found: list[Span] = []
    begin = start
    for match in _TERMINAL.finditer(text, start, end):
        at, past = match.span()
        before, after = text[max(begin, at - _WINDOW) : at], text[past : min(end, past + _WINDOW)]
        if _ends_here(before.lstrip(), match.group(), after):
            _append(found, text, begin, past)
            begin = past
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


def _ends_here(before: str, mark: str, after: str) -> bool:
    """Say whether a sentence ends at a mark, after what stands before it in the sentence and before the rest."""
    following = after.lstrip()
    if not following:
        return True
    if following == after:
        return mark[-1] in "”»" and after[0].isupper()  # a missing space: `left.”The`
    if mark[-1] in ".!?" and _SMALL_STARTS.match(following):
        return True
    if _first_letter(following).islower():
        return False
    if mark[0] == ".":
        return _stop_ends(before, mark, following)
    return not _is_attributed(mark, following)


def _stop_ends(before: str, mark: str, following: str) -> bool:
    """Say whether a full stop, with the closing marks after it, ends a sentence before a capital or a digit."""
    stops = mark.rstrip(_CLOSING)
    if len(stops) > 1:  # an ellipsis
        return not _is_attributed(mark, following)
    if mark != stops and not (mark == ".)" and "(" in before[1:]):
        return True  # the stop belongs to a whole quotation or parenthesis
    if _ENUMERATOR.search(before) or _DATELINE.fullmatch(before):
        return False
    word = re.split(r"[^\w.-]", before)[-1]
    return abbreviations.may_end(before.removesuffix(word), word.lstrip("-."), following)


def _is_attributed(mark: str, following: str) -> bool:
    """Say whether the clause after a quotation that closes with a mark of its own names its speaker."""
    if mark[-1] not in "\"”’»“'" or not _SPEAKER.match(following):
        return False
    return not abbreviations.starts_sentence(following)


def _first_letter(following: str) -> str:
    for character in following[:6]:
        if character.isalnum():
            return character
        if character not in _OPENING and not character.isspace():
            return character
    return ""
