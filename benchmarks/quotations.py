"""Sentences that stand in a quotation as a whole, on PolNeAR: are they ascribed, does the tagger name their speaker?

Run from the repository root, with the folder that holds `train` and `dev`:
    python benchmarks/quotations.py --data PATH [--part dev] [--run RUN]

The relations of all sentences are given as annotated, so that the figures are of the rule alone; with `--run` they are
those that a run finds. A speaker is right where it is, word for word, the source of a relation whose content holds nine
tenths of the sentence's letters.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import ledger
import stancekit
from abroad import answers
from neural_figures import counted, shown
from polnear import TASK, as_annotated, read
from stancekit import tasks
from stancekit.schema import Layers, Sentence, Span
from stancekit.text.quotes import is_quotation
from stancekit.text.segment import sentences as segment
from stancekit.text.speech import Placed, paragraphs, running, speakers, spoken

OWN, LONGER = "marks of its own", "none, inside a longer quotation"


@dataclass
class Cells:
    """Of what was asked, what came out, a row of numbers each, with its article."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    articles: list[str] = field(default_factory=list)

    def add(self, article: str, *row: float) -> None:
        """Note one."""
        self.rows.append(row)
        self.articles.append(article)

    def tell(self, part: str, name: str, row: str, above: int, below: int) -> None:
        """Print the share of one number in another, and note it."""
        cells = np.array(self.rows, dtype=float)
        rate = counted(name, cells, self.articles, lambda c: c[..., above] / np.maximum(c[..., below], 1))
        print(f"{row}: {name} {shown(rate)}, {cells[:, above].sum():.0f} of {cells[:, below].sum():.0f}")
        ledger.append("polnear", part, rate, row, {}, once=True)


def sources_of(text: str, sentence: Span, relations: Sequence[Sequence[Span]]) -> list[str] | None:
    """Return the sources of the relations that hold a sentence; None where none holds it."""
    letters = [at for at in range(sentence.start, sentence.end) if text[at].isalnum()]
    holding = []
    for relation in relations:
        content = [part for part in relation if part.label == "content"]
        if sum(any(p.start <= at < p.end for p in content) for at in letters) >= 0.9 * len(letters):
            holding.append(relation)
    return [p.of(text) for r in holding for p in r if p.label == "source"] if holding else None


def answered(sentences: Sequence[Sentence], path: Path) -> list[Sentence]:
    """Return the sentences with the relations that a run finds."""
    found = answers(stancekit.load(path), tasks.part(TASK, sentences), "attributions")
    told = [Layers(text=s.text, attributions=p.answer) for s, p in zip(sentences, found, strict=True)]
    return [replace(s, gold=layers) for s, layers in zip(sentences, told, strict=True)]


def measure(folder: Path, articles: dict[str, list[Sentence]]) -> tuple[dict[str, Cells], Cells]:
    """Return by kind (1, is ascribed), and of sentences without a source of their own (has one, found, right)."""
    ascribed, spoke = {OWN: Cells(), LONGER: Cells()}, Cells()
    for article, own in articles.items():
        text = (folder / "text" / f"{article}.txt").read_bytes().decode("utf-8")
        spans, relations = segment(text), as_annotated(folder, article)
        quotes, numbers = running(text, spans), paragraphs(text, spans)
        placed = [Placed(s.gold, at.start, q, n) for s, at, q, n in zip(own, spans, quotes, numbers, strict=True)]
        placed = [replace(one, layers=spoken(one)) for one in placed]
        named = speakers(placed)
        for k, (span, quote) in enumerate(zip(spans, quotes, strict=True)):
            if quote is None:
                continue
            sources = sources_of(text, span, relations)
            ascribed[OWN if is_quotation(span.of(text)) else LONGER].add(article, 1, sources is not None)
            if any(relation.source for relation in placed[k].layers.attributions or ()):
                continue
            found = [speaker.text for (number, _), speaker in named.items() if number == k and speaker]
            spoke.add(article, bool(sources), bool(found), any(f in (sources or ()) for f in found))
    return ascribed, spoke


def main() -> None:
    """Read the arguments, and print and note the figures of a part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=["train", "dev"], default="dev")
    parser.add_argument("--run", type=Path, help="a run of attribution, or of all layers")
    given = parser.parse_args()
    sentences, row = read(given.data / given.part), "in a quotation, source elsewhere"
    if given.run:
        sentences, row = answered(sentences, given.run), f"{row}, relations of {given.run.name}"
    articles: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        articles.setdefault(sentence.document, []).append(sentence)
    ascribed, spoke = measure(given.data / given.part, articles)
    for kind, cells in ascribed.items():
        cells.tell(given.part, "ascribed", f"in a quotation, {kind}", 1, 0)
    spoke.tell(given.part, "speaker, precision", row, 2, 1)
    spoke.tell(given.part, "speaker, recall", row, 2, 0)


if __name__ == "__main__":
    main()
