"""What a CRF sees of a token: columns of strings, combined by templates over a window.

A column holds one string a token (its word, shape, cluster, quotation state, …); a template names columns at
offsets, and its feature is their values together. Everything learnt (clusters, likely words) comes from train.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from stancekit.schema import Span
from stancekit.text.quotes import quotations

Columns = dict[str, list[str]]
Template = tuple[tuple[str, int], ...]

_RUNS = re.compile(r"(.)\1{2,}")
_ENDINGS = ("ied", "y"), ("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")
_PEOPLE = frozenset("i we you me my our us your".split())
_FAR = 12


@lru_cache(maxsize=200_000)
def word_columns(word: str) -> tuple[str, ...]:
    """Return lower case, stem, shape, prefix, and two suffixes of a word."""
    low = word.lower()
    return low, stem(low), shape(word), low[:3], low[-3:], low[-2:]


def stem(low: str) -> str:
    """Return a lower-case word without the common English endings: a key, no lemma."""
    for ending, instead in _ENDINGS:
        if low.endswith(ending) and len(low) - len(ending) >= 3 and not low.endswith("ss"):
            return low[: len(low) - len(ending)] + instead
    return low


def shape(word: str) -> str:
    """Return a word's shape: X for capitals, x for other letters, d for digits; runs are cut to two."""
    kinds = "".join("d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in word)
    return _RUNS.sub(r"\1\1", kinds)


@dataclass
class WordKnowledge:
    """What train says about words: their clusters, and how likely they bear the anchor label (cue words, say)."""

    clusters: dict[str, list[int]] = field(default_factory=dict)
    likely: dict[str, int] = field(default_factory=dict)

    @property
    def grains(self) -> int:
        """The number of cluster columns."""
        return len(next(iter(self.clusters.values()), ()))


def likely_words(sentences: Iterable[tuple[Sequence[str], Sequence[bool]]], min_count: int = 4) -> dict[str, int]:
    """Return stems that often bear a label, with their share in tenths from 1; sentences of (stems, bears it)."""
    seen: dict[str, list[int]] = {}
    for stems, bears in sentences:
        for key, hit in zip(stems, bears, strict=True):
            count = seen.setdefault(key, [0, 0])
            count[0] += 1
            count[1] += hit
    shares = {key: int(10 * hits / (n + 2)) for key, (n, hits) in seen.items() if n >= min_count and key[:1].isalpha()}
    return {key: share for key, share in sorted(shares.items()) if share}


def columns(text: str, toks: Sequence[Span], knowledge: WordKnowledge, carried: str = "") -> Columns:
    """Return the columns of a sentence; `carried` tells of a quotation left open in the sentences before."""
    words = [word_columns(token.of(text)) for token in toks]
    names = ("word", "stem", "shape", "prefix", "suffix", "ending")
    found: Columns = {name: [w[k] for w in words] for k, name in enumerate(names)}
    found["quote"] = quote_states(text, toks)
    found["capitals"] = _capital_runs(found["shape"])
    _position(found, len(toks))
    for grain in range(knowledge.grains):
        found[f"cluster{grain}"] = _clusters(found["word"], knowledge.clusters, grain)
    if knowledge.likely:
        found["likely"] = [str(knowledge.likely.get(key, "")) for key in found["stem"]]
        _nearest_likely(found, knowledge.likely)
    inside = any(state != "O" for state in found["quote"])
    person = any(word in _PEOPLE for word in found["word"])
    found["sentence"] = [f"{carried}{'q' if inside else ''}{'p' if person else ''}"] * len(toks)
    return found


def _clusters(words: Sequence[str], known: Mapping[str, Sequence[int]], grain: int) -> list[str]:
    return [str(known[word][grain]) if word in known else "" for word in words]


def quote_states(text: str, toks: Sequence[Span]) -> list[str]:
    """Return, a token, O outside quotations, B and E at opening and closing marks, I inside."""
    states = ["O"] * len(toks)
    for start, end in quotations(text):
        for at, token in enumerate(toks):
            if start <= token.start and token.end <= end:
                mark = "B" if token.start == start and token.end == start + 1 else "E" if token.end == end else "I"
                states[at] = mark if states[at] in "OI" else states[at]
    return states


def _capital_runs(shapes: Sequence[str]) -> list[str]:
    """Return the length (up to 4) of the run of capitalised words in which each token stands."""
    found = [""] * len(shapes)
    start = 0
    for at in range(len(shapes) + 1):
        if at < len(shapes) and shapes[at][:1] == "X":
            continue
        found[start:at] = [str(min(at - start, 4)) + ("^" if start == 0 else "")] * (at - start)
        start = at + 1
    return found


def _position(found: Columns, length: int) -> None:
    commas = 0
    clause = []
    for word in found["word"]:
        clause.append(str(min(commas, 3)))
        commas += word in (",", ";", "—", "–", "--")
    found["clause"] = clause
    found["start"] = [str(min(at, 3)) for at in range(length)]
    found["end"] = [str(min(length - 1 - at, 3)) for at in range(length)]


def _nearest_likely(found: Columns, likely: Mapping[str, int]) -> None:
    """Add the nearest likely words to the left and right: stem, and how far in rough steps."""
    stems = found["stem"]
    for name, order in (("left", range(len(stems))), ("right", range(len(stems) - 1, -1, -1))):
        values, last = [""] * len(stems), -1
        for step, at in enumerate(order):
            if last >= 0:
                values[at] = stems[order[last]] + _rough(step - last)
            if likely.get(stems[at], 0) >= 3:
                last = step
        found[name] = values


def _rough(distance: int) -> str:
    return "" if distance >= _FAR else "+" if distance > 3 else "-" if distance > 1 else "="


def at_offsets(column: str, *groups: Sequence[int]) -> list[Template]:
    """Return templates of one column at groups of offsets."""
    return [tuple((column, offset) for offset in group) for group in groups]


def default_templates(window: int, grains: int, *, likely: bool, rules: bool) -> list[Template]:
    """Return the templates for a window of tokens to both sides."""
    single = [(offset,) for offset in range(-window, window + 1)]
    near = [(offset,) for offset in (-1, 0, 1)]
    pairs = [(-1, 0), (0, 1)]
    found: list[Template] = [()]
    found += at_offsets("word", *single, *pairs) + at_offsets("stem", *near)
    found += at_offsets("shape", *near) + at_offsets("prefix", (0,)) + at_offsets("suffix", *near)
    found += at_offsets("ending", (0,)) + at_offsets("capitals", *near) + at_offsets("clause", (0,))
    found += at_offsets("start", (0,)) + at_offsets("end", (0,)) + at_offsets("quote", *near, (-1, 0, 1))
    found += [(("sentence", 0),), (("sentence", 0), ("quote", 0))]
    for grain in range(grains):
        found += at_offsets(f"cluster{grain}", *single, *pairs, (-1, 0, 1))
    if rules:
        for name in ("entry", "verb", "phrase", "kind"):
            found += at_offsets(name, *near, (-1, 0), (0, 1))
    if likely:
        found += at_offsets("likely", *single) + at_offsets("left", (0,)) + at_offsets("right", (0,))
        found += [(("left", 0), ("right", 0)), (("left", 0), ("quote", 0)), (("right", 0), ("quote", 0))]
        found += [(("left", 0), ("word", 0)), (("right", 0), ("word", 0))]
    return found


def features(cols: Columns, templates: Sequence[Template], length: int) -> list[list[str]]:
    """Return the feature strings of a sentence by template, (templates, tokens)."""
    shifted: dict[tuple[str, int], list[str]] = {}
    found = []
    for template in templates:
        for place in template:
            if place not in shifted:
                shifted[place] = _shift(cols[place[0]], place[1], length)
        name = ",".join(f"{column}{offset}" for column, offset in template) + "="
        values = [shifted[place] for place in template]
        if len(values) == 1:
            found.append([name + value for value in values[0]])
        else:
            found.append([name + "|".join(v) for v in zip(*values, strict=True)] if values else [name] * length)
    return found


def _shift(column: Sequence[str], offset: int, length: int) -> list[str]:
    if offset < 0:
        return (["<"] * min(-offset, length) + list(column))[:length]
    return (list(column[offset:]) + [">"] * min(offset, length))[:length]
