"""Targets against the actors that `actors.yaml` beside a data file lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from stancekit.data.dataset import Dataset
from stancekit.errors import Problems, did_you_mean
from stancekit.schema import Sentence
from stancekit.text import actors
from stancekit.text.actors import Finder

FILE = "actors.yaml"


def check_targets(dataset: Dataset, problems: Problems, warnings: Problems) -> None:
    """Note targets that are no actors (names of another one, misspelt), and stances toward an actor not named."""

    @cache
    def listed(folder: Path) -> Finder | None:
        found = []
        with problems.catching(folder / FILE):
            found = [Finder(actors.load(folder / FILE))] if (folder / FILE).is_file() else []
        return next(iter(found), None)

    for sentence in dataset:
        where = dataset.where(sentence.id)
        finder = listed(Path(where.rpartition(":")[0]).parent)
        if finder is None:
            continue
        known = set(finder.names.values())
        for name in dict.fromkeys(_targets(sentence)):
            if name not in known:
                problems.add(where, f"the target {name!r} is no actor of {FILE}", did_you_mean(name, known))
        named = {mention.actor for mention in finder.mentions(sentence.text)}
        for stance in sentence.gold.stances or ():
            if stance.target.name in known - named and stance.target.span is None:
                what = f"a stance toward {stance.target.name!r}, whom the sentence does not name"
                warnings.add(where, what, f"give the mention's offsets, an alias in {FILE}, or remove the stance")


def _targets(sentence: Sentence) -> Iterator[str]:
    yield from (device.target for device in sentence.gold.devices or () if device.target is not None)
    yield from (stance.target.name for stance in sentence.gold.stances or ())
