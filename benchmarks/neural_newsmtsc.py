"""NewsMTSC with fine-tuned encoders: levers on a cut of train, then the rows of the table on the dev files.

Run from the repository root:
    python benchmarks/neural_newsmtsc.py screen --data PATH [--only NAME …]   levers, articles of train held out
    python benchmarks/neural_newsmtsc.py read --data PATH [--only NAME …]     dev_rw and dev_mt, once a row

Every model stops by an inner dev cut from its train by article; the held-out part is read once a model. Levers are
compared with the base by the paired bootstrap over articles, the seeds' predictions counted together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neural_common import cut, limited, parse, parser, run_seeds, settings, subset
from neural_figures import Book, Figure
from newsmtsc import part
from stancekit.tasks import Part

FIGURE = Figure("f1", "macro_f1")
BASE: dict[str, Any] = {
    "name": "transformer",
    "pool": "target",
    "target": "mark",
    "max_length": 128,
    "training": {"epochs": 3, "batch_size": 16, "learning_rate": 1e-4, "average": 0.3},
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
}


def merged(change: dict[str, Any]) -> dict[str, Any]:
    """Return the base with a lever's settings over it."""
    return {**BASE, **change, "training": {**BASE["training"], **change.get("training", {})}}


ROWS = {name: merged(change) for name, change in LEVERS.items()}


def screen(given: Any) -> None:
    """Train every lever on four fifths of train's articles and compare it with the base on the rest."""
    train, held = (limited(side, given.limit) for side in cut(part(given.data / "train.jsonl"), 5))
    book = Book(given, "newsmtsc", "every fifth article of train")
    found: dict[str, Any] = {}
    for name, own in settings(ROWS, given).items():
        runs = run_seeds(given, name, own, train, held, metric=FIGURE.row)
        found[name] = [run.predictions for run in runs]
        book.figures(name, held, found[name], [FIGURE], own)
        if name != "base" and "base" in found:
            book.differences(name, "base", held, found, [FIGURE], own)


def read(given: Any) -> None:
    """Train the rows of the table on train, and read both dev files once a row and seed."""
    given.only = given.only or ["base"]
    train = limited(part(given.data / "train.jsonl"), given.limit)
    articles = {e.sentence.document for e in train.examples}
    files = {name: limited(part(given.data / f"{name}.jsonl"), given.limit) for name in ("dev_rw", "dev_mt")}
    both = Part(train.task, *(sum((getattr(f, own) for f in files.values()), ()) for own in ("examples", "gold")))
    for name, own in settings(ROWS, given).items():
        runs = [run.predictions for run in run_seeds(given, f"dev {name}", own, train, both, metric=FIGURE.row)]
        first = 0
        for file, whole in files.items():
            apart = [k for k, e in enumerate(whole.examples) if e.sentence.document not in articles]
            for title, rows in ((file, list(range(len(whole)))), (f"{file}, articles not in train", apart)):
                print(title)
                found = [[run[first + k] for k in rows] for run in runs]
                Book(given, "newsmtsc", title).figures(name, subset(whole, rows), found, [FIGURE], own)
            first += len(whole)


def main() -> None:
    """Read the arguments and run one of the two steps."""
    options = parser(__doc__, data="the folder with train.jsonl and the dev files")
    options.add_argument("step", choices=["screen", "read"])
    options.set_defaults(keep=Path("runs/newsmtsc-levers"))
    given = parse(options)
    {"screen": screen, "read": read}[given.step](given)


if __name__ == "__main__":
    main()
