"""Agreement against independent implementations and worked examples; the verb on files, columns and bad input."""

import json
import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score

from stancekit import StancekitError, agree, ceiling
from stancekit.agreement import Agreement
from stancekit.config import EvaluationConfig
from stancekit.consensus import majority, shares
from stancekit.data import annotators
from stancekit.data import load as load_module
from stancekit.data.load import load
from stancekit.experiment import evaluate_predictions
from stancekit.schema import Device, Layers, Sentence, Span, Stance, Target
from stancekit.scoring import Scores
from stancekit.stats.agreement import MISSING, Cohen, Fleiss, NominalAlpha, OrdinalAlpha, UnitizedAlpha

SHARED = Path(os.environ.get("STANCEKIT_SHARED_DATA", Path(__file__).parent.parent / "../shared/data"))
BABE = SHARED / "babe" / "data" / "raw_labels_SG2.xlsx"


def total(measure, codes):
    return measure.score(measure.count(codes).sum(axis=0))


def random_table(generator):
    units, raters, size = generator.integers(2, 40), generator.integers(2, 7), generator.integers(2, 6)
    truth = generator.integers(0, size, (units, 1))
    codes = np.where(generator.random((units, raters)) < 0.6, truth, generator.integers(0, size, (units, raters)))
    return np.where(generator.random((units, raters)) < 0.6 * generator.random(), MISSING, codes), int(size)


@pytest.mark.parametrize(("measure", "level"), [(NominalAlpha, "nominal"), (OrdinalAlpha, "ordinal")])
def test_alpha_equals_an_independent_implementation_on_1000_random_tables(measure, level):
    generator = np.random.default_rng(13)
    compared = 0
    for _ in range(1000):
        codes, size = random_table(generator)
        own = total(measure(size), codes)[0]
        given_twice = codes[(codes != MISSING).sum(axis=1) > 1]
        if len(np.unique(given_twice[given_twice != MISSING])) < 2:
            assert np.isnan(own)
            continue
        data = np.where(codes == MISSING, np.nan, codes).T
        other = krippendorff.alpha(data, level_of_measurement=level, value_domain=list(range(size)))
        assert own == pytest.approx(other, abs=1e-9)
        compared += 1
    assert compared > 900


def test_cohen_equals_scikit_learn():
    generator = np.random.default_rng(7)
    for _ in range(100):
        codes, size = random_table(generator)
        pairs = list(combinations(range(codes.shape[1]), 2))
        cohen = Cohen(size, pairs)
        for (a, b), own, shared in zip(
            pairs, total(cohen, codes), cohen.shared(cohen.count(codes).sum(axis=0)), strict=True
        ):
            both = codes[(codes[:, a] != MISSING) & (codes[:, b] != MISSING)]
            assert shared == len(both)
            if len(np.unique(both[:, [a, b]])) > 1:
                assert own == pytest.approx(cohen_kappa_score(both[:, a], both[:, b]), abs=1e-12)


FLEISS_1971 = (
    """0 0 0 0 14, 0 2 6 4 2, 0 0 3 5 6, 0 3 9 2 0, 2 2 8 1 1, 7 7 0 0 0, 3 2 6 3 0, 2 5 3 2 2, 6 5 2 1 0, 0 2 2 3 7"""
)


def test_fleiss_on_a_worked_example():
    rows = [[int(n) for n in row.split()] for row in FLEISS_1971.split(",")]
    codes = np.array([[category for category, n in enumerate(row) for _ in range(n)] for row in rows])
    assert total(Fleiss(5, 14), codes)[0] == pytest.approx(0.210, abs=5e-4)
    with_a_gap = np.vstack([codes, np.where(np.arange(14) == 3, MISSING, codes[0])])
    assert total(Fleiss(5, 14), with_a_gap) == total(Fleiss(5, 14), codes)


# Krippendorff (2019), figure 12.11: three observers of a continuum of 60.
ALEX = [(0, 7), (7, 13), (30, 32), (32, 37), (37, 44), (44, 60)]
PAUL = [(0, 7), (7, 13), (13, 21), (32, 44)]
SUZAN = [(0, 7), (7, 13), (13, 21), (32, 37), (37, 41), (41, 44)]


def test_alpha_on_units_gives_the_published_example():
    measure = UnitizedAlpha()
    counts = measure.count(60, [ALEX, PAUL, SUZAN])
    assert measure.score(counts[None])[0] == pytest.approx(0.413, abs=1e-3)
    assert (measure.count(60, [ALEX, None, PAUL, SUZAN]) == counts).all()
    assert not measure.count(60, [ALEX, None, None]).any()


