"""Sentence boundaries on hand-split texts: our segmenter beside spaCy's sentencizer and a naive rule.

Run: python benchmarks/segmentation.py [--errors STYLE] [--ptc PATH]    (spaCy comes with the extra `exchange`)

The texts lie in `segmentation/`, a sentence a line; `¶` alone on a line is a blank line in the raw text, `↵` at the end
of a line a line end, and every other line is joined to the next by a space. Every second paragraph is held out:
`--errors` shows the mistakes in the others only.
"""

from __future__ import annotations

import argparse
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import spacy

from stancekit.data.load import load
from stancekit.schema import Span
from stancekit.stats.resample import Array, bootstrap
from stancekit.text.segment import sentences

HERE = Path(__file__).with_name("segmentation")
STYLES = ("quotes", "abbreviations", "headlines", "dialogue", "lists")
WRAPPED = ("quotes", "abbreviations")
WIDTH = 72
HELD_OUT = "okessa"
SPACY, NAIVE_RULE = "– spaCy sentencizer", "– naive rule"
NAIVE = re.compile(r"(?<=[.!?])\s+(?=([^\W\d_]))")
Segmenter = Callable[[str], list[Span]]


@dataclass(frozen=True)
class Text:
    """A raw text, the spans of its sentences, and those of its paragraphs."""

    raw: str
    gold: tuple[Span, ...]
    paragraphs: tuple[Span, ...]


def build(lines: Iterable[str]) -> Text:
    """Build the raw text from its gold lines."""
    raw, gold, paragraphs, begin = "", [], [], 0
    for line in lines:
        if line == "¶":
            paragraphs.append(Span(begin, len(raw.rstrip())))
            raw = raw.rstrip() + "\n\n"
            begin = len(raw)
            continue
        sentence = line.removesuffix("↵").strip()
        gold.append(Span(len(raw), len(raw) + len(sentence)))
        raw += sentence + ("\n" if line.endswith("↵") else " ")
    paragraphs.append(Span(begin, len(raw.rstrip())))
    return Text(raw.rstrip(), tuple(gold), tuple(paragraphs))


def wrapped(text: Text) -> Text:
    """Break the lines of each paragraph as a typewriter would: spaces become line ends, so offsets stay."""
    characters = list(text.raw)
    for paragraph in text.paragraphs:
        start, space = paragraph.start, -1
        for at in range(paragraph.start, paragraph.end):
            if characters[at] == "\n":
                start, space = at + 1, -1
            elif at - start >= WIDTH and space > start:
                characters[space] = "\n"
                start = space + 1
            space = at if characters[at] == " " else space
    return Text("".join(characters), text.gold, text.paragraphs)


def naive(text: str) -> list[Span]:
    """Split after a full stop, question or exclamation mark, before space and a capital."""
    found, begin = [], 0
    for match in NAIVE.finditer(text):
        if not match[1].isupper():
            continue
        found.append(Span(begin, match.start()))
        begin = match.end()
    return [*found, Span(begin, len(text))]


def sentencizer() -> Segmenter:
    """Return spaCy's rule-based sentencizer of a blank English pipeline."""
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")

    def split(text: str) -> list[Span]:
        return [Span(s.start_char, s.start_char + len(s.text.rstrip())) for s in pipeline(text).sents]

    return split


def by_paragraph(segmenter: Segmenter, text: Text) -> list[Span]:
    """Run a segmenter that knows no blank lines on each paragraph alone."""
    found = []
    for paragraph in text.paragraphs:
        for span in segmenter(paragraph.of(text.raw)):
            found.append(Span(paragraph.start + span.start, paragraph.start + span.end))
    return found


def counts(text: Text, found: Iterable[Span]) -> Array:
    """Count boundaries of each paragraph, shape (paragraphs, 4): right, found, gold, and its own end.

    A boundary is the end of a sentence that is not the text's last.
    """
    ends = [p.end for p in text.paragraphs]
    gold, ours = {s.end for s in text.gold}, {s.end for s in found}
    table = np.zeros((len(ends), 4))
    for column, offsets in enumerate((gold & ours, ours, gold, gold & ours & set(ends))):
        for end in offsets - {len(text.raw)}:
            table[bisect_left(ends, end), column] += 1
    return table


