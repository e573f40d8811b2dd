"""SetFit's recipe on sentence-transformers' own trainer: the peer of `fewshot` in benchmarks/fewshot.py.

SetFit (Tunstall et al. 2022) as its paper and library do by default: for every example 20 pairs of its own class and
20 of others, one epoch in batches of 16 pairs, learning rate 2e-5, cosine similarity against 0 and 1, then logistic
regression on the vectors.
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from neural_common import Clock
from stancekit.schema import Example, Prediction
from stancekit.tasks import Part


def learn_setfit(train: Part, held: Part, own: dict[str, Any], seed: int) -> tuple[list[Prediction], dict[str, float]]:
    """Return the predictions of the SetFit recipe, with sentence-transformers' own trainer, and its seconds."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
    from sklearn.linear_model import LogisticRegression

    from stancekit.models.neural.encoders import pretrained

    clock = Clock()
    model = SentenceTransformer(str(pretrained.locate(own["encoder"])), device="cpu")
    texts, labels = [text(e) for e in train.examples], [str(answer) for answer in train.gold]
    with tempfile.TemporaryDirectory() as folder:
        args = SentenceTransformerTrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=16,
            learning_rate=2e-5,
            warmup_steps=0.1,
            seed=seed,
            bf16=own["bf16"],
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        pairs = Dataset.from_dict(setfit_pairs(texts, labels, seed))
        SentenceTransformerTrainer(model, args, train_dataset=pairs, loss=CosineSimilarityLoss(model)).train()
    head = LogisticRegression(max_iter=1000).fit(model.encode(texts, show_progress_bar=False), labels)
    seconds = clock.read()
    answers = head.predict(model.encode([text(e) for e in held.examples], show_progress_bar=False))
    found = [Prediction(id=e.id, answer=str(answer)) for e, answer in zip(held.examples, answers, strict=True)]
    return found, seconds


def setfit_pairs(texts: list[str], labels: list[str], seed: int, rounds: int = 20) -> dict[str, list[Any]]:
    """Return pairs of texts with 1 (same class) or 0, one of each for every text in each round."""
    rng, classes = np.random.default_rng(seed), np.array(labels)
    found: dict[str, list[Any]] = {"first": [], "second": [], "label": []}
    for _ in range(rounds):
        for k, own in enumerate(labels):
            for value, others in ((1.0, classes == own), (0.0, classes != own)):
                found["first"].append(texts[k])
                found["second"].append(texts[int(rng.choice(np.flatnonzero(others)))])
                found["label"].append(value)
    return found


def text(example: Example) -> str:
    """Return the sentence with its target marked as `fewshot` marks it."""
    from stancekit.models.neural.texts import reading

    span, own = reading.mention(example), example.sentence.text
    return own if span is None else reading.marked(own, [(span.start, span.end)], "*").text
