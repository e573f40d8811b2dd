"""Experiments: every mistake with its place and remedy, all at once; overrides; the schema for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stancekit import config
from stancekit.errors import StancekitError

GOOD = """\
# An experiment.
name: mine
task: frames
data: dispatches
model: {name: majority}
"""


def problems(tmp_path: Path, text: str, *overrides: str) -> list[str]:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StancekitError) as error:
        config.load(path, overrides)
    return [str(p).replace(str(path), "mine.yaml") for p in error.value.problems]


MISTAKES = {
    "unknown key": (GOOD + "sead: 3\n", "mine.yaml:6 (sead)", "did you mean 'seeds'"),
    "missing key": (GOOD.replace("name: mine\n", ""), "mine.yaml:1 (name)", "the key 'name' is missing"),
    "unknown model": (GOOD.replace("majority", "majorty"), "mine.yaml:5", "did you mean 'majority'"),
    "no yes or no": (GOOD.replace("majority}", "majority, per_target: maybe}"), "mine.yaml:5", "write true or false"),
    "unknown setting": (GOOD.replace("majority}", "majority, c: 1}"), "mine.yaml:5", "has no setting 'c'"),
    "unknown task": (GOOD.replace("frames", "frame"), "mine.yaml:3", "did you mean 'frames'"),
    "nested key": (GOOD + "split: {tset: 0.2}\n", "mine.yaml:6", "did you mean 'test'"),
    "wrong type": (GOOD + "seeds: three\n", "mine.yaml:6", "valid list"),
    "a path that is not set": (GOOD.replace("data: dispatches", "data: {path: null}"), "mine.yaml:4", "data.path=PATH"),
    "doubled key": (GOOD + "name: again\n", "mine.yaml:6", "stands twice"),
    "broken yaml": (GOOD + "split: {by: [\n", "mine.yaml", "no valid YAML"),
    "not a mapping": ("- a\n- b\n", "mine.yaml:1", "is a mapping"),
    "a bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)),
        "mine.yaml",
        "unfold into too many",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path: Path, name: str) -> None:
    text, where, what = MISTAKES[name]
    found = problems(tmp_path, text)
    assert any(line.startswith(where) and what in line for line in found), found


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("frames", "frame").replace("majority", "majorty") + "evaluation: {resamples: 10000}\n"
    assert len(problems(tmp_path, text)) == 2
    found = problems(tmp_path, text + "sead: 1\nsplit: {tset: 1, test: 1.5}\n")
    assert sorted(line.partition(":")[2].partition(": ")[0] for line in found) == [
        "3 (task)",
        "5 (model)",
        "7 (sead)",
        "8 (split.test)",
        "8 (split.tset)",
    ]
    found = problems(tmp_path, text + "split: {test: [0.2]}\n")  # pydantic names the types that it tried, too
    assert [line.partition(":")[2][:16] for line in found if "split" in line] == ["7 (split.test): "] * 2
    assert len(found) == 4


def test_names_and_settings_are_told_beside_broken_keys_each_with_its_line(tmp_path: Path) -> None:
    text = "name: mine\ntask: {name: topic, kind: singel}\ndata: {path: x.csv, format: csvv, sead: 3}\n"
    text += "model:\n  name: linear\n  C: two\n  CC: 3\n"
    found = problems(tmp_path, text)
    for line, what in (
        ("mine.yaml:3 (data.sead)", "unknown key"),
        ("mine.yaml:2 (task.kind)", "did you mean 'single'"),
        ("mine.yaml:3 (data.format)", "did you mean 'csv'"),
        ("mine.yaml:6 (model.C)", "'two' is no number above 0"),
        ("mine.yaml:7 (model.CC)", "did you mean 'C'"),
    ):
        assert any(one.startswith(line) and what in one for one in found), found
    assert len(found) == 5


def test_a_mistake_on_the_command_line_is_told_there(tmp_path: Path) -> None:
    overrides = ("spilt.seed=2", "model.CC=3", "split.dev=2", "model.name=linear", "model.C=two")
    found = problems(tmp_path, GOOD, *overrides)
    told = ["spilt.seed=2", "split.dev=2", "model.CC=3", "model.C=two"]
    assert [line.partition(": ")[0] for line in found] == [f"override {one!r}" for one in told]


def test_overrides(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    plan = config.load(
        path, ["model.per_target=false", "split.by=[event, outlet]", "data.on_error=skip", "seeds=[1,2]"]
    )
    assert plan.model == {"name": "majority", "per_target": False}
    assert plan.data.path == "dispatches" and plan.data.on_error == "skip"
    assert plan.split.by == ["event", "outlet"] and plan.seeds == [1, 2]
    assert "override 'split.sed=1'" in problems(tmp_path, GOOD, "split.sed=1")[0]
    assert "no `key=value` form" in problems(tmp_path, GOOD, "split.seed")[0]


def test_resolved_experiments_read_back(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    plan = config.load(path)
    assert config.parse(plan.dump(), path) == plan


def test_an_unknown_experiment_names_the_shipped_ones() -> None:
    with pytest.raises(StancekitError, match="did you mean 'frames-linear'"):
        config.load("frames-liner")


def test_the_schema_accepts_every_shipped_experiment() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    yaml = pytest.importorskip("yaml")
    schema = config.json_schema()
    json.dumps(schema)
    shipped = sorted((Path(__file__).parent.parent / "experiments").glob("*.yaml"))
    for path in shipped:
        jsonschema.validate(yaml.safe_load(path.read_text()), schema)


@pytest.mark.parametrize("text", ["1e-4", "1.0e-4", "1E+2", "2.5e-3", "1.e3"])
def test_numbers_with_exponents_are_numbers(text: str, tmp_path: Path) -> None:
    """YAML 1.1 takes 1e-4 for text, and so a learning rate for a mistake."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("majority}", f"linear, C: {text}}}"), encoding="utf-8")
    assert config.load(path).model["C"] == float(text)
    assert config.load(path, [f"model.C={text}"]).model["C"] == float(text)
