"""The bundled data sets keep what their READMEs promise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from stancekit import agree
from stancekit.data.check import check
from stancekit.data.load import load
from stancekit.resources import bundled
from stancekit.schema import words_of
from stancekit.text import antecedents

ROOT = Path(__file__).parent.parent


def benchmark(name: str):
    """Return a module of benchmarks/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


corpus = benchmark("corpus")


@pytest.fixture(scope="module")
def dataset():
    return load("dispatches")


def test_counts_are_kept_and_the_readme_shows_them(dataset) -> None:
    found = corpus.rows(dataset.sentences)
    assert corpus.broken(found, dataset.sentences) == []
    assert corpus.table(found) in bundled("data/dispatches/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["dispatches", "newsdesk", "clippings"])
def test_check_finds_nothing(name: str) -> None:
    assert not list(check(load(name)).problems)


@pytest.mark.parametrize("name", ["newsdesk", "clippings"])
def test_counts_of_further_sets_are_kept_and_their_readmes_show_them(name: str) -> None:
    found = benchmark(f"corpus_{name}").rows(load(name).sentences)
    assert [row.what for row in found if not row.kept] == []
    assert corpus.table(found) in bundled(f"data/{name}/README.md").read_text(encoding="utf-8")


def test_the_second_pass_over_everyday_news_is_what_its_readme_says() -> None:
    passes, readme = bundled("data/passes/newsdesk"), bundled("data/newsdesk/README.md").read_text(encoding="utf-8")
    for path in (passes / "first").iterdir():
        desk = path.name.rpartition("-")[0]
        assert path.read_bytes() == bundled(f"data/newsdesk/{desk}/{path.name}").read_bytes()
    found = agree(
        [passes / "first", passes / "second"],
        tasks=["voice", "frames", "attribution", "devices", "stance"],
        resamples=10,
    )
    shown = readme.partition("<!-- agreement -->")[2].partition("<!-- end of agreement -->")[0]
    told = [row.split("|")[3].strip() for row in shown.splitlines() if row.startswith("|") and "." in row]
    wanted = [
        ("voice", "alpha_nominal"),
        ("frames", "alpha_nominal"),
        ("attribution", "alpha_unit"),
        ("attribution", "linked_exact_f1"),
        ("attribution", "linked_overlap_f1"),
        ("attribution", "linked_overlap_with_types_f1"),
        ("devices", "alpha_unit"),
        ("devices", "span_exact_f1"),
        ("devices", "span_overlap_f1"),
        ("stance", "alpha_nominal"),
    ]
    assert told == [f"{found.scores[task].find(metric).value:.3f}".lstrip("0") for task, metric in wanted]


def test_antecedents_belong_to_the_sources_of_the_corpus(dataset) -> None:
    found = benchmark("antecedents")
    articles = found.documents()
    wanted = {
        (name, number, index): words_of(relation.source, sentence.text)
        for name, sentences in articles.items()
        for number, sentence in enumerate(sentences)
        for index, relation in enumerate(sentence.gold.attributions)
        if relation.source and antecedents.needs_antecedent(words_of(relation.source, sentence.text))
    }
    rows = found.gold()
    assert {(r["document"], r["index"], r["relation"]): r["source"] for r in rows} == wanted
    for row in rows:
        for mention in [row["antecedent"], *row.get("also", [])] if row["antecedent"] else []:
            assert mention["text"] in articles[row["document"]][mention["index"]].text
    tally = found.tally()["all"]
    assert tally.right / tally.resolved > 0.8


def test_the_second_reading_of_sentiments_is_what_its_readme_says() -> None:
    passes, readme = bundled("data/passes/clippings"), bundled("data/clippings/README.md").read_text(encoding="utf-8")
    shipped = {s.id: s for s in load("clippings").sentences}
    assert all(shipped[s.id] == s for s in load(passes / "first.jsonl").sentences)
    found = agree([passes / "first.jsonl", passes / "second.jsonl"], tasks=["sentiment"], resamples=10)
    shown = readme.partition("<!-- agreement -->")[2].partition("<!-- end of agreement -->")[0]
    told = [row.split("|")[3].strip() for row in shown.splitlines() if row.startswith("|") and "." in row]
    values = [found.scores["sentiment"].find(metric).value for metric in ("alpha_nominal", "agreement")]
    assert told == [f"{value:.3f}".lstrip("0") for value in values]
    first = load(passes / "first.jsonl").sentences
    targets, articles = sum(len(s.gold.labels["sentiment"]) for s in first), len({s.document for s in first})
    assert f"{targets} targets in {articles} articles" in shown
