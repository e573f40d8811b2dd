"""The tagger: an attribution run and a framing run joined, so that every device says whose frame it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stancekit.asking import LAYERS, Asked, ask
from stancekit.errors import Problems, fail
from stancekit.runs import choose
from stancekit.runs.choose import ROLES
from stancekit.runs.run import Run
from stancekit.schema import Device, Layers, Sentence, Target
from stancekit.tagged import Tagged, TaggedArticle
from stancekit.text import actors as actors_module
from stancekit.text import antecedents, speech
from stancekit.text.actors import Actor, Finder
from stancekit.text.antecedents import Antecedent
from stancekit.text.article import placed, split
from stancekit.text.blanks import even

DEFAULT = "runs/demo"


class Tagger:
    """Tags an article, or sentences, with attributions, devices, their holders, stances, and sentiments.

    A run of the task `layers` may play several roles, and then predicts once; label sets of a user's own that it
    learnt are answered, too. Actors are those given; else the targets that the records name; else names found by a
    rule, marked proposed. `told` says in lines which run answers what, and why.
    """

    def __init__(
        self,
        attribution: Run,
        framing: Run,
        stance: Run | None = None,
        actors: Sequence[Actor] | None = None,
        sentiment: Run | None = None,
    ) -> None:
        given = {"attribution": attribution, "framing": framing, "stance": stance, "sentiment": sentiment}
        self.runs = {name: run for name, run in given.items() if run is not None}
        problems = Problems()
        for name, run in self.runs.items():
            with problems.catching():
                choose.expect(run, ROLES[name])
        problems.raise_any()
        self.actors = tuple(actors) if actors is not None else None
        self.described = {name: choose.describe(run, ROLES[name]) for name, run in self.runs.items()}
        self.told = [f"{name}: {choose.tell(one)}" for name, one in self.described.items()]

    @classmethod
    def load(
        cls,
        attribution: str | Path | None = None,
        framing: str | Path | None = None,
        stance: str | Path | None = None,
        actors: str | Path | None = None,
        *,
        sentiment: str | Path | None = None,
        runs: str | Path = DEFAULT,
        trust_code: bool = False,
    ) -> Tagger:
        """Load the runs by their folders; where none is given, the one below `runs` with the highest score on dev.

        Scores compare on the same task, labels, codebook, data, dev part and metric only; the folder of the role's
        name (`attribution`, `framing`, `stance`, `sentiment`) says which these are. No run need tell stances or
        sentiments; a sentiment is an answer of the label set of its task's name.
        """
        given = {"attribution": attribution, "framing": framing, "stance": stance, "sentiment": sentiment}
        chosen, told = choose.pick(Path(runs), given, trust_code=trust_code)
        tagger = cls(**chosen, actors=actors_module.load(Path(actors)) if actors is not None else None)
        tagger.told = told
        return tagger

    def __call__(self, article: str | Iterable[Sentence], document: str = "article") -> TaggedArticle:
        """Tag a raw text (split into sentences with offsets) or sentences (which keep their ids)."""
        given = split(article, document) if isinstance(article, str) else _sentences(article, document)
        if not given:
            raise fail(document, "there is no sentence to tag", "give some text")
        bare = [replace(s, gold=Layers(text=s.text)) for s in given]
        actors = self._actors(given)
        finder = Finder(actors)
        targets = {s.id: [Target(n, span) for n, span in finder.first_mentions(s.text).items()] for s in bare}
        found = ask(self.runs, bare, targets)
        tagged = [replace(s, gold=self._layers(s.text, found, at, finder)) for at, s in enumerate(bare)]
        tagged = [replace(s, gold=speech.spoken(placed(s))) for s in tagged]
        return TaggedArticle(
            sentences=tuple(tagged),
            confidence={s.id: _sure(found, at, s.gold) for at, s in enumerate(tagged)},
            antecedents=_by_document(tagged),
            actors=actors,
            distance=self._distance(bare),
            codebook=self.runs["framing"].manifest["codebook"],
            runs=self.described,
        )

    def _actors(self, given: Sequence[Sentence]) -> tuple[Actor, ...]:
        if self.actors is not None:
            return self.actors
        named = {s.target.name for x in given for s in x.gold.stances or ()}
        named |= {d.target for x in given for d in x.gold.devices or () if d.target}
        if named:
            return tuple(Actor(name) for name in sorted(named))
        return actors_module.propose([s.text for s in given])

    def _layers(self, text: str, found: Asked, at: int, finder: Finder) -> Layers:
        items = {role: own[at].answer for role, own in found.roles.items()}
        own = {name: told[at].answer for name, told in found.own.items() if told[at].answer is not None}
        devices = tuple(_canonical(d, text, finder, self.actors is not None) for d in items["framing"])
        layers = {"attributions": items["attribution"], "devices": devices, "stances": items.get("stance")}
        return Layers(text=text, **layers, labels=own)

    def _distance(self, sentences: Sequence[Sentence]) -> dict[str, Any]:
        outlets = {str(s.meta["outlet"]) for s in sentences if s.meta.get("outlet")}
        profile = self.runs["framing"].profile
        share = profile.unknown_share([s.text for s in sentences])
        return {"unknown_words": round(share, 4), "unseen_outlets": sorted(outlets - profile.outlets)}


def _sentences(given: Any, document: str) -> list[Sentence]:
    """Return sentences as they are given, alone or in a row; what is none is refused."""
    items = list(given) if isinstance(given, Iterable) else [given]
    problems = Problems()
    for number, item in enumerate(items):
        if not isinstance(item, Sentence):
            hint = "give a whole text, or Sentences; `stancekit.tag` takes a file"
            problems.add(f"{document} {number}", f"{type(item).__name__} is no Sentence", hint)
    problems.raise_any()
    return items


def _sure(found: Asked, at: int, gold: Layers) -> dict[str, list[float]]:
    """Return the confidences of a sentence by layer; a layer that no run answers has none.

    A relation that the quotation marks tell has 1.
    """
    layers = {name: list(found.roles[role][at].sure) if role in found.roles else [] for role, name in LAYERS.items()}
    more = len(gold.attributions or ()) - len(layers["attributions"])
    layers["attributions"] += [1.0] * more
    return layers | {f"labels.{name}": own[at].sure for name, own in found.own.items()}


def _canonical(device: Device, text: str, finder: Finder, listed: bool) -> Device:
    """Name a device's target as the actors' list does: by its alias, or by the mention that it is part of.

    A target that a user's list does not know is none; without such a list it stays as it was found.
    """
    if device.target is None:
        return device
    at = even(text).find(device.target)
    found = [m.actor for m in finder.mentions(device.target)]
    found += [m.actor for m in finder.mentions(text) if at >= 0 and m.span.start <= at < m.span.end]
    name = found[0] if found else None if listed else device.target
    return replace(device, target=name)


def _by_document(sentences: Sequence[Sentence]) -> dict[str, dict[int, Tagged]]:
    """Resolve pronoun, definite and missing sources inside each document; by sentence id and relation."""
    documents: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        documents.setdefault(sentence.document, []).append(sentence)
    found: dict[str, dict[int, Tagged]] = {}
    for article in documents.values():
        for (number, relation), antecedent in _whom(article).items():
            earlier = article[antecedent.sentence].id if antecedent else None
            found.setdefault(article[number].id, {})[relation] = Tagged(earlier, antecedent)
    return found


def _whom(article: Sequence[Sentence]) -> dict[tuple[int, int], Antecedent | None]:
    """Return whom sources stand for, and who speaks in quotations over several sentences."""
    found = antecedents.resolve([s.gold for s in article])
    for key, speaker in speech.speakers([placed(s) for s in article]).items():
        if speaker is None:
            found[key] = None
            continue
        relations = article[speaker.sentence].gold.attributions or ()
        named = [found.get((speaker.sentence, k)) for k, r in enumerate(relations) if r.source == speaker.source]
        found[key] = next(filter(None, named), speaker)
    return found
