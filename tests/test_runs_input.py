"""What is given to runs and tasks from Python: unknown settings, odd inputs, a built-in task under a kind of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

import stancekit
from stancekit import experiment
from stancekit.errors import StancekitError

ROWS = "id,text,target,label\n" + "".join(
    f"r{n},Town {n} named Varga.,Varga,{('favor', 'against')[n % 2]}\n" for n in range(24)
)


def plan(folder: Path, task: str) -> Path:
    (folder / "rows.csv").write_text(ROWS, encoding="utf-8")
    options = "{text: text, label: label, target: target, id: id, task: stance}"
    text = f"name: mine\ntask: {task}\ndata: {{path: {folder / 'rows.csv'}, options: {options}}}\n"
    text += f"split: {{by: [id], test: 0.25, dev: 0}}\nmodel: majority\noutput: {folder / 'run'}\n"
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return folder / "mine.yaml"


def test_a_built_in_task_with_a_kind_is_told_apart_from_ones_own(tmp_path: Path) -> None:
    assert not experiment.check(plan(tmp_path, "stance")).problems
    (problem,) = experiment.check(plan(tmp_path, "{name: stance, kind: targeted}")).problems
    assert "write `task: stance`" in problem.hint


def test_unknown_or_wrong_settings_of_an_evaluation_are_refused(tmp_path: Path) -> None:
    run = experiment.train(plan(tmp_path, "stance"))
    assert isinstance(run, stancekit.Run)
    with pytest.raises(StancekitError) as caught:
        experiment.evaluate(run, overrides={"resample": 3, "seed": "x"})
    told = sorted(map(str, caught.value.problems))
    assert "unknown key 'resample' → did you mean 'resamples'?" in told[1] and "got 'x'" in told[0]
    with pytest.raises(StancekitError, match="NoneType is no input"):
        run.predict(None)  # type: ignore[arg-type]
