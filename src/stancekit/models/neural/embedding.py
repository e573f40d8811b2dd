"""A frozen encoder under a model that is quickly learnt: a linear head for labels, a chain for spans."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from stancekit.errors import Problems, did_you_mean
from stancekit.files import read_json, write_json
from stancekit.models import head as heads
from stancekit.models.base import Workspace
from stancekit.models.crf import Crf
from stancekit.models.neural.encoders import kit as kits
from stancekit.models.neural.encoders import pretrained, views
from stancekit.models.neural.encoders.frozen import Frozen, find_again
from stancekit.models.neural.vector_crf import VectorCrf
from stancekit.models.neural.vector_labels import VectorLabels
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task

HEADS = ("logreg", "ridge", "svm")
FILE = "embedding.json"


class Embedding:
    """An encoder that learns nothing, whose vectors are kept on disk, under a head that learns in seconds.

    `encoder` is `minilm`, a folder or a hub id; a run notes the hashes of its files and does not hold it.

    For labels, `pool` is `first` (the first piece), `mean` (the sentence) or `target` (the sentence, and beside it the
    target: its mention, or without one its name, read by itself; the default where there are targets). Each vector is
    scaled to a length of one. `context` sentences before and after are read too; longer texts than `max_length`
    pieces are read in windows, whose vectors are averaged. `head` is logreg, ridge or svm; `C`, `class_weight`,
    `threshold`, `calibrate` and `soft_labels` are those of `linear`.

    For spans and devices, the vectors of words along the `dims` directions in which they differ most are features of
    a CRF beside its own; `crf` holds settings of the model `crf`.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "multi", "targeted", "spans", "devices"})

    def __init__(
        self,
        encoder: str = pretrained.BUNDLED,
        *,
        pool: str | None = None,
        context: int = 0,
        max_length: int = 256,
        head: str = "logreg",
        C: float = 1.0,
        class_weight: str | Mapping[str, float] | None = "balanced",
        threshold: str | float = "tuned",
        calibrate: bool = True,
        soft_labels: bool = False,
        dims: int = 64,
        crf: Mapping[str, Any] | None = None,
        seed: int = 13,
    ) -> None:
        problems = Problems()
        for name, value, known in (("pool", pool, (*views.POOLS, None)), ("head", head, HEADS)):
            if value not in known:
                problems.add(name, f"there is no {value!r}", did_you_mean(str(value), filter(None, known)))
        heads.check(C, class_weight, threshold, problems)
        kits.check_context(context, problems)
        kits.check_length(max_length, problems)
        if type(dims) is not int or dims < 1:
            problems.add("dims", f"{dims!r} is no number of directions", "write 64, say")
        self.crf = _crf_settings(crf, seed, problems)
        problems.raise_any()
        self.encoder, self.max_length, self.dims = encoder, max_length, dims
        self.view: dict[str, Any] = {"pool": pool, "context": context, "soft_labels": soft_labels}
        self.plan = {"classifier": head, "c": float(C), "class_weight": class_weight, "threshold": threshold}
        self.plan |= {"calibrate": bool(calibrate), "seed": seed}

    @property
    def lost(self) -> Counter[str]:
        """What the tags of spans could not hold of train, counted."""
        return Counter(getattr(self.learner, "lost", {}))

    def _learner(self, task: Task) -> VectorCrf | VectorLabels:
        if task.kind in ("spans", "devices"):
            return VectorCrf(self.frozen, self.dims, **self.crf)
        return VectorLabels(self.frozen, self.plan, **self.view)

    def fit(self, train: Part, dev: Part, workspace: Workspace | None = None) -> None:
        """Learn from train; thresholds, sigmoids (all heads but logreg) and how readily spans are found from dev."""
        space = workspace or Workspace()
        self.frozen = Frozen(pretrained.locate(self.encoder), self.max_length)
        self.frozen.told = lambda done, total: space.progress("embedding", done, total)
        space.facts.update(self.frozen.facts)
        self.learner = self._learner(train.task)
        self.learner.fit(train, dev)
        self.frozen.told = None

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example: a label (or labels) with the probability of each, or spans with a confidence each."""
        return self.learner.predict(examples)

    def save(self, folder: Path) -> None:
        """Write what was learnt, and `embedding.json`: the encoder's name and the hashes of its files."""
        write_json(folder / FILE, {"encoder": self.encoder, "files": self.frozen.files})
        self.learner.save(folder)

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the encoder must be there, and be the same."""
        files = read_json(folder / FILE)["files"]
        self.frozen = Frozen(find_again(self.encoder, files), self.max_length, files)
        self.learner = self._learner(task)
        self.learner.load(folder, task)


def _crf_settings(given: Mapping[str, Any] | None, seed: int, problems: Problems) -> dict[str, Any]:
    """Return the settings of the CRF, noting those that it would not take."""
    known = [name for name in inspect.signature(Crf).parameters if name not in ("seed", "min_frequency")]
    values = dict(given or {})
    unknown = [name for name in values if name not in known]
    for name in unknown:
        problems.add("crf", f"there is no setting {name!r} here", did_you_mean(name, known))
    settings = {name: value for name, value in values.items() if name in known} | {"seed": seed}
    try:
        with problems.catching("crf"):
            Crf(**settings)
    except (TypeError, ValueError) as error:
        problems.add("crf", f"these settings cannot be: {error}", "compare with those of the model crf")
    return settings
