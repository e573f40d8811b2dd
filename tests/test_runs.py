"""Runs: the same bytes again, whole or not at all, checked before use."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stancekit
from stancekit import experiment, files
from stancekit.errors import StancekitError
from stancekit.profile import Profile
from stancekit.runs import runfolder
from stancekit.schema import Layers, Sentence
from stancekit.scoring import Scores

ROOT = Path(__file__).parent.parent
CSV = ROOT / "examples" / "headlines.csv"


def plan(folder: Path, **changes: Any) -> list[str]:
    settings = {"data.path": CSV, "output": folder / "run", "evaluation.resamples": 200, **changes}
    return [f"{key}={value}" for key, value in settings.items()]


def train(folder: Path, mode: str = "new", **changes: Any) -> Any:
    return experiment.train("own-csv", plan(folder, **changes), mode=mode)


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file but the manifest, which holds times."""
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    experiment.evaluate(train(tmp_path))
    return tmp_path / "run"


def test_the_same_bytes_again(finished: Path) -> None:
    before = content(finished)
    assert {"predictions.test.jsonl", "scores.test.json", "report.test.html", "split.json"} <= before.keys()
    experiment.evaluate(train(finished.parent, mode="replace"))
    assert content(finished) == before


def test_other_data_are_told_apart_by_what_was_learnt_from(finished: Path, tmp_path: Path) -> None:
    split = files.read_json(finished / "split.json")["parts"]
    lines = CSV.read_text(encoding="utf-8").splitlines()
    place = {f"{CSV.stem}.{number}": row for number, row in enumerate(lines)}
    seen, unseen = [[place[i] for i in split[part]] for part in ("train", "test")]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([lines[0], *seen[:12], *unseen]), encoding="utf-8")
    scores = experiment.evaluate(finished, part="mine", data=str(path))
    assert isinstance(scores, Scores)
    held_out = scores.find("accuracy", slice="learnt=no")
    assert held_out.support == len(unseen) and scores.find("accuracy", slice="learnt=text").support == 12
    assert held_out.value == experiment.evaluate(finished).find("accuracy").value
    assert "the run has learnt from 12 by their text and from 0 others" in scores.notes[0]
    path.write_text("\n".join([lines[0], *unseen]), encoding="utf-8")
    assert not experiment.evaluate(finished, part="mine", data=str(path)).notes


def test_a_leaking_test_file_is_told_also_where_its_report_is_drawn_anew(tmp_path: Path) -> None:
    head, *rows = CSV.read_text(encoding="utf-8").splitlines()
    for name, own in (("ours", rows[:40]), ("theirs", rows[37:])):
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *own]), encoding="utf-8")
    parts = {"data.train": tmp_path / "ours.csv", "data.test": tmp_path / "theirs.csv"}
    run = train(tmp_path, **{"data.path": "null", **parts})
    assert experiment.evaluate(run).find("accuracy", slice="learnt=text").support == 3
    before = files.read_json(run.path / "report.test.json")
    experiment.report(run)
    again = files.read_json(run.path / "report.test.json")
    assert "learnt" in str(before["filters"])
    assert again["filters"] == before["filters"]
    assert [row["columns"] for row in again["sentences"]] == [row["columns"] for row in before["sentences"]]


def test_texts_are_known_whatever_their_typography_and_documents_by_name() -> None:
    def sentence(text: str, document: str, name: str = "a.1") -> Sentence:
        return Sentence(id=name, text=text, document=document, gold=Layers(text=text))

    seen = Profile.of([sentence("The “liberated” town", "week 3")], [sentence("Calm holds.", "b.1", "b.1")])
    assert Profile.parse(json.loads(json.dumps(seen.dump()))) == seen
    asked = [('THE "liberated"  town', "x"), ("Another line.", "week 3"), ("Calm holds", "x"), ("Rain.", "b.1")]
    assert [seen.learnt(sentence(*one)) for one in asked] == ["text", "document", "no", "no"]
    assert seen.learnt(sentence("Calm holds.", "x")) == "text"  # dev chooses: it is learnt from, too
    assert Profile.of([], [], [seen]).learnt(sentence("Calm holds.", "x")) == "text"


