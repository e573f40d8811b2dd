"""Hugging Face `datasets`: a folder written by `save_to_disk`, or a data set of the hub where there is a network."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from stancekit.data.formats.arrow import read_rows, to_table
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.columns import Columns
from stancekit.errors import did_you_mean, fail
from stancekit.files import make_folder, os_problem, sha256
from stancekit.schema import Sentence


@dataclass(frozen=True, kw_only=True)
class Hub(Columns):
    """A `datasets` folder or hub id (`owner/name`); class numbers become their names.

    `split` chooses one of its parts, and is needed where there are several; `subset` and `revision` are
    those of the hub. The column mapping is for tables that are not of the native schema.
    """

    split: str | None = None
    subset: str | None = None
    revision: str | None = None

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentence of every row."""
        found = self._open(path)
        if isinstance(found, datasets.DatasetDict):
            if self.split not in found and (self.split is not None or len(found) > 1):
                what = f"there is no part {self.split!r}" if self.split else "it has several parts"
                raise fail(path, what, f"give `split`: {did_you_mean(self.split or '', found)}")
            found = found[self.split or next(iter(found))]
        yield from read_rows(_rows(found), found.column_names, self, path, log)

    def _open(self, path: Path) -> Any:
        try:
            with _quietly():
                if path.exists():
                    return datasets.load_from_disk(str(path))
                return datasets.load_dataset(path.as_posix(), self.subset, revision=self.revision)
        except ConnectionError as error:
            hint = "save it with `save_to_disk` where there is a network, and give that folder"
            raise fail(path, "it is no folder here, and the hub cannot be reached", hint) from error
        except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
            what = f"no data set that `datasets` can open: {str(error).splitlines()[0]}"
            raise fail(path, what, "give a folder written by `save_to_disk`, or an id `owner/name`") from error

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write native records as a folder that `datasets.load_from_disk` opens; nothing is lost."""
        if path.exists() and not (path / "state.json").exists():
            raise fail(path, "it exists and is no data set of `datasets`", "choose another folder")
        table = to_table(sentences, codebook, path)
        fingerprint = sha256(repr(table.to_pylist()).encode())[:16]
        whole = datasets.Dataset(datasets.table.InMemoryTable(table), fingerprint=fingerprint)
        make_folder(path.parent)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as aside:
            try:
                with _quietly():
                    whole.save_to_disk(f"{aside}/new")
                _replace(path, Path(aside))
            except OSError as error:
                raise os_problem(path, error) from error
        return Counter()


def _replace(path: Path, aside: Path) -> None:
    """Put `aside/new` in the place of a folder, which goes back where that fails."""
    if path.exists():
        path.rename(aside / "old")
    try:
        (aside / "new").rename(path)
    except OSError:
        if (aside / "old").exists():
            (aside / "old").rename(path)
        raise


def _rows(found: Any) -> Iterator[dict[str, Any]]:
    """Yield rows with the names of classes in place of their numbers."""
    names = {name: f for name, f in found.features.items() if _classes(f) is not None}
    for row in found:
        yield row | {name: _class_names(_classes(f), row[name]) for name, f in names.items()}


def _classes(feature: Any) -> Any:
    """Return the classes of a label column, or of a column of several labels; None for any other."""
    inner = getattr(feature, "feature", feature)
    return inner if isinstance(inner, datasets.ClassLabel) else None


def _class_names(classes: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [classes.int2str(number) for number in value]
    return None if value is None or value < 0 else classes.int2str(value)  # -1 is `datasets`' mark for no label


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the progress bars of `datasets` off the terminal, and leave them as they were."""
    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()
