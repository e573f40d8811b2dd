"""Release and rehydrate: nothing of the text goes out, everything comes back, and differences are placed."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stancekit import StancekitError, evaluate, ingest, rehydrate, release, report, train
from stancekit.data.load import load, save
from stancekit.schema import Layers, Span
from stancekit.text.normal import letters
from strategies import corpora

AGAIN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def problems_of(*arguments, **options) -> list[str]:
    with pytest.raises(StancekitError) as caught:
        rehydrate(*arguments, **options)
    return [str(problem) for problem in caught.value.problems]


@AGAIN
@given(corpora())
def test_everything_comes_back_on_the_same_text(tmp_path, sentences):
    save(sentences, tmp_path / "data.jsonl")
    release(tmp_path / "data.jsonl", tmp_path / "out.release", meta=["outlet", "date", "event", "side"])
    found = rehydrate(tmp_path / "out.release", tmp_path / "data.jsonl")
    assert list(found.sentences) == sentences


@AGAIN
@given(corpora(own=False), st.randoms(use_true_random=False))
def test_offsets_are_carried_over_white_space_and_quotation_marks(tmp_path, sentences, rng):
    assume(any(letters(s.text) for s in sentences))
    save(sentences, tmp_path / "data.jsonl")
    release(tmp_path / "data.jsonl", tmp_path / "out.release")
    swaps = {" ": "\u00a0 ", "“": '"', "’": "'"}
    texts = {s.id: "".join(swaps.get(c, c) if rng.random() < 0.7 else c for c in s.text) + " " for s in sentences}
    save([replace(s, text=texts[s.id], gold=Layers(text="")) for s in sentences], tmp_path / "copy.jsonl")
    try:
        found = rehydrate(tmp_path / "out.release", tmp_path / "copy.jsonl", on_error="skip")
    except StancekitError as error:  # a span of nothing but white space has no place in the copy
        assert "cannot be carried over" in str(error)
        return
    for new in found.sentences:
        old = next(s for s in sentences if s.id == new.id)
        for one, other in zip(old.gold.devices or (), new.gold.devices or (), strict=True):
            assert [letters(p.of(old.text)) for p in one.parts] == [letters(p.of(new.text)) for p in other.parts]


def test_no_word_of_the_bundled_corpus_goes_out(tmp_path):
    left_out = release("dispatches", tmp_path / "out.release")
    dataset, content = load("dispatches"), (tmp_path / "out.release").read_text(encoding="utf-8")
    assert not left_out
    rows = [json.loads(line) for line in content.splitlines()[1:]]
    for row, sentence in zip(rows, dataset, strict=True):
        row.pop("meta")
        shown = json.dumps(row, ensure_ascii=False)
        words = re.findall(r"\w+", sentence.text)
        assert not any(" ".join(words[k : k + 3]) in shown for k in range(len(words) - 2))
    assert "text" not in rows[0] and "source_text" not in content and "holder" not in content
    back = rehydrate(tmp_path / "out.release", "dispatches", tmp_path / "back.jsonl")
    assert load(tmp_path / "back.jsonl").hash == dataset.hash
    assert back.found_by == {"id": len(dataset)}


def test_titles_and_mentions_stay_at_home(tmp_path):
    record = {
        "id": "a.0",
        "document": "a",
        "index": 0,
        "text": "The mayor of Karsk waved.",
        "meta": {"title": "Mayor waves", "outlet": "Gazette", "note": "a b c d e f g h i"},
        "stances": [{"target": "mayor of Karsk", "stance": "favor", "span": [4, 18]}],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(record), encoding="utf-8")
    assert release(tmp_path / "a.jsonl", tmp_path / "a.release") == {"metadata 'title'": 1, "metadata 'note'": 1}
    assert not re.search("mayor|Mayor|waved", (tmp_path / "a.release").read_text(encoding="utf-8"))
    (found,) = rehydrate(tmp_path / "a.release", tmp_path / "a.jsonl").sentences
    assert found.gold.stances == load(tmp_path / "a.jsonl").sentences[0].gold.stances
    release(tmp_path / "a.jsonl", tmp_path / "b.release", meta=["title"])
    assert "Mayor waves" in (tmp_path / "b.release").read_text(encoding="utf-8")


ARTICLE = "The town fell. “It was liberated,” the ministry said, and the long road to the north was open again at last."


def articles(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "a.txt").write_text(text, encoding="utf-8")
    return folder


def labelled(tmp_path: Path) -> Path:
    found = ingest(articles(tmp_path / "own", ARTICLE), to=tmp_path / "own.jsonl", on_error="skip")
    first, second = found.sentences
    at = second.text.index("liberated")
    gold = Layers(text=second.text, labels={"loaded": (Span(at, at + 9, "word"),)})
    save([first, replace(second, gold=gold)], tmp_path / "labelled.jsonl")
    release(tmp_path / "labelled.jsonl", tmp_path / "out.release")
    return tmp_path / "out.release"


def test_articles_are_cut_where_the_released_offsets_say(tmp_path):
    released = labelled(tmp_path)
    copy = ARTICLE.replace("“", '"').replace("”", '"').replace("the ministry", "the  ministry")
    found = rehydrate(released, articles(tmp_path / "theirs", "\n" + copy))
    assert len(found.sentences) == 2
    span = found.sentences[1].gold.labels["loaded"][0]
    assert span.of(found.sentences[1].text) == "liberated"
    other = rehydrate(released, articles(tmp_path / "named", "x").parent / "own.jsonl")
    assert other.found_by == {"id": 2}


def test_a_sentence_that_differs_is_placed_and_hardly_shown(tmp_path):
    released = labelled(tmp_path)
    told = problems_of(released, articles(tmp_path / "theirs", ARTICLE.replace("long road", "short road")))
    assert len(told) == 1
    assert "'a.1'" in told[0] and "differs" in told[0] and "letters here" in told[0]
    assert re.search(r"within 32 letters of character \d+", told[0])
    assert len(re.findall(r"'([^']*)'…", told[0])[0]) <= 12
    assert not (tmp_path / "back.jsonl").exists()
    found = rehydrate(released, tmp_path / "theirs", tmp_path / "back.jsonl", on_error="skip")
    assert len(found.sentences) == len(load(tmp_path / "back.jsonl")) == 1
    assert "is not in the texts" in problems_of(released, articles(tmp_path / "none", "Nothing here."))[1]


def test_damaged_releases_are_refused(tmp_path):
    released = labelled(tmp_path)
    lines = released.read_text(encoding="utf-8").splitlines()
    cases = {
        "no release": lines[1:],
        "cut off": lines[:-1],
        "no sentence of a release": [lines[0], lines[1], json.dumps({"id": "x"})],
        "no valid JSON": [lines[0], lines[1], lines[2][:-9]],
    }
    for what, content in cases.items():
        (tmp_path / "bad").write_text("\n".join(content), encoding="utf-8")
        assert what in "\n".join(problems_of(tmp_path / "bad", tmp_path / "own.jsonl"))
    row = json.loads(lines[2])
    row["labels"]["loaded"][0]["start"] = 999
    (tmp_path / "bad").write_text("\n".join([*lines[:2], json.dumps(row)]), encoding="utf-8")
    save(
        [replace(s, text=s.text.replace(" ", "  "), gold=Layers(text="")) for s in load(tmp_path / "own.jsonl")],
        tmp_path / "wide.jsonl",
    )
    assert "cannot be carried over" in problems_of(tmp_path / "bad", tmp_path / "wide.jsonl")[0]


def test_reports_without_text_hold_no_sentence(tmp_path):
    run = train("voice-majority", [f"output={tmp_path / 'run'}", "evaluation.resamples=100"])
    evaluate(run, no_text=True)
    written = [*(tmp_path / "run").glob("report.*"), *report(run, to=tmp_path / "shown", no_text=True)]
    texts = [s.text for s in load("dispatches")]
    for path in written:
        content = html.unescape(path.read_text(encoding="utf-8"))
        assert not any(text in content for text in texts)
    assert any(text in p.read_text(encoding="utf-8") for p in report(run, to=tmp_path / "full") for text in texts)
