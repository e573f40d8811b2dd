"""NewsMTSC with fine-tuned encoders: levers on a cut of train, then the rows of the table on the dev files.

Run from the repository root:
    python benchmarks/neural_newsmtsc.py screen --data PATH [--only NAME …]   levers, articles of train held out
    python benchmarks/neural_newsmtsc.py read --data PATH [--only NAME …]     dev_rw and dev_mt, once a row

Every model stops by an inner dev cut from its train by article; the held-out part is read once a model. Levers are
compared with the base by the paired bootstrap over articles, the seeds' predictions counted together. `--articles N`
learns from a part of train, drawn by hash, so that all levers can be tried on a small machine. `ensemble` averages the
base's seeds, `ensemble with linear` that and a linear model, `distilled` learns what the seeds' average says of train;
`joint` has the base's settings in the tagger of all layers, and `joint, shared` learns the bundled corpus (its train
part) beside.
Rows that begin with `all of train` have no inner dev: nothing stops them; `read` averages the last of them that is
asked for. `attend` and `sentiment first` (an encoder of `sentiment_first.py`) are the levers that were found
last, and have such rows of their own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from neural_common import Run, Settings, bundled, cut, limited, parse, parser, run_seeds, settings, subset
from neural_figures import Book, Figure
from neural_student import teachers
from newsmtsc import TASK, part
from stancekit import codebook, tasks
from stancekit.data.load import load
from stancekit.runs import devscores, ensemble
from stancekit.schema import Prediction
from stancekit.tasks import Part

FIGURE = Figure("f1", "macro_f1")
BASE: dict[str, Any] = {
    "name": "transformer",
    "pool": "target",
    "target": "mark",
    "max_length": 128,
    "training": {"epochs": 3, "batch_size": 16, "learning_rate": 1e-4, "head_rate": 1.0, "average": 0.3},
}
LEVERS: dict[str, dict[str, Any]] = {
    "base": {},
    "pool mean": {"pool": "mean"},
    "pool standard": {"pool": "standard"},
    "pair, pool standard": {"pool": "standard", "target": "pair"},
    "mark and pair": {"target": "both"},
    "blind": {"target": "blind", "pool": "mean"},
    "context 1": {"context": 1},
    "rate 5e-5": {"training": {"learning_rate": 5e-5}},
    "rate 2e-4": {"training": {"learning_rate": 2e-4}},
    "layer decay .8": {"training": {"layer_decay": 0.8}},
    "not averaged": {"training": {"average": 0.0}},
    "adapted": {"adapt": 2.0},
    "swapped": {"swap": True},
    "r-drop .5": {"r_drop": 0.5},
    "focal": {"loss": "focal"},
    "balanced": {"class_weight": "balanced"},
    "batch 32": {"training": {"batch_size": 32}},
    "5 epochs": {"training": {"epochs": 5}},
    "embeddings frozen": {"training": {"freeze_embeddings": True}},
    "no dropout": {"training": {"encoder_dropout": False}},
    "attend": {"attend": True},
    "sentiment first": {"encoder": "runs/sentiment-first"},
}


def merged(change: dict[str, Any]) -> dict[str, Any]:
    """Return the base with a lever's settings over it."""
    return {**BASE, **change, "training": {**BASE["training"], **change.get("training", {})}}


ROWS = {name: merged(change) for name, change in LEVERS.items()}
AVERAGED = ("ensemble", "ensemble with linear")
LINEAR: Settings = {"name": "linear", "target": {"window": 5}}
WHOLE = "all of train"
ROWS |= {
    WHOLE: ROWS["base"],
    **{f"{WHOLE}, {name}": ROWS[name] for name in ("attend", "sentiment first", "no dropout")},
}
ROWS |= dict.fromkeys(AVERAGED, ROWS["base"])
STUDENTS = {"distilled": "base", f"{WHOLE}, distilled": WHOLE}
ROWS |= {name: {**ROWS[teacher], "name": "neural_student:Student"} for name, teacher in STUDENTS.items()}
_TAGGER = {"name": "joint", "max_length": 128, "training": {**BASE["training"]}}
ROWS |= {"joint": _TAGGER, "joint, shared": _TAGGER}


def screen(given: Any) -> None:
    """Train every lever on four fifths of train's articles and compare it with the base on the rest."""
    sides = cut(part(given.data / "train.jsonl"), 5)
    train, held = limited(sides[0], given.articles or given.limit), limited(sides[1], given.limit)
    book = Book(given, "newsmtsc", f"every fifth article of train{named(given)}")
    found: dict[str, Any] = {}
    for name, own in settings(ROWS, given).items():
        found[name] = screened(given, name, own, train, held, found)
        book.figures(name, held, found[name], [FIGURE], own)
        other = "joint" if name == "joint, shared" else "base"
        if name != other and other in found:
            book.differences(name, other, held, found, [FIGURE], own)


def named(given: Any) -> str:
    """Return how much of train is learnt from, where it is not all."""
    return f", {given.articles} articles to learn from" if given.articles else ""


