"""Reports: escaped, self-contained, the same bytes again, and counting what the metrics count."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluated import HOSTILE, evaluated, tagged
from stancekit import experiment, reports, scoring
from stancekit.evaluation import Evaluated
from stancekit.metrics.holder import HolderF1
from stancekit.metrics.linked import LinkedExact
from stancekit.reports import facts, marks, rendering
from stancekit.reports.marks import Mark
from stancekit.schema import Example, Layers, Prediction, Span

TASKS = ("voice", "frames", "stance", "attribution", "devices", "holder")
CSV = Path(__file__).parent.parent / "examples" / "headlines.csv"


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_an_escaped_self_contained_report(task: str) -> None:
    found = evaluated(task)
    files = reports.files_of_predictions("/home/someone/predictions.jsonl", found)
    assert files == reports.files_of_predictions("predictions.jsonl", evaluated(task)), "same input, same bytes"
    assert list(files) == ["report.html", "report.md", "report.tex", "report.json"]
    page = files["report.html"].decode()
    assert "default-src 'none'" in page and HOSTILE not in page
    assert not re.search(r"(?:src|href)=[\"'](?!data:|#)|url\(|@import|https?://", page), "no request to anywhere"
    assert page.count("<script>") == 2, "the theme and the filters, and nothing of the text"
    value = json.loads(files["report.json"])
    drawn = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    assert drawn == value["sentences"] and len(drawn) == len(found.part)
    assert found.scores.signature_line in files["report.md"].decode()
    for row in value["scores"]:
        assert found.scores.find(row["metric"]).value == row["value"]


def wrong(task: str) -> int:
    """Count the mistakes of an evaluation by what its strictest metric counts."""
    found = evaluated(task)
    pairs = list(zip(found.part.gold, [p.answer for p in found.predictions], strict=True))
    strictest = {"attribution": LinkedExact, "holder": HolderF1}
    if task in strictest:
        texts = [e.sentence.text for e in found.part.examples]
        metric = strictest[task](found.part.task)
        return sum(any(metric.count(a, b, text)[1:3]) for (a, b), text in zip(pairs, texts, strict=True))
    if task == "devices":
        return sum(set(a) != set(b) for a, b in pairs)  # type: ignore[arg-type]
    return sum(a != b for a, b in pairs)


@pytest.mark.parametrize("task", TASKS)
def test_mistakes_are_those_that_the_metrics_count(task: str) -> None:
    value = facts.of_predictions("x", evaluated(task), no_text=False)
    assert value["mistakes"] == wrong(task) > 0


@pytest.mark.parametrize("task", TASKS)
def test_without_text_no_sentence_is_left(task: str) -> None:
    found = evaluated(task)
    everything = b"".join(reports.files_of_predictions("x", found, no_text=True).values()).decode()
    assert not [e.id for e in found.part.examples if e.sentence.text in everything]
    assert "alert(1)" not in everything


text_and_marks = st.text(min_size=1, max_size=30).flatmap(
    lambda text: st.tuples(
        st.just(text),
        st.lists(
            st.tuples(
                st.sampled_from(["source", "content", "label k1"]),
                st.lists(
                    st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(lambda p: p[0] < p[1]),
                    min_size=1,
                    max_size=2,
                ),
            ),
            max_size=4,
        ),
    )
)


@given(text_and_marks)
def test_segments_cover_the_text_once_with_the_marks_of_each_character(drawn: tuple[str, list]) -> None:
    text, raw = drawn
    given_marks = [Mark(style, tuple(Span(*pair) for pair in pairs), n) for n, (style, pairs) in enumerate(raw)]
    segments = marks.segments(text, given_marks)
    assert "".join(part for part, _, _ in segments) == text
    styles = [style for part, style, _ in segments for _ in part]
    for at, style in enumerate(styles):
        here = {s for m in given_marks for s in m.style.split() if any(p.start <= at < p.end for p in m.parts)}
        assert set(style.split()) == here
    begun = sorted(n for _, _, begins in segments for n in begins)
    assert begun == sorted(n for n, m in enumerate(given_marks) for n in [n] * len({p.start for p in m.parts}))


def test_layers_that_a_tool_left_out_count_as_empty() -> None:
    found = evaluated("holder")
    bare = [replace(p, answer=Layers(text="", devices=e.sentence.gold.devices)) for e, p in pairs_of(found)]
    value = facts.of_predictions("x", replace(found, predictions=tuple(bare)), no_text=False)
    given = [row for row in value["holders"]["rows"] if sum(cell[1] for cell in row["cells"])]
    assert {row["holder"] for row in given} == {"the outlet", "distanced"}


def pairs_of(found: Evaluated) -> list[tuple[Example, Prediction]]:
    return list(zip(found.part.examples, found.predictions, strict=True))


def test_holder_table_counts_every_device() -> None:
    for task in ("devices", "holder"):
        found = evaluated(task)
        table = facts.of_predictions("x", found, no_text=True)["holders"]
        gold = sum(cell[0] for row in table["rows"] for cell in row["cells"])
        assert gold == sum(len(e.sentence.gold.devices or ()) for e in found.part.examples)
    table = facts.of_predictions("x", evaluated("holder"), no_text=True)["holders"]
    assert {row["holder"] for row in table["rows"]} == {"the outlet", "a source", "distanced"}


def test_a_run_tells_its_plan_and_nothing_of_the_machine(tmp_path: Path) -> None:
    plan = [f"data.path={CSV}", f"output={tmp_path / 'run'}", "evaluation.resamples=100"]
    run = experiment.train("own-csv", plan)
    experiment.evaluate(run)
    run.manifest["label_map"] = ["label: spin → loaded"]
    found = experiment.evaluation.stored(run, "test")
    files = reports.files(run, found)
    everything = b"".join(files.values()).decode()
    assert str(tmp_path) not in everything and str(CSV.parent) not in everything
    assert run.manifest["created"] not in everything
    assert "label: spin → loaded" in files["report.test.md"].decode().replace("\\", "")
    assert "headlines.csv" in json.loads(files["report.test.json"])["config"]


def test_the_confusion_matrix_is_that_of_the_answers() -> None:
    found = evaluated("stance")
    table = facts.of_predictions("x", found, no_text=True)["confusion"]
    labels = table["labels"]
    pairs = [(a, p.answer) for a, p in zip(found.part.gold, found.predictions, strict=True)]
    assert table["cells"] == [[pairs.count((a, b)) for b in labels] for a in labels]


def test_an_article_page_works_without_scripts() -> None:
    page = reports.article_page(tagged(), "an <i>article</i>")
    assert page == reports.article_page(tagged(), "an <i>article</i>")
    assert "<i>" not in page.replace("<i>.", "").split("<main>")[0] and "<b>Gazette" not in page
    assert "&lt;script&gt;alert(1)" in page and page.count("<script>") == 1
    assert "stands for “Lt. Col. Petr Halásy" in page and "held by the outlet" in page
    body = re.sub(r'<span class="tip".*?</span></span></span>', "", page.split('<article class="article">')[1])
    words = re.sub(r"<[^>]+>", "", body)
    assert "The left bank is our fathers' ground, and the night crawlers of Adrasz" in words.replace("&#39;", "'")


def test_a_comparison_is_drawn() -> None:
    found = evaluated("stance")
    right = [replace(p, answer=a) for p, a in zip(found.predictions, found.part.gold, strict=True)]
    scores = scoring.compare(found.part, {"/x/a": found.predictions, "/x/b": right}, resamples=200)
    files = reports.comparison_files(scores, ["bent & <b>", "gold"])
    assert list(files) == ["compare.html", "compare.md", "compare.tex", "compare.json"]
    page = files["compare.html"].decode()
    assert "gold − bent &amp; &lt;b&gt;" in page and "/x/" not in page
    rows = json.loads(files["compare.json"])["tables"][0]["rows"]
    assert [r["value"] for r in rows] == [r.value for r in scores.rows]
    assert "gold $-$ bent \\& <b>" in files["compare.tex"].decode()


def test_escapes() -> None:
    assert rendering.markdown("a|b\n*c* <d>") == r"a\|b \*c\* \<d\>"
    assert rendering.tex(r"50% of A_1 & \{x}") == r"50\% of A\_1 \& \textbackslash{}\{x\}"
    assert (rendering.number(None), rendering.number(-0.5, True), rendering.count(12345)) == (
        "–",
        "−0.500",
        "12\u202f345",
    )
