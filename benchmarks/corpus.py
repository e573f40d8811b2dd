"""The counts of the bundled corpus beside what it promises; prints Markdown, and exits with 1 when a promise is broken.

Run: python benchmarks/corpus.py [--write]      (--write puts the table into data/dispatches/README.md)
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yaml

from stancekit import codebook
from stancekit.data.load import load
from stancekit.resources import bundled
from stancekit.schema import Sentence, characters, words_of
from stancekit.text import derive
from stancekit.text.actors import Finder
from stancekit.text.actors import load as load_actors
from stancekit.text.duplicates import near_duplicates

FRAMES = codebook.default().names("frame")
HELD_OUT = "okessa"
BEGIN, END = "<!-- counts -->", "<!-- end of counts -->"
HARD = re.compile(
    r"\b(?:liberat|provo[ck]|sabotag|regime|terror|martyr|hero|threat|retaliat|sovereign|occup|aggress|massacr|"
    r"defen[cds]|peace|inva[ds]|victor|victim|innocent|slaughter|separatis|puppet|trait|rebel|restor|ancestral|"
    r"brav|savage|barbar|gang|bandit|radical|extrem|blackmail|siege|violat|danger|loom|patriot|courage|glor|"
    r"decisive|enem[iy]|hostil|legitim|retribut|homeland|sacred|holy|pirat|hostage|fanatic)\w*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Row:
    """One count: what, how many, and what is promised."""

    what: str
    value: float
    promised: float
    at_most: bool = False

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return self.value <= self.promised if self.at_most else self.value >= self.promised

    def __str__(self) -> str:
        sign, digits = ("≤" if self.at_most else "≥"), 3 if isinstance(self.value, float) else 0
        return f"| {self.what} | {self.value:,.{digits}f} | {sign} {self.promised:,g} |"


def sides(conflict: str) -> dict[str, str]:
    """Return the side (a or b) of every actor of a conflict."""
    rows = yaml.safe_load(bundled(f"data/dispatches/{conflict}/actors.yaml").read_text(encoding="utf-8"))
    return {row["name"]: str(row.get("side")) for row in rows}


def balance(sentences: Sequence[Sentence]) -> float:
    """Return the smallest share, over conflicts, of the devices on the less framed side to those on the other."""
    counts: Counter[tuple[str, str]] = Counter()
    for sentence in sentences:
        known = sides(sentence.meta["conflict"])
        counts.update((sentence.meta["conflict"], known.get(d.target or "", "")) for d in sentence.gold.devices or ())
    conflicts = {conflict for conflict, _ in counts}
    return min(min(counts[c, "a"], counts[c, "b"]) / max(counts[c, "a"], counts[c, "b"]) for c in conflicts)


def rare(sentences: Iterable[Sentence]) -> dict[str, float]:
    """Return, by frame, the share of devices whose wording occurs at most twice in the corpus."""
    wordings = [(d.frame, words_of(d.parts, s.text).lower()) for s in sentences for d in s.gold.devices or ()]
    counts = Counter(wording for _, wording in wordings)
    return {
        frame: sum(counts[w] <= 2 for f, w in wordings if f == frame) / sum(f == frame for f, _ in wordings)
        for frame in FRAMES
    }


def hard_negatives(sentences: Iterable[Sentence]) -> int:
    """Return in how many sentences a word of framing stands outside every device (names of ministries apart)."""
    found = 0
    for sentence in sentences:
        text = re.sub(r"(?i)(defen[cs]e|security) (ministry|minister|staff|force)", "", sentence.text)
        if text == sentence.text:
            inside = {c for d in sentence.gold.devices or () for c in characters(d.parts)}
            found += any(m.start() not in inside for m in HARD.finditer(text))
    return found


def nested(sentence: Sentence) -> int:
    """Return how many relations stand inside another one's content."""
    relations = sentence.gold.attributions or ()
    contents = [characters(r.content) for r in relations]
    return sum(
        any(i != j and characters(r.cue) & outer and contents[i] < outer for j, outer in enumerate(contents))
        for i, r in enumerate(relations)
    )


def lexicon_f1(sentences: Sequence[Sentence], held_out: str) -> float:
    """Return device F1 (overlap, same frame) on a conflict of the lexicon of all device wordings of the others."""
    known: dict[str, str] = {}
    for sentence in sentences:
        if sentence.meta["conflict"] != held_out:
            known |= {words_of(d.parts, sentence.text).lower(): d.frame for d in sentence.gold.devices or ()}
    finder = re.compile("|".join(rf"(?<!\w){re.escape(w)}(?!\w)" for w in sorted(known, key=len, reverse=True)))
    hit = given = own = 0
    for sentence in sentences:
        if sentence.meta["conflict"] == held_out:
            devices = [(d.frame, characters(d.parts)) for d in sentence.gold.devices or ()]
            found = [(known[m.group()], set(range(*m.span()))) for m in finder.finditer(sentence.text.lower())]
            own, given = own + len(devices), given + len(found)
            hit += sum(any(f == frame and cover & c for f, cover in found) for frame, c in devices)
    return 2 * hit / (own + given)


def without_stance(sentences: Iterable[Sentence]) -> int:
    """Return how many sentences name a side by its name and have no stance toward it."""
    missing = 0
    for sentence in sentences:
        actors = load_actors(bundled(f"data/dispatches/{sentence.meta['conflict']}/actors.yaml"))
        named = {
            m.actor
            for m in Finder(a for a in actors if a.side in ("a", "b")).mentions(sentence.text)
            if m.span.of(sentence.text) == m.actor
        }
        missing += bool(named - {s.target.name for s in sentence.gold.stances or ()})
    return missing


