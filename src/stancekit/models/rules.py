"""The rules of the lexicon model: a YAML file of cues, source words and entries by label, checked on reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stancekit import yamlfile
from stancekit.errors import Problems, did_you_mean
from stancekit.models.matching import Matcher, pattern

_KEYS = ("name", "version", "forms", "negators", "cues", "sources", "labels")
POLARITIES = ("favor", "against", "none")


@dataclass(frozen=True)
class Rules:
    """A lexicon as plain data (what is saved with a model) and the matchers made of it."""

    value: Mapping[str, Any]

    @property
    def negators(self) -> frozenset[str]:
        """Words that deny what follows."""
        return frozenset(map(str.lower, self.value.get("negators", ())))

    @property
    def labels(self) -> dict[str, str]:
        """The labels that the lexicon has entries for, each with its polarity toward the actor framed."""
        return {label: body.get("polarity", "none") for label, body in self.value.get("labels", {}).items()}

    @cached_property
    def devices(self) -> Matcher:
        """Finds entries by label."""
        labels = self.value.get("labels", {})
        return self._matcher({label: body["entries"] for label, body in labels.items()})

    @cached_property
    def verbs(self) -> Matcher:
        """Finds cue verbs; the value is the cue stance."""
        return self._matcher({stance: body.get("verbs", ()) for stance, body in self.value.get("cues", {}).items()})

    @cached_property
    def cue_lemmas(self) -> frozenset[str]:
        """Cue verbs in their bare form."""
        return frozenset(verb for body in self.value.get("cues", {}).values() for verb in body.get("verbs", ()))

    @cached_property
    def phrases(self) -> Matcher:
        """Finds cues of several words; the value is the cue stance."""
        return self._matcher({stance: body.get("phrases", ()) for stance, body in self.value.get("cues", {}).items()})

    @cached_property
    def sources(self) -> Matcher:
        """Finds words that tell a source's type."""
        return self._matcher(self.value.get("sources", {}))

    def _matcher(self, entries: Mapping[str, Any]) -> Matcher:
        pairs = [(entry, value) for value, listed in entries.items() for entry in listed]
        return Matcher(pairs, self.value.get("forms", {}))


def load(path: Path) -> Rules:
    """Read a lexicon from YAML, reporting every mistake with its line."""
    document = yamlfile.load(path)
    problems = Problems()
    _Check(document, problems).run()
    problems.raise_any()
    return Rules(document.value)


class _Check:
    """Notes what is wrong in a lexicon."""

    def __init__(self, document: yamlfile.Document, problems: Problems) -> None:
        self.document, self.problems = document, problems

    def run(self) -> None:
        value = self.document.value
        if not isinstance(value, dict):
            return self._note((), "a lexicon is a mapping of keys", f"it has {', '.join(_KEYS)}")
        for key in value.keys() - set(_KEYS):
            self._note((key,), f"unknown key {key!r}", did_you_mean(str(key), _KEYS))
        self._texts(("negators",), value.get("negators", []))
        for section in ("forms", "sources"):
            for name, listed in self._mapping((section,), value.get(section, {})).items():
                self._texts((section, name), listed)
        for name, body in self._mapping(("cues",), value.get("cues", {})).items():
            self._fields(("cues", name), body, ("verbs", "phrases"))
            for key, listed in self._mapping(("cues", name), body).items():
                self._texts(("cues", name, key), listed)
        for name, body in self._mapping(("labels",), value.get("labels", {})).items():
            self._label(("labels", name), body)

    def _label(self, keys: yamlfile.Keys, body: Any) -> None:
        self._fields(keys, body, ("polarity", "entries"))
        body = self._mapping(keys, body)
        if body.get("polarity", "none") not in POLARITIES:
            self._note((*keys, "polarity"), f"unknown polarity {body['polarity']!r}", did_you_mean("", POLARITIES))
        self._texts((*keys, "entries"), body.get("entries"))

    def _fields(self, keys: yamlfile.Keys, body: Any, known: tuple[str, ...]) -> None:
        for key in body.keys() - set(known) if isinstance(body, dict) else ():
            self._note((*keys, key), f"unknown key {key!r}", did_you_mean(str(key), known))

    def _mapping(self, keys: yamlfile.Keys, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._note(keys, "a mapping was expected", "write `key: …`")
        return {}

    def _texts(self, keys: yamlfile.Keys, value: Any) -> None:
        if not isinstance(value, list):
            return self._note(keys, "a list of texts was expected", "write [one, two]")
        for number, entry in enumerate(value):
            if not isinstance(entry, str) or not entry.strip(" _"):
                self._note(
                    (*keys, number), f"{entry!r} is no text to find", "write words, in quotation marks if need be"
                )
            elif entry.startswith("/") and entry.endswith("/") and len(entry) > 2:
                with self.problems.catching(self.document.where((*keys, number))):
                    pattern(entry)
            elif entry.split()[0] == "_":
                self._note((*keys, number), f"{entry!r} begins with a gap", "begin with a word")

    def _note(self, keys: yamlfile.Keys, what: str, hint: str) -> None:
        self.problems.add(self.document.where(keys), what, hint)
