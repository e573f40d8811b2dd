"""Answers by rule: entries of an editable lexicon for labels and devices, cues for who says it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from stancekit.errors import did_you_mean, fail
from stancekit.files import read_json, write_json
from stancekit.models import rules as rules_module
from stancekit.models.cue_rules import attributions
from stancekit.models.matching import Match
from stancekit.models.rules import Rules
from stancekit.resources import bundled
from stancekit.schema import Answer, Device, Example, Layers, Prediction, Span
from stancekit.tasks import KINDS, Part, Task
from stancekit.text import derive
from stancekit.text.actors import Actor, Finder, Mention, propose
from stancekit.text.tokens import tokens

_NEGATION = 3
_STEM = 4
_CAPITALISED = re.compile(r"\b[^\W\d_a-z]\w*")


class Lexicon:
    """Matches a lexicon's entries; `lexicon` names a file of one's own, the bundled one is for English news.

    Devices and spans: the entries found, each with its label. Multi-label: their labels. Single: voice where
    the task's labels are the voices, else the label with most entries, `default` where there is none.
    Relations: cue, nearest noun phrase, content. Targeted: the balance of the devices nearest to the target, by
    their labels' polarity; `names` says which of the task's labels stand for favor, against and none.
    Probabilities are not given.
    """

    kinds: ClassVar[frozenset[str]] = frozenset(KINDS)

    def __init__(
        self, *, lexicon: str | None = None, default: str | None = None, names: dict[str, str] | None = None
    ) -> None:
        self.path, self.default, self.names = lexicon, default, dict(names or {})
        for key in self.names.keys() - set(rules_module.POLARITIES):
            raise fail("names", f"there is no polarity {key!r}", did_you_mean(key, rules_module.POLARITIES))

    def fit(self, train: Part, dev: Part) -> None:
        """Learn nothing but the names of targets in train: a mention of one is reported under that name."""
        path = Path(self.path) if self.path else bundled("data/lexicon.yaml")
        self._rules = rules_module.load(path)
        self._start(train.task)
        self._check(train.task, path)
        self._actors = sorted(_target_names(train))

    def _start(self, task: Task) -> None:
        self._kind, self._labels = task.kind, task.labels
        self._voices = task.kind == "single" and {"author", "direct", "indirect"} <= set(task.labels)

    def _check(self, task: Task, path: Path) -> None:
        """Refuse labels that the task does not have, and a task without an answer where no entry is found."""
        if task.kind in ("multi", "spans", "devices", "layers") or (task.kind == "single" and not self._voices):
            for label in self._rules.labels.keys() - set(task.labels):
                hint = f"{did_you_mean(label, task.labels)}; give a lexicon of your own with the task's labels"
                raise fail(path, f"the lexicon's label {label!r} is none of the task {task.name}", hint)
        needed = self._polarities().values() if task.kind == "targeted" else [self.default or task.labels[0]]
        for label in needed:
            if label not in task.labels and task.kind in ("targeted", "single"):
                setting = "names: {favor: …, against: …, none: …}" if task.kind == "targeted" else "default"
                raise fail("model", f"the task {task.name} has no label {label!r}", f"set {setting}")

    def _polarities(self) -> dict[str, str]:
        return {polarity: self.names.get(polarity, polarity) for polarity in rules_module.POLARITIES}

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example; no probabilities."""
        return [Prediction(id=e.id, answer=self._answer(e)) for e in examples]

    def _answer(self, example: Example) -> Answer:
        text = example.sentence.text
        if self._kind == "relations":
            return attributions(text, self._rules)
        if self._kind == "single":
            return self._voice(text) if self._voices else self._most(text)
        if self._kind == "targeted":
            return self._toward(example)
        if self._kind == "layers":
            return Layers(text=text, attributions=attributions(text, self._rules), devices=self._devices(text))
        if self._kind == "devices":
            return self._devices(text)
        found = self._entries(text)
        return (
            frozenset(m.value for m in found)
            if self._kind == "multi"
            else tuple(Span(m.start, m.end, m.value) for m in found)
        )

    def _voice(self, text: str) -> str:
        layers = Layers(text=text, attributions=attributions(text, self._rules), devices=self._devices(text))
        return str(derive.voice(layers))

    def _most(self, text: str) -> str:
        counts = Counter(m.value for m in self._entries(text))
        fallback = self.default or self._labels[0]
        return max(self._labels, key=lambda label: (counts[label], label == fallback))

    def _entries(self, text: str) -> list[Match]:
        cut = tokens(text)
        found = self._rules.devices.find(text, cut)
        return _merged([m for m in found if not _is_name(text, cut, m)])

    def _devices(self, text: str) -> tuple[Device, ...]:
        cut, found = tokens(text), self._entries(text)
        mentions = self._mentions(text) if found else []
        sources = [part for relation in attributions(text, self._rules) for part in relation.source] if mentions else []
        # Who speaks of an enemy is not that enemy.
        others = [m for m in mentions if not any(s.start <= m.span.start and m.span.end <= s.end for s in sources)]
        return tuple(
            Device(
                parts=(Span(m.start, m.end),),
                frame=m.value,
                target=_nearest(m, others if self._rules.labels[m.value] == "against" else mentions),
                negated=self._is_negated(text, cut, m),
            )
            for m in found
        )

    def _is_negated(self, text: str, cut: Sequence[Span], match: Match) -> bool:
        before = {t.of(text).lower() for t in cut[max(0, match.first - _NEGATION) : match.first]}
        return bool(before & self._rules.negators)

    def _mentions(self, text: str) -> list[Mention]:
        """Return the mentions of train's targets (by name, or a word of the same stem), or else every name."""
        known = Finder(map(Actor, self._actors)).mentions(text)
        known += [
            Mention(actor, Span(*word.span()))
            for word in _CAPITALISED.finditer(text)
            if (actor := next((a for a in self._actors if a != word.group() and _same_stem(a, word.group())), None))
        ]
        return known or Finder(propose([text], least=1)).mentions(text)

    def _toward(self, example: Example) -> str:
        """Return the label of the balance of the devices that are nearest to the target."""
        text, target = example.sentence.text, example.target
        name = target.name if target else ""
        mentions = [Mention(name, target.span)] if target and target.span else []
        mentions += [Mention(name if _same_stem(m.actor, name) else m.actor, m.span) for m in self._mentions(text)]
        signs = {"favor": 1, "against": -1}
        cut, balance = tokens(text), 0
        for match in self._entries(text):
            if not mentions or _nearest(match, mentions) == name:
                sign = signs.get(self._rules.labels[match.value], 0)
                balance += -sign if self._is_negated(text, cut, match) else sign
        polarity = "favor" if balance > 0 else "against" if balance < 0 else "none"
        return self._polarities()[polarity]

    def save(self, folder: Path) -> None:
        """Write `lexicon.json`: the whole lexicon, so that the model does not change with the file."""
        write_json(folder / "lexicon.json", {"rules": self._rules.value, "actors": self._actors})

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote."""
        state = read_json(folder / "lexicon.json")
        self._rules, self._actors = Rules(state["rules"]), state["actors"]
        self._start(task)


def _merged(matches: Sequence[Match]) -> list[Match]:
    """Join matches of one label that stand side by side: `heroic` and `defenders` are one device."""
    found: list[Match] = []
    for match in matches:
        if found and found[-1].last == match.first and found[-1].value == match.value:
            match = replace(found.pop(), end=match.end, last=match.last)
        found.append(match)
    return found


def _target_names(train: Part) -> set[str]:
    named = {e.target.name for e in train.examples if e.target}
    for answer in train.gold:
        devices = answer.devices if isinstance(answer, Layers) else answer if isinstance(answer, tuple) else ()
        named |= {d.target for d in devices or () if isinstance(d, Device) and d.target}
    return named


def _same_stem(one: str, other: str) -> bool:
    """Say whether two names begin alike: `Ruritania`, `Ruritanian`."""
    length = max(_STEM, min(len(one), len(other)) - 1)
    return one == other or (min(len(one), len(other)) >= _STEM and one[:length] == other[:length])


def _nearest(match: Match, mentions: Sequence[Mention]) -> str | None:
    """Return the actor mentioned nearest to a match and not in it; of two at one distance the earlier."""
    apart = [(max(m.span.start - match.end, match.start - m.span.end), m.actor) for m in mentions]
    outside = [pair for pair in apart if pair[0] >= 0]
    return min(outside, key=lambda pair: pair[0])[1] if outside else None


def _is_name(text: str, cut: Sequence[Span], match: Match) -> bool:
    """Say whether a match is capitalised within the sentence: part of a name, such as Martyrs' Square."""
    words = [t.of(text) for t in cut[match.first : match.last]]
    opens = match.first == 0 or not cut[match.first - 1].of(text)[-1].isalnum()
    beside = cut[match.last].of(text) if match.last < len(cut) else ""
    capital = all(w[:1].isupper() for w in words)
    return capital and (not opens or beside[:1].isupper())
