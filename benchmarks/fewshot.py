"""Few examples: `fewshot` beside the SetFit recipe, 8, 16 and 64 a class, on GWSD and NewsMTSC.

Run from the repository root:
    python benchmarks/fewshot.py compare --data PATH [--sets gwsd newsmtsc] [--sizes 8 16 64] [--held 1000]
    python benchmarks/fewshot.py overall --data PATH   the mean of all differences, after `compare`
    python benchmarks/fewshot.py read --data PATH      NewsMTSC's dev files, fewshot alone, once a row

PATH holds the folders `gwsd` and `newsmtsc`. A quarter of each train file's documents (GWSD: sentences) is held out,
always the same, and `--held` examples of it are predicted; a seed draws the examples to learn from the rest. Each
system learns and predicts in a process of its own, the two one after the other, so that seconds (to learn; of the wall
and of the process) and peak memory are its own. Both read the same texts (a target with a span is marked) with the
same encoder and number format. Figures count the seeds together, with intervals over documents; "over seeds" gives
the mean ± t · standard error of the seeds.

The recipe of SetFit (Tunstall et al. 2022) is that of `setfit_recipe.py`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from neural_common import MEASURED, Clock, build, limited, parse, parser, read_kept, subset
from neural_figures import Book, Figure, counted
from setfit_recipe import learn_setfit
from stancekit import scoring, tasks
from stancekit.data import predictions as predictions_file
from stancekit.data.load import load
from stancekit.files import write_lines
from stancekit.schema import Prediction
from stancekit.tasks import Part

TASKS = {
    "gwsd": tasks.own("agreement", "targeted", ["disagree", "agree", "neutral"]),
    "newsmtsc": tasks.own("sentiment", "targeted", ["negative", "neutral", "positive"]),
}
FILES = {"gwsd": "gwsd/GWSD_train.tsv", "newsmtsc": "newsmtsc/train.jsonl"}
SIZES = (8, 16, 64)
FIGURE = Figure("f1", "macro_f1")
SYSTEMS = ("fewshot", "setfit")
MAX_LENGTH = 256
CUT_SEED = 99


def whole(data: Path, name: str) -> Part:
    """Return the labelled examples of a train file."""
    return tasks.part(TASKS[name], load(data / FILES[name], format=name).sentences)


def sides(given: argparse.Namespace, name: str) -> tuple[Part, Part]:
    """Return what may be learnt from, and at most `--held` examples of the documents held out."""
    part = whole(given.data, name)
    rng = np.random.default_rng(CUT_SEED)
    documents = rng.permutation(sorted({e.sentence.document for e in part.examples})).tolist()
    out = set(documents[: len(documents) // 4])
    rows: tuple[list[int], list[int]] = ([], [])
    for k, example in enumerate(part.examples):
        rows[example.sentence.document in out].append(k)
    held = subset(part, sorted(rng.permutation(rows[1])[: given.held].tolist()))
    return subset(part, rows[0]), limited(held, given.limit)


def few(part: Part, size: int, seed: int) -> Part:
    """Return so many examples of each class, drawn by seed."""
    rng = np.random.default_rng(seed)
    rows: list[int] = []
    for label in part.task.labels:
        own = [k for k, answer in enumerate(part.gold) if answer == label]
        rows += rng.permutation(own)[:size].tolist()
    return subset(part, rows)


def learn_fewshot(train: Part, held: Part, own: dict[str, Any], seed: int) -> tuple[list[Prediction], dict[str, float]]:
    """Return the predictions of the model and the seconds it took to learn."""
    model = build({"name": "fewshot", **own}, seed)
    clock = Clock()
    model.fit(train, Part(train.task))
    seconds = clock.read()
    return model.predict(held.examples), seconds


def one(given: argparse.Namespace) -> None:
    """Learn and predict one cell in this process; write the predictions, print seconds and peak memory."""
    train, held = sides(given, given.sets[0])
    train = few(train, given.sizes[0], given.seeds[0])
    own = json.loads(given.setting)
    learn = {"fewshot": learn_fewshot, "setfit": learn_setfit}[given.system]
    found, seconds = learn(train, held, own, given.seeds[0])
    write_lines(given.keep, [predictions_file.dump(p) for p in found])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**seconds, "MiB": peak}))


def apart(
    given: argparse.Namespace, system: str, name: str, size: int, seed: int, own: dict[str, Any]
) -> dict[str, Any]:
    """Run one cell in a process of its own, or take what it left, and return its measurements."""
    folder = given.keep / name
    folder.mkdir(parents=True, exist_ok=True)
    place, beside = folder / f"{system} {size} {seed}.jsonl", folder / f"{system} {size} {seed}.json"
    key = {"setting": own, "held": given.held, "limit": given.limit}
    if beside.exists():
        known: dict[str, Any] = json.loads(beside.read_text())
        if {k: known[k] for k in key} == key:
            return known
    words = [sys.executable, __file__, "one", "--data", given.data, "--sets", name, "--sizes", size, "--seeds", seed]
    words += ["--held", given.held, "--limit", given.limit, "--system", system]
    words += ["--setting", json.dumps(own), "--keep", place]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, check=True)
    measured = {**key, **json.loads(done.stdout.splitlines()[-1])}
    beside.write_text(json.dumps(measured) + "\n")
    print(f"  {system} {size} a class, seed {seed}: {measured['seconds']:.1f} s, {measured['MiB']:.0f} MiB", flush=True)
    return measured


def settings_of(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the settings of the two systems; SetFit computes in bf16 where fewshot does."""
    from stancekit.models.neural.encoders import hardware

    bf16 = hardware.precision("auto", hardware.device("cpu")) == "bf16"
    own = {"encoder": given.encoder, "max_length": MAX_LENGTH, "training": {"device": "cpu"}}
    return {"fewshot": own, "setfit": {"encoder": given.encoder, "bf16": bf16}}


