"""Runs put together: what an ensemble answers, whom it refuses, and a student that needs its teachers no more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stancekit
from stancekit import codebook, experiment, files, tasks
from stancekit.errors import StancekitError
from stancekit.models.neural.transformer import Transformer
from stancekit.runs.distil import Distil
from stancekit.runs.ensemble import together
from stancekit.runs.run import Run
from stancekit.schema import Attribution, Device, Layers, Prediction, Sentence, Span, Stance, Target, parts_of
from stancekit.tasks import Part
from test_runs import CSV, content, plan
from tiny import Encoders

BOOK = codebook.default()
MOOD = tasks.own("mood", "single", ["calm", "tense", "angry"])
TOPICS = tasks.own("topics", "multi", ["war", "trade", "votes"])


def predictions(*given_: tuple[Any, Any]) -> list[Prediction]:
    return [Prediction(id="x", answer=answer, probabilities=shares) for answer, shares in given_]


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=2, max_size=5))
@settings(max_examples=40, deadline=None)
def test_probabilities_of_labels_are_means(raw: list[list[float]]) -> None:
    shares = np.array(raw) / np.sum(raw, axis=1, keepdims=True)
    said = predictions(*((MOOD.labels[row.argmax()], dict(zip(MOOD.labels, row, strict=True))) for row in shares))
    found = together(MOOD, said)
    assert isinstance(found.probabilities, Mapping)
    assert [*found.probabilities.values()] == pytest.approx(shares.mean(axis=0), abs=1e-6)
    assert found.answer == MOOD.labels[int(np.argmax([*found.probabilities.values()]))]


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ([{"war"}, {"war", "trade"}, {"votes"}], {"war"}),
        ([{"war"}, {"trade"}], {"war"}),  # as many for as against: the mean probability of .5 tells
        ([set(), set()], set()),
    ],
)
def test_a_label_of_a_set_is_voted_on(given_: list[set[str]], wanted: set[str]) -> None:
    """Each run has a threshold of its own, so that its answer counts and not only its probability."""
    shares = [{"war": 0.6, "trade": 0.3, "votes": 0.9}, *[{"war": 0.4, "trade": 0.4, "votes": 0.9}] * 2]
    said = predictions(*((frozenset(own), shares[k]) for k, own in enumerate(given_)))
    assert together(TOPICS, said).answer == frozenset(wanted)


def test_labels_without_probabilities_are_voted_on() -> None:
    said = predictions(("tense", None), ("calm", {"calm": 1.0, "tense": 0.0, "angry": 0.0}), ("calm", None))
    assert together(MOOD, said) == Prediction(id="x", answer="calm")


SPANS = [
    (Span(0, 4, "a"), Span(6, 9, "b")),
    (Span(0, 5, "a"), Span(6, 9, "a")),
    (Span(1, 5, "a"), Span(6, 9, "b")),
    (Span(0, 5, "a"), Span(12, 15, "b")),
]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (SPANS[:3], (Span(0, 4, "a"), Span(6, 9, "b"))),  # of three forms the first run's; the label counts
        (SPANS, (Span(0, 5, "a"), Span(6, 9, "b"))),  # the commonest form; two of four with the first among them
        ([SPANS[3], SPANS[0]], (Span(0, 5, "a"), Span(12, 15, "b"))),  # of two the first run decides
    ],
)
def test_spans_are_those_that_most_give(said: Sequence[Any], wanted: Any) -> None:
    task = tasks.own("named", "spans", ["a", "b"])
    assert together(task, predictions(*((own, (0.5,) * len(own)) for own in said))).answer == wanted


def attribution(cue: int, *, stance: str = "neutral") -> Attribution:
    return Attribution(cue=parts_of([(cue, cue + 3)]), content=parts_of([(10, 20)]), cue_stance=stance)


def device(start: int, frame: str = "blame") -> Device:
    return Device(parts=parts_of([(start, start + 4)]), frame=frame)


def layers(**given_: Any) -> Layers:
    return Layers(text="x" * 30, **given_)


def test_whole_answers_are_merged_layer_by_layer() -> None:
    karsk, vesna = Target("Karsk", Span(0, 5)), Target("Vesna")

    def stances(*labels: str) -> tuple[Stance, ...]:
        return tuple(Stance(t, label) for t, label in zip((karsk, vesna), labels, strict=True))

    said = [
        layers(attributions=(attribution(0),), devices=(device(3),), stances=stances("favor", "none")),
        layers(attributions=(), devices=(device(3, "threat"), device(20)), stances=stances("against", "none")),
        layers(attributions=(attribution(1, stance="distancing"),), devices=(device(3),), labels={"mood": ()}),
    ]
    answer = together(tasks.layers(BOOK), predictions(*((own, None) for own in said))).answer
    assert isinstance(answer, Layers) and answer.text == said[0].text
    assert answer.attributions == (attribution(0),) and answer.devices == (device(3),)
    assert answer.stances == stances("favor", "none") and answer.labels == {"mood": ()}
    moods = [layers(labels={"bias": b, "marks": (Span(0, 4, m),)}) for b, m in zip("xyy", "abb", strict=True)]
    answer = together(tasks.layers(BOOK), predictions(*((own, None) for own in moods))).answer
    assert answer == layers(labels={"bias": "y", "marks": (Span(0, 4, "b"),)})
    alone = [layers(devices=(device(3),)), layers(devices=())]
    answer = together(tasks.layers(BOOK), predictions(*((own, None) for own in alone))).answer
    assert answer == layers(devices=(device(3),)), "a layer that no run answers stays absent"


# Through whole runs.

TRAINING = {"epochs": 2, "learning_rate": 2e-3, "batch_size": 8, "device": "cpu", "precision": "fp32"}


def train(folder: Path, name: str, mode: str = "new", **changes: Any) -> Run:
    run = experiment.train("own-csv", plan(folder, output=folder / name, **changes), mode=mode)
    assert isinstance(run, Run)
    return run


def taught(folder: Path, encoder: Path, seed: int) -> Run:
    training = {"model.encoder": encoder, "model.max_length": 32, "model.training": json.dumps(TRAINING)}
    return train(folder, f"seed-{seed}", **{"model.name": "transformer", "seeds": [seed], **training})


@pytest.fixture(scope="module")
def seeds(encoders: Encoders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like that of one experiment with two seeds."""
    folder = tmp_path_factory.mktemp("runs") / "bert"
    runs = [taught(folder, encoders["bert"], seed) for seed in (1, 2)]
    files.write_json(folder / "seeds.json", {"runs": [run.path.name for run in runs]})
    return folder


