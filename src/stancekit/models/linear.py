"""TF-IDF n-grams into a linear classifier: logistic regression, support vectors, NB-SVM or ridge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from stancekit.errors import Problems, did_you_mean, fail
from stancekit.files import dump_json, read_json, write_text
from stancekit.models import head, tensors
from stancekit.models.decision import Plan
from stancekit.models.features import Block, Features, Matrix
from stancekit.models.head import Head
from stancekit.models.ngrams import Analyser
from stancekit.models.pairs import Pairs
from stancekit.models.solvers import SOLVERS
from stancekit.models.targets import TargetSettings
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part, Task

Range = Sequence[int] | None
_UNITS = {"word": "word", "char": "char_wb"}


class Linear:
    """Words and characters, weighted by TF-IDF and summed by learnt weights.

    `word` and `char` are the shortest and longest n-gram (null: none of the kind); an n-gram needs `min_df`
    examples. `class_weight` is null, `balanced` or a weight by label. `target` holds the settings of
    `TargetSettings`; for a target without a span only `name` and `pair` do something. A sentence's metadata
    is no feature.

    Probabilities are the classifier's own for `logreg`; for `svm`, `nbsvm` and `ridge` a sigmoid is fitted to held-out
    decision values (the answer stays the decision's, which class weights may move off the most probable label)
    unless `calibrate` is off, which saves time where only answers are wanted.
    With `threshold: tuned`, a multi-label task gives a label from the probability on with the best F1 on
    held-out examples. Held-out means dev; for a label with fewer than 5 examples on either side in dev, five
    inner folds of train, cut by document.

    With `soft_labels`, an example that carries annotators' votes is learnt as each of its labels, weighted by the
    share of annotators who gave it; answers stay what calibration and thresholds are fitted to.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"single", "multi", "targeted"})

    def __init__(
        self,
        classifier: str = "logreg",
        *,
        word: Range = (1, 2),
        char: Range = (2, 5),
        min_df: int = 1,
        C: float = 1.0,
        class_weight: str | Mapping[str, float] | None = "balanced",
        threshold: str | float = "tuned",
        calibrate: bool = True,
        target: Mapping[str, Any] | None = None,
        soft_labels: bool = False,
        seed: int = 13,
    ) -> None:
        problems = Problems()
        if classifier not in SOLVERS:
            problems.add("classifier", f"there is no {classifier!r}", did_you_mean(str(classifier), SOLVERS))
        ranges = {"word": word, "char": char}
        _check_ranges(ranges, problems)
        head.check(C, class_weight, threshold, problems)
        self.target = TargetSettings.parse(target, problems)
        problems.raise_any()
        self.ranges = {name: (int(r[0]), int(r[1])) for name, r in ranges.items() if r is not None}
        self.settings = {"classifier": classifier, "c": float(C), "class_weight": class_weight, "threshold": threshold}
        self.settings["calibrate"] = bool(calibrate)
        self.min_df, self.soft_labels, self.seed = min_df, soft_labels, seed

    def fit(self, train: Part, dev: Part) -> None:
        """Learn from train; sigmoids (all but logreg) and thresholds, from dev or inner folds of train."""
        self._prepare(train.task, *head.taught(train))
        shared = self._features.fit_transform(train.examples, self.min_df)
        self._pairs.fit(shared, train.examples)
        matrix = self._pairs.transform(shared, train.examples)
        held = (self._matrix(dev.examples), self._head.truth(dev)) if len(dev) and self._head.holds_out else None
        self._head.fit(train, matrix, held, soft_labels=self.soft_labels)

    def _prepare(self, task: Task, classes: Sequence[str], always: Sequence[str]) -> None:
        self._features = Features(self._blocks(task))
        self._pairs = Pairs(self.target.pair if task.kind == "targeted" else 0.0)
        plan = Plan(**self.settings, multi=task.kind == "multi", seed=self.seed)  # type: ignore[arg-type]
        self._head = Head(task, plan, classes, always)

    def _blocks(self, task: Task) -> list[Block]:
        targeted = task.kind == "targeted"
        view = self.target.text if targeted else _text
        blocks = [Block(name, view, Analyser(_UNITS[name], *pair)) for name, pair in self.ranges.items()]
        if targeted and self.target.window:
            blocks.append(Block("window", self.target.around, Analyser("token", 1, 2)))
        if targeted and self.target.name:
            blocks.append(Block("name", self.target.named, Analyser("char_wb", 3, 5)))
        return blocks

    def _matrix(self, examples: Sequence[Example]) -> Matrix:
        return self._pairs.transform(self._features.transform(examples), examples)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Answer every example with a label (or labels) and the probability of each."""
        if not examples:
            return []
        return self._head.predictions(examples, self._head.decision.weights.scores(self._matrix(examples)))

    def save(self, folder: Path) -> None:
        """Write `linear.json` (labels, n-grams, paired targets) and `linear.safetensors` (weights, idf)."""
        learnt = {"pairs": list(self._pairs.columns), "vocabulary": self._features.vocabulary()}
        write_text(folder / "linear.json", dump_json(self._head.dump() | learnt) + "\n")
        idf = {f"idf.{name}": values for name, values in self._features.idf().items()}
        tensors.write(folder / "linear.safetensors", self._head.arrays() | self._pairs.arrays() | idf)

    def load(self, folder: Path, task: Task) -> None:
        """Take back what `save` wrote; the task must have the labels that were learnt."""
        plain, arrays = read_json(folder / "linear.json"), tensors.read(folder / "linear.safetensors")
        if tuple(plain["labels"]) != task.labels:
            raise fail(folder, f"the model knows the labels {plain['labels']}, not the task's", "train the run again")
        self._prepare(task, plain["classes"], plain["always"])
        self._pairs.restore(plain["pairs"], arrays)
        self._features.restore(plain["vocabulary"], {b: arrays[f"idf.{b}"] for b in plain["vocabulary"]})
        self._head.decision.restore(arrays)


def _text(example: Example) -> str:
    return example.sentence.text


def _check_ranges(ranges: Mapping[str, Any], problems: Problems) -> None:
    for name, value in ranges.items():
        whole = isinstance(value, Sequence) and len(value) == 2 and all(type(n) is int for n in value)
        if value is not None and not (whole and 1 <= value[0] <= value[1]):
            problems.add(name, f"{value!r} is no range of n-grams", "write [1, 2], or null for none")
    if all(value is None for value in ranges.values()):
        problems.add("word, char", "both are null, so nothing is left to learn from", "set one of them")
