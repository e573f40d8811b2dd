"""The inline markup of the codebook (section 5): a file is one or more articles, one sentence a line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stancekit import yamlfile
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.markup_line import parse_line, write_line
from stancekit.errors import did_you_mean
from stancekit.files import dump_json, make_folder, read_text, write_text
from stancekit.schema import Layers, Sentence

LAYERS = {"attribution": "attributions", "framing": "devices", "stance": "stances"}
_LINE_ENDS = re.compile(r"[\r\n]")


class Markup:
    """Inline markup; a folder holds one file an article.

    It cannot hold sentence ids, labels of a user's own tasks, or line ends in a text.
    """

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences of a file, or of every `*.markup` below a folder in the order of their names."""
        files = sorted(path.rglob("*.markup")) if path.is_dir() else [path]
        if not files:
            log.problems.add(path, "there is no *.markup file below this folder", "give another folder")
        for file in files:
            with log.problems.catching(file):
                yield from self._read_file(file, log)

    def _read_file(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        lines = read_text(path).replace("\r\n", "\n").split("\n")
        at, header, index = 0, None, 0
        while at < len(lines):
            line = lines[at]
            if line.rstrip() == "---":
                header, at = _header(path, lines, at, log)
                index = header["index"]
                continue
            at += 1
            if not line.strip() or line.startswith("#"):
                continue
            if header is None:
                log.problems.add(f"{path}:{at}", "a sentence stands before the header", "begin with --- … ---")
                return
            sentence = _sentence(f"{path}:{at}", line, header, index, log)
            index += 1
            if sentence is not None:
                yield sentence

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write one file, or one a document where `path` is a folder or has no ending."""
        lost: Counter[str] = Counter()
        articles: dict[str, list[str]] = {}
        headers: dict[str, Any] = {}
        for sentence in sentences:
            lines = articles.setdefault(sentence.document, [])
            header = _header_of(sentence, codebook)
            last, following = headers.get(sentence.document, (None, -1))
            if header != last or sentence.index != following:
                lines.append(_write_header(header, sentence.index))
            headers[sentence.document] = (header, sentence.index + 1)
            lines.append(_write_sentence(sentence, lost))
        if path.suffix == ".markup":
            write_text(path, "\n".join(line for lines in articles.values() for line in lines) + "\n")
        else:
            make_folder(path)
            for document, lines in articles.items():
                write_text(path / f"{_file_name(document)}.markup", "\n".join(lines) + "\n")
        return lost


def _header(path: Path, lines: list[str], at: int, log: ReadLog) -> tuple[dict[str, Any], int]:
    """Read the header that opens at line `at`; return it and the line after it."""
    end = next((i for i in range(at + 1, len(lines)) if lines[i].rstrip() == "---"), None)
    header: dict[str, Any] = {"document": path.stem, "layers": [], "index": 0, "meta": {}}
    if end is None:
        log.problems.add(f"{path}:{at + 1}", "the header is not closed", "end it with a line ---")
        return header, len(lines)
    with log.problems.catching():
        document = yamlfile.parse("\n".join(lines[at + 1 : end]), path, at + 2)
        value = document.value or {}
        if not isinstance(value, dict):
            log.problems.add(document.where(), "the header must be `key: value` lines", "mend the header")
            return header, end + 1
        header["meta"] = _meta(document, value, log)
        header["document"] = str(value.get("document", path.stem))
        header["index"] = value.get("index", 0) if isinstance(value.get("index", 0), int) else 0
        layers = value.get("layers", [])
        header["layers"] = layers if isinstance(layers, list) else [layers]
        for name in header["layers"]:
            if name not in LAYERS:
                log.problems.add(
                    document.where(("layers",)), f"unknown layer {name!r}", did_you_mean(str(name), LAYERS)
                )
        if isinstance(value.get("codebook"), dict):
            log.stamp(document.where(("codebook",)), value["codebook"])
    return header, end + 1


def _meta(document: yamlfile.Document, value: Mapping[Any, Any], log: ReadLog) -> dict[str, Any]:
    """Return the metadata of a header, without values that JSON could not hold (YAML's binary, sets, infinity)."""
    meta = {}
    for key, one in value.items():
        if key in ("document", "layers", "index", "codebook"):
            continue
        try:
            dump_json(one)
            meta[str(key)] = one
        except (TypeError, ValueError):
            log.problems.add(document.where((key,)), f"the value of {key!r} is no plain text or number", "write text")
    return meta


def _sentence(where: str, line: str, header: dict[str, Any], index: int, log: ReadLog) -> Sentence | None:
    before = len(log.problems)
    text, found = parse_line(line, where, log.problems)
    layers: dict[str, Any] = {}
    for name, key in LAYERS.items():
        if name in header["layers"]:
            layers[key] = found[key]
        elif found[key]:
            log.problems.add(where, f"there are {name} marks, but the header lists no such layer", f"add {name} to it")
    if len(log.problems) > before:
        return None
    sentence = Sentence(
        id=f"{header['document']}.{index}",
        text=text,
        document=header["document"],
        index=index,
        meta=header["meta"],
        gold=Layers(text=text, **layers),
    )
    log.place(sentence.id, where)
    return sentence


def _header_of(sentence: Sentence, codebook: Mapping[str, str] | None) -> dict[str, Any]:
    layers = [name for name, key in LAYERS.items() if getattr(sentence.gold, key) is not None]
    header: dict[str, Any] = {"document": sentence.document, **sentence.meta, "layers": layers}
    return header | {"codebook": dict(codebook)} if codebook else header


def _write_header(header: dict[str, Any], index: int) -> str:
    value = header | {"index": index} if index else header
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=None)
    return f"---\n{text}---"


def _write_sentence(sentence: Sentence, lost: Counter[str]) -> str:
    gold = sentence.gold
    lost["id"] += sentence.id != f"{sentence.document}.{sentence.index}"
    lost["label of a user's own task"] += len(gold.labels)
    lost["line end in a text (now a space)"] += len(_LINE_ENDS.findall(sentence.text))
    lost["cue without stance (now neutral)"] += sum(
        1 for a in gold.attributions or () if (a.cue_stance is None) == bool(a.cue)
    )
    lost["source type without source"] += sum(1 for a in gold.attributions or () if a.source_type and not a.source)
    line = write_line(_LINE_ENDS.sub(" ", sentence.text), gold)
    for key in [key for key, count in lost.items() if not count]:
        del lost[key]
    return line


def _file_name(document: str) -> str:
    return re.sub(r"[^\w.-]+", "_", document) or "article"
