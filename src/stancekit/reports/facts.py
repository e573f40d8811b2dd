"""All that a report draws, as one JSON value: nothing of time, machine or absolute paths is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import yaml

from stancekit import components
from stancekit.evaluation import Evaluated
from stancekit.reports import curve, holders, sentences, tables
from stancekit.reports.marks import Palette
from stancekit.reports.rendering import number
from stancekit.runs.run import Run
from stancekit.tasks import Part

_PARTS = ("train", "dev", "test")
_ALWAYS = ("outlet",)
"""Metadata that is a filter even where no slice asks for it."""

_COUNTS = {
    "threads": "threads: {}",
    "processes": "processes: {}",
    "batch_size": "batches of {}",
    "rows": "rows: {:,}",
    "steps": "steps: {:,}",
}
"""Of what a model that learns step by step notes, what a report tells beside device and precision."""


def of_run(run: Run, evaluated: Evaluated, *, no_text: bool) -> dict[str, Any]:
    """Return the facts of an evaluated run."""
    facts: dict[str, Any] = {"title": run.experiment.name, "description": run.experiment.description}
    facts["about"] = about(run)
    facts |= {"label_map": list(run.manifest["label_map"]), "config": _config(run)}
    drawn = curve.of_run(run)
    facts |= {"curve": drawn} if drawn else {}
    return facts | {"packages": dict(run.manifest["packages"])} | _common(evaluated, no_text)


def about(run: Run) -> list[list[str]]:
    """Return what a run is and where it comes from, as rows of a name and a text."""
    plan, manifest = run.experiment, run.manifest
    data, split = manifest["data"], manifest["split"]
    order = sorted(data["sizes"], key=lambda name: (_PARTS.index(name) if name in _PARTS else len(_PARTS), name))
    sizes = " · ".join(f"{name} {data['sizes'][name]:,}" for name in order)
    settings = ", ".join(_flat(_portable(plan.settings)))
    codebook = manifest["codebook"]
    rows = [
        ["Task", f"{run.task.name} ({run.task.kind}), {len(run.task.labels)} labels"],
        ["Model", plan.model["name"] + (f" ({settings})" if settings else "")],
        ["Data", f"{_data_name(plan.data)}, {data['sentences']:,} sentences, hash {data['hash'][:8]}"],
        ["Split", f"by {' + '.join(split['by'])}, seed {split['seed']}: {sizes} examples"],
        ["Codebook", f"{codebook['name']} {codebook['version']}, hash {codebook['hash']}"],
        ["Seed", str(manifest["seed"])],
        ["stancekit", manifest["stancekit"]],
    ]
    if manifest.get("lost"):
        lost = ", ".join(f"{what} ({count})" for what, count in sorted(manifest["lost"].items()))
        rows.append(["Not held by the model's tags", lost])
    return rows + _trained(run) + _dev(run)


def _trained(run: Run) -> list[list[str]]:
    """Return on what a model that learns step by step was trained; nothing of times, which are never the same."""
    noted = run.manifest.get("training", {})
    told = [str(noted[key]) for key in ("device", "precision") if key in noted]
    told += [words.format(noted[key]) for key, words in _COUNTS.items() if key in noted]
    return [["Trained on", ", ".join(told)]] if told else []


def _dev(run: Run) -> list[list[str]]:
    """Return what was reached on dev while training, the run's own task first."""
    noted = run.manifest.get("dev", {})
    return [
        [
            "Dev" if task == run.task.name else f"Dev, {task}",
            f"{tables.name(noted[task]['metric'])} {number(noted[task]['value'])} on {noted[task]['n']:,} examples",
        ]
        for task in sorted(noted, key=lambda name: (name != run.task.name, name))
    ]


def of_predictions(name: str, evaluated: Evaluated, *, no_text: bool) -> dict[str, Any]:
    """Return the facts of a predictions file of any tool."""
    task = evaluated.part.task
    about = [
        ["Task", f"{task.name} ({task.kind}), {len(task.labels)} labels"],
        ["Predictions", Path(name).name],
        ["Gold", f"{evaluated.part_name}, {len(evaluated.part):,} examples"],
    ]
    facts = {"title": Path(name).name, "description": "", "about": about, "label_map": [], "config": "", "packages": {}}
    return facts | _common(evaluated, no_text)


def _common(evaluated: Evaluated, no_text: bool) -> dict[str, Any]:
    scores, part = evaluated.scores, evaluated.part
    columns = _columns(evaluated)
    rows = sentences.drawn(evaluated, columns)
    facts: dict[str, Any] = {
        "part": evaluated.part_name,
        "task": {"name": part.task.name, "kind": part.task.kind, "labels": list(part.task.labels)},
        "examples": len(part),
        "signature": dict(scores.signature),
        "signature_line": scores.signature_line,
        "notes": list(scores.notes),
        "left_out": list(scores.left_out),
        "ceiling": bool(scores.ceiling),
        "headlines": tables.headlines(scores, part.task),
        "scores": tables.whole(scores),
        "labels": tables.by_label(scores),
        "confusion": tables.confusion(scores, part.task.labels),
        "slices": tables.slices(scores, part.task),
        "holders": holders.table(evaluated),
        "metrics": _definitions(part),
        "legend": Palette(part.task.labels).legend(),
        "mistakes": sum(not row["right"] for row in rows),
        "filters": sentences.filters(rows, columns),
        "sentences": [] if no_text else rows,
        "no_text": no_text,
    }
    return facts | {"figure": tables.figure(facts)}


def _columns(evaluated: Evaluated) -> list[str]:
    known = {key for example in evaluated.part.examples for key in example.sentence.meta}
    wanted = [*_ALWAYS, *tables.columns_of(evaluated.scores)]
    return [c for c in dict.fromkeys(wanted) if c in known]


def _definitions(part: Part) -> list[list[str]]:
    """Return each built-in metric with the first paragraph of its documentation."""
    built_in = [m for m in part.task.metrics if m in components.names("metric")]
    texts = [[m, (components.find("metric", m).__doc__ or "").partition("\n\n")[0]] for m in built_in]
    return [[metric.replace("_", " "), " ".join(text.split())] for metric, text in texts]


def _data_name(data: Any) -> str:
    named = [(one.dev, " ".join(filter(None, (one.format, _portable(one.path))))) for one in data.also]
    further = "".join(f", for train{' and dev' if dev else ''} also {name}" for dev, name in named)
    return ", ".join(_portable(path) for path in data.files.values()) + further


def _config(run: Run) -> str:
    """Return the experiment as YAML, without its output folder and with files named apart from their place."""
    plan = {k: v for k, v in run.experiment.model_dump(mode="json").items() if k != "output"}
    return yaml.safe_dump(_portable(plan), allow_unicode=True, sort_keys=False, width=100)


def _flat(settings: Mapping[str, Any], before: str = "") -> list[str]:
    """Return settings as `key: value`, those inside others under dotted keys."""
    found: list[str] = []
    for key, value in sorted(settings.items()):
        inner = isinstance(value, Mapping) and value
        found += _flat(value, f"{before}{key}.") if inner else [f"{before}{key}: {value}"]
    return found


def _portable(value: Any) -> Any:
    """Cut absolute paths to their last name: a report says nothing of the machine that made it."""
    if isinstance(value, Mapping):
        return {key: _portable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_portable(inner) for inner in value]
    if isinstance(value, str) and (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()):
        return f"…/{PureWindowsPath(value).name}"
    return value
