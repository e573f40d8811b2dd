"""CPU time of bootstrap intervals: resampled counts beside a loop that calls scikit-learn on every resample.

Run from the repository root (about half a minute):
    OMP_NUM_THREADS=1 python benchmarks/bootstrap.py

Macro-F1 over 8 labels of 10,000 random examples, 10,000 resamples of 300 groups and of 10,000 (every example its
own). The loop draws the same groups, so both must give the same figures; it is timed on a part of the resamples.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from sklearn.metrics import f1_score

from stancekit.metrics.labels import F1
from stancekit.stats.resample import bootstrap, group_sums, resampled
from stancekit.tasks import own

LABELS = tuple("abcdefgh")
EXAMPLES, RESAMPLES, SEED, REPEATS = 10_000, 10_000, 13, 3


def answers(generator: np.random.Generator) -> tuple[list[str], list[str]]:
    """Return random gold labels, and predictions that are right in some six of ten examples."""
    gold = generator.choice(LABELS, EXAMPLES, p=np.arange(1, 9) / 36)
    other = generator.choice(LABELS, EXAMPLES)
    return gold.tolist(), np.where(generator.random(EXAMPLES) < 0.6, gold, other).tolist()


def by_loop(gold: Sequence[str], predicted: Sequence[str], groups: Sequence[int], resamples: int) -> list[float]:
    """Return macro-F1 of the first resamples as scikit-learn computes it, on the same draws."""
    left, right = (np.searchsorted(LABELS, side) for side in (gold, predicted))
    number = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    group_of = np.array([number[group] for group in groups])
    draws = np.random.default_rng(SEED).integers(0, len(number), (resamples, len(number)), dtype=np.int32)
    found = []
    for row in draws:
        times = np.bincount(row, minlength=len(number))
        chosen = np.repeat(np.arange(EXAMPLES), times[group_of])
        found.append(float(f1_score(left[chosen], right[chosen], average="macro")))
    return found


def main() -> None:
    """Print a line for each number of groups."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", type=int, default=1_000, help="resamples of the scikit-learn loop")
    loop = parser.parse_args().loop
    generator = np.random.default_rng(SEED)
    gold, predicted = answers(generator)
    metric = F1(own("bench", "single", LABELS))
    for groups in (generator.integers(0, 300, EXAMPLES).tolist(), list(range(EXAMPLES))):
        times = []
        for _ in range(REPEATS):
            start = time.process_time()
            counts = metric.count_all(gold, predicted, [])
            found = bootstrap(counts, groups, metric.score, resamples=RESAMPLES, seed=SEED)
            times.append(time.process_time() - start)
        start = time.process_time()
        oracle = by_loop(gold, predicted, groups, loop)
        slow = (time.process_time() - start) * RESAMPLES / loop
        ours = np.concatenate([metric.score(x) for x in resampled(group_sums(counts, groups), loop, SEED)])[:, 0]
        np.testing.assert_allclose(ours, oracle)
        interval = f"{found.values[0]:.3f} [{found.low[0]:.3f}, {found.high[0]:.3f}]"
        print(f"{len(set(groups)):6} groups: {min(times):.2f} s, loop {slow:.0f} s; macro-F1 {interval}", flush=True)


if __name__ == "__main__":
    main()