def near_duplicate_share(sentences: Sequence[Sentence]) -> float:
    """Return the share of sentences that have a near duplicate (Jaccard of words at least .8)."""
    pairs = near_duplicates([s.text for s in sentences], threshold=0.8)
    return len({i for pair in pairs for i in pair[:2]}) / len(sentences)


def vocabulary(sentences: Iterable[Sentence]) -> int:
    """Return how many forms of words the sentences have."""
    return len({word for s in sentences for word in re.findall(r"[^\W\d_]+", s.text.lower())})


def rows(sentences: Sequence[Sentence]) -> list[Row]:
    """Return every count with its promise."""
    relations = [r for s in sentences for r in s.gold.attributions or ()]
    holders = [h for s in sentences for h in derive.holders(s.gold) or ()]
    frames = Counter(d.frame for s in sentences for d in s.gold.devices or ())
    voices = Counter(derive.voice(s.gold) for s in sentences)
    distancing = sum(r.cue_stance == "distancing" for r in relations) + sum(
        h.kind == "distanced" and (h.relation is None or s.gold.attributions[h.relation].cue_stance != "distancing")  # type: ignore[index]
        for s in sentences
        for h in derive.holders(s.gold) or ()
    )
    meta = {key: {s.meta[key] for s in sentences} for key in ("event", "outlet", "outlet_kind", "conflict")}
    scarce = rare(sentences)
    types = Counter(r.source_type for r in relations if r.source)
    found = [
        Row("sentences", len(sentences), 1800),
        Row("articles", len({s.document for s in sentences}), 170),
        Row("events", len(meta["event"]), 50),
        Row("conflicts", len(meta["conflict"]), 4),
        Row("outlets", len(meta["outlet"]), 14),
        Row("kinds of outlet", len(meta["outlet_kind"]), 9),
        Row("share of sentences without a device", sum(not s.gold.devices for s in sentences) / len(sentences), 1 / 3),
        *(Row(f"devices, {frame}", frames[frame], 140) for frame in FRAMES),
        *(Row(f"share of rare wording, {frame}", scarce[frame], 0.4) for frame in FRAMES),
        Row("less framed side to more framed side, worst conflict", balance(sentences), 2 / 3),
        Row("sentences with a hard negative", hard_negatives(sentences), 250),
        Row("attribution relations", len(relations), 900),
        Row("nested relations", sum(map(nested, sentences)), 100),
        Row("relations or devices distanced", distancing, 150),
        Row("endorsing cues", sum(r.cue_stance == "endorsing" for r in relations), 80),
        Row("relations without source", sum(not r.source for r in relations), 1),
        *(Row(f"source type {name}", types[name], 1) for name in codebook.default().names("source_type")),
        *(Row(f"voice {name}", voices[name], 1) for name in ("author", "direct", "indirect", "mixed")),
        *(Row(f"holder {name}", sum(h.kind == name for h in holders), 1) for name in ("author", "source", "distanced")),
        Row("stances", sum(len(s.gold.stances or ()) for s in sentences), 1),
        Row("sentences that name a side without a stance", without_stance(sentences), 0, at_most=True),
        Row(
            "device F1 (overlap) of train's wordings on the held-out conflict",
            lexicon_f1(sentences, HELD_OUT),
            0.5,
            at_most=True,
        ),
        Row("share of near-duplicate sentences", near_duplicate_share(sentences), 0.01, at_most=True),
        Row("vocabulary (word forms)", vocabulary(sentences), 1),
    ]
    return found


def shared_names(sentences: Sequence[Sentence], held_out: str) -> set[str]:
    """Return actors and outlets of the held-out conflict that stand in another conflict's articles too."""
    names = set(sides(held_out)) | {s.meta["outlet"] for s in sentences if s.meta.get("conflict") == held_out}
    others = " ".join(f"{s.text} {s.meta['outlet']}" for s in sentences if s.meta.get("conflict") != held_out)
    return {name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", others)}


def table(found: Sequence[Row]) -> str:
    """Return the counts as a Markdown table."""
    return "\n".join(["| what | count | promised |", "|---|---:|---:|", *map(str, found)])


def broken(found: Sequence[Row], sentences: Sequence[Sentence]) -> list[str]:
    """Return what the corpus promises and does not keep."""
    shared = sorted(shared_names(sentences, HELD_OUT))
    return [row.what for row in found if not row.kept] + [f"{name} stands in another conflict" for name in shared]


def tell(found: Sequence[Row], readme: str, *, write: bool) -> None:
    """Print the table of counts, or write it into a bundled data sheet."""
    if not write:
        print(table(found))
        return
    path = bundled(readme)
    head, rest = path.read_text(encoding="utf-8").split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n{table(found)}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def told(found: Sequence[Row], readme: str) -> None:
    """Print the counts of a further set, or write them into its data sheet; fail when a promise is broken."""
    tell(found, readme, write="--write" in sys.argv)
    if unkept := [row.what for row in found if not row.kept]:
        sys.exit(f"broken: {'; '.join(unkept)}")


def main() -> None:
    """Print the table, or write it into the corpus' README; fail when a promise is broken."""
    sentences = load("dispatches").sentences
    found = rows(sentences)
    tell(found, "data/dispatches/README.md", write="--write" in sys.argv)
    if problems := broken(found, sentences):
        sys.exit(f"broken: {'; '.join(problems)}")


if __name__ == "__main__":
    main()
