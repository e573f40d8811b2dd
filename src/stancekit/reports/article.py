"""The page of a tagged article: the text in flow with its marks, cards that explain them, and tables below."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

from stancekit import codebook
from stancekit.reports import holders, marks
from stancekit.reports.marks import Palette
from stancekit.reports.rendering import render
from stancekit.runs import choose
from stancekit.schema import Attribution, Sentence, Stance
from stancekit.tagged import TaggedArticle, told
from stancekit.text import derive
from stancekit.text.article import PLACE


def article_page(tagged: TaggedArticle, title: str) -> str:
    """Return one self-contained page of a tagged article; it works without JavaScript."""
    used = {d.frame for s in tagged.sentences for d in s.gold.devices or ()}
    frames = list(dict.fromkeys([*codebook.default().names("frame"), *sorted(used)]))
    palette = Palette(frames)
    counts: Counter[holders.Key] = Counter()
    for sentence in tagged.sentences:
        counts += holders.count(sentence.gold)
    facts = {
        "title": title,
        "documents": [
            {"name": name, "meta": _meta(members[0]), "paragraphs": _paragraphs(tagged, members, palette)}
            for name, members in _by_document(tagged)
        ],
        "legend": [pair for pair in palette.legend() if pair[0] in used],
        "holders": holders.matrix({"devices": counts}, frames) | {"note": ""},
        "devices": [row | {"style": palette[row["frame"]]} for row in tagged.rows()],
        "toward": _toward(tagged),
        "sets": tagged.label_sets(),
        "labelled": _labelled(tagged),
        "actors": [a.name + (" (proposed)" if a.proposed else "") for a in tagged.actors],
        "notes": tagged.notes(),
        "runs": [[role, choose.tell(run), run["hash"][:8]] for role, run in tagged.runs.items()],
    }
    return render("article.html", facts)


def _by_document(tagged: TaggedArticle) -> list[tuple[str, list[Sentence]]]:
    return [(name, list(members)) for name, members in groupby(tagged.sentences, key=lambda s: s.document)]


def _meta(sentence: Sentence) -> list[list[str]]:
    return [[key.replace("_", " "), str(value)] for key, value in sentence.meta.items() if key not in PLACE]


def _paragraphs(tagged: TaggedArticle, members: list[Sentence], palette: Palette) -> list[list[dict[str, Any]]]:
    """Return the sentences by paragraph."""
    found: list[list[dict[str, Any]]] = [[]]
    for before, sentence in zip([None, *members], members, strict=False):
        if before is not None and _breaks(before, sentence):
            found.append([])
        found[-1].append(_sentence(tagged, sentence, palette))
    return found


def _breaks(before: Sentence, sentence: Sentence) -> bool:
    """Say whether a paragraph begins: as in the raw article where that is known, else after a headline."""
    numbers = [one.meta.get("paragraph") for one in (before, sentence)]
    if None not in numbers:
        return numbers[0] != numbers[1]
    return before.text.rstrip()[-1:].isalnum()


def _sentence(tagged: TaggedArticle, sentence: Sentence, palette: Palette) -> dict[str, Any]:
    """Return a sentence's segments, each with the cards of the relations and devices that cover it."""
    layers, sure = sentence.gold, tagged.confidence.get(sentence.id, {})
    relations, devices = layers.attributions or (), layers.devices or ()
    cards = [_relation_card(tagged, sentence, number, r) for number, r in enumerate(relations)]
    cards = marks.with_confidence(cards, sure.get("attributions"))
    holder = derive.holders(layers) or [None] * len(devices)
    told = [marks.tell_device(d, h, layers.text, palette) for d, h in zip(devices, holder, strict=True)]
    told = marks.with_confidence(told, sure.get("devices"))
    drawn = marks.of_relations(relations) + marks.of_devices(devices, palette)
    covers = [(r.source + r.cue + r.content, card) for r, card in zip(relations, cards, strict=True)]
    covers += [(d.parts, card) for d, card in zip(devices, told, strict=True)]
    segments, start = [], 0
    for text, style, begins in marks.segments(layers.text, drawn):
        end = start + len(text)
        here = [card for parts, card in reversed(covers) if any(p.start <= start and end <= p.end for p in parts)]
        segments.append({"text": text, "style": style, "begins": begins, "cards": here})
        start = end
    return {"id": sentence.id, "segments": segments}


def _relation_card(tagged: TaggedArticle, sentence: Sentence, number: int, relation: Attribution) -> dict[str, Any]:
    """Return what a relation's card says, with whom a pronoun or definite source stands for."""
    card = marks.tell_relation(relation, number + 1, sentence.text)
    resolved = tagged.antecedents.get(sentence.id, {}).get(number)
    if resolved is None:
        return card
    found = resolved.antecedent
    whom = f"stands for “{found.text}” ({resolved.sentence})" if found else "whom it stands for is not found"
    return card | {"antecedent": whom}


def _toward(tagged: TaggedArticle) -> dict[str, list[dict[str, Any]]]:
    """Return the stances, and what label sets of a user's own say of targets: each label with its sentences' number."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for sentence in tagged.sentences:
        for name, answer in {"stance": sentence.gold.stances, **sentence.gold.labels}.items():
            for item in answer if isinstance(answer, tuple) else ():
                if isinstance(item, Stance):
                    found.setdefault(name, {}).setdefault(item.target.name, Counter())[item.label] += 1
    return {
        name: [{"target": target, "counts": sorted(counts.items())} for target, counts in sorted(targets.items())]
        for name, targets in found.items()
    }


def _labelled(tagged: TaggedArticle) -> list[dict[str, Any]]:
    """Return the answers to label sets of a user's own, for every sentence that has some."""
    found, names = [], tagged.label_sets()
    for sentence in tagged.sentences:
        answers = [told(sentence.gold.labels.get(name), sentence.text) for name in names]
        if any(answers):
            found.append({"id": sentence.id, "text": sentence.text, "answers": answers})
    return found
