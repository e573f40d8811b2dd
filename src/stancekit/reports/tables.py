"""Score rows arranged as tables: headlines, whole, per label, confusion, slices, and names for reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from stancekit.metrics import layers
from stancekit.scoring import Score, Scores
from stancekit.tasks import Task

HEADLINES = 4
LEADS = (
    "f_avg macro_f1 micro_f1 accuracy linked_exact_f1 linked_overlap_f1 strict_f1 "
    "holder_f1 holder_f1_not_author holder_accuracy holder_accuracy_not_author "
    "span_exact_f1 span_overlap_f1 span_proportional_f1 device_target_accuracy"
).split()
"""The figures that open a report, in this order, where a task has them."""

_NONE: Mapping[tuple[str, str], float | None] = {}
_FAMILIES = {
    "span_exact": "exact spans",
    "span_overlap": "overlapping spans",
    "span_proportional": "spans, by share",
    "strict": "strict spans",
    "linked_exact": "exact relations",
    "linked_overlap": "overlapping relations",
    "linked_exact_with_types": "exact relations, types too",
    "linked_overlap_with_types": "overlapping relations, types too",
    "device_target": "target of devices",
    "device_negation": "negation of devices",
    "holder": "holder",
    "holder_not_author": "holder, not the outlet",
    "macro": "macro",
    "micro": "micro",
    "weighted": "weighted",
}
_KINDS = {"f1": "F1", "precision": "precision", "recall": "recall", "accuracy": "accuracy", "macro_f1": "macro-F1"}
_NAMES = {
    "f_avg": "F(favor, against)",
    "holder_f1_not_author": "holder-F1, not the outlet's",
    "holder_accuracy_not_author": "holder accuracy, not the outlet's",
    "device_target_accuracy_named": "target of devices that have one: accuracy",
    "holder_f1": "holder-F1",
    "holder_accuracy": "holder accuracy",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
    "layers_mean": "mean of the layers",
}


def family(metric: str) -> tuple[str, str]:
    """Return a metric's family and kind: `span_exact_f1` is F1 of `span_exact`, of a layer if one stands before."""
    layer, _, metric = metric.rpartition(" ")
    group, kind = _family(metric)
    return " ".join(filter(None, (layer, group))), kind


def _family(metric: str) -> tuple[str, str]:
    for kind in ("macro_f1", "f1", "precision", "recall", "accuracy"):
        if metric == kind:
            return "", kind
        if metric.endswith(f"_{kind}"):
            return metric.removesuffix(f"_{kind}"), kind
    return metric, ""


def name(metric: str) -> str:
    """Return a metric's name for reading, after its layer's where it has one."""
    layer, _, metric = metric.rpartition(" ")
    return f"{layer}, {_name(metric)}" if layer else _name(metric)


def _name(metric: str) -> str:
    if metric in _NAMES:
        return _NAMES[metric]
    group, kind = _family(metric)
    words = _FAMILIES.get(group, group.replace("_", " "))
    return f"{words}: {_KINDS[kind]}" if words and kind else words or _KINDS[kind]


Ceiling = Mapping[tuple[str, str], float | None]


def _ceiling(scores: Scores) -> Ceiling:
    """Return what annotators reach against each other, by metric and label."""
    return {(row.metric, row.label): row.value for row in scores.ceiling}


def _row(row: Score, top: Ceiling = _NONE) -> dict[str, Any]:
    found: dict[str, Any] = {"metric": row.metric, "name": name(row.metric), "label": row.label}
    found |= {"value": row.value, "low": row.low, "high": row.high, "support": row.support}
    return found | {"ceiling": top.get((row.metric, row.label))}


def _of(rows: Iterable[Score], slice_name: str) -> list[Score]:
    return [r for r in rows if r.slice == slice_name and r.metric != "confusion"]


def whole(scores: Scores) -> list[dict[str, Any]]:
    """Return the figures over all labels of the whole part."""
    top = _ceiling(scores)
    return [_row(r, top) for r in _of(scores.rows, "") if not r.label]


