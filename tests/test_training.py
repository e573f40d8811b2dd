"""Training: the workspace a model is lent, what a run notes of dev, going on after a stop, helpers, several seeds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluated import BOOK, bend, sentences
from stancekit import cli, config, evaluation, experiment, scoring, tasks
from stancekit.cli import show
from stancekit.errors import Interrupted, StancekitError
from stancekit.models.crf import Crf
from stancekit.runs import devscores, headline, viewed
from stancekit.schema import Example, Layers, Prediction, Sentence, Span
from stancekit.training import seeds
from stepwise import STEPS, Stepwise
from test_runs import CSV, content, plan

TESTS = Path(__file__).parent


def settings(folder: Path, **changes: Any) -> list[str]:
    return plan(folder, **{"model.name": "stepwise:Stepwise", **changes})


def train(folder: Path, mode: str = "new", **changes: Any) -> Any:
    return experiment.train("own-csv", settings(folder, **changes), mode=mode)


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    Stepwise.fitted.clear()


def test_a_run_notes_dev_the_curve_and_the_facts(tmp_path: Path) -> None:
    run = train(tmp_path, **{"evaluation.headline": "accuracy"})
    noted, dev = manifest(run.path), experiment.evaluate(run, part="dev").find("accuracy")
    (found,) = noted["dev"].items()
    assert len(found[1].pop("examples")) == 16
    assert found == ("label", {"metric": "accuracy", "value": dev.value, "n": dev.support})
    curve = json.loads((run.path / "curve.json").read_text())
    assert curve["metric"] == "accuracy" and curve["dev"] == [[k + 1, dev.value] for k in range(STEPS)]
    assert noted["training"]["first_step"] == 1 and (noted["device"], noted["threads"]) == ("abacus", 1)
    assert "curve.json" in noted["files"] and not (run.path / ".checkpoint").exists()


@pytest.mark.parametrize("name", ["linear", "majority"])
def test_models_that_learn_at_once_are_judged_on_dev_too(tmp_path: Path, name: str) -> None:
    run = train(tmp_path, **{"model.name": name})
    noted = manifest(run.path)
    assert noted["dev"]["label"]["value"] == experiment.evaluate(run, part="dev").find("macro_f1").value
    assert noted["training"] == {} and noted["device"] == "cpu" and not (run.path / "curve.json").exists()


def test_a_stopped_training_goes_on_where_it_stood(tmp_path: Path) -> None:
    with pytest.raises(StancekitError, match="out of luck"):
        train(tmp_path, **{"model.stop": "error"})
    left = tmp_path / "run.unfinished" / ".checkpoint" / ".half.json.x.tmp"
    left.write_text("half")
    run = train(tmp_path, mode="resume", **{"model.stop": "error"})
    assert manifest(run.path)["training"]["first_step"] == 4
    straight = train(tmp_path / "straight", **{"model.stop": "error", "model.at": STEPS + 1})
    ours, theirs = content(run.path), content(straight.path)
    assert {k for k in ours if ours[k] != theirs.get(k)} == {"config.yaml"} and ours.keys() == theirs.keys()


class Killed(BaseException):
    """Stands for a kill: nothing but the interpreter's own unwinding happens after it."""


def test_a_kill_at_any_write_loses_nothing_that_was_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = train(tmp_path / "straight").path
    keys = ("dev", "device", "threads", "lost")
    real, state = os.fsync, {"left": 0}

    def fsync(descriptor: int) -> None:
        state["left"] -= 1
        if state["left"] == 0:
            raise Killed
        real(descriptor)

    monkeypatch.setattr("stancekit.files.os.fsync", fsync)
    kills = 0
    while True:
        folder = tmp_path / str(kills)
        state["left"] = kills + 1
        try:
            train(folder)
            break
        except Killed:
            run = train(folder, mode="resume").path
        assert {k: manifest(run)[k] for k in keys} == {k: manifest(reference)[k] for k in keys}
        ours, theirs = content(run), content(reference)
        assert {k for k in ours if ours[k] != theirs.get(k)} == {"config.yaml"} and ours.keys() == theirs.keys()
        kills += 1
    assert kills > STEPS + 5


KINDS = {
    "voice": "macro_f1",
    "frames": "macro_f1",
    "stance": "macro_f1",
    "devices": "span_overlap_f1",
    "attribution": "linked_overlap_f1",
    "holder": "holder_f1",
}


@pytest.mark.parametrize(("name", "figure"), KINDS.items())
def test_the_headline_of_a_kind_is_the_figure_that_evaluation_gives(name: str, figure: str) -> None:
    task = replace(tasks.built_in(name, BOOK), metrics=("accuracy",) if name in ("voice", "frames", "stance") else ())
    part = tasks.part(tasks.built_in(name, BOOK), sentences())
    bent = [
        Prediction(id=e.id, answer=bend(task, g, k))
        for k, (e, g) in enumerate(zip(part.examples, part.gold, strict=True))
    ]
    found = headline.of(task)
    assert found.name == figure
    scores = scoring.score(part, bent, resamples=100)
    assert 0 < found.judge(part, bent[::-1]) == scores.find(figure).value < 1


