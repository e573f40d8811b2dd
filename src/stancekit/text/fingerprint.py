"""Fingerprints of a text: enough to recognise it and to say where another one departs, too little to rebuild it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stancekit.files import sha256
from stancekit.text.normal import letters, places

BLOCK = 32
"""Letters a check covers: 8 bits for some 40 bits of English (Shannon 1951 has about 1.3 bits a letter)."""
_SHOWN = 12


def fingerprint(text: str) -> dict[str, Any]:
    """Return `hash` (of the text), `letters` (their number), `letters_hash` and `checks` (two digits a block)."""
    bare = letters(text)
    checks = (sha256(bare[:end].encode())[:2] for end in range(BLOCK, len(bare) + 1, BLOCK))
    return {
        "hash": sha256(text.encode())[:16],
        "letters": len(bare),
        "letters_hash": letters_hash(text),
        "checks": "".join(checks),
    }


def letters_hash(text: str) -> str:
    """Return the hash of a text's letters: equal for copies that differ in white space and quotation marks only."""
    return sha256(letters(text).encode())[:16]


def difference(known: Mapping[str, Any], text: str) -> str:
    """Say where a text departs from a fingerprint, showing a few characters of it."""
    own = fingerprint(text)
    pairs = [(known["checks"][k : k + 2], own["checks"][k : k + 2]) for k in range(0, len(known["checks"]), 2)]
    blocks = next((k for k, (a, b) in enumerate(pairs) if a != b), len(pairs))
    sizes = f"{own['letters']} letters here, {known['letters']} released"
    starts = places(text)
    if blocks * BLOCK >= len(starts):
        return f"it ends early ({sizes})"
    at = starts[blocks * BLOCK]
    return f"it departs within {BLOCK} letters of character {at}, {text[at : at + _SHOWN]!r}… ({sizes})"


def carried(pairs: Mapping[int, int], copy: str) -> tuple[dict[int, int], dict[int, int]]:
    """Return where starts and ends at known offsets lie in a copy with the same letters.

    `pairs` maps offsets of the original to the number of letters before them; a start goes to the letter that
    follows, an end behind the letter that precedes it.
    """
    at = places(copy)
    starts = {offset: at[before] for offset, before in pairs.items() if before < len(at)}
    ends = {offset: at[before - 1] + 1 for offset, before in pairs.items() if 0 < before <= len(at)}
    return starts, ends
