"""Pronoun and definite sources ("it", "the ministry") tied to an earlier mention in the article.

A rule after the usual cues of recency, number and head noun (Hobbs 1978; Lappin & Leass 1994), for sources only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stancekit.schema import Layers, Parts, Span, hull, words_of
from stancekit.text.blanks import joined

_PERSON = frozenset({"he", "she"})
_THING = frozenset({"it"})
_GROUP = frozenset({"they"})
_DETERMINERS = frozenset({"the", "this", "that", "these", "those", "his", "her", "its", "their", "both"})
_POSSESSIVE = re.compile(r"(?:his|her|its|their|our|my)\b|.*[’']s? ", re.IGNORECASE)
_BEFORE_PLACES = frozenset("in at from of to near off aboard the around outside".split())
_PEOPLE = frozenset(
    "spokesman spokeswoman spokesperson minister president mayor general colonel major captain lieutenant sergeant "
    "commander admiral official officer governor secretary envoy ambassador judge prosecutor lawyer witness resident "
    "farmer teacher doctor nurse woman man mother father widow analyst professor historian researcher economist "
    "economist driver fisherman skipper chairman chairwoman director chief head leader deputy veteran pilot".split()
)
_SAME = (
    frozenset("spokesman spokeswoman spokesperson".split()),
    frozenset("army military forces command staff troops".split()),
    frozenset("agency bureau service".split()),
    frozenset("newspaper paper daily".split()),
)
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w’'-]+(?:\s+[A-ZÀ-ÖØ-Þ][\w’'-]+)*")


@dataclass(frozen=True)
class Antecedent:
    """What a source stands for: the earlier mention, by the sentence's place in the article."""

    sentence: int
    source: Parts
    text: str


@dataclass(frozen=True)
class _Candidate:
    sentence: int
    parts: Parts
    text: str
    is_source: bool
    is_surname: bool = False
    is_first: bool = False
    """Whether the sentence begins with it: most likely its subject."""

    @property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.text.lower()))

    @property
    def is_person(self) -> bool:
        names = [w for w in self.text.split() if w[:1].isupper()]
        named = self.is_surname or (len(names) >= 2 and not self.words & _ORGANISATIONS)
        return bool(self.words & _PEOPLE) or named

    @property
    def is_plural(self) -> bool:
        head = _head(self.text)
        return " and " in self.text or (head.endswith("s") and not head.endswith(("ss", "us")))


_ORGANISATIONS = frozenset(
    "ministry agency army navy guard court council government mission office bureau command staff parliament party "
    "company union association committee service police press news radio times gazette post monitor bulletin network "
    "authority commission institute university hospital department organisation organization group bank".split()
)


def needs_antecedent(text: str) -> bool:
    """Say whether a source is a pronoun or a definite noun phrase without a name."""
    words = text.split()
    if not words:
        return False
    if len(words) == 1:
        return words[0].lower() in _PERSON | _THING | _GROUP
    return words[0].lower() in _DETERMINERS and len(words) <= 4 and not any(w[:1].isupper() for w in words[1:])


def _head(text: str) -> str:
    """Return the head noun of a short noun phrase: its last word before a preposition or comma."""
    phrase = re.split(r",| (?:of|in|for|at|from|who|which|on|with) ", text, maxsplit=1)[0]
    words = re.findall(r"\w+", phrase.lower())
    return words[-1] if words else ""


def resolve(article: Sequence[Layers]) -> dict[tuple[int, int], Antecedent | None]:
    """Return, for each (sentence, relation) whose source needs one, its antecedent or None where none fits.

    A chain ends at a mention that stands for itself: "it" → "the ministry" → "the Ministry of Defence".
    """
    found: dict[tuple[int, int], Antecedent | None] = {}
    earlier: list[_Candidate] = []
    for number, layers in enumerate(article):
        here: list[_Candidate] = []
        for index, relation in enumerate(layers.attributions or ()):
            if not relation.source:
                continue
            text = joined(words_of(relation.source, layers.text))
            if needs_antecedent(text):
                before = _before(here, relation.source) if text.lower() in _PERSON | _THING else []
                best = _best(text, earlier + before, number)
                found[number, index] = Antecedent(best.sentence, best.parts, best.text) if best else None
                if best is not None:
                    here.append(_Candidate(best.sentence, best.parts, best.text, True))
            else:
                here.append(_Candidate(number, relation.source, text, True, _is_surname(text, earlier)))
        named = _names(number, layers.text)
        taken = {c.parts for c in here}
        earlier += [c for c in named if c.parts not in taken] + here
    return found


def _before(candidates: Sequence[_Candidate], parts: Parts) -> list[_Candidate]:
    return [c for c in candidates if hull(c.parts)[1] <= hull(parts)[0]]


def _names(number: int, text: str) -> list[_Candidate]:
    """Return the names of a sentence that may be people: not those after a word that goes before places."""
    found = []
    for match in _NAME.finditer(text):
        before = text[: match.start()].split()
        name = joined(match.group())
        single = " " not in name
        if (before and before[-1].lower() in _BEFORE_PLACES) or (single and not before):
            continue
        first = not before
        found.append(_Candidate(number, (Span(*match.span()),), name, False, is_first=first))
    return found


def _is_surname(text: str, earlier: Sequence[_Candidate]) -> bool:
    """Say whether a single name ends the longer name of a person mentioned before."""
    return " " not in text and any(c.is_person and c.text.split()[-1] == text for c in earlier)


def _best(text: str, candidates: Sequence[_Candidate], number: int) -> _Candidate | None:
    low = text.lower()
    if _POSSESSIVE.match(low):
        return None  # "his mother", "the brigade's officer": somebody new
    for candidate in reversed(candidates):
        if not candidate.is_source and number - candidate.sentence > 2:
            continue
        if low in _PERSON | _THING | _GROUP:
            if _fits_pronoun(low, candidate):
                return candidate
        elif _fits_definite(low, candidate):
            return candidate
    return None


def _fits_pronoun(pronoun: str, candidate: _Candidate) -> bool:
    if pronoun in _PERSON:
        return candidate.is_person
    if pronoun in _GROUP:
        return candidate.is_source and candidate.is_plural
    acts = candidate.is_source or (candidate.is_first and bool(candidate.words & _ORGANISATIONS))
    return acts and not candidate.is_person and not candidate.is_plural


def _fits_definite(low: str, candidate: _Candidate) -> bool:
    """Say whether a mention holds the head noun, or one of its like, and all its modifiers."""
    head = _head(low)
    singular = head.removesuffix("s")
    modifiers = set(re.findall(r"\w+", low)) - _DETERMINERS - {head}
    if not modifiers <= candidate.words:
        return False
    alike = {head, singular}.union(*(group for group in _SAME if {head, singular} & group))
    return bool(alike & candidate.words)
