"""Every model of the component table keeps the model protocol, on every kind of task that it says it fits."""

import json
import shutil

import pytest

from stancekit import codebook, components, files, tasks
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.markup import Markup
from stancekit.resources import bundled
from stancekit.schema import Layers, Sentence, Span
from stancekit.tasks import Part

NEEDS_RUNS = {"joined", "ensemble", "distil"}  # built of other runs' folders; tested with them
ROWS = [name for name in components.names("model") if name not in NEEDS_RUNS]


def sentences():
    """Some articles, each sentence also with a label of spans for a task of one's own."""
    folder = bundled("data/dispatches") / "orlen"
    found = [s for path in sorted(folder.glob("*.markup"))[:8] for s in Markup().read(path, ReadLog())]
    return [with_named_sources(s) for s in found]


def with_named_sources(sentence):
    gold = sentence.gold
    spans = tuple(Span(p.start, p.end, "source") for a in gold.attributions or () for p in a.source)
    layers = Layers(
        text=sentence.text,
        attributions=gold.attributions,
        devices=gold.devices,
        stances=gold.stances,
        labels={"named": spans},
    )
    return Sentence(id=sentence.id, text=sentence.text, document=sentence.document, index=sentence.index, gold=layers)


@pytest.fixture(scope="module")
def parts():
    book, material = codebook.default(), sentences()
    built = {
        "single": tasks.voice(book),
        "multi": tasks.frames(book),
        "targeted": tasks.stance(book),
        "spans": tasks.own("named", "spans", ["source"]),
        "relations": tasks.attribution(book),
        "devices": tasks.devices(book),
        "layers": tasks.holder(book),
    }
    return {kind: cut(tasks.part(task, material)) for kind, task in built.items()}


def cut(whole):
    train = len(whole) * 3 // 4
    return (
        Part(whole.task, whole.examples[:train], whole.gold[:train]),
        Part(whole.task, whole.examples[train:], whole.gold[train:]),
    )


LEXICON = "labels: {source: {entries: [ministry, he]}}\n"
CASES = [(name, kind) for name in ROWS for kind in sorted(components.find("model", name).kinds)]


QUICK = {"fewshot": {"readings": 1}}


def build(name, kind, tmp_path, encoders):
    """Build a model with its defaults, on a tiny encoder and for one epoch where it has such settings."""
    values, known = dict(QUICK.get(name, {})), components.settings("model", name)
    if "encoder" in known:
        values["encoder"] = str(encoders["bert"])
    if "training" in known:
        values["training"] = {"epochs": 1}
    if (name, kind) == ("lexicon", "spans"):  # the bundled one has the labels of the frames
        path = tmp_path / "lexicon.yaml"
        path.write_text(LEXICON)
        values["lexicon"] = str(path)
    return components.build("model", name, values)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def saved(model, folder):
    model.save(files.make_folder(folder))
    return folder


def test_the_table_is_not_empty():
    assert {"majority", "lexicon", "linear", "crf", "crf-relations"} <= set(ROWS)
    assert {kind for _, kind in CASES} == set(tasks.KINDS)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_model_keeps_the_protocol(name, kind, parts, tmp_path, encoders):
    train, dev = parts[kind]
    model = build(name, kind, tmp_path, encoders)
    model.fit(train, dev)
    predictions = model.predict(dev.examples)
    assert [p.id for p in predictions] == [e.id for e in dev.examples]
    assert model.predict([]) == []
    check_answers(kind, dev, predictions)

    first = saved(model, tmp_path / "first")
    assert {path.suffix for path in contents(first)} <= {".json", ".safetensors"}
    twin = build(name, kind, tmp_path, encoders)
    twin.fit(train, dev)
    assert contents(first) == contents(saved(twin, tmp_path / "twin"))

    again = build(name, kind, tmp_path, encoders)
    again.load(first, dev.task)
    assert again.predict(dev.examples) == predictions
    assert again.predict(dev.examples[::-1]) == predictions[::-1]
    assert contents(first) == contents(saved(again, tmp_path / "again"))
    for key in ("readiness", "denial"):  # what models saved before did not keep is never guessed
        if forgotten(first, tmp_path / key, key):
            with pytest.raises(KeyError, match=key):
                build(name, kind, tmp_path, encoders).load(tmp_path / key, dev.task)


def forgotten(folder, to, key):
    """Copy a saved model without what its JSON holds under a key, at any depth; say whether it held something."""
    shutil.copytree(folder, to)
    found = False

    def without(plain):
        nonlocal found
        found |= key in plain
        return {k: v for k, v in plain.items() if k != key}

    for path in to.rglob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text(), object_hook=without)))
    return found


def check_answers(kind, dev, predictions):
    labels = set(dev.task.labels)
    for prediction, example in zip(predictions, dev.examples, strict=True):
        answer, given = prediction.answer, prediction.probabilities
        if kind in ("single", "targeted"):
            assert answer in labels
            if given is not None:
                assert set(given) == labels and sum(given.values()) == pytest.approx(1, abs=1e-5)
        elif kind == "multi":
            assert isinstance(answer, frozenset) and answer <= labels
            assert given is None or (set(given) == labels and all(0 <= p <= 1 for p in given.values()))
        elif kind == "layers":
            assert answer.text == example.sentence.text
        else:
            assert isinstance(answer, tuple)
            assert given is None or len(given) == len(answer)
        for span in spans_of(answer):
            assert span.end <= len(example.sentence.text)


def spans_of(answer):
    if isinstance(answer, Layers):
        return [*spans_of(answer.attributions), *spans_of(answer.devices)]
    if not isinstance(answer, tuple):
        return []
    found = []
    for item in answer:
        roles = [getattr(item, role, ()) for role in ("source", "cue", "content", "parts")]
        found += [item] if isinstance(item, Span) else [span for role in roles for span in role]
    return found
