"""NewsMTSC with fine-tuned encoders: levers on a cut of train, then the rows of the table on the dev files.

Run from the repository root:
    python benchmarks/neural_newsmtsc.py screen --data PATH [--only NAME …]   levers, articles of train held out
    python benchmarks/neural_newsmtsc.py read --data PATH [--only NAME …]     dev_rw and dev_mt, once a row

Every model stops by an inner dev cut from its train by article; the held-out part is read once a model. Levers are
compared with the base by the paired bootstrap over articles, the seeds' predictions counted together.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from ledger import append
from newsmtsc import TASK, part, subset
from stancekit import components, scoring
from stancekit.data import predictions as predictions_file
from stancekit.models.base import Workspace
from stancekit.schema import Prediction
from stancekit.scoring import build_metrics, count
from stancekit.tasks import Part

BASE: dict[str, Any] = {
    "name": "transformer",
    "pool": "target",
    "target": "mark",
    "max_length": 128,
    "training": {"epochs": 3, "batch_size": 16, "learning_rate": 5e-5},
}
LEVERS: dict[str, dict[str, Any]] = {
    "base": {},
    "pool mean": {"pool": "mean"},
    "pool standard": {"pool": "standard"},
    "pair, pool standard": {"pool": "standard", "target": "pair"},
    "mark and pair": {"target": "both"},
    "blind": {"target": "blind", "pool": "mean"},
    "context 1": {"context": 1},
    "learning rate 1e-4": {"training": {"learning_rate": 1e-4}},
    "layer decay .8, rate 1e-4": {"training": {"layer_decay": 0.8, "learning_rate": 1e-4}},
    "averaged": {"training": {"average": 0.4}},
    "r-drop .5": {"r_drop": 0.5},
    "focal": {"loss": "focal"},
    "balanced": {"class_weight": "balanced"},
    "batch 32": {"training": {"batch_size": 32}},
    "5 epochs": {"training": {"epochs": 5}},
}


def merged(change: dict[str, Any]) -> dict[str, Any]:
    """Return the base with a lever's settings over it."""
    return {**BASE, **change, "training": {**BASE["training"], **change.get("training", {})}}


def cut(whole: Part, step: int, first: int = 0) -> tuple[Part, Part]:
    """Return a part without every n-th article, and those articles."""
    held = set(sorted({e.sentence.document for e in whole.examples})[first::step])
    sides: tuple[list[int], list[int]] = ([], [])
    for k, example in enumerate(whole.examples):
        sides[example.sentence.document in held].append(k)
    return subset(whole, sides[0]), subset(whole, sides[1])


def macro_f1(held: Part, predictions: Any) -> float:
    """Return macro-F1 without an interval: what dev is judged by while training."""
    metric = build_metrics(TASK, ["f1"])["f1"]
    return float(metric.score(count(metric, held, [p.answer for p in predictions]).sum(axis=0))[0])


def fitted(train: Part, settings: dict[str, Any], seed: int) -> Any:
    """Return a model trained on train but for every tenth article, by which it stops."""
    rest, dev = cut(train, 10, 1)
    values = {k: v for k, v in settings.items() if k != "name"}
    model = components.build("model", settings["name"], {**values, "seed": seed})
    started = time.monotonic()
    space = Workspace(score=macro_f1, metric="macro_f1")
    model.fit(rest, dev, workspace=space)
    seconds = time.monotonic() - started
    print(f"  seed {seed}: {seconds:.0f} s, dev {space.curve.get('dev')}", flush=True)
    return model


def together(runs: list[list[Prediction]], held: Part) -> tuple[Part, list[Prediction]]:
    """Return the held-out part once a seed, with ids of its own, and all predictions over it."""
    from dataclasses import replace

    examples, found = [], []
    for number, predictions in enumerate(runs):
        examples += [replace(e, id=f"{number}:{e.id}") for e in held.examples]
        found += [replace(p, id=f"{number}:{p.id}") for p in predictions]
    return Part(held.task, tuple(examples), held.gold * len(runs)), found


def screen(data: Path, only: list[str], seeds: list[int], keep: Path) -> None:
    """Train every lever on four fifths of train's articles and compare it with the base on the rest."""
    train, held = cut(part(data / "train.jsonl"), 5)
    keep.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[list[Prediction]]] = {}
    for name in only or LEVERS:
        found[name] = []
        for seed in seeds:
            file = keep / f"{name} {seed}.jsonl"
            if not file.exists():
                model = fitted(train, merged(LEVERS[name]), seed)
                rows = [predictions_file.dump(p) for p in model.predict(held.examples)]
                file.write_text("".join(json.dumps(r) + "\n" for r in rows))
            texts = {e.id: e.sentence.text for e in held.examples}
            found[name].append(list(predictions_file.read(file, "targeted", texts)))
        whole, predictions = together(found[name], held)
        score = scoring.score(whole, predictions, metrics=["f1"], resamples=2000).find("macro_f1")
        print(f"{name:28} {100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]", flush=True)
        if name != "base" and "base" in found:
            other = together(found["base"], held)[1]
            pair = scoring.compare(whole, {"base": other, name: predictions}, metrics=["f1"], resamples=2000)
            row = pair.find("macro_f1", slice=f"{name} − base")
            shown = f"{100 * row.value:+.1f} [{100 * row.low:+.1f}, {100 * row.high:+.1f}]"
            print(f"{'':28} − base {shown} p {row.p:.3f}", flush=True)
            append("newsmtsc", "every fifth article of train", row, f"{name} − base", merged(LEVERS[name]))


def read(data: Path, only: list[str], seeds: list[int]) -> None:
    """Train the rows of the table on train, and read both dev files once a row and seed."""
    train = part(data / "train.jsonl")
    articles = {e.sentence.document for e in train.examples}
    for name in only or ["base"]:
        models = [fitted(train, merged(LEVERS[name]), seed) for seed in seeds]
        for file in ("dev_rw", "dev_mt"):
            whole = part(data / f"{file}.jsonl")
            apart = [k for k, e in enumerate(whole.examples) if e.sentence.document not in articles]
            for title, test in ((file, whole), (f"{file}, articles not in train", subset(whole, apart))):
                runs = [model.predict(test.examples) for model in models]
                each = [100 * macro_f1(test, run) for run in runs]
                score = scoring.score(*together(runs, test), metrics=["f1"]).find("macro_f1")
                shown = f"{100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]"
                print(f"{name:20} {title:32} {shown} seeds {' '.join(f'{v:.1f}' for v in each)}", flush=True)
                append("newsmtsc", title, score, f"{name}, {len(seeds)} seeds", merged(LEVERS[name]) | {"seeds": seeds})


def main() -> None:
    """Read the arguments and run one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["screen", "read"])
    parser.add_argument("--data", type=Path, required=True, help="the folder with train.jsonl and the dev files")
    parser.add_argument("--only", nargs="*", default=[], help="names of levers")
    parser.add_argument("--seeds", nargs="*", type=int, default=[13, 14, 15])
    parser.add_argument("--keep", type=Path, default=Path("runs/newsmtsc-levers"), help="where predictions are kept")
    given = parser.parse_args()
    if given.step == "screen":
        screen(given.data, given.only, given.seeds, given.keep)
    else:
        read(given.data, given.only, given.seeds)


if __name__ == "__main__":
    main()
