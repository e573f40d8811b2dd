"""Fine-tuning with stancekit beside the plain Trainer and beside the pad-to-128 of example scripts, in one run.

Run from the repository root:
    python benchmarks/speed_neural.py --data PATH        PATH: NewsMTSC's train.jsonl

The same encoder, sentences, batch size, epochs and threads for all, but for the rows with batches of 16, which are
stancekit's default (the Trainer's is 8); turns alternate, and each round has another seed.
Every turn has a process of its own, in which a short one goes before that does not count.
*Trainer* is transformers' Trainer with its defaults: random batches padded to their longest, fp32; nothing is saved and
dev is not scored while training (by stancekit neither). *Pads to 128* is the same with all sentences at 128 pieces.
Seconds run from the texts to the trained model: loading the encoder and cutting into pieces count, and no kept pieces
are used. Dev is scored afterwards, by the last weights. The peak of memory is that of the process, on a GPU the GPU's.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from neural_common import build, limited, parse, settings
from neural_figures import Figure, shown, together
from speed_linear import LABELS, parts
from stancekit import scoring
from stancekit.models.neural.encoders import pretrained
from stancekit.schema import Prediction
from stancekit.tasks import Part

BASE = "Trainer, defaults"
FIGURE = Figure("f1", "macro_f1")
LENGTH = 256
SHORT = 128

Turn = Callable[[argparse.Namespace, Part, Part, int], tuple[float, list[Prediction]]]
"""Trains once with a seed: seconds, and the answers on dev."""


@dataclass
class Row:
    """What the turns of one way to train took and gave."""

    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    runs: list[list[Prediction]] = field(default_factory=list)


def on_gpu() -> bool:
    """Say whether there is a GPU to train on."""
    return torch.cuda.is_available()


def texts(part: Part) -> list[str]:
    """Return the text of every sentence."""
    return [e.sentence.text for e in part.examples]


def ours(**training: Any) -> Turn:
    """Return a turn of stancekit's `transformer` with some settings of its training."""

    def turn(given: argparse.Namespace, train: Part, dev: Part, seed: int) -> tuple[float, list[Prediction]]:
        recipe = {"epochs": given.epochs, "batch_size": given.batch, **training}
        base = {"name": "transformer", "max_length": LENGTH, "training": recipe}
        asked = argparse.Namespace(**{**vars(given), "only": [], "seeds": [seed]})
        own = settings({"transformer": base}, asked)["transformer"]
        started = time.perf_counter()
        model = build(own, seed)
        model.fit(train, Part(train.task))
        seconds = time.perf_counter() - started
        return seconds, model.predict(dev.examples)

    return turn


