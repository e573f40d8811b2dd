"""Pronoun and definite sources ("it", "the ministry") tied to an earlier mention in the article.

A rule after the usual cues of recency, number and head noun (Hobbs 1978; Lappin & Leass 1994), for sources only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stancekit.schema import Layers, Parts, Span, hull, words_of

_PERSON = frozenset({"he", "she"})
_THING = frozenset({"it"})
_GROUP = frozenset({"they"})
_DETERMINERS = frozenset({"the", "this", "that", "these", "those", "his", "her", "its", "their", "both"})
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
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w’'-]+(?: [A-ZÀ-ÖØ-Þ][\w’'-]+)*")


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

    @property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.text.lower()))

    @property
    def is_person(self) -> bool:
        names = [w for w in self.text.split() if w[:1].isupper()]
        return bool(self.words & _PEOPLE) or (len(names) >= 2 and not self.words & _ORGANISATIONS)

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
            text = words_of(relation.source, layers.text)
            if needs_antecedent(text):
                before = _before(here, relation.source) if text.lower() in _PERSON | _THING else []
                best = _best(text, earlier + before, number)
                found[number, index] = Antecedent(best.sentence, best.parts, best.text) if best else None
                if best is not None:
                    here.append(_Candidate(best.sentence, best.parts, best.text, True))
            else:
                here.append(_Candidate(number, relation.source, text, True))
        named = _names(number, layers.text)
        taken = {c.parts for c in here}
        earlier += [c for c in named if c.parts not in taken] + here
    return found


def _before(candidates: Sequence[_Candidate], parts: Parts) -> list[_Candidate]:
    return [c for c in candidates if hull(c.parts)[1] <= hull(parts)[0]]


def _names(number: int, text: str) -> list[_Candidate]:
    return [_Candidate(number, (Span(*m.span()),), m.group(), False) for m in _NAME.finditer(text) if m.start()]


def _best(text: str, candidates: Sequence[_Candidate], number: int) -> _Candidate | None:
    low = text.lower()
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
    return candidate.is_source and not candidate.is_person and not candidate.is_plural


def _fits_definite(low: str, candidate: _Candidate) -> bool:
    head = _head(low)
    singular = head.removesuffix("s")
    if {head, singular} & candidate.words:
        return True
    if any({head, singular} & group and candidate.words & group for group in _SAME):
        return True
    return singular in _PEOPLE and candidate.is_source and candidate.is_person and not candidate.words & _PEOPLE
