"""Evaluations to draw: the bundled corpus with predictions made by bending gold, without any model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stancekit import codebook, scoring, tasks
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.markup import Markup
from stancekit.evaluation import Evaluated
from stancekit.schema import Answer, Layers, Prediction, Sentence, Span
from stancekit.tagged import Tagged, TaggedArticle
from stancekit.text import antecedents
from stancekit.text.actors import Actor

ORLEN = Path(__file__).parent.parent / "data" / "dispatches" / "orlen"
BOOK = codebook.default()
HOSTILE = "<script>alert(1)</script> & \"quoted\" 'text' {{ 7*7 }} | *pipe* </script>"


def sentences(articles: int = 4) -> list[Sentence]:
    """Return the first articles of the corpus, the first sentence with hostile text, the second with an emoji."""
    found: list[Sentence] = []
    for path in sorted(ORLEN.glob("*.markup"))[:articles]:
        found += Markup().read(path, ReadLog())
    one = found[2]
    found[2] = replace(one, text=HOSTILE, gold=Layers(text=HOSTILE, attributions=(), devices=(), stances=()))
    return found


def bend(task: tasks.Task, answer: Answer, number: int) -> Answer:
    """Return an answer with a mistake in every third example: a wrong label, a lost or shifted item."""
    if number % 3:
        return answer
    if isinstance(answer, str):
        return task.labels[(task.labels.index(answer) + 1) % len(task.labels)]
    if isinstance(answer, frozenset):
        return answer ^ {task.labels[number % len(task.labels)]}
    if isinstance(answer, Layers):
        return replace(answer, attributions=(answer.attributions or ())[1:])
    if answer and hasattr(answer[0], "parts") and number % 2:
        device = answer[0]
        first = device.parts[0]
        return (replace(device, parts=(Span(first.start, first.end - 1), *device.parts[1:])), *answer[1:])  # type: ignore[return-value]
    return answer[1:]


def evaluated(name: str, articles: int = 4) -> Evaluated:
    """Return an evaluation of a built-in task, with intervals and slices by outlet."""
    task = tasks.built_in(name, BOOK)
    part = tasks.part(task, sentences(articles))
    predictions = []
    for number, (example, gold) in enumerate(zip(part.examples, part.gold, strict=True)):
        answer = bend(task, gold, number)
        sure = {label: 0.75 if label == answer else 0.25 for label in task.labels} if isinstance(answer, str) else None
        predictions.append(Prediction(id=example.id, answer=answer, probabilities=sure))
    scores = scoring.score(
        part, predictions, slices=("outlet",), resamples=200, signature={"task": name, "split": "test"}
    )
    return Evaluated("test", part, tuple(predictions), scores)


def tagged(articles: int = 1) -> TaggedArticle:
    """Return an article tagged with its gold layers, antecedents resolved, as if each item were 0.8 sure."""
    found = sentences(articles)
    sure = {
        s.id: {"devices": [0.8] * len(s.gold.devices or ()), "attributions": [0.8] * len(s.gold.attributions or ())}
        for s in found
    }
    resolved: dict[str, dict[int, Tagged]] = {}
    for (number, relation), whom in antecedents.resolve([s.gold for s in found]).items():
        earlier = found[whom.sentence].id if whom else None
        resolved.setdefault(found[number].id, {})[relation] = Tagged(earlier, whom)
    return TaggedArticle(
        sentences=tuple(found),
        confidence=sure,
        antecedents=resolved,
        actors=(Actor("Karsk"), Actor("Tolmenia", proposed=True)),
        distance={"unknown_words": 0.31, "unseen_outlets": ["<b>Gazette</b>"]},
        codebook=BOOK.stamp,
    )