@st.composite
def unitizations(draw):
    length = draw(st.integers(1, 25))
    cuts = st.lists(st.integers(0, length), unique=True, max_size=8).map(sorted)
    raters = draw(st.integers(2, 4))
    return length, [list(zip(c[::2], c[1::2], strict=False)) for c in (draw(cuts) for _ in range(raters))]


@given(unitizations())
@settings(max_examples=200, deadline=None)
def test_alpha_on_units_equals_brute_force_over_characters(case):
    length, units = case
    measure = UnitizedAlpha()
    own = measure.score(measure.count(length, units)[None])[0]
    # every (annotator, character) with the section it lies in; a gap is a section of its own at each character
    sections = []
    for rater, side in enumerate(units):
        inside = {c: ("unit", start) for start, end in side for c in range(start, end)}
        sections += [(rater, c, (rater, inside.get(c, ("gap", c))), c in inside) for c in range(length)]
    observed = [a[3] != b[3] for a in sections for b in sections if a[0] != b[0] and a[1] == b[1]]
    expected = [a[3] != b[3] for a in sections for b in sections if a[2] != b[2]]
    if not any(expected):
        assert np.isnan(own)
    else:
        assert own == pytest.approx(1 - np.mean(observed) / np.mean(expected), abs=1e-9)


TEXTS = [f"The ministry said the town number {k} was liberated after a provocation." for k in range(12)]


def sentences(labels, devices=(), stances=(), name="a"):
    found = []
    for k, text in enumerate(TEXTS):
        layers = {"labels": {"tone": labels[k]}} if labels[k] is not None else {}
        if devices:
            layers["devices"] = tuple(Device(parts=(Span(*span),), frame=frame) for span, frame in devices[k])
        if stances:
            layers["stances"] = tuple(Stance(Target(target), label) for target, label in stances[k])
        gold = Layers(text=text, **layers)
        found.append(Sentence(id=f"s{k}", text=text, document=f"d{k // 2}", index=k, gold=gold))
    return found


ANNA = ["good", "bad", "bad", "good", "flat", "bad", "good", "bad", "bad", "good", "flat", "bad"]
BEN = ["good", "bad", "good", "good", "flat", "bad", "bad", "bad", "flat", "good", "flat", "bad"]
CLEO = ["good", "bad", "bad", "good", "bad", "bad", "good", "bad", "flat", "good", "flat", "good"]
WORD = [(TEXTS[k].index("liberated"), TEXTS[k].index("liberated") + 9) for k in range(12)]


@pytest.fixture
def files(tmp_path):
    devices = {
        "anna": [[(span, "legitimation")] for span in WORD],
        "ben": [
            [((a - 4, b), "legitimation")] if k < 6 else [((a, b), "legitimation")] for k, (a, b) in enumerate(WORD)
        ],
        "cleo": [[] if k == 0 else [(span, "legitimation" if k < 9 else "valour")] for k, span in enumerate(WORD)],
    }
    stances = {
        "anna": [[("town", "favor")]] * 12,
        "ben": [[("ministry", "none"), ("town", "favor")]] * 12,
        "cleo": [[("town", "against"), ("ministry", "favor")]] * 12,
    }
    paths = []
    for name, labels in (("anna", ANNA), ("ben", BEN), ("cleo", CLEO)):
        paths.append(tmp_path / f"{name}.jsonl")
        load_module.save(sentences(labels, devices[name], stances[name]), paths[-1])
    return paths


def test_labels_in_files(files, tmp_path):
    found = agree(files, tasks=["tone"], order=["bad", "flat", "good"], resamples=200, to=tmp_path / "agreement.json")
    scores = found.scores["tone"]
    table = np.array([[["bad", "flat", "good"].index(x) for x in row] for row in (ANNA, BEN, CLEO)], dtype=float)
    for level in ("nominal", "ordinal"):
        row = scores.find(f"alpha_{level}")
        assert row.value == pytest.approx(krippendorff.alpha(table, level_of_measurement=level))
        assert row.low < row.value < row.high and row.support == 12
    binary = krippendorff.alpha((table == 1).astype(float), level_of_measurement="nominal")
    assert scores.find("alpha_nominal", "flat").value == pytest.approx(binary)
    pairs = list(combinations((ANNA, BEN, CLEO), 2))
    kappas = [cohen_kappa_score(a, b) for a, b in pairs]
    assert scores.find("cohen_kappa").value == pytest.approx(np.mean(kappas))
    assert scores.find("cohen_kappa", slice="pair=anna ~ ben").value == pytest.approx(kappas[0])
    macro = [f1_score(a, b, average="macro") for a, b in pairs]
    assert scores.find("macro_f1").value == pytest.approx(np.mean(macro))
    assert "annotators:3" in scores.signature_line and "groups:document(6)" in scores.signature_line
    assert Agreement.from_json(json.loads((tmp_path / "agreement.json").read_text())) == found
    assert ceiling.read(tmp_path / "agreement.json", "tone") == found.ceilings["tone"]
    assert set(found.to_frame().kind) == {"agreement", "ceiling"}


