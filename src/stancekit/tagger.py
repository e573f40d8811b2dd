"""The tagger: an attribution run and a framing run joined, so that every device says whose frame it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from stancekit.errors import Problems, fail
from stancekit.files import read_json, write_json
from stancekit.profile import Profile
from stancekit.run import Run
from stancekit.run import load as load_run
from stancekit.schema import Answer, Attribution, Device, Example, Layers, Prediction, Sentence, Stance, Target
from stancekit.tagged import Tagged, TaggedArticle
from stancekit.tasks import Part, Task
from stancekit.text import actors as actors_module
from stancekit.text import antecedents
from stancekit.text.actors import Actor, Finder
from stancekit.text.segment import sentences as segment

DEFAULT = "runs/demo"


class Tagger:
    """Tags an article, or sentences, with attributions, devices, their holders, and stances.

    Actors are those given; else the targets that the records name; else names found by a rule, marked proposed.
    """

    def __init__(
        self, attribution: Run, framing: Run, stance: Run | None = None, actors: Sequence[Actor] | None = None
    ) -> None:
        _expect(attribution, "relations", "an attribution run")
        _expect(framing, "devices", "a framing run (task: devices)")
        if stance is not None:
            _expect(stance, "targeted", "a stance run")
        self.attribution, self.framing, self.stance = attribution, framing, stance
        self.actors = tuple(actors) if actors is not None else None

    @classmethod
    def load(
        cls,
        attribution: str | Path | None = None,
        framing: str | Path | None = None,
        stance: str | Path | None = None,
        actors: str | Path | None = None,
        *,
        trust_code: bool = False,
    ) -> Tagger:
        """Load the runs by their folders; those of `make demo` where none is given."""
        root, problems = Path(DEFAULT), Problems()
        runs: list[Run | None] = []
        for given, name in ((attribution, "attribution"), (framing, "framing"), (stance, "stance")):
            runs.append(None)
            if given is None and name == "stance" and not (root / name).exists():
                continue
            with problems.catching(f"the {name} run"):
                runs[-1] = load_run(given or root / name, trust_code=trust_code)
        if problems and attribution is None and framing is None:
            hint = "run `make demo` first, or name runs with --attribution and --framing"
            problems.add(root, "the default runs are not all here", hint)
        problems.raise_any()
        first, second, third = runs
        assert first is not None and second is not None
        return cls(first, second, third, actors_module.load(Path(actors)) if actors is not None else None)

    def __call__(self, article: str | Iterable[Sentence], document: str = "article") -> TaggedArticle:
        """Tag a raw text (split into sentences with offsets) or sentences (which keep their ids)."""
        given = split_article(article, document) if isinstance(article, str) else list(article)
        if not given:
            raise fail(document, "there is no sentence to tag", "give some text")
        bare = [replace(s, gold=Layers(text=s.text)) for s in given]
        examples = [Example(id=s.id, sentence=s) for s in bare]
        actors = self._actors(given)
        finder = Finder(actors)
        relations = self.attribution.predict(examples)
        devices = self.framing.predict(examples)
        layers = [self._layers(s, r.answer, d.answer, finder) for s, r, d in zip(bare, relations, devices, strict=True)]
        stances, stance_confidence = self._stances(bare, finder)
        tagged = [
            _with(sentence, layer, stances.get(sentence.id) if self.stance else None)
            for sentence, layer in zip(bare, layers, strict=True)
        ]
        confidence = {
            s.id: {
                "attributions": _rounded(r.probabilities),
                "devices": _rounded(d.probabilities),
                "stances": stance_confidence.get(s.id, []),
            }
            for s, r, d in zip(bare, relations, devices, strict=True)
        }
        return TaggedArticle(
            sentences=tuple(tagged),
            confidence=confidence,
            antecedents=_by_document(tagged),
            actors=actors,
            distance=self._distance(bare),
            codebook=self.framing.manifest["codebook"],
        )

    def _actors(self, given: Sequence[Sentence]) -> tuple[Actor, ...]:
        if self.actors is not None:
            return self.actors
        named = {s.target.name for x in given for s in x.gold.stances or ()}
        named |= {d.target for x in given for d in x.gold.devices or () if d.target}
        if named:
            return tuple(Actor(name) for name in sorted(named))
        return actors_module.propose([s.text for s in given])

    def _layers(self, sentence: Sentence, relations: Answer, devices: Answer, finder: Finder) -> Layers:
        assert isinstance(relations, tuple) and isinstance(devices, tuple)
        listed = self.actors is not None
        found = tuple(_canonical(d, sentence.text, finder, listed) for d in devices if isinstance(d, Device))
        kept = tuple(r for r in relations if isinstance(r, Attribution))
        return Layers(text=sentence.text, attributions=kept, devices=found)

    def _stances(
        self, sentences: Sequence[Sentence], finder: Finder
    ) -> tuple[dict[str, tuple[Stance, ...]], dict[str, list[float]]]:
        if self.stance is None:
            return {}, {}
        targets = {s.id: [Target(n, span) for n, span in finder.first_mentions(s.text).items()] for s in sentences}
        examples = [
            Example(id=f"{s.id}#{k}", sentence=s, target=target)
            for s in sentences
            for k, target in enumerate(targets[s.id], start=1)
        ]
        found: dict[str, list[Stance]] = {s.id: [] for s in sentences}
        sure: dict[str, list[float]] = {s.id: [] for s in sentences}
        for example, prediction in zip(examples, self.stance.predict(examples), strict=True):
            assert example.target is not None
            found[example.sentence.id].append(Stance(example.target, str(prediction.answer)))
            if isinstance(prediction.probabilities, Mapping):
                sure[example.sentence.id].append(round(float(prediction.probabilities[str(prediction.answer)]), 9))
        return {key: tuple(value) for key, value in found.items()}, sure

    @cached_property
    def _profile(self) -> Profile:
        return Profile.parse(read_json(self.framing.path / "profile.json"))

    def _distance(self, sentences: Sequence[Sentence]) -> dict[str, Any]:
        outlets = {str(s.meta["outlet"]) for s in sentences if s.meta.get("outlet")}
        share = self._profile.unknown_share([s.text for s in sentences])
        return {"unknown_words": round(share, 4), "unseen_outlets": sorted(outlets - self._profile.outlets)}


def _expect(run: Run, kind: str, what: str) -> None:
    if run.task.kind != kind:
        raise fail(run.path, f"this run's task is {run.task.name}, {what} was expected", "give another run")


def split_article(text: str, document: str) -> list[Sentence]:
    """Split a raw article; each sentence's place in it stands in `meta` as `start` and `end`."""
    return [
        Sentence(
            id=f"{document}.{index}",
            text=span.of(text),
            document=document,
            index=index,
            meta={"start": span.start, "end": span.end},
        )
        for index, span in enumerate(segment(text))
    ]