def test_another_headline_is_checked(tmp_path: Path) -> None:
    assert headline.of(tasks.built_in("stance", BOOK), "f_avg").name == "f_avg"
    with pytest.raises(StancekitError, match=r"evaluation\.headline.*did you mean 'macro_f1'"):
        train(tmp_path, **{"evaluation.headline": "macr_f1"})
    report = experiment.check("own-csv", settings(tmp_path, **{"evaluation.headline": "f_avg"}))
    assert ["f_avg" in str(p) for p in report.problems] == [True]


def test_a_model_of_all_layers_is_judged_on_each_layer() -> None:
    task = tasks.built_in("holder", BOOK)
    part = tasks.part(task, sentences())
    gold = [Prediction(id=e.id, answer=g) for e, g in zip(part.examples, part.gold, strict=True)]
    found = devscores.of(part, gold, headline.of(task), BOOK)
    assert list(found) == ["holder", "attribution", "devices", "stance"]
    assert all(row["value"] == 1 for row in found.values())
    assert found["stance"]["n"] == sum(len(g.stances or ()) for g in part.gold if isinstance(g, Layers)) > 10
    less = [replace(p, answer=replace(p.answer, stances=None, devices=())) for p in gold]
    found = devscores.of(part, less, headline.of(task), BOOK)
    assert list(found) == ["holder", "attribution", "devices"]
    assert (found["attribution"]["value"], found["devices"]["value"]) == (1, 0)
    stances = [replace(p, answer=replace(p.answer, stances=p.answer.stances[::2])) for p in gold]
    view, answers = viewed.view(tasks.built_in("stance", BOOK), part, stances)
    assert {(p.answer == g, p.answer == "") for p, g in zip(answers, view.gold, strict=True)} == {
        (True, False),
        (False, True),
    }


def quotations(documents: int) -> tasks.Part:
    """A sentence stands in each document twice: inside a quotation that spans sentences, and after it."""
    texts = ("“We came home.", "The harbour is open.", "It stays so.”", "The harbour is open.")
    task, examples, gold = tasks.own("quoted", "spans", ("quoted",)), [], []
    for document in range(documents):
        for index, text in enumerate(texts):
            sentence = Sentence(id=f"{document}.{index}", text=text, document=str(document), index=index)
            examples.append(Example(id=sentence.id, sentence=sentence))
            gold.append((Span(4, 11, "quoted"),) if index == 1 else ())
    return tasks.Part(task, tuple(examples), tuple(gold))


def test_what_is_predicted_does_not_hang_on_the_batches() -> None:
    whole = quotations(6)
    model = Crf(clusters=[], lexicon=None, tune=False)
    model.fit(whole, tasks.Part(whole.task))
    mixed = random.Random(3).sample(range(len(whole)), len(whole))
    part = tasks.Part(whole.task, tuple(whole.examples[i] for i in mixed), tuple(whole.gold[i] for i in mixed))
    done: list[int] = []
    found = evaluation.predict_all(model, part, lambda *step: done.append(step[1]), 1)
    assert [p.answer for p in found] == list(part.gold) and done == [4, 8, 12, 16, 20, 24]
    assert found == evaluation.predict_all(model, part, lambda *_: None, 10) == tuple(model.predict(part.examples))
    assert [model.predict([e])[0].answer for e in part.examples] != list(part.gold)


