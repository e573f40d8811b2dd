"""Intervals and comparisons: brute-force resampling, coverage of edge cases, joining by id."""

from __future__ import annotations

import numpy as np
import pytest

from stancekit import scoring, tasks
from stancekit.errors import StancekitError
from stancekit.schema import Example, Prediction, Sentence
from stancekit.stats.resample import bootstrap, group_sums, paired, resampled


def accuracy(counts):
    with np.errstate(invalid="ignore"):
        return (counts[..., 0] / counts[..., 1])[..., None]


def data(n: int = 60, groups: int = 9, seed: int = 0):
    rng = np.random.default_rng(seed)
    counts = np.stack([rng.integers(0, 2, n), np.ones(n)], axis=1).astype(float)
    return counts, [f"g{i}" for i in rng.integers(0, groups, n)]


def test_bootstrap_equals_a_loop_over_the_same_draws() -> None:
    counts, groups = data()
    sums = group_sums(counts, groups)
    generator = np.random.default_rng(5)
    draws = generator.integers(0, len(sums), (500, len(sums)), dtype=np.int32)
    loop = np.array([accuracy(sum(sums[i] for i in row)) for row in draws])
    blocks = np.concatenate(list(resampled(sums, 500, 5)))
    np.testing.assert_allclose(accuracy(blocks), loop)
    found = bootstrap(counts, groups, accuracy, resamples=500, seed=5)
    np.testing.assert_allclose([found.low, found.high], np.quantile(loop, [0.025, 0.975], axis=0))
    assert found.values == accuracy(counts.sum(axis=0))


def test_few_groups_have_no_interval_and_undefined_resamples_are_counted() -> None:
    counts, _ = data()
    found = bootstrap(counts, [f"g{i % 4}" for i in range(len(counts))], accuracy, resamples=100)
    assert np.isnan(found.low) and np.isnan(found.high)
    empty = np.array([[1.0, 1.0]] + [[0.0, 0.0]] * 4)
    found = bootstrap(empty, list("abcde"), accuracy, resamples=400, seed=1)
    assert 90 < found.undefined[0] < 180 and found.low == 1.0


def test_intervals_widen_with_fewer_groups() -> None:
    counts, groups = data(n=600, groups=8)
    counts[:, 0] = [hash_ % 2 for hash_ in (int(g[1:]) for g in groups)]
    by_group = bootstrap(counts, groups, accuracy, resamples=500)
    alone = bootstrap(counts, list(range(600)), accuracy, resamples=500)
    assert by_group.high - by_group.low > 2 * (alone.high - alone.low)


def test_paired_difference() -> None:
    counts, groups = data(n=200, groups=40)
    better = counts.copy()
    better[:120, 0] = 1
    found = paired(counts, better, groups, accuracy, resamples=1000)
    assert found.values == pytest.approx(accuracy(better.sum(0)) - accuracy(counts.sum(0)))
    assert found.low > 0 and found.p < 0.01
    same = paired(counts, counts, groups, accuracy, resamples=200)
    assert (same.values, same.low, same.high, same.p) == (0, 0, 0, 1)


def part(n: int = 12):
    plan = tasks.own("t", "single", ("a", "b", "c"))
    sentences = [Sentence(id=f"s{i}", text="x", document=f"d{i % 6}", meta={"outlet": f"o{i % 2}"}) for i in range(n)]
    gold = tuple("ab"[i % 2] for i in range(n))
    return tasks.Part(plan, tuple(Example(id=s.id, sentence=s) for s in sentences), gold)


def test_predictions_are_joined_by_id_and_nothing_is_dropped() -> None:
    own = part()
    predictions = [Prediction(id=e.id, answer=g) for e, g in zip(own.examples, own.gold, strict=True)][::-1]
    assert [p.id for p in scoring.join(own, predictions)] == [e.id for e in own.examples]
    with pytest.raises(StancekitError) as error:
        scoring.join(own, [*predictions[1:], predictions[1], Prediction(id="stranger", answer="a")])
    assert {p.what.split(" ", 3)[-1] for p in error.value.problems} == {"is missing", "is not in gold", "stands twice"}


def test_scores_slices_signature_and_round_trip() -> None:
    own = part()
    predictions = [Prediction(id=e.id, answer="a") for e in own.examples]
    found = scoring.score(own, predictions, slices=["outlet", "target"], resamples=200, signature={"task": "t"})
    assert found.find("accuracy").value == 0.5
    assert found.find("accuracy", slice="outlet=o0").value == 1.0
    assert found.left_out == ("c",)
    assert found.signature_line.startswith("task:t|n:12|groups:document(6)|resamples:200")
    assert scoring.Scores.from_json(found.to_json()) == found
    assert len(found.to_frame()) == len(found.rows)
    alone = scoring.score(own, predictions, groups_by=["nothing"], resamples=200)
    assert "no nothing" in alone.notes[0]


def test_compare_pairs_the_same_examples() -> None:
    own = part()
    first = [Prediction(id=e.id, answer="a") for e in own.examples]
    second = [Prediction(id=e.id, answer=g) for e, g in zip(own.examples, own.gold, strict=True)]
    found = scoring.compare(own, {"one": first, "two": second}, resamples=200)
    row = found.find("accuracy", slice="two − one")
    assert row.value == 0.5 and row.p is not None
    assert "accuracy" in repr(found) and "two − one" in repr(found)


def test_figures_that_many_resamples_leave_undefined_are_named() -> None:
    sentences = [Sentence(id=f"s{i}", text="x", document=f"d{i}") for i in range(8)]
    examples = tuple(Example(id=s.id, sentence=s) for s in sentences)
    own = tasks.Part(tasks.own("t", "single", ("a", "b"), ("f1",)), examples, ("b", *"aaaaaaa"))
    found = scoring.score(own, [Prediction(id=e.id, answer="a") for e in examples], resamples=400)
    assert any("undefined in more than 5% of the resamples" in note and "recall b" in note for note in found.notes)
