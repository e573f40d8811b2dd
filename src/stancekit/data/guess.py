"""The format of a file by its ending and first line, or of a folder by what lies in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stancekit import components
from stancekit.data.formats import jsonl
from stancekit.errors import StancekitError, fail
from stancekit.files import parse_json

_IN_FOLDERS = {  # what tells a format, in the order in which it is looked for
    "datasets": ("dataset_info.json", "dataset_dict.json", "state.json"),
    "polnear": ("text/*.txt", "*/text/*.txt", "data/metadata.tsv"),
    "tweeteval": ("train_text.txt", "*/train_text.txt"),
    "ptc": ("*-articles/article*.txt",),
    "markup": ("**/*.markup",),
    "brat": ("**/*.ann",),
}
_FIRST = 1_000_000  # characters of a first line; a longer one is no record of a sentence
_ANNOTATED = {"attributions", "devices", "stances", "labels"}
PAGES = (".txt", ".html", ".htm")
"""The endings of files that hold one raw article."""
_BY_ENDING = {"ann": "brat"}
_WORKBOOKS = ("xlsx", "xlsm", "xls", "ods")


def guess(path: Path) -> str:
    """Guess the format of a file or folder; one that cannot be told is an error that lists the formats."""
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    if found in components.names("format"):
        return found
    hint = f"give `format`, one of: {', '.join(components.names('format'))}"
    if _holds_articles(path):
        hint = "make sentences of articles first: `stancekit ingest`; of annotated data, " + hint
    raise fail(path, "its format cannot be told from its ending or content", hint)


def _holds_articles(path: Path) -> bool:
    """Say whether a path is a raw article, or a folder with one."""
    files = path.rglob("*") if path.is_dir() else [path]
    if (path / "manifest.json").exists():  # a run, whose pages are reports
        return False
    return any(file.suffix.lower() in PAGES for file in files)


def _of_folder(path: Path) -> str:
    for name, patterns in _IN_FOLDERS.items():
        if any(next(path.glob(pattern), None) for pattern in patterns):
            return name
    if _holds_records(path):
        return "jsonl"
    first = next((file for file in sorted(path.rglob("*.json"))), None)
    return _of_json(first) if first else ""


def _holds_records(folder: Path) -> bool:
    """Say whether a folder holds annotated native records, and neither articles nor pages beside them."""
    files = jsonl.files(folder)
    pages = any(next(folder.glob(f"*{ending}"), None) for ending in PAGES)
    return bool(files) and not pages and all(_is_native(_first_record(file)) for file in files)


def _is_native(record: dict[str, Any]) -> bool:
    """Say whether a record is that of an annotated sentence; a whole article may have `id` and `text`, too."""
    return (
        record.keys() >= {"id", "document", "text"}
        and bool(record.keys() & _ANNOTATED)
        and _of_record(record) == "jsonl"
    )


def _of_file(path: Path) -> str:
    ending = path.suffix.lower().removeprefix(".")
    if ending == "jsonl":
        return _of_record(_first_record(path))
    if ending == "json":
        return _of_json(path)
    if ending == "tsv" and {"sentence", "worker_0", "guid"} <= set(_head(path).split("\n")[0].split("\t")):
        return "gwsd"
    if ending in _WORKBOOKS:
        return _of_workbook(path, ending)
    return _BY_ENDING.get(ending, ending)


def _of_workbook(path: Path, ending: str) -> str:
    if ending == "xlsx" and components.find("format", "babe").may_be(path):
        return "babe"
    hint = "save it as CSV (UTF-8), and give that; `format: babe` is for the files of BABE"
    raise fail(path, "a spreadsheet is read only as the files of BABE, and this is none of them", hint)


def _of_record(record: dict[str, Any]) -> str:
    if record.keys() >= {"sentence_normalized", "targets"}:
        return "newsmtsc"
    exported = {"entities", "label"} & record.keys() or isinstance(record.get("labels"), list)
    return "doccano" if "text" in record and exported else "jsonl"


def _of_json(path: Path) -> str:
    head = _head(path)
    if '"%TYPES"' in head or '"%FEATURE_STRUCTURES"' in head:
        return "inception"
    return "labelstudio" if head.lstrip("\ufeff \r\n\t").startswith("[") else ""


def _head(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(4096).decode("utf-8", "replace")
    except OSError:
        return ""  # its reader will complain


def _first_record(path: Path) -> dict[str, Any]:
    """Return the first line of a JSONL file as an object, empty where it is none: its reader will complain."""
    try:
        with path.open(encoding="utf-8") as stream:
            value = parse_json(stream.readline(_FIRST), path, 1)
    except (OSError, UnicodeDecodeError, StancekitError):
        return {}
    return value if isinstance(value, dict) else {}
