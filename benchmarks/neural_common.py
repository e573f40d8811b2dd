"""What the benchmarks of neural models share: settings, cuts by document, a run a seed with its kept predictions.

Settings are changed by `key=value` anywhere on the command line (YAML values, dotted: `training.epochs=4`), those of
one of several models by its name in front (`joint.training.epochs=4`). `--limit` is for trying a script out: what it
gives is not noted in the ledger.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stancekit import components, config, yamlfile
from stancekit.data import predictions as predictions_file
from stancekit.files import dump_json, read_json, sha256, write_json, write_lines
from stancekit.models import base
from stancekit.models.base import Workspace
from stancekit.runs import headline
from stancekit.runs.material import gather
from stancekit.schema import Prediction, Sentence
from stancekit.tasks import Part

Settings = dict[str, Any]
_CHANGE = re.compile(r"[A-Za-z_][\w-]*(\.\w+)*=")


MEASURED = ("seconds", "processor seconds", "MiB")


class Clock:
    """Seconds since it was made: of the wall, and of this process."""

    def __init__(self) -> None:
        self.started = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Return both."""
        now = time.perf_counter(), time.process_time()
        return {name: now[k] - self.started[k] for k, name in enumerate(MEASURED[:2])}


@dataclass(frozen=True)
class Run:
    """The predictions of one seed, and what was measured while they were made."""

    predictions: list[Prediction]
    facts: dict[str, Any]


def parser(doc: str | None, *, data: str = "the data set as published") -> argparse.ArgumentParser:
    """Return a parser with the options that all of these scripts have; `data` says what `--data` is ("": none)."""
    found = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if data:
        found.add_argument("--data", type=Path, required=True, help=data)
    found.add_argument("--seeds", nargs="*", type=int, default=[13, 14, 15])
    found.add_argument("--encoder", default="minilm", help="minilm, a folder or a hub id")
    found.add_argument("--only", nargs="*", default=[], help="names of rows")
    keep = Path("runs") / Path(sys.argv[0]).stem.replace("_", "-")
    found.add_argument("--keep", type=Path, default=keep, help="where predictions are kept, so that a run goes on")
    found.add_argument("--limit", type=int, default=0, help="so many documents of train and of the held-out part")
    return found


