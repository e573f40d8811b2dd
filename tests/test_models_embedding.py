"""Frozen encoders: what the cache gives is what would be computed, and vectors stand for the words they should."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pycrfsuite
import pytest
import torch
from sklearn.decomposition import PCA

import tiny
from stancekit import codebook, files, tasks
from stancekit.errors import StancekitError
from stancekit.models import chain
from stancekit.models.chain import ChainSettings
from stancekit.models.encoder import Seen
from stancekit.models.neural.embedding import Embedding
from stancekit.models.neural.encoders import frozen, net, views
from stancekit.models.neural.encoders.frozen import Frozen
from stancekit.models.neural.encoders.word_vectors import WordReader, WordVectors
from stancekit.models.neural.texts import cache
from stancekit.schema import Device, Example, Layers, Sentence, Span, Target
from stancekit.tasks import Part, part
from stancekit.text.tokens import tokens

ONES = {"a": np.ones((2, 3), np.float16), "b": np.arange(4)}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


def entries(store):
    return sorted(path for path in store.rglob("*") if path.is_file())


def never():
    raise AssertionError("it was computed again")


def equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert np.array_equal(one[name], other[name])


def test_what_was_computed_once_is_read(store):
    equal(cache.cached(["x"], lambda: ONES), ONES)
    equal(cache.cached(["x"], never), ONES)
    assert len(entries(store)) == 1


DAMAGE = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:-3],
    "a bit flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "another file": lambda content: b"no safetensors at all",
    "header": lambda content: b"\xff" * 8 + content[8:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_computed_anew(store, damage):
    cache.cached(["x"], lambda: ONES)
    (path,) = entries(store)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    equal(cache.cached(["x"], lambda: ONES), ONES)
    assert path.read_bytes() == whole


def test_keys_differ_where_any_part_does():
    row = np.arange(4)
    parts = [
        ["ab", "c"], ["a", "bc"], ["abc"], [["ab", "c"]], [b"abc"], [], [row], [row.astype(np.int32)],
        [row.reshape(2, 2)], [row[:2], row[2:]], [row.tolist()], [{"a": 1}], [{"a": 2}],
    ]  # fmt: skip
    assert len({cache.key(p) for p in parts}) == len(parts)


def test_nothing_is_kept_where_nothing_can_be(store, monkeypatch):
    store.write_text("a file stands where the folder would")
    for _ in range(2):
        equal(cache.cached(["x"], lambda: ONES), ONES)
    monkeypatch.setenv(cache.FOLDER, "")
    monkeypatch.setenv("HOME", str(store.parent / "home"))
    equal(cache.cached(["x"], lambda: ONES), ONES)
    assert not (store.parent / "home").exists()


def test_the_least_used_files_go_first(store, monkeypatch):
    big = {"a": np.zeros(1000)}
    monkeypatch.setenv(cache.LIMIT, str(30_000 / 2**30))
    for number in range(10):
        cache.cached([number], lambda: big)
        for age, path in enumerate(sorted(entries(store), key=lambda p: p.stat().st_mtime_ns)):
            os.utime(path, ns=(age, age))  # a clock may be too coarse to tell them apart
        cache.cached([0], never)
    assert sum(path.stat().st_size for path in entries(store)) <= 30_000
    cache.cached([9], never)
    with pytest.raises(AssertionError):
        cache.cached([1], never)
    monkeypatch.setenv(cache.LIMIT, "much")
    with pytest.raises(StancekitError, match="no number of gibibytes"):
        cache.cached([0], never)


def test_several_may_write_and_prune_at_once(store, monkeypatch):
    monkeypatch.setenv(cache.LIMIT, str(20_000 / 2**30))

    def ask(number):
        return cache.cached([number % 7], lambda: {"a": np.full(500, number % 7)})["a"]

    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(ask, range(200))):
            assert found.tolist() == [number % 7] * 500


def built(kind, articles=3):
    """Train and dev of some articles for a kind of task."""
    book = codebook.default()
    whole = part({"multi": tasks.frames, "targeted": tasks.stance, "devices": tasks.devices}[kind](book), tiny.corpus())
    cut = len(whole) * 3 // 4
    return (
        Part(whole.task, whole.examples[:cut], whole.gold[:cut]),
        Part(whole.task, whole.examples[cut:], whole.gold[cut:]),
    )


def saved(folder, encoder, kind, **settings):
    train, dev = built(kind)
    model = Embedding(str(encoder), crf={"max_iterations": 5, "clusters": []}, **settings)
    model.fit(train, dev)
    model.save(files.make_folder(folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}, model.predict(dev.examples)


@pytest.mark.parametrize("kind", ["targeted", "devices"])
def test_cold_warm_and_without_a_cache_the_bytes_are_the_same(kind, encoders, store, tmp_path, monkeypatch):
    cold = saved(tmp_path / "cold", encoders["bert"], kind)
    monkeypatch.setattr(net, "encoder_of", lambda _: never())
    assert saved(tmp_path / "warm", encoders["bert"], kind) == cold
    monkeypatch.undo()
    monkeypatch.setenv(cache.FOLDER, "")
    assert saved(tmp_path / "off", encoders["bert"], kind) == cold
    assert entries(store)


def test_a_new_sentence_leaves_most_of_the_cache_valid(encoders, store, monkeypatch):
    monkeypatch.setattr(frozen, "_EVERY", 8)
    examples = [Example(id=s.id, sentence=s) for s in tiny.corpus()]
    views.features(Frozen(encoders["bert"], 128), examples[1:], "mean", 0)
    before = len(entries(store))
    views.features(Frozen(encoders["bert"], 128), examples, "mean", 0)
    assert before > 5
    assert 1 <= len(entries(store)) - before <= 2


def spoil(name):
    def change(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "needs the encoder .*sha256: model.safetensors [0-9a-f]{64}.*put it back"),
        (spoil("model.safetensors"), "has changed since this run was trained: model.safetensors"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "tokenizer.json"),
    ],
    ids=["gone", "other weights", "other tokenizer"],
)
def test_another_encoder_is_refused(change, message, encoders, tmp_path):
    own = tmp_path / "encoder"
    shutil.copytree(encoders["bert"], own)
    train, dev = built("multi")
    model = Embedding(str(own))
    model.fit(train, dev)
    model.save(files.make_folder(tmp_path / "model"))
    Embedding(str(own)).load(tmp_path / "model", train.task)
    change(own)
    with pytest.raises(StancekitError, match=message):
        Embedding(str(own)).load(tmp_path / "model", train.task)


def hidden(encoder, text):
    """The vectors of a text's pieces and their offsets, straight from the encoder."""
    coded = encoder.kit.tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
    offsets = coded.pop("offset_mapping")[0].tolist()
    with torch.inference_mode():
        return net.encoder_of(encoder.kit.folder).eval()(**coded).last_hidden_state[0].numpy(), offsets


