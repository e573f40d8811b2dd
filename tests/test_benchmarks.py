"""What is shipped is what was measured, and what is told is what was noted: settings, and figures in the text."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stancekit import components, yamlfile

ROOT = Path(__file__).parent.parent
MEASURED = {  # experiment: benchmark, row, and what its command line sets
    "newsmtsc-transformer": ("neural_newsmtsc", "all of train", {}),
    "tweeteval-stance-transformer": ("neural_tweeteval", "transformer", {}),
    "babe-transformer": ("neural_babe", "transformer", {}),
    "ptc-spans": ("neural_ptc", "spans", {"training": {"epochs": 3}}),
    "demo-joint": ("neural_dispatches", "joint", {}),
    "polnear-joint": ("neural_polnear", "joint", {"training": {"epochs": 4}}),
}


def built(own: dict[str, Any]) -> dict[str, Any]:
    return vars(components.build("model", own["name"], {k: v for k, v in own.items() if k != "name"}))


@pytest.mark.parametrize("name", MEASURED)
def test_an_experiment_has_the_settings_that_were_measured(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script, row, given = MEASURED[name]
    path = ROOT / "experiments" / f"{name}.yaml"
    shipped = yamlfile.parse(path.read_text(encoding="utf-8"), path).value["model"]
    assert built(shipped) == built({**importlib.import_module(script).ROWS[row], **given})


NOT_NOTED = {  # sections whose scripts print figures and note none: no dev part is read in them
    "Agreement between annotators",
    "Segmentation",
    "The ladder of frames",
    "Time of fine-tuning",
}
ON_TRAIN = {  # read on cuts of train, which the ledger does not hold
    *("+1.5 [-0.0, +3.0]", "77.7 [75.6, 79.7]", "76.3 [74.3, 78.3]", "+1.2 [+0.3, +2.2]", "+0.7 [-0.4, +1.7]"),
    *("+0.6 [-1.1, +2.3]", "+0.2 [-1.3, +1.6]", "+0.2 [-1.3, +1.8]", "-0.4 [-2.0, +1.2]", "+1.1 [-0.5, +2.6]"),
    *("+1.2 [-0.1, +2.6]", "-0.2 [-1.4, +0.9]", "77.7 [75.3, 80.0]"),
    *("96.7 [95.6, 97.7]", "95.4 [94.1, 96.6]"),
    *("61.4 [58.7, 63.9]", "41.4 [38.8, 44.0]", "64.6 [61.7, 67.2]"),
}
FIGURE = re.compile(r"([+-]?\d*\.\d+) \[([+-]?\d*\.\d+), ([+-]?\d*\.\d+)\]")


def test_every_interval_in_the_text_stands_in_the_ledger() -> None:
    lines = (ROOT / "benchmarks" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    noted = [(r["value"], r["low"], r["high"]) for r in map(json.loads, lines) if r["low"] is not None]
    known = np.array(noted, dtype=float)
    section, missing, checked = "", [], 0
    for line in (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8").splitlines():
        section = line.removeprefix("## ") if line.startswith("## ") else section
        for match in FIGURE.finditer(line.replace("−", "-").replace("**", "")):
            if section in NOT_NOTED or match.group() in ON_TRAIN:
                continue
            told, places = np.array([float(x) for x in match.groups()]), len(match.group(1).partition(".")[2])
            scale = 100 if places == 1 else 1  # the ledger rounds to four places, the text once more
            near = np.abs(known * scale - told) <= 0.5 * 10.0**-places + 1e-4 * scale
            checked += 1
            missing += [] if near.all(axis=1).any() else [f"{section}: {match.group()}"]
    assert not missing and checked > 300


def test_the_figures_in_the_guide_stand_in_the_benchmarks_tables() -> None:
    told = (ROOT / "docs" / "neural.md").read_text(encoding="utf-8").partition("## What to expect")[2]
    figures = re.findall(r"\b\d\d\.\d\b", told.partition("`linear` trains")[0])
    lines = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8").splitlines()
    measured = re.findall(r"\b\d\d\.\d\b", "".join(line for line in lines if line.startswith("|")))
    assert len(figures) > 15 and {*figures} <= {*measured}


def test_what_the_readme_says_of_real_news_was_read_last() -> None:
    lines = (ROOT / "benchmarks" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    read = [r for r in map(json.loads, lines) if "abroad" in r["command"]]
    last = {(r["data"], r["row"], r["metric"]): r["value"] for r in read}
    last |= {("newsmtsc", r["part"][:6], r["row"]): r["value"] for r in read if r["metric"] == "macro_f1"}
    wanted = [
        ("polnear", "joint", "linked_overlap_f1"),
        ("polnear", "attribution-lexicon", "linked_overlap_f1"),
        ("babe", "joint", "share with a device, not biased"),
        ("babe", "joint", "share with a device, biased"),
        ("newsmtsc", "dev_rw", "joint"),
        ("newsmtsc", "dev_mt", "joint"),
    ]
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    told = re.search(
        r"F1 of (\d+) \(rules: (\d+)\).*? device in (\d+) of 100 .*? in (\d+) of the others.*? macro-F1 of (\d+) and (\d+)",
        text,
    )
    assert told and [int(x) for x in told.groups()] == [round(100 * last[key]) for key in wanted]
    seeds = ("sentiment-transformer", "sentiment-14", "sentiment-15")
    means = [np.mean([last["newsmtsc", part, row] for row in seeds]) for part in ("dev_rw", "dev_mt")]
    real = {(r["part"], r["row"]): r["value"] for r in map(json.loads, lines) if "newsmtsc.py read" in r["command"]}
    means += [real[part, row] for row in ("linear", "all of train") for part in ("dev_rw", "dev_mt")]
    again = re.search(r"macro-F1 of (\d+) and (\d+) on the same .*? real ones \((\d+) and (\d+)\)", text)
    learnt = re.search(r"one that learnt real sentences has (\d+) and (\d+)", text)
    assert again and learnt
    assert [int(x) for x in again.groups() + learnt.groups()] == [round(100 * mean) for mean in means]