def figures(table: Array) -> Array:
    """Return precision, recall, F1, and F1 without the ends of paragraphs, shape (…, 4)."""
    right, found, gold, given = np.moveaxis(table, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = 2 * (right - given) / (found + gold - 2 * given)
        return np.stack([right / found, right / gold, 2 * right / (found + gold), inside], axis=-1)


def row(name: str, table: Array, held_out: Array) -> str:
    """Return a line of the Markdown table, with intervals over the paragraphs (or articles) of the held-out part."""
    found = bootstrap(held_out, list(range(len(held_out))), figures)
    cells = [f"{int(table[:, 2].sum())} / {int(held_out[:, 2].sum())}"]
    cells += [f"{found.values[at]:.3f}" for at in (0, 1)]
    cells += [f"{found.values[at]:.3f} [{found.low[at]:.3f}, {found.high[at]:.3f}]" for at in (2, 3)]
    return f"| {name} | " + " | ".join([*cells, f"{figures(table.sum(axis=0))[2]:.3f}"]) + " |"


def errors(text: Text) -> Iterator[str]:
    """Yield the mistakes of our segmenter in the paragraphs that are not held out: `-` missed, `+` too much."""
    gold, ours = {s.end for s in text.gold}, {s.end for s in sentences(text.raw)}
    for paragraph in text.paragraphs[::2]:
        for end in sorted((gold ^ ours) & set(range(paragraph.start, paragraph.end + 1))):
            around = text.raw[max(end - 40, 0) : end] + " ‖ " + text.raw[end : end + 30].strip()
            yield ("- " if end in gold else "+ ") + around.replace("\n", "⏎")


def check_offsets(text: Text, found: list[Span]) -> None:
    """Raise when the spans, and white space between them, are not the whole text."""
    at = 0
    for span in found:
        if text.raw[at : span.start].strip() or span.of(text.raw) != span.of(text.raw).strip():
            raise ValueError(f"characters lost or moved at {at}–{span.end}")
        at = span.end
    if text.raw[at:].strip():
        raise ValueError(f"characters lost after {at}")


def ptc(folder: Path) -> Iterator[Text]:
    """Yield the articles of PTC, the lines of a paragraph joined by spaces."""
    for path in sorted(folder.glob("article*.txt")):
        lines = path.read_text(encoding="utf-8").split("\n")
        paragraphs = [[x.strip() for x in rows] for filled, rows in groupby(lines, lambda x: bool(x.strip())) if filled]
        yield build([line for rows in paragraphs for line in ("¶", *rows)][1:])


def corpus() -> dict[str, list[Text]]:
    """Return the articles of the bundled corpus by conflict, joined by spaces after the headline."""
    lines: dict[str, list[str]] = {}
    for sentence in load("dispatches").sentences:
        rows = lines.setdefault(sentence.document, [])
        if len(rows) == 1 and rows[0][-1].isalnum():
            rows.append("¶")
        rows.append(sentence.text)
    found: dict[str, list[Text]] = {}
    for document, rows in lines.items():
        found.setdefault(document.split("-")[0], []).append(build(rows))
    return found


def print_corpus(spacy_rule: Segmenter) -> None:
    """Print the rows of the bundled corpus, its test conflict held out."""
    articles = corpus()
    for name, segmenter in (("bundled corpus: stancekit", sentences), (SPACY, spacy_rule), (NAIVE_RULE, naive)):
        tables = {
            conflict: np.array([counts(text, by_paragraph(segmenter, text)).sum(axis=0) for text in texts])
            for conflict, texts in articles.items()
        }
        print(row(name, np.concatenate(list(tables.values())), tables[HELD_OUT]), flush=True)


def print_agreement(articles: list[Text], spacy_rule: Segmenter) -> None:
    """Print how far the segmenters agree with lines that a tokenizer made, over articles."""
    print("| PTC's lines | boundaries inside paragraphs | agreement (F1) |\n|---|---:|---|")
    for name, segmenter in (("stancekit", sentences), ("spaCy sentencizer", spacy_rule), ("naive rule", naive)):
        table = np.array([counts(a, by_paragraph(segmenter, a)).sum(axis=0) for a in articles])
        found = bootstrap(table, list(range(len(table))), figures)
        inside = sum(len(a.gold) - len(a.paragraphs) for a in articles)
        print(f"| {name} | {inside} | {found.values[3]:.3f} [{found.low[3]:.3f}, {found.high[3]:.3f}] |")


def main() -> None:
    """Print the table, or the mistakes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", choices=STYLES, help="show the mistakes of a style, held-out paragraphs apart")
    parser.add_argument("--ptc", type=Path, help="the folder train-articles of PTC, for agreement with its lines")
    options = parser.parse_args()
    texts = {style: build((HERE / f"{style}.txt").read_text(encoding="utf-8").splitlines()) for style in STYLES}
    if options.errors:
        print(*errors(texts[options.errors]), sep="\n")
        return
    texts |= {f"{style}, hard-wrapped": wrapped(texts[style]) for style in WRAPPED}
    spacy_rule = sentencizer()
    print("| style | boundaries, all / held out | precision | recall | F1 | F1 inside paragraphs | F1, all |")
    print("|---|---:|---:|---:|---|---|---:|")
    for style, text in texts.items():
        found = sentences(text.raw)
        check_offsets(text, found)
        table = counts(text, found)
        print(row(f"{style}: stancekit", table, table[1::2]))
        table = counts(text, by_paragraph(spacy_rule, text))
        print(row(SPACY, table, table[1::2]))
        table = counts(text, by_paragraph(naive, text))
        print(row(NAIVE_RULE, table, table[1::2]), flush=True)
    print_corpus(spacy_rule)
    if options.ptc:
        print_agreement(list(ptc(options.ptc)), spacy_rule)


if __name__ == "__main__":
    main()
