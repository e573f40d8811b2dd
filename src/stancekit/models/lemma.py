"""Forms of an English word by spelling rules: what matching by lemma needs, without a model.

It gives too many forms rather than too few (a verb's -ed for a noun, too): forms that are no words match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_VOWELS = "aeiou"
_FIXED = frozenset(
    "the and but for with from that this these those into onto upon over under out off its our his her their them who "
    "whom which not never without nor are was were been being all any both each one two own such than then as by of "
    "to in on at it".split()
)


def forms(word: str, irregular: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the forms of a word in lower case: -s, -ed, -ing, those listed, and American spellings of all."""
    word = word.lower()
    found = {word, *irregular.get(word, ())}
    if len(word) > 2 and word.replace("-", "").isalpha() and word not in _FIXED:
        found |= _regular(word)
    return frozenset(found | {_american(form) for form in found})


def _regular(word: str) -> set[str]:
    found = {word + "s"}
    consonant_y = word.endswith("y") and word[-2] not in _VOWELS
    if consonant_y:
        found |= {word[:-1] + "ies", word[:-1] + "ied", word + "ing"}
    elif word.endswith("e"):
        stem = word[:-2] + "y" if word.endswith("ie") else word[:-1]
        found |= {word + "d", stem + "ing"}
    else:
        found |= {word + "ed", word + "ing"}
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        found.add(word + "es")
    if re.search(rf"[^{_VOWELS}][{_VOWELS}][^{_VOWELS}wxy]$", word):
        found |= {word + word[-1] + "ed", word + word[-1] + "ing"}
    return found


def _american(form: str) -> str:
    form = re.sub(r"is(e[sdr]?|ing|ations?)$", r"iz\1", form)
    return re.sub(r"(?<=[nblv])our(?=$|[sei]|able)", "or", form).replace("defence", "defense")