def compare(given: argparse.Namespace) -> None:
    """Print score, seconds and memory of both systems for every set and size, and their differences and ratios."""
    own = settings_of(given)
    for name in given.sets:
        held = sides(given, name)[1]
        book = Book(given, name, f"a quarter of train's documents, {len(held)} examples")
        for size in given.sizes:
            rows = [{s: apart(given, s, name, size, seed, own[s]) for s in SYSTEMS} for seed in given.seeds]
            cells = {s: [row[s] for row in rows] for s in SYSTEMS}
            runs = {s: [kept(given, name, s, size, seed, held) for seed in given.seeds] for s in SYSTEMS}
            titles = {s: f"{s}, {size} a class" for s in SYSTEMS}
            for s in SYSTEMS:
                book.figures(
                    titles[s], held, runs[s], [FIGURE], {"name": "fewshot", "system": s, **own[s], **mean(cells[s])}
                )
                print(f"{'':28} over seeds {over_seeds([100 * FIGURE.of(held, run) for run in runs[s]])}")
            ratios = {key: [f[key] / s[key] for f, s in zip(*cells.values(), strict=True)] for key in MEASURED}
            shown = {f"{key}, ratio": over_seeds(values) for key, values in ratios.items()}
            setting = {"name": "fewshot", **own["fewshot"], **shown}
            both = {titles[s]: runs[s] for s in SYSTEMS}
            book.differences(titles["fewshot"], titles["setfit"], held, both, [FIGURE], setting)
            print(f"{'':28} fewshot / setfit: {'; '.join(f'{k} {v}' for k, v in shown.items())}", flush=True)


def mean(cells: list[dict[str, Any]]) -> dict[str, float]:
    """Return mean seconds and memory."""
    return {key: round(float(np.mean([cell[key] for cell in cells])), 1) for key in MEASURED}