def parse(found: argparse.ArgumentParser, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments, those of the form `key=value` as `changes`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    given = found.parse_args([word for word in words if not _CHANGE.match(word)])
    given.changes = [word for word in words if _CHANGE.match(word)]
    return given


def is_neural(own: Mapping[str, Any]) -> bool:
    """Say whether a model reads with an encoder."""
    return "encoder" in inspect.signature(components.find("model", own["name"])).parameters


def settings(rows: Mapping[str, Settings], given: argparse.Namespace) -> dict[str, Settings]:
    """Return the settings of the rows asked for, with the command line's encoder and changes; mistakes are raised now.

    A row that has an encoder of its own keeps it. A change without a row's name in front goes to every model with one.
    """
    unknown = set(given.only) - set(rows)
    if unknown:
        raise SystemExit(f"--only: there is no row {min(unknown)!r}; there are: {', '.join(rows)}")
    found = {}
    for title in given.only or rows:
        own = deepcopy(rows[title])
        if is_neural(own):
            if "encoder" in own and not Path(own["encoder"]).is_dir():
                raise SystemExit(
                    f"{title}: there is no folder {own['encoder']}; benchmarks/sentiment_first.py makes it"
                )
            own.setdefault("encoder", given.encoder)
        for change in given.changes:
            dotted, _, raw = change.partition("=")
            first, *rest = keys = dotted.split(".")
            if first == title and rest:
                _put(own, rest, yamlfile.parse(raw, Path(change)).value)
            elif first not in rows and is_neural(own):
                _put(own, keys, yamlfile.parse(raw, Path(change)).value)
        build(own, given.seeds[0])
        found[title] = own
    return found


def _put(own: Settings, keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        own = own.setdefault(key, {})
    own[keys[-1]] = value


def build(own: Mapping[str, Any], seed: int) -> Any:
    """Return a model with these settings, and the seed where it takes one."""
    values = {k: v for k, v in own.items() if k != "name"}
    if "seed" in inspect.signature(components.find("model", own["name"])).parameters:
        values["seed"] = seed
    return components.build("model", own["name"], values)


def bundled() -> list[Sentence]:
    """Return the train part of the bundled corpus of conflicts."""
    material = gather(config.load("demo-framing", ["data.also=[]"]))
    return [replace(s, id=f"dispatches/{s.id}") for s in material.dataset if s.id in {*material.split.parts["train"]}]


def subset(whole: Part, rows: Sequence[int]) -> Part:
    """Return some examples of a part."""
    return Part(whole.task, tuple(whole.examples[k] for k in rows), tuple(whole.gold[k] for k in rows))


def cut(whole: Part, step: int, first: int = 0) -> tuple[Part, Part]:
    """Return a part without every n-th document, and those documents."""
    held = set(sorted({e.sentence.document for e in whole.examples})[first::step])
    sides: tuple[list[int], list[int]] = ([], [])
    for k, example in enumerate(whole.examples):
        sides[example.sentence.document in held].append(k)
    return subset(whole, sides[0]), subset(whole, sides[1])


def drawn(names: Sequence[str], count: int) -> set[str]:
    """Return so many of the names (0: all), drawn by hash: a larger draw holds all of a smaller one."""
    order = sorted(set(names), key=lambda name: sha256(name.encode()))
    return set(order[:count] if count else order)


def limited(whole: Part, count: int) -> Part:
    """Return so many documents of a part (0: all)."""
    kept = drawn([e.sentence.document for e in whole.examples], count)
    return subset(whole, [k for k, e in enumerate(whole.examples) if e.sentence.document in kept])


def fitted(train: Part, own: Mapping[str, Any], seed: int, metric: str, dev: Part | None = None) -> tuple[Any, Any]:
    """Return a trained model and what was measured; it stops by dev, or by every tenth document of train."""
    rest, judge = cut(train, 10, 1) if dev is None else (train, dev)
    model = build(own, seed)
    space = Workspace(score=headline.of(train.task, metric).judge, metric=metric)
    started = time.perf_counter()
    base.fit(model, rest, judge, space)
    seconds = time.perf_counter() - started
    facts = {**space.facts, "seconds": round(seconds, 1), "dev": space.curve.get("dev")}
    if "steps" in facts:
        read = len(rest) * facts["steps"] * facts["batch_size"] / facts["rows"]
        facts["examples a second, training"] = round(read / seconds, 1)
    shown = f", {facts['examples a second, training']} examples a second" if "steps" in facts else ""
    print(f"  seed {seed}: {seconds:.0f} s{shown}, dev {facts['dev']}", flush=True)
    return model, facts


def run_seeds(
    given: argparse.Namespace,
    title: str,
    own: Settings,
    train: Part,
    held: Part,
    *,
    metric: str,
    dev: Part | None = None,
) -> list[Run]:
    """Return a run of a row for each seed, from the kept files where they are; a model without encoder has one run.

    `metric` is the figure by which models stop, on `dev` or on each tenth document of train. A model without encoder
    learns from the whole of train, unless `dev` is given.
    """
    if not is_neural(own):
        dev = Part(train.task) if dev is None else dev
        return [_run(given.keep, title, given.seeds[0], own, train, held, metric, dev)] * len(given.seeds)
    return [_run(given.keep, title, seed, own, train, held, metric, dev) for seed in given.seeds]


def _run(
    keep: Path, title: str, seed: int, own: Settings, train: Part, held: Part, metric: str, dev: Part | None
) -> Run:
    file, beside = keep / f"{title} {seed}.jsonl", keep / f"{title} {seed}.json"
    key = {"setting": own, "metric": metric, "train": _digest(train), "held": _digest(held)}
    facts = read_json(beside) if file.exists() and beside.exists() else key
    if {name: facts.get(name) for name in key} != json.loads(dump_json(key)):
        raise SystemExit(f"{file}: these predictions are of other settings or data; remove them or give another --keep")
    if not file.exists():
        print(f"{title}: {len(train)} examples to learn from, {len(held)} to predict", flush=True)
        model, measured = fitted(train, own, seed, metric, dev)
        started = time.perf_counter()
        found = model.predict(held.examples)
        measured["examples a second, predicting"] = round(len(held) / (time.perf_counter() - started), 1)
        write_json(beside, key | measured)
        write_lines(file, [predictions_file.dump(p) for p in found])
    return Run(read_kept(file, held), read_json(beside) if beside.exists() else {})


def read_kept(file: Path, held: Part) -> list[Prediction]:
    """Return kept predictions of a part."""
    return list(predictions_file.read(file, held.task.kind, {e.id: e.sentence.text for e in held.examples}))


def _digest(part: Part) -> str:
    gold = [predictions_file.dump(Prediction(id=e.id, answer=g)) for e, g in zip(part.examples, part.gold, strict=True)]
    return sha256(dump_json([part.task.name, gold]).encode())[:16]