def test_python_round(finished: Path) -> None:
    run = stancekit.load(finished)
    assert run.labels == ("loaded", "plain")
    predictions = run.predict(["Savage invaders burn our sacred village", "Council meets on Monday"])
    assert [p.answer for p in predictions] == ["loaded", "plain"]
    assert run.predict_proba(["A text"]).shape == (1, 2)
    assert list(predictions.to_frame()["text"]) == [
        "Savage invaders burn our sacred village",
        "Council meets on Monday",
    ]
    assert "label by linear" in repr(run) and "accuracy" in repr(run)
    stored = Scores.from_json(json.loads((finished / "scores.test.json").read_text()))
    assert stored.find("accuracy").value == experiment.evaluate(run).find("accuracy").value
    assert stored.signature_line.startswith("task:label|split:test|n:15|")


def test_several_seeds(tmp_path: Path) -> None:
    runs = train(tmp_path, seeds="[1, 2]")
    assert [r.path.name for r in runs] == ["seed-1", "seed-2"]
    summary = experiment.evaluate(tmp_path / "run")
    row = next(r for r in summary.to_json()["rows"] if r["metric"] == "accuracy")
    assert len(row["values"]) == 2 and row["mean"] == pytest.approx(sum(row["values"]) / 2)
    assert stancekit.load(tmp_path / "run").path.name == "seed-1"


def test_a_finished_run_is_not_overwritten_unasked(finished: Path) -> None:
    with pytest.raises(StancekitError, match="--replace"):
        train(finished.parent)


def test_evaluate_refuses_changed_rows(tmp_path: Path) -> None:
    copy = tmp_path / "mine.csv"
    copy.write_bytes(CSV.read_bytes())
    run = train(tmp_path, **{"data.path": copy})
    copy.write_text(copy.read_text().replace("Ferry timetable", "The timetable"))
    with pytest.raises(StancekitError, match="changed since the split"):
        experiment.evaluate(run)


DAMAGED = """
import sys
from pathlib import Path
import stancekit
from stancekit import experiment

folder, damage = Path(sys.argv[1]), sys.argv[2]
for name in sys.argv[3:]:
    path = folder / name
    whole = path.read_bytes()
    middle = len(whole) // 2
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(whole[:middle])
    else:
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    try:
        run = stancekit.load(folder)
        run.predict(["a text"])
        experiment.report(run)
        print("not noticed:", name)
    except stancekit.StancekitError as error:
        print("refused" if path.name in str(error) else f"not named: {name}: {error}")
    path.write_bytes(whole)
"""