@pytest.mark.parametrize(("name", "calls"), [("stepwise:Stepwise", 2), ("linear", 0)])
def test_helper_processes_fit_and_touch_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, calls: int
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    folder = tmp_path / "some" / "where"
    overrides = settings(folder, **{"model.name": name, "seeds": "[1, 2]"})
    monkeypatch.setattr(sys, "argv", ["stancekit", "train", "own-csv", *overrides, "--json"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code and capsys.readouterr() == ("", "")
    assert Stepwise.fitted == [folder / "run" / f"seed-{s}.unfinished" / ".checkpoint" for s in (1, 2)][:calls]
    assert {p.parent.name for p in folder.rglob("*") if p.is_file()} <= {".checkpoint"}


def test_a_helper_skips_what_the_first_process_will_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path)
    Stepwise.fitted.clear()
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert train(tmp_path, mode="resume") == () and Stepwise.fitted == []
    (tmp_path / "run").rename(tmp_path / "run.unfinished")
    assert train(tmp_path, mode="resume") == () and Stepwise.fitted == []
    assert train(tmp_path, mode="restart") == () and len(Stepwise.fitted) == 1


SCHEDULES = [
    # seeds, cores, workers, environment, GPU → (workers, threads), or None for this process
    (3, 8, None, {}, False, (3, 2)),
    (3, 2, None, {}, False, (2, 1)),
    (2, 8, 1, {}, False, (1, 4)),
    (2, 8, 2, {}, False, (2, 4)),
    (4, 8, None, {"OMP_NUM_THREADS": "4"}, False, (2, 4)),
    (4, 1, None, {}, False, None),
    (4, 1, 2, {}, False, (2, 1)),
    (3, 8, None, {}, True, None),
    (3, 8, 3, {}, True, (3, 2)),
    (3, 8, 3, {"WORLD_SIZE": "2"}, False, None),
]


@pytest.mark.parametrize(("n", "cores", "workers", "variables", "gpu", "expected"), SCHEDULES)
def test_the_schedule(
    monkeypatch: pytest.MonkeyPatch, n: int, cores: int, workers: Any, variables: Any, gpu: bool, expected: Any
) -> None:
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(seeds, "_cores", lambda: cores)
    monkeypatch.setattr(seeds, "_has_gpu", lambda: gpu)
    overrides = [f"seeds={list(range(n))}", f"workers={'null' if workers is None else workers}"]
    found = seeds.schedule_of(config.load("own-csv", settings(Path("x"), seeds=[1]) + overrides))
    assert found == (expected and seeds.Schedule(*expected))
    classic = config.load("own-csv", [f"data.path={CSV}", "model=linear", *overrides])
    assert workers is not None or seeds.schedule_of(classic) is None


def test_seeds_give_the_same_bytes_side_by_side_and_one_after_another(tmp_path: Path) -> None:
    told: list[str] = []
    overrides = plan(tmp_path, seeds="[1, 2]", workers=2)
    side = experiment.train("own-csv", overrides, say=told.append)
    assert {line[:8] for line in told if "training" in line} == {"seed 1: ", "seed 2: "}
    after = experiment.train("own-csv", plan(tmp_path / "after", seeds="[1, 2]", workers=1))
    for one, other in zip(side, after, strict=True):
        ours, theirs = content(one.path), content(other.path)
        assert {k for k in ours if ours[k] != theirs[k]} == {"config.yaml"}
        assert one.manifest["threads"] == other.manifest["threads"]
        assert one.manifest["command"] == [Path(sys.argv[0]).name, *sys.argv[1:]]
    with pytest.raises(StancekitError) as error:
        experiment.train("own-csv", overrides)
    assert ["seed-" in p.where and "--replace" in p.hint for p in error.value.problems] == [True, True]
    assert experiment.train("own-csv", overrides, mode="resume")[1].manifest == side[1].manifest


def test_a_seed_that_fails_or_dies_is_named_and_gone_on_with(tmp_path: Path) -> None:
    for stop, what in (
        ("error", "seed 2: model: it ran out of luck"),
        ("kill", "seed 2: its process ended with code -9"),
    ):
        changes = {"seeds": "[1, 2]", "workers": 1, "model.stop": stop, "model.only": 2}
        with pytest.raises(StancekitError, match=what):
            train(tmp_path / stop, **changes)
        assert (tmp_path / stop / "run" / "seed-1").exists()
        runs = train(tmp_path / stop, mode="resume", **changes)
        assert [r.manifest["training"]["first_step"] for r in runs] == [1, 4]


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_whoever_stops_the_command_stops_its_seeds(tmp_path: Path, how: str) -> None:
    """A named pipe tells when both seeds stand at a step, and by its end that neither runs any longer."""
    told = tmp_path / "told"
    os.mkfifo(told)
    changes = {"seeds": "[1, 2]", "workers": 2, "model.stop": "wait", "model.told": told}
    command = [sys.executable, "-m", "stancekit", "train", "own-csv", *settings(tmp_path, **changes)]
    path = os.pathsep.join([str(TESTS), *sys.path])
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    with told.open() as pipe:
        assert {pipe.readline(), pipe.readline()} == {"1\n", "2\n"}
        process.send_signal(getattr(signal, how))
        assert pipe.read() == ""
    _, printed = process.communicate()
    if how == "SIGINT":
        assert process.returncode == 130 and "--resume" in printed and "Traceback" not in printed
    assert [r.manifest["training"]["first_step"] for r in train(tmp_path, mode="resume", **changes)] == [4, 4]


def test_a_model_that_keeps_its_state_at_ctrl_c_ends_with_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fit(*_: Any, **__: Any) -> None:
        raise Interrupted(*experiment.fail("training", "stopped at step 7", "go on with --resume").problems)

    monkeypatch.setattr(Stepwise, "fit", fit)
    monkeypatch.setattr(sys, "argv", ["stancekit", "train", "own-csv", *settings(tmp_path), "--quiet"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 130
    assert capsys.readouterr().err == "training: stopped at step 7 → go on with --resume\n"


def test_progress_keeps_one_bar_a_step_and_moves_its_note(capsys: pytest.CaptureFixture[str]) -> None:
    with show.Progress(quiet=True) as progress:
        progress("fitting", 1, 10, "loss 0.4")
        progress.say("quiet")
    assert capsys.readouterr() == ("", "")
    with show.Progress(quiet=False) as progress:
        progress("fitting", 1, 10, "loss 0.4")
        progress("fitting", 2, 12, "loss 0.3 [dev]")
        (bar,) = progress.bars.tasks
        assert (bar.completed, bar.total, bar.fields["note"]) == (2, 12, "loss 0.3 [dev]")
        progress.console.print(progress.bars.get_renderable())
        assert "loss 0.3 [dev]" in capsys.readouterr().err
