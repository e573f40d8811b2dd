"""Metrics against independent oracles: scikit-learn, seqeval, nervaluate and brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqeval.metrics import f1_score as seqeval_f1
from seqeval.metrics import precision_score as seqeval_precision
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

import strategies
from stancekit import codebook, components, tasks
from stancekit.metrics.holder import same_holder
from stancekit.metrics.matching import match
from stancekit.metrics.strict import flatten
from stancekit.schema import Attribution, Device, Layers, Span, characters, parts_of
from stancekit.text import derive
from stancekit.text.tokens import tokens

LABELS = ("a", "b", "c", "d")
BOOK = codebook.default()
TEXT = "abcdefghijklmnopqrstuvwxyz" * 2


def task(kind: str, labels=LABELS):
    if kind == "layers":
        tone = tasks.own("tone", "targeted", ["pos", "neg"])
        return tasks.over((*tasks.built_in("layers", BOOK).inner, tone))
    return tasks.own("t", kind, labels)


def scores(name: str, plan, gold, predicted, texts=None) -> dict[tuple[str, str], float]:
    metric = components.build("metric", name, {"task": plan})
    texts = texts or [TEXT] * len(gold)
    counts = np.array([metric.count(*row) for row in zip(gold, predicted, texts, strict=True)])
    values = metric.score(counts.sum(axis=0))
    return dict(zip(metric.rows, values, strict=True))


def close(value: float, expected: float) -> bool:
    return math.isnan(value) if math.isnan(expected) else value == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_single_labels_equal_scikit_learn(pairs) -> None:
    gold, predicted = zip(*pairs, strict=True)
    found = scores("f1", task("single"), gold, predicted) | scores("accuracy", task("single"), gold, predicted)
    present = [x for x in LABELS if x in gold or x in predicted]
    assert close(found["accuracy", ""], accuracy_score(gold, predicted))
    for average in ("macro", "micro", "weighted"):
        oracle = precision_recall_fscore_support(gold, predicted, labels=present, average=average, zero_division=0)[2]
        assert close(found[f"{average}_f1", ""], oracle)
    each = precision_recall_fscore_support(gold, predicted, labels=present, zero_division=np.nan)
    for number, label in enumerate(present):
        for row, name in enumerate(("precision", "recall")):
            assert close(found[name, label], each[row][number])
    cells = scores("confusion", task("single"), gold, predicted)
    assert list(cells.values()) == confusion_matrix(gold, predicted, labels=LABELS).ravel().tolist()


@given(st.lists(st.tuples(st.frozensets(st.sampled_from(LABELS)), st.frozensets(st.sampled_from(LABELS))), min_size=1))
@settings(max_examples=60, deadline=None)
def test_label_sets_equal_scikit_learn(pairs) -> None:
    gold, predicted = zip(*pairs, strict=True)
    found = scores("f1", task("multi"), gold, predicted) | scores("accuracy", task("multi"), gold, predicted)
    left, right = (np.array([[x in s for x in LABELS] for s in side], dtype=int) for side in (gold, predicted))
    used = np.flatnonzero((left | right).any(axis=0))
    assert close(found["accuracy", ""], accuracy_score(left, right))
    for average in ("macro", "micro", "weighted") if left.any() else ():
        oracle = precision_recall_fscore_support(left, right, labels=used, average=average, zero_division=0)[2]
        assert close(found[f"{average}_f1", ""], oracle)


def test_f_avg_is_the_mean_of_favor_and_against() -> None:
    plan = tasks.built_in("stance", BOOK)
    gold = ["favor", "favor", "against", "none", "against", "none"]
    given_ = ["favor", "against", "against", "favor", "none", "none"]
    oracle = precision_recall_fscore_support(gold, given_, labels=["favor", "against"], average=None)[2].mean()
    assert close(scores("f_avg", plan, gold, given_)["f_avg", ""], oracle)


def spans(overlapping: bool = True):
    one = st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from(LABELS))

    def build(rows):
        found, last = [], 0
        for start, length, label in rows:
            begin = start if overlapping else last + start % 3
            found.append(Span(begin, begin + length, label))
            last = begin + length + 1
        return tuple(dict.fromkeys(found))

    return st.lists(one, max_size=6).map(build)


@given(spans(), spans())
@settings(max_examples=100, deadline=None)
def test_overlap_matching_is_maximal(gold, predicted) -> None:
    fits = lambda a, b: a.label == b.label and a.start < b.end and b.start < a.end
    few, many = sorted((gold, predicted), key=len)
    best = max(
        (sum(fits(a, b) for a, b in zip(few, order, strict=False)) for order in itertools.permutations(many, len(few))),
        default=0,
    )
    assert len(match(gold, predicted, fits)) == best
    found = scores("span_overlap", task("spans"), [gold], [predicted])
    if gold or predicted:
        assert close(found["span_overlap_f1", ""], 2 * best / (len(gold) + len(predicted)))


@given(spans(), spans())
@settings(max_examples=100, deadline=None)
def test_proportional_equals_brute_force(gold, predicted) -> None:
    def shares(mine, theirs):
        for span in mine:
            inside = [
                any(t.label == span.label and t.start <= c < t.end for t in theirs) for c in range(span.start, span.end)
            ]
            yield sum(inside) / len(inside)

    found = scores("span_proportional", task("spans"), [gold], [predicted])
    precision = np.mean(list(shares(predicted, gold))) if predicted else math.nan
    recall = np.mean(list(shares(gold, predicted))) if gold else math.nan
    assert close(found["span_proportional_precision", ""], precision)
    assert close(found["span_proportional_recall", ""], recall)


@given(st.lists(st.tuples(spans(False), spans(False)), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_exact_spans_equal_nervaluate(pairs) -> None:
    gold, predicted = zip(*pairs, strict=True)
    if not any(gold) or not any(predicted):
        return
    as_dicts = [
        [[{"label": s.label, "start": s.start, "end": s.end - 1} for s in x] for x in side]
        for side in (gold, predicted)
    ]
    results = Evaluator(*as_dicts, tags=list(LABELS), loader="dict").evaluate()["overall"]
    found = scores("span_exact", task("spans"), gold, predicted)
    assert close(found["span_exact_precision", ""], results["strict"].precision)
    assert close(found["span_exact_recall", ""], results["strict"].recall)


@given(
    st.lists(
        st.tuples(st.integers(2, 6), st.integers(-1, 1), st.sampled_from(LABELS), st.sampled_from(LABELS)), max_size=6
    )
)
@settings(max_examples=60, deadline=None)
def test_overlap_equals_nervaluate_ent_type_where_spans_pair_off(rows) -> None:
    gold = tuple(Span(10 * i + 2, 10 * i + 2 + n, a) for i, (n, _, a, _) in enumerate(rows))
    predicted = tuple(Span(10 * i + 2 + d, 10 * i + 2 + n + d, b) for i, (n, d, _, b) in enumerate(rows))
    if not rows:
        return
    as_dicts = [[[{"label": s.label, "start": s.start, "end": s.end - 1} for s in side]] for side in (gold, predicted)]
    results = Evaluator(*as_dicts, tags=list(LABELS), loader="dict").evaluate()["overall"]
    found = scores("span_overlap", task("spans"), [gold], [predicted])
    assert close(found["span_overlap_precision", ""], results["ent_type"].precision)
    assert close(found["span_overlap_recall", ""], results["ent_type"].recall)


def relation(draw_spans, size):
    pick = st.tuples(st.integers(0, size - 1), st.integers(1, 5)).map(lambda p: (p[0], min(size, p[0] + p[1])))
    role = st.lists(pick, max_size=2).map(parts_of)
    return st.builds(lambda s, c, t: Attribution(source=s, cue=c, content=t), role, role, role)


WORDS = "The ministry said that its units left the town, it added ."


@given(st.lists(relation(spans(), len(WORDS)), max_size=3), st.lists(relation(spans(), len(WORDS)), max_size=3))
@settings(max_examples=100, deadline=None)
def test_strict_equals_seqeval(gold, predicted) -> None:
    words = tokens(WORDS)

    def tags(relations):
        found = ["O"] * len(words)
        for start, end, role in flatten(tuple(relations), words):
            found[start:end] = [f"B-{role}"] + [f"I-{role}"] * (end - start - 1)
        return found

    own, given_ = tags(gold), tags(predicted)
    found = scores("strict", tasks.built_in("attribution", BOOK), [tuple(gold)], [tuple(predicted)], [WORDS])
    if any(t != "O" for t in own) and any(t != "O" for t in given_):
        assert close(found["strict_f1", ""], seqeval_f1([own], [given_]))
        assert close(found["strict_precision", ""], seqeval_precision([own], [given_]))


def test_strict_gives_a_token_one_label() -> None:
    text = "A said that B claims x"
    at = {w.of(text): w for w in tokens(text)}
    span = lambda *names: parts_of([(at[names[0]].start, at[names[-1]].end)])
    outer = Attribution(source=span("A"), cue=span("said"), content=span("that", "x"))
    inner = Attribution(source=span("B"), cue=span("claims"), content=span("x"))
    chunks = flatten((outer, inner), tokens(text))
    names = [(text.split()[s], role) for s, _, role in chunks]
    assert names == [
        ("A", "source"),
        ("said", "cue"),
        ("that", "content"),
        ("B", "source"),
        ("claims", "cue"),
        ("x", "content"),
    ]


def test_linked_asks_for_every_role_and_missing_matches_only_missing() -> None:
    plan = tasks.built_in("attribution", BOOK)
    full = Attribution(
        source=parts_of([(0, 3)]), cue=parts_of([(4, 8)]), content=parts_of([(9, 20)]), source_type="media"
    )
    near = Attribution(
        source=parts_of([(1, 3)]), cue=parts_of([(4, 8)]), content=parts_of([(9, 20)]), source_type="other"
    )
    sourceless = Attribution(cue=parts_of([(4, 8)]), content=parts_of([(9, 20)]))
    exact = scores("linked_exact", plan, [(full,), (full,), (sourceless,)], [(full,), (near,), (near,)])
    assert exact["linked_exact_f1", ""] == pytest.approx(1 / 3)
    overlap = scores("linked_overlap", plan, [(full,), (full,), (sourceless,)], [(full,), (near,), (near,)])
    assert overlap["linked_overlap_f1", ""] == pytest.approx(2 / 3)
    assert overlap["linked_overlap_with_types_f1", ""] == pytest.approx(1 / 3)


def test_device_attributes_are_scored_over_matched_devices() -> None:
    device = lambda s, e, **k: Device(parts=parts_of([(s, e)]), frame="blame", **k)
    gold = (device(0, 5, target="X"), device(6, 9, target="Y", negated=True), device(10, 12))
    predicted = (device(1, 4, target="X"), device(6, 9, target="X", negated=True))
    found = scores("device_attributes", tasks.built_in("devices", BOOK), [gold], [predicted])
    assert found["device_target_accuracy", ""] == found["device_target_accuracy_named", ""] == 0.5
    assert found["device_negation_f1", ""] == 1.0


HOLDER_TEXT = "The ministry said that the town was liberated while heroes fell."


def layers(start: int, end: int, source=(0, 12)):
    devices = (
        Device(parts=parts_of([(36, 45)]), frame="legitimation"),
        Device(parts=parts_of([(52, 58)]), frame="valour"),
    )
    relation_ = Attribution(source=parts_of([source]), cue=parts_of([(13, 17)]), content=parts_of([(start, end)]))
    return Layers(text=HOLDER_TEXT, attributions=(relation_,), devices=devices)


def test_holder_metrics_stand_beside_the_rules_to_beat() -> None:
    plan = tasks.built_in("holder", BOOK)
    gold, wrong = layers(18, 45), layers(18, 30)
    found = scores("holder_accuracy", plan, [gold], [gold], [HOLDER_TEXT])
    assert found["holder_accuracy", ""] == 1.0
    assert found["holder_accuracy", "always the author"] == 0.5
    assert found["holder_accuracy", "nearest content"] == 0.5
    assert found["holder_accuracy_not_author", "always the author"] == 0.0
    found = scores("holder_f1", plan, [gold], [wrong], [HOLDER_TEXT])
    assert found["holder_f1", ""] == 0.5
    assert found["holder_f1_not_author", ""] == 0.0


@given(st.integers(18, 40), st.integers(41, 64), st.integers(18, 40), st.integers(41, 64))
@settings(max_examples=40, deadline=None)
def test_holder_accuracy_equals_brute_force(a, b, c, d) -> None:
    gold, predicted = layers(a, b), layers(c, d, source=(4, 12))
    right = [same_holder(x, y) for x, y in zip(derive.holders(gold), derive.holders(predicted), strict=True)]
    found = scores("holder_accuracy", tasks.built_in("holder", BOOK), [gold], [predicted], [HOLDER_TEXT])
    assert found["holder_accuracy", ""] == np.mean(right)
    assert characters(gold.devices[0].parts)


def example_answers(kind: str):
    if kind == "single":
        return st.sampled_from(LABELS)
    if kind == "multi":
        return st.frozensets(st.sampled_from(LABELS))
    return strategies.layers(TEXT) if kind == "layers" else spans()


CONTRACT = [
    (name, kind)
    for kind, names in {
        "single": ("accuracy", "f1", "confusion"),
        "multi": ("accuracy", "f1"),
        "spans": tasks.METRICS["spans"],
        "layers": tasks.built_in("layers", BOOK).metrics,
    }.items()
    for name in names
]


@pytest.mark.parametrize(("name", "kind"), CONTRACT)
def test_counts_add_up_and_scores_are_vectorised(name: str, kind: str) -> None:
    metric = components.build("metric", name, {"task": task(kind)})

    @given(st.lists(st.tuples(example_answers(kind), example_answers(kind)), min_size=2, max_size=6))
    @settings(max_examples=15, deadline=None)
    def check(pairs) -> None:
        counts = np.array([metric.count(g, p, TEXT) for g, p in pairs])
        assert counts.shape == (len(pairs), metric.size) and counts.dtype == np.float64
        stacked = np.stack([counts.sum(axis=0), counts[0], counts[1:].sum(axis=0)])
        together = metric.score(stacked)
        assert together.shape == (3, len(metric.rows))
        for row, alone in zip(together, stacked, strict=True):
            np.testing.assert_array_equal(row, metric.score(alone))
        assert metric.support(stacked[0]).shape == (len(metric.rows),)
        if hasattr(metric, "count_all"):
            gold, predicted = zip(*pairs, strict=True)
            np.testing.assert_array_equal(metric.count_all(gold, predicted, [TEXT] * len(pairs)), counts)

    check()
