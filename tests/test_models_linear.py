"""The linear model against scikit-learn and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from stancekit import tasks
from stancekit.errors import StancekitError
from stancekit.models import calibrate, ngrams
from stancekit.models.features import Block, Features
from stancekit.models.linear import Linear
from stancekit.models.majority import Majority
from stancekit.models.ngrams import Analyser
from stancekit.models.pairs import LEAST, Pairs
from stancekit.models.solvers import log_count_ratio
from stancekit.models.targets import TargetSettings
from stancekit.schema import Example, Sentence, Span, Target
from stancekit.tasks import Part

WORDS = (
    "the ministry said liberated town shelling reported again calm talks provocation soldiers Ünal’s 12 wounded".split()
)


def example(text, number=0, target=None, document=""):
    return Example(id=str(number), sentence=Sentence(id=str(number), text=text, document=document), target=target)


def made(count, labels, seed=0, kind="single", targets=("Karsk", "Velm")):
    """Examples of random words and one that tells the label, three a document."""
    rng = np.random.default_rng(seed)
    gold = [str(rng.choice(labels)) for _ in range(count)]
    examples = []
    for number, label in enumerate(gold):
        words = [*rng.choice(WORDS, 6), f"{label}-sign"]
        target = Target(targets[number % len(targets)]) if kind == "targeted" else None
        examples.append(example(" ".join(rng.permutation(words)), number, target, f"d{number // 3}"))
    return Part(tasks.own("own", kind, labels), tuple(examples), tuple(gold))


@given(
    st.lists(st.text("ab cD'é.\n", min_size=1, max_size=30), min_size=1, max_size=8).filter(
        lambda texts: any(len(t.split()) for t in texts)
    ),
    st.tuples(st.integers(1, 3), st.integers(0, 2)),
    st.sampled_from(["word", "char_wb"]),
    st.integers(1, 2),
)
@settings(deadline=None)
def test_features_are_those_of_scikit_learn(texts, bounds, unit, min_df):
    low, high = bounds[0], bounds[0] + bounds[1]
    pattern = {"token_pattern": r"\w+"} if unit == "word" else {}
    oracle = TfidfVectorizer(analyzer=unit, ngram_range=(low, high), sublinear_tf=True, min_df=min_df, **pattern)
    examples = [example(t) for t in texts]
    features = Features([Block("words", lambda e: e.sentence.text, Analyser(unit, low, high))])
    try:
        wanted = oracle.fit_transform(texts).toarray()
    except ValueError:  # an empty vocabulary
        with pytest.raises(StancekitError):
            features.fit_transform(examples, min_df)
        return
    assert np.allclose(features.fit_transform(examples, min_df).toarray(), wanted)
    assert features.vocabulary()["words"] == oracle.get_feature_names_out().tolist()
    assert np.allclose(features.transform(examples[::-1]).toarray(), wanted[::-1])


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"]])
def test_logistic_regression_is_that_of_a_scikit_learn_pipeline(labels):
    train, test = made(90, labels), made(30, labels, seed=1)
    union = make_union(
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+", sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    oracle = make_pipeline(union, LogisticRegression(class_weight="balanced", max_iter=1000))
    oracle.fit([e.sentence.text for e in train.examples], train.gold)
    model = Linear()
    model.fit(train, Part(train.task))
    found = model.predict(test.examples)
    wanted = oracle.predict_proba([e.sentence.text for e in test.examples])
    assert np.allclose([[p.probabilities[c] for c in labels] for p in found], wanted)
    assert [p.answer for p in found] == [labels[k] for k in wanted.argmax(axis=1)]


def test_a_text_is_cut_once_whatever_the_folds_seeds_and_settings(monkeypatch):
    cut = []
    split = Analyser.split
    monkeypatch.setattr(Analyser, "split", lambda self, text: cut.append((self, text)) or split(self, text))
    part = made(30, ["a", "b"], seed=7)
    half = Part(part.task, part.examples[:20], part.gold[:20])
    for train in (part, half):
        for c in (0.1, 1.0):
            model = Linear("svm", C=c, char=(2, 4), seed=3)
            model.fit(train, Part(part.task))
            model.predict(part.examples)
    assert len(cut) == len(set(cut))


def test_an_emptied_store_changes_no_prediction(monkeypatch):
    part = made(40, ["a", "b"])
    model = Linear()
    model.fit(part, Part(part.task))
    before = model.predict(part.examples)
    monkeypatch.setattr(ngrams, "MOST_TERMS", 0)
    assert [model.predict([e])[0] for e in part.examples] == before


@given(st.lists(st.tuples(st.floats(-3, 3), st.booleans()), min_size=4, max_size=30))
@settings(deadline=None)
def test_threshold_has_the_best_f1(pairs):
    probabilities = np.round(1 / (1 + np.exp(-np.array([score for score, _ in pairs]))), 2)
    positive = np.array([truth for _, truth in pairs])
    if not positive.any():
        return
    found = calibrate.best_threshold(probabilities, positive)

    def f1(threshold):
        given = probabilities >= threshold
        return 2 * (given & positive).sum() / (given.sum() + positive.sum())

    assert f1(found) == pytest.approx(max(map(f1, probabilities)))


def test_platt_is_that_of_scikit_learn():
    rng = np.random.default_rng(5)
    positive = rng.random(200) < 0.3
    features = (positive * 1.5 + rng.normal(size=200))[:, None]
    svm = LinearSVC(random_state=0).fit(features, positive)
    oracle = CalibratedClassifierCV(FrozenEstimator(svm), method="sigmoid").fit(features, positive)
    slope, offset = calibrate.platt(svm.decision_function(features), positive)
    found = 1 / (1 + np.exp(-(slope * svm.decision_function(features) + offset)))
    assert np.allclose(found, oracle.predict_proba(features)[:, 1], atol=1e-3)


def test_inner_folds_keep_groups_apart():
    groups = [str(k // 4) for k in range(40)]
    folds = list(calibrate.inner_folds(groups))
    assert sorted(k for _, unseen in folds for k in unseen) == list(range(40))
    for seen, unseen in folds:
        assert not {groups[k] for k in seen} & {groups[k] for k in unseen}


def test_log_count_ratio_by_hand():
    matrix = sparse.csr_matrix([[2.0, 0], [1, 1], [0, 3]])
    found = log_count_ratio(matrix, np.array([True, True, False]))
    assert np.allclose(found, [np.log((4 / 6) / (1 / 5)), np.log((2 / 6) / (4 / 5))])


def test_paired_features_are_copies_in_the_rows_of_frequent_targets():
    dense = np.array([[1.0, 2, 0], [0, 3, 0], [0, 4, 5]])
    names = ["a", "b", "rare"]
    train = [example("", k, Target(names[k])) for k in (0, 1) for _ in range(LEAST)] + [example("", 2, Target("rare"))]
    pairs = Pairs(0.5)
    pairs.fit(sparse.csr_matrix(dense[[int(e.id) for e in train]]), train)
    asked = [example("", 0, Target("b")), example("", 1, Target("a")), example("", 2)]
    found = pairs.transform(sparse.csr_matrix(dense), asked).toarray()
    # a had the features 0 and 1 in train, b the feature 1
    assert found.tolist() == [[1, 2, 0, 0, 0, 1], [0, 3, 0, 0, 1.5, 0], [0, 4, 5, 0, 0, 0]]


def test_a_target_is_masked_marked_and_seen_by_its_window():
    one = example("He accused Velm, again.", 0, Target("Velm", Span(11, 15)))
    assert TargetSettings().text(one).split() == "He accused _target_ , again.".split()
    assert TargetSettings(mark=False).text(one).split() == "He accused , again.".split()
    assert TargetSettings(mask=False).text(one).split() == "He accused _target_ Velm , again.".split()
    assert TargetSettings(mask=False, mark=False).text(one) == one.sentence.text
    assert TargetSettings(window=2).around(one) == "<He <accused | >, >again"
    unmarked = example("He accused Velm.", 0, Target("Velm"))
    assert (TargetSettings().text(unmarked), TargetSettings().around(unmarked)) == (unmarked.sentence.text, "")


@pytest.mark.parametrize("classifier", ["logreg", "svm", "nbsvm", "ridge"])
@pytest.mark.parametrize("kind", ["single", "targeted"])
def test_every_classifier_learns(classifier, kind):
    labels = ["a", "b", "c"]
    train, test = made(150, labels, kind=kind), made(60, labels, seed=1, kind=kind)
    model = Linear(classifier, target={"pair": 1.0})
    model.fit(train, Part(train.task))
    right = [p.answer == gold for p, gold in zip(model.predict(test.examples), test.gold, strict=True)]
    assert np.mean(right) > 0.9


def test_class_weights_by_label_move_the_answers():
    train = made(60, ["a", "b"])
    shares = []
    for weight in (0.01, 100.0):
        model = Linear(class_weight={"a": weight})
        model.fit(train, Part(train.task))
        shares.append(np.mean([p.answer == "a" for p in model.predict(train.examples)]))
    assert shares[0] < shares[1]


@pytest.mark.parametrize("classifier", ["logreg", "svm", "nbsvm", "ridge"])
@pytest.mark.parametrize("with_dev", [True, False])
def test_several_labels_with_thresholds_from_dev_or_inner_folds(classifier, with_dev):
    labels = ["a", "b", "c"]
    base = made(120, labels)
    gold = tuple(frozenset({g, "always"} - {"c"}) for g in base.gold)
    task = tasks.own("own", "multi", ["a", "always", "b", "never"])
    train, dev = Part(task, base.examples[:80], gold[:80]), Part(task, base.examples[80:], gold[80:])
    model = Linear(classifier)
    model.fit(train, dev if with_dev else Part(task))
    found = model.predict(dev.examples)
    assert np.mean([p.answer == g for p, g in zip(found, dev.gold, strict=True)]) > 0.9
    assert all("always" in p.answer and p.probabilities["always"] == 1 for p in found)
    assert all("never" not in p.answer and p.probabilities["never"] == 0 for p in found)


def single(*gold, labels=("a", "b")):
    return Part(tasks.own("own", "single", labels), tuple(example("x y", k) for k in range(len(gold))), gold)


def several(*gold):
    rows = tuple(example("x y", k) for k in range(len(gold)))
    return Part(tasks.own("own", "multi", ["a", "b"]), rows, tuple(map(frozenset, gold)))


@pytest.mark.parametrize(
    ("train", "words"),
    [
        (single(), "no example"),
        (single("a", "a"), "all 2 examples have the same answer: a"),
        (several("a", "a"), "all 2 examples have the same answer: a"),
        (several("", ""), "all 2 examples have the same answer: no label"),
        (single("a", "z"), "unknown labels: z"),
    ],
)
def test_what_cannot_be_learnt_is_a_clear_error(train, words):
    with pytest.raises(StancekitError, match=words):
        Linear().fit(train, Part(train.task))


def test_all_wrong_settings_are_told_at_once():
    with pytest.raises(StancekitError) as caught:
        Linear(
            "logre", word=[2, 1], char=None, C=0, class_weight="balance", threshold=2, target={"windw": 3, "mask": 1}
        )
    assert [p.where for p in caught.value.problems] == [
        "classifier", "word", "C", "class_weight", "threshold", "target", "target",
    ]  # fmt: skip
    with pytest.raises(StancekitError, match="both are null"):
        Linear(word=None, char=None)


def test_majority_counts_labels_sets_and_targets():
    plain = Majority()
    plain.fit(single("b", "a", "b", labels=("a", "b", "c")), single())
    (found,) = plain.predict([example("new")])
    assert (found.answer, found.probabilities) == ("b", {"a": 1 / 3, "b": 2 / 3, "c": 0})

    sets = several("a", "", "ab", "")
    plain.fit(sets, several())
    assert plain.predict([example("new")])[0].answer == frozenset()
    assert plain.predict([example("new")])[0].probabilities == {"a": 0.5, "b": 0.25}

    train = made(6, ["a", "b"], kind="targeted")
    train = Part(train.task, train.examples, ("a", "b", "a", "b", "a", "a"))
    asked = [example("new", k, Target(name)) for k, name in enumerate(["Karsk", "Velm", "Osk"])]
    for per_target, answers in ((True, ["a", "b", "a"]), (False, ["a", "a", "a"])):
        model = Majority(per_target=per_target)
        model.fit(train, Part(train.task))
        assert [p.answer for p in model.predict(asked)] == answers
