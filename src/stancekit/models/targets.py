"""How a model that reads words sees the target of an example: masked, marked, by its window and its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from stancekit.errors import Problems, did_you_mean
from stancekit.schema import Example

MARK = "_target_"
_UNIT = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class TargetSettings:
    """Settings of the target's view.

    `mask` takes the mention out of the text, `mark` puts `_target_` in its place (or before it, unmasked).
    `window` words and punctuation marks to either side become features that know their side. `name` adds
    the words of the mention (a prior of who it is), `pair` the weight of features paired with the target's
    name, for every target with at least 20 examples in train (`stancekit.models.pairs`; 0 is none).
    """

    mask: bool = True
    mark: bool = True
    window: int = 5
    name: bool = True
    pair: float = 0.0

    @classmethod
    def parse(cls, values: Mapping[str, Any] | None, problems: Problems) -> TargetSettings:
        """Read the settings, noting unknown names and wrong types."""
        values = dict(values or {})
        known = {f.name: getattr(cls, f.name) for f in fields(cls)}
        for name in [*values]:
            if name not in known:
                problems.add("target", f"there is no setting {name!r}", did_you_mean(name, known))
                del values[name]
            elif not _fits(values[name], known[name]):
                problems.add("target", f"{name} is {values[name]!r}", f"{type(known[name]).__name__} is expected")
                del values[name]
        return cls(**values)

    def text(self, example: Example) -> str:
        """Return the sentence with its target masked and marked, where the target has a span."""
        text, target = example.sentence.text, example.target
        if target is None or target.span is None or not (self.mask or self.mark):
            return text
        mention = [MARK] if self.mark else []
        if not self.mask:
            mention.append(target.span.of(text))
        return f"{text[: target.span.start]} {' '.join(mention)} {text[target.span.end :]}"

    def around(self, example: Example) -> str:
        """Return the words around the mention, each with its side: `<accused <of | >said`."""
        text, target = example.sentence.text, example.target
        if target is None or target.span is None:
            return ""
        left = _UNIT.findall(text[: target.span.start])[-self.window :]
        right = _UNIT.findall(text[target.span.end :])[: self.window]
        return " ".join([*(f"<{word}" for word in left), "|", *(f">{word}" for word in right)])

    def named(self, example: Example) -> str:
        """Return the name of the target."""
        return example.target.name if example.target else ""


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    wanted = int if isinstance(default, int) else (int, float)
    return isinstance(value, wanted) and not isinstance(value, bool) and value >= 0