@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped"])
def test_every_damaged_file_is_refused(finished: Path, damage: str) -> None:
    """In a subprocess: a damaged file must not bring the interpreter down either."""
    names = [n for n in content(finished) if n.startswith(("model/", "config", "split", "predictions", "scores"))]
    assert len(names) >= 5
    command = [sys.executable, "-c", DAMAGED, str(finished), damage, *names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["refused"] * len(names)


def test_strange_files_in_a_model_are_refused(finished: Path) -> None:
    (finished / "model" / "weights.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(StancekitError, match="a pickle is never opened"):
        stancekit.load(finished).predict(["a text"])


def rewritten(run: Path, name: str, text: str) -> None:
    """Write another file of a run, as if the run had been made with it."""
    (run / name).write_text(text)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"][name] = files.file_hash(run / name)
    (run / "manifest.json").write_text(json.dumps(manifest))


def test_a_model_that_lacks_what_models_keep_today_asks_for_training(finished: Path) -> None:
    (name,) = (n for n in content(finished) if n.startswith("model/") and n.endswith(".json"))
    plain = json.loads((finished / name).read_text())
    rewritten(finished, name, json.dumps({k: v for k, v in plain.items() if k != "labels"}))
    with pytest.raises(StancekitError, match="the model cannot be read: .*labels.* → train the run again"):
        stancekit.load(finished).predict(["a text"])


def test_code_from_elsewhere_is_refused(finished: Path) -> None:
    rewritten(
        finished, "config.yaml", (finished / "config.yaml").read_text().replace("name: linear", "name: os:system")
    )
    with pytest.raises(StancekitError, match="code from elsewhere"):
        stancekit.load(finished)


def test_a_full_disk_at_any_write_keeps_the_earlier_run(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(finished)
    real, state = os.fsync, {"left": 0}

    def full(descriptor: int) -> None:
        state["left"] -= 1
        if state["left"] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("stancekit.files.os.fsync", full)
    for allowed in range(100):
        state["left"] = allowed
        try:
            experiment.evaluate(train(finished.parent, mode="restart"))
            break
        except StancekitError as error:
            assert "disk is full" in str(error)
            assert {k: v for k, v in content(finished).items() if k in before} == {
                k: before[k] for k in content(finished) if k in before
            }
            assert runfolder.read_manifest(finished)["status"] == "finished"
    assert allowed > 8
    assert content(finished) == before
    assert not [p.name for p in finished.parent.iterdir() if p.name not in ("run",)]


def test_a_file_size_limit_ends_in_a_clear_error(tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    command = [sys.executable, "-m", "stancekit", "train", "own-csv", *plan(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "larger than is allowed" in done.stderr
    assert not (tmp_path / "run").exists()


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StancekitError, match="a file"):
        train(tmp_path / "file")


KILLED = """
import os, signal, sys
from stancekit import experiment, files
left = int(sys.argv[1])
real = os.fsync
def fsync(descriptor):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.{how})
    real(descriptor)
files.os.fsync = fsync
experiment.evaluate(experiment.train("own-csv", sys.argv[2:], mode="resume"))
"""


@pytest.mark.parametrize("writes", [0, 2, 4, 6, 9])
def test_a_kill_leaves_no_run_or_an_unfinished_one_and_resumes(tmp_path: Path, writes: int) -> None:
    arguments = plan(tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED.format(how="SIGKILL"), str(writes), *arguments])
    assert done.returncode == -signal.SIGKILL
    folder = tmp_path / "run"
    if not folder.exists():
        with pytest.raises(StancekitError, match="unfinished|no run"):
            stancekit.load(folder)
        experiment.train("own-csv", arguments, mode="resume")
    experiment.evaluate(folder)
    resumed = content(folder)
    experiment.evaluate(train(tmp_path, mode="replace"))
    assert resumed == content(folder)


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    code = KILLED.format(how="SIGINT").replace(
        'experiment.evaluate(experiment.train("own-csv", sys.argv[2:], mode="resume"))',
        'from stancekit.cli import main\nsys.argv = ["stancekit", "train", "own-csv", *sys.argv[2:]]\nmain()',
    )
    done = subprocess.run([sys.executable, "-c", code, "2", *plan(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 130
    assert "--resume" in done.stderr and "Traceback" not in done.stderr


def test_two_processes_do_not_share_a_run(tmp_path: Path) -> None:
    with runfolder.locked(tmp_path / "run"), pytest.raises(StancekitError, match="another process"):
        train(tmp_path)


def test_predictions_of_another_tool(finished: Path, tmp_path: Path) -> None:
    rows = CSV.read_text(encoding="utf-8").splitlines()[1:]
    answers = [{"id": f"headlines.{n}", "answer": row.rsplit(",", 1)[1]} for n, row in enumerate(rows)]
    gold = experiment.load_module.load(CSV, options={"text": "text", "label": "label"})
    for sentence, answer in zip(gold.sentences, answers, strict=True):
        answer["id"] = sentence.id
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(a) + "\n" for a in answers))
    options = {"text": "text", "label": "label"}
    scores = experiment.evaluate_predictions(path, CSV, "label", options=options, to=tmp_path / "scored")
    assert scores.find("accuracy").value == 1.0
    assert (tmp_path / "scored" / "report.html").exists()
    path.write_text("".join(json.dumps(a) + "\n" for a in answers[1:]))
    with pytest.raises(StancekitError, match="is missing"):
        experiment.evaluate_predictions(path, CSV, "label", options=options)


def test_compare_with_a_copy_is_zero(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(StancekitError, match="the run to compare with"):
        experiment.compare([finished, finished])
    shutil.copytree(finished, tmp_path / "copy")
    row = experiment.compare([finished, tmp_path / "copy"], resamples=200).rows[0]
    assert (row.value, row.low, row.high, row.p) == (0.0, 0.0, 0.0, 1.0)
