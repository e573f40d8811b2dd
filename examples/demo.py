"""The main job end to end: train on the bundled corpus, evaluate on held-out events, tag a new article."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMES = ("attribution", "framing", "stance", "holder")


def run(*arguments: str) -> None:
    """Show a command, and run it."""
    print(f"\n$ stancekit {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "stancekit", *arguments], check=True, cwd=ROOT)


def first_lines(report: Path, count: int = 24) -> str:
    """Return the first lines of a Markdown report that hold something."""
    text = re.sub(r"\n{2,}", "\n", report.read_text(encoding="utf-8"))
    return "\n".join(text.splitlines()[:count])


def main() -> None:
    """Run the demo and say where things lie."""
    started = time.monotonic()
    for name in NAMES:
        run("train", f"experiments/demo-{name}.yaml", "--replace")
        run("evaluate", f"runs/demo/{name}", "--quiet")
    run("tag", "examples/article.txt", "--actors", "examples/actors.yaml")
    print("\nreports:")
    for name in NAMES:
        print(f"  {ROOT / 'runs' / 'demo' / name / 'report.test.html'}")
    report = Path("runs") / "demo" / "holder" / "report.test.md"
    print(f"\nthe first lines of {report}:\n\n{first_lines(ROOT / report)}")
    print(f"\ndone in {time.monotonic() - started:.0f} s; now try: .venv/bin/stancekit tag FILE")


if __name__ == "__main__":
    main()
