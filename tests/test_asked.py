"""Targets to be judged: a file of new sentences names them, and no label."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from stancekit import experiment
from stancekit.cli import runs as command
from stancekit.data.load import load, survey
from stancekit.errors import StancekitError
from stancekit.runs.run import Run
from stancekit.sampling import sample
from stancekit.schema import Span, Stance, Target

GOLD = "text,target,label\n" + "".join(
    f"t{k} praises Karsk,Karsk,pro\nt{k} blames Orlen,Orlen,con\n" for k in range(30)
)
TABLE = "text,target\nA text praises Karsk,Karsk\nA text blames Orlen,Orlen\n"
RECORDS = "".join(
    json.dumps({"id": f"a{k}", "text": text, "stances": [{"target": target}]}) + "\n"
    for k, (text, target) in enumerate([("A text praises Karsk", "Karsk"), ("A text blames Orlen", "Orlen")])
)


MODELS = {"sentiment": "linear", "stance": "linear", "layers": "majority"}


@pytest.fixture(scope="module", params=MODELS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of a task of one's own, one of stances, and one of all layers."""
    folder, name = tmp_path_factory.mktemp("asked"), request.param
    own = name == "sentiment"
    gold = GOLD if own else GOLD.replace("pro", "favor").replace("con", "against")
    (folder / "gold.csv").write_text(gold, encoding="utf-8")
    plan = {"name": "asked", "task": {"name": name, "kind": "targeted"} if own else name, "output": str(folder / "run")}
    plan["data"] = {"path": str(folder / "gold.csv"), "options": {"task": name if own else "stance"}}
    plan["model"] = {"name": MODELS[name]}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    found = experiment.train(folder / "plan.yaml")
    assert isinstance(found, Run)
    return found


@pytest.mark.parametrize(("name", "content"), [("new.csv", TABLE), ("new.jsonl", RECORDS)])
def test_new_sentences_name_their_targets_on_the_command_line(run: Run, tmp_path: Path, name, content) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    done = CliRunner().invoke(command.app, ["predict", str(run.path), str(tmp_path / name)])
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    answers = [row["labels"]["sentiment"] if run.task.name == "sentiment" else row["stances"] for row in rows]
    assert [[item["target"] for item in answer] for answer in answers] == [["Karsk"], ["Orlen"]]
    labels = [item.get("label") or item.get("stance") for (item,) in answers]
    if run.task.name != "layers":
        assert labels == (["pro", "con"] if run.task.name == "sentiment" else ["favor", "against"])
    assert all(labels)


def test_where_one_target_has_no_label_all_are_judged(run: Run, tmp_path: Path) -> None:
    stances = [{"target": "Karsk", "stance": "favor"}, {"target": "Orlen", "stance": None}]
    row = {"id": "1", "text": "Karsk praises Orlen", "stances": stances}
    (tmp_path / "new.jsonl").write_text(json.dumps(row), encoding="utf-8")
    done = CliRunner().invoke(command.app, ["predict", str(run.path), str(tmp_path / "new.jsonl")])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    answer = found["labels"]["sentiment"] if run.task.name == "sentiment" else found["stances"]
    assert [item["target"] for item in answer] == ["Karsk", "Orlen"]


def test_sentences_without_a_target_are_named_by_their_line_or_all_at_once(run: Run, tmp_path: Path) -> None:
    if run.task.inner:
        return
    path = tmp_path / "new.csv"
    path.write_text(TABLE + "No target,\n", encoding="utf-8")
    with pytest.raises(StancekitError, match=rf"^{path}:4: {run.task.name} needs a target → name them: a column"):
        experiment.predict(run, path)
    path.write_text("text\na\nb\n", encoding="utf-8")
    with pytest.raises(StancekitError, match=rf"^{path}: {run.task.name} needs targets, and no sentence of 2 has one"):
        experiment.predict(run, path)


def test_a_target_without_a_label_is_no_annotation_where_none_is_asked(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text,target,label,span_start,span_end\nOn Karsk,Karsk,,3,8\n", encoding="utf-8")
    (tmp_path / "x.jsonl").write_text(RECORDS, encoding="utf-8")
    (one,) = load(tmp_path / "x.csv")
    assert one.gold.stances is None and not one.gold.labels
    assert [p.what for p in survey(tmp_path / "x.jsonl")[1]] == ["a stance needs `target` and `stance`"] * 2
    (one,) = experiment.read_inputs(tmp_path / "x.csv")
    assert one.gold.stances == (Stance(Target("Karsk", Span(3, 8)), ""),)
    (tmp_path / "x.jsonl").write_text('{"id": "1", "text": "On Karsk", "target": "Karsk"}\n', encoding="utf-8")
    with pytest.raises(StancekitError, match=r'unknown key .target. → write "stances"'):
        experiment.read_inputs(tmp_path / "x.jsonl")


def test_a_run_labels_a_sample_toward_the_targets_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(TABLE, encoding="utf-8")
    drawn = sample(tmp_path / "new.csv", 2, run=run)
    assert len(drawn.sentences) == 2
