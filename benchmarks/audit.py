"""The audit on data whose weaknesses are known, and its time on 100,000 sentences.

Run from the repository root, each part by itself:
    OMP_NUM_THREADS=1 python benchmarks/audit.py --babe PATH/final_labels_SG2.xlsx
    OMP_NUM_THREADS=1 python benchmarks/audit.py --tweeteval PATH
    OMP_NUM_THREADS=1 python benchmarks/audit.py --speed 100000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stancekit.auditing import audit
from stancekit.files import write_lines, write_text
from stancekit.text.duplicates import exact_duplicates, near_duplicates


def babe(path: Path) -> None:
    """Print the audit of BABE's bias labels."""
    print(audit(path, task="bias", format="babe", by=["document", "topic", "outlet", "leaning"]))


def tweeteval(path: Path) -> None:
    """Print the audit of TweetEval's stance data, split as published: val is the held-out side."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "published-split.yaml"
        write_text(
            plan,
            f"name: published-split\ntask: stance\ndata: {{path: '{path.resolve()}', format: tweeteval}}\n"
            "split: {by: [id], test: {part: [val]}, dev: 0}\nmodel: majority\n",
        )
        print(audit(plan))


def speed(count: int) -> None:
    """Print the seconds of a whole audit, and of its search for duplicates, on made-up sentences."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentences.jsonl"
        rows = list(made_up(count, np.random.default_rng(13)))
        write_lines(path, rows)
        texts = [row["text"] for row in rows]
        start = time.perf_counter()
        exact, near = exact_duplicates(texts), near_duplicates(texts, threshold=0.7)
        seconds = time.perf_counter() - start
        print(f"duplicates: {seconds:.1f} s ({len(exact)} exact groups, {len(near)} pairs)")
        start = time.perf_counter()
        found = audit(path)
        print(f"whole audit: {time.perf_counter() - start:.1f} s, CPU {time.process_time():.1f} s in all")
        print(found)


def made_up(count: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield sentences of 8 to 30 words by Zipf's law, 20 a document, every hundredth a copy of the one 50 before.

    Documents have one of 40 outlets, an event each five of them, and a day; the label leans on one word in ten.
    """
    words = np.array([f"w{k}" for k in range(50_000)])
    weights = 1 / np.arange(1, len(words) + 1)
    lengths = rng.integers(8, 31, count)
    drawn = rng.choice(len(words), lengths.sum(), p=weights / weights.sum())
    texts: list[str] = []
    for k, numbers in enumerate(np.split(drawn, np.cumsum(lengths)[:-1])):
        texts.append(texts[k - 50] if k % 100 == 99 else " ".join(words[numbers]))
        document = k // 20
        leaning = (numbers % 10 == 3).mean() + rng.normal(0, 0.05)
        yield {
            "id": f"s{k}",
            "document": f"d{document}",
            "index": k % 20,
            "text": texts[-1],
            "meta": {"outlet": f"o{document % 40}", "event": f"e{document // 5}", "date": f"day {document % 365}"},
            "labels": {"tone": "loaded" if leaning > 0.1 else "plain"},
        }


def main() -> None:
    """Read the arguments and run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--babe", type=Path, help="BABE's final_labels_SG2.xlsx")
    parser.add_argument("--tweeteval", type=Path, help="the folder with one folder a target")
    parser.add_argument("--speed", type=int, help="the number of made-up sentences")
    given = parser.parse_args()
    for name, part in (("babe", babe), ("tweeteval", tweeteval), ("speed", speed)):
        if getattr(given, name) is not None:
            part(getattr(given, name))


if __name__ == "__main__":
    main()
