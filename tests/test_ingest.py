"""Ingest: offsets point into the article, copies are grouped, what is no English article is said."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit import StancekitError, ingest
from stancekit.data.load import load
from stancekit.ingestion import cut
from stancekit.ingestion.article import LARGEST, Article
from stancekit.text import health
from strategies import ALPHABET

STORY = (
    "The ministry said the ferry was halted after a “provocation” on the river. Residents of both banks waited for "
    "hours.\n\n“We had to respond,” a border guard said. The crossing will open on Monday, officials added, if the "
    "water falls. Nobody was hurt in the incident, the regional hospital said on Friday."
)
OTHER = (
    "Farmers in the hills are counting their losses after the second frost of the month. The council has promised "
    "help for those who lost more than half of the harvest, but the form has forty pages. It is not clear who will "
    "read them, the head of the union told this paper."
)
GERMAN = (
    "Der Minister sagte am Montag, dass die Truppen an der Grenze zur Ruhe gekommen seien und dass man jetzt an "
    "Gespräche denke, die im Herbst beginnen sollen. Das war so nicht der Plan, als er im Amt war."
)
PAGE = """<html lang="en"><head><meta charset="utf-8"><title>Ferry halted - Karsk Gazette</title>
<meta property="og:site_name" content="Karsk Gazette">
<meta property="article:published_time" content="2031-04-12T08:00:00Z"></head>
<body><nav><a href="/">Home</a> <a href="/w">World</a></nav><article><h1>Ferry halted</h1>{paragraphs}</article>
<footer>Sign up for our daily letter</footer></body></html>"""


def page(text: str) -> str:
    return PAGE.format(paragraphs="".join(f"<p>{p}</p>" for p in text.split("\n\n")))


def problems_of(*arguments, **options) -> list[str]:
    with pytest.raises(StancekitError) as caught:
        ingest(*arguments, **options)
    return [str(problem) for problem in caught.value.problems]


def test_a_page_becomes_sentences_with_offsets_and_metadata(tmp_path):
    (tmp_path / "ferry.html").write_text(page(STORY), encoding="utf-8")
    found = ingest(tmp_path / "ferry.html", to=tmp_path / "out.jsonl", meta={"conflict": "orlen"})
    texts = [s.text for s in found.sentences]
    assert "The ministry said the ferry was halted after a “provocation” on the river." in texts
    assert not any("Sign up" in t or "World" in t for t in texts)
    assert {"outlet": "Karsk Gazette", "date": "2031-04-12", "title": "Ferry halted"}.items() <= found.sentences[
        0
    ].meta.items()
    assert found.sentences[0].meta["language"] == "en" and found.sentences[0].meta["conflict"] == "orlen"
    articles = {
        r["document"]: r["text"] for r in map(json.loads, (tmp_path / "out.articles.jsonl").open(encoding="utf-8"))
    }
    for sentence in load(tmp_path / "out.jsonl"):
        assert articles[sentence.document][sentence.meta["start"] : sentence.meta["end"]] == sentence.text


@given(st.text(ALPHABET, max_size=300))
def test_offsets_hold_for_any_text(text):
    sentences = list(cut(Article(document="a", text=text, where="a")))
    assert all(text[s.meta["start"] : s.meta["end"]] == s.text for s in sentences)
    assert [s.index for s in sentences] == list(range(len(sentences)))


def test_tables_find_their_columns_or_are_told(tmp_path):
    rows = [{"uid": 7, "body": STORY, "source": "Gazette", "date_publish": "2031-04-12", "desk": "north"}]
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    pq.write_table(pa.Table.from_pylist([{"key": "p1", "words": OTHER, "headline": "Frost"}]), tmp_path / "b.parquet")
    first = ingest(tmp_path / "a.jsonl").sentences[0]
    assert first.document == "7"
    assert {"outlet": "Gazette", "date": "2031-04-12", "desk": "north"}.items() <= first.meta.items()
    second = ingest(tmp_path / "b.parquet", columns={"text": "words", "document": "key"}).sentences[0]
    assert second.document == "p1" and second.meta["title"] == "Frost"
    assert "the columns are 'key', 'words', 'headline'" in problems_of(tmp_path / "b.parquet")[0]


def test_wire_copy_is_grouped_and_boilerplate_marked(tmp_path):
    line = "\n\nFollow this paper for more news of the river."
    (tmp_path / "a.txt").write_text(STORY + line, encoding="utf-8")
    (tmp_path / "b.txt").write_text("ORLEN (Agency) – " + STORY.replace("“", '"').replace("”", '"'), encoding="utf-8")
    (tmp_path / "c.txt").write_text(OTHER + line, encoding="utf-8")
    (tmp_path / "d.txt").write_text(
        "Nothing of this is new. " * 3 + "The old bridge, it was said, is to be painted." + line, encoding="utf-8"
    )
    found = ingest(tmp_path)
    groups = {s.document: s.meta.get("wire_group") for s in found.sentences}
    assert groups == {"a": "a", "b": "a", "c": None, "d": None}
    assert {s.text for s in found.sentences if s.meta.get("boilerplate")} == {line.strip()}
    assert found.counts["groups of near-identical articles"] == 1


def test_what_is_no_english_article_is_said_with_its_place(tmp_path):
    (tmp_path / "a.txt").write_text(GERMAN, encoding="utf-8")
    (tmp_path / "b.txt").write_text(STORY.encode("utf-8").decode("cp1252", errors="replace"), encoding="utf-8")
    (tmp_path / "c.html").write_text("<html><body><p>Please enable JavaScript.</p></body></html>", encoding="utf-8")
    (tmp_path / "d.txt").write_bytes(STORY.encode("utf-16"))
    links = "".join(f"<li><a href='/{k}'>Story number {k} about the ferry</a></li>" for k in range(30))
    (tmp_path / "e.html").write_text(f"<html><body><ul>{links}</ul></body></html>", encoding="utf-8")
    (tmp_path / "f.jsonl").write_text(
        '{"text": 5}\n{broken\n' + json.dumps({"id": "x", "text": STORY}), encoding="utf-8"
    )
    (tmp_path / "g.txt").write_text("", encoding="utf-8")
    (tmp_path / "h.html").write_bytes(page(STORY).replace("utf-8", "windows-1252").encode("cp1252"))
    told = "\n".join(problems_of(tmp_path))
    for part in (
        "a.txt: this is no English",
        "b.txt: ",
        "% of the characters are broken",
        "c.html: there is no article in this page",
        "d.txt:1: the file is UTF-16",
        "e.html: there is no article",
        "f.jsonl:1: there is no text",
        "f.jsonl:2: no valid JSON",
        "g.txt: the article has no text",
    ):
        assert part in told
    found = ingest(tmp_path, on_error="skip")
    assert {a.document for a in found.articles} == {"x", "h"}
    assert "“provocation”" in found.articles[1].text
    assert len(found.problems) == 8


def test_documents_stand_once_and_paths_must_be_there(tmp_path):
    (tmp_path / "a.jsonl").write_text((json.dumps({"id": "x", "text": STORY}) + "\n") * 2, encoding="utf-8")
    told = problems_of(tmp_path / "a.jsonl", tmp_path / "none.txt", tmp_path / "a.docx")
    assert "'x' stands twice, first at" in told[0] and ":2:" in told[0]
    assert "no such file" in told[1]
    assert "no such role" in problems_of(tmp_path / "a.jsonl", columns={"txt": "body"})[0]
    (tmp_path / "empty").mkdir()
    assert "there is no article" in problems_of(tmp_path / "empty")[0]
    assert "list is no path → give paths one after another" in problems_of([tmp_path / "a.jsonl"])[0]


def test_a_line_of_200_megabytes_is_refused_in_bounded_memory(tmp_path):
    with (tmp_path / "big.jsonl").open("wb") as stream:
        stream.write(b'{"id": "big", "text": "')
        for _ in range(200):
            stream.write(b"word " * 200_000)
        stream.write(b'"}\n' + json.dumps({"id": "x", "text": STORY}).encode())
    code = (
        "import re, sys; from stancekit import ingest; found = ingest(sys.argv[1], on_error='skip');"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1];"  # rusage holds the parent's, too
        "print(len(found.articles), found.problems[0], peak)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "big.jsonl")], capture_output=True, text=True, check=True
    )
    count, *_, memory = done.stdout.split()
    assert count == "1" and f"more than {LARGEST // 1_000_000} MB in one piece" in done.stdout
    assert int(memory) < 700_000


def test_english_share_tells_languages_apart():
    assert health.english_share(STORY) > health.ENGLISH_SHARE
    assert health.english_share(GERMAN) < health.FOREIGN_SHARE
    assert health.english_share("Too short to say.") is None
    assert (
        health.broken_share("The �caf� of MÃ¼nchen") > health.BROKEN_SHARE > health.broken_share("Señora “Peña” – 5 €")
    )