def over_seeds(values: list[float]) -> str:
    """Return a mean with the interval that seeds alone give."""
    if len(values) < 2:
        return f"{values[0]:.2f}"
    reach = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{np.mean(values):.2f} ± {reach:.2f}"


def kept(given: argparse.Namespace, name: str, system: str, size: int, seed: int, held: Part) -> list[Prediction]:
    """Return the predictions that a cell left."""
    return read_kept(given.keep / name / f"{system} {size} {seed}.jsonl", held)


def overall(given: argparse.Namespace) -> None:
    """Print the mean over all cells of how far fewshot is above the recipe, from the predictions that they left."""
    metrics = [scoring.build_metrics(TASKS[name], [FIGURE.metric])[FIGURE.metric] for name in given.sets]
    cells, groups = [], []
    for at, (name, metric) in enumerate(zip(given.sets, metrics, strict=True)):
        held = sides(given, name)[1]
        own = np.zeros((len(held), len(given.sets), len(given.sizes), len(SYSTEMS), metric.size))
        for k, size in enumerate(given.sizes):
            for s, system in enumerate(SYSTEMS):
                for seed in given.seeds:
                    answers = [p.answer for p in kept(given, name, system, size, seed, held)]
                    own[:, at, k, s] += scoring.count(metric, held, answers)
        cells.append(own)
        groups += [(name, e.sentence.document) for e in held.examples]
    whole = np.concatenate(cells)

    def score(summed: np.ndarray) -> np.ndarray:
        found = summed.reshape(*summed.shape[:-1], *whole.shape[1:])
        row = [metric.rows.index((FIGURE.row, FIGURE.label)) for metric in metrics]
        each = [metric.score(found[..., at, :, :, :])[..., row[at]] for at, metric in enumerate(metrics)]
        ours, theirs = np.moveaxis(np.stack(each), -1, 0)
        return (ours - theirs).mean(axis=(0, -1))

    book = Book(given, ", ".join(given.sets), "a quarter of train's documents")
    title = f"fewshot − setfit, mean of {', '.join(map(str, given.sizes))} a class"
    flat = whole.reshape(len(whole), -1)
    book.tell(title, FIGURE.row, counted(FIGURE.row, flat, groups, score), {"name": "fewshot"})


def read(given: argparse.Namespace) -> None:
    """Learn from draws of NewsMTSC's whole train file, and read the two dev files once a row."""
    train, own = whole(given.data, "newsmtsc"), settings_of(given)["fewshot"]
    tests = {
        f: tasks.part(train.task, load(given.data / f"newsmtsc/{f}.jsonl", format="newsmtsc").sentences)
        for f in ("dev_rw", "dev_mt")
    }
    for size in given.sizes:
        models = []
        for seed in given.seeds:
            models.append(build({"name": "fewshot", **own}, seed))
            models[-1].fit(few(train, size, seed), Part(train.task))
        for file, test in tests.items():
            runs = [model.predict(test.examples) for model in models]
            Book(given, "newsmtsc", file).figures(
                f"fewshot, {size} a class", test, runs, [FIGURE], {"name": "fewshot", **own}
            )


def main() -> None:
    """Read the arguments and run one of the steps."""
    options = parser(__doc__, data="the folder that holds gwsd and newsmtsc")
    steps = {"compare": compare, "overall": overall, "read": read, "one": one}
    options.add_argument("step", choices=list(steps), help="`one` is what `compare` runs for each cell")
    options.add_argument("--sets", nargs="*", choices=list(TASKS), default=list(TASKS))
    options.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    options.add_argument("--held", type=int, default=1000, help="so many examples are predicted")
    options.add_argument("--system", choices=SYSTEMS, help=argparse.SUPPRESS)
    options.add_argument("--setting", help=argparse.SUPPRESS)
    given = parse(options)
    steps[given.step](given)


if __name__ == "__main__":
    main()