def _canonical(device: Device, text: str, finder: Finder, listed: bool) -> Device:
    """Name a device's target as the actors' list does: by its alias, or by the mention that it is part of.

    A target that a user's list does not know is none; without such a list it stays as it was found.
    """
    if device.target is None:
        return device
    at = text.find(device.target)
    found = [m.actor for m in finder.mentions(device.target)]
    found += [m.actor for m in finder.mentions(text) if at >= 0 and m.span.start <= at < m.span.end]
    name = found[0] if found else None if listed else device.target
    return replace(device, target=name)


def _with(sentence: Sentence, layers: Layers, stances: tuple[Stance, ...] | None) -> Sentence:
    gold = Layers(text=sentence.text, attributions=layers.attributions, devices=layers.devices, stances=stances)
    return replace(sentence, gold=gold)


def _rounded(values: Any) -> list[float]:
    return [round(float(v), 9) for v in values] if isinstance(values, tuple) else []


def _by_document(sentences: Sequence[Sentence]) -> dict[str, dict[int, Tagged]]:
    """Resolve pronoun and definite sources inside each document; by sentence id and relation."""
    documents: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        documents.setdefault(sentence.document, []).append(sentence)
    found: dict[str, dict[int, Tagged]] = {}
    for article in documents.values():
        for (number, relation), antecedent in antecedents.resolve([s.gold for s in article]).items():
            earlier = article[antecedent.sentence].id if antecedent else None
            found.setdefault(article[number].id, {})[relation] = Tagged(earlier, antecedent)
    return found


class Joined:
    """An attribution run and a framing run as one model of the task `holder`.

    `fit` learns nothing; it refuses runs that were trained on examples outside this experiment's train and dev.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"layers"})

    def __init__(self, attribution: str, framing: str) -> None:
        self.paths = {"attribution": attribution, "framing": framing}

    @cached_property
    def runs(self) -> dict[str, Run]:
        """The two runs, loaded on first use."""
        runs = {role: load_run(path) for role, path in self.paths.items()}
        _expect(runs["attribution"], "relations", "an attribution run")
        _expect(runs["framing"], "devices", "a framing run (task: devices)")
        return runs

    def fit(self, train: Part, dev: Part) -> None:
        """Check that both runs learnt only from sentences that stand in train or dev here."""
        own = {e.sentence.id for part in (train, dev) for e in part.examples}
        for run in self.runs.values():
            split = read_json(run.path / "split.json")
            foreign = set(split["parts"]["train"] + split["parts"].get("dev", [])) - own
            if foreign:
                what = f"it was trained on {len(foreign)} sentences that are not in train here, {min(foreign)} say"
                raise fail(run.path, what, "give both experiments the same data and split")

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return the predicted layers of every sentence."""
        relations = self.runs["attribution"].predict(examples)
        devices = self.runs["framing"].predict(examples)
        return [
            Prediction(id=e.id, answer=Layers(text=e.sentence.text, attributions=r.answer, devices=d.answer))  # type: ignore[arg-type]
            for e, r, d in zip(examples, relations, devices, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Write where the runs lie and the hashes of their models."""
        write_json(folder / "joined.json", {role: self._state(run) for role, run in self.runs.items()})

    def _state(self, run: Run) -> dict[str, Any]:
        return {name: digest for name, digest in run.manifest["files"].items() if name.startswith("model/")}

    def load(self, folder: Path, task: Task) -> None:
        """Refuse when one of the runs was trained anew since."""
        for role, state in read_json(folder / "joined.json").items():
            if self._state(self.runs[role]) != state:
                raise fail(
                    self.runs[role].path, "this run was trained anew since it was joined", "train the join again"
                )
