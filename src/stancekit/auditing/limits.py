"""Limits on what an audit finds: a figure above its limit makes the audit fail, so that it can stand in CI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stancekit.errors import Problems, did_you_mean

KINDS = {
    "duplicates": "the share of sentences with a copy on another side (without a split, in another document)",
    "sides": "the share of a side's sentences whose group also stands on an earlier side",
    "shortcut": "macro-F1 of a baseline that does not see the text whole",
    "gap": "macro-F1 in random folds minus that in folds by group",
    "noise": "the share of labels that are doubted",
}


@dataclass(frozen=True)
class Figure:
    """A figure that can be limited, such as `gap.bias.outlet`: its kind, its task if it has one, its name.

    A limit holds for it under its title, without the task, or cut short (`gap`, `sides.document`); a figure that
    is not `bare` only where its name is given.
    """

    kind: str
    name: str
    value: float
    task: str = ""
    bare: bool = True

    @property
    def title(self) -> str:
        """The full name."""
        return ".".join(filter(None, (self.kind, self.task, self.name)))

    def is_meant(self, limit: str) -> bool:
        """Say whether a limit of this name holds for the figure."""
        names = (self.title, ".".join(filter(None, (self.kind, self.name))))
        return limit in names or (self.bare and any(name.startswith(f"{limit}.") for name in names))


@dataclass(frozen=True)
class Exceeded:
    """A figure above its limit."""

    figure: str
    value: float
    limit: float


def parse(items: Iterable[str]) -> dict[str, float]:
    """Read limits as `gap=0.05` or `gap.outlet=0.05`."""
    problems = Problems()
    found = {}
    for item in items:
        name, _, number = item.partition("=")
        kind = name.partition(".")[0]
        if kind not in KINDS:
            problems.add(f"limit {item!r}", f"there is no figure {kind!r}", did_you_mean(kind, KINDS))
            continue
        try:
            found[name] = float(number)
        except ValueError:
            problems.add(f"limit {item!r}", "it has no number", f"write for example {name}=0.05")
    problems.raise_any()
    return found


def exceeded(limits: Mapping[str, float], figures: Iterable[Figure]) -> list[Exceeded]:
    """Return the figures above a limit; a limit that holds for no figure is an error, lest it pass unseen."""
    figures, problems, found = list(figures), Problems(), []
    for name, limit in limits.items():
        meant = [figure for figure in figures if figure.is_meant(name)]
        if not meant:
            hint = did_you_mean(name, {figure.title for figure in figures})
            problems.add(f"limit {name}", "the audit has no such figure", hint)
        found += [Exceeded(figure.title, figure.value, limit) for figure in meant if figure.value > limit]
    problems.raise_any()
    return found
