"""Evaluating: the run's own figures stay, other data are read as they are, and mistakes are told before the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stancekit import StancekitError, agree, experiment
from stancekit.cli import main, runs
from stancekit.data.load import load, save
from stancekit.errors import Problem, Problems, shortened
from stancekit.runs.run import Run

CSV = Path(__file__).parent.parent / "examples" / "headlines.csv"


def plan(folder: Path, data: Path, *overrides: str) -> list[str]:
    return [f"data.path={data}", f"output={folder / 'run'}", "evaluation.resamples=100", *overrides]


def problems(call: Callable[..., Any], *arguments: Any, **named: Any) -> list[str]:
    with pytest.raises(StancekitError) as error:
        call(*arguments, **named)
    return [str(problem) for problem in error.value.problems]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, evaluated on its test; its data lie beside it."""
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "own.csv").write_bytes(CSV.read_bytes())
    found = experiment.train("own-csv", plan(folder, folder / "own.csv"))
    experiment.evaluate(found)  # type: ignore[arg-type]
    return folder / "run"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.name.split(".")[0] in ("scores", "report")
    }


def test_other_data_leave_the_runs_own_scores_alone(run: Path) -> None:
    before = files(run)
    scores = experiment.evaluate(run, data=str(CSV), overrides={"resamples": 100})
    assert scores.signature["split"] == "headlines" and (run / "report.headlines.html").exists()  # type: ignore[union-attr]
    assert before.items() <= files(run).items()
    for name in ("train", "Test", "../out", "a b", "a.b", ""):
        assert problems(experiment.evaluate, run, data=str(CSV), part=name)[0].startswith("part: ")
    assert "no part '../out'" in problems(experiment.evaluate, run, part="../out")[0]


def test_a_file_of_the_name_of_a_part_needs_another(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(CSV.read_bytes())
    assert "--part NAME" in problems(experiment.evaluate, run, data=str(path))[0]
    (tmp_path / "my data.v2.csv").write_bytes(CSV.read_bytes())
    scores = experiment.evaluate(run, data=str(tmp_path / "my data.v2.csv"))
    assert scores.signature["split"] == "my-data-v2"  # type: ignore[union-attr]


def test_other_data_may_have_another_format_and_other_options(run: Path, tmp_path: Path) -> None:
    save(load(CSV).sentences, tmp_path / "native.jsonl")
    (tmp_path / "named.csv").write_text(CSV.read_text(encoding="utf-8").replace("text,label", "line,label", 1))
    (tmp_path / "named.txt").write_bytes((tmp_path / "named.csv").read_bytes())
    (tmp_path / "tabs.tsv").write_text(
        "text\tlabel\n" + "".join(f"{s.text}\t{s.gold.labels['label']}\n" for s in load(CSV))
    )
    want = experiment.evaluate(run, data=str(CSV)).find("accuracy").value  # type: ignore[union-attr]
    for name, how in (
        ("native.jsonl", []),
        ("tabs.tsv", []),
        ("named.csv", ["-o", "text=line"]),
        ("named.txt", ["-o", "text=line", "--format", "csv"]),
    ):
        done = CliRunner().invoke(
            runs.app, ["evaluate", str(run), "--data", str(tmp_path / name), "--part", "other", *how]
        )
        assert done.exit_code == 0, done.exception
        assert (
            experiment.Scores.from_json(experiment.read_json(run / "scores.other.json")).find("accuracy").value == want
        )
    assert "--data FILE" in problems(experiment.evaluate, run, format="csv")[0]


def test_a_column_that_no_example_has_is_a_mistake(run: Path) -> None:
    asked = {"groups": ["documnet"], "slices": ["nonsense", "learnt"]}
    found = problems(experiment.evaluate, run, overrides=asked)
    assert found[0] == "groups: there is no column 'documnet' → did you mean 'document'?"
    assert len(found) == 2 and found[1].startswith("slices: there is no column 'nonsense'")
    two = {name: load(CSV) for name in ("ann", "bob")}
    assert "no column 'nonsens'" in problems(agree, two, groups=["nonsens"], resamples=100)[0]


def test_columns_that_only_the_runs_own_data_have_are_noted(tmp_path: Path) -> None:
    head, *rows = CSV.read_text(encoding="utf-8").splitlines()
    lines = [f"{head},outlet", *(f"{row},o{k % 8}" for k, row in enumerate(rows))]
    (tmp_path / "own.csv").write_text("\n".join(lines), encoding="utf-8")
    own = plan(tmp_path, tmp_path / "own.csv", "evaluation.groups=[outlet]", "evaluation.slices=[outlet]")
    experiment.train("own-csv", [*own, "data.options.meta=[outlet]"])
    notes = experiment.evaluate(tmp_path / "run", data=str(CSV), options={"meta": []}).notes  # type: ignore[union-attr]
    assert any("60 of 60 examples have no outlet" in note for note in notes)
    assert any("no example has outlet: it gives no slices" in note for note in notes)
    asked = {"data": str(CSV), "options": {"meta": []}, "overrides": {"slices": ["outlet"]}}
    assert experiment.evaluate(tmp_path / "run", **asked).notes == notes  # type: ignore[union-attr, arg-type]


def test_how_a_run_will_be_evaluated_is_checked_before_it_is_trained(tmp_path: Path) -> None:
    wrong = ["evaluation.groups=[documnet]", "evaluation.slices=[lable]", f"evaluation.ceiling={tmp_path / 'no.json'}"]
    found = problems(experiment.train, "own-csv", plan(tmp_path, CSV, *wrong))
    assert [text.split(" → ")[0].replace(f"{tmp_path}/", "") for text in found] == [
        "groups: there is no column 'documnet'",
        "slices: there is no column 'lable'",
        "no.json: there is no such file of a human ceiling",
    ]
    assert [str(p) for p in experiment.check("own-csv", plan(tmp_path, CSV, *wrong)).problems] == found
    assert not (tmp_path / "run").exists()


def test_a_run_without_its_data_says_what_can_be_done(run: Path) -> None:
    path = Path(Run(run).experiment.data.path or "")
    path.rename(path.with_suffix(".away"))
    try:
        (found,) = problems(experiment.evaluate, run)
    finally:
        path.with_suffix(".away").rename(path)
    assert found.startswith(f"{path}: the run's own data are not here") and "--data FILE" in found


def test_what_gold_is_given_for_must_be_a_predictions_file(run: Path, tmp_path: Path) -> None:
    for source, what in ((tmp_path / "missing.jsonl", "there is no such file"), (run, "this is a folder")):
        done = CliRunner().invoke(runs.app, ["evaluate", str(source), "--gold", str(CSV), "--task", "label"])
        assert what in str(done.exception)


def test_long_lists_of_problems_are_cut_by_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = Problems()
    for number in range(3000):
        many.add(
            f"x:{number}", f"there is no example 'a{number}' in the gold data", "predict exactly the gold examples"
        )
    many.add("x:3001", "another mistake")
    told = shortened(many)
    assert len(told) == 22 and told[20].what == "another mistake"
    assert told[21] == Problem("", "… and 2,980 more: there is no example … in the gold data")
    path = tmp_path / "wrong.jsonl"
    path.write_text("".join(f'{{"id": "no{k}", "answer": "plain"}}\n' for k in range(500)))
    command = ["stancekit", "evaluate", str(path), "--gold", str(CSV), "--task", "label", "-q"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().err
    assert printed.startswith("500 problems") and printed.count("there is no example 'no") == 20
    assert "… and 480 more" in printed
