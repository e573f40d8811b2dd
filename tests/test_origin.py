"""Where a run comes from: the encoder it starts with, what that has learnt from, and the code that trained it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from stancekit import experiment
from stancekit.errors import StancekitError
from stancekit.files import make_folder, read_json, write_json
from stancekit.runs.run import Run
from stancekit.training import origin, single, staging
from test_runs import CSV, plan
from tiny import Encoders


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Other sentences in the same columns."""
    head, *rows = CSV.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "other.csv"
    path.write_text("\n".join([head, *(row.replace("a", "e").replace("i", "o") for row in rows)]), encoding="utf-8")
    return path


def settings(folder: Path, encoder: Path, name: str, **changes: Any) -> list[str]:
    training = {"model.training.epochs": 1, "model.training.least_steps": 1, "output": folder / name}
    return plan(folder, **{"model.name": "transformer", "model.encoder": encoder, **training, **changes})


def train(folder: Path, encoder: Path, name: str, **changes: Any) -> Run:
    run = experiment.train("own-csv", settings(folder, encoder, name, **changes))
    assert isinstance(run, Run)
    return run


def sides(run: Run) -> dict[str, set[str]]:
    split = read_json(run.path / "split.json")
    return {part: {split["hashes"][i] for i in ids} for part, ids in split["parts"].items()}


def test_a_run_as_encoder_may_not_have_learnt_what_is_held_out(tmp_path: Path, encoders: Encoders, other: Path) -> None:
    first = train(tmp_path, encoders["bert"], "first")
    again = train(tmp_path, first.path, "again")  # one split: what is held out was held out before
    (noted,) = again.manifest["encoders"]
    weights = hashlib.sha256((first.path / "model" / "model.safetensors").read_bytes()).hexdigest()
    assert noted["name"] == str(first.path) and noted["files"]["model.safetensors"] == weights
    between = train(tmp_path, first.path / "model", "between", **{"data.path": other})
    changed = {"split.seed": 99}
    for encoder in (first.path, between.path / "model"):
        with pytest.raises(StancekitError) as caught:
            train(tmp_path, encoder, "leaky", **changed)
        learnt, held = sides(first), sides(train(tmp_path, encoders["bert"], f"plain-{encoder.name}", **changed))
        count = len(learnt["train"] & (held["dev"] | held["test"])) + len(learnt["dev"] & held["test"])
        (problem,) = caught.value.problems
        named = encoder if encoder == first.path else between.path
        assert count and f"the run {named} has learnt from {count} texts" in problem.what
        assert problem.where == f"model.encoder ({encoder})" and not (tmp_path / "leaky").exists()
    report = experiment.check("own-csv", settings(tmp_path, first.path, "leaky", **changed))
    assert [p.where for p in report.problems] == [f"model.encoder ({first.path})"]


def test_a_text_under_other_labels_is_the_same_text(tmp_path: Path, encoders: Encoders) -> None:
    path = tmp_path / "relabelled.csv"
    swap = str.maketrans({"“": '"', "”": '"', " ": "\u00a0"})
    head, *rows = CSV.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head.replace("label", "tone"), *(row.translate(swap).upper() for row in rows)]))
    tone = {"data.path": path, "data.options.label": "tone", "task.labels": "[LOADED, PLAIN]"}
    first = train(tmp_path, encoders["bert"], "first", **tone, **{"split.seed": 99})
    with pytest.raises(StancekitError, match=r"has learnt from \d+ texts that stand in dev and test here"):
        train(tmp_path, first.path, "leaky")


def test_what_the_encoder_of_a_teacher_has_learnt_counts_too(tmp_path: Path, encoders: Encoders) -> None:
    head, *rows = CSV.read_text(encoding="utf-8").splitlines()
    paths = {name: tmp_path / f"{name}.csv" for name in ("ours", "theirs", "more")}
    for path, own in zip(paths.values(), (rows[:30], rows[30:50], rows[50:]), strict=True):
        path.write_text("\n".join([head, *own]), encoding="utf-8")
    first = train(tmp_path, encoders["bert"], "first", **{"data.path": paths["theirs"]})
    files = {"data.path": "null", "data.train": paths["ours"]}
    teacher = train(tmp_path, first.path, "teacher", **files, **{"data.test": paths["more"]})
    files |= {"data.test": paths["theirs"], "output": tmp_path / "student"}
    changes = {"model.name": "distil", "model.teacher": teacher.path, **files}
    report = experiment.check("own-csv", plan(tmp_path, **changes))
    (problem,) = report.problems
    assert problem.where == f"model.teacher ({teacher.path})" and "stand in test here" in problem.what


