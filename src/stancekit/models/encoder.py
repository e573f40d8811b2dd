"""Sentences as the chains see them, with what was learnt of words from train."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancekit.errors import Problems
from stancekit.models import clusters, context, crf_features
from stancekit.models import rules as rules_module
from stancekit.models.crf_features import Columns, Template, WordKnowledge
from stancekit.models.rules import Rules
from stancekit.resources import bundled
from stancekit.schema import Sentence, Span
from stancekit.text.tokens import tokens


@dataclass(frozen=True)
class Seen:
    """A sentence with its tokens and their columns."""

    text: str
    toks: list[Span]
    columns: Columns


@dataclass
class Encoder:
    """Turns sentences into columns; `window` tokens to both sides, word clusters of `sizes`, open quotations."""

    window: int = 2
    sizes: tuple[int, ...] = (64, 320)
    context: bool = True
    rules: Rules | None = None
    knowledge: WordKnowledge = field(default_factory=WordKnowledge)

    def check(self, problems: Problems) -> None:
        """Note settings that make no sense."""
        if not 0 <= self.window <= 5:
            problems.add("window", f"a window of {self.window} tokens", "0 to 5 is expected")
        if any(size < 2 for size in self.sizes):
            problems.add("clusters", f"{list(self.sizes)} are no numbers of clusters", "give 2 or more each, or []")

    @property
    def templates(self) -> list[Template]:
        """The templates that fit what was learnt."""
        return crf_features.default_templates(
            self.window, self.knowledge.grains, likely=bool(self.knowledge.likely), rules=self.rules is not None
        )

    def learn(self, sentences: Sequence[Sentence], anchors: Sequence[Sequence[bool]] | None = None) -> None:
        """Learn clusters from the words, and from `anchors` (a flag a token) which words bear the anchor label."""
        words = [[token.of(s.text).lower() for token in tokens(s.text)] for s in sentences]
        self.knowledge = WordKnowledge(clusters.clusters(words, self.sizes))
        if anchors is not None:
            stems = [[crf_features.stem(word) for word in row] for row in words]
            self.knowledge.likely = crf_features.likely_words(zip(stems, anchors, strict=True))

    def see(self, sentences: Sequence[Sentence]) -> list[Seen]:
        """Return the sentences with their columns."""
        carried = context.carried(sentences) if self.context else [""] * len(sentences)
        found = []
        for sentence, before in zip(sentences, carried, strict=True):
            toks = tokens(sentence.text)
            columns = crf_features.columns(sentence.text, toks, self.knowledge, before)
            if self.rules is not None:
                _add_entries(columns, self.rules, sentence.text, toks)
            found.append(Seen(sentence.text, toks, columns))
        return found

    def features(self, seen: Iterable[Seen]) -> Iterator[list[list[str]]]:
        """Yield the feature strings of each sentence."""
        templates = self.templates
        return (crf_features.features(s.columns, templates, len(s.toks)) for s in seen)

    def dump(self) -> dict[str, Any]:
        """Return what was learnt as JSON."""
        rules = None if self.rules is None else self.rules.value
        return {"clusters": self.knowledge.clusters, "likely": self.knowledge.likely, "rules": rules}

    def restore(self, value: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.knowledge = WordKnowledge(dict(value["clusters"]), dict(value["likely"]))
        self.rules = None if value["rules"] is None else Rules(value["rules"])


def lexicon(name: str | None) -> Rules | None:
    """Return the rules of a lexicon file; `bundled` is the one for English news, None is none."""
    if name is None:
        return None
    return rules_module.load(bundled("data/lexicon.yaml") if name == "bundled" else Path(name))


def _add_entries(columns: Columns, rules: Rules, text: str, toks: Sequence[Span]) -> None:
    """Add columns that tell which entries of a lexicon stand where: devices by label, cues, words of sources."""
    found = {"entry": rules.devices, "verb": rules.verbs, "phrase": rules.phrases, "kind": rules.sources}
    for name, matcher in found.items():
        column = [""] * len(toks)
        for match in matcher.find(text, toks):
            column[match.first] = f"B{match.value}"
            column[match.first + 1 : match.last] = [f"I{match.value}"] * (match.last - match.first - 1)
        columns[name] = column
