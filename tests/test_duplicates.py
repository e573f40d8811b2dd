"""Duplicates against brute force; letters carry offsets over."""

from __future__ import annotations

import random
import re
from itertools import combinations

import pytest
from hypothesis import given

from stancekit.errors import StancekitError
from stancekit.text import normal
from stancekit.text.duplicates import connected, exact_duplicates, near_duplicates
from strategies import texts

WORDS = [f"w{k}" for k in range(400)]


def sentences(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    weights = [1 / (k + 1) for k in range(len(WORDS))]
    return [" ".join(rng.choices(WORDS, weights, k=rng.randint(6, 25))) for _ in range(count)]


def brute_force(items: list[str], threshold: float, shingle: int) -> dict[tuple[int, int], float]:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[k : k + shingle]) for k in range(max(1, len(words) - shingle + 1))}

    sets, found = [shingles(t) for t in items], {}
    for i, j in combinations(range(len(items)), 2):
        jaccard = len(sets[i] & sets[j]) / len(sets[i] | sets[j])
        if jaccard >= threshold:
            found[i, j] = jaccard
    return found


@pytest.mark.parametrize(("threshold", "shingle"), [(0.5, 1), (0.7, 1), (0.8, 1), (0.4, 3), (1.0, 2)])
def test_pairs_are_those_of_brute_force(threshold, shingle):
    items = sentences(300, seed=5)
    rng = random.Random(6)
    for text in rng.sample(items, 60):
        words = text.split()
        words[rng.randrange(len(words))] = "other"
        items.append(" ".join(words))
    wanted = brute_force(items, threshold, shingle)
    found = {(i, j): jaccard for i, j, jaccard in near_duplicates(items, threshold=threshold, shingle=shingle)}
    assert found.items() <= wanted.items()
    assert len(found) >= 0.97 * len(wanted)


@pytest.mark.parametrize("seed", range(5))
def test_copies_and_one_word_edits_are_found(seed):
    rng = random.Random(seed)
    items = list(dict.fromkeys(sentences(2000, seed)))
    copied, edited = rng.sample(range(len(items)), 200), rng.sample(range(len(items)), 200)
    planted = []
    for position in copied:
        planted.append((position, len(items)))
        items.append(items[position].upper().replace(" ", "  ") + ".")
    for position in edited:
        words = items[position].split()
        words[rng.randrange(len(words))] = "elsewhere"
        planted.append((position, len(items)))
        items.append(" ".join(words))
    found = {(i, j) for i, j, _ in near_duplicates(items, threshold=0.7)}
    assert found.issuperset(planted[:200])
    assert len(found.intersection(planted[200:])) >= 0.95 * 200


def test_many_copies_of_a_line_stay_linear():
    items = ["Sign up for our daily letter"] * 3000 + [f"Sign up for our daily letter {k}" for k in range(1000)]
    pairs = near_duplicates(items, threshold=0.7)
    assert len(pairs) < 300_000
    assert connected(pairs) == [list(range(4000))]


def test_exact_groups_and_texts_without_words():
    items = ["The “town” fell.", "Other.", 'the  "town"\nfell.', "…", "?", "The town fell."]
    assert exact_duplicates(items) == [[0, 2]]
    assert near_duplicates(items) == [(0, 2, 1.0), (0, 5, 1.0)]
    assert near_duplicates([]) == near_duplicates(["one"]) == []
    with pytest.raises(StancekitError, match="threshold"):
        near_duplicates(items, threshold=0)


@given(texts())
def test_letters_count_and_place_agree(text):
    kept, counts = normal.places(text), normal.counts(text)
    assert len(kept) == len(normal.letters(text)) == counts[-1]
    assert [counts[at] for at in kept] == list(range(len(kept)))
