"""The names in an experiment: tasks, kinds, metrics, formats, models and their settings, checked without the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from stancekit import components, tasks
from stancekit.config_data import DataConfig
from stancekit.data.split import shares_of
from stancekit.errors import Problems, did_you_mean
from stancekit.yamlfile import Keys

if TYPE_CHECKING:
    from stancekit.config import SplitConfig, TaskConfig


Where = Callable[[Keys], str]
"""Gives the place of a value by its keys."""


def check_task(task: TaskConfig, where: Where, problems: Problems) -> None:
    """Note an unknown task, kind or metric."""
    if task.kind is not None:
        with problems.catching():
            tasks.expect_kind(task.kind, where(("task", "kind")))
    elif task.name not in components.names("task") and ":" not in task.name:
        hint = did_you_mean(task.name, components.names("task")) + "; for a task of your own, give its `kind` too"
        problems.add(where(("task",)), f"there is no task {task.name!r}", hint)
    for metric in task.metrics or ():
        with problems.catching(where(("task", "metrics"))):
            components.find("metric", metric)


def check_formats(data: DataConfig, where: Where, problems: Problems) -> None:
    """Note unknown formats."""
    for place, name in data.formats.items():
        with problems.catching(where(("data", *place))):
            components.find("format", name)


def check_shares(split: SplitConfig, where: Where, problems: Problems) -> None:
    """Note shares of test and dev that no data can be divided by."""
    with problems.catching():
        shares_of(split.test, split.dev, lambda part: where(("split", part)))


def check_model(model: Mapping[str, Any], where: Where, problems: Problems) -> None:
    """Note an unknown model, settings that it does not have, and values that they do not take."""
    settings = {key: value for key, value in model.items() if key != "name"}
    with problems.catching(where(("model",))):
        components.build(
            "model", model["name"], settings, where=where(("model",)), place=lambda key: where(("model", key))
        )
