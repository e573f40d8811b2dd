"""Our decoding equals CRFsuite's and brute force; what is learnt comes from train only, the same each time."""

import itertools

import numpy as np
import pycrfsuite
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stancekit import codebook, tasks
from stancekit.errors import StancekitError
from stancekit.models import chain, context, viterbi
from stancekit.models.candidates import ActorFinder, learn
from stancekit.models.chain import ChainSettings
from stancekit.models.crf import Crf
from stancekit.models.encoder import Encoder, lexicon
from stancekit.schema import Device, Layers, Sentence, Span
from stancekit.tasks import Part, part
from stancekit.text import tags

weights = st.floats(-4, 4, width=32)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.data())
def test_paths_and_marginals_equal_brute_force_over_all_paths(lengths, data):
    transitions = data.draw(arrays(np.float64, (3, 3), elements=weights))
    scores = [data.draw(arrays(np.float64, (n, 3), elements=weights)) for n in lengths]
    best, probable = viterbi.best_paths(scores, transitions), viterbi.marginals(scores, transitions)
    for score, path, marginal in zip(scores, best, probable, strict=True):
        assert marginal.shape == score.shape
        if len(score):
            totals = {p: total(p, score, transitions) for p in itertools.product(range(3), repeat=len(score))}
            assert totals[tuple(path)] == pytest.approx(max(totals.values()))
            assert marginal == pytest.approx(brute_marginals(totals, score.shape))


def total(path, score, transitions):
    return sum(score[t, k] for t, k in enumerate(path)) + sum(transitions[a, b] for a, b in itertools.pairwise(path))


def brute_marginals(totals, shape):
    found = np.zeros(shape)
    for path, value in totals.items():
        for t, k in enumerate(path):
            found[t, k] += np.exp(value)
    return found / found.sum(axis=1, keepdims=True)


def random_corpus(seed, count=60):
    """Features of which some tell the tag, and tags that follow each other."""
    generator = np.random.default_rng(seed)
    features, gold = [], []
    for _ in range(count):
        n = int(generator.integers(1, 12))
        labels = generator.choice(["O", "B-x", "I-x", "B-y"], n).tolist()
        noisy = [label if generator.random() < 0.6 else "?" for label in labels]
        features.append([[f"w={generator.integers(9)}" for _ in range(n)], [f"t={label}" for label in noisy]])
        gold.append(labels)
    return features, gold


@pytest.mark.parametrize("algorithm", chain.ALGORITHMS)
def test_tags_and_marginals_equal_those_of_crfsuite(algorithm, tmp_path):
    features, gold = random_corpus(1)
    settings = ChainSettings(algorithm, c1=0.1 if algorithm == "lbfgs" else 0, max_iterations=15)
    ours = chain.train(features, gold, settings)
    trainer = pycrfsuite.Trainer(algorithm=algorithm, params=settings.parameters(), verbose=False)
    for sentence, labels in zip(features, gold, strict=True):
        trainer.append([list(token) for token in zip(*sentence, strict=True)], labels)
    chain.seed_c_library(settings.seed)
    trainer.train(str(tmp_path / "model"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "model"))
    unseen, _ = random_corpus(2)
    scores = ours.scores(unseen)
    for sentence, labels, probable in zip(
        unseen, ours.tag(scores), viterbi.marginals(scores, ours.transitions.astype(np.float64)), strict=True
    ):
        assert tagger.tag([list(token) for token in zip(*sentence, strict=True)]) == labels
        theirs = [[tagger.marginal(label, t) for label in ours.labels] for t in range(len(labels))]
        assert probable == pytest.approx(np.array(theirs), abs=1e-4)


def test_a_second_training_in_one_process_gives_the_same_weights():
    features, gold = random_corpus(3)
    one, two = (chain.train(features, gold, ChainSettings("l2sgd", c1=0, max_iterations=5)) for _ in range(2))
    assert one.states.tobytes() == two.states.tobytes()


def sentence(text, *devices, document="d", index=0):
    return Sentence(
        id=f"{document}.{index}", text=text, document=document, index=index, gold=Layers(text=text, devices=devices)
    )


def device(text, words, frame, target=None, negated=False):
    start = text.index(words)
    return Device(parts=(Span(start, start + len(words)),), frame=frame, target=target, negated=negated)


TOWNS = "Osk Velm Kamen Sille Ruda Zell Brod Halle Mirna Losk".split()


def war(count=30):
    """Devices that stand after the name of whom they frame."""
    found = []
    for k in range(count):
        town = TOWNS[k % len(TOWNS)]
        hero = f"Karskan heroic defenders held {town} on day {k}."
        gang = f"Near {town} the Tolmenian sabotage groups of Tolmenia fled on day {k}."
        found.append(sentence(hero, device(hero, "heroic", "valour", "Karsk"), index=3 * k))
        found.append(sentence(gang, device(gang, "sabotage groups", "enemy_image", "Tolmenia"), index=3 * k + 1))
        found.append(sentence(f"The ferry at {town} was not running on day {k}.", index=3 * k + 2))
    denied = "Nobody saw any heroic defenders there."
    return [*found, sentence(denied, device(denied, "heroic", "valour", negated=True), index=3 * count)]


