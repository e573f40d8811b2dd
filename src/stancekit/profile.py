"""What a run has seen: its train vocabulary and outlets, to say how far a new text is from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stancekit.schema import Sentence

_WORD = re.compile(r"[^\W\d_]{2,}")


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text, numbers and single letters left out."""
    return [w.lower() for w in _WORD.findall(text)]


@dataclass(frozen=True)
class Profile:
    """The words and outlets of a train part."""

    words: frozenset[str]
    outlets: frozenset[str]

    @classmethod
    def of(cls, sentences: Iterable[Sentence]) -> Profile:
        """Return the profile of some sentences."""
        seen: set[str] = set()
        outlets: set[str] = set()
        for sentence in sentences:
            seen.update(words(sentence.text))
            if sentence.meta.get("outlet"):
                outlets.add(str(sentence.meta["outlet"]))
        return cls(frozenset(seen), frozenset(outlets))

    def dump(self) -> dict[str, Any]:
        """Return the profile as JSON."""
        return {"words": sorted(self.words), "outlets": sorted(self.outlets)}

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Profile:
        """Read what `dump` wrote."""
        return cls(frozenset(value["words"]), frozenset(value["outlets"]))

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return the share of word tokens that train never had; 0 for texts without words."""
        tokens = [w for text in texts for w in words(text)]
        return sum(w not in self.words for w in tokens) / len(tokens) if tokens else 0.0
