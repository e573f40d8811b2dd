"""Attribution relations on PolNeAR: strict span F1 by CoNLL rules, linked F1, a perfect tagger's ceiling.

Run from the repository root, with the folder that holds `train` and `dev`:
    OMP_NUM_THREADS=1 python benchmarks/polnear.py choose --data PATH    (settings, on a sixth of train by article)
    OMP_NUM_THREADS=1 python benchmarks/polnear.py dev --data PATH       (reads dev once, and notes it in the ledger)
    python benchmarks/polnear.py ceiling --data PATH
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ledger
from stancekit import codebook, tasks
from stancekit.data.load import load
from stancekit.metrics.strict import flatten
from stancekit.models.crf_relations import CrfRelations
from stancekit.schema import Attribution, Sentence, Span
from stancekit.scoring import Scores, score
from stancekit.text.segment import sentences as segment
from stancekit.text.tags import token_ranges
from stancekit.text.tokens import tokens

TASK = tasks.attribution(codebook.default())
METRICS = ("strict", "linked_exact", "linked_overlap")
SETTING: dict[str, Any] = {"algorithm": "l2sgd", "c1": 0, "c2": 1.0, "max_iterations": 20, "tune": False}
TRIED: list[dict[str, Any]] = [
    {},
    {"tune": True},
    {"c2": 0.5},
    {"context": False},
    {"clusters": []},
    {"lexicon": None},
]


def read(path: Path) -> list[Sentence]:
    """Return the sentences of a part; broken lines are skipped."""
    return list(load(path, format="polnear", on_error="skip").sentences)


def every(sentences: Sequence[Sentence], step: int, first: int = 0) -> set[str]:
    """Return every n-th article by name."""
    return set(sorted({s.document for s in sentences})[first::step])


def measure(train: Sequence[Sentence], test: Sequence[Sentence], setting: dict[str, Any]) -> Scores:
    """Train, predict and score, and print times, memory and scores."""
    started = time.process_time()
    model = CrfRelations(**setting)
    tuned_on = every(train, 10, 1) if setting["tune"] else set()
    rest, cut = ([s for s in train if (s.document in tuned_on) is side] for side in (False, True))
    model.fit(tasks.part(TASK, rest), tasks.part(TASK, cut))
    trained = time.process_time()
    part = tasks.part(TASK, test)
    predictions = model.predict(part.examples)
    rate = len(part) / (time.process_time() - trained)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(setting, f"{trained - started:.0f} s to train, {rate:.0f} sentences a second, {memory:.1f} GiB at most")
    scores = score(part, predictions, metrics=METRICS, resamples=2000)
    for row in scores.rows:
        print(
            f"  {row.metric} {row.label}: {100 * row.value:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]", flush=True
        )
    return scores


def choose(data: Path, only: Sequence[int]) -> None:
    """Try settings on an inner cut of train: every sixth article is held out."""
    sentences = read(data / "train")
    held_out = every(sentences, 6)
    inner = [s for s in sentences if s.document not in held_out]
    for change in [TRIED[k] for k in only] or TRIED:
        measure(inner, [s for s in sentences if s.document in held_out], SETTING | change)


def dev(data: Path) -> None:
    """Train on all of train and read dev once."""
    scores = measure(read(data / "train"), read(data / "dev"), SETTING)
    for metric, label in [
        ("strict_f1", ""),
        ("strict_f1", "source"),
        ("strict_f1", "cue"),
        ("strict_f1", "content"),
    ] + [(name, "") for name in ("linked_exact_f1", "linked_overlap_f1")]:
        ledger.append("polnear", "dev", scores.find(metric, label), f"relations {label}".strip(), SETTING)


def as_annotated(folder: Path, article: str) -> list[list[Span]]:
    """Return the relations of an article by its first annotator, each as its parts, on offsets of the article."""
    file = min((folder / "attributions").glob(f"{article}_*.ann"))
    lines = [line.split("\t") for line in file.read_bytes().decode("utf-8").split("\n")]
    offsets = {f[0]: f[1].split(" ", 1)[1] for f in lines if f[0].startswith("T") and len(f) > 2}
    found = []
    for fields in lines:
        parts = []
        for item in fields[1].split() if fields[0].startswith("E") and len(fields) > 1 else ():
            role, name = item.split(":")
            if not role.startswith("Attribution") and name in offsets:
                pairs = [tuple(map(int, pair.split())) for pair in offsets[name].split(";")]
                parts += [Span(start, end, role.lower().rstrip("0123456789")) for start, end in pairs]
        if parts:
            found.append(parts)
    return found


def ceiling(data: Path) -> None:
    """Print what a tagger scores that gives every token its one gold label, against relations as annotated."""
    right = given = wanted = 0
    documents: dict[str, list[Sentence]] = {}
    for sentence in read(data / "dev"):
        documents.setdefault(sentence.document, []).append(sentence)
    for article, sentences in documents.items():
        text = (data / "dev" / "text" / f"{article}.txt").read_bytes().decode("utf-8")
        words: list[Span] = []
        found: set[Span] = set()
        for place, sentence in zip(segment(text), sentences, strict=True):
            own = [Span(t.start + place.start, t.end + place.start) for t in tokens(sentence.text)]
            relations = sentence.gold.attributions or ()
            chunks = flatten(tuple(r for r in relations if isinstance(r, Attribution)), tokens(sentence.text))
            found |= {Span(own[a].start, own[b - 1].end, role) for a, b, role in chunks}
            words += own
        gold = {
            Span(words[a].start, words[b - 1].end, part.label)
            for relation in as_annotated(data / "dev", article)
            for part in relation
            for a, b in token_ranges((part,), words)
        }
        right, given, wanted = right + len(found & gold), given + len(found), wanted + len(gold)
    print(f"ceiling: F1 {200 * right / (given + wanted):.1f}, precision {100 * right / given:.1f}, ", end="")
    print(f"recall {100 * right / wanted:.1f} of {wanted} parts as annotated")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["choose", "dev", "ceiling"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", type=int, nargs="*", default=[], help="numbers of the settings to try")
    given = parser.parse_args()
    if given.command == "choose":
        choose(given.data, given.only)
    else:
        {"dev": dev, "ceiling": ceiling}[given.command](given.data)


if __name__ == "__main__":
    main()