def shares(run: Run, texts: Sequence[str]) -> np.ndarray:
    return np.array([[*p.probabilities.values()] for p in run.predict(texts)])


TEXTS = ["Savage invaders burn our village", "Council meets on Monday", "Army smashes nest of bandits"]


@pytest.mark.parametrize("named", ["folder", "list"])
def test_an_ensemble_is_a_run_like_any(seeds: Path, tmp_path: Path, named: str) -> None:
    each = [str(seeds / name) for name in ("seed-1", "seed-2")]
    runs = str(seeds) if named == "folder" else json.dumps(each)
    run = train(tmp_path, "both", **{"model.name": "ensemble", "model.runs": runs})
    mean = np.mean([shares(stancekit.load(path), TEXTS) for path in each], axis=0)
    assert shares(stancekit.load(run.path), TEXTS) == pytest.approx(mean, abs=2e-6)
    assert shares(run, TEXTS[::-1]) == pytest.approx(mean[::-1], abs=2e-6)
    scores = experiment.evaluate(run)
    assert scores.find("accuracy").support == len(run.predictions("test", _texts(run)))
    assert [p.suffix for p in (run.path / "model").iterdir()] == [".json"]
    before = content(run.path)
    again = train(tmp_path, "both", mode="replace", **{"model.name": "ensemble", "model.runs": runs})
    experiment.evaluate(again)
    assert content(again.path) == before


def _texts(run: Run) -> dict[str, str]:
    from stancekit import evaluation

    return {e.id: e.sentence.text for e in evaluation.stored(run, "test").part.examples}


