"""The model card of a run: front matter for the hub, and a page for people, all of it from the run's files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from stancekit import codebook as codebooks
from stancekit.datasets import CATALOGUE, Entry
from stancekit.files import read_json, read_text
from stancekit.hub import Address
from stancekit.reports import tables
from stancekit.reports.facts import about
from stancekit.reports.rendering import render
from stancekit.resources import bundled
from stancekit.runs.run import Run
from stancekit.scoring import Scores

LANGUAGE = "en"
_PIPELINES = {"single": "text-classification", "multi": "text-classification", "targeted": "text-classification"}
_PIPELINE = "token-classification"
_SHARES = {"f1": "f1", "macro_f1": "f1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
"""Kinds of our metrics that the hub has a name for."""

_HEADS = ("SequenceClassification", "TokenClassification")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def card(run: Run, address: Address, licence: str, *, seeds: Path | None = None) -> str:
    """Return the card of a run that is ready to be shared, as Markdown under YAML front matter.

    `seeds` is the folder in which the run stood: from the folder above it the card tells of its other seeds.
    """
    parts = {name.split(".")[1]: name for name in sorted(run.manifest["files"]) if name.startswith("scores.")}
    scores = {part: Scores.from_json(read_json(run.path / name)) for part, name in parts.items()}
    sources = _sources(run)
    facts = {
        "name": run.experiment.name,
        "description": run.experiment.description,
        "about": about(run),
        "task": run.task,
        "labels": _labels(run),
        "label_map": list(run.manifest["label_map"]),
        "data_name": next(iter(sources)),
        "known": [entry for entry in sources.values() if entry],
        "also": list(sources)[1:],
        "datasheets": {name: _datasheet(name) for name in sources if (bundled("data") / name / "README.md").is_file()},
        "parts": [_part(run, part, found) for part, found in scores.items()],
        "seeds": _seeds(run, seeds, scores),
        "address": address,
        "head": _head(run),
        "foreign": run.trust_code,
        "manifest": run.manifest,
        "software": _software(run),
    }
    front = yaml.safe_dump(_front(run, licence, scores, facts), allow_unicode=True, sort_keys=False, width=120)
    return f"---\n{front}---\n\n{render('card.md', facts)}"


def _front(run: Run, licence: str, scores: Mapping[str, Scores], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the hub reads."""
    pipeline = _PIPELINES.get(run.task.kind, _PIPELINE)
    tags = dict.fromkeys(
        ["stancekit", run.task.name, run.experiment.model["name"], "news", "computational-social-science"]
    )
    value: dict[str, Any] = {"language": LANGUAGE, "license": licence, "library_name": "stancekit"}
    value |= {"pipeline_tag": pipeline, "tags": list(tags)}
    encoder = run.experiment.settings.get("encoder")
    if isinstance(encoder, str) and _HUB_ID.fullmatch(encoder):
        value["base_model"] = encoder
    results = [_result(run, part, found, pipeline, facts["data_name"]) for part, found in scores.items()]
    results = [result for result in results if result["metrics"]]
    if results:
        value["metrics"] = sorted({metric["type"] for result in results for metric in result["metrics"]})
        value["model-index"] = [{"name": run.experiment.name, "results": results}]
    return value


def _result(run: Run, part: str, scores: Scores, pipeline: str, data: str) -> dict[str, Any]:
    dataset = {"name": data, "type": data, "split": part, "args": {"hash": run.manifest["data"]["hash"]}}
    metrics = []
    for row in tables.headlines(scores, run.task):
        kind = _SHARES.get(tables.family(row["metric"])[1], row["metric"])
        arguments: dict[str, Any] = {"support": row["support"], "signature": scores.signature_line}
        if row["low"] is not None and row["high"] is not None:
            arguments = {"interval": [round(row["low"], 4), round(row["high"], 4)], "level": 0.95, **arguments}
        metrics.append({"type": kind, "name": row["name"], "value": round(row["value"], 4), "args": arguments})
    return {"task": {"type": pipeline, "name": run.task.name}, "dataset": dataset, "metrics": metrics}


