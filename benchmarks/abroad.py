"""Runs that know the bundled sets alone, on real articles: attributions (PolNeAR), devices (BABE), stances (NewsMTSC).

Run from the repository root, after `make demo`:
    stancekit train attribution-lexicon && stancekit train devices-lexicon && stancekit train stance-lexicon
    python benchmarks/abroad.py choose --polnear PATH --babe PATH/final_labels_SG2.xlsx --newsmtsc PATH
    python benchmarks/abroad.py read --polnear PATH --babe PATH/final_labels_SG2.xlsx --newsmtsc PATH

`choose` looks at every 24th article of PolNeAR's train, at a fifth of BABE's articles and at every fifth article of
NewsMTSC's train, and notes nothing; what is bundled was chosen by it. `read` looks at PolNeAR's dev, the other four
fifths of BABE and NewsMTSC's dev files, once a run.

PolNeAR's relations are annotated by a scheme of its own (attitudes count as attributions, and a quotation without a cue
does not): its figures set runs side by side, and are no measure of how well a run follows its own codebook. BABE has no
devices: how many more of the sentences that experts call biased have one, and how much of what devices cover experts
marked as biased words (beside how much of all text they did), say how much of the framing that is found is what readers
of such news would call loaded. NewsMTSC's readers said whether a sentence is positive or negative toward its target:
favor is read as positive and against as negative, and runs that learnt `sentiment` say it in these words. Intervals
resample articles; each run is read once.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import ledger
import neural_babe
import newsmtsc
import polnear
import stancekit
from neural_common import cut, subset
from neural_figures import RESAMPLES, counted, shown
from neural_polnear import FIGURES
from stancekit import scoring, tasks
from stancekit.asking import ask
from stancekit.codebook import default
from stancekit.metrics.base import Counts
from stancekit.runs.run import Run
from stancekit.schema import Layers, Prediction, Sentence, Target, characters
from stancekit.scoring import Score
from stancekit.tasks import Part

RUNS = [Path("runs") / name for name in ("attribution-lexicon", "devices-lexicon", "stance-lexicon")]
RUNS += [Path("runs/demo") / name for name in ("attribution", "framing", "stance", "joint")]
LEARNT = "learnt from the bundled sets"
DEVICES = {
    "share with a device, biased": [(1, 0)],
    "share with a device, not biased": [(3, 2)],
    "share with a device, difference": [(1, 0), (3, 2)],
    "share of devices' characters marked": [(7, 6)],
    "share of all characters marked": [(5, 4)],
    "share of marked characters in devices": [(7, 5)],
}
"""Figures of devices on BABE: the cells of the counts that they are the share of."""
SENTIMENTS = {"favor": "positive", "against": "negative", "none": "neutral"}


def answers(run: Run, part: Part, layer: str) -> list[Prediction]:
    """Return what a run says of the sentences of a part, which it sees without gold: its answers to one layer."""
    found = run.model.predict(run.examples([tasks.asked(e.sentence, ()) for e in part.examples]))
    return [replace(p, answer=getattr(p.answer, layer) or ()) if isinstance(p.answer, Layers) else p for p in found]


def attributions(run: Run, sentences: Sequence[Sentence]) -> list[Score]:
    """Return the figures of attribution relations on sentences that have them."""
    task = tasks.attribution(default())
    gold = tasks.part(task, sentences)
    found = answers(run, gold, "attributions")
    scores = scoring.score(gold, found, metrics=list(dict.fromkeys(f.metric for f in FIGURES)), resamples=RESAMPLES)
    return [scores.find(f.row, f.label) for f in FIGURES]


def devices(run: Run, part: Part) -> list[Score]:
    """Return how often biased and other sentences have a device, and what of their characters experts marked.

    A row of counts: biased sentences, those with a device, the others, those with a device; characters, those that
    experts marked, those in devices, those in both.
    """
    counts = np.zeros((len(part), 8))
    for row, example, gold, prediction in zip(
        counts, part.examples, part.gold, answers(run, part, "devices"), strict=True
    ):
        covered = {c for device in prediction.answer or () for c in characters(device.parts)}  # type: ignore[union-attr]
        marked = {
            c for word in example.sentence.gold.labels.get("biased_words", ()) for c in range(word.start, word.end)
        }
        side = 2 * (gold != "Biased")
        row[side : side + 2] = 1, bool(covered)
        row[4:] = len(example.sentence.text), len(marked), len(covered), len(covered & marked)
    groups = neural_babe.articles(part)
    return [counted(name, counts, groups, partial(figure, of=of)) for name, of in DEVICES.items()]


def toward_labels(run: Run) -> list[str]:
    """Return what a run says toward targets: `stance`, `sentiment` with the labels of NewsMTSC, or both."""
    inner = [task for task in (run.task, *run.task.inner) if task.kind == "targeted"]
    known = {"stance": set(SENTIMENTS), newsmtsc.TASK.name: set(newsmtsc.TASK.labels)}
    return [task.name for task in inner if known.get(task.name) == set(task.labels)]


def sentiments(run: Run, part: Part, label: str) -> list[Prediction]:
    """Return what a run says toward the targets of a part by one of its labels; stances are read as sentiments."""
    if run.task.name == newsmtsc.TASK.name:
        return list(run.model.predict(run.examples(part.examples)))
    targets: dict[str, list[Target]] = {}
    for example in part.examples:  # those of a sentence stand together
        targets.setdefault(example.sentence.id, []).extend(tasks.targets_of(example))
    sentences = list({e.sentence.id: e.sentence for e in part.examples}.values())
    asked = ask({"stance": run}, sentences, targets)
    found = asked.roles["stance"] if label == "stance" else asked.own[label]
    said = [SENTIMENTS.get(item.label, item.label) for own in found for item in own.answer]
    return [Prediction(id=e.id, answer=word) for e, word in zip(part.examples, said, strict=True)]


def tell_sentiments(given: argparse.Namespace, run: Run, label: str, name: str, part: Part) -> None:
    """Print and note macro-F1 and F1 by label of a run's sentiments, or how much they are above another run's.

    A run that says both stands with its sentiments as `NAME, sentiment`.
    """
    rows = [("macro_f1", ""), *(("f1", label) for label in part.task.labels)]
    own, called = sentiments(run, part, label), called_by(run, label)
    if given.against is None:
        scores = scoring.score(part, own, metrics=["f1"], resamples=RESAMPLES)
        tell(given, run, "newsmtsc", name, [scores.find(*row) for row in rows], called)
        return
    other = stancekit.load(given.against)
    if not (first := next(iter(toward_labels(other)), "")):
        raise SystemExit(f"--against: {other.path} says nothing toward targets")
    pair = {called_by(other, first): sentiments(other, part, first), called: own}
    scores = scoring.compare(part, pair, metrics=["f1"], resamples=RESAMPLES)
    between = " − ".join(reversed(list(pair)))
    tell(given, run, "newsmtsc", name, [scores.find(*row, between) for row in rows], between)


def called_by(run: Run, label: str) -> str:
    """Return what a row is called: the run's folder, and what it says where that is not its first word on targets."""
    return run.path.name if label == toward_labels(run)[0] else f"{run.path.name}, {label}"


