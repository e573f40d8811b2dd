"""Metrics on relations and holders against brute force over all pairings, and metrics that do not fit a task."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from stancekit import codebook, components, scoring, tasks
from stancekit.errors import StancekitError
from stancekit.metrics.holder import nearest_content, same_holder
from stancekit.schema import Attribution, Device, Layers, Prediction, Sentence, characters, parts_of
from stancekit.text import derive

BOOK = codebook.default()
TEXT = "The ministry said the “heroic” defenders fell, it added."
RELATIONS = st.lists(strategies.attributions(20), max_size=3).map(tuple)
LAYERS = st.builds(
    Layers, text=st.just(TEXT), attributions=RELATIONS, devices=st.lists(strategies.devices(40), max_size=3).map(tuple)
)


def scores(name: str, task: tasks.Task, gold, predicted) -> dict[tuple[str, str], float]:
    metric = components.build("metric", name, {"task": task})
    return dict(zip(metric.rows, metric.score(metric.count(gold, predicted, TEXT)), strict=True))


def best_f1(gold, predicted, fits) -> float:
    """Try every pairing."""
    few, many = sorted((gold, predicted), key=len)
    swap = few is not gold
    pairings = itertools.permutations(many, len(few))
    hits = max(sum(fits(b, a) if swap else fits(a, b) for a, b in zip(few, order, strict=True)) for order in pairings)
    return 2 * hits / (len(gold) + len(predicted)) if gold or predicted else math.nan


def share(one, other) -> bool:
    return bool(characters(one) & characters(other))


def roles_fit(match):
    def fits(a: Attribution, b: Attribution) -> bool:
        roles = ((a.source, b.source), (a.cue, b.cue), (a.content, b.content))
        return all(match(x, y) if x and y else x == y for x, y in roles)

    return fits


@pytest.mark.parametrize(("name", "match"), [("linked_exact", lambda x, y: x == y), ("linked_overlap", share)])
def test_linked_f1_equals_brute_force(name: str, match) -> None:
    fits = roles_fit(match)
    typed = lambda a, b: fits(a, b) and (a.source_type, a.cue_stance) == (b.source_type, b.cue_stance)

    @given(RELATIONS, RELATIONS)
    @settings(max_examples=80, deadline=None)
    def check(gold, predicted) -> None:
        found = scores(name, tasks.built_in("attribution", BOOK), gold, predicted)
        for row, rule in ((f"{name}_f1", fits), (f"{name}_with_types_f1", typed)):
            np.testing.assert_allclose(found[row, ""], best_f1(gold, predicted, rule))

    check()


@given(LAYERS, LAYERS)
@settings(max_examples=80, deadline=None)
def test_holder_f1_equals_brute_force(gold, predicted) -> None:
    def fits(a, b) -> bool:
        return a[0].frame == b[0].frame and share(a[0].parts, b[0].parts) and same_holder(a[1], b[1])

    found = scores("holder_f1", tasks.built_in("holder", BOOK), gold, predicted)
    own = list(zip(gold.devices, derive.holders(gold), strict=True))
    for row, holders in (("", derive.holders(predicted)), ("nearest content", nearest_content(predicted))):
        answered = list(zip(predicted.devices, holders, strict=True))
        np.testing.assert_allclose(found["holder_f1", row], best_f1(own, answered, fits))


@given(LAYERS, RELATIONS)
@settings(max_examples=80, deadline=None)
def test_holder_accuracy_equals_a_count_by_hand(gold, relations) -> None:
    joined = Layers(text=TEXT, attributions=relations, devices=gold.devices)
    pairs = list(zip(derive.holders(gold), derive.holders(joined), strict=True))
    others = [p for p in pairs if p[0].kind != "author"]
    predicted = Layers(text=TEXT, attributions=relations, devices=())
    found = scores("holder_accuracy", tasks.built_in("holder", BOOK), gold, predicted)
    for row, counted in (("holder_accuracy", pairs), ("holder_accuracy_not_author", others)):
        right = [same_holder(*pair) for pair in counted]
        np.testing.assert_allclose(found[row, ""], np.mean(right) if right else math.nan)


def test_nearest_content_counts_characters() -> None:
    near = Attribution(source=parts_of([(0, 3)]), content=parts_of([(30, 40)]))
    far = Attribution(source=parts_of([(4, 12)]), content=parts_of([(0, 10)]))
    device = Device(parts=parts_of([(21, 25)]), frame="valour")
    layers = Layers(text=TEXT, attributions=(far, near), devices=(device,))
    assert nearest_content(layers)[0].relation == 1
    assert nearest_content(Layers(text=TEXT, attributions=(), devices=(device,)))[0].kind == "author"


def test_a_layer_that_a_prediction_leaves_out_is_empty() -> None:
    plan = tasks.built_in("holder", BOOK)
    gold = Layers(text=TEXT, attributions=(), devices=(Device(parts=parts_of([(32, 41)]), frame="valour"),))
    assert scores("holder_f1", plan, gold, Layers(text=TEXT, devices=gold.devices))["holder_f1", ""] == 1.0
    assert scores("holder_f1", plan, gold, Layers(text=TEXT, attributions=()))["holder_f1", ""] == 0.0
    assert scores("holder_accuracy", plan, gold, Layers(text=TEXT))["holder_accuracy", ""] == 1.0


@pytest.mark.parametrize("name", components.names("metric"))
def test_a_metric_is_built_for_its_kinds_and_refused_for_others(name: str) -> None:
    metric = components.find("metric", name)
    assert metric.kinds and metric.kinds <= set(tasks.KINDS)
    for kind in tasks.KINDS:
        plan = tasks.Task(
            name="t", kind=kind, labels=("favor", "against"), metrics=(name,), needs=("t",), view=lambda layers: None
        )
        if kind in metric.kinds:
            assert list(scoring.build_metrics(plan)) == [name]
        else:
            with pytest.raises(StancekitError, match=f"not for tasks of kind '{kind}'"):
                scoring.build_metrics(plan)


def test_f_avg_needs_its_labels() -> None:
    with pytest.raises(StancekitError, match="favor and against"):
        scoring.build_metrics(tasks.own("tone", "single", ("pos", "neg"), ("f_avg",)))


def test_default_metrics_of_every_kind_fit_it() -> None:
    for kind, names in tasks.METRICS.items():
        assert all(kind in components.find("metric", name).kinds for name in names)


def test_whole_layers_are_asked_for() -> None:
    sentence = Sentence(id="a", text=TEXT, gold=Layers(text=TEXT, attributions=(), devices=()))
    part = tasks.part(tasks.built_in("holder", BOOK), [sentence])
    with pytest.raises(StancekitError, match="need attributions and devices"):
        scoring.score(part, [Prediction(id="a", answer="blame")], resamples=100)
