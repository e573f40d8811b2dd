"""The ladder of frames: train every rung from majority to joint, evaluate on held-out events, compare with the first.

Rungs that are finished are kept (`--replace` trains them anew), unfinished ones are gone on with. Names of rungs
(`3-linear 8-joint`) take these alone.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNGS = [path.stem.removeprefix("ladder-") for path in sorted((ROOT / "experiments").glob("ladder-*.yaml"))]
RUNS = Path("runs") / "ladder"


def run(*arguments: str, quiet: bool = False) -> float:
    """Show a command, run it, and return the seconds it took; a failure ends the ladder with its exit code.

    Ctrl-C is left to the command, which saves what was learnt before it ends; `quiet` keeps its output back.
    """
    print(f"\n$ stancekit {' '.join(arguments)}", flush=True)
    started = time.monotonic()
    found = signal.signal(signal.SIGINT, lambda *_: None)
    out = subprocess.DEVNULL if quiet else None
    done = subprocess.run([sys.executable, "-m", "stancekit", *arguments], cwd=ROOT, stdout=out)
    signal.signal(signal.SIGINT, found)
    if done.returncode:
        sys.exit(done.returncode)
    return time.monotonic() - started


def climb(rung: str, replace: bool) -> list[float]:
    """Train and evaluate a rung where that is not done; return the seconds of both, none for a rung that is kept."""
    folder = RUNS / rung
    done = [] if replace else files_of(folder)
    if "scores.test.json" in done:
        print(f"\n{folder} is finished: kept")
        return []
    took = [0.0]
    if not done:
        took = [run("train", f"experiments/ladder-{rung}.yaml", "--restart" if replace else "--resume")]
    took.append(run("evaluate", str(folder), quiet=True))
    print(f"trained in {took[0]:.0f} s, evaluated in {took[1]:.0f} s; {folder / 'report.test.html'}")
    return took


def files_of(folder: Path) -> list[str]:
    """Return the files that a finished run lists; none where there is no such run."""
    manifest = ROOT / folder / "manifest.json"
    return list(json.loads(manifest.read_text(encoding="utf-8"))["files"]) if manifest.exists() else []


def main(arguments: Sequence[str] | None = None) -> None:
    """Climb the ladder, compare its rungs, and say how long each took."""
    parser = argparse.ArgumentParser(description="Train, evaluate and compare the ladder of frames.")
    parser.add_argument("rungs", nargs="*", metavar="RUNG", help=f"these alone (of {', '.join(RUNGS)})")
    parser.add_argument("--replace", action="store_true", help="train finished rungs anew")
    asked = parser.parse_args(arguments)
    for name in asked.rungs:
        if name not in RUNGS:
            parser.error(f"there is no rung {name!r}; one of {', '.join(RUNGS)}")
    rungs = [name for name in RUNGS if name in asked.rungs or not asked.rungs]
    took = {name: climb(name, asked.replace) for name in rungs}
    if len(rungs) > 1:
        run("compare", *(str(RUNS / name) for name in rungs), "--to", str(RUNS / "comparison"))
    print("\nseconds, training + evaluation:")
    for name, seconds in took.items():
        print(f"  {name:14} {' + '.join(f'{s:.0f}' for s in seconds) or 'kept'}")
    if len(rungs) > 1:
        print(f"\ncomparison: {ROOT / RUNS / 'comparison' / 'compare.html'}")


if __name__ == "__main__":
    main()