def figure(counts: Counts, of: Sequence[tuple[int, int]]) -> Counts:
    """Return one cell as a share of another over (…, 8) counts, or what the first such share is above the second."""
    found = [counts[..., above] / np.maximum(counts[..., below], 1) for above, below in of]
    return found[0] - found[1] if len(found) > 1 else found[0]


def real_articles(given: argparse.Namespace) -> list[Sentence]:
    """Return the sentences of PolNeAR that are looked at."""
    if given.step == "read":
        return polnear.read(given.polnear / "dev")
    train = polnear.read(given.polnear / "train")
    names = set(sorted({s.document for s in train})[7::24])
    return [s for s in train if s.document in names]


def biased_sentences(given: argparse.Namespace) -> Part:
    """Return the sentences of BABE that are looked at: those of a fifth of the articles by hash, or of the others."""
    part = neural_babe.read(given.babe)
    articles = neural_babe.articles(part)
    order = sorted(sorted(set(articles)), key=lambda name: hashlib.md5(name.encode()).digest()[0])
    fifth = set(order[: len(order) // 5])
    return subset(part, [k for k, name in enumerate(articles) if (name in fifth) is (given.step == "choose")])


def toward_targets(given: argparse.Namespace) -> dict[str, Part]:
    """Return the parts of NewsMTSC that are looked at."""
    if given.step == "read":
        return {name: newsmtsc.part(given.newsmtsc / f"{name}.jsonl") for name in ("dev_rw", "dev_mt")}
    return {"every fifth article of train": cut(newsmtsc.part(given.newsmtsc / "train.jsonl"), 5)[1]}


def tell(
    given: argparse.Namespace, run: Run, data: str, part: str, scores: Iterable[Score], name: str | None = None
) -> None:
    """Print the figures of a run; those that are read are noted, under its folder's name if not another one."""
    print(f"\n{run.path} ({run.experiment.model['name']}) on {data}")
    for score in scores:
        print(f"  {score.metric} {score.label}: {shown(score)}", flush=True)
        row = f"{name or run.path.name} {score.label}".strip()
        if given.step == "read":
            ledger.append(data, f"{part}, {LEARNT}", score, row, dict(run.experiment.model), once=True)


def main() -> None:
    """Read the arguments and measure every run on what it answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["choose", "read"])
    parser.add_argument("--polnear", type=Path, help="PolNeAR's folder with train and dev")
    parser.add_argument("--babe", type=Path, help="final_labels_SG2.xlsx")
    parser.add_argument("--newsmtsc", type=Path, help="NewsMTSC's folder with train.jsonl and the dev files")
    parser.add_argument("--against", type=Path, help="a run; on NewsMTSC, how much the others are above it is told")
    parser.add_argument("--runs", type=Path, nargs="*", default=RUNS)
    given = parser.parse_args()
    real = real_articles(given) if given.polnear else []
    biased = biased_sentences(given) if given.babe else Part(neural_babe.TASK)
    toward = toward_targets(given) if given.newsmtsc else {}
    for path in given.runs:
        run = stancekit.load(path)
        if real and run.task.kind in ("relations", "layers"):
            tell(given, run, "polnear", "dev", attributions(run, real))
        if len(biased) and run.task.kind in ("devices", "layers"):
            tell(given, run, "babe", "four fifths of the articles", devices(run, biased))
        for label in toward_labels(run) if toward else ():
            for name, part in toward.items():
                tell_sentiments(given, run, label, name, part)


if __name__ == "__main__":
    main()
