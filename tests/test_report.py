"""Reports: escaped, self-contained, the same bytes again, and counting what the metrics count."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stancekit
from evaluated import HOSTILE, evaluated, tagged
from stancekit import comparison, experiment, reports, scoring
from stancekit.comparison import Rival
from stancekit.evaluation import Evaluated
from stancekit.metrics.holder import HolderF1
from stancekit.metrics.linked import LinkedExact
from stancekit.reports import curve, facts, marks, rendering
from stancekit.reports.marks import Mark
from stancekit.runs import headline, runfolder
from stancekit.runs.run import Run
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
    found = evaluated("stance", 8)
    right = tuple(replace(p, answer=a) for p, a in zip(found.predictions, found.part.gold, strict=True))
    rivals = [
        Rival("/x/a", "bent & <b>", found.predictions, "linear", "stance"),
        Rival(
            "/x/b", "gold", right, "joint", "layers", {"task": "layers", "metric": "holder_f1", "value": 0.5, "n": 9}
        ),
    ]
    scores = comparison.of(found.part, rivals, headline.of(found.part.task), resamples=200)
    files = reports.comparison_files(scores)
    assert list(files) == ["compare.html", "compare.md", "compare.tex", "compare.json"]
    page, value = files["compare.html"].decode(), json.loads(files["compare.json"])
    assert "gold − bent &amp; &lt;b&gt;" in page and "/x/" not in page
    assert [r["value"] for r in value["tables"][0]["rows"]] == [r.value for r in scores.rows]
    assert "gold $-$ bent \\& <b>" in files["compare.tex"].decode()
    first, second = value["runs"]
    alone = scoring.score(found.part, found.predictions, resamples=200).find("macro_f1")
    assert (first["value"], first["low"], first["high"]) == (alone.value, alone.low, alone.high)
    assert second["value"] == 1 and second["difference"]["value"] == pytest.approx(1 - alone.value)
    assert second["difference"] == next(r for r in value["tables"][0]["rows"] if r["metric"] == "macro_f1")
    assert 'joint <span class="quiet">of layers</span>' in page and "holder-F1 0.500" in page
    assert (
        f"| gold | joint of layers | 1.000 | 1.000 to 1.000 | +{1 - alone.value:.3f} |" in files["compare.md"].decode()
    )


def test_escapes() -> None:
    assert rendering.markdown("a|b\n*c* <d>") == r"a\|b \*c\* \<d\>"
    assert rendering.tex(r"50% of A_1 & \{x}") == r"50\% of A\_1 \& \textbackslash{}\{x\}"
    assert (rendering.number(None), rendering.number(-0.5, True), rendering.count(12345)) == (
        "–",
        "−0.500",
        "12\u202f345",
    )


CURVE: dict[str, Any] = {
    "metric": "macro_f1",
    "loss": [[10, 1.1], [20, 0.6], [30, 0.41], [40, 0.4]],
    "learning_rate": [[10, 5e-5], [40, 0.0]],
    "dev": [[10, 0.31], [20, 0.56], [30, 0.62], [40, 0.61]],
    "best_step": 30,
    "steps": 40,
}


@pytest.fixture
def learnt(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that trains a small run and leaves a curve in it, as a model that learns step by step does."""

    def trained(curve: Mapping[str, Any]) -> Run:
        run = experiment.train(
            "own-csv", [f"data.path={CSV}", f"output={tmp_path / 'run'}", "evaluation.resamples=100"]
        )
        run.manifest["training"] = {"device": "cpu", "precision": "fp32", "threads": 2, "steps": 40, "seconds": 9.87}
        run.manifest["dev"]["label"] = {"metric": "macro_f1", "value": 0.62, "n": 9}
        runfolder.add(run.path, run.manifest, {"curve.json": json.dumps(curve).encode()})
        experiment.evaluate(run)
        return stancekit.load(run.path)

    return trained


def test_a_curve_is_drawn_in_scale_and_told_in_words(learnt: Callable[..., Run]) -> None:
    run = learnt(CURVE)
    files = reports.files(run, experiment.evaluation.stored(run, "test"))
    assert files == reports.files(run, experiment.evaluation.stored(run, "test"))
    page, value = files["report.test.html"].decode(), json.loads(files["report.test.json"])["curve"]
    line = "40 steps; loss 1.100 → 0.400; macro-F1 on dev 0.620 at step 30, the best of 4"
    assert value["line"] == line and line in page
    assert [panel["rows"] for panel in value["panels"]] == [CURVE["loss"], CURVE["dev"]]
    assert [panel["ticks"] for panel in value["panels"]] == [[0.4, 0.6, 0.8, 1.0, 1.2], [0.3, 0.4, 0.5, 0.6, 0.7]]
    first, second = re.findall(r'<polyline points="(.*?)"/>', page)
    assert first == "25.00,12.50 50.00,75.00 75.00,98.75 100.00,100.00"
    assert second.split()[2] == "75.00,20.00" and '<line class="best" x1="75.00" x2="75.00"' in page
    assert 'aria-label="macro-F1 on dev, by step: from 0.31 at step 10 to 0.61 at step 40"' in page
    about = dict(json.loads(files["report.test.json"])["about"])
    assert about["Trained on"] == "cpu, fp32, threads: 2, steps: 40" and about["Dev"] == "macro-F1 0.620 on 9 examples"
    assert rendering.markdown(line) in files["report.test.md"].decode()
    assert r"% training: 40 steps; loss 1.100 $\to$ 0.400" in files["report.test.tex"].decode()
    stored = run.path / "report.test.json"
    assert "<polyline" in reports.without_text(stored)["report.test.html"].decode()


@pytest.mark.parametrize(
    ("curve", "line", "panels"),
    [
        ({"metric": "f", "dev": [[1, 0.5]], "steps": 1}, "1 step; f on dev 0.500 at step 1", ["dev"]),
        ({"loss": [[5, 2]], "dev": [], "best_step": None, "steps": 9}, "9 steps; loss 2.000 → 2.000", ["loss"]),
        ({"loss": [[1, None], "x", [2, 3.0]], "dev": 7}, "2 steps; loss 3.000 → 3.000", ["loss"]),
        ({"metric": "f", "steps": 4}, None, []),
    ],
)
def test_curves_that_lack_something(
    learnt: Callable[..., Run], curve: dict[str, Any], line: str | None, panels: list[str]
) -> None:
    run = learnt(curve)
    value = json.loads((run.path / "report.test.json").read_text()).get("curve")
    assert (value and value["line"]) == line and [p["key"] for p in (value or {"panels": []})["panels"]] == panels
    assert ("<polyline" in (run.path / "report.test.html").read_text()) == bool(panels)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_are_few_and_reach_around_the_values(low: float, width: float) -> None:
    high = low + width
    ticks = curve._ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert ticks[0] <= low + slack and ticks[-1] >= high - slack and 2 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert max(curve._ticks(0.3, 1.0)) == 1.0 == max(curve._ticks(1.0, 1.0)), "a score has no room above 1"