def test_a_run_without_encoder_notes_none_and_is_no_encoder(tmp_path: Path) -> None:
    run = experiment.train("own-csv", plan(tmp_path))
    assert isinstance(run, Run) and run.manifest["encoders"] == []
    with pytest.raises(StancekitError, match="holds no encoder"):
        train(tmp_path, run.path, "wrong")
    report = experiment.check("own-csv", settings(tmp_path, run.path, "wrong"))
    assert [p.what for p in report.problems] == ["this folder holds no encoder (there is no config.json)"]


def test_an_encoder_that_is_not_there_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = experiment.check("own-csv", settings(tmp_path, Path("team/none"), "none"))
    assert not report.problems and ["team/none" in w.where for w in report.warnings] == [True]
    with pytest.raises(StancekitError, match="there is no folder"):
        train(tmp_path, Path("team/none/more"), "none")
    assert not [p for p in tmp_path.iterdir() if "none" in p.name]


def test_the_code_is_known_by_all_files_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "training").mkdir()
    module = tmp_path / "schema.py"
    module.write_text("a = 1\n")
    monkeypatch.setattr(single, "__file__", str(tmp_path / "training" / "single.py"))
    before = single.code_hash()
    module.write_text("a = 2\n")
    assert single.code_hash() != before


def test_an_unfinished_run_does_not_go_on_with_another_encoder(tmp_path: Path, encoders: Encoders) -> None:
    mine = Path(shutil.copytree(encoders["bert"], tmp_path / "mine"))
    run = train(tmp_path, mine, "run")
    unfinished = run.path.rename(tmp_path / "run.unfinished")
    shutil.rmtree(unfinished / "model")
    tokens = read_json(mine / "tokenizer_config.json")
    write_json(mine / "tokenizer_config.json", {**tokens, "padding_side": "left"})
    with pytest.raises(StancekitError, match="another experiment"):
        experiment.train("own-csv", settings(tmp_path, mine, "run"), mode="resume")
    shutil.copyfile(encoders["bert"] / "tokenizer_config.json", mine / "tokenizer_config.json")
    again = experiment.train("own-csv", settings(tmp_path, mine, "run"), mode="resume")
    assert isinstance(again, Run) and again.manifest["plan"] == run.manifest["plan"]


def test_the_encoder_of_a_student_counts_and_a_setting_of_ones_own_does_not() -> None:
    assert origin.encoders({"name": "distil", "teacher": "runs/a"}) == ["minilm"]
    assert origin.encoders({"name": "distil", "student": {"name": "transformer", "encoder": "runs/b"}}) == ["runs/b"]
    assert origin.encoders({"name": "mine:Model", "encoder": "morse"}) == origin.encoders({"name": "linear"}) == []


def test_a_run_from_elsewhere_is_checked_as_far_as_it_tells(tmp_path: Path, encoders: Encoders) -> None:
    first = train(tmp_path, encoders["bert"], "first")
    staging.stage(first, make_folder(tmp_path / "fetched"))
    fetched, changed = tmp_path / "fetched", {"split.seed": 99}
    with pytest.raises(StancekitError, match="has learnt from"):
        train(tmp_path, fetched, "leaky", **changed)
    manifest = read_json(fetched / "manifest.json")
    (fetched / "profile.json").unlink()
    del manifest["files"]["profile.json"]
    write_json(fetched / "manifest.json", manifest)
    report = experiment.check("own-csv", settings(tmp_path, fetched, "unknown", **changed))
    assert not report.problems and "does not tell which sentences" in report.warnings[-1].what
    with (fetched / "model" / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(StancekitError, match="the file is damaged"):
        train(tmp_path, fetched, "damaged", **changed)