def _part(run: Run, part: str, scores: Scores) -> dict[str, Any]:
    report = f"report.{part}.md"
    return {
        "name": part,
        "scores": tables.whole(scores),
        "examples": scores.signature.get("n"),
        "groups": scores.signature.get("groups", "documents"),
        "signature_line": scores.signature_line,
        "notes": list(scores.notes),
        "left_out": list(scores.left_out),
        "ceiling": bool(scores.ceiling),
        "report": report if report in run.manifest["files"] else "",
    }


def _labels(run: Run) -> list[tuple[str, str]]:
    """Return the labels with their definitions, where the run follows the bundled codebook."""
    book = codebooks.default()
    sets = book.sets.values() if book.stamp == run.manifest["codebook"] else ()
    for labels in sets:
        known = {label.name: " ".join(label.definition.split()) for label in labels}
        if run.task.labels and set(run.task.labels) <= known.keys():
            return [(label, known[label]) for label in run.task.labels]
    return [(label, "") for label in run.task.labels]


def _sources(run: Run) -> dict[str, Entry | None]:
    """Return the data sets that a run learnt from, the one that is split first, with what is known of them."""
    data, found = run.experiment.data, dict[str, Entry | None]()
    for path, reader in [(data.path or data.train, data.format), *((one.path, one.format) for one in data.also)]:
        entry = CATALOGUE.get(reader or "") or CATALOGUE.get(path or "")
        found[entry.name if entry else Path(path or "data").name] = entry
    return found


def _datasheet(name: str) -> list[str]:
    """Return what the datasheet of a bundled data set says first, and of its uses and limits."""
    text = read_text(bundled("data") / name / "README.md")
    first = re.search(r"\*\*.+?(?=\n\n)", text, re.DOTALL)
    limits = re.search(r"^## Uses and limits\n+(.+?)(?=\n## |\Z)", text, re.DOTALL | re.MULTILINE)
    return [" ".join(found.split()) for found in (first and first[0], limits and limits[1]) if found]


def _seeds(run: Run, place: Path | None, scores: Mapping[str, Scores]) -> list[str]:
    """Return how the run stands among the other seeds of its experiment: one picked from several flatters."""
    seeds = run.experiment.seeds
    if len(seeds) < 2:
        return []
    lines = [f"This is seed {run.manifest['seed']}, one of {len(seeds)} ({', '.join(map(str, seeds))})."]
    for part, found in scores.items():
        summary = place.parent / f"summary.{part}.json" if place else Path()
        if not summary.is_file():
            continue
        rows = {r["metric"]: r for r in read_json(summary)["rows"] if not r["slice"] and not r["label"]}
        leads = [row["metric"] for row in tables.headlines(found, run.task) if row["metric"] in rows]
        told = [f"{tables.name(m)} {rows[m]['mean']:.3f} ± {rows[m]['sd']:.3f}" for m in leads]
        lines += [f"Over them all, on {part} (mean ± standard deviation): {'; '.join(told)}."] if told else []
    return lines


def _head(run: Run) -> str:
    """Return the class of transformers that opens `model/`: with its head where that is a standard one."""
    config = run.path / "model" / "config.json"
    names: Sequence[str] = read_json(config).get("architectures") or () if config.is_file() else ()
    if not names:
        return ""
    return next((f"AutoModelFor{head}" for head in _HEADS if names[0].endswith(f"For{head}")), "AutoModel")


def _software(run: Run) -> str:
    """Return how to cite stancekit, in the words of its own package."""
    known = metadata.metadata("stancekit")
    author, about_it = (known[key].strip().rstrip(".") for key in ("Author", "Summary"))
    return f"{author}. stancekit: {about_it}. Version {run.manifest['stancekit']}."
