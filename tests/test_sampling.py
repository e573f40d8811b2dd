"""Sampling: known probabilities estimate without bias, doubt and diversity choose what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit import Prediction, StancekitError, datasets, sample, train
from stancekit.data.load import load, save
from stancekit.models.diversity import spread
from stancekit.runs.run import Run
from stancekit.sampling import allocate, doubt
from stancekit.schema import Sentence


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "voice"
    found = train("voice-linear", [f"output={folder}", "model.char=null"])
    assert isinstance(found, Run)
    return found


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.data(), st.booleans())
def test_allocation_spends_all_and_leaves_no_stratum_out(sizes, data, equal):
    n = data.draw(st.integers(len(sizes), sum(sizes)))
    given_ = allocate(n, sizes, equal=equal)
    assert sum(given_) == n
    assert all(1 <= got <= size for got, size in zip(given_, sizes, strict=True))
    short = [got for got, size in zip(given_, sizes, strict=True) if got < size]
    if equal and short:
        assert max(given_) <= min(short) + 1


@pytest.mark.parametrize(
    "options", [{}, {"how": "stratified", "by": "side"}, {"how": "stratified", "by": "side", "allocation": "equal"}]
)
def test_weights_of_one_by_p_estimate_without_bias(tmp_path, options):
    population = [
        Sentence(
            id=str(k), text=f"Sentence {k}.", meta={"side": "a" if k < 240 else "b", "loaded": k % 3 == 0 or k >= 240}
        )
        for k in range(300)
    ]
    save(population, tmp_path / "data.jsonl")
    truth, totals = sum(s.meta["loaded"] for s in population), []
    for seed in range(60):
        chosen = sample(tmp_path / "data.jsonl", 60, seed=seed, **options).sentences
        assert len({s.id for s in chosen}) == 60
        totals.append(sum(s.meta["loaded"] / s.meta["inclusion_probability"] for s in chosen))
        sizes = sum(1 / s.meta["inclusion_probability"] for s in chosen)
        assert sizes == pytest.approx(300)
    error = np.std(totals, ddof=1) / np.sqrt(len(totals))
    assert abs(np.mean(totals) - truth) < 4 * error


def test_uncertainty_takes_the_least_sure_with_the_runs_answers(tmp_path, run):
    found = sample("dispatches", 20, how="uncertainty", run=run, to=tmp_path / "next.jsonl")
    doubts = {p.id: doubt(p, run) for p in run.predict(load("dispatches").sentences)}
    least = sorted(doubts, key=lambda name: -doubts[name])[:20]
    assert {s.id for s in found.sentences} == set(least)
    assert min(doubts[s.id] for s in found.sentences) >= max(d for name, d in doubts.items() if name not in least)
    for sentence in load(tmp_path / "next.jsonl"):
        assert "inclusion_probability" not in sentence.meta and sentence.meta["uncertainty"] > 0
        assert sentence.gold.labels["voice"] in run.labels and sentence.gold.attributions is None


def test_doubt_by_kind_of_answer(run):
    def of(answer, probabilities):
        return doubt(Prediction(id="x", answer=answer, probabilities=probabilities), run)

    assert of("author", {"author": 0.7, "direct": 0.3}) == pytest.approx(0.3)
    assert of((), (0.9, 0.6)) == pytest.approx(0.4)
    assert of((), ()) == 0
    with pytest.raises(StancekitError, match="no probabilities"):
        of("author", None)


@pytest.mark.parametrize(
    ("name", "format", "options"),
    [("next.json", "labelstudio", {"results": "predictions"}), ("next.jsonl", "doccano", {})],
)
def test_pre_annotations_reach_the_tools(tmp_path, run, name, format, options):
    sample("dispatches", 8, run=run, to=tmp_path / name, format=format)
    content = (tmp_path / name).read_text(encoding="utf-8")
    assert content.count("inclusion_probability") == 8 and "voice" in content
    assert len(load(tmp_path / name, format=format, options=options)) == 8


def test_diversity_covers_every_cluster_and_copies_come_last():
    words = [f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"]
    texts = [" ".join(words[10 * c : 10 * c + 10][k % 3 :]) for c in range(10) for k in range(30)]
    sentences = [Sentence(id=str(k), text=t) for k, t in enumerate(texts)]
    chosen = spread(sentences, 12, seed=3)
    assert len(set(chosen.tolist())) == 12 and {k // 30 for k in chosen.tolist()} == set(range(10))
    assert spread(sentences, 12, seed=3).tolist() == chosen.tolist()
    copies = [Sentence(id=str(k), text="one line again") for k in range(5)] + [Sentence(id="x", text="another thing")]
    assert 5 in spread(copies, 2, seed=1).tolist()
    assert sorted(spread(copies, 6, seed=1).tolist()) == list(range(6))


def test_labelled_sentences_can_be_left_out_and_mistakes_are_told(tmp_path, run):
    sample("dispatches", 2000, to=tmp_path / "first.jsonl")
    second = sample("dispatches", 100, exclude=[tmp_path / "first.jsonl"], how="diversity")
    assert not {s.id for s in second.sentences} & {s.id for s in load(tmp_path / "first.jsonl")}
    assert second.population == len(load("dispatches")) - 2000
    with pytest.raises(StancekitError) as caught:
        sample("dispatches", 0, how="stratifed", by="outlet", allocation="even")
    assert len(caught.value.problems) == 4
    for options, what in (
        ({"n": 10**6}, "are asked of"),
        ({"n": 5, "how": "uncertainty"}, "a run's"),
        ({"n": 2, "how": "stratified", "by": "outlet"}, "strata"),
        ({"n": 5, "how": "stratified", "by": "outlett"}, "there is no column"),
    ):
        with pytest.raises(StancekitError, match=what):
            sample("dispatches", **options)


def test_data_sets_by_name():
    assert len(datasets.load("dispatches")) > 1800
    with pytest.raises(StancekitError, match="is not bundled: its licence") as caught:
        datasets.load("polnear")
    assert "github.com" in str(caught.value)
    with pytest.raises(StancekitError, match="did you mean 'polnear'"):
        datasets.load("polnaer")
    told = [entry.to_json() for entry in datasets.CATALOGUE.values()]
    assert all(value for row in told for key, value in row.items() if key != "format")
    assert [row["name"] for row in told if not row["format"]] == ["dispatches", "newsdesk", "clippings"] and json.dumps(
        told
    )
