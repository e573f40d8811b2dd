"""Experiments as YAML: validated with the place in the file, every problem at once, and `key=value` overrides."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from stancekit import components, config_names, yamlfile
from stancekit.config_data import DataConfig, Strict
from stancekit.config_places import Places, override
from stancekit.errors import Problems, StancekitError, did_you_mean, fail
from stancekit.resources import bundled

Size = float | dict[str, list[Any]]


class SplitConfig(Strict):
    """Which sentences go where; no group ever stands on two sides."""

    by: list[str] = Field(["document"], description="groups kept together: document, event, outlet, date, any column")
    test: Size = Field(0.2, description="a share, or held-out values such as {conflict: [north]}")
    dev: Size = Field(0.15, description="a share, or held-out values")
    seed: int = 13
    stratify: bool = Field(True, description="keep the label shares alike as far as the groups allow")
    lock: str | None = Field(None, description="a lock file: groups keep their side, changed rows are refused")

    @field_validator("by", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class TaskConfig(Strict):
    """A built-in task by name, or one of your own over a label column."""

    name: str
    kind: str | None = Field(None, description="single, multi, targeted or spans: a task of your own")
    labels: list[str] | None = Field(None, description="the label set; those of the data where absent")
    column: str | None = Field(None, description="the label column; the task's name where absent")
    metrics: list[str] | None = None


class EvaluationConfig(Strict):
    """How figures are computed."""

    groups: list[str] = Field(["document"], description="intervals resample these groups")
    slices: list[str] = Field(default_factory=list, description="metadata columns to score apart")
    resamples: int = Field(10_000, ge=100, le=1_000_000)
    seed: int = 13
    ceiling: str | None = Field(None, description="a file of `stancekit agree`: the human ceiling beside the figures")
    headline: str | None = Field(None, description="the figure that dev is judged by; its kind's where absent")


def _long_forms(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an experiment whose task, model and data are mappings where they are names alone."""
    found = dict(value)
    for key, inner in (("task", "name"), ("model", "name"), ("data", "path")):
        if isinstance(found.get(key), str):
            found[key] = {inner: found[key]}
    return found


class Experiment(Strict):
    """The plan of a run."""

    name: str = Field(pattern=r"^[\w.-]+$")
    description: str = ""
    task: TaskConfig
    data: DataConfig
    split: SplitConfig = SplitConfig()
    model: dict[str, Any] = Field(description="the model's `name` and its settings")
    seeds: list[int] = Field([13], min_length=1)
    workers: int | None = Field(None, ge=1, description="seeds trained side by side; as many as fit where absent")
    evaluation: EvaluationConfig = EvaluationConfig()
    output: str | None = Field(None, description="the run folder; runs/NAME where absent")

    @model_validator(mode="before")
    @classmethod
    def _long(cls, value: Any) -> Any:
        return _long_forms(value) if isinstance(value, dict) else value

    @field_validator("model")
    @classmethod
    def _has_name(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("name"), str):
            raise ValueError("a model needs a `name`, one of: " + ", ".join(components.names("model")))
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: list[int]) -> list[int]:
        if len(set(value)) < len(value):
            raise ValueError("a seed stands twice")
        return value

    @property
    def folder(self) -> Path:
        """Where the run goes."""
        return Path(self.output or f"runs/{self.name}")

    @property
    def settings(self) -> dict[str, Any]:
        """The model's settings without its name."""
        return {k: v for k, v in self.model.items() if k != "name"}

    def dump(self) -> str:
        """Return the resolved experiment as YAML."""
        return yaml.safe_dump(self.model_dump(mode="json"), allow_unicode=True, sort_keys=False, width=120)


def find_experiment(name: str | Path) -> Path:
    """Return the path of an experiment: a file, or the name of a bundled one."""
    path = Path(name)
    if path.exists():
        return path
    shipped = {p.stem: p for p in sorted(bundled("experiments").rglob("*.yaml"))}
    if path.stem in shipped and path.suffix in ("", ".yaml"):
        return shipped[path.stem]
    raise fail(name, "there is no such experiment", did_you_mean(path.stem, shipped))


