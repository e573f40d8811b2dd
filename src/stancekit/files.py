"""Safe files: whole or not at all, checked when read, and errors that name the place."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from stancekit.errors import Problems, StancekitError, fail

_ZIP = b"PK\x03\x04"
_CAUSES = {
    errno.ENOSPC: ("the disk is full", "free some space, or write elsewhere; nothing was changed"),
    errno.EFBIG: ("the file would be larger than is allowed here", "raise the limit or write elsewhere"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or write elsewhere"),
    errno.EACCES: ("no permission", "check the permissions, or choose another folder"),
    errno.EPERM: ("no permission", "check the permissions, or choose another folder"),
    errno.EROFS: ("the disk is read-only", "choose another folder"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another folder"),
    errno.EEXIST: ("a file stands where a folder is wanted", "choose another folder"),
    errno.EISDIR: ("it is a folder, a file was expected", "give a file"),
    errno.ENOENT: ("there is no such file", "check the path"),
}


def os_problem(path: Path, error: OSError) -> StancekitError:
    """Turn an error of the operating system into one with a place and a remedy."""
    what, hint = _CAUSES.get(error.errno or 0, (error.strerror or str(error), ""))
    return fail(path, what, hint)


def make_folder(path: Path) -> Path:
    """Create a folder and its parents, or say why that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise os_problem(path, error) from error
    return path


def spare(inputs: Iterable[object], *outputs: str | Path | None) -> None:
    """Refuse to write over what is read: an output may be no input, nor lie in an input folder, nor hold an input.

    Links and relative paths are followed. An input that is no path (a data set in memory) is passed over, and so is an
    output that is not asked for.
    """
    problems, sources = Problems(), [Path(one) for one in inputs if isinstance(one, str | Path)]
    for output in (Path(one) for one in outputs if one is not None):
        for source in sources:
            if what := _meeting(output, source):
                problems.add(output, what, "give another place to write to")
    problems.raise_any()


def _meeting(output: Path, source: Path) -> str:
    """Say how writing an output would touch an input; empty where it would not."""
    if not (output.exists() and source.exists()):
        return ""
    if output.samefile(source):
        return "it is read here, and would be written over"
    if output.resolve().is_relative_to(source.resolve()):
        return f"it lies in {source}, which is read here"
    return f"it holds {source}, which is read here" if source.resolve().is_relative_to(output.resolve()) else ""


@contextmanager
def replacing(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` that takes its place only when all was written."""
    make_folder(path.parent)
    text = "b" not in mode
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        options: dict[str, Any] = {"encoding": "utf-8", "newline": ""} if text else {}
        with os.fdopen(handle, mode, **options) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise os_problem(path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, or leave the old one as it was."""
    with replacing(path) as stream:
        stream.write(text)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole binary file, or leave the old one as it was."""
    with replacing(path, "wb") as stream:
        stream.write(content)


def dump_json(value: Any, *, indent: int | None = None) -> str:
    """Return JSON with sorted keys, so that equal values have equal bytes."""
    separators = (",", ":") if indent is None else None
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent, separators=separators, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Write a readable JSON file with sorted keys."""
    write_text(path, dump_json(value, indent=1) + "\n")


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value a line."""
    with replacing(path) as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def read_bytes(path: Path) -> bytes:
    """Read a whole file, or say why that cannot be."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise os_problem(path, error) from error


def read_text(path: Path) -> str:
    """Read UTF-8 text with its line ends as they are; a NUL byte or another encoding is an error."""
    return decode(read_bytes(path), path)


def decode(content: bytes, path: Path) -> str:
    """Decode UTF-8 (a byte-order mark is dropped), naming the line of the first bad byte."""
    if content.startswith(_ZIP):
        hint = "save a spreadsheet as CSV (UTF-8) and a document as text; unpack an archive"
        raise fail(path, "it is no text but a zip file, as spreadsheets (.xlsx, .ods) and documents (.docx) are", hint)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{content[error.start]:02x} is not UTF-8"
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            what = "the file is UTF-16, not UTF-8"
        raise fail(f"{path}:{line}", what, "save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise fail(f"{path}:{line}", "there is a NUL byte", "the file is damaged or no text; mend or remove it")
    return text


def read_json(path: Path) -> Any:
    """Read a JSON file, naming the line of a mistake."""
    return parse_json(read_text(path), path, 1)


def parse_json(text: str, path: Path, line: int) -> Any:
    """Parse JSON that begins at `line` of `path`; NaN, infinite numbers and half characters are mistakes too."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        if "\\u" in text:  # an escaped lone surrogate could not be written as UTF-8 again
            dump_json(value).encode()
        return value
    except (ValueError, RecursionError) as error:
        at = line + error.lineno - 1 if isinstance(error, json.JSONDecodeError) else line
        detail = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise fail(f"{path}:{at}", f"no valid JSON: {detail}", "mend or remove the line") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse_constant(number)


def sha256(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise os_problem(path, error) from error
