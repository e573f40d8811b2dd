"""Attribution relations: a chain finds cues, a second one reads source and content for each of them.

Reading cue by cue lets relations nest, share parts and be several in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from stancekit.errors import Problems, fail
from stancekit.files import dump_json, read_json, write_text
from stancekit.models import chain, crf_features, encoder, relation_links, relation_shapes, tensors, tuning
from stancekit.models.chain import Chain, ChainSettings
from stancekit.models.encoder import Encoder, Seen
from stancekit.models.relation_attributes import RelationAttributes
from stancekit.models.relation_features import cue_columns, cue_templates
from stancekit.models.relation_links import Link, Range
from stancekit.models.relation_tags import (
    attribution,
    flat_tags,
    link_of,
    marked,
    ordered,
    reader_tags,
    relations_of,
    spell,
)
from stancekit.schema import Example, Prediction, Sentence
from stancekit.tasks import Part, Task
from stancekit.text import tags
from stancekit.text.tags import OUTSIDE
from stancekit.text.tokens import tokens


class CrfRelations:
    """Finds attribution relations with source type and cue stance; a confidence for each.

    The *finder* tags cues (and, as hints, sources and contents) in one sequence. The *reader* tags source, content
    and further parts of the cue once a cue, and sees the finder's tags: those of train come from `folds` finders
    that did not see the document. With fewer than `least` relations in train, parts are linked by nearness instead.
    Relations have the parts that train's have: one without cue, say, where train has such. The other settings are those
    of `crf`.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"relations"})

    def __init__(
        self,
        *,
        algorithm: str = "lbfgs",
        c1: float = 0.05,
        c2: float = 0.1,
        max_iterations: int = 60,
        min_frequency: int = 1,
        window: int = 2,
        clusters: Sequence[int] = (64, 320),
        context: bool = True,
        lexicon: str | None = "bundled",
        folds: int = 2,
        least: int = 30,
        tune: bool = True,
        seed: int = 13,
    ) -> None:
        self.settings = ChainSettings(algorithm, c1, c2, max_iterations, min_frequency, seed)
        self.encoder = Encoder(window, tuple(clusters), context)
        self.lexicon, self.folds, self.least, self.tune = lexicon, folds, least, tune
        problems = Problems()
        self.settings.check(problems)
        self.encoder.check(problems)
        if folds < 2:
            problems.add("folds", f"{folds} folds leave nothing to learn from", "give 2 or more")
        problems.raise_any()
        self.finder, self.reader = Chain(), Chain()
        self.readiness = 0.0
        self.attributes = RelationAttributes()
        self.shapes: tuple[str, ...] = ()

    def fit(self, train: Part, dev: Part) -> None:
        """Learn finder, reader and attributes from train; tune on dev how readily the finder begins a span."""
        sentences, gold = [e.sentence for e in train.examples], [relations_of(a) for a in train.gold]
        if not any(gold):
            raise fail("train", "there is no relation to learn from", "give more data, or another split")
        self.encoder.rules = encoder.lexicon(self.lexicon)
        flat = [flat_tags(tokens(s.text), relations) for s, relations in zip(sentences, gold, strict=True)]
        self.encoder.learn(sentences, [[tag.endswith("-cue") for tag in row] for row in flat])
        seen = self.encoder.see(sentences)
        self.finder = chain.train(self.encoder.features(seen), flat, self.settings)
        read = [
            (at, cue, relation)
            for at, relations in enumerate(gold)
            for relation in relations
            if (cue := marked(relation, seen[at].toks)) is not None
        ]
        self.reader = Chain()
        if len(read) >= self.least:
            hints = self._unseen_tags(sentences, seen, flat)
            jobs = [(at, cue) for at, cue, _ in read]
            labels = [reader_tags(seen[at].toks, cue, relation) for at, cue, relation in read]
            self.reader = chain.train(self._reader_features(seen, jobs, hints), labels, self.settings)
        self.attributes = RelationAttributes(self.encoder.rules)
        self.attributes.fit(sentences, gold)
        self.shapes = relation_shapes.usual(r for row in gold for r in row)
        self.readiness = self._tuned(dev) if self.tune and len(dev) else 0.0

    def _unseen_tags(
        self, sentences: Sequence[Sentence], seen: Sequence[Seen], flat: Sequence[list[str]]
    ) -> list[list[str]]:
        """Return the tags of train by finders that did not see the document."""
        documents = sorted({s.document or s.id for s in sentences})
        fold = {document: k % self.folds for k, document in enumerate(documents)}
        sides = [fold[s.document or s.id] for s in sentences]
        found: list[list[str]] = [[OUTSIDE] * len(row) for row in flat]
        for number in range(min(self.folds, len(documents))):
            here = [at for at, side in enumerate(sides) if side == number]
            others = [at for at, side in enumerate(sides) if side != number]
            if not others:
                continue
            part = chain.train(
                self.encoder.features(seen[at] for at in others), [flat[at] for at in others], self.settings
            )
            tagged = part.tag(part.scores(self.encoder.features(seen[at] for at in here)))
            for at, row in zip(here, tagged, strict=True):
                found[at] = row
        return found

    def _tuned(self, dev: Part) -> float:
        sentences = [example.sentence for example in dev.examples]
        flat = [flat_tags(tokens(s.text), relations_of(a)) for s, a in zip(sentences, dev.gold, strict=True)]
        scores = self.finder.scores(self.encoder.features(self.encoder.see(sentences)))
        return tuning.best_readiness(self.finder, scores, [tags.ranges(row) for row in flat])

    def _reader_features(
        self, seen: Sequence[Seen], jobs: Sequence[tuple[int, Range]], hints: Sequence[Sequence[str]]
    ) -> Iterator[list[list[str]]]:
        """Yield the features of each sentence as seen from one of its cues."""
        templates = cue_templates(self.encoder.templates, grains=self.encoder.knowledge.grains)
        for at, cue in jobs:
            cues = [(a, b) for a, b, role in tags.ranges(hints[at]) if role == "cue"]
            columns = cue_columns(seen[at].columns, cue, cues, hints[at])
            yield crf_features.features(columns, templates, len(seen[at].toks))

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with its relations, outermost first, and a confidence each.

        A part's confidence is the least probability of its role over its tokens; a relation's is their product.
        """
        sentences = [example.sentence for example in examples]
        seen = self.encoder.see(sentences)
        links = [
            ordered(relation_shapes.shaped(row, self.shapes, s.text, s.toks))
            for row, s in zip(self._links(seen), seen, strict=True)
        ]
        bare = [[attribution(s.text, s.toks, link) for link in row] for s, row in zip(seen, links, strict=True)]
        answers = self.attributes.complete(sentences, bare)
        return [
            Prediction(id=example.id, answer=answer, probabilities=tuple(link.sure for link in row))
            for example, answer, row in zip(examples, answers, links, strict=True)
        ]

    def _links(self, seen: Sequence[Seen]) -> list[list[Link]]:
        scores = self.finder.scores(self.encoder.features(seen))
        flat = self.finder.spans(scores, self.readiness)
        if not self.reader.labels:
            return [relation_links.by_nearness(row) for row in flat]
        hints = [spell(row, len(s.toks)) for row, s in zip(flat, seen, strict=True)]
        jobs = [(at, f) for at, row in enumerate(flat) for f in row if f[2] == "cue"]
        read = self._reader_features(seen, [(at, (f[0], f[1])) for at, f in jobs], hints)
        found: list[list[Link]] = [[] for _ in seen]
        for (at, cue), parts in zip(jobs, self.reader.spans(self.reader.scores(read)), strict=True):
            if not any(cue[:2] in link.cue for link in found[at]):
                found[at].append(link_of(cue, parts))
        return [row + relation_links.without_cue(f, row) for row, f in zip(found, flat, strict=True)]

    def save(self, folder: Path) -> None:
        """Write `crf_relations.json` (words, features, readiness) and `crf_relations.safetensors` (weights)."""
        plain = {
            "encoder": self.encoder.dump(),
            "finder": self.finder.dump(),
            "reader": self.reader.dump(),
            "attributes": self.attributes.dump(),
            "readiness": self.readiness,
            "shapes": self.shapes,
        }
        arrays = {
            f"{n}.{k}": v for n in ("finder", "reader", "attributes") for k, v in getattr(self, n).arrays().items()
        }
        write_text(folder / "crf_relations.json", dump_json(plain) + "\n")
        tensors.write(folder / "crf_relations.safetensors", arrays)

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote."""
        plain, arrays = read_json(folder / "crf_relations.json"), tensors.read(folder / "crf_relations.safetensors")
        self.encoder.restore(plain["encoder"])
        self.finder = Chain.restore(plain["finder"], tensors.under(arrays, "finder."))
        self.reader = Chain.restore(plain["reader"], tensors.under(arrays, "reader."))
        self.attributes = RelationAttributes(self.encoder.rules)
        self.attributes.restore(plain["attributes"], tensors.under(arrays, "attributes."))
        self.readiness, self.shapes = plain["readiness"], tuple(plain["shapes"])
