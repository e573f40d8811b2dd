"""Runs that know the bundled corpus alone, on real articles: attributions on PolNeAR, framing devices on BABE.

Run from the repository root, after `make demo`:
    stancekit train attribution-lexicon && stancekit train devices-lexicon
    python benchmarks/abroad.py --polnear PATH/dev --babe PATH/final_labels_SG2.xlsx

PolNeAR's relations are annotated by a scheme of its own (attitudes count as attributions, and a quotation without a cue
does not): its figures set runs side by side, and are no measure of how well a run follows its own codebook. BABE has no
devices: how many more of the sentences that experts call biased have one says how much of the framing that is found is
what readers of such news would call loaded. Intervals resample articles; each run is read once.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import ledger
import neural_babe
import polnear
import stancekit
from neural_figures import RESAMPLES, counted, shown
from neural_polnear import FIGURES
from stancekit import scoring, tasks
from stancekit.codebook import default
from stancekit.metrics.base import Counts
from stancekit.runs.run import Run
from stancekit.schema import Layers, Prediction, Sentence
from stancekit.scoring import Score
from stancekit.tasks import Part

RUNS = [Path("runs") / name for name in ("attribution-lexicon", "devices-lexicon")]
RUNS += [Path("runs/demo") / name for name in ("attribution", "framing", "joint")]
LEARNT = "learnt from the bundled corpus"


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
    """Return the shares of biased and of other sentences that have a device, and how much the first is above."""
    counts = np.zeros((len(part), 2, 2))  # biased or not; how many, and how many with a device
    for row, gold, prediction in zip(counts, part.gold, answers(run, part, "devices"), strict=True):
        row[int(gold != "Biased")] = 1, bool(prediction.answer)
    flat, groups = counts.reshape(len(part), 4), neural_babe.articles(part)
    return [
        counted("share with a device, biased", flat, groups, lambda c: shares(c)[..., 0]),
        counted("share with a device, not biased", flat, groups, lambda c: shares(c)[..., 1]),
        counted("share with a device, difference", flat, groups, lambda c: shares(c)[..., 0] - shares(c)[..., 1]),
    ]


def shares(counts: Counts) -> Counts:
    """Return the share of biased and of other sentences with a device, over (…, 4) counts."""
    cells = counts.reshape(*counts.shape[:-1], 2, 2)
    found: Counts = cells[..., 1] / np.maximum(cells[..., 0], 1)
    return found


def tell(run: Run, data: str, part: str, scores: Iterable[Score]) -> None:
    """Print and note the figures of a run."""
    print(f"\n{run.path} ({run.experiment.model['name']}) on {data}")
    for score in scores:
        print(f"  {score.metric} {score.label}: {shown(score)}", flush=True)
        row = f"{run.path.name} {score.label}".strip()
        ledger.append(data, f"{part}, {LEARNT}", score, row, dict(run.experiment.model), once=True)


def main() -> None:
    """Read the arguments and measure every run on what it answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polnear", type=Path, help="PolNeAR's folder dev")
    parser.add_argument("--babe", type=Path, help="final_labels_SG2.xlsx")
    parser.add_argument("--runs", type=Path, nargs="*", default=RUNS)
    given = parser.parse_args()
    real = polnear.read(given.polnear) if given.polnear else []
    biased = neural_babe.read(given.babe) if given.babe else Part(neural_babe.TASK)
    for path in given.runs:
        run = stancekit.load(path)
        if real and run.task.kind in ("relations", "layers"):
            tell(run, "polnear", "dev", attributions(run, real))
        if len(biased) and run.task.kind in ("devices", "layers"):
            tell(run, "babe", "all sentences", devices(run, biased))


if __name__ == "__main__":
    main()
