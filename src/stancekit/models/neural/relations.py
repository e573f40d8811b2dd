"""Attribution relations end to end: cues are found, then each is marked in the text and its relation read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from stancekit.errors import Problems, fail
from stancekit.files import read_json, write_json
from stancekit.models import tuning
from stancekit.models.base import Workspace
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.encoders import net, pretrained, states
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.encoders.sights import MARK
from stancekit.models.neural.encoders.states import Floats, Laid, Range
from stancekit.models.neural.heads import attribution_heads, relation_rows
from stancekit.models.neural.heads.attribution_heads import AttributionHeads
from stancekit.models.neural.heads.heads_net import HeadsNet
from stancekit.models.neural.heads.relation_rows import Read, RelationRows
from stancekit.models.neural.learning import loop
from stancekit.models.neural.learning import lora as adapters
from stancekit.models.neural.learning.loop import Job
from stancekit.models.neural.learning.recipe import TAGGING, Recipe
from stancekit.models.neural.texts import ragged
from stancekit.models.neural.texts.batches import Batch, Collate, Row
from stancekit.models.relation_links import Found
from stancekit.models.relation_tags import flat_tags, marked, relations_of
from stancekit.schema import Attribution, Example, Prediction, Sentence
from stancekit.tasks import Part, Task
from stancekit.text import tags

FILE = "stancekit.json"
_FIELDS = {"firsts": (0, -1), **attribution_heads.FIELDS}
_HEAD = "attribution"


class Relations:
    """A finder and a reader on one encoder, for relations with source type and cue stance; a confidence for each.

    The finder tags cues (and, as hints, sources and contents); the reader sees the sentence once a cue, the cue
    marked, and tags its source and content, so that relations nest, share parts and are several in a sentence.
    Contents that no cue claims stand as relations without cue. `empty` is the share of train's sentences without a
    relation that is learnt from. `context`, `max_length`, `lora` and `training` are those of `transformer`.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"relations"})

    def __init__(
        self,
        encoder: str = pretrained.BUNDLED,
        *,
        context: int = 0,
        max_length: int = 256,
        empty: float = 1.0,
        tune: bool = True,
        lora: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        seed: int = 13,
    ) -> None:
        problems = Problems()
        kits.check_length(max_length, problems)
        kits.check_context(context, problems)
        adapters.check(lora, problems)
        if not 0 <= empty <= 1:
            problems.add("empty", f"{empty} is no share", "a number from 0 to 1 is expected")
        self.recipe = Recipe.parse(training, problems, **TAGGING)
        problems.raise_any()
        self.encoder, self.context, self.max_length, self.empty = encoder, context, max_length, empty
        self.tune, self.lora, self.seed = tune, lora, seed
        self.readiness = 0.0

    def fit(self, train: Part, dev: Part, workspace: Workspace | None = None) -> None:
        """Fine-tune on train; best weights, early stopping and the finder's readiness by dev."""
        gold = [relations_of(answer) for answer in train.gold]
        if not any(gold):
            raise fail("train", "there is no relation to learn from", "give more data, or another split")
        self.reader_rows = RelationRows.of(gold)
        self._prepare(pretrained.locate(self.encoder))
        adapters.add(self.net, "encoder", self.lora)
        rows = self._rows([e.sentence for e in train.examples], gold)
        space = workspace or Workspace()
        judge = self._judge(dev, space) if len(dev) else None
        loop.train(self.net, Job(rows, self._collate(), _loss, judge), self.recipe, workspace, self.seed)
        adapters.merge(self.net, "encoder", self.lora)
        if len(dev) and self.tune:
            self._tune(dev)

    def _prepare(self, folder: Path) -> None:
        self.kit = Kit(folder, self.max_length, self.recipe.device)
        encoder = net.encoder_of(folder)
        torch.manual_seed(self.seed)  # the heads' first weights
        self.head = AttributionHeads(int(encoder.config.hidden_size), self.reader_rows.attributes)
        self.net = HeadsNet(encoder, {_HEAD: self.head}, {_HEAD: 1.0})

    def _collate(self) -> Collate:
        return self.kit.collate(net.uses_types(self.net.encoder), lambda rows, _: ragged.fill(rows, _FIELDS))

    def _rows(self, sentences: Sequence[Sentence], gold: Sequence[Sequence[Attribution]]) -> list[Row]:
        """Return the finder's rows of sentences and the reader's of cues."""
        laid = self._lay(sentences)
        found: list[Row] = []
        kept, total = 0, 0
        for one, relations in zip(laid, gold, strict=True):
            if not relations:  # every k-th sentence without relation, evenly over train
                total += 1
                if kept >= total * self.empty:
                    continue
                kept += 1
            for row in one.rows:
                found.append({**row.fields(), **self.reader_rows.finder_fields(self.head, one, row, relations)})
        pairs = [[(marked(r, o.toks), r) for r in relations] for o, relations in zip(laid, gold, strict=True)]
        cues = [[cue for cue, _ in own if cue is not None] for own in pairs]
        cued = [relation for own in pairs for cue, relation in own if cue is not None]
        for one, relation in zip(self._lay_cues(laid, cues), cued, strict=True):
            for row in one.rows:
                fields = self.reader_rows.reader_fields(self.head, one, row, [relation])
                if fields["cues"]:
                    found.append({**row.fields(), **fields})
        return found

    def _lay(self, sentences: Sequence[Sentence]) -> list[Laid]:
        return states.lay(self.kit.cutter, sentences, self.context)

    def _lay_cues(self, laid: Sequence[Laid], cues: Sequence[Sequence[Range]]) -> list[Laid]:
        """Lay out each sentence once a cue, the cue marked."""
        views = [view for one, own in zip(laid, cues, strict=True) for view in states.marked(one, own, MARK)]
        return states.lay_views(self.kit.cutter, views, [one.sentence for one in laid], self.context)

    def _judge(self, dev: Part, space: Workspace) -> Any:
        laid = self._lay([e.sentence for e in dev.examples])

        def judge(_: nn.Module) -> float:
            return space.score(dev, self._predict(dev.examples, laid))

        return judge

    def _words(self, laid: Sequence[Laid]) -> list[Floats]:
        return [s["words"] for s in states.run(self.net, laid, self._collate())]

    def _found(self, words: Sequence[Floats]) -> list[Any]:
        """Return the finder's scores of every word of each sentence."""
        self.head.eval()
        with torch.inference_mode():
            return [self.head.find(states.tensor(w))[0].double().numpy() for w in words]

    def _tune(self, dev: Part) -> None:
        laid = self._lay([e.sentence for e in dev.examples])
        wanted = [tags.ranges(flat_tags(o.toks, relations_of(a))) for o, a in zip(laid, dev.gold, strict=True)]
        self.readiness = tuning.best_readiness(self.head.finder_chain, self._found(self._words(laid)), wanted)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with its relations, outermost first, and a confidence each.

        A part's confidence is the least probability of its role over its words; a relation's is their product.
        """
        return self._predict(examples, self._lay([e.sentence for e in examples])) if examples else []

    def _predict(self, examples: Sequence[Example], laid: Sequence[Laid]) -> list[Prediction]:
        chain, words = self.head.finder_chain, self._words(laid)
        flat = chain.spans(self._found(words), self.readiness)
        found = []
        for example, one, row, plain, read in zip(examples, laid, flat, words, self._read(laid, flat), strict=True):
            links = self.reader_rows.answer(self.head, one, row, plain, read)
            sure = tuple(round(share, 4) for _, share in links)
            found.append(Prediction(id=example.id, answer=tuple(r for r, _ in links), probabilities=sure))
        return found

    def _read(self, laid: Sequence[Laid], flat: Sequence[Sequence[Found]]) -> Iterator[list[Read]]:
        """Yield each sentence's cues, each as it is read where it is marked."""
        cues = [relation_rows.cues_of(row) for row in flat]
        views = self._lay_cues(laid, cues)
        seen = iter(zip(views, self._words(views), strict=True))
        for own in cues:
            yield [Read(cue, view.first, words) for cue, (view, words) in zip(own, seen, strict=False)]

    def save(self, folder: Path) -> None:
        """Write the encoder as a plain Hugging Face folder, `heads.safetensors`, and `stancekit.json`."""
        self.net.save(folder)
        self.kit.save(folder)
        write_json(folder / FILE, {**self.reader_rows.dump(), "readiness": self.readiness})

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote."""
        plain = read_json(folder / FILE)
        self.reader_rows, self.readiness = RelationRows.restore(plain), plain["readiness"]
        self._prepare(folder)
        self.net.restore(folder)
        self.net.eval()


def _loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    found: torch.Tensor = model(**batch)["loss"]
    return found
