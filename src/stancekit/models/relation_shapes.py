"""Which parts a relation may have: those that train's relations have, or a quotation that fills its sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from stancekit.models.relation_links import Link
from stancekit.schema import Attribution, Span
from stancekit.tasks import ROLES
from stancekit.text.quotes import is_quotation

_LEAST = 0.01
_ALONE = "content"


def shape(relation: Attribution | Link) -> str:
    """Return the names of the roles that a relation has."""
    return " ".join(role for role in ROLES if getattr(relation, role))


def usual(relations: Iterable[Attribution]) -> tuple[str, ...]:
    """Return the shapes of train's relations, but for those of less than one in a hundred."""
    counts = Counter(map(shape, relations))
    return tuple(sorted(name for name, times in counts.items() if times >= _LEAST * counts.total()))


def shaped(links: Iterable[Link], shapes: Sequence[str] | None, text: str, toks: Sequence[Span]) -> list[Link]:
    """Return the relations of these shapes (None: of any).

    Of a content alone, which neither source nor cue vouches for, the whole sentence is taken where it is one quotation
    (one that goes on from the sentence before, say); elsewhere it was the outlet's own voice.
    """
    found: list[Link] = []
    for link in links:
        if shapes is None or shape(link) in shapes:
            found.append(link)
        elif shape(link) == _ALONE and is_quotation(text) and not any(shape(one) == _ALONE for one in found):
            found.append(replace(link, content=[(0, len(toks))]))
    return found
