"""Agreement between annotators on real data: BABE's eight (labels, words) and PolNeAR's multiply annotated articles.

Run from the repository root (some minutes; `STANCEKIT_SHARED_DATA` names the folder of public data sets):
    OMP_NUM_THREADS=1 python benchmarks/agreement.py

Prints the whole figures, per label and the human ceiling, with 95 % intervals over documents.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

from stancekit import agree
from stancekit.data.dataset import Dataset
from stancekit.data.load import load
from stancekit.scoring import Scores

SHARED = Path(os.environ.get("STANCEKIT_SHARED_DATA", "../shared/data"))
SHOWN = ("alpha", "agreement", "unanimous", "cohen", "macro_f1", "span_", "linked_", "strict_f1", "accuracy")


def polnear(folder: Path) -> dict[str, Dataset]:
    """Return a data set for each annotator, of the articles that several annotated."""
    files = [file.stem.rpartition("_") for file in sorted(folder.rglob("attributions/*.ann"))]
    times = Counter(article for article, _, _ in files)
    codes = sorted({code for article, _, code in files if times[article] > 1})
    found = {}
    for code in codes:
        whole = load(folder, format="polnear", options={"annotator": code}, on_error="skip")
        kept = tuple(s for s in whole.sentences if times[s.document] > 1)
        found[code] = replace(whole, name=code, sentences=kept)
    return found


def table(title: str, scores: Scores, whole: bool) -> None:
    """Print the figures over all annotators: all labels together, or each label."""
    print(f"\n{title}\n")
    for row in scores.rows:
        if not row.slice and bool(row.label) != whole and row.metric.startswith(SHOWN) and row.value is not None:
            interval = "" if row.low is None else f"[{row.low:.3f}, {row.high:.3f}]"
            print(f"{row.metric:32} {row.label:12} {row.value:6.3f} {interval} n={row.support:g}")
    print(scores.signature_line, flush=True)


def main() -> None:
    """Print a section for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=10_000)
    resamples = parser.parse_args().resamples
    raw = SHARED / "babe" / "data" / "raw_labels_SG2.xlsx"
    babe = load(raw, format="babe", options={"annotators": True}, on_error="skip")
    several = polnear(SHARED / "polnear" / "data")
    babe_found = agree([babe], tasks=["bias", "biased_words"], annotator="annotator", resamples=resamples)
    polnear_found = agree(several, tasks=["attribution", "voice"], partial=True, resamples=resamples)
    for name, found in (("BABE", babe_found), ("PolNeAR", polnear_found)):
        for task, scores in found.scores.items():
            table(f"{name}, {task}: agreement of {len(found.annotators)} annotators", scores, True)
            table(f"{name}, {task}: by label", scores, False)
            table(f"{name}, {task}: human ceiling", found.ceilings[task], True)


if __name__ == "__main__":
    main()
