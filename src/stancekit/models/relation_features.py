"""How a sentence looks from one of its cues: what the chain sees that reads source and content for that cue."""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.models.crf_features import Columns, Template, at_offsets

Range = tuple[int, int]

_STEPS = ((4, ""), (6, "5"), (11, "10"), (21, "20"))


def cue_columns(columns: Columns, cue: Range, cues: Sequence[Range], flat: Sequence[str]) -> Columns:
    """Return the columns of a sentence with those that tell where each token stands as seen from a cue.

    `cues` are all cues of the sentence, `flat` the tags that the finder gave it; ranges are of tokens.
    """
    start, end = cue
    length = len(flat)
    sides = ["L"] * start + ["C"] * (end - start) + ["R"] * (length - end)
    far = [start - at if at < start else max(0, at - end) for at in range(length)]
    words, stems, grains = columns["word"], columns["stem"], columns.get("cluster0", columns["shape"])
    head = stems[start] if end - start > 2 else stems[end - 1]
    following, preceding = _at(words, end) + _at(grains, end), _at(words, start - 1) + _at(grains, start - 1)
    found = dict(columns)
    found["side"] = sides
    found["distance"] = [side + _step(n) for side, n in zip(sides, far, strict=True)]
    found["between"] = _cues_between(sides, cue, cues)
    found["cue"] = [f"{side}{'_'.join(stems[start:end])}" for side in sides]
    found["head"] = [side + head for side in sides]
    found["following"] = [side + following for side in sides]
    found["preceding"] = [side + preceding for side in sides]
    found["flat"] = [_own(tag, start <= at < end) for at, tag in enumerate(flat)]
    return found


def _at(column: Sequence[str], at: int) -> str:
    return column[at] if 0 <= at < len(column) else ""


def _step(distance: int) -> str:
    return next((name or str(distance) for limit, name in _STEPS if distance < limit), "far")


def _own(tag: str, inside: bool) -> str:
    """Tell the cue in question from the other cues among the finder's tags."""
    return tag if inside or not tag.endswith("cue") else "other"


def _cues_between(sides: Sequence[str], cue: Range, cues: Sequence[Range]) -> list[str]:
    """Return side and number (up to 2) of other cues between each token and the cue."""
    found = []
    for at, side in enumerate(sides):
        left = sum(at < a and b <= cue[0] for a, b in cues)
        right = sum(a >= cue[1] and b <= at for a, b in cues)
        found.append(f"{side}{min(left + right, 2)}")
    return found


def cue_templates(base: Sequence[Template], *, grains: int) -> list[Template]:
    """Return the templates of a sentence with those of the cue's columns."""
    single = "side distance between cue head following preceding".split()
    with_side = [("word", -1), ("word", 0), ("word", 1), ("quote", 0), ("clause", 0), ("capitals", 0), ("sentence", 0)]
    if grains:
        with_side += [(f"cluster{grains - 1}", offset) for offset in (-1, 0, 1)]
    found = [*base, *(((name, 0),) for name in single)]
    found += [(("side", 0), place) for place in with_side]
    found += [(("cue", 0), ("distance", 0)), (("between", 0), ("quote", 0))]
    found += at_offsets("flat", (-1,), (0,), (1,), (-1, 0), (0, 1))
    return found + [(("flat", 0), (name, 0)) for name in ("side", "between", "distance", "cue")]