def load(name: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment, apply `key=value` overrides, and raise every problem at once."""
    experiment, _, problems = survey(name, overrides)
    problems.raise_any()
    assert experiment is not None
    return experiment


def survey(name: str | Path, overrides: Sequence[str] = ()) -> tuple[Experiment | None, DataConfig | None, Problems]:
    """Read an experiment with every problem of it; its data part is given even where the rest is broken."""
    document = yamlfile.load(find_experiment(name))
    problems = Problems()
    if not isinstance(document.value, dict):
        problems.add(document.where(), "an experiment is a mapping of keys", "see `stancekit schema`")
        return None, None, problems
    value = document.value
    where = Places(document, override(value, overrides, problems)).where
    try:
        experiment = Experiment.model_validate(value)
    except ValidationError as error:
        for item in error.errors():
            _note(item, where, problems)
        _Parts.of(_without(value, error)).check(where, problems)
        return None, _Parts.of(value).data, problems
    _Parts.of(value).check(where, problems)
    return experiment, experiment.data, problems


@dataclass(frozen=True)
class _Parts:
    """The parts of an experiment whose names are checked; None where a part is broken in itself."""

    task: TaskConfig | None
    data: DataConfig | None
    split: SplitConfig | None
    model: Mapping[str, Any] | None

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> _Parts:
        """Read each part by itself."""
        whole = _long_forms(value)
        model = whole.get("model")
        named = isinstance(model, dict) and isinstance(model.get("name"), str)
        return cls(
            task=_alone(TaskConfig, whole.get("task")),
            data=_alone(DataConfig, whole.get("data")),
            split=_alone(SplitConfig, whole.get("split", {})),
            model=model if named else None,
        )

    def check(self, where: config_names.Where, problems: Problems) -> None:
        """Note what is wrong with the names in the parts that can be read."""
        if self.task is not None:
            config_names.check_task(self.task, where, problems)
        if self.data is not None:
            config_names.check_formats(self.data, where, problems)
        if self.split is not None and (self.data is None or self.data.path is not None):
            config_names.check_shares(self.split, where, problems)
        if self.model is not None:
            config_names.check_model(self.model, where, problems)


def _alone(kind: type[Strict], value: Any) -> Any:
    try:
        return kind.model_validate(value)
    except ValidationError:
        return None


def _without(value: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """Return a copy without the mistaken values, so that the others can be looked at."""
    left = _long_forms(copy.deepcopy(value))
    for item in error.errors():
        at: Any = left
        for key in item["loc"]:
            inner = _inner(at, key)
            if not isinstance(inner, dict | list) or key == item["loc"][-1]:
                break
            at = inner
        if isinstance(at, dict):
            at.pop(key, None)
    return left


def _inner(value: Any, key: Any) -> Any:
    """Return an inner value; None where a key names no value but a type that pydantic tried (`float`, say)."""
    if isinstance(value, list):
        return value[key] if isinstance(key, int) else None
    return value.get(key) if isinstance(value, dict) else None


def parse(text: str, path: Path) -> Experiment:
    """Read a run's resolved experiment, written by `Experiment.dump`."""
    try:
        return Experiment.model_validate(yamlfile.parse(text, path).value)
    except ValidationError as error:
        raise fail(path, "this is no resolved experiment of stancekit", "train the run again") from error


def amended(plan: EvaluationConfig, changes: Mapping[str, Any]) -> EvaluationConfig:
    """Return a plan with some values replaced, checked like those of an experiment."""
    try:
        return EvaluationConfig.model_validate(plan.model_dump() | dict(changes))
    except ValidationError as error:
        problems = Problems()
        for item in error.errors():
            _note({**item, "loc": ("evaluation", *item["loc"])}, lambda _: "overrides", problems)
        raise StancekitError(*problems) from error


def _note(item: Mapping[str, Any], place: config_names.Where, problems: Problems) -> None:
    """Translate one of pydantic's errors."""
    keys = tuple(k for k in item["loc"] if not str(k).startswith(("dict[", "float", "list[")))
    where = place(keys)
    if item["type"] == "extra_forbidden":
        known = _fields_at(keys[:-1])
        problems.add(where, f"unknown key {str(keys[-1])!r}", did_you_mean(str(keys[-1]), known))
    elif item["type"] == "missing":
        problems.add(where, f"the key {str(keys[-1])!r} is missing", "add it")
    else:
        given = f", got {item['input']!r}" if isinstance(item["input"], str | int | float | list) else ""
        problems.add(where, item["msg"].removeprefix("Value error, ") + given, "see `stancekit schema`")


def _fields_at(keys: tuple[Any, ...]) -> list[str]:
    model: Any = Experiment
    for key in keys:
        if isinstance(key, int):  # an item of a list
            model = next(iter(get_args(model)), None)
            continue
        field = model.model_fields.get(key) if hasattr(model, "model_fields") else None
        model = field.annotation if field else None
    return list(model.model_fields) if hasattr(model, "model_fields") else []


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of experiments, with the names of the component table, for editors."""
    schema = Experiment.model_json_schema()
    properties = schema["properties"]
    definitions = schema["$defs"]
    model_names = {"type": "string", "examples": components.names("model")}
    properties["model"] = {
        "description": properties["model"]["description"],
        "anyOf": [
            model_names,
            {"type": "object", "required": ["name"], "properties": {"name": model_names}},
        ],
    }
    for key in ("task", "data"):
        properties[key] = {"anyOf": [properties[key], {"type": "string"}]}
    definitions["TaskConfig"]["properties"]["name"]["examples"] = components.names("task")
    for name in ("DataConfig", "AlsoConfig"):
        definitions[name]["properties"]["format"]["examples"] = components.names("format")
    also = definitions["DataConfig"]["properties"]["also"]
    also["items"] = {"anyOf": [also["items"], {"type": "string"}]}
    definitions["SplitConfig"]["properties"]["by"] = {
        "anyOf": [{"type": "string"}, definitions["SplitConfig"]["properties"]["by"]]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
