"""The bundled corpus keeps what its README promises."""

from __future__ import annotations

import importlib.util
import json
from collections import defaultdict
from pathlib import Path

import pytest

from stancekit.data.check import check
from stancekit.data.load import load
from stancekit.resources import bundled
from stancekit.schema import words_of
from stancekit.text import antecedents

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("corpus", ROOT / "benchmarks" / "corpus.py")
assert SPEC is not None and SPEC.loader is not None
corpus = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(corpus)


@pytest.fixture(scope="module")
def dataset():
    return load("dispatches")


def test_counts_are_kept_and_the_readme_shows_them(dataset) -> None:
    found = corpus.rows(dataset.sentences)
    assert corpus.broken(found, dataset.sentences) == []
    assert corpus.table(found) in bundled("data/dispatches/README.md").read_text(encoding="utf-8")


def test_check_finds_nothing(dataset) -> None:
    assert not list(check(dataset).problems)


def test_antecedents_of_sources_by_rule(dataset) -> None:
    """The rule of text/antecedents.py on gold relations, against the annotated antecedents."""
    documents = defaultdict(list)
    for sentence in dataset.sentences:
        documents[sentence.document].append(sentence)
    gold = [json.loads(line) for line in bundled("data/dispatches/antecedents.jsonl").read_text().splitlines()]
    answers = {name: antecedents.resolve([s.gold for s in rows]) for name, rows in documents.items()}
    right = 0
    for row in gold:
        answer = answers[row["document"]][row["index"], row["relation"]]
        wanted = [row["antecedent"], *row.get("also", [])] if row["antecedent"] else []
        sentence = documents[row["document"]][row["index"]]
        assert words_of(sentence.gold.attributions[row["relation"]].source, sentence.text) == row["source"]
        if answer is None or not wanted:
            right += answer is None and not wanted
        else:
            right += any(
                answer.sentence == w["index"] and (answer.text in w["text"] or w["text"] in answer.text) for w in wanted
            )
    assert right / len(gold) > 0.6
