"""The counts of the bundled set of everyday news beside what it promises; exits with 1 when a promise is broken.

Run: python benchmarks/corpus_newsdesk.py [--write]      (--write puts the table into data/newsdesk/README.md)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import corpus
from corpus import FRAMES, Row
from stancekit import codebook
from stancekit.data.load import load
from stancekit.schema import Sentence
from stancekit.text import derive
from stancekit.text.normal import same

NAME = "newsdesk"
PLAIN = ("news agency", "public broadcaster", "daily newspaper", "business paper", "regional daily")


def with_device(sentences: Sequence[Sentence]) -> float:
    """Return the share of sentences that hold a device."""
    return sum(bool(s.gold.devices) for s in sentences) / max(1, len(sentences))


def rows(sentences: Sequence[Sentence]) -> list[Row]:
    """Return every count with its promise."""
    relations = [r for s in sentences for r in s.gold.attributions or ()]
    holders = Counter(h.kind for s in sentences for h in derive.holders(s.gold) or ())
    frames = Counter(d.frame for s in sentences for d in s.gold.devices or ())
    types = Counter(r.source_type for r in relations if r.source)
    cues = Counter(r.cue_stance for r in relations)
    voices = Counter(derive.voice(s.gold) for s in sentences)
    stances = Counter(stance.label for s in sentences for stance in s.gold.stances or ())
    several = [s for s in sentences if len(s.gold.stances or ()) > 1]
    differing = sum(len({stance.label for stance in s.gold.stances or ()}) > 1 for s in several)
    meta = {key: {s.meta[key] for s in sentences} for key in ("event", "outlet", "outlet_kind", "desk")}
    plain = [s for s in sentences if s.meta["outlet_kind"] in PLAIN]
    conflicts = load("dispatches").sentences
    texts = {same(s.text) for s in conflicts}
    names = corpus.shared_names([*conflicts, *sentences], corpus.HELD_OUT)
    words = sum(len(s.text.split()) for s in sentences) / len(sentences)
    return [
        Row("sentences", len(sentences), 3000),
        Row("articles", len({s.document for s in sentences}), 200),
        Row("events", len(meta["event"]), 70),
        Row("desks", len(meta["desk"]), 16),
        Row("outlets", len(meta["outlet"]), 150),
        Row("kinds of outlet", len(meta["outlet_kind"]), 9),
        Row("words a sentence", words, 18),
        Row("share of sentences with a device", with_device(sentences), 0.25, at_most=True),
        Row("the same of plain kinds of outlet", with_device(plain), 0.1, at_most=True),
        *(Row(f"devices, {frame}", frames[frame], 40) for frame in FRAMES),
        Row("sentences with a hard negative", corpus.hard_negatives(sentences), 180),
        Row("attribution relations", len(relations), 1800),
        Row("nested relations", sum(map(corpus.nested, sentences)), 20),
        *(Row(f"source type {name}", types[name], 1) for name in codebook.default().names("source_type")),
        *(Row(f"cue {name}", cues[name], 1) for name in ("neutral", "endorsing", "distancing")),
        *(Row(f"voice {name}", voices[name], 1) for name in ("author", "direct", "indirect", "mixed")),
        *(Row(f"holder {name}", holders[name], 1) for name in ("author", "source", "distanced")),
        Row("targets with a stance", sum(stances.values()), 5000),
        *(Row(f"stance {name}", stances[name], 600) for name in codebook.default().names("stance")),
        Row("sentences with several targets", len(several), 1500),
        Row("sentences whose targets' stances differ", differing, 800),
        Row("share of near-duplicate sentences", corpus.near_duplicate_share(sentences), 0.01, at_most=True),
        Row("sentences that stand in dispatches, too", sum(same(s.text) in texts for s in sentences), 0, at_most=True),
        Row("actors and outlets of the held-out conflict", len(names), 0, at_most=True),
        Row("vocabulary (word forms)", corpus.vocabulary(sentences), 1),
    ]


if __name__ == "__main__":
    corpus.told(rows(load(NAME).sentences), f"data/{NAME}/README.md")
