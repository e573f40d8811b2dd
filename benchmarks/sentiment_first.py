"""An encoder that has learnt the sentiment of sentences first, for NewsMTSC and BABE to begin with.

Run from the repository root:
    python benchmarks/sentiment_first.py --data FOLDER [--to runs/sentiment-first]

FOLDER is `hutto_ICWSM_2014` out of the source package of vaderSentiment 3.3.2 (MIT; Hutto & Gilbert 2014): 23,703
snippets of editorials, film and product reviews and tweets, each with some twenty readers' ratings from −4 to 4. The
shares of readers who found a snippet negative, neutral and positive are learnt, as annotators' votes; nothing of it is
news about a target.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_common import build
from stancekit import tasks
from stancekit.files import file_hash, make_folder
from stancekit.schema import Layers, Sentence
from stancekit.tasks import Part

FILES = ("nytEditorialSnippets", "movieReviewSnippets", "amazonReviewSnippets", "tweets")
TASK = tasks.own("sentiment", "single", ["negative", "neutral", "positive"])
SEED = 13
MODEL = {
    "name": "transformer",
    "max_length": 128,
    "training": {"epochs": 2, "batch_size": 16, "learning_rate": 1e-4, "head_rate": 5.0, "average": 0.3},
}


def rows(path: Path) -> dict[str, str]:
    """Return the last column of a tab-separated file by its first."""
    found = {}
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        columns = line.split("\t")
        if len(columns) >= 3:
            found[columns[0]] = columns[-1]
    return found


def shares(ratings: str) -> list[float]:
    """Return the shares of readers who found a snippet negative, neutral and positive."""
    signs = np.sign(json.loads(ratings))
    return [float(np.mean(signs == sign)) for sign in (-1, 0, 1)]


def read(folder: Path) -> tuple[Part, NDArray[np.float64]]:
    """Return the snippets, and their readers' shares, (n, labels)."""
    sentences, said = [], []
    for name in FILES:
        texts, ratings = (rows(folder / f"{name}_{kind}.txt") for kind in ("GroundTruth", "anonDataRatings"))
        for number, text in texts.items():
            own = shares(ratings[number])
            gold = Layers(text=text, labels={TASK.name: TASK.labels[int(np.argmax(own))]})
            sentences.append(Sentence(id=f"{name}/{number}", text=text, gold=gold))
            said.append(own)
    return tasks.part(TASK, sentences), np.array(said)


def main() -> None:
    """Read the arguments, train, and save the encoder."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="the folder with the snippets and ratings")
    options.add_argument("--encoder", default="minilm", help="minilm, a folder or a hub id")
    options.add_argument("--to", type=Path, default=Path("runs/sentiment-first"), help="where the encoder goes")
    given = options.parse_args()
    part, said = read(given.data)
    print(f"{len(part)} snippets; shares of labels {said.mean(axis=0).round(3).tolist()}")
    model = build({**MODEL, "encoder": given.encoder}, SEED)
    model.fit_shares(part, said, Part(TASK))
    model.save(make_folder(given.to))
    print(f"{given.to}: model.safetensors {file_hash(given.to / 'model.safetensors')}")


if __name__ == "__main__":
    main()
