"""Whose confidence is whose, where a prediction answers several layers at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stancekit.schema import Layers
from stancekit.tasks import Task

Sure = dict[str, Sequence[Any]]
"""Confidences by the name of their layer."""


def by_layer(task: Task, answer: Layers, numbers: object) -> Sure:
    """Cut the confidences of whole layers: attributions, devices, then the task's other layers in their order.

    Nothing is returned where there is not one for each item.
    """
    sizes = {"attribution": len(answer.attributions or ()), "devices": len(answer.devices or ())}
    for one in task.inner:
        if one.name not in sizes:
            own: Any = one.view(answer)
            sizes[one.name] = 1 if isinstance(own, str) else len(own or ())
    if not isinstance(numbers, tuple) or len(numbers) != sum(sizes.values()):
        return {}
    found: Sure = {}
    start = 0
    for name, size in sizes.items():
        found[name] = numbers[start : start + size]
        start += size
    return found
