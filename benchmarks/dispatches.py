"""The baselines on the bundled corpus: leave one conflict out, each score shown; no interval over four conflicts.

Run: python benchmarks/dispatches.py [--conflict okessa …] [--without teshe …] > table.md
Trains attribution, framing (devices and frames), stance, voice and the join on three conflicts alone, and tests on
the fourth.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from stancekit import experiment
from stancekit.resources import bundled
from stancekit.scoring import Scores

CONFLICTS = ("orlen", "corrante", "teshe", "okessa")
PLANS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("voice-majority", "voice", ("macro_f1",)),
    ("voice-lexicon", "voice", ("macro_f1",)),
    ("voice-linear", "voice", ("macro_f1",)),
    ("frames-lexicon", "frames", ("macro_f1",)),
    ("frames-linear", "frames", ("macro_f1",)),
    ("stance-majority", "stance", ("macro_f1", "f_avg")),
    ("stance-lexicon", "stance", ("macro_f1", "f_avg")),
    ("stance-linear", "stance", ("macro_f1", "f_avg")),
    ("devices-lexicon", "devices", ("span_overlap_f1", "span_exact_f1")),
    ("demo-framing", "devices", ("span_overlap_f1", "span_exact_f1", "device_target_accuracy_named")),
    ("attribution-lexicon", "attribution", ("linked_overlap_f1", "strict_f1")),
    ("demo-attribution", "attribution", ("linked_overlap_f1", "linked_exact_f1", "strict_f1")),
    ("demo-holder", "holder", ("holder_accuracy", "holder_accuracy_not_author", "holder_f1")),
)


def corpus_without(conflicts: Sequence[str], folder: Path) -> Path:
    """Return a folder that holds the corpus but for some conflicts."""
    whole = bundled("data/dispatches")
    for name in CONFLICTS:
        if name not in conflicts:
            shutil.copytree(whole / name, folder / name)
    return folder


def run(plan: str, conflict: str, folder: Path, data: Path) -> Scores:
    """Train a plan with a conflict held out, and score it there."""
    changes = [f"split.test={{conflict: [{conflict}]}}", "split.lock=null", "split.stratify=false"]
    changes += [f"output={folder / plan}", "evaluation.slices=[]", f"data.path={data}", "data.format=markup"]
    changes += ["data.also=[]"]
    if plan == "demo-holder":
        changes += [f"model.attribution={folder / 'demo-attribution'}", f"model.framing={folder / 'demo-framing'}"]
    scores = experiment.evaluate(experiment.train(plan, changes))  # type: ignore[arg-type]
    assert isinstance(scores, Scores)
    return scores


def main() -> None:
    """Print one line a plan and metric, one column a held-out conflict: value and interval by document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--conflict", nargs="*", default=list(CONFLICTS))
    parser.add_argument("--without", nargs="*", default=[], help="leave these conflicts out of train, too")
    given = parser.parse_args()
    conflicts = given.conflict
    cells: dict[tuple[str, str], list[str]] = {}
    for conflict in conflicts:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "data").mkdir()
            data = corpus_without(given.without, Path(folder) / "data")
            for plan, _, metrics in PLANS:
                scores = run(plan, conflict, Path(folder), data)
                for metric in metrics:
                    row = scores.find(metric)
                    shown = "–" if row.value is None else f"{row.value:.3f}"
                    interval = "" if row.low is None or row.high is None else f" ({row.low:.2f}–{row.high:.2f})"
                    cells.setdefault((plan, metric), []).append(shown + interval)
    print("| experiment | metric | " + " | ".join(conflicts) + " |\n|---|---|" + "---|" * len(conflicts))
    for (plan, metric), values in cells.items():
        print(f"| {plan} | {metric} | " + " | ".join(values) + " |")


if __name__ == "__main__":
    main()