def mean(vectors, offsets, start, end):
    return np.mean([v for v, (a, b) in zip(vectors, offsets, strict=True) if a < end and b > start and b > a], axis=0)


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_a_target_is_its_mention_or_its_name_read_alone(encoders, store):
    encoder = Frozen(encoders["bert"], 128)
    text = "The ministry said that Velm was shelled again."
    sentence = Sentence(id="s", text=text)
    spot = (text.index("Velm"), text.index("Velm") + 4)
    targets = [Target("Velm", Span(*spot)), Target("Karsk"), Target("")]
    found = views.features(encoder, [Example(id="e", sentence=sentence, target=t) for t in targets], "target", 0)
    whole, name = hidden(encoder, text), hidden(encoder, "Karsk")
    assert found[:, :32] == pytest.approx(np.tile(unit(mean(*whole, 0, len(text))), (3, 1)), abs=1e-5)
    assert found[0, 32:] == pytest.approx(unit(mean(*whole, *spot)), abs=1e-5)
    assert found[1, 32:] == pytest.approx(unit(mean(*name, 0, 5)), abs=1e-5)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_words_are_the_means_of_their_pieces(kind, encoders, store):
    encoder = Frozen(encoders[kind], 128)
    text = "“Unbelievable provocations,” Mr. Ünal's spokeswoman said: don't go!"
    long = " ".join([text] * 6)
    (short,) = WordReader(encoder).of([Seen(text, tokens(text), {})])
    many, empty = WordReader(Frozen(encoders[kind], 32)).of([Seen(t, tokens(t), {}) for t in (long, " ")])
    vectors, offsets = hidden(encoder, text)
    for token, own in zip(tokens(text), short, strict=True):
        assert own == pytest.approx(mean(vectors, offsets, token.start, token.end), abs=2e-3)
    assert many.shape == (len(tokens(long)), 32)
    assert many.any(axis=1).all()
    assert empty.shape == (0, 32)


def test_directions_are_principal_components_of_equal_variance():
    rng = np.random.default_rng(0)
    flat = (rng.normal(size=(400, 12)) * np.arange(1, 13) + 5).astype(np.float32)
    reduced = WordVectors(4)
    reduced.learn([flat[:150], flat[150:150], flat[150:]])
    found = np.concatenate(reduced.of([flat]))
    theirs = PCA(4, whiten=True).fit_transform(flat)
    assert np.abs(np.corrcoef(found.T, theirs.T)[:4, 4:]) == pytest.approx(np.eye(4), abs=1e-3)
    assert found.std(axis=0) == pytest.approx(np.full(4, found.std()), rel=1e-3)
    assert not reduced.of([np.zeros((1, 12), np.float32)])[0].any()  # a word without a vector


