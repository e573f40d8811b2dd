"""Whether a sentence denies a framing device: told by the few words before it, for every model alike.

One device in fifty is denied, too few for a head of an encoder to learn it from; a negator stands in plain sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stancekit.models import scorer
from stancekit.models.encoder import Seen
from stancekit.models.scorer import Scorer

Range = tuple[int, int]
"""First token and last token + 1."""

BREAKS = frozenset({",", ";", ":", "—", "–", "--", "but"})
"""What ends a clause."""
_NEGATORS = frozenset("no not n't n’t never none nobody nothing neither nor without hardly denied denies".split())
_APART = BREAKS | {"."}
"""The stop in "No. 2" and "Mr. Holt": what stands before it denies nothing."""
_FAR = 8
_YES, _NO = "yes", "no"
_DENIED = 0.15
"""A device so probably denied is: with so few, F1 is best far below one half (conflicts left out in turn)."""


class Denial:
    """Learns from train which words before a device deny it; of a sentence it sees the column `word`."""

    def __init__(self) -> None:
        self.scorer = Scorer()

    def learn(self, devices: Iterable[tuple[Seen, Range, bool]]) -> None:
        """Learn from devices: their sentence, their tokens, and whether they are denied."""
        pairs = [(features(seen, span), _YES if negated else _NO) for seen, span, negated in devices]
        if pairs:
            self.scorer = scorer.train([row for row, _ in pairs], [label for _, label in pairs])

    def is_denied(self, seen: Seen, span: Range) -> bool:
        """Say whether the sentence denies the device at these tokens."""
        return bool(self.scorer.probability([features(seen, span)], _YES)[0] >= _DENIED)

    def dump(self) -> dict[str, Any]:
        """Return all that was learnt as JSON."""
        return self.scorer.dump() | {name: values.tolist() for name, values in self.scorer.arrays().items()}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.scorer = Scorer.restore(plain, {name: np.array(plain[name]) for name in ("weights", "intercept")})


def features(seen: Seen, span: Range) -> list[str]:
    """Return features of the words before a device in its clause, negators above all."""
    words = seen.columns["word"]
    start = span[0]
    while start > 0 and words[start - 1] not in _APART and span[0] - start < _FAR:
        start -= 1
    before = words[start : span[0]]
    found = [f"word:{x}" for x in before[-3:]] + [f"inside:{x}" for x in words[slice(*span)] if x in _NEGATORS]
    hits = [x for x in before if x in _NEGATORS]
    return [*found, "negator", f"negator:{hits[-1]}", f"gap:{len(before) - before.index(hits[-1])}"] if hits else found
