"""Spans as quoted words and back: how a language model, which cannot count characters, names a place in a text."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stancekit.errors import fail
from stancekit.schema import Answer, Attribution, Device, Example, Layers, Parts, Span, Stance
from stancekit.tasks import ROLES
from stancekit.text.normal import letters, places

Pair = tuple[int, int]


def quoted(answer: Answer, example: Example) -> Any:
    """Return an answer in the form that the schema asks for, its spans as quoted words."""
    text = example.sentence.text
    if isinstance(answer, str):
        return answer
    if isinstance(answer, frozenset):
        return sorted(answer)
    if isinstance(answer, Layers):
        relations, devices = answer.attributions or (), answer.devices or ()
        return {"attributions": quoted(relations, example), "devices": quoted(devices, example)}
    return [_item(item, text) for item in answer]


def _item(item: Span | Attribution | Device | Stance, text: str) -> dict[str, Any]:
    if isinstance(item, Span):
        return _part(item, text) | {"label": item.label}
    if isinstance(item, Attribution):
        roles = {role: _parts(getattr(item, role), text) for role in ROLES}
        return roles | {"source_type": item.source_type, "cue_stance": item.cue_stance}
    if isinstance(item, Device):
        fields = {"frame": item.frame, "target": item.target, "negated": item.negated}
        return {"parts": _parts(item.parts, text)} | fields
    return {"label": item.label}


def _parts(parts: Parts, text: str) -> list[dict[str, Any]]:
    return [_part(part, text) for part in parts]


def _part(part: Span, text: str) -> dict[str, Any]:
    words = part.of(text)
    found = occurrences(text, words)
    number = found.index((part.start, part.end)) + 1
    return {"text": words} | ({"occurrence": number} if len(found) > 1 else {})


def occurrences(text: str, words: str) -> list[Pair]:
    """Return every place of some words in a text, overlapping ones too."""
    found, at = [], text.find(words)
    while at >= 0:
        found.append((at, at + len(words)))
        at = text.find(words, at + 1)
    return found


class Locator:
    """Finds quoted words in one text; `counts` says how often one place of several had to be chosen, or words mended.

    Words that stand repeatedly, without an `occurrence`, are taken where they are whole words, and there at the
    first place that the same role has not taken yet. Words that differ from the text in white space or the
    shape of quotation marks only are mended.
    """

    def __init__(self, text: str, counts: Counter[str]) -> None:
        self.text, self.counts = text, counts
        self.taken: set[tuple[str, Pair]] = set()

    def find(self, words: str, occurrence: int | None, role: str) -> Pair:
        """Return where the words stand, or say why that cannot be told."""
        found = occurrences(self.text, words) if words.strip() else []
        if not found:
            found = self._mended(words)
        if not found:
            raise fail("", f"{_short(words)} does not stand in the sentence", "quote its words exactly")
        if occurrence is not None:
            if not 1 <= occurrence <= len(found):
                what = f"{_short(words)} stands {len(found)} times, not {occurrence}"
                raise fail("", what, "count occurrences from 1")
            pair = found[occurrence - 1]
        else:
            pair = self._chosen(found, role)
        self.taken.add((role, pair))
        return pair

    def _mended(self, words: str) -> list[Pair]:
        at, bare = places(self.text), letters(words)
        found = [(at[a], at[b - 1] + 1) for a, b in occurrences(letters(self.text), bare)] if bare else []
        self.counts["quotations mended"] += bool(found)
        return found

    def _chosen(self, found: list[Pair], role: str) -> Pair:
        whole = [pair for pair in found if self._is_whole(pair)] or found
        self.counts["quotations that stand repeatedly"] += len(whole) > 1
        return next((pair for pair in whole if (role, pair) not in self.taken), whole[0])

    def _is_whole(self, pair: Pair) -> bool:
        start, end = pair
        before = start > 0 and self.text[start - 1].isalnum() and self.text[start].isalnum()
        after = end < len(self.text) and self.text[end].isalnum() and self.text[end - 1].isalnum()
        return not (before or after)


def _short(words: str) -> str:
    return repr(words if len(words) <= 40 else words[:37] + "…")
