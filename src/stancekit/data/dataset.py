"""A data set: sentences in order, under a codebook, with the place of each in its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stancekit.codebook import Codebook
from stancekit.data import record
from stancekit.data.label_map import LabelMap
from stancekit.files import dump_json, sha256
from stancekit.schema import Layers, Sentence

if TYPE_CHECKING:
    import pandas as pd

LAYERS = ("attributions", "devices", "stances")
PROBLEM = "problem: "
"""What tells, in `counts`, records that were left out for a mistake from what else reading counted."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled sentences in the order of their file.

    `counts` says what reading left out or mended, by kind; `places` maps ids to `file:line`. `also` holds further
    data sets that were added to train: their sentences are among these, the last ones.
    """

    name: str
    sentences: tuple[Sentence, ...]
    codebook: Codebook
    path: Path | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    label_map: LabelMap | None = None
    also: tuple[Dataset, ...] = ()

    def __len__(self) -> int:
        return len(self.sentences)

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The content hash of every sentence, by id."""
        return {sentence.id: sentence_hash(sentence) for sentence in self.sentences}

    @cached_property
    def hash(self) -> str:
        """The SHA-256 over ids and contents, in order."""
        return sha256(dump_json(list(self.hashes.items())).encode())

    @cached_property
    def main_hash(self) -> str:
        """The same hash without further data sets: dev and test of two runs can only be the same where it is."""
        main = list(self.hashes.items())[: len(self) - sum(map(len, self.also))]
        return sha256(dump_json(main).encode())

    @property
    def left_out(self) -> dict[str, int]:
        """The mistakes for which reading left records out (`on_error: skip`), counted by kind."""
        return {kind.replace(PROBLEM, "", 1): n for kind, n in self.counts.items() if PROBLEM in kind}

    @cached_property
    def by_id(self) -> dict[str, Sentence]:
        """The sentences by id."""
        return {sentence.id: sentence for sentence in self.sentences}

    @cached_property
    def mapped(self) -> frozenset[str]:
        """The ids of the sentences whose labels went through a label map."""
        further = [s.id for one in self.also if one.label_map for s in one]
        own = self.sentences[: len(self) - sum(map(len, self.also))] if self.label_map else ()
        return frozenset([*(s.id for s in own), *further])

    def map_lines(self) -> list[str]:
        """Return one line a change that the label maps made; of a further data set after its name."""
        own = self.label_map.describe() if self.label_map else []
        return own + [f"{one.name}: {line}" for one in self.also for line in one.map_lines()]

    @property
    def documents(self) -> int:
        """The number of documents; a sentence that names none is one of its own, as in a split."""
        return len({sentence.document or sentence.id for sentence in self.sentences})

    def where(self, sentence_id: str) -> str:
        """Return the place of a sentence, or its id where the place is not known."""
        return self.places.get(sentence_id, sentence_id)

    def __repr__(self) -> str:
        layers: Counter[str] = Counter()
        for sentence in self.sentences:
            layers.update(annotated(sentence.gold))
        held = ", ".join(f"{name} of {n}" for name, n in layers.items()) or "no annotations"
        return f"Dataset {self.name}: {len(self)} sentences of {self.documents} documents; {held}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a sentence: id, document, index, text, a column per metadata key and per layer."""
        import pandas as pd

        return pd.DataFrame([_row(sentence) for sentence in self.sentences])


def describe_left_out(left_out: Mapping[str, int]) -> str:
    """Return what was left out as words: the records for how many problems, of which kinds."""
    count = sum(left_out.values())
    kinds = ", ".join(f"{kind} ({n})" for kind, n in sorted(left_out.items()))
    return f"records with {count:,} problem{'s' * (count != 1)}: {kinds}"


def annotated(layers: Layers) -> list[str]:
    """Return the names of the layers and tasks that are annotated (an empty layer is)."""
    return [name for name in LAYERS if getattr(layers, name) is not None] + sorted(layers.labels)


def _row(sentence: Sentence) -> dict[str, Any]:
    row = record.dump(sentence)
    meta, labels = row.pop("meta"), row.pop("labels", {})
    return row | {k: v for k, v in meta.items() if k not in row} | {f"label.{k}": v for k, v in labels.items()}


def sentence_hash(sentence: Sentence) -> str:
    """Return 16 hexadecimal digits over text, document, metadata and annotations; nothing derived counts."""
    gold = sentence.gold
    content = record.dump_annotations(gold) | {"text": sentence.text, "document": sentence.document}
    content["meta"] = dict(sentence.meta)
    content["labels"] = {name: record.dump_answer(answer) for name, answer in gold.labels.items()}
    if gold.votes:
        content["votes"] = {task: dict(shares) for task, shares in gold.votes.items()}
    return sha256(dump_json(content).encode())[:16]
