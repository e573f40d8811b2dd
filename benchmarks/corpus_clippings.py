"""The counts of the bundled set of targeted sentiment beside what it promises; exits with 1 when one is broken.

Run: python benchmarks/corpus_clippings.py [--write]      (--write puts the table into data/clippings/README.md)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import corpus
from corpus import Row
from stancekit.data.load import load
from stancekit.schema import Sentence, Stance
from stancekit.text.normal import same

NAME = "clippings"
LABELS = ("negative", "neutral", "positive")
PRONOUNS = frozenset("i me my we us our you your he him his she her they them their it its".split())


def toward(sentence: Sentence) -> tuple[Stance, ...]:
    """Return the targets of a sentence with their sentiment."""
    answer = sentence.gold.labels["sentiment"]
    assert isinstance(answer, tuple)
    return tuple(item for item in answer if isinstance(item, Stance))


def rows(sentences: Sequence[Sentence]) -> list[Row]:
    """Return every count with its promise."""
    told = [toward(s) for s in sentences]
    labels = Counter(item.label for items in told for item in items)
    pronouns = sum(item.target.name.lower() in PRONOUNS for items in told for item in items)
    meta = {key: {s.meta[key] for s in sentences} for key in ("outlet", "outlet_kind", "beat")}
    conflicts = load("dispatches").sentences
    others = {same(s.text) for s in (*conflicts, *load("newsdesk").sentences)}
    names = corpus.shared_names([*conflicts, *sentences], corpus.HELD_OUT)
    return [
        Row("sentences", len(sentences), 6500),
        Row("articles", len({s.document for s in sentences}), 1600),
        Row("beats", len(meta["beat"]), 23),
        Row("outlets", len(meta["outlet"]), 1200),
        Row("kinds of outlet", len(meta["outlet_kind"]), 11),
        Row("words a sentence", sum(len(s.text.split()) for s in sentences) / len(sentences), 20),
        Row("targets with a sentiment", sum(labels.values()), 12000),
        *(Row(f"sentiment {name}", labels[name], 3500) for name in LABELS),
        Row("targets that are a pronoun", pronouns, 800),
        Row("sentences with several targets", sum(len(items) > 1 for items in told), 5000),
        Row("sentences whose targets' sentiments differ", sum(len({i.label for i in own}) > 1 for own in told), 3800),
        Row("share of near-duplicate sentences", corpus.near_duplicate_share(sentences), 0.01, at_most=True),
        Row(
            "sentences that stand in another bundled set, too",
            sum(same(s.text) in others for s in sentences),
            0,
            at_most=True,
        ),
        Row("actors and outlets of the held-out conflict", len(names), 0, at_most=True),
        Row("vocabulary (word forms)", corpus.vocabulary(sentences), 1),
    ]


if __name__ == "__main__":
    corpus.told(rows(load(NAME).sentences), f"data/{NAME}/README.md")
