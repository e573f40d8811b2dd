"""Comparing runs of several tasks as the first one's, and the ladder that does so."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from evaluated import BOOK, sentences
from stancekit import codebook, experiment, tasks
from stancekit.data import record
from stancekit.errors import StancekitError
from stancekit.runs import viewed
from stancekit.runs.run import Run
from stancekit.schema import Layers, Prediction
from stancekit.tasks import Part

ROOT = Path(__file__).parent.parent
LADDER = sorted((ROOT / "experiments").glob("ladder-*.yaml"))
MATERIAL = sentences(8)


def answered(name: str) -> tuple[Part, list[Prediction]]:
    """Return a task's part, each example answered with the gold of the one before it (without spans)."""
    part = tasks.part(tasks.built_in(name, BOOK), MATERIAL)
    return part, [Prediction(id=e.id, answer=a) for e, a in zip(part.examples, part.gold, strict=True)]


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ("devices", "frames"),
        ("attribution", "voice"),
        *(("layers", name) for name in ("frames", "voice", "stance", "devices", "attribution", "holder")),
    ],
)
def test_answers_are_seen_as_what_follows_from_them(own: str, asked: str) -> None:
    task = tasks.built_in(asked, BOOK)
    part, right = answered(own)
    view, predictions = viewed.view(task, part, right)
    assert view == tasks.part(task, MATERIAL) and len(view) > 20
    alone = [replace(s, gold=Layers(text=s.text, attributions=s.gold.attributions)) for s in MATERIAL]
    expected = tasks.part(task, alone if own == "attribution" else MATERIAL)
    assert [(p.id, p.answer) for p in predictions] == [
        (e.id, a) for e, a in zip(expected.examples, expected.gold, strict=True)
    ]
    empty = {"devices": (), "attribution": (), "layers": Layers(text="", attributions=(), devices=(), stances=())}
    nothing = [replace(p, answer=empty[own]) for p in right]
    _, predictions = viewed.view(task, part, nothing)
    assert {p.answer for p in predictions if not isinstance(p.answer, Layers)} <= {"author", "", frozenset(), ()}


@pytest.mark.parametrize(
    ("own", "asked"), [("voice", "frames"), ("frames", "devices"), ("devices", "voice"), ("attribution", "holder")]
)
def test_what_does_not_follow_is_not_seen(own: str, asked: str) -> None:
    view, predictions = viewed.view(tasks.built_in(asked, BOOK), *answered(own))
    assert len(view) == 0 and predictions == []


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Train the lexicon on several tasks of the same sentences, and evaluate it."""
    root = tmp_path_factory.mktemp("runs")
    stamp = codebook.default().stamp
    lines = [json.dumps(record.dump(s, stamp), ensure_ascii=False) for s in MATERIAL]
    (root / "own.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    found = {}
    for name, task, share in [
        *((t, t, 0.4) for t in ("frames", "devices", "layers", "voice")),
        ("moved", "devices", 0.6),
    ]:
        plan = {"data": {"path": str(root / "own.jsonl")}, "split": {"by": ["document"], "test": share, "seed": 13}}
        plan |= {"name": name, "task": task, "model": {"name": "lexicon"}, "evaluation": {"resamples": 100}}
        (root / f"{name}.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
        found[name] = experiment.train(root / f"{name}.yaml", [f"output={root / name}"])
        experiment.evaluate(found[name])
    return found


def test_a_lexicon_is_the_same_by_whatever_task_it_is_asked(runs: dict[str, Run], tmp_path: Path) -> None:
    found = experiment.compare([runs[n] for n in ("frames", "devices", "layers")], resamples=200, to=tmp_path / "a")
    assert {row.value for row in found.rows} <= {0.0, None} and found.signature["task"] == "frames"
    assert [(line.task, line.value.metric) for line in found.lines] == [
        ("frames", "macro_f1"),
        ("devices", "macro_f1"),
        ("layers", "macro_f1"),
    ]
    own = experiment.evaluation.stored(runs["frames"], "test").scores.find("macro_f1").value
    assert {line.value.value for line in found.lines} == {own} and own > 0
    assert {path.name for path in (tmp_path / "a").iterdir()} == {f"compare.{e}" for e in ("html", "md", "tex", "json")}
    experiment.compare([runs[n].path for n in ("frames", "devices", "layers")], resamples=200, to=tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("first", "others", "what"),
    [
        ("frames", ["voice"], r"its answers \(voice\) do not say what .*frames answers \(frames\)"),
        ("devices", ["frames"], r"its answers \(frames\) do not say"),
        ("layers", ["devices"], r"its answers \(devices\) do not say"),
        ("frames", ["moved"], "its test part differs"),
        ("frames", ["devices", "devices"], "named twice"),
    ],
)
def test_what_cannot_be_compared_is_an_error(runs: dict[str, Run], first: str, others: list[str], what: str) -> None:
    with pytest.raises(StancekitError, match=what):
        experiment.compare([runs[first], *(runs[name] for name in others)], resamples=200)


def test_the_ladder_goes_up_on_one_split() -> None:
    plans = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in LADDER]
    models = "majority lexicon linear embedding fewshot transformer spans joint".split()
    assert [plan["model"]["name"] for plan in plans] == models
    for number, (plan, model) in enumerate(zip(plans, models, strict=True), start=1):
        assert (plan["name"], plan["output"]) == (f"ladder-{number}-{model}", f"runs/ladder/{number}-{model}")
        assert [plan[key] for key in ("data", "split", "evaluation")] == [
            plans[0][key] for key in ("data", "split", "evaluation")
        ]


@pytest.mark.slow
def test_the_ladder_is_climbed_from_one_command(tmp_path: Path) -> None:
    for name in ("data", "experiments"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "ladder.py").write_bytes((ROOT / "examples" / "ladder.py").read_bytes())
    command = [sys.executable, "examples/ladder.py", "1-majority", "2-lexicon"]
    first, again = (subprocess.run(command, cwd=tmp_path, capture_output=True, text=True) for _ in range(2))
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert "train experiments/ladder-2-lexicon.yaml" in first.stdout and "$ stancekit train" not in again.stdout
    assert "runs/ladder/2-lexicon is finished: kept" in again.stdout
    page = (tmp_path / "runs" / "ladder" / "comparison" / "compare.html").read_text(encoding="utf-8")
    assert "ladder-2-lexicon − ladder-1-majority" in page