def refused(folder: Path, match: str, **changes: Any) -> None:
    with pytest.raises(StancekitError, match=match):
        train(folder, "refused", **changes)
    assert not (folder / "refused").exists()


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a model that is fitted at once: of the task, of another split, data or task; one of rules."""
    folder = tmp_path_factory.mktemp("linear")
    others = folder / "others.csv"
    head, *rows = CSV.read_text(encoding="utf-8").splitlines()
    others.write_text("\n".join([head, *(f'"Again: {row[1:]}' for row in rows)]), encoding="utf-8")
    train(folder, "other-data", **{"data.path": others})
    train(folder, "own")
    train(folder, "other-split", **{"split.seed": 5})
    train(folder, "other-task", **{"task.name": "kind", "task.column": "label"})
    (folder / "lexicon.yaml").write_text("labels: {loaded: {entries: [savage]}}")
    train(folder, "rules", **{"model.name": "lexicon", "model.lexicon": folder / "lexicon.yaml"})
    return folder


@pytest.mark.parametrize("name", ["ensemble", "distil"])
@pytest.mark.parametrize(
    ("second", "match"),
    [
        ("other-split", r"other-split has learnt from \d+ texts that stand in dev and test here"),
        ("other-data", r"other-data: it was trained on \d+ sentences that are not in train here"),
        ("other-task", "other-task: its task is kind, not label → take runs of this task"),
        ("nowhere", "nowhere"),
    ],
)
def test_runs_that_do_not_fit_are_refused(linear: Path, tmp_path: Path, name: str, second: str, match: str) -> None:
    runs = json.dumps([str(linear / "own"), str(linear / second)])
    refused(tmp_path, match, **{"model.name": name, "model.runs" if name == "ensemble" else "model.teacher": runs})


@pytest.mark.parametrize(
    ("settings_", "match"),
    [
        ({"model.name": "ensemble", "model.runs": "OWN"}, "runs: one run is no ensemble"),
        ({"model.name": "distil", "model.teacher": "TASK"}, "its task is kind, not label"),
        ({"model.name": "distil", "model.teacher": "SPLIT"}, "texts that stand in dev and test here"),
        ({"model.name": "distil", "model.teacher": "OWN", "model.student": "linear"}, "cannot learn shares of labels"),
        ({"model.name": "distil", "model.teacher": "OWN", "model.gold": 1.5}, "1.5 is no weight"),
        ({"model.name": "distil", "model.teacher": "OWN", "model.student": "tranformer"}, "did you mean 'transformer'"),
        ({"model.name": "distil", "model.teacher": "RULES"}, "rules: it gives no probabilities to learn from"),
    ],
)
def test_what_else_is_refused(linear: Path, tmp_path: Path, settings_: dict[str, Any], match: str) -> None:
    names = {"OWN": "own", "TASK": "other-task", "SPLIT": "other-split", "RULES": "rules"}
    given_ = {k: str(linear / names[v]) if v in names else v for k, v in settings_.items()}
    refused(tmp_path, match, **given_)


def test_a_run_trained_anew_is_noticed(linear: Path, tmp_path: Path) -> None:
    train(tmp_path, "first")
    runs = json.dumps([str(linear / "own"), str(tmp_path / "first")])
    run = train(tmp_path, "both", **{"model.name": "ensemble", "model.runs": runs})
    assert stancekit.load(run.path).predict(TEXTS)
    train(tmp_path, "first", mode="replace", **{"model.C": 0.1})
    with pytest.raises(StancekitError, match="first: this run was trained anew since .* → train this experiment again"):
        stancekit.load(run.path).predict(TEXTS)


def test_a_student_learns_what_its_teachers_say(encoders: Encoders, linear: Path, tmp_path: Path) -> None:
    """It is alone afterwards: its folder names no teacher, and works where there is none."""
    student = {"name": "transformer", "encoder": str(encoders["bert"]), "max_length": 32, "pool": "standard"}
    student["training"] = {**TRAINING, "epochs": 25, "learning_rate": 3e-3}
    teachers = tmp_path / "teachers"
    for number, strength in enumerate((1.0, 4.0)):
        train(teachers, f"t{number}", **{"model.C": strength})
    said = json.dumps([str(teachers / f"t{k}") for k in (0, 1)])
    changes = {"model.name": "distil", "model.teacher": said, "model.student": json.dumps(student), "model.gold": 0.0}
    run = train(tmp_path, "student", **changes)
    split = json.loads((run.path / "split.json").read_text())
    texts = [s.text for s in _sentences(run) if s.id in set(split["parts"]["train"])]
    wanted = np.mean([shares(stancekit.load(teachers / f"t{k}"), texts) for k in (0, 1)], axis=0)
    found = shares(run, texts)
    assert np.corrcoef(found[:, 0], wanted[:, 0])[0, 1] > 0.9
    assert np.abs(found - wanted).mean() < 0.6 * np.abs(wanted - wanted.mean(axis=0)).mean()
    teachers.rename(tmp_path / "gone")
    assert shares(stancekit.load(run.path), texts) == pytest.approx(found)
    kept = json.loads((run.path / "model" / "distil.json").read_text())
    assert len(kept["teachers"]) == 2 and str(tmp_path) not in (run.path / "model" / "distil.json").read_text()


def _sentences(run: Run) -> Any:
    from stancekit.data import load

    return load.load(run.experiment.data.path, format="csv", options={"text": "text", "label": "label"})


def test_gold_counts_beside_the_teacher_as_asked(
    encoders: Encoders, seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []

    def fit_shares(self: Any, train_: Any, wanted: np.ndarray, dev: Any, workspace: Any) -> None:
        seen.append(wanted)
        raise StancekitError

    monkeypatch.setattr(Transformer, "fit_shares", fit_shares)
    for weight in (0.0, 0.25, 1.0):
        changes = {"model.name": "distil", "model.teacher": seeds, "model.gold": weight}
        with pytest.raises(StancekitError):
            train(tmp_path, f"gold-{weight}", **changes)
    soft, mixed, hard = seen
    assert ((hard == 0) | (hard == 1)).all() and (hard.sum(axis=1) == 1).all()
    assert mixed == pytest.approx(0.25 * hard + 0.75 * soft) and soft.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_student_that_learns_votes_takes_them_for_gold(monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks.own("kind", "single", ["a", "b"])
    gold = Layers(text="x", labels={"kind": "a"}, votes={"kind": {"a": 0.75, "b": 0.25}})
    part = tasks.part(task, [Sentence(id="1", text="x", gold=gold)])
    seen: list[Any] = []
    monkeypatch.setattr(Distil, "_teach", lambda *_: np.array([[0.0, 1.0]]))
    monkeypatch.setattr(Transformer, "fit_shares", lambda _, train, wanted, *rest: seen.append(wanted.tolist()))
    for soft in (False, True):
        Distil("a run", student={"name": "transformer", "soft_labels": soft}, gold=0.4).fit(part, Part(task))
    assert seen == [[[pytest.approx(0.4), pytest.approx(0.6)]], [[pytest.approx(0.3), pytest.approx(0.7)]]]
