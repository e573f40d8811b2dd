"""A finished run: its experiment, task and model, checked before they are opened, ready to predict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit import components, config, hub
from stancekit import tasks as tasks_module
from stancekit.codebook import Codebook
from stancekit.config import Experiment
from stancekit.data import predictions as predictions_file
from stancekit.data import record
from stancekit.data.dataset import Dataset
from stancekit.data.predictions import Predictions
from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import parse_json, read_json, read_text
from stancekit.models.base import Model
from stancekit.profile import Profile
from stancekit.runs import runfolder
from stancekit.runs.answered import answered
from stancekit.schema import Example, Prediction, Sentence, Span, Target
from stancekit.tasks import Task

_TARGETS = 'name them: a column `target`, "stances": [{"target": …}] in a record, in Python {"text": …, "target": …}'
Input = str | Mapping[str, Any] | Sentence | Example


class Run:
    """What happened: a run folder, loaded without executing code of its own.

    Names outside the component table are refused unless `trust_code`.
    """

    def __init__(self, path: str | Path, *, trust_code: bool = False) -> None:
        self.path = Path(path)
        self.trust_code = trust_code
        self.origin = ""
        """The address on a hub that the run was loaded from: such a run is not written to."""
        self.manifest = runfolder.read_manifest(self.path)
        runfolder.verify(self.path, self.manifest, "config.yaml")
        self.experiment = config.parse(read_text(self.path / "config.yaml"), self.path / "config.yaml")
        if not trust_code:
            _refuse_foreign_code(self.path, self.experiment)
        self.task = restore_task(self.manifest["task"], trust_code=trust_code)

    def __repr__(self) -> str:
        name, where = self.experiment.model["name"], self.origin or self.path
        size = self.manifest["data"]["sizes"].get("train", 0)
        lines = [f"Run {where}: {self.task.name} by {name}, trained on {size} examples"]
        for name in sorted(n for n in self.manifest["files"] if n.startswith("scores.")):
            lines.append(f"  {name}: " + ", ".join(self._main_scores(name)))
        return "\n".join(lines)

    def _main_scores(self, name: str) -> list[str]:
        runfolder.verify(self.path, self.manifest, name)
        rows = read_json(self.path / name)["rows"]
        whole = [r for r in rows if not r["slice"] and not r["label"] and r["value"] is not None]
        return [f"{r['metric']} {r['value']:.3f}" for r in whole[:4]]

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels: the columns of `predict_proba`."""
        return self.task.labels

    @cached_property
    def model(self) -> Model:
        """The fitted model; every file is checked against the manifest before it is opened."""
        runfolder.verify(self.path, self.manifest, "model/")
        chosen = self.experiment.model["name"]
        settings = with_seed(chosen, self.experiment.settings, self.manifest["seed"], trust_code=self.trust_code)
        model: Model = components.build("model", chosen, settings, where=str(self.path), trust_code=self.trust_code)
        try:
            model.load(self.path / "model", self.task)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise fail(self.path / "model", f"the model cannot be read: {error}", "train the run again") from error
        return model

    @cached_property
    def profile(self) -> Profile:
        """What the run has seen."""
        found = profile_of(self.path, self.manifest)
        if found is None:
            raise fail(self.path, "the run does not tell what it has seen", "train the run again")
        return found

    def predict(self, inputs: Iterable[Input] | Input) -> Predictions:
        """Answer texts, native records, sentences or examples; a record may carry `target` for a targeted task."""
        examples = self.examples(inputs)
        texts = {e.id: e.sentence.text for e in examples}
        return Predictions(self.model.predict(examples), texts)

    def predict_proba(self, inputs: Iterable[Input] | Input) -> NDArray[np.float64]:
        """Return the probabilities, shape (examples, labels), columns in the order of `labels`."""
        if self.task.kind not in ("single", "multi", "targeted"):
            raise fail(
                self.path, f"{self.task.name} has no probabilities per label", "see `predict(…)[i].probabilities`"
            )
        rows = []
        for prediction in self.predict(inputs):
            if not isinstance(prediction.probabilities, Mapping):
                raise fail(self.path, "this model gives no probabilities", "use `predict`")
            rows.append([prediction.probabilities.get(label, 0.0) for label in self.labels])
        return np.array(rows, dtype=np.float64).reshape(-1, len(self.labels))

    def examples(self, inputs: Iterable[Input] | Input) -> list[Example]:
        """Turn inputs into examples of the run's task, with ids `0`, `1`, … where they have none."""
        single = isinstance(inputs, str | Mapping | Sentence | Example) or not isinstance(inputs, Iterable)
        items: list[Any] = [inputs] if single else list(inputs)  # type: ignore[arg-type]
        problems = Problems()
        found: list[Example] = []
        bare: list[str] = []
        for number, item in enumerate(items):
            where = inputs.where(item.id) if isinstance(inputs, Dataset) else f"input {number}"
            own = self._examples(item, number, where, problems)
            found += own or []
            bare += [where] if own is None else []
        if len(bare) == len(items) > 1:  # one mistake, and not one a sentence
            place = (inputs.path or inputs.name) if isinstance(inputs, Dataset) else "inputs"
            problems.add(place, f"{self.task.name} needs targets, and no sentence of {len(bare)} has one", _TARGETS)
        else:
            for where in bare:
                problems.add(where, f"{self.task.name} needs a target", _TARGETS)
        problems.raise_any()
        return found

    def _examples(self, item: Any, number: int, where: str, problems: Problems) -> list[Example] | None:
        """Return the examples of an input, one a target where the task has targets; None where it names none."""
        if isinstance(item, Example):
            return [item]
        if not isinstance(item, str | Mapping | Sentence):
            problems.add(where, f"{type(item).__name__} is no input", "give a text, a record or a Sentence")
            return []
        sentence = item if isinstance(item, Sentence) else read_input(item, number, where, problems)
        if sentence is None:
            return []
        name = item.get("target") if isinstance(item, Mapping) else None
        target = None if name is None else Target(str(name), _mention(item, sentence))
        if self.task.inner:
            sentence = self._asked(sentence, target)
        if self.task.kind != "targeted":
            return [Example(id=sentence.id, sentence=sentence)]
        if target is not None:
            return [Example(id=sentence.id, sentence=sentence, target=target)]
        if self.task.view(sentence.gold) is not None:
            return [example for example, _ in tasks_module.examples_of(self.task, sentence)]
        others = tasks_module.targets_of(Example(id=sentence.id, sentence=sentence))  # of label sets of another name
        found = [Example(id=f"{sentence.id}#{k}", sentence=sentence, target=t) for k, t in enumerate(others, start=1)]
        return found or None

    def _asked(self, sentence: Sentence, target: Target | None) -> Sentence:
        """Return a sentence whose target, or targets under no label, are asked for in every targeted label set."""
        given = sentence.gold.stances or ()  # where one has no label, all are to be judged
        under_none = [] if all(s.label for s in given) else [s.target for s in given]
        targets = [target] if target is not None else under_none
        own = [one.name for one in self.task.inner if one.kind == "targeted" and one.needs != ("stances",)]
        return tasks_module.asked(sentence, targets, own) if targets else sentence

    def records(self, sentences: Iterable[Sentence], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
        """Return native records of the sentences with the predicted answers in the place of gold."""
        answers: dict[str, list[Prediction]] = {}
        for prediction in predictions:
            answers.setdefault(
                prediction.id.partition("#")[0] if self.task.kind == "targeted" else prediction.id, []
            ).append(prediction)
        return [self._record(s, answers.get(s.id, [])) for s in sentences]

    def _record(self, sentence: Sentence, found: Sequence[Prediction]) -> dict[str, Any]:
        targets = [e.target for e in self._examples(sentence, 0, sentence.id, Problems()) or ()]
        predicted = answered(sentence, self.task, [p.answer for p in found], targets)
        dumped = [predictions_file.dump(p)["probabilities"] for p in found]
        row = record.dump(predicted, self.manifest["codebook"])
        return row | {"probabilities": {self.task.name: dumped if self.task.kind == "targeted" else dumped[0]}}

    def expect_own(self) -> None:
        """Refuse to write into a run that was loaded from a hub: it is not this user's alone."""
        if self.origin:
            hint = f"copy it into a folder of your own: `stancekit pull {self.origin} runs/NAME`"
            raise fail(self.origin, "a run on a hub is not written to", hint)

    def predictions(self, part: str, texts: Mapping[str, str]) -> list[Any]:
        """Read the stored predictions of a part, checked against the manifest."""
        name = f"predictions.{part}.jsonl"
        if name not in self.manifest["files"]:
            have = [n.split(".")[1] for n in self.manifest["files"] if n.startswith("predictions.")]
            raise fail(self.path, f"there are no predictions of {part!r}", did_you_mean(part, have) or "evaluate first")
        runfolder.verify(self.path, self.manifest, name)
        return predictions_file.read(self.path / name, self.task.kind, texts)


def _refuse_foreign_code(path: Path, experiment: Experiment) -> None:
    """Refuse a run whose experiment names code outside the component table: loading a run runs none of its own."""
    task, data = experiment.task, experiment.data
    named = {"model": [experiment.model["name"]], "task": [task.name], "metric": task.metrics or []}
    named["format"] = list(data.formats.values())
    problems = Problems()
    for kind, used in named.items():
        for name in used:
            if ":" in name and name not in components.names(kind):
                hint = "load it with trust_code=True (--trust-code) if you trust it"
                problems.add(path, f"the {kind} {name!r} is code from elsewhere", hint)
    problems.raise_any()


def _mention(item: Any, sentence: Sentence) -> Any:
    span = item.get("span")
    if span is not None:
        return Span(int(span[0]), int(span[1]))
    at = sentence.text.find(str(item["target"]))
    return Span(at, at + len(str(item["target"]))) if at >= 0 and item["target"] else None


def read_input(item: str | Mapping[str, Any], number: int, where: str, problems: Problems) -> Sentence | None:
    """Turn a text or a record without an id into a sentence."""
    if isinstance(item, str):
        item = {"text": item}
    raw = {"id": str(number), "index": number} | {k: v for k, v in item.items() if k not in ("target", "span")}
    return record.Reader(where, problems, asked=True).sentence(raw)


def describe_task(task: Task) -> dict[str, Any]:
    """Return a task as JSON, enough to restore it without the data."""
    value = {"name": task.name, "kind": task.kind, "labels": task.labels, "metrics": task.metrics, "needs": task.needs}
    return value | ({"inner": [describe_task(one) for one in task.inner]} if task.inner else {})


def restore_task(value: Mapping[str, Any], *, trust_code: bool = False) -> Task:
    """Return the task that `describe_task` described."""
    labels, metrics = tuple(value["labels"]), tuple(value["metrics"])
    name = value["name"]
    if value.get("inner"):
        inner = tasks_module.over([restore_task(one, trust_code=trust_code) for one in value["inner"]])
        return replace(inner, labels=labels, metrics=metrics)
    if name in components.names("task") or ":" in name:
        found: Task = components.find("task", name, trust_code=trust_code)(Codebook("", ""))
        return replace(found, labels=labels, metrics=metrics)
    return tasks_module.own(name, value["kind"], labels, metrics, value["needs"][0])


def profile_of(path: Path, manifest: Mapping[str, Any]) -> Profile | None:
    """Return what a run has seen, checked against its manifest; None where it does not tell."""
    runfolder.verify(path, manifest, "profile.json")
    value = read_json(path / "profile.json") if (path / "profile.json").is_file() else {}
    return Profile.parse(value) if "texts" in value else None


def with_seed(name: str, settings: Mapping[str, Any], seed: int, *, trust_code: bool = True) -> dict[str, Any]:
    """Add the run's seed to a model's settings where the model has such a setting."""
    has_seed = "seed" in components.settings("model", name, trust_code=trust_code)
    return {**settings, "seed": seed} if has_seed and "seed" not in settings else dict(settings)


def load(path: str | Path, *, trust_code: bool = False) -> Run:
    """Load a finished run, ready to predict; of several seeds the first.

    `hf://user/name[@revision]` is fetched from the hub; it runs no code of its own, and its files are checked like
    any run's.
    """
    if hub.is_address(path):
        address = hub.parse(path)
        fetched = Run(hub.fetch(address), trust_code=trust_code)
        fetched.origin = str(address)
        return fetched
    folder = Path(path)
    runfolder.recover(folder)
    seeds = folder / "seeds.json"
    if seeds.exists():
        names = parse_json(read_text(seeds), seeds, 1)["runs"]
        return Run(folder / names[0], trust_code=trust_code)
    return Run(folder, trust_code=trust_code)
