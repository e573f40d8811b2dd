"""How well the rule ties pronoun and definite sources to an earlier mention, on the bundled corpus' gold relations.

Run: python benchmarks/antecedents.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from stancekit.data.load import load
from stancekit.resources import bundled
from stancekit.schema import Sentence
from stancekit.text import antecedents
from stancekit.text.antecedents import Antecedent

PRONOUNS = ("he", "she", "it", "they")


@dataclass
class Tally:
    """Sources with and without a gold antecedent, and what the rule made of them."""

    sources: int = 0
    with_gold: int = 0
    resolved: int = 0
    right: int = 0
    right_to_leave: int = 0

    def __str__(self) -> str:
        precision = self.right / max(self.resolved, 1)
        recall = self.right / max(self.with_gold, 1)
        accuracy = (self.right + self.right_to_leave) / max(self.sources, 1)
        unresolved = 1 - self.resolved / max(self.sources, 1)
        figures = (unresolved, precision, recall, accuracy)
        return f"| {self.sources} | {self.with_gold} | " + " | ".join(f"{x:.2f}" for x in figures) + " |"


def documents() -> dict[str, list[Sentence]]:
    """Return the sentences of each article of the corpus."""
    found: dict[str, list[Sentence]] = defaultdict(list)
    for sentence in load("dispatches").sentences:
        found[sentence.document].append(sentence)
    return found


def gold() -> list[dict[str, Any]]:
    """Return the annotated antecedents."""
    text = bundled("data/dispatches/antecedents.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def is_right(answer: Antecedent, row: dict[str, Any]) -> bool:
    """Say whether an answer is one of the mentions that gold allows, or part of one, or holds one."""
    wanted = [row["antecedent"], *row.get("also", [])] if row["antecedent"] else []
    return any(answer.sentence == w["index"] and (answer.text in w["text"] or w["text"] in answer.text) for w in wanted)


def tally() -> dict[str, Tally]:
    """Return the tallies of pronouns, of definite noun phrases, and of all, train and dev conflicts apart from test."""
    articles = documents()
    answers = {name: antecedents.resolve([s.gold for s in rows]) for name, rows in articles.items()}
    found: dict[str, Tally] = defaultdict(Tally)
    for row in gold():
        kind = "pronouns" if row["source"].lower() in PRONOUNS else "definite noun phrases"
        side = "held-out conflict" if row["document"].startswith("okessa") else "other conflicts"
        answer = answers[row["document"]].get((row["index"], row["relation"]))
        for name in (kind, side, "all"):
            one = found[name]
            one.sources += 1
            one.with_gold += row["antecedent"] is not None
            one.resolved += answer is not None
            one.right += answer is not None and is_right(answer, row)
            one.right_to_leave += answer is None and row["antecedent"] is None
    return found


def main() -> None:
    """Print the table."""
    print("| sources | n | with an antecedent | left unresolved | precision | recall | accuracy |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, one in sorted(tally().items()):
        print(f"| {name} {one}")


if __name__ == "__main__":
    main()