def plain(longest: int, padding: bool | str, batch: int = 0) -> Turn:
    """Return a turn of the Trainer with its defaults, sentences cut at so many pieces; `max_length` pads all to it.

    `batch` is a batch size of its own (0: that of all).
    """

    def turn(given: argparse.Namespace, train: Part, dev: Part, seed: int) -> tuple[float, list[Prediction]]:
        torch.use_deterministic_algorithms(False)  # stancekit's turns ask for them
        set_seed(seed)
        started = time.perf_counter()
        folder = pretrained.locate(given.encoder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        with pretrained.quietly():
            model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(LABELS))
        found = tokenizer(texts(train), truncation=True, max_length=longest, padding=padding)
        found["labels"] = [LABELS.index(str(label)) for label in train.gold]
        rows = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
        with tempfile.TemporaryDirectory() as output:
            quiet: dict[str, Any] = {"save_strategy": "no", "disable_tqdm": True, "dataloader_pin_memory": on_gpu()}
            sizes = {
                "per_device_train_batch_size": batch or given.batch,
                "num_train_epochs": given.epochs,
                "seed": seed,
            }
            trainer = Trainer(
                model,
                TrainingArguments(output, **sizes, **quiet),
                data_collator=DataCollatorWithPadding(tokenizer),
                train_dataset=rows,
                processing_class=tokenizer,
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        seconds = time.perf_counter() - started
        return seconds, _answers(model, tokenizer, dev, longest)

    return turn


def _answers(model: Any, tokenizer: Any, dev: Part, longest: int) -> list[Prediction]:
    model.eval()
    found: list[str] = []
    with torch.inference_mode():
        for start in range(0, len(dev), 32):
            own = texts(dev)[start : start + 32]
            batch = tokenizer(own, truncation=True, max_length=longest, padding=True, return_tensors="pt")
            found += [LABELS[k] for k in model(**batch.to(model.device)).logits.argmax(dim=-1).tolist()]
    return [Prediction(id=e.id, answer=label) for e, label in zip(dev.examples, found, strict=True)]


ROWS: dict[str, Turn] = {
    BASE: plain(LENGTH, False),
    "Trainer, pads to 128": plain(SHORT, "max_length"),
    "stancekit": ours(),
    "stancekit, fp32": ours(precision="fp32"),
    "stancekit, embeddings frozen": ours(freeze_embeddings=True),
    "stancekit, no dropout": ours(encoder_dropout=False, freeze_embeddings=True),
    "Trainer, batches of 16": plain(LENGTH, False, 16),
    "stancekit, batches of 16": ours(batch_size=16),
}


def take(given: argparse.Namespace, name: str, seed: int) -> tuple[float, list[Prediction], float]:
    """Take a turn of a row: seconds, answers on dev, and the peak of the memory of GPU or process in GiB."""
    train, dev = sides(given)
    ROWS[name](given, limited(train, 4), limited(dev, 4), 0)
    if on_gpu():
        torch.cuda.reset_peak_memory_stats()
    seconds, answers = ROWS[name](given, train, dev, seed)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # kibibytes
    return seconds, answers, torch.cuda.max_memory_allocated() / 2**30 if on_gpu() else own


def sides(given: argparse.Namespace) -> tuple[Part, Part]:
    """Return what is learnt from, and what is scored."""
    train, dev = (limited(part, given.limit) for part in parts(given.data))
    return train, dev


def measure(given: argparse.Namespace) -> dict[str, Row]:
    """Take the turns of every round, each round beginning with another row."""
    found = {name: Row() for name in given.only or ROWS}
    for number in range(given.rounds):
        names = list(found)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
                seconds, answers, memory = apart.submit(take, given, name, 13 + number).result()
            found[name].seconds.append(seconds)
            found[name].runs.append(answers)
            found[name].memory.append(memory)
            print(f"  round {number + 1}, {name}: {seconds:.1f} s", flush=True)
    return found


def tell(found: dict[str, Row], train: Part, dev: Part, epochs: float) -> None:
    """Print a line a row: examples a second, ratio to the Trainer, memory, dev score and its difference."""
    base = found.get(BASE)
    for name, row in found.items():
        each = [100 * FIGURE.of(dev, run) for run in row.runs]
        rate = len(train) * epochs / np.median(row.seconds)
        line = f"{name:22} {rate:7.1f} examples a second"
        if base is not None:
            ratios = np.array(base.seconds) / np.array(row.seconds)
            line += f"  ratio {np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
        line += f"  {max(row.memory):.2f} GiB"
        print(f"{line}  dev {FIGURE.row} {np.mean(each):.1f} of {' '.join(f'{value:.1f}' for value in each)}")
        if base is not None and name != BASE:
            whole = together(row.runs, dev)[0]
            pair = {BASE: together(base.runs, dev)[1], name: together(row.runs, dev)[1]}
            score = scoring.compare(whole, pair, metrics=[FIGURE.metric])
            print(f"{'':22} dev, {name} − {BASE}: {shown(score.find(FIGURE.row, slice=f'{name} − {BASE}'))}")


def main() -> None:
    """Read the arguments, take the turns and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--encoder", default=pretrained.BUNDLED)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--batch", type=int, default=8)
    options.add_argument("--limit", type=int, default=0, help="so many documents of train and of dev")
    options.add_argument("--only", nargs="*", default=[], choices=list(ROWS))
    given = parse(options)
    os.environ["STANCEKIT_CACHE"] = ""  # every turn cuts its texts into pieces anew
    train, dev = sides(given)
    where = torch.cuda.get_device_name() if on_gpu() else "cpu"
    print(f"{len(train)} sentences, {len(dev)} of dev, {given.epochs} epochs, batches of {given.batch}", end="; ")
    print(f"{where}, {torch.get_num_threads()} threads")
    tell(measure(given), train, dev, given.epochs)


if __name__ == "__main__":
    main()