def test_the_ceiling_is_each_annotator_against_the_majority_of_the_others(files):
    found = agree(files, tasks=["tone"], resamples=100).ceilings["tone"]
    # of two others the majority is what both say; where they differ, the first one's word: so it is always the first's
    expected = [f1_score(gold, own, average="macro") for gold, own in ((BEN, ANNA), (ANNA, BEN), (ANNA, CLEO))]
    assert found.find("macro_f1").value == pytest.approx(np.mean(expected))
    assert found.find("macro_f1", slice="annotator=ben").value == pytest.approx(expected[1])


def test_spans_in_files(files):
    scores = agree(files, tasks=["devices"], resamples=100).scores["devices"]
    assert scores.find("span_exact_f1", slice="pair=anna ~ ben").value == pytest.approx(0.5)
    assert scores.find("span_overlap_f1", slice="pair=anna ~ ben").value == 1.0
    assert scores.find("span_exact_f1", slice="pair=anna ~ cleo").value == pytest.approx(2 * 8 / (12 + 11))
    assert 0 < scores.find("alpha_unit").value < 1
    assert scores.find("alpha_unit", "valour").value < 0.1
    assert scores.find("alpha_unit", "legitimation").support == 12 + 12 + 8


def test_targets_are_joined_by_name(files):
    scores = agree(files, tasks=["stance"], resamples=100).scores["stance"]
    assert scores.find("cohen_kappa", slice="pair=anna ~ ben").value is None  # both always say favor of the town
    assert scores.find("micro_f1", slice="pair=anna ~ ben").value == 1.0
    assert scores.find("micro_f1", slice="pair=ben ~ cleo").value == 0.0
    assert scores.find("alpha_nominal").support == 24


def test_all_shared_tasks_without_asking(files):
    assert set(agree(files, resamples=100).scores) == {"devices", "frames", "stance", "tone"}


def rows(with_id):
    for name, labels in (("anna", ANNA), ("ben", [*BEN[:6], *[None] * 6])):
        for k, s in enumerate(sentences(labels)):
            if labels[k]:
                id_ = f"s{k}@{name}" if with_id else f"row-{name}-{k}"
                meta = {"annotator": name, "item": f"s{k}"}
                yield Sentence(id=id_, text=s.text, document=s.document, meta=meta, gold=s.gold)


@pytest.mark.parametrize(("with_id", "item"), [(True, None), (False, None), (False, "item")])
def test_one_file_with_an_annotator_column(tmp_path, with_id, item):
    path = tmp_path / "all.jsonl"
    load_module.save(rows(with_id), path)
    scores = agree([path], annotator="annotator", item=item, tasks=["tone"], resamples=100).scores["tone"]
    table = [[["good", "bad", "flat"].index(x) for x in row] for row in (ANNA, BEN)]
    table[1][6:] = [np.nan] * 6
    assert scores.find("alpha_nominal").value == pytest.approx(
        krippendorff.alpha(np.array(table), level_of_measurement="nominal")
    )
    assert scores.find("alpha_nominal").support == 6


def test_sets_of_labels():
    first = [frozenset("ab"), frozenset(), frozenset("a"), frozenset("b")] * 3
    second = [frozenset("ab"), frozenset("a"), frozenset("a"), frozenset("ab")] * 3
    data = {"one": first, "two": second}
    found = agree({k: dataset(sentences(v)) for k, v in data.items()}, tasks=["tone"], resamples=100).scores["tone"]
    for label in "ab":
        held = [[float(label in s) for s in v] for v in data.values()]
        expected = krippendorff.alpha(np.array(held), level_of_measurement="nominal")
        assert found.find("alpha_nominal", label).value == pytest.approx(expected)


def dataset(found):
    from stancekit import codebook
    from stancekit.data.dataset import Dataset

    return Dataset("given", tuple(found), codebook.default())


def problem(call):
    with pytest.raises(StancekitError) as caught:
        call()
    return str(caught.value)


