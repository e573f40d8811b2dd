"""A tagged article: predicted layers, holders, antecedents, and how far it is from what the runs know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stancekit.data import record
from stancekit.schema import Answer, Sentence, Span, Stance, words_of
from stancekit.text import derive
from stancekit.text.actors import Actor
from stancekit.text.antecedents import Antecedent

if TYPE_CHECKING:
    import pandas as pd

FAR = 0.25
"""The unknown-word share above which a text is called far from train."""


@dataclass(frozen=True)
class Tagged:
    """What a pronoun or definite source stands for: the sentence's id and the mention, or None and None."""

    sentence: str | None
    antecedent: Antecedent | None


def told(answer: Answer | None, text: str) -> str:
    """Return an answer to a label set of a user's own as words: labels, with what they are about; empty for none."""
    if isinstance(answer, str):
        return answer
    items = sorted(answer) if isinstance(answer, frozenset) else answer if isinstance(answer, tuple) else ()
    return ", ".join(_item(item, text) for item in items)


def _item(item: Any, text: str) -> str:
    if isinstance(item, Span):
        return f"{item.label} “{item.of(text)}”"
    return f"{item.label} {item.target.name}" if isinstance(item, Stance) else str(item)


@dataclass(frozen=True, kw_only=True)
class TaggedArticle:
    """Sentences with predicted layers in `gold`'s place; holders are derived from them.

    `confidence` has one number per relation, device, stance and (under `labels.NAME`) label of a user's own set, by
    sentence id; `antecedents` maps sentence ids to relations; `distance` holds the unknown-word share and the outlets
    that train never had; `runs` says by role (attribution, framing, stance) which run answered, with its model, score
    on dev and hash.
    """

    sentences: tuple[Sentence, ...]
    confidence: Mapping[str, Mapping[str, list[float]]]
    antecedents: Mapping[str, Mapping[int, Tagged]]
    actors: tuple[Actor, ...]
    distance: Mapping[str, Any]
    codebook: Mapping[str, str]
    runs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sentences)

    def records(self) -> list[dict[str, Any]]:
        """Return native records; `tagging` holds confidences, antecedents, proposed actors and the runs."""
        return [self._record(s) for s in self.sentences]

    def _record(self, sentence: Sentence) -> dict[str, Any]:
        resolved = [
            {
                "relation": relation,
                "sentence": tagged.sentence,
                "source": [[p.start, p.end] for p in tagged.antecedent.source] if tagged.antecedent else None,
                "source_text": tagged.antecedent.text if tagged.antecedent else None,
            }
            for relation, tagged in sorted(self.antecedents.get(sentence.id, {}).items())
        ]
        proposed = {a.name for a in self.actors if a.proposed}
        named = {s.target.name for s in sentence.gold.stances or ()}
        tagging: dict[str, Any] = {"confidence": self.confidence.get(sentence.id, {}), "antecedents": resolved}
        tagging |= {"proposed": sorted(named & proposed), "runs": self.runs}
        return record.dump(sentence, self.codebook) | {"tagging": tagging}

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a device: its words, frame, target, holder and confidence."""
        found = []
        for sentence in self.sentences:
            devices = sentence.gold.devices or ()
            sure = self.confidence.get(sentence.id, {}).get("devices", [])
            for number, (device, holder) in enumerate(zip(devices, derive.holders(sentence.gold) or (), strict=True)):
                source = words_of(holder.source, sentence.text) if holder.source else None
                stands_for = self.antecedents.get(sentence.id, {}).get(
                    -1 if holder.relation is None else holder.relation
                )
                found.append(
                    {
                        "sentence": sentence.id,
                        "device": words_of(device.parts, sentence.text),
                        "frame": device.frame,
                        "target": device.target,
                        "negated": device.negated,
                        "holder": holder.kind,
                        "source": source,
                        "antecedent": stands_for.antecedent.text if stands_for and stands_for.antecedent else None,
                        "confidence": sure[number] if number < len(sure) else None,
                    }
                )
        return found

    def label_sets(self) -> list[str]:
        """Return the names of the label sets of a user's own that were answered, in order."""
        return list(dict.fromkeys(name for sentence in self.sentences for name in sentence.gold.labels))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a device as a data frame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __repr__(self) -> str:
        lines = [f"{len(self)} sentences, {len(self.rows())} devices"]
        for row in self.rows():
            who = row["antecedent"] or row["source"]
            held = row["holder"] + (f": {who}" if who else "")
            lines.append(f"  {row['frame']:13} “{row['device']}” → {row['target'] or '–'}  [{held}]")
        return "\n".join([*lines, *self.notes()])

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, escape=True))

    def unresolved(self) -> tuple[int, int]:
        """Return how many sources that stand elsewhere (of "she", "the ministry", quotations) are not found, of all."""
        every = [tagged for relations in self.antecedents.values() for tagged in relations.values()]
        return sum(t.antecedent is None for t in every), len(every)

    def notes(self) -> list[str]:
        """Return what a reader must know: distance from train, unresolved sources, proposed actors, what to label."""
        notes = []
        share, outlets = self.distance["unknown_words"], self.distance["unseen_outlets"]
        far = "far from" if share > FAR else "near to"
        notes.append(
            f"{share:.0%} of the words are unknown to the framing run: this text is {far} what it was trained on"
        )
        if outlets:
            notes.append("outlets never seen in training: " + ", ".join(outlets))
        missing, all_sources = self.unresolved()
        if all_sources:
            notes.append(f"{missing} of {all_sources} sources told elsewhere (“she”, a quotation's) are unresolved")
        if any(a.proposed for a in self.actors):
            notes.append("actors are proposed by a rule; list yours in actors.yaml (--actors)")
        if share > FAR or outlets:
            ids = ", ".join(self.to_label())
            notes.append(f"to find out how well the tags hold here, label these sentences and evaluate: {ids}")
        return notes

    def to_label(self, count: int = 5) -> list[str]:
        """Return the ids of the sentences whose tags are least sure, the ones to label first."""

        def doubt(sentence: Sentence) -> tuple[float, str]:
            sure = self.confidence.get(sentence.id, {})
            numbers = [*sure.get("devices", []), *sure.get("attributions", [])]
            return (min(numbers) if numbers else 1.0, sentence.id)

        return [s.id for s in sorted(self.sentences, key=doubt)[:count]]
