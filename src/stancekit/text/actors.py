"""Actors: who is named in a sentence, from a list (`actors.yaml`), or proposed by a rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit import yamlfile
from stancekit.errors import Problems, fail
from stancekit.schema import Span
from stancekit.text.blanks import even, joined


@dataclass(frozen=True)
class Actor:
    """An actor with its aliases and side; `proposed` when a rule found it and nobody listed it."""

    name: str
    aliases: tuple[str, ...] = ()
    side: str = ""
    proposed: bool = False


@dataclass(frozen=True)
class Mention:
    """One mention of an actor in a sentence."""

    actor: str
    span: Span


def load(path: Path) -> tuple[Actor, ...]:
    """Read `actors.yaml`: a list of {name, aliases, side}."""
    document = yamlfile.load(path)
    if not isinstance(document.value, list) or not document.value:
        raise fail(document.where(), "a list of actors was expected", "write `- {name: …, aliases: […], side: …}`")
    problems, found = Problems(), []
    for number, item in enumerate(document.value):
        where = document.where((number,))
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            problems.add(where, "an actor needs a `name`", "write `- {name: …, aliases: […], side: …}`")
            continue
        for key in item.keys() - {"name", "aliases", "side"}:
            problems.add(where, f"unknown key {key!r}", "an actor has name, aliases and side")
        found.append(Actor(item["name"], tuple(map(str, _as_list(item.get("aliases")))), str(item.get("side") or "")))
    for name, count in Counter(actor.name for actor in found).items():
        if count > 1:
            problems.add(path, f"the actor {name!r} stands {count} times", "keep one, and join the aliases")
    problems.raise_any()
    return tuple(found)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


class Finder:
    """Finds the mentions of listed actors; a longer alias wins over a shorter one inside it."""

    def __init__(self, actors: Iterable[Actor]) -> None:
        self.names: dict[str, str] = {}
        for actor in actors:
            for alias in (actor.name, *actor.aliases):
                self.names.setdefault(joined(alias), actor.name)
        words = sorted(self.names, key=lambda w: (-len(w), w))
        wrapped = [" +".join(map(re.escape, w.split())) for w in words]
        self._pattern = re.compile("|".join(rf"(?<!\w){w}(?!\w)" for w in wrapped)) if words else None

    def mentions(self, text: str) -> list[Mention]:
        """Return every mention in text order."""
        if self._pattern is None:
            return []
        return [Mention(self.names[joined(m.group())], Span(*m.span())) for m in self._pattern.finditer(even(text))]

    def first_mentions(self, text: str) -> dict[str, Span]:
        """Return the first mention of each actor; its name itself is preferred to an alias."""
        found: dict[str, Span] = {}
        for mention in self.mentions(text):
            known = found.get(mention.actor)
            is_name = joined(mention.span.of(text)) == joined(mention.actor)
            if known is None or (is_name and joined(known.of(text)) != joined(mention.actor)):
                found[mention.actor] = mention.span
        return found


_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w’'-]*(?:\s+(?:of\s+|de\s+|al-|da\s+|van\s+)?[A-ZÀ-ÖØ-Þ][\w’'-]*)*")
_NEVER = frozenset(
    "the a an it he she they we i you in on at but and or if this that these those there his her its their our my no "
    "not yes after before when while as for from with by to what who why how where since until during despite both "
    "all some many most several each every one two three four five six seven eight nine ten monday tuesday wednesday "
    "thursday friday saturday sunday january february march april may june july august september october november "
    "december mr mrs ms dr mayor general colonel president minister prime lieutenant captain major spring summer "
    "autumn winter according later earlier meanwhile yesterday today tomorrow now then still only even here again "
    "sen rep gov gen col lt sgt rev prof inside outside near around across under over last next more less other others "
    "such".split()
)
_CONTRACTED = re.compile(
    r"(?:n[’']t|[’'](?:ve|ll|re|d|m)|^(?:it|that|let|what|here|there|he|she|who|how|where)[’']s)$", re.IGNORECASE
)


def propose(texts: Sequence[str], least: int = 2) -> tuple[Actor, ...]:
    """Return capitalised names that occur at least `least` times, not only at a sentence's beginning.

    A name that stands alone somewhere is counted in longer names that end with it, too, where these are too rare to be
    proposed: whoever is brought in as "Marcus Holt" goes on as "Holt", and the White House is not the House. A rule, so
    every actor is marked `proposed`; people, places and organisations are not told apart.
    """
    counts: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for text in texts:
        for match in _NAME.finditer(text):
            name = _trim(match.group())
            if name:
                counts[name] += 1
                inside[name] += match.start() > 0 or not joined(match.group()).startswith(name)  # "President Holt"
    for name in [name for name, n in counts.items() if " " in name and n < least]:
        surname = name.rpartition(" ")[2]
        if surname in counts:
            counts[surname] += counts[name]
            inside[surname] += inside[name]
    kept = [name for name, n in counts.items() if n >= least and inside[name]]
    return tuple(Actor(name, proposed=True) for name in sorted(kept))


def _trim(name: str) -> str:
    words = name.split()
    while words and (words[0].lower() in _NEVER or _CONTRACTED.search(words[0])):
        words.pop(0)
    if any(map(_CONTRACTED.search, words)):  # "So I’ve"
        return ""
    name = re.sub(r"[’']s$", "", " ".join(words))
    return name if len(name.partition(" ")[0]) > 1 else ""
