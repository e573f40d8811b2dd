"""NewsMTSC (Hamborg & Donnay 2021): sentiment toward a person or group in a news sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stancekit.data.formats.base import ReadLog, read_only
from stancekit.files import parse_json, read_text
from stancekit.schema import Layers, Sentence, Span, Stance, Target

TASK = "sentiment"
POLARITY = {2.0: "negative", 4.0: "neutral", 6.0: "positive"}


class NewsMTSC:
    """Reads one JSONL file, or every one of a folder; the labels are those of the task `sentiment`.

    The document is the article: the first three fields of a target's id.
    """

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield one sentence a line, with its targets in their order."""
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not files:
            log.problems.add(path, "there is no *.jsonl file in this folder", "give a file of NewsMTSC")
        for file in files:
            with log.problems.catching(file):
                for number, line in enumerate(read_text(file).split("\n"), start=1):
                    if line.strip():
                        with log.problems.catching(f"{file}:{number}"):
                            sentence = _sentence(parse_json(line, file, number), f"{file}:{number}", file.stem, log)
                            if sentence is not None:
                                yield sentence

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Refuse to write: the format is read only."""
        raise read_only("newsmtsc")


def _sentence(raw: Any, where: str, part: str, log: ReadLog) -> Sentence | None:
    try:
        text, targets = raw["sentence_normalized"], raw["targets"]
        stances = [_stance(target, text, where, log) for target in targets]
        fields = str(targets[0]["Input.gid"]).split("_")
        sentence_id = str(raw["primary_gid"])
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        log.problems.add(where, f"this is no record of NewsMTSC: {error!r}", "give a file as published")
        return None
    if None in stances:
        return None
    sentence = Sentence(
        id=sentence_id,
        text=text,
        document="_".join(fields[:3]),
        index=int(fields[3]) if len(fields) > 3 and fields[3].isdigit() else 0,
        meta={"part": part},
        gold=Layers(text=text, labels={TASK: tuple(s for s in stances if s is not None)}),
    )
    log.place(sentence_id, where)
    return sentence


def _stance(raw: Mapping[str, Any], text: str, where: str, log: ReadLog) -> Stance | None:
    """Return a target with its label; None after noting offsets or a polarity that do not fit."""
    start, end, mention, polarity = raw["from"], raw["to"], raw["mention"], raw["polarity"]
    if text[start:end] != mention or not mention:
        what = f"offset mismatch: {start}–{end} covers {text[start:end]!r}, the mention is {mention!r}"
        log.problems.add(where, what, "mend the offsets, or set `on_error: skip`")
        return None
    if polarity not in POLARITY:
        known = ", ".join(f"{number} ({name})" for number, name in POLARITY.items())
        log.problems.add(where, f"unknown polarity {polarity!r}", f"expected one of: {known}")
        return None
    return Stance(Target(mention, Span(start, end)), POLARITY[polarity])