def screened(
    given: Any, name: str, own: Settings, train: Part, held: Part, found: dict[str, Any]
) -> list[list[Prediction]]:
    """Return the predictions of a row on the held-out part, for each seed."""
    title = f"{name}{named(given)}"
    if name in AVERAGED:
        return averaged(given, name, own, found["base"], train, held)
    if own["name"] == "joint":
        return [run.predictions for run in by_joint(given, title, own, train, held, shared="shared" in name)]
    if name in STUDENTS:
        own["teachers"] = teachers(given.keep, f"{STUDENTS[name]}{named(given)}")
    both = both_of(held, train) if name in STUDENTS.values() else held
    dev = Part(TASK) if name.startswith(WHOLE) else None
    runs = run_seeds(given, title, own, train, both, metric=FIGURE.row, dev=dev)  # train, too: students learn from it
    return [run.predictions[: len(held)] for run in runs]


def both_of(one: Part, other: Part) -> Part:
    """Return the examples of two parts."""
    return Part(TASK, one.examples + other.examples, one.gold + other.gold)


def averaged(
    given: Any, name: str, own: Settings, base: list[list[Prediction]], train: Part, held: Part
) -> list[list[Prediction]]:
    """Return the mean of the base's seeds, or that and `linear` half and half; the same one for every seed."""
    one = [ensemble.together(TASK, list(said)) for said in zip(*base, strict=True)]
    if "linear" in name:
        own["linear"] = LINEAR
        (linear, *_) = run_seeds(given, f"{given.step} linear{named(given)}", LINEAR, train, held, metric=FIGURE.row)
        one = [ensemble.together(TASK, list(said)) for said in zip(one, linear.predictions, strict=True)]
    return [one] * len(given.seeds)


def by_joint(given: Any, title: str, own: Settings, train: Part, held: Part, *, shared: bool) -> list[Run]:
    """Return a run of the tagger of all layers for each seed, its answers to this task alone."""
    task = tasks.over([TASK, *tasks.layers(codebook.default()).inner] if shared else [TASK])
    sentences, sides = load(given.data / "train.jsonl", format="newsmtsc").sentences, []
    for side in (train, held):
        names = {e.sentence.id for e in side.examples}
        sides.append(tasks.part(task, [s for s in sentences if s.id in names]))
    rest, dev = cut(sides[0], 10, 1)
    if shared:
        more = tasks.part(task, bundled())
        rest = Part(task, rest.examples + more.examples, rest.gold + more.gold)
    runs = run_seeds(given, title, own, rest, sides[1], metric="sentiment macro_f1", dev=dev)
    found = []
    for run in runs:  # a sentence's targets stand in their order in both
        said = devscores.view(TASK, sides[1], run.predictions)[1]
        found.append(Run([replace(p, id=e.id) for p, e in zip(said, held.examples, strict=True)], run.facts))
    return found


def read(given: Any) -> None:
    """Train the rows of the table on train, and read both dev files once a row and seed."""
    given.only = given.only or ["base", *AVERAGED]
    refused = set(given.only) & {"distilled", "joint", "joint, shared"}
    if refused:
        raise SystemExit(f"--only: {min(refused)!r} is a row of `screen` alone")
    found: dict[str, list[list[Prediction]]] = {}
    train = limited(part(given.data / "train.jsonl"), given.limit)
    both, cuts = files(given, {e.sentence.document for e in train.examples})
    single, rows = "base", settings(ROWS, given)
    for name, own in rows.items():
        if name in AVERAGED:
            own.update(rows[single])
            found[name] = averaged(given, name, own, found[single], train, both)
        else:
            single, dev = name, Part(TASK) if name.startswith(WHOLE) else None
            if name in STUDENTS:
                own["teachers"] = teachers(given.keep, f"dev {STUDENTS[name]}")
            asked = both_of(both, train) if name in STUDENTS.values() else both
            runs = run_seeds(given, f"dev {name}", own, train, asked, metric=FIGURE.row, dev=dev)
            found[name] = [run.predictions[: len(both)] for run in runs]
        for title, numbers in cuts.items():
            print(title)
            told = {row: [[run[k] for k in numbers] for run in runs] for row, runs in found.items()}
            book, held = Book(given, "newsmtsc", title), subset(both, numbers)
            book.figures(name, held, told[name], [FIGURE], own)
            for other in (row for row in found if row not in (name, *AVERAGED)):
                book.differences(name, other, held, told, [FIGURE], own)


def files(given: Any, articles: set[str]) -> tuple[Part, dict[str, list[int]]]:
    """Return the two dev files as one part, and the rows of each: all, and those whose article is not in train."""
    both, cuts = Part(TASK), {}
    for name in ("dev_rw", "dev_mt"):
        own, first = limited(part(given.data / f"{name}.jsonl"), given.limit), len(both)
        both = both_of(both, own)
        cuts[name] = list(range(first, len(both)))
        title = f"{name}, articles not in train"
        cuts[title] = [k for k in cuts[name] if both.examples[k].sentence.document not in articles]
    return both, cuts


def main() -> None:
    """Read the arguments and run one of the two steps."""
    options = parser(__doc__, data="the folder with train.jsonl and the dev files")
    options.add_argument("step", choices=["screen", "read"])
    options.add_argument("--articles", type=int, default=0, help="so many articles of train for `screen` (0: all)")
    options.set_defaults(keep=Path("runs/newsmtsc-levers"))
    given = parse(options)
    {"screen": screen, "read": read}[given.step](given)


if __name__ == "__main__":
    main()
