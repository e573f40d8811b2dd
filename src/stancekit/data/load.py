"""From a path to a data set, every problem found in one pass; and back to a file of any format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from stancekit import codebook as codebooks
from stancekit import components
from stancekit.codebook import Codebook
from stancekit.data import label_map as label_maps
from stancekit.data.dataset import PROBLEM, Dataset
from stancekit.data.formats.base import Format, ReadLog
from stancekit.data.guess import guess
from stancekit.data.label_map import LabelMap
from stancekit.data.label_sets import unknown_labels
from stancekit.errors import PARTICULAR, Problem, Problems, StancekitError, did_you_mean, fail
from stancekit.resources import bundled
from stancekit.schema import Sentence

_NO_OPTIONS: Mapping[str, Any] = {}
_HOLD_NO_VOTES = ("markup", "csv", "tsv")


def load(
    path: str | Path,
    *,
    format: str | None = None,
    options: Mapping[str, Any] = _NO_OPTIONS,
    codebook: Codebook | str | Path | None = None,
    label_map: LabelMap | str | Path | None = None,
    on_error: Literal["stop", "skip"] = "stop",
    name: str | None = None,
    asked: bool = False,
) -> Dataset:
    """Read a file, a folder or a bundled data set.

    The format is guessed where none is given. With `on_error="skip"` records with a problem are left out
    and counted by kind in `counts`, but not what ends the reading before the end of the file; otherwise all problems
    are raised at once. With `asked` the sentences are to be answered: a target needs no label, and is one to be judged.
    """
    dataset, lasting, problems = _read(path, format, options, codebook, label_map, name, asked)
    if lasting or not dataset.sentences or (problems and on_error == "stop"):
        raise StancekitError(*lasting, *problems)
    return dataset


def survey(
    path: str | Path,
    *,
    format: str | None = None,
    options: Mapping[str, Any] = _NO_OPTIONS,
    codebook: Codebook | str | Path | None = None,
    label_map: LabelMap | str | Path | None = None,
    name: str | None = None,
) -> tuple[Dataset, Problems]:
    """Read what can be read and return it with every problem: what `check` starts from."""
    dataset, lasting, problems = _read(path, format, options, codebook, label_map, name)
    lasting.found.extend(problems)
    return dataset, lasting


def _read(
    path: str | Path,
    format: str | None,
    options: Mapping[str, Any],
    codebook: Codebook | str | Path | None,
    label_map: LabelMap | str | Path | None,
    name: str | None,
    asked: bool = False,
) -> tuple[Dataset, Problems, Problems]:
    """Return the data set, the problems that cannot be skipped (mixed codebooks, a file's end not reached), and those
    of records.
    """
    book = _codebook(codebook)
    mapping = label_map if isinstance(label_map, LabelMap | None) else label_maps.load(Path(label_map))
    place = Path(path) if format == "datasets" and not Path(path).exists() else locate(path)
    reader = _format(format or guess(place), options, place)
    log, sentences, lasting = ReadLog(asked), [], Problems()
    with lasting.catching(place):  # sentence by sentence: what was read before an error is kept, for `check`
        for sentence in reader.read(place, log):
            sentences.append(sentence)
    if not sentences and not log.problems and not lasting:
        log.problems.add(place, "there is no sentence in it", "give a file with at least one labelled sentence")
    lasting.found.extend(_mixed_codebooks(log, book, mapping))
    kept = _kept(sentences, book, mapping, log)
    counts = log.counts + Counter(_kind(problem) for problem in log.problems)
    dataset = Dataset(name or place.stem, kept, book, place, dict(counts), log.places, mapping)
    return dataset, lasting, log.problems


def locate(path: str | Path) -> Path:
    """Return the path of a file or folder, or of a bundled data set by its name."""
    place = Path(path)
    if place.exists():
        return place
    if is_bundled(str(path)):
        return bundled("data") / path
    raise fail(path, "there is no such file, folder or bundled data set", did_you_mean(str(path), _shipped()))


def is_bundled(name: str) -> bool:
    """Say whether a name is that of a bundled data set."""
    return name in _shipped()


def _shipped() -> list[str]:
    """Return the names of the bundled data sets: the folders with a datasheet."""
    return [sheet.parent.name for sheet in bundled("data").glob("*/README.md")]


def exists(path: str | Path) -> bool:
    """Say whether a path is there, or names a bundled data set."""
    try:
        locate(path)
    except StancekitError:
        return False
    return True


def _format(name: str, options: Mapping[str, Any], where: Path) -> Format:
    built: Format = components.build("format", name, options, where=f"{where} (options)")
    return built


def _codebook(given: Codebook | str | Path | None) -> Codebook:
    if isinstance(given, Codebook):
        return given
    return codebooks.default() if given is None else codebooks.load(Path(given))


def _mixed_codebooks(log: ReadLog, book: Codebook, mapping: LabelMap | None) -> Problems:
    """Note data of another codebook, or of another version of it, unless a label map leads from there to here."""
    problems = Problems()
    if mapping and mapping.goal and not mapping.goal.items() <= book.stamp.items():
        what = f"the label map leads to {_named(mapping.goal)}, the codebook is {_named(book.stamp)}"
        problems.add(mapping.path, what, "use the map's codebook, or another map")
    expected = mapping.origin if mapping else book.stamp
    for (name, version, digest), where in log.codebooks.items():
        stamp = {"name": name, "version": version, "hash": digest}
        if {k: v for k, v in expected.items() if stamp.get(k)}.items() <= stamp.items():
            continue
        what = f"annotated with codebook {_named(stamp)}, expected is {_named(expected)}"
        if stamp | {"hash": ""} == dict(expected) | {"hash": ""}:
            what = f"codebook {_named(stamp)} had another content (hash {digest}, now {expected['hash']})"
        problems.add(where, what, "give the data's own codebook, or a label_map that leads from it to this one")
    return problems


def _named(stamp: Mapping[str, str]) -> str:
    return " ".join(stamp[key] for key in ("name", "version") if stamp.get(key))


def _kept(
    sentences: Iterable[Sentence], book: Codebook, mapping: LabelMap | None, log: ReadLog
) -> tuple[Sentence, ...]:
    """Apply the label map, and leave out doubled ids and sentences with labels that the codebook does not know."""
    kept: dict[str, Sentence] = {}
    for sentence in sentences:
        where, before = log.places.get(sentence.id, sentence.id), len(log.problems)
        if mapping:
            for set_name, label in mapping.unmentioned(sentence):
                hint = f"add it to {mapping.path} (null drops it), or set `others: keep`"
                log.problems.add(where, f"the label map does not mention the {set_name} {label!r}", hint)
            sentence = mapping.apply(sentence)
        log.problems.found.extend(unknown_labels(sentence, book, where, asked=log.asked))
        if len(log.problems) == before:
            kept.setdefault(sentence.id, sentence)
    return tuple(kept.values())


def _kind(problem: Problem) -> str:
    """Return what a problem says, up to its details and with … for its particulars, to count problems of one kind."""
    general = PARTICULAR.sub("…", problem.what)
    return PROBLEM + re.split(r"[:;] |, first at ", general)[0]


def save(
    sentences: Iterable[Sentence],
    path: str | Path,
    *,
    format: str | None = None,
    options: Mapping[str, Any] = _NO_OPTIONS,
    codebook: Codebook | Mapping[str, str] | None = None,
) -> Counter[str]:
    """Write sentences, and return what the format could not hold, counted by kind.

    The format is that of the path's ending where none is given; a codebook (or its stamp) is noted in the file.
    """
    place = Path(path)
    name = format or place.suffix.lower().removeprefix(".")
    if name not in components.names("format") and ":" not in name:
        raise fail(
            place, "its ending names no format", f"give `format`, one of: {', '.join(components.names('format'))}"
        )
    writer, kept = _format(name, options, place), tuple(sentences)
    stamp = codebook.stamp if isinstance(codebook, Codebook) else codebook
    lost = writer.write(kept, place, stamp)
    lost["votes of annotators"] += sum(bool(s.gold.votes) for s in kept) if name in _HOLD_NO_VOTES else 0
    return +lost
