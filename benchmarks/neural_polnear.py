"""PolNeAR with fine-tuned encoders: `relations` (a cue at a time) and `joint` (one pass), strict and linked F1.

Run from the repository root, with the folder that holds `train` and `dev`:
    python benchmarks/neural_polnear.py inner --data PATH     every sixth article of train held out
    python benchmarks/neural_polnear.py dev --data PATH       reads dev once a row, and notes it in the ledger

The cut is that of benchmarks/polnear.py, whose CRF and whose ceiling of a perfect tagger stand beside these figures.
Every model stops by each tenth article of its train. With `--also`, `joint` learns attribution, devices and stance from
the bundled corpus too (its train part). `--articles N` trains on a part of train, drawn by hash; `--judge` names the
figure of attribution by which models stop.
"""

from __future__ import annotations

import argparse

from neural_common import Run, Settings, bundled, cut, drawn, limited, parse, parser, run_seeds, settings
from neural_figures import Book, Figure, rates
from polnear import TASK, every, read
from stancekit import codebook, tasks
from stancekit.runs import devscores
from stancekit.schema import Prediction, Sentence
from stancekit.tasks import Part, Task

ROWS: dict[str, Settings] = {"relations": {"name": "relations"}, "joint": {"name": "joint"}}
FIGURES = [Figure("strict", "strict_f1", label) for label in ("", "source", "cue", "content")]
FIGURES += [Figure(f"linked_{kind}", f"linked_{kind}_f1") for kind in ("exact", "overlap")]


def parts(task: Task, train: list[Sentence], held: list[Sentence], limit: int) -> tuple[Part, Part, Part]:
    """Return what to learn from, what to stop by, and what is held out, as examples of a task."""
    rest, dev = cut(limited(tasks.part(task, train), limit), 10, 1)
    return rest, dev, limited(tasks.part(task, held), limit)


def kept(given: argparse.Namespace, title: str) -> str:
    """Return what a row's kept predictions are called: steps and sizes of train stand beside one another."""
    return f"{given.step} {given.articles} {title}" if given.articles else f"{given.step} {title}"


def relations(given: argparse.Namespace, own: Settings, train: list[Sentence], held: list[Sentence]) -> list[Run]:
    """Return a run of `relations` for each seed."""
    rest, dev, test = parts(TASK, train, held, given.limit)
    return run_seeds(given, kept(given, "relations"), own, rest, test, metric=given.judge, dev=dev)


def joint(given: argparse.Namespace, own: Settings, train: list[Sentence], held: list[Sentence]) -> list[Run]:
    """Return a run of `joint` for each seed, its attributions alone."""
    task = tasks.layers(codebook.default()) if given.also else tasks.over([TASK])
    rest, dev, test = parts(task, train, held, given.limit)
    if given.also:
        more = limited(tasks.part(task, bundled()), given.limit)
        rest = Part(task, rest.examples + more.examples, rest.gold + more.gold)
    title = "joint, also dispatches" if given.also else "joint"
    runs = run_seeds(given, kept(given, title), own, rest, test, metric=f"attribution {given.judge}", dev=dev)
    return [Run(attributions(test, run.predictions), run.facts) for run in runs]


def attributions(held: Part, predictions: list[Prediction]) -> list[Prediction]:
    """Return the attributions of predicted layers."""
    return devscores.view(TASK, held, predictions)[1]


def measure(given: argparse.Namespace, train: list[Sentence], held: list[Sentence], part: str) -> None:
    """Train, predict and print the figures of every row, and how the second is above the first."""
    articles = drawn([s.document for s in train], given.articles)
    train = [s for s in train if s.document in articles]
    book = Book(given, "polnear", part + (f", {len(articles)} articles to learn from" if given.articles else ""))
    test = limited(tasks.part(TASK, held), given.limit)
    found = {}
    for title, own in settings(ROWS, given).items():
        runs = {"relations": relations, "joint": joint}[title](given, own, train, held)
        own = {**own, "judge": given.judge}
        title = f"{title}, also dispatches" if title == "joint" and given.also else title
        found[title] = [run.predictions for run in runs]
        print(f"{title}: {rates(runs)}")
        book.figures(title, test, found[title], FIGURES, own)
        if len(found) == 2:
            book.differences(title, "relations", test, found, FIGURES, own)


def main() -> None:
    """Read the arguments and run one of the two steps."""
    options = parser(__doc__, data="the folder with train and dev")
    options.add_argument("step", choices=["inner", "dev"])
    options.add_argument("--articles", type=int, default=0, help="so many articles of train (0: all)")
    options.add_argument("--also", action="store_true", help="let joint learn from the bundled corpus, too")
    options.add_argument("--judge", default="linked_overlap_f1", help="the figure by which models stop")
    given = parse(options)
    train = read(given.data / "train")
    if given.step == "inner":
        held = every(train, 6)
        inner, outer = ([s for s in train if (s.document in held) is side] for side in (False, True))
        measure(given, inner, outer, "every sixth article of train")
    else:
        measure(given, train, read(given.data / "dev"), "dev")


if __name__ == "__main__":
    main()