def headlines(scores: Scores, task: Task) -> list[dict[str, Any]]:
    """Return the few figures that open the report; with one label an example micro-F1 is accuracy, and left out."""
    found = {r["metric"]: r for r in whole(scores) if r["value"] is not None}
    if task.kind != "multi":
        found.pop("micro_f1", None)
    leads = [*(f"{one.name} {layers.LEADS[one.kind]}" for one in task.inner), *LEADS]
    chosen = [found.pop(metric) for metric in leads if metric in found]
    return (chosen or list(found.values()))[:HEADLINES]


def by_label(scores: Scores) -> list[dict[str, Any]]:
    """Return one table a family of metrics: a row a label, or a rule where that is what labels name."""
    rows = [r for r in _of(scores.rows, "") if r.label or _is_ruled(r)]
    found, top = [], _ceiling(scores)
    for group in dict.fromkeys(_group(r) for r in rows):
        inside = [r for r in rows if _group(r) == group]
        rules = _is_ruled(inside[0])
        metrics = list(dict.fromkeys(r.metric for r in inside))
        cells = {(r.metric, r.label): _row(r, top) for r in inside}
        found.append(
            {
                "title": name(group) if rules else _title(group),
                "by": "rule" if rules else "label",
                "metrics": ["value"] if rules else [_KINDS.get(family(m)[1]) or name(m) for m in metrics],
                "rows": [
                    {"label": label or "derived from the relations", "cells": [cells.get((m, label)) for m in metrics]}
                    for label in dict.fromkeys(r.label for r in inside)
                ],
            }
        )
    return found


def _is_ruled(row: Score) -> bool:
    """Say whether a figure stands beside the rules to beat: its labels are their names."""
    return row.metric.startswith("holder")


def _group(row: Score) -> str:
    return row.metric if _is_ruled(row) else family(row.metric)[0]


def _title(group: str) -> str:
    layer, _, metrics = group.rpartition(" ")
    words = _FAMILIES.get(metrics, metrics.replace("_", " ")) or "labels"
    return f"{layer}, {words}" if layer else words


def confusion(scores: Scores, labels: Sequence[str]) -> dict[str, Any] | None:
    """Return the confusion matrix, rows gold and columns predicted, or None where the task has none."""
    values = [int(r.value or 0) for r in scores.rows if r.metric == "confusion" and not r.slice]
    if len(values) != len(labels) ** 2 or not values:
        return None
    cells = [values[i : i + len(labels)] for i in range(0, len(values), len(labels))]
    return {"labels": list(labels), "cells": cells}


def slices(scores: Scores, task: Task) -> list[dict[str, Any]]:
    """Return one table a metadata column: a row a value, with the headline figures."""
    leads = [r["metric"] for r in headlines(scores, task)][:3]
    rows = [r for r in scores.rows if r.slice and not r.label and r.metric in leads]
    found = []
    for column, members in groupby(sorted(rows, key=lambda r: r.slice), key=lambda r: r.slice.partition("=")[0]):
        by_value: dict[str, dict[str, dict[str, Any]]] = {}
        for row in members:
            by_value.setdefault(row.slice.partition("=")[2], {})[row.metric] = _row(row)
        table = [{"value": value, "cells": [cells.get(m) for m in leads]} for value, cells in by_value.items()]
        found.append({"column": column, "metrics": [name(m) for m in leads], "rows": table})
    return found


def columns_of(scores: Scores) -> list[str]:
    """Return the columns that the scores are sliced by."""
    return list(dict.fromkeys(r.slice.partition("=")[0] for r in scores.rows if r.slice))


def figure(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the rows of the figure: the first headline above each label of the first table, or None without labels."""
    if not facts["labels"] or not facts["headlines"]:
        return None
    table, lead = facts["labels"][0], facts["headlines"][0]
    rows = [{"name": r["label"], "row": r["cells"][-1]} for r in table["rows"] if r["cells"][-1]]
    title = f"{lead['name']}, and the {table['metrics'][-1]} of each label ({table['title']})"
    return {"title": title, "rows": [{"name": lead["name"], "row": lead}, *rows]}
