"""How well denial of a device is told by the words before it: annotated devices, a conflict of train left out in turn.

Run from the repository root:
    python benchmarks/denial.py

The held-out conflict (okessa) is neither learnt from nor asked about; everyday news is learnt from alone.
"""

from __future__ import annotations

from stancekit.data.load import load
from stancekit.models.denial import Denial
from stancekit.models.device_attributes import token_hull
from stancekit.models.encoder import Seen
from stancekit.text.tokens import tokens

HELD_OUT = "okessa"
Item = tuple[Seen, tuple[int, int], bool]


def devices(name: str) -> dict[str, list[Item]]:
    """Return the devices of a bundled data set by conflict ("" for none): sentence, tokens, whether it is denied."""
    found: dict[str, list[Item]] = {}
    for sentence in load(name).sentences:
        toks = tokens(sentence.text)
        seen = Seen(sentence.text, toks, {"word": [t.of(sentence.text).lower() for t in toks]})
        own = found.setdefault(str(sentence.meta.get("conflict", "")), [])
        hulls = [(token_hull(seen, device), device.negated) for device in sentence.gold.devices or ()]
        own += [(seen, hull, negated) for hull, negated in hulls if hull is not None]
    return found


def main() -> None:
    """Print right, wrong and missed denials of each conflict, and F1 over all."""
    conflicts, everyday = devices("dispatches"), devices("newsdesk")[""]
    conflicts.pop(HELD_OUT)
    right = wrong = missed = 0
    for left_out, asked in conflicts.items():
        model = Denial()
        model.learn([*everyday, *(item for name, own in conflicts.items() if name != left_out for item in own)])
        pairs = [(model.is_denied(seen, span), negated) for seen, span, negated in asked]
        one = [pairs.count(pair) for pair in ((True, True), (True, False), (False, True))]
        print(f"{left_out}: {len(asked)} devices, {one[0]} right, {one[1]} wrong, {one[2]} missed")
        right, wrong, missed = right + one[0], wrong + one[1], missed + one[2]
    print(f"F1 {200 * right / (2 * right + wrong + missed):.0f}: {right} right, {wrong} wrong, {missed} missed")


if __name__ == "__main__":
    main()