def test_bad_input_is_told(tmp_path, files):
    changed = sentences(BEN)
    other = TEXTS[3].replace("town", "city")
    changed[3] = Sentence(id="s3", text=other, document="d1", gold=Layers(text=other, labels={"tone": "good"}))
    load_module.save(changed[:-1], tmp_path / "dan.jsonl")
    told = problem(lambda: agree([files[0], tmp_path / "dan.jsonl"]))
    assert "dan: the sentence 's3' has another text, from character 22 on" in told
    assert "dan: the sentence 's11' is missing" in told and "partial" in told
    assert agree([files[0], files[1]], tasks=["tone"], resamples=100, partial=True)
    assert "two annotators" in problem(lambda: agree([files[0]]))
    assert "here are 1" in problem(lambda: agree(str(files[0])))
    assert "given twice" in problem(lambda: agree([files[0], files[0]]))
    assert "there is no task 'tune'" in problem(lambda: agree(files, tasks=["tune"]))
    assert "the order does not name the label 'good'" in problem(
        lambda: agree(files, tasks=["tone"], order=["bad", "flat"])
    )
    assert "one label an example" in problem(lambda: agree(files, tasks=["devices"], order=["a"]))
    assert "derived" in problem(lambda: agree(files, tasks=["holder"]))
    assert "no metadata column 'coder'" in problem(lambda: agree([files[0]], annotator="coder"))
    rows = (replace(s, id=f"{s.id}@{k % 2}", meta={"who": f"c{k % 2}"}) for k, s in enumerate(sentences(BEN)))
    load_module.save(rows, tmp_path / "apart.jsonl")
    assert "(`--item COLUMN`)" in problem(lambda: agree([tmp_path / "apart.jsonl"], annotator="who"))


def test_no_agreement_file(tmp_path):
    (tmp_path / "x.json").write_text("[1]")
    assert "no file of agreement" in problem(lambda: ceiling.read(tmp_path / "x.json", "tone"))


def test_an_annotator_who_has_a_sentence_twice(tmp_path):
    path = tmp_path / "all.jsonl"
    load_module.save(
        [
            Sentence(id=f"r{k}", text=TEXTS[0], meta={"who": "anna"}, gold=Layers(text=TEXTS[0], labels={"tone": "a"}))
            for k in (1, 2)
        ],
        path,
    )
    assert "has this sentence twice" in problem(lambda: annotators.read([path], annotator="who"))


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.sampled_from("xy")), max_size=4),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None)
def test_majority_of_equals_is_themselves_and_never_invents_spans(given_spans):
    answers = [tuple(sorted({Span(a, a + n, label) for a, n, label in side})) for side in given_spans]
    assert majority([answers[0]] * 3) == answers[0]
    assert set(majority(answers)) <= {span for side in answers for span in side}


def test_majority_and_shares():
    assert majority(["b", "a", "a"]) == "a" and majority(["b", "a"]) == "b"
    assert majority([frozenset("ab"), frozenset("b"), frozenset("c")]) == frozenset("b")
    assert majority([frozenset("a"), frozenset("b")]) == frozenset("a")
    assert shares(["a", "a", "b", "a"]) == {"a": 0.75, "b": 0.25}
    one, wider, other = Span(2, 5, "x"), Span(2, 6, "x"), Span(2, 5, "y")
    assert majority([(one,), (wider, other), (wider,)]) == (wider,)
    assert majority([(one,), (wider,)]) == (one,)
    assert majority([(), (wider,)]) == ()


@pytest.mark.skipif(not BABE.exists(), reason="the public data set BABE is not here (STANCEKIT_SHARED_DATA)")
def test_babe_has_the_known_alpha():
    data = load(BABE, format="babe", options={"annotators": True}, on_error="skip")
    scores = agree([data], annotator="annotator", tasks=["bias"], resamples=100).scores["bias"]
    assert scores.find("alpha_nominal").value == pytest.approx(0.399, abs=5e-4)
    assert scores.find("unanimous").value == pytest.approx(0.39, abs=5e-3)
    assert scores.signature["annotators"] == 8


def test_the_ceiling_stands_in_reports(files, tmp_path):
    found = agree(files, tasks=["tone"], resamples=100, to=tmp_path / "agreement.json")
    rows = [json.dumps({"id": f"s{k}", "answer": label}) for k, label in enumerate(BEN)]
    (tmp_path / "predictions.jsonl").write_text("\n".join(rows))
    for name, plan in (("with", EvaluationConfig(ceiling=str(tmp_path / "agreement.json"))), ("without", None)):
        scores = evaluate_predictions(
            tmp_path / "predictions.jsonl", files[0], "tone", evaluation_plan=plan, to=tmp_path / name
        )
        assert Scores.from_json(scores.to_json()) == scores
        for ending in ("html", "md", "tex"):
            text = (tmp_path / name / f"report.{ending}").read_text()
            assert ("annotators" in text) == (name == "with"), ending
    assert scores.ceiling == ()
    top = found.ceilings["tone"].find("macro_f1").value
    html = (tmp_path / "with" / "report.html").read_text()
    assert f"annotators {top:.3f}" in html and f'class="ceiling" x1="{100 * top:.2f}"' in html
    with pytest.raises(StancekitError, match="no ceiling for the task 'voice'"):
        ceiling.read(tmp_path / "agreement.json", "voice")
