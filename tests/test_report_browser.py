"""The report in a browser: filters, escapes, no request, dark mode, print; 5,000 sentences stay usable."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluated import HOSTILE, evaluated, tagged
from stancekit import comparison, reports
from stancekit.comparison import Rival
from stancekit.evaluation import Evaluated
from stancekit.runs import headline
from stancekit.tasks import Part

pytestmark = pytest.mark.browser
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium")
    if path is None:
        say = pytest.fail if os.environ.get("STANCEKIT_REQUIRE_BROWSER") == "1" else pytest.skip
        say("there is no chromium here: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Return a function that opens a page; a request, a dialog or an error of a script fails the test."""
    wrong: list[str] = []

    def opened(content: bytes, **options: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_bytes(content)
        page = browser.new_context(**options).new_page()
        page.route("**/*", lambda route: route.continue_() if route.request.url == path.as_uri() else route.abort())
        page.on("request", lambda r: None if r.url.startswith(("data:", path.as_uri())) else wrong.append(r.url))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        return page

    yield opened
    assert wrong == []


def report(task: str) -> tuple[bytes, dict[str, Any]]:
    files = reports.files_of_predictions("x", evaluated(task))
    return files["report.html"], json.loads(files["report.json"])


def compared() -> bytes:
    found = evaluated("frames", 8)
    right = tuple(replace(p, answer=a) for p, a in zip(found.predictions, found.part.gold, strict=True))
    rivals = [
        Rival("a", "bent", found.predictions, "linear", "frames"),
        Rival("b", "a-long-name", right, "joint", "layers"),
    ]
    scores = comparison.of(found.part, rivals, headline.of(found.part.task), resamples=200)
    return reports.comparison_files(scores)["compare.html"]


def shown(page: Any) -> int:
    return int(page.locator("#count").text_content().split()[0])


@pytest.mark.parametrize("task", ["stance", "attribution", "devices", "holder"])
def test_filters_find_what_they_promise(open_page: Any, task: str) -> None:
    html, value = report(task)
    page = open_page(html)
    rows = value["sentences"]
    assert shown(page) == len(rows) and page.locator(".sentence").count() == min(25, len(rows))
    page.check("#mistakes")
    assert shown(page) == value["mistakes"] == page.locator(".sentence.wrong").count()
    assert f"({value['mistakes']})" in page.locator("label.check").text_content()
    page.uncheck("#mistakes")
    label, count = value["filters"]["labels"][0]
    page.select_option("#label", label)
    assert shown(page) == count == sum(label in row["labels"] for row in rows)
    page.select_option("#label", "")
    for column, values in value["filters"]["columns"]:
        page.select_option(f'[data-column="{column}"]', values[0][0])
        assert shown(page) == values[0][1]
        page.select_option(f'[data-column="{column}"]', "")
    page.fill("#search", rows[1]["text"][5:25].upper())
    assert 1 <= shown(page) == sum(rows[1]["text"][5:25].lower() in row["text"].lower() for row in rows)
    page.fill("#search", "no such words anywhere")
    assert shown(page) == 0 and page.locator(".sentence").count() == 0


def test_marks_are_drawn_and_hostile_text_is_text(open_page: Any) -> None:
    html, value = report("holder")
    page = open_page(html)
    assert page.locator(".text", has_text="<script>alert(1)</script>").first.text_content() == HOSTILE
    first = next(row for row in value["sentences"] if len(row["lines"][0]["segments"]) > 3)
    drawn = page.locator(f'[data-id="{first["id"]}"]')
    assert drawn.locator(".text").first.text_content() == first["text"]
    for style in ("source", "cue", "content", "label"):
        assert drawn.locator(f".text .{style}").count() > 0
    page.click("#more")
    assert page.locator(".sentence").count() == min(50, len(value["sentences"]))


def test_order_by_confidence(open_page: Any) -> None:
    page = open_page(report("stance")[0])
    page.select_option("#order", "sure")
    sure = [float(text.split()[-1]) for text in page.locator(".answers").all_text_contents()]
    assert sure == sorted(sure, reverse=True) and len(sure) > 5


def test_light_dark_toggle_print_and_phone(open_page: Any) -> None:
    html, _ = report("devices")
    ground = "getComputedStyle(document.body).backgroundColor"
    page = open_page(html, color_scheme="light", viewport={"width": 390, "height": 800})
    light = page.evaluate(ground)
    assert page.evaluate("document.documentElement.scrollWidth") == 390, "no sideways scrolling on a phone"
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    page.click("#theme")
    assert light != dark and page.evaluate(ground) == light
    assert page.locator("#filters").is_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("#filters").is_visible() and not page.locator("#theme").is_visible()
    assert page.locator(".sentence").first.is_visible()


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (color, under) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const c of [under, color]) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); }
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const x = c[i] / 255;
    return sum + weight * (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  }, 0);
  const low = [];
  for (const node of document.querySelectorAll('body *')) {
    const words = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!words || !node.checkVisibility() || node.closest('svg')) continue;
    const grounds = [];
    for (let at = node; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    let under = 'white';
    for (const g of grounds) under = `rgb(${[...rgb(g, under)].slice(0, 3)})`;
    const pair = [light(rgb(getComputedStyle(node).color, under)), light(rgb(under, 'white'))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) low.push(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(low)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(open_page: Any, scheme: str) -> None:
    pages = (report("holder")[0], report("stance")[0], reports.article_page(tagged(), "x").encode(), compared())
    for content in pages:
        assert open_page(content, color_scheme=scheme).evaluate(CONTRAST) == []


def test_a_comparison_draws_every_run_on_one_scale(open_page: Any) -> None:
    page = open_page(compared(), viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390, "no sideways scrolling on a phone"
    first, second = (box.bounding_box()["x"] for box in page.locator("table.glance .wide .dot").all())
    scale = page.locator("table.glance .wide svg").first.bounding_box()
    assert scale["x"] < first < second <= scale["x"] + scale["width"] + 1
    assert page.locator("details table").first.is_visible() is False
    page.click("summary >> nth=0")
    assert page.locator("details table").first.is_visible()


def test_an_article_page_shows_cards_without_scripts(open_page: Any) -> None:
    page = open_page(reports.article_page(tagged(), "article").encode(), java_script_enabled=False)
    mark = page.locator(".mark", has_text="had been left no choice")
    assert not mark.locator(".tip").is_visible()
    mark.click()
    assert "justification" in mark.locator(".tip").inner_text() and "Halásy" in mark.locator(".tip").inner_text()
    box = mark.locator(".tip").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["width"] > 200


def test_five_thousand_sentences_stay_usable(open_page: Any) -> None:
    found = evaluated("devices")
    times = range(5000 // len(found.part) + 1)
    examples = tuple(replace(e, id=f"{e.id}-{n}") for n in times for e in found.part.examples)
    part = Part(found.part.task, examples, found.part.gold * len(times))
    predictions = tuple(replace(p, id=f"{p.id}-{n}") for n in times for p in found.predictions)
    files = reports.files_of_predictions("x", Evaluated("test", part, predictions, found.scores))
    page = open_page(files["report.html"])
    assert shown(page) >= 5000 and page.locator(".sentence").count() == 25
    took = page.evaluate(
        "() => { const start = performance.now(); document.getElementById('mistakes').click(); "
        "return performance.now() - start; }"
    )
    assert took < 500 and page.locator(".sentence.wrong").count() == 25
