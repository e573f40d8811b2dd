"""Which labels of which set a sentence carries: what codebooks, label maps and counts all look at."""

from __future__ import annotations

from collections.abc import Iterator

from stancekit.codebook import Codebook
from stancekit.errors import Problem, did_you_mean
from stancekit.schema import Answer, Layers, Sentence, Span, Stance


def labels_of(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """Yield (set name, label) for every annotated label; a user's own task is a set of its name."""
    gold = sentence.gold
    for relation in gold.attributions or ():
        if relation.source_type is not None:
            yield "source_type", relation.source_type
        if relation.cue_stance is not None:
            yield "cue_stance", relation.cue_stance
    for device in gold.devices or ():
        yield "frame", device.frame
    for stance in gold.stances or ():
        yield "stance", stance.label
    for name, answer in gold.labels.items():
        for label in labels_in(answer):
            yield name, label


def labels_in(answer: Answer) -> list[str]:
    """Return the labels of an answer to a user's own task, in order."""
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, frozenset):
        return sorted(answer)
    if isinstance(answer, Layers):
        return []
    return [item.label for item in answer if isinstance(item, Span | Stance)]


def unknown_labels(sentence: Sentence, book: Codebook, where: str, *, asked: bool = False) -> list[Problem]:
    """Return a problem for every label that its set of the codebook does not have; what is `asked` has none yet."""
    found = []
    for set_name, label in dict.fromkeys(labels_of(sentence)):
        known = book.names(set_name)
        if known and label not in known and (label or not asked):
            hint = did_you_mean(label, known) + "; another scheme needs a codebook of its own, or a label_map"
            found.append(Problem(where, f"unknown {set_name} {label!r}", hint))
    return found
