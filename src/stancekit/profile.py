"""What a run has seen: how far a new text is from train, and which texts and documents it has learnt from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stancekit.files import sha256
from stancekit.schema import Sentence
from stancekit.text.normal import same

SIDES = ("train", "dev")
"""The parts that a run learns from: its weights from train, its thresholds and when to stop from dev."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_DIGITS = 12


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text, numbers and single letters left out."""
    return [w.lower() for w in _WORD.findall(text)]


def text_hash(text: str) -> str:
    """Return the hash by which a text is known, whatever its case, white space and quotation marks."""
    return sha256(same(text).encode())[:_DIGITS]


def document_hash(sentence: Sentence) -> str:
    """Return the hash by which a sentence's document is known, that of its name; "" for a sentence of its own."""
    own = sentence.document in ("", sentence.id)
    return "" if own else sha256(sentence.document.encode())[:_DIGITS]


@dataclass(frozen=True)
class Profile:
    """The words and outlets of train, and the hashes of texts and of documents' names, those of train and of dev apart.

    Texts and documents are those of the runs that this one was built on, too (its encoder, its members).
    """

    words: frozenset[str]
    outlets: frozenset[str]
    texts: Mapping[str, frozenset[str]]
    documents: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, train: Sequence[Sentence], dev: Sequence[Sentence] = (), built_on: Iterable[Profile] = ()) -> Profile:
        """Return the profile of a run that learns from these sentences, and from what these profiles hold."""
        texts = {side: {text_hash(s.text) for s in own} for side, own in zip(SIDES, (train, dev), strict=True)}
        documents = {side: {*map(document_hash, own)} - {""} for side, own in zip(SIDES, (train, dev), strict=True)}
        for other in built_on:
            for side in SIDES:
                texts[side] |= other.texts[side]
                documents[side] |= other.documents[side]
        return cls(
            frozenset(word for s in train for word in words(s.text)),
            frozenset(str(s.meta["outlet"]) for s in train if s.meta.get("outlet")),
            {side: frozenset(found) for side, found in texts.items()},
            {side: frozenset(found) for side, found in documents.items()},
        )

    def dump(self) -> dict[str, Any]:
        """Return the profile as JSON."""
        hashes = {"texts": self.texts, "documents": self.documents}
        plain = {name: {side: sorted(found) for side, found in own.items()} for name, own in hashes.items()}
        return {"words": sorted(self.words), "outlets": sorted(self.outlets), **plain}

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Profile:
        """Read what `dump` wrote."""
        texts, documents = ({side: frozenset(value[name][side]) for side in SIDES} for name in ("texts", "documents"))
        return cls(frozenset(value["words"]), frozenset(value["outlets"]), texts, documents)

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return the share of word tokens that train never had; 0 for texts without words."""
        tokens = [w for text in texts for w in words(text)]
        return sum(w not in self.words for w in tokens) / len(tokens) if tokens else 0.0

    def learnt(self, sentence: Sentence) -> str:
        """Return what of a sentence was learnt from: its `text`, another text of a `document` of its name, or `no`."""
        if any(text_hash(sentence.text) in self.texts[side] for side in SIDES):
            return "text"
        return "document" if any(document_hash(sentence) in self.documents[side] for side in SIDES) else "no"
