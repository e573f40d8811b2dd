"""Actors that a sentence names: known ones by the stems of their names or by learnt aliases, others by capitals."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stancekit.models.encoder import Seen
from stancekit.schema import Sentence
from stancekit.text.blanks import joined

_NO_NAMES = frozenset(
    "the a an it he she they we i you in on at but and or if this that these those there his her its their our my no "
    "not yes after before when while as for from with by to what who why how where since until during despite both "
    "all some many most several each every one two three four five six seven eight nine ten monday tuesday wednesday "
    "thursday friday saturday sunday january february march april may june july august september october november "
    "december mr mrs ms dr mayor general colonel president minister prime lieutenant captain major according".split()
)
_WORD = re.compile(r"\w{2,}")
_STEM, _ENDING = 4, 4
"""An adjective shares so many first letters with its country's name (Ruritania, Ruritanian), and adds so few."""
_LEAST, _SHARE = 2, 0.6
"""A name is an alias of a target that it stands beside at least so often, and in that share of its sentences."""


@dataclass(frozen=True)
class Mention:
    """A mention of an actor: first token and last token + 1."""

    actor: str
    start: int
    end: int


class ActorFinder:
    """Finds the actors of a gazetteer, by name, adjective or alias, and proposes capitalised names beside them."""

    def __init__(self, gazetteer: Iterable[str] = (), aliases: Mapping[str, str] | None = None) -> None:
        self.gazetteer = frozenset(gazetteer)
        self.aliases = dict(aliases or {})
        self._known = [(name, tuple(name.lower().split())) for name in sorted(self.gazetteer)]

    def mentions(self, seen: Seen) -> list[Mention]:
        """Return the mentions of one sentence; the longest known name wins at each token."""
        found: list[Mention] = []
        at = 0
        while at < len(seen.toks):
            mention = self._known_at(seen, at) or self._proposed_at(seen, at)
            at = mention.end if mention else at + 1
            if mention:
                found.append(mention)
        return found

    def _known_at(self, seen: Seen, at: int) -> Mention | None:
        if not _is_capital(seen, at):
            return None
        low = seen.columns["word"]
        fits = [
            (len(words), name)
            for name, words in self._known
            if at + len(words) <= len(low) and all(map(same_stem, words, low[at : at + len(words)]))
        ]
        length, name = max(fits, default=(0, ""))
        return Mention(name, at, at + length) if length else None

    def _proposed_at(self, seen: Seen, at: int) -> Mention | None:
        low, end = seen.columns["word"], at
        while end < len(low) and _is_capital(seen, end) and low[end] not in _NO_NAMES:
            end += 1
        if end == at:
            return None
        name = joined(seen.text[seen.toks[at].start : seen.toks[end - 1].end])
        return Mention(self.aliases.get(name, name), at, end)

    def in_documents(self, sentences: Sequence[Sentence], seen: Sequence[Seen]) -> list[list[Mention]]:
        """Return the mentions of every sentence; a proposed adjective takes the name that its document has for it."""
        found = [self.mentions(s) for s in seen]
        names: dict[str, Counter[str]] = defaultdict(Counter)
        for sentence, mentions in zip(sentences, found, strict=True):
            names[sentence.document or sentence.id].update(m.actor for m in mentions)
        return [
            [Mention(self._canonical(m.actor, names[s.document or s.id]), m.start, m.end) for m in mentions]
            for s, mentions in zip(sentences, found, strict=True)
        ]

    def _canonical(self, actor: str, names: Iterable[str]) -> str:
        if actor in self.gazetteer:
            return actor
        fits = [n for n in names if len(n) < len(actor) and same_stem(n.lower(), actor.lower())]
        return min(fits, key=lambda n: (len(n), n), default=actor)


def learn(sentences: Sequence[Sentence], seen: Sequence[Seen], targets: Sequence[Iterable[str]]) -> ActorFinder:
    """Return a finder that knows the targets of train, and names that stand for one where it is not named itself."""
    plain = ActorFinder(name for names in targets for name in names)
    together: dict[str, Counter[str]] = defaultdict(Counter)
    seen_with: Counter[str] = Counter()
    for mentions, names in zip(plain.in_documents(sentences, seen), targets, strict=True):
        here = {m.actor for m in mentions}
        for other in (here - plain.gazetteer) if names else ():
            seen_with[other] += 1
            together[other].update(set(names) - here)
    aliases = {}
    for other, counts in sorted(together.items()):
        name, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
        if count >= max(_LEAST, _SHARE * seen_with[other]):
            aliases[other] = name
    return ActorFinder(plain.gazetteer, aliases)


def _is_capital(seen: Seen, at: int) -> bool:
    word = seen.toks[at].of(seen.text)
    return word[0].isupper() and bool(_WORD.match(word))


def same_stem(name: str, word: str) -> bool:
    """Say whether a word is a name or its adjective: `karsk`, `karskan`; `tolmenia`, `tolmenian`."""
    if name == word:
        return True
    stem = name[:-1] if len(name) > _STEM and name[-1] in "aeiouy" else name
    return len(stem) >= _STEM and word.startswith(stem) and len(word) - len(stem) <= _ENDING
