"""What is seen of a framing device to tell its frame and its target."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from stancekit.models.candidates import Mention
from stancekit.models.denial import BREAKS, Range
from stancekit.models.encoder import Seen


def frame_features(seen: Seen, span: Range) -> list[str]:
    """Return features of a span's words, of those beside it, and of the whole sentence."""
    start, end = span
    words, stems = seen.columns["word"], seen.columns["stem"]
    entries = seen.columns.get("entry", [])
    found = [f"in:{x}" for x in stems[start:end]] + [f"word:{x}" for x in words[start:end]]
    found += [f"suffix:{x}" for x in seen.columns["suffix"][start:end]]
    found += [f"pair:{a} {b}" for a, b in itertools.pairwise(stems[start:end])]
    found += [f"near:{x}" for x in stems[max(0, start - 3) : start] + stems[end : end + 3]]
    found += [f"before:{x}" for x in words[max(0, start - 1) : start]] + [f"after:{x}" for x in words[end : end + 1]]
    found += [f"entry:{x[1:]}" for x in entries[start:end] if x] + [f"elsewhere:{x[1:]}" for x in entries if x]
    return found + [f"sentence:{x}" for x in sorted(set(stems))]


def target_features(
    seen: Seen, span: Range, frame: str, mentions: Iterable[Mention], known: Iterable[str]
) -> dict[str, list[str]]:
    """Return the features of every actor named, by name, and under `""` those of no target.

    They tell where the actor stands as seen from the device, so that they hold for actors never seen; an actor
    that train knows has its name too.
    """
    by_name: dict[str, list[Mention]] = {}
    for mention in mentions:
        by_name.setdefault(mention.actor, []).append(mention)
    number = f"actors{min(len(by_name), 3)}"
    none = ["none", f"none|{frame}", f"none|{number}", *(f"none|{x}" for x in seen.columns["stem"][slice(*span)])]
    found = {"": none}
    for name, places in sorted(by_name.items()):
        where = [*_where(seen, span, places), number]
        if name in known:
            where += ["known", f"name:{name}"]
        found[name] = where + [f"{frame}|{feature}" for feature in where]
    return found


def _where(seen: Seen, span: Range, mentions: Sequence[Mention]) -> list[str]:
    """Return features of an actor's place by its nearest mention: side, distance, clause, role of a speaker."""
    nearest = min(mentions, key=lambda m: (_distance(m, span), m.start))
    words = seen.columns["word"]
    side = "before" if nearest.end <= span[0] else "after" if nearest.start >= span[1] else "inside"
    low, high = min(nearest.end, span[1]), max(nearest.start, span[0])
    between = words[low:high]
    clause = "apart" if BREAKS & set(between) else "near"
    far = _distance(nearest, span)
    step = "0" if far == 0 else "2" if far <= 2 else "5" if far <= 5 else "far"
    quoted = "quote" if {"B", "E"} & set(seen.columns["quote"][low:high]) else "same"
    found = [side, f"{side}|{clause}", f"{side}|{step}", f"{side}|{clause}|{step}", f"{side}|{quoted}"]
    found += [f"{side}|{' '.join(between)}"] if len(between) <= 2 else []
    found += ["first"] if nearest.start <= 1 else []
    found += [f"next:{x}" for x in words[nearest.end : nearest.end + 1]]
    return [*found, f"speaker:{_speaks(seen.columns, nearest)}"]


def _speaks(columns: Mapping[str, Sequence[str]], mention: Mention) -> bool:
    """Say whether a cue of the lexicon stands just after a mention, or just before it."""
    cues = columns.get("verb", ())
    return any(cues[mention.end : mention.end + 4]) or any(cues[max(0, mention.start - 2) : mention.start])


def _distance(mention: Mention, span: Range) -> int:
    return max(0, mention.start - span[1], span[0] - mention.end)