@pytest.fixture(scope="module")
def trained():
    task = tasks.devices(codebook.default())
    model = Crf(max_iterations=30)
    model.fit(part(task, war()), part(task, war(5)))
    return task, model


def test_devices_get_frame_target_and_confidence_on_names_never_seen(trained):
    task, model = trained
    text = "Ruritanian heroic defenders left Ruritania at dawn."
    found = model.predict(part(task, [sentence(text)]).examples)[0]
    assert [(d.frame, d.target, d.parts[0].of(text)) for d in found.answer] == [("valour", "Ruritania", "heroic")]
    assert len(found.probabilities) == 1
    assert 0 < found.probabilities[0] <= 1


def test_a_denied_device_is_negated(trained):
    task, model = trained
    texts = ["Nobody saw any heroic defenders at Osk.", "Crew No. 2 saw heroic defenders at Osk."]
    found = model.predict(part(task, [sentence(text, index=k) for k, text in enumerate(texts)]).examples)
    assert [[(d.frame, d.negated) for d in p.answer] for p in found] == [[("valour", True)], [("valour", False)]]


def test_empty_input_and_spaces_are_answered(trained):
    task, model = trained
    assert model.predict([]) == []
    assert model.predict(part(task, [sentence(" ")]).examples)[0].answer == ()


def test_aliases_are_learnt_where_the_target_is_not_named():
    texts = ["The Velm cabinet spoke.", "In Velm they met.", "Karsk rose.", "Osk slept."]
    sentences = [sentence(text, index=k) for k, text in enumerate(texts)]
    finder = learn(sentences, Encoder(sizes=()).see(sentences), [["Karsk"], ["Karsk"], ["Karsk"], []])
    assert finder.aliases == {"Velm": "Karsk"}
    assert [m.actor for m in finder.mentions(Encoder(sizes=()).see(sentences[:1])[0])] == ["Karsk"]


def test_an_adjective_takes_the_name_that_its_document_has():
    sentences = [sentence("Zubrowkan guards left."), sentence("They came from Zubrowka.", index=1)]
    named = ActorFinder().in_documents(sentences, Encoder(sizes=()).see(sentences))
    assert [[m.actor for m in row] for row in named] == [["Zubrowka"], ["Zubrowka"]]


def test_spans_with_overlaps_go_to_a_second_layer_and_are_counted():
    task = tasks.own("named", "spans", ["outer", "inner"])
    text = "the old town hall burned"
    spans = (Span(0, 17, "outer"), Span(8, 12, "inner"), Span(18, 20, "inner"))
    rows = [
        Sentence(id=str(k), text=text, document=str(k), gold=Layers(text=text, labels={"named": spans}))
        for k in range(20)
    ]
    one, two = Crf(max_iterations=20), Crf(max_iterations=20, layers=2, scheme="BIOES")
    for model in (one, two):
        model.fit(part(task, rows), part(task, []))
    assert one.lost == {tags.CROWDED: 20, tags.WIDENED: 20}
    assert two.lost == {tags.WIDENED: 20}
    found = two.predict(part(task, rows[:1]).examples)[0].answer
    assert set(found) == {Span(0, 17, "outer"), Span(8, 12, "inner"), Span(18, 24, "inner")}


def test_quotations_left_open_are_carried_within_a_document():
    texts = ["He said: “We came.", "We saw.", "We won.” It rained.", "They left."]
    sentences = [sentence(text, index=k) for k, text in enumerate(texts)]
    assert context.carried(sentences) == ["", "1", "2", ""]
    assert context.carried([sentences[2], sentence("So.", document="e"), sentences[1]]) == ["", "", ""]
    assert context.left_open('"I go. ') == '"'
    assert context.left_open('"And I stay.', '"') == '"'
    assert context.left_open('I stay," he said.', '"') == ""


def test_every_bad_setting_is_named_at_once():
    with pytest.raises(StancekitError) as error:
        Crf(algorithm="lbfsg", c2=-1, window=9, scheme="IOB", layers=0, clusters=[1], max_iterations=0)
    assert [p.where for p in error.value.problems] == [
        "algorithm", "c1, c2", "c1", "max_iterations", "window", "clusters", "scheme", "layers",
    ]  # fmt: skip


def test_nothing_to_learn_is_an_error():
    task = tasks.devices(codebook.default())
    with pytest.raises(StancekitError, match="no span to learn from"):
        Crf().fit(Part(task), Part(task))


def test_the_bundled_lexicon_marks_entries_cues_and_sources():
    encoder = Encoder(sizes=(), rules=lexicon("bundled"))
    columns = encoder.see([sentence("The ministry claimed that sabotage groups fled.")])[0].columns
    assert columns["entry"][4:6] == ["Benemy_image", "Ienemy_image"]
    assert columns["verb"][2] == "Bdistancing"
    assert columns["kind"][1] == "Bgovernment"