def test_a_chain_with_numbers_tags_as_crfsuite_does(tmp_path):
    rng = np.random.default_rng(1)

    def drawn():
        gold = rng.choice(["O", "B-x", "I-x"], int(rng.integers(1, 9))).tolist()
        told = np.array([[label == "O", label == "B-x"] for label in gold]) - 3.0  # sums far below 0
        return [[f"w={rng.integers(5)}" for _ in gold]], (told + rng.normal(0, 0.2, told.shape)).astype("f4"), gold

    train, unseen = [drawn() for _ in range(60)], [drawn() for _ in range(30)]
    settings = ChainSettings(max_iterations=15)
    ours = chain.train([s for s, _, _ in train], [g for _, _, g in train], settings, [v for _, v, _ in train])

    def items(sentence):
        return [
            {word: 1.0, **{f"vector{k}": float(x) for k, x in enumerate(row)}}
            for word, row in zip(sentence[0][0], sentence[1], strict=True)
        ]

    params = settings.parameters() | {"feature.minfreq": -1e30}
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", params=params, verbose=False)
    for sentence in train:
        trainer.append(items(sentence), sentence[2])
    trainer.train(str(tmp_path / "model"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "model"))
    found = ours.tag(ours.scores([s for s, _, _ in unseen], [v for _, v, _ in unseen]))
    assert found == [tagger.tag(items(sentence)) for sentence in unseen]
    right = np.mean(
        [a == b for tags, (_, _, gold) in zip(found, unseen, strict=True) for a, b in zip(tags, gold, strict=True)]
    )
    assert right > 0.7  # the numbers are used: the words tell nothing


TRAINED = {
    "valour": ["heroic", "valiant", "fearless", "gallant"],
    "enemy_image": ["murderous", "criminal", "terrorist", "barbaric"],
}


def crews(words, frame, start=0):
    found = []
    for number, word in enumerate(words):
        text = f"Near Osk the {word} crews held the bridge on day {number + start}."
        at = text.index(word)
        device = Device(parts=(Span(at, at + len(word)),), frame=frame)
        found.append(Sentence(id=f"{frame}{number}", text=text, gold=Layers(text=text, devices=(device,))))
    return found


def test_a_frame_is_named_by_words_that_train_never_had(store):
    task = tasks.devices(codebook.default())
    train = [s for frame, words in TRAINED.items() for s in crews(words * 4, frame)]
    model = Embedding(crf={"lexicon": None, "clusters": []})
    model.fit(part(task, train), Part(task))
    unseen = {"brave": "valour", "courageous": "valour", "violent": "enemy_image", "vicious": "enemy_image"}
    asked = [s for word, frame in unseen.items() for s in crews([word], frame, 50)]
    found = model.predict(part(task, [replace(s, id=str(k)) for k, s in enumerate(asked)]).examples)
    assert [[(d.frame, d.parts[0].of(s.text)) for d in p.answer] for p, s in zip(found, asked, strict=True)] == [
        [(frame, word)] for word, frame in unseen.items()
    ]


def test_empty_and_endless_sentences_are_answered(encoders, store):
    for kind in ("multi", "devices"):
        train, dev = built(kind)
        model = Embedding(str(encoders["bert"]), max_length=64, crf={"max_iterations": 3, "clusters": []})
        model.fit(train, dev)
        asked = [Sentence(id=str(k), text=text) for k, text in enumerate(["", " ", "\u200d", "endless war " * 1700])]
        assert len(model.predict([Example(id=s.id, sentence=s) for s in asked])) == 4


def test_every_bad_setting_is_named_at_once(encoders):
    with pytest.raises(StancekitError) as error:
        Embedding(
            pool="max", head="nbsvm", C=0, class_weight="fair", threshold=2, context=-1, max_length=3, dims=0,
            crf={"c2": -1, "widow": 2, "min_frequency": 3},
        )  # fmt: skip
    assert [p.where for p in error.value.problems] == [
        "pool", "head", "C", "class_weight", "threshold", "context", "max_length", "dims", "crf", "crf", "c1, c2",
    ]  # fmt: skip
    train, dev = built("multi")
    with pytest.raises(StancekitError, match="no targets to pool at"):
        Embedding(str(encoders["bert"]), pool="target").fit(train, dev)
