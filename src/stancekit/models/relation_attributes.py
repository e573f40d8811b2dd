"""The attributes of a relation: the type of its source, and how its cue stands to what it reports."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from stancekit.models import scorer, tensors
from stancekit.models.crf_features import word_columns
from stancekit.models.rules import Rules
from stancekit.models.scorer import Scorer
from stancekit.schema import Attribution, Layers, Sentence, words_of
from stancekit.text import antecedents
from stancekit.text.tokens import tokens

NAMES = ("source_type", "cue_stance")
_PENALTY = 3.0

Row = list[str]


class RelationAttributes:
    """Source type and cue stance by the words of source and cue; None where train has no such labels.

    A pronoun or definite source also has the words of its antecedent among the sentences given.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules
        self.scorers = {name: Scorer() for name in NAMES}

    def fit(self, sentences: Sequence[Sentence], gold: Sequence[Sequence[Attribution]]) -> None:
        """Learn from the relations of train that have the labels."""
        rows = [row for rows in self._rows(sentences, gold) for row in rows]
        relations = [relation for row in gold for relation in row]
        for name in NAMES:
            pairs = [
                (row[name], str(getattr(relation, name)))
                for relation, row in zip(relations, rows, strict=True)
                if name in row and getattr(relation, name) is not None
            ]
            if pairs:
                self.scorers[name] = scorer.train(
                    [r for r, _ in pairs], [label for _, label in pairs], penalty=_PENALTY
                )

    def complete(
        self, sentences: Sequence[Sentence], found: Sequence[Sequence[Attribution]]
    ) -> list[tuple[Attribution, ...]]:
        """Return the relations of each sentence with their attributes."""
        rows = self._rows(sentences, found)
        return [tuple(map(self._complete, *pair)) for pair in zip(found, rows, strict=True)]

    def _complete(self, relation: Attribution, row: Mapping[str, Row]) -> Attribution:
        best = {name: s.surest(row[name])[0] for name, s in self.scorers.items() if name in row and s.labels}
        return replace(relation, source_type=best.get("source_type"), cue_stance=best.get("cue_stance"))

    def _rows(
        self, sentences: Sequence[Sentence], found: Sequence[Sequence[Attribution]]
    ) -> list[list[dict[str, Row]]]:
        """Return the features of each relation: of its source type if it has a source, of its cue stance if a cue."""
        stands_for = _antecedents(sentences, found)
        return [
            [self._row(s.text, r, stands_for.get((at, k), "")) for k, r in enumerate(relations)]
            for at, (s, relations) in enumerate(zip(sentences, found, strict=True))
        ]

    def _row(self, text: str, relation: Attribution, antecedent: str) -> dict[str, Row]:
        row: dict[str, Row] = {}
        source, cue = words_of(relation.source, text), words_of(relation.cue, text)
        if relation.source:
            row["source_type"] = self._source(source, antecedent, cue)
        if relation.cue:
            row["cue_stance"] = self._cue(cue)
        return row

    def _source(self, source: str, antecedent: str, cue: str) -> Row:
        full = antecedent or source
        found = [f"own:{x}" for x in _words(source)] + _words(full)
        if self.rules is not None:
            matches = self.rules.sources.find(full, tokens(full))
            found += [f"kind:{m.value}" for m in matches] + [f"last kind:{m.value}" for m in matches[-1:]]
        return [*found, *(f"cue:{x}" for x in _words(cue)), f"resolved:{bool(antecedent)}"]

    def _cue(self, cue: str) -> Row:
        found = _words(cue)
        if self.rules is not None:
            toks = tokens(cue)
            matches = self.rules.verbs.find(cue, toks) + self.rules.phrases.find(cue, toks)
            found += [f"stance:{m.value}" for m in matches] or ["stance:unknown"]
        return found

    def dump(self) -> dict[str, Any]:
        """Return the features as JSON."""
        return {name: self.scorers[name].dump() for name in NAMES}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights."""
        return {f"{name}.{key}": v for name in NAMES for key, v in self.scorers[name].arrays().items()}

    def restore(self, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `dump` and `arrays` returned."""
        self.scorers = {name: Scorer.restore(plain[name], tensors.under(arrays, f"{name}.")) for name in NAMES}


def _words(text: str) -> Row:
    """Return words, stems, endings and pairs of words, and which word is first and last."""
    columns = [word_columns(token.of(text)) for token in tokens(text)]
    low = [c[0] for c in columns]
    found = [f"word:{x}" for x in low] + [f"stem:{c[1]}" for c in columns] + [f"ending:{c[4]}" for c in columns]
    found += [f"pair:{a} {b}" for a, b in itertools.pairwise(low)]
    return found + [f"first:{x}" for x in low[:1]] + [f"last:{c[1]}" for c in columns[-1:]]


def _antecedents(sentences: Sequence[Sentence], found: Sequence[Sequence[Attribution]]) -> dict[tuple[int, int], str]:
    """Return the words that pronoun and definite sources stand for, by sentence and relation."""
    documents: dict[str, list[int]] = defaultdict(list)
    for at, sentence in enumerate(sentences):
        documents[sentence.document or sentence.id].append(at)
    resolved: dict[tuple[int, int], str] = {}
    for places in documents.values():
        places.sort(key=lambda at: sentences[at].index)
        article = [Layers(text=sentences[at].text, attributions=tuple(found[at])) for at in places]
        for (number, index), antecedent in antecedents.resolve(article).items():
            if antecedent is not None:
                resolved[places[number], index] = antecedent.text
    return resolved
