"""INCEpTION: UIMA CAS JSON 0.4, a file a document; all that is known of that format stands here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.marks import Mark, Marks
from stancekit.data.formats.pages import Page, Piece, Sheet, assemble, file_names, folder_for, lines, sheets
from stancekit.data.formats.utf16 import Quoted, Units, to_characters
from stancekit.errors import did_you_mean, fail
from stancekit.files import dump_json, parse_json, read_json, write_text
from stancekit.schema import Sentence, Span
from stancekit.text.tokens import tokens

MARK, LINK, SIDE = (f"webanno.custom.Stancekit{name}" for name in ("Mark", "Link", "Sentence"))
SENTENCE, TOKEN = (f"de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.{n}" for n in ("Sentence", "Token"))
_FIELDS = ("target", "negated", "source_type", "cue_stance")
_SOFA, _ANNOTATION, _DOCUMENT = "uima.cas.Sofa", "uima.tcas.Annotation", "uima.tcas.DocumentAnnotation"
_STRING = "uima.cas.String"
_INITIAL = "INITIAL_CAS"  # the text as imported, in INCEpTION's project exports


class Inception:
    """UIMA CAS JSON as INCEpTION imports and exports it: a folder, or one `.json` file.

    Marks are of the layer `StancekitMark` (`label`, and `target`, `negated`, `source_type`, `cue_stance`), tied
    by the relation layer `StancekitLink`; `StancekitSentence` carries ids, metadata and sentence labels. Of
    another project, `layer` and `feature` name the span layer and the feature that holds the label, and `task`
    the task that its labels belong to. In a project export `annotator` chooses whose files are read, otherwise
    the first; with `annotators`, there is a record for each. `annotated` lists the layers and tasks that were
    annotated everywhere.
    """

    def __init__(
        self,
        *,
        layer: str = MARK,
        feature: str = "label",
        task: str | None = None,
        annotator: str | None = None,
        annotators: bool = False,
        annotated: list[str] | None = None,
    ) -> None:
        self.layer, self.feature, self.task = layer, feature, task
        self.annotator, self.annotators, self.annotated = annotator, annotators, annotated

    def read(self, path: Path, log: ReadLog) -> Iterator[Sentence]:
        """Yield the sentences of all documents; where none are marked, the lines."""
        pages = []
        for document, annotator, file in self._files(path, log):
            with log.problems.catching(file):
                try:
                    pages.append(self._page(document, file, log))
                    pages[-1].annotator = annotator
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise fail(file, f"this is no UIMA CAS JSON: {error!r}", "export as UIMA CAS JSON 0.4") from error
        yield from assemble(pages, log, self.task, self.annotated)

    def _files(self, path: Path, log: ReadLog) -> list[tuple[str, str, Path]]:
        """Return every document with the annotator, where all are asked for, and the file to read."""
        if path.is_file():
            return [(path.stem, "", path)]
        found = _documents(path)
        if not found:
            log.problems.add(path, "there is no *.json file of a document in it", "export as UIMA CAS JSON")
        names = {name for files in found.values() for name in files}
        if self.annotator is not None and self.annotator not in names:
            log.problems.add(path, f"there is no annotator {self.annotator!r}", did_you_mean(self.annotator, names))
        if self.annotators:
            return [(document, name, file) for document, files in found.items() for name, file in files.items()]
        log.counts["further annotators of a document (left out)"] += sum(len(files) - 1 for files in found.values())
        log.counts = +log.counts
        chosen = {d: files.get(self.annotator) if self.annotator else files[min(files)] for d, files in found.items()}
        return [(document, "", file) for document, file in chosen.items() if file is not None]

    def _page(self, document: str, path: Path, log: ReadLog) -> Page:
        structures = _structures(read_json(path))
        text = next(fs["sofaString"] for fs in structures.values() if fs["%TYPE"] == _SOFA)
        if not isinstance(text, str):
            raise fail(path, "the document has no text", "export again")
        units = Units(text)
        side = {fs["begin"]: parse_json(fs["record"], path, 1) for fs in structures.values() if fs["%TYPE"] == SIDE}
        pieces: list[Piece] = []
        for fs in sorted((f for f in structures.values() if f["%TYPE"] == SENTENCE), key=lambda f: f["begin"]):
            start, end = units.character(fs["begin"]), units.character(fs["end"])
            where = f"{path}: sentence {len(pieces) + 1}"
            if start is None or end is None or not start < end <= len(text):
                raise fail(where, f"it stands at {fs['begin']}–{fs['end']}, outside the text", "export again")
            pieces.append(Piece(span=Span(start, end), index=len(pieces), where=where, carried=side.get(fs["begin"])))
        found = self._marks(structures, text, path, log)
        return Page(document=document, text=text, found=found, pieces=pieces or list(lines(text, str(path))))

    def _marks(self, structures: Mapping[int, Mapping[str, Any]], text: str, path: Path, log: ReadLog) -> Marks:
        chosen = {n: fs for n, fs in structures.items() if fs["%TYPE"] == self.layer and fs.get(self.feature)}
        quoted = [Quoted(f"{path}: annotation {n}", ((fs["begin"], fs["end"]),)) for n, fs in chosen.items()]
        found, numbers = Marks(), dict[int, int]()
        spans = to_characters(text, quoted, log, "utf16")  # so the format says
        for (number, fs), pairs in zip(chosen.items(), spans, strict=True):
            if pairs is not None:
                fields = {key: str(fs[key]) for key in _FIELDS if fs.get(key) is not None}
                numbers[number] = found.add(Mark(str(fs[self.feature]), (Span(*pairs[0]),), fields))
        for fs in structures.values():
            if fs["%TYPE"] == LINK:
                ends = [numbers.get(fs.get(key, 0)) for key in ("@Governor", "@Dependent")]
                log.counts["ends of relations without a mark"] += ends.count(None)
                if ends[0] is not None and ends[1] is not None:
                    found.links.append((ends[0], ends[1]))
        return found

    def write(self, sentences: Iterable[Sentence], path: Path, codebook: Mapping[str, str] | None) -> Counter[str]:
        """Write a folder with a file a document."""
        lost: Counter[str] = Counter()
        written = sheets(sentences, codebook, lost)
        names = file_names(sheet.document for sheet in written)
        folder_for(path, names.values(), ".json")
        for sheet in written:
            write_text(path / f"{names[sheet.document]}.json", _cas(sheet))
        return +lost


def _documents(path: Path) -> dict[str, dict[str, Path]]:
    """Return the files of every document by annotator: a project export has a folder a document, ours a file."""
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(path.rglob("*.json")):
        exported = file.parent.parent.name in ("annotation", "curation")
        if file.stem != _INITIAL and (exported or file.parent == path):
            document = Path(file.parent.name).stem if exported else file.stem
            found.setdefault(document, {})[file.stem if exported else ""] = file
    return found


def _structures(value: Any) -> dict[int, dict[str, Any]]:
    """Return the feature structures by id; the format knows them as a list and as a mapping."""
    found = value["%FEATURE_STRUCTURES"]
    if isinstance(found, dict):
        return {int(number): fs for number, fs in found.items()}
    return {fs["%ID"]: fs for fs in found}


def _cas(sheet: Sheet) -> str:
    """Return a document as CAS JSON, a feature structure a line."""
    units = Units(sheet.text)
    structures: list[dict[str, Any]] = [
        {"%TYPE": _SOFA, "sofaNum": 1, "sofaID": "_InitialView", "mimeType": "text", "sofaString": sheet.text}
    ]

    def add(kind: str, start: int, end: int, **features: Any) -> int:
        body = {"%TYPE": kind, "@sofa": 1, "begin": units.unit(start), "end": units.unit(end)}
        structures.append(body | features)
        return len(structures)

    add(_DOCUMENT, 0, len(sheet.text), language="x-unspecified")
    for span, carried in zip(sheet.spans, sheet.carried, strict=True):
        add(SENTENCE, span.start, span.end)
        add(SIDE, span.start, span.end, record=dump_json(carried))
        for token in tokens(span.of(sheet.text)):
            add(TOKEN, span.start + token.start, span.start + token.end)
    found = sheet.found.apart()
    numbers = [add(MARK, m.parts[0].start, m.parts[0].end, label=m.label, **m.fields) for m in found.marks]
    for a, b in found.links:
        part, same = found.marks[b].parts[0], found.marks[a].label == found.marks[b].label
        ends = {"@Governor": numbers[a], "@Dependent": numbers[b]}
        add(LINK, part.start, part.end, label="part" if same else found.marks[b].label.lower(), **ends)
    rows = ",\n".join(dump_json({"%ID": number} | fs) for number, fs in enumerate(structures, start=1))
    views = {"_InitialView": {"%SOFA": 1, "%MEMBERS": list(range(2, len(structures) + 1))}}
    head = f'{{"%TYPES": {dump_json(_types())},\n"%FEATURE_STRUCTURES": [\n'
    return f'{head}{rows}\n],\n"%VIEWS": {dump_json(views)}}}\n'


def _types() -> dict[str, Any]:
    """Return the type system: the layers that a project needs."""
    features: dict[str, dict[str, str]] = {
        SENTENCE: {},
        TOKEN: {},
        SIDE: {"record": _STRING},
        MARK: dict.fromkeys(("label", *_FIELDS), _STRING),
        LINK: {"label": _STRING, "Governor": MARK, "Dependent": MARK},
    }
    return {
        name: {"%NAME": name, "%SUPER_TYPE": _ANNOTATION}
        | {key: {"%NAME": key, "%RANGE": kind} for key, kind in own.items()}
        for name, own in features.items()
    }
