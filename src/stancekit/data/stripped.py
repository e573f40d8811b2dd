"""A sentence without its text, as JSON: id, offsets, hashes and labels; and back on a copy of the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stancekit.data import record
from stancekit.schema import Sentence
from stancekit.text.fingerprint import carried, fingerprint
from stancekit.text.normal import counts

_DERIVED = ("text", "voice", "frames", "codebook")
_LISTS_OF_PAIRS = ("source", "cue", "content", "spans")
LAYERS = ("attributions", "devices", "stances", "labels")

Move = Callable[[int, int], tuple[int, int]]


def strip(sentence: Sentence, keep: Callable[[str, Any], bool]) -> dict[str, Any]:
    """Return a sentence as a record without text, and with the metadata that `keep` keeps.

    A target that is only the words of its span is left to be read from the text. `offsets` maps every offset
    used to the letters before it, so that spans can be laid on a copy with other white space.
    """
    text = sentence.text
    row = {key: value for key, value in record.dump(sentence).items() if key not in _DERIVED}
    row["meta"] = {key: value for key, value in row["meta"].items() if keep(key, value)}
    used: set[int] = set()
    before = counts(text)

    def note(start: int, end: int) -> tuple[int, int]:
        used.update((start, end))
        return start, end

    for key in LAYERS:
        if key in row:
            row[key] = _without_mentions(moved(row[key], note), text)
    return row | fingerprint(text) | {"offsets": [[offset, before[offset]] for offset in sorted(used)]}


def restore(row: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the native record of a stripped sentence on a text with the same letters."""
    known = dict(row["offsets"])
    starts, ends = carried(known, text)
    same = fingerprint(text)["hash"] == row["hash"]

    def move(start: int, end: int) -> tuple[int, int]:
        if same:
            return start, end
        if starts[start] >= ends[end]:
            raise ValueError("a span of white space alone has no place in a copy")
        return starts[start], ends[end]

    own = {key: row[key] for key in ("id", "document", "index", "meta", "votes") if key in row}
    return own | {"text": text} | {k: _with_mentions(moved(row[k], move), text) for k in LAYERS if k in row}


def moved(value: Any, move: Move) -> Any:
    """Return an annotation as JSON with every span put through `move`; holders, being derived, are left out."""
    if isinstance(value, list):
        return [moved(item, move) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key in _LISTS_OF_PAIRS:
            found[key] = [list(move(*pair)) for pair in item]
        elif key == "span" and item is not None:
            found[key] = list(move(*item))
        elif key != "holder":
            found[key] = moved(item, move)
    if isinstance(value.get("start"), int):
        found["start"], found["end"] = move(value["start"], value["end"])
    return found


def _without_mentions(value: Any, text: str) -> Any:
    return _mapped(value, lambda item: text[slice(*item["span"])] == item["target"], lambda item: None)


def _with_mentions(value: Any, text: str) -> Any:
    return _mapped(value, lambda item: item["target"] is None, lambda item: text[slice(*item["span"])])


def _mapped(value: Any, where: Callable[[Any], bool], target: Callable[[Any], Any]) -> Any:
    """Return stances (records with target and span) with the targets named anew where a condition holds."""
    if isinstance(value, list):
        return [_mapped(item, where, target) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("span") and "target" in value:
        return value | {"target": target(value)} if where(value) else value
    return {key: _mapped(item, where, target) for key, item in value.items()}
