"""The task `layers`: sentences that lack layers, each layer scored where gold has it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from stancekit import codebook, components, experiment, reports, scoring, tasks
from stancekit.data import predictions as predictions_file
from stancekit.data import record
from stancekit.errors import Problems, StancekitError
from stancekit.evaluation import Evaluated
from stancekit.metrics.layers import by_target
from stancekit.models.majority import Majority
from stancekit.reports.sentences import drawn
from stancekit.runs.answered import answered
from stancekit.runs.run import describe_task, restore_task
from stancekit.schema import Attribution, Device, Example, Layers, Prediction, Sentence, Span, Stance, Target, parts_of
from stancekit.tasks import Part

TEXT = "Karsk shelled the heroic town, Tolmenia said."
BUILT_IN = tasks.built_in("layers", codebook.default())
OWN = (
    tasks.own("tone", "targeted", ["pos", "neg"]),
    tasks.own("mood", "single", ["calm", "loud"]),
    tasks.own("themes", "multi", ["war", "law"]),
    tasks.own("marks", "spans", ["x", "y"]),
)
TASK = tasks.over((*BUILT_IN.inner, *OWN))
SAID = Attribution(
    source=parts_of([(31, 39)]), cue=parts_of([(40, 44)]), content=parts_of([(0, 29)]), cue_stance="neutral"
)
HEROIC = Device(parts=parts_of([(18, 24)]), frame="valour")
KARSK, TOLMENIA = Target("Karsk", Span(0, 5)), Target("Tolmenia", Span(31, 39))


def example(k: int, **layers) -> Example:
    return Example(id=str(k), sentence=Sentence(id=str(k), text=TEXT, gold=Layers(text=TEXT, **layers)))


def scored(rows, **options) -> scoring.Scores:
    """Score (gold, predicted) layers."""
    examples = [example(k, **gold) for k, (gold, _) in enumerate(rows)]
    part = tasks.part(TASK, [e.sentence for e in examples])
    predicted = {str(k): Layers(text=TEXT, **given) for k, (_, given) in enumerate(rows)}
    found = [Prediction(id=e.id, answer=predicted[e.id]) for e in part.examples]
    return scoring.score(part, found, resamples=100, **options)


def test_a_sentence_counts_where_any_layer_is_annotated() -> None:
    rows = [{}, {"attributions": ()}, {"devices": (HEROIC,)}, {"stances": ()}, {"labels": {"tone": ()}}]
    part = tasks.part(TASK, [example(k, **row).sentence for k, row in enumerate([*rows, {"labels": {"topic": "war"}}])])
    assert [e.id for e in part.examples] == ["1", "2", "3", "4"]
    assert part.gold == tuple(e.sentence.gold for e in part.examples)


def test_each_layer_is_scored_only_where_gold_has_it() -> None:
    given = {"attributions": (SAID,), "devices": (HEROIC,), "stances": (Stance(KARSK, "against"),)}
    scores = scored(
        [
            ({"attributions": (SAID,)}, given),
            ({"attributions": ()}, given),
            ({"devices": (HEROIC,)}, given),
            ({"stances": (Stance(KARSK, "against"), Stance(TOLMENIA, "favor"))}, given),
            ({"labels": {"tone": (Stance(KARSK, "neg"),)}}, {"labels": {"tone": (Stance(KARSK, "neg"),)}}),
            ({"attributions": (SAID,), "devices": (HEROIC,)}, given),
        ]
    )
    found = {row.metric: (row.value, row.support) for row in scores.rows if not row.label}
    assert found["attribution linked_exact_precision"] == (pytest.approx(2 / 3), 2)
    assert found["attribution linked_overlap_recall"] == (1.0, 2)
    assert found["devices span_exact_f1"] == (1.0, 2)
    assert found["stance accuracy"] == (0.5, 2), "a gold target that was not answered is wrong"
    assert found["tone macro_f1"] == (1.0, 1)
    assert found["holder_f1"] == (1.0, 1), "only one sentence has both layers"
    leads = ("attribution linked_overlap_f1", "devices span_overlap_f1", "stance macro_f1", "tone macro_f1")
    assert found["layers_mean"][0] == pytest.approx(np.mean([found[name][0] for name in leads]))
    assert scores.find("stance f1", "favor").value == 0.0


PAIRS = st.lists(st.tuples(strategies.layers(TEXT), strategies.layers(TEXT)), min_size=1, max_size=5)


@given(PAIRS)
@settings(max_examples=40, deadline=None)
def test_a_layer_is_scored_as_the_task_of_its_own_would_be(pairs) -> None:
    metric = components.build("metric", "each_layer", {"task": TASK})
    counts = np.sum([metric.count(gold, predicted, TEXT) for gold, predicted in pairs], axis=0)
    found = dict(zip(metric.rows, metric.score(counts), strict=True))
    empty = {"single": "", "multi": frozenset()}
    for task, name in [(one, name) for one in TASK.inner if one.kind != "targeted" for name in one.metrics]:
        alone = components.build("metric", name, {"task": task})
        both = [(task.view(g), task.view(replace(p, stances=g.stances))) for g, p in pairs]
        rows = [(own, empty.get(task.kind, ()) if given is None else given) for own, given in both if own is not None]
        sums = np.sum([np.zeros(alone.size), *(alone.count(*row, TEXT) for row in rows)], axis=0)
        for (figure, label), value in zip(alone.rows, alone.score(sums), strict=True):
            np.testing.assert_equal(found[f"{task.name} {figure}", label], value)


def stances(*rows) -> list[Stance]:
    return [Stance(Target(name, Span(*span) if span else None), label) for name, span, label in rows]


TARGETS = {
    "in another order": ([("B", None, "y"), ("A", None, "x")], ["x", "y"]),
    "one not answered": ([("B", None, "y")], ["", "y"]),
    "one too many": ([("C", None, "z"), ("A", None, "x"), ("B", None, "y")], ["x", "y"]),
    "the span is not said": ([("A", (0, 1), "x"), ("B", (3, 4), "y")], ["x", "y"]),
    "a repeated mention": ([("A", None, "y"), ("A", None, "z"), ("B", None, "x")], ["y", "x"]),
}


@pytest.mark.parametrize("case", TARGETS)
def test_stances_are_compared_over_the_targets_of_gold(case: str) -> None:
    answered_, expected = TARGETS[case]
    gold = stances(("A", None, "x"), ("B", None, "y"))
    assert [label for _, label in by_target(gold, stances(*answered_))] == expected


def test_equal_targets_are_joined_before_those_of_one_name() -> None:
    gold = stances(("A", (0, 1), "x"), ("A", (5, 6), "y"))
    assert list(by_target(gold, gold[::-1])) == [("x", "x"), ("y", "y")]


def test_a_model_sees_targets_and_no_labels() -> None:
    one = example(1, stances=(Stance(KARSK, "favor"),), labels={"tone": (Stance(TOLMENIA, "neg"),), "topic": "war"})
    assert tasks.targets_of(one) == (KARSK, TOLMENIA)
    assert tasks.targets_of(one, "stance") == (KARSK,) and tasks.targets_of(one, "tone") == (TOLMENIA,)
    assert tasks.targets_of(one, "topic") == ()
    assert tasks.targets_of(Example(id="1#1", sentence=one.sentence, target=TOLMENIA)) == (TOLMENIA,)
    bare = tasks.asked(one.sentence, [TOLMENIA])
    assert bare.gold == Layers(text=TEXT, stances=(Stance(TOLMENIA, ""),))


@given(strategies.layers(TEXT))
@settings(max_examples=40, deadline=None)
def test_predicted_layers_come_back_from_a_file(layers) -> None:
    problems = Problems()
    reader = record.Reader("x", problems)
    reader.text = TEXT
    raw = predictions_file.dump(Prediction(id="1", answer=layers))["answer"]
    back = reader.answer("layers", raw)
    assert not problems and [one.view(back) for one in TASK.inner] == [one.view(layers) for one in TASK.inner]
    assert answered(example(1).sentence, TASK, [layers]).gold == layers


def test_the_task_is_restored_from_a_run() -> None:
    back = restore_task(describe_task(TASK))
    assert back == TASK and hash(back) == hash(TASK)
    assert back.view(Layers(text=TEXT, labels={"tone": ()})) is not None and back.view(Layers(text=TEXT)) is None


def test_whole_layers_are_asked_for() -> None:
    with pytest.raises(StancekitError, match="whole layers are expected, not tuple"):
        scoring.score(tasks.part(TASK, [example(1, devices=()).sentence]), [Prediction(id="1", answer=())])


def test_a_report_judges_only_what_gold_has() -> None:
    golds = [{"stances": (Stance(KARSK, "none"),)}, {"attributions": (SAID,)}, {"devices": ()}]
    golds += [{"labels": {"mood": "calm"}}, {"labels": {"themes": frozenset({"war"}), "marks": (Span(0, 5, "x"),)}}]
    golds += [{"labels": {"marks": (Span(0, 12, "x"),)}}]
    part = tasks.part(TASK, [example(k, **gold).sentence for k, gold in enumerate(golds)])
    layers = {"attributions": (SAID,), "devices": (HEROIC,), "stances": (Stance(KARSK, "favor"),)}
    sets = {"themes": frozenset({"war"}), "marks": (Span(0, 12, "x"),)}
    guess = Layers(text=TEXT, **layers, labels=sets)
    predictions = tuple(Prediction(id=e.id, answer=guess) for e in part.examples)
    scores = scoring.score(part, predictions, resamples=100)
    page = reports.files_of_predictions("x", Evaluated("test", part, predictions, scores))["report.md"].decode()
    assert "Mistakes: 4 of 4, among 6 examples" in page, "the second and the last sentence are right"
    assert "gold: calm mood" in page and "predicted: not answered mood" in page
    assert "gold: war themes; x “Karsk” marks" in page and "predicted: war themes; x “Karsk shelle” marks" in page
    assert "gold: none “Karsk” stance" in page and "predicted: favor “Karsk” stance" in page
    assert "| stance, accuracy | 0.000 |" in page and "holder" not in page, "no sentence has devices and relations"


@pytest.mark.parametrize("alone", [False, True])
def test_every_confidence_stands_beside_its_own_item(alone: bool) -> None:
    sets = {"mood": "calm", "themes": frozenset({"war", "law"}), "marks": (Span(0, 5, "x"),)}
    layers = {"attributions": (SAID,), "devices": (HEROIC,), "stances": (Stance(KARSK, "favor"),), "labels": sets}
    gold = {name: own for name, own in layers.items() if name in ("devices", "stances", "labels") or not alone}
    part = tasks.part(TASK, [example(1, **gold).sentence])
    sure = {"relation 1": 0.1, "valour": 0.2, "favor": 0.3, "calm": 0.4, "law": 0.5, "war": 0.6, "x": 0.7}
    predictions = (Prediction(id="1", answer=Layers(text=TEXT, **layers), probabilities=tuple(sure.values())),)
    evaluated = Evaluated("test", part, predictions, scoring.score(part, predictions, resamples=50))
    page = reports.files_of_predictions("x", evaluated)["report.md"].decode()
    assert ("## By rule: holder-F1" in page) is not alone
    ((_, line),) = [row["lines"] for row in drawn(evaluated, [])]
    expected = {name: own for name, own in sure.items() if not (alone and name == "relation 1")}
    assert {item["label"]: item["confidence"] for item in line["told"]} == expected


def test_a_set_without_labels_is_an_answer_and_not_a_missing_one() -> None:
    part = tasks.part(TASK, [example(1, labels={"themes": frozenset()}).sentence])
    for own, right in ((frozenset(), True), (frozenset({"law"}), False)):
        predictions = (Prediction(id="1", answer=Layers(text=TEXT, labels={"themes": own})),)
        evaluated = Evaluated("test", part, predictions, scoring.score(part, predictions, resamples=50))
        (row,) = drawn(evaluated, [])
        assert row["right"] is right
        assert [[item["label"] for item in line["told"]] for line in row["lines"]] == [[], sorted(own)]


def test_majority_answers_sets_of_sentences(tmp_path) -> None:
    moods = [("loud", {"law"}), ("calm", {"law", "war"}), ("loud", {"war"}), ("calm", set())]  # of equals the first
    rows = [example(k, labels={"mood": mood, "themes": frozenset(own)}) for k, (mood, own) in enumerate(moods)]
    model, again = Majority(), Majority()
    model.fit(tasks.part(TASK, [e.sentence for e in rows]), Part(TASK))
    model.save(tmp_path)
    again.load(tmp_path, TASK)
    for one in (model, again):
        (found,) = one.predict([example(9)])
        assert found.answer.labels == {"mood": "calm", "themes": frozenset()}


def test_majority_answers_every_target_end_to_end(tmp_path) -> None:
    settings_ = [f"output={tmp_path / 'run'}", "task=layers", "evaluation.resamples=100"]
    run = experiment.train("stance-majority", settings_)
    scores = experiment.evaluate(run)
    own = experiment.evaluate(
        experiment.train("stance-majority", [f"output={tmp_path / 'own'}", "model.per_target=false"])
    )
    assert scores.find("stance accuracy").value == own.find("accuracy").value
    assert scores.find("attribution linked_overlap_f1").value == 0.0 and scores.find("holder_f1").value == 0.0
    assert math.isclose(scores.find("stance macro_f1").value, own.find("macro_f1").value)
    (found,) = run.predict({"text": TEXT, "target": "Karsk"})
    assert found.answer.stances == (Stance(KARSK, "none"),)
    assert run.manifest["dev"]["layers"]["metric"] == "layers_mean"
    assert set(run.manifest["dev"]) == {"layers", "attribution", "devices", "stance"}
