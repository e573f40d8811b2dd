"""Exchange formats: round trips of what a format can hold, exports of other tools, offsets of browsers, bad input."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cassis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stancekit.codebook import Codebook
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.inception import LINK, MARK
from stancekit.data.formats.marks import outermost
from stancekit.data.formats.utf16 import Quoted, Units, to_characters
from stancekit.data.load import guess, load, save, survey
from stancekit.errors import StancekitError
from stancekit.schema import Attribution, Device, Layers, Sentence, Span, Stance, Target, parts_of, words_of
from stancekit.text.tokens import tokens
from strategies import META, corpora, texts

FIXTURES = Path(__file__).parent / "fixtures"
EXCHANGE = FIXTURES / "exchange"
BARE = Codebook("bare", "1")
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
ORDER = "order of relations (now by their content)"
TOOLS = {  # format: path, options; all of them hold all layers
    "brat": ("x", {}),
    "labelstudio": ("x.json", {"results": "annotations"}),
    "doccano": ("x.jsonl", {}),
    "inception": ("x", {}),
    "spacy": ("x.spacy", {}),
}


def round_trip(rows, path: Path, format: str, options=None):
    lost = save(rows, path, format=format, options=options or {}, codebook=BARE)
    return lost, list(load(path, format=format, options=options or {}, codebook=BARE))


def canonical(sentence: Sentence, text: str | None = None) -> Sentence:
    """Relations in the order of their content, spans in the order of the text, and text without line ends."""
    gold, text = sentence.gold, sentence.text if text is None else text
    relations = None if gold.attributions is None else tuple(sorted(gold.attributions, key=outermost))
    return replace(sentence, text=text, gold=replace(gold, text=text, attributions=relations))


@pytest.mark.parametrize("name", TOOLS)
@QUICK
@given(rows=corpora())
def test_tools_give_back_all_layers(tmp_path, name, rows):
    file, options = TOOLS[name]
    path = tmp_path / name / file
    lost, found = round_trip(rows, path, name, options)
    counted = sum(list(row.gold.attributions or ()) != list(canonical(row).gold.attributions or ()) for row in rows)
    assert lost.pop(ORDER, 0) == counted
    lost.pop("tokens cut at the edge of a span", None)
    breaks = sum(row.text.count(end) for row in rows for end in "\r\n")
    texts_ = [row.text for row in rows]
    if name == "brat":
        assert lost.pop("line end in a text (now a space)", 0) == breaks
        texts_ = [text.replace("\r", " ").replace("\n", " ") for text in texts_]
    left_out = lost.pop("mark whose label or target the format cannot hold (left out)", 0)
    assert not lost
    if not left_out:
        assert found == [canonical(row, text) for row, text in zip(rows, texts_, strict=True)]


@st.composite
def tagged(draw):
    """A sentence with devices and spans of a task on whole tokens, none of which overlap."""
    text = draw(texts())
    toks = tokens(text)

    def parts():
        cuts = sorted(draw(st.sets(st.integers(0, len(toks)), max_size=6)))
        return [(toks[a].start, toks[b - 1].end) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]

    devices = tuple(Device(parts=parts_of([p]), frame=draw(st.sampled_from(["blame", "threat"]))) for p in parts())
    labels = {"spans": spans} if (spans := tuple(Span(a, b, draw(st.sampled_from("xy"))) for a, b in parts())) else {}
    labels |= {"topic": draw(st.frozensets(st.text("aé ", min_size=1), max_size=2))}
    return Sentence(
        id=draw(st.text("aé#1", min_size=1, max_size=4)),
        text=text,
        document="d",
        index=draw(st.integers(0, 9)),
        meta=draw(META),
        gold=Layers(text=text, devices=devices, labels=labels),
    )


@QUICK
@given(row=tagged())
def test_conll_keeps_spans_of_whole_tokens(tmp_path, row):
    options = {"columns": ["frame", "spans"]}
    assert round_trip([row], tmp_path / "x.conll", "conll", options) == (Counter(), [row])


def test_conll_counts_what_tags_cannot_hold(tmp_path):
    text = "The staff said the occupiers were beaten."
    relation = Attribution(source=parts_of([(0, 9)]), cue=parts_of([(10, 14)]), content=parts_of([(15, 40)]))
    device = Device(parts=parts_of([(19, 26), (34, 40)]), frame="enemy_image", target="Lutania", negated=True)
    gold = Layers(text=text, attributions=(relation,), devices=(device,), stances=())
    row = Sentence(id="d.0", text=text, document="d", gold=gold)
    lost, (again,) = round_trip([row], tmp_path / "x.conll", "conll")
    assert lost == {
        "stances": 1,
        "links between source, cue and content (now spans of the task roles)": 1,
        "targets of devices": 1,
        "negation of devices": 1,
        "edges inside a token, widened": 1,
        "parts of one span, tagged apart": 1,
    }
    assert [(s.of(text), s.label) for s in again.gold.labels["roles"]] == [
        ("The staff", "source"),
        ("said", "cue"),
        ("the occupiers were beaten", "content"),
    ]
    assert [d.parts[0].of(text) for d in again.gold.devices] == ["occupiers", "beaten"]
    alone = replace(row, gold=Layers(text=text, attributions=(relation,)))
    save([alone], tmp_path / "y.conll")
    assert (tmp_path / "y.conll").read_text("utf-8").startswith("# global.columns = token source cue content\n# text")
    with pytest.raises(StancekitError, match="choose 1 to 3"):
        save([alone], tmp_path / "z.conll", options={"columns": ["source", "cue", "content", "frame"]})


def test_conll_of_others_has_documents_and_tags_in_the_last_column():
    dataset = load(EXCHANGE / "ner.conll", codebook=BARE)
    found = [(s.id, s.text, [(x.of(s.text), x.label) for x in s.gold.labels["spans"]]) for s in dataset]
    assert found == [
        ("ner.1.0", "EU rejects German call", [("EU", "ORG"), ("German", "MISC")]),
        ("ner.1.1", "Peter Blackburn", [("Peter Blackburn", "PER")]),
        ("ner.2.0", "Brussels", [("Brussels", "LOC")]),
    ]
    chunks = load(EXCHANGE / "ner.conll", options={"columns": ["-", "chunks", "-"]}, codebook=BARE)
    assert [len(s.gold.labels["chunks"]) for s in chunks] == [3, 1, 1]


def told(sentence: Sentence):
    relations = [
        tuple(words_of(getattr(a, role), sentence.text) for role in ("source", "cue", "content"))
        for a in sentence.gold.attributions or ()
    ]
    devices = [(words_of(d.parts, sentence.text), d.frame, d.target, d.negated) for d in sentence.gold.devices or ()]
    return relations, devices


def test_brat_of_others_is_cut_at_line_ends():
    dataset = load(FIXTURES / "brat")
    assert [(s.id, s.text.split()[0]) for s in dataset] == [("ferry.0", "Ferry"), ("ferry.2", "The"), ("ferry.3", "no")]
    assert [told(s) for s in dataset] == [
        ([], []),
        ([("The ministry", "said", "the ferry … stay shut. It was")], []),
        ([("", "", "no provocation"), ("Rusk", "said", "")], [("provocation", "blame", "Lutania", True)]),
    ]
    assert dataset.sentences[1].gold.attributions[0].source_type == "government"
    assert dataset.counts == {
        "marks cut at the end of a sentence": 1,
        "relations cut at the end of a sentence": 1,
        "notes (left out)": 1,
        "normalisations and equivalences (left out)": 1,
    }


def test_brat_names_broken_lines_and_offsets(tmp_path):
    (tmp_path / "a.txt").write_text("One 😀 two.\n", "utf-8")
    (tmp_path / "a.ann").write_text("T1\tSource 0 3\tOne\nT2 Cue\nT3\tCue 4 9\tnine\nT4\tCue 90 99\tx\n", "utf-8")
    (tmp_path / "b.txt").write_bytes("é\n".encode("latin-1"))
    (tmp_path / "b.ann").write_text("")
    _, problems = survey(tmp_path)
    assert [(p.where.rpartition("/")[2], p.what.partition(":")[0]) for p in problems] == [
        ("a.ann:2", "broken line of brat standoff"),
        ("a.ann:3", "offset mismatch"),
        ("a.ann:4", "offset mismatch"),
        ("b.txt:1", "byte 0xe9 is not UTF-8"),
    ]
    assert len(load(tmp_path, on_error="skip")) == 1


def test_brat_refuses_a_text_that_lost_a_line(tmp_path):
    rows = [Sentence(id=f"n{k}", text=f"Line {k}.", document="d/é", index=k) for k in range(3)]
    save(rows, tmp_path / "x", format="brat")
    assert [s.id for s in load(tmp_path / "x")] == ["n0", "n1", "n2"]
    (tmp_path / "x" / "d_é.txt").write_text("Line 0.\nLine 1.\n", "utf-8")
    with pytest.raises(StancekitError, match="2 lines, but 3 in stancekit.jsonl"):
        load(tmp_path / "x")


def test_label_studio_mends_offsets_of_the_browser():
    dataset = load(EXCHANGE / "labelstudio.json")
    first, second, third = dataset
    assert told(first) == ([("The council", "claims", "it won")], [])
    assert first.gold.attributions[0].cue_stance == "distancing"
    assert (first.document, first.gold.labels) == ("kd-1", {"topic": frozenset({"war", "talks"})})
    assert (second.gold.attributions, second.gold.labels) == (None, {})
    assert third.gold.attributions == ()
    assert dataset.counts == {
        "offsets in UTF-16 units (mended)": 3,
        "tasks without annotations": 1,
        "further annotations of a task (left out)": 1,
    }
    other = load(EXCHANGE / "labelstudio.json", options={"annotator": 4})
    assert [s.gold.attributions for s in other] == [None, None, None]
    every = load(EXCHANGE / "labelstudio.json", options={"annotators": True})
    assert [(s.id, s.meta["annotator"]) for s in every] == [
        ("kd-1.0@3", "3"),
        ("kd-1.0@4", "4"),
        ("labelstudio.9.0@3", "3"),
    ]


def test_label_studio_keeps_predictions_apart_from_annotations(tmp_path):
    text = "The heroic crew."
    device = Device(parts=parts_of([(4, 10)]), frame="valour")
    row = Sentence(id="7", text=text, document="d", gold=Layers(text=text, devices=(device,), labels={"topic": "sea"}))
    save([row], tmp_path / "x.json", format="labelstudio")
    (unseen,) = load(tmp_path / "x.json")
    assert unseen == replace(row, gold=Layers(text=text))
    tasks = json.loads((tmp_path / "x.json").read_text("utf-8"))
    result = tasks[0]["predictions"][0]["result"]
    tasks[0]["annotations"] = [{"result": [r for r in result if r["from_name"] != "topic"], "completed_by": 1}]
    (tmp_path / "x.json").write_text(json.dumps(tasks), "utf-8")
    (seen,) = load(tmp_path / "x.json")
    assert seen == replace(row, gold=Layers(text=text, devices=(device,)))
    view = (tmp_path / "x.xml").read_text("utf-8")
    assert '<Label value="frame/valour"/>' in view and '<Choice value="sea"/>' in view


@pytest.mark.parametrize("name", [*TOOLS, "conll"])
def test_votes_travel_with_the_labels(tmp_path, name):
    text = "It rained."
    gold = Layers(text=text, labels={"topic": "sea"}, votes={"topic": {"sea": 0.75, "war": 0.25}})
    rows = [Sentence(id="d.0", text=text, document="d", gold=gold)]
    file, options = TOOLS.get(name, ("x.conll", {}))
    assert round_trip(rows, tmp_path / file, name, options) == (Counter(), rows)


def test_what_was_sent_out_without_labels_comes_back_annotated(tmp_path):
    rows = [Sentence(id=f"s{k}", text=f"A provocation {k}.", document="d", index=k) for k in range(2)]
    save(rows, tmp_path / "x.jsonl", format="doccano")
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    lines[0]["entities"] = [{"id": 1, "label": "frame/blame", "start_offset": 2, "end_offset": 13}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert [s.gold.devices and s.gold.devices[0].frame for s in load(tmp_path / "x.jsonl")] == ["blame", ()]
    wanted = load(tmp_path / "x.jsonl", options={"annotated": ["attributions"]})
    assert [s.gold.attributions for s in wanted] == [(), ()]


def test_articles_are_cut_into_sentences_and_marks_with_them(tmp_path):
    text = "The staff said 🧊 rebels fled. They were beaten."
    entities = [[0, 9, "Source"], [10, 14, "Cue"], [17, len(text), "Content"]]
    rows = [{"id": k, "start_offset": a, "end_offset": b, "label": label} for k, (a, b, label) in enumerate(entities)]
    links = [{"from_id": 1, "to_id": 0, "type": "x"}, {"from_id": 1, "to_id": 2, "type": "x"}]
    (tmp_path / "x.jsonl").write_text(json.dumps({"id": 4, "text": text, "entities": rows, "relations": links}))
    dataset = load(tmp_path / "x.jsonl", options={"split": True})
    assert [told(s)[0] for s in dataset] == [
        [("The staff", "said", "rebels fled.")],
        [("", "", "They were beaten.")],
    ]
    assert dataset.counts == {"marks cut at the end of a sentence": 1}
    (whole,) = load(tmp_path / "x.jsonl")
    assert told(whole)[0] == [("The staff", "said", "rebels fled. They were beaten.")]


@pytest.mark.parametrize("name", ["brat", "inception"])
def test_documents_neither_share_a_file_nor_mix_with_others(tmp_path, name):
    rows = [Sentence(id=document, text="It rained.", document=document) for document in ("a/1", "A_1", "a 1")]
    save(rows, tmp_path, format=name)
    with pytest.raises(StancekitError, match="other documents in this folder: A_1-2"):
        save([replace(rows[0], document="c")], tmp_path, format=name)
    assert {s.document for s in load(tmp_path)} == {"a/1", "A_1", "a 1"}


def test_doccano_reads_both_of_its_projects(tmp_path):
    first, second = load(EXCHANGE / "doccano.jsonl")
    assert told(first) == ([("The staff", "said", "")], [("rebels", "enemy_image", "Lutania", True)])
    assert (second.gold.attributions, second.gold.devices) == ((), ())
    text = "It rained."
    rows = [
        Sentence(id="1", text=text, document="d", gold=Layers(text=text, labels={"topic": "sea"}, devices=())),
        Sentence(id="2", text=text, document="d", index=1, gold=Layers(text=text, labels={"topic": frozenset("ab")})),
    ]
    lost, found = round_trip(rows, tmp_path / "x.jsonl", "doccano", {"classes": "topic"})
    assert lost == {"devices (classification holds labels of the text)": 1}
    assert [s.gold.labels for s in found] == [row.gold.labels for row in rows]
    (tmp_path / "y.jsonl").write_text('{"text": "abc", "label": [[0, 2, "X"]]}\n{"text": "d", "label": []}\n', "utf-8")
    assert [s.gold.labels["spans"] for s in load(tmp_path / "y.jsonl", codebook=BARE)] == [(Span(0, 2, "X"),), set()]


def test_inception_is_what_cassis_reads_and_writes(tmp_path):
    text = "🧊 The staff said occupiers fled."
    relation = Attribution(source=parts_of([(2, 11)]), cue=parts_of([(12, 16)]), content=parts_of([(17, 31)]))
    device = Device(parts=parts_of([(17, 26), (27, 31)]), frame="enemy_image", target="Lutania")
    row = Sentence(
        id="s", text=text, document="kd", gold=Layers(text=text, attributions=(relation,), devices=(device,))
    )
    assert save([row], tmp_path / "x", format="inception") == Counter()
    cas = cassis.load_cas_from_json((tmp_path / "x" / "kd.json").read_text("utf-8"))
    marks = {mark.get_covered_text(): mark.label for mark in cas.select(MARK)}
    assert marks == {
        "said": "Cue",
        "occupiers fled": "Content",
        "The staff": "Source",
        "occupiers": "frame/enemy_image",
        "fled": "frame/enemy_image",
    }
    links = {(x.Governor.get_covered_text(), x.Dependent.get_covered_text(), x.label) for x in cas.select(LINK)}
    said = {("said", "occupiers fled", "content"), ("said", "The staff", "source"), ("occupiers", "fled", "part")}
    assert links == said
    assert [t.get_covered_text() for t in cas.select("Token")][:3] == ["🧊", "The", "staff"]
    cas.to_json(str(tmp_path / "again.json"))
    assert list(load(tmp_path / "again.json")) == [row]


def test_inception_reads_a_layer_of_another_project(tmp_path):
    system = cassis.TypeSystem()
    entity = system.create_type("custom.Entity", "uima.tcas.Annotation")
    system.create_feature(entity, "value", "uima.cas.String")
    cas = cassis.Cas(system)
    cas.sofa_string = "👩‍👩‍👧 Rusk left.\nNobody stayed."
    cas.add(entity(begin=6, end=10, value="PER"))
    for user in ("anna", "ben", "INITIAL_CAS"):
        (tmp_path / "annotation" / "ferry.txt").mkdir(parents=True, exist_ok=True)
        cas.to_json(str(tmp_path / "annotation" / "ferry.txt" / f"{user}.json"))
    options = {"layer": "custom.Entity", "feature": "value", "task": "names", "annotator": "ben"}
    dataset = load(tmp_path, options=options, codebook=BARE)
    assert [(s.id, s.gold.labels["names"]) for s in dataset] == [
        ("ferry.0", (Span(6, 10, "PER"),)),
        ("ferry.1", frozenset()),
    ]
    assert dataset.counts == {"further annotators of a document (left out)": 1}
    both = load(tmp_path, options=options | {"annotator": None, "annotators": True}, codebook=BARE)
    assert [s.id for s in both] == ["ferry.0@anna", "ferry.1@anna", "ferry.0@ben", "ferry.1@ben"]


def test_docbin_of_others_and_damaged_ones(tmp_path):
    spacy = pytest.importorskip("spacy")
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp("Rusk left. Nobody stayed.")
    doc.ents = [doc.char_span(0, 4, label="PERSON")]
    doc.spans["sc"] = [doc.char_span(11, 17, label="WHO")]
    doc.cats = {"calm": 0.9, "loud": 0.1}
    kept = spacy.tokens.DocBin(docs=[doc], store_user_data=True, attrs=["ORTH", "ENT_TYPE", "ENT_IOB", "SENT_START"])
    kept.to_disk(tmp_path / "x.spacy")
    first, second = load(tmp_path / "x.spacy", codebook=BARE)
    assert first.gold.labels["entities"] == (Span(0, 4, "PERSON"),)
    assert second.gold.labels["sc"] == (Span(0, 6, "WHO"),)
    assert first.gold.labels["cats"] == {"calm"}
    content = (tmp_path / "x.spacy").read_bytes()
    for damaged in (content[:-20], b"", b"pickle", content[:30] + b"\0" + content[31:]):
        (tmp_path / "y.spacy").write_bytes(damaged)
        with pytest.raises(StancekitError, match="no DocBin, or it is damaged"):
            load(tmp_path / "y.spacy")


def test_docbin_shows_spans_and_categories_to_spacy(tmp_path):
    spacy = pytest.importorskip("spacy")
    text = "The staff  said occupiers fled."
    device = Device(parts=parts_of([(16, 25)]), frame="enemy_image", target="Lutania")
    stances = (Stance(Target("B"), "none"), Stance(Target("occupiers", Span(16, 25)), "against"))
    gold = Layers(text=text, devices=(device,), stances=stances, labels={"topic": "war"})
    row = Sentence(id="s", text=text, document="kd", gold=gold)
    assert round_trip([row], tmp_path / "x.spacy", "spacy") == (Counter(), [row])
    (doc,) = spacy.tokens.DocBin().from_disk(tmp_path / "x.spacy").get_docs(spacy.blank("en").vocab)
    assert doc.text == text and doc.cats == {"topic/war": 1.0}
    assert [(s.text, s.label_) for s in doc.spans["devices"]] == [("occupiers", "enemy_image")]


@given(text=texts("a😀é\u0301 \r\n"), data=st.data())
def test_utf16_units_are_those_of_the_encoding(text, data):
    units = Units(text)
    for at in range(len(text) + 1):
        assert units.unit(at) == len(text[:at].encode("utf-16-le")) // 2
        assert units.character(units.unit(at)) == at
    wide = [at for at, c in enumerate(text) if c > "\uffff"]
    assert all(units.character(units.unit(at) + 1) is None for at in wide)
    start, end = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True)))
    log = ReadLog()
    quoted = Quoted("x", ((units.unit(start), units.unit(end)),), text[start:end])
    (found,) = to_characters(text, [quoted], log)
    assert found is not None and text[slice(*found[0])].split() == text[start:end].split()
    assert not log.problems


def test_offsets_that_fit_neither_way_are_refused():
    log = ReadLog()
    found = to_characters("😀😀 ab cd", [Quoted("x:1", ((5, 7),), "ab"), Quoted("x:2", ((1, 2),), "cd")], log)
    assert found == [((3, 5),), None]
    (problem,) = log.problems
    assert (problem.where, problem.what) == ("x:2", "offset mismatch: 1–2 covers '😀', the file says 'cd'")
    assert "neither" in problem.hint
    assert to_characters("😀 ab", [Quoted("x", ((3, 5),))], ReadLog()) == [((2, 4),)]


def big(opening: bytes, filler: bytes, closing: bytes = b"") -> bytes:
    return opening + filler * (3_000_000 // len(filler)) + closing


BAD = {  # file, content, format, what the error says, where it stands
    "truncated Label Studio": ("x.json", b'[{"id": 1, "data": {"text": "a"', "labelstudio", "no valid JSON", ":1"),
    "JSON-MIN": ("x.json", b'[{"id": 1, "text": "a"}]', "labelstudio", "data.text", "task 1"),
    "no list of tasks": ("x.json", b"{}", "labelstudio", "no list of tasks", "x.json"),
    "results that are none": (
        "x.json",
        b'[{"data": {"text": "a"}, "annotations": [3]}]',
        "labelstudio",
        "must be a list of objects",
        "task 1",
    ),
    "truncated doccano": ("x.jsonl", b'{"text": "a", "entities": []}\n{"text": "b', "doccano", "no valid JSON", ":2"),
    "an entity that is none": ("x.jsonl", b'{"text": "a", "label": [[0, 1]]}', "doccano", "an entity is", ":1"),
    "an entity past the end": (
        "x.jsonl",
        b'{"text": "a", "label": [[0, 9, "X"]]}',
        "doccano",
        "outside the text",
        ":1",
    ),
    "an unknown frame": (
        "x.jsonl",
        b'{"text": "a", "label": [[0, 1, "frame/blam"]]}',
        "doccano",
        "unknown frame",
        ":1",
    ),
    "mixed encodings": ("x.jsonl", '{"text": "é"}\n'.encode() + b'{"text": "\xe9"}', "doccano", "0xe9 is not", ":2"),
    "no CAS": ("x.json", b'{"%FEATURE_STRUCTURES": [{"%ID": 1}]}', "inception", "no UIMA CAS JSON", "x.json"),
    "a CAS without its end": ("x.json", b'{"%TYPES": {}', "inception", "no valid JSON", ":1"),
    "one column": ("x.conll", b"a\tO\nb\n\n", "conll", "1 columns in the line 'b'", ":2"),
    "no BIO tag": ("x.conll", b"a\tNNP\n\n", "conll", "'NNP' is no BIO tag", ":1"),
    "a token of another text": ("x.conll", b"# text = a b\na\tO\nc\tO\n", "conll", "'c' is not next in the text", ":1"),
    "no workbook": ("x.xlsx", b"PK\x03\x04 cut", "babe", "cannot be read", "x.xlsx"),
    "a table without columns": ("x.tsv", b"sentence\tguid\na\t1\n", "gwsd", "no column 'disagree'", ":1"),
    "a sentence without end": ("x.jsonl", big(b'{"text": "', b"ab ", b'"}'), "doccano", "a sentence of 3,00", ":1"),
    "a line without end": ("x.conll", big(b"", b"a b\t"), "conll", "a line of 3,000,000 characters", ":1"),
    "a cell without end": (
        "x.tsv",
        big(b"sentence\tguid\tdisagree\tagree\tneutral\n", b"x"),
        "gwsd",
        "no valid TSV",
        "",
    ),
    "a task without end": ("x.json", big(b'[{"data": {"text": "', b"ab ", b'"}}]'), "labelstudio", "a sentence of", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_names_the_place(tmp_path, case):
    name, content, format, what, where = BAD[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StancekitError) as caught:
        load(tmp_path / name, format=format)
    problem = caught.value.problems[0]
    assert what in problem.what
    assert problem.where.endswith(where) and name in problem.where
    assert len(str(problem)) < 500


@pytest.mark.parametrize("name", TOOLS)
def test_a_written_file_is_recognised_and_written_alike(tmp_path, name):
    rows = list(load("dispatches"))[:40]
    file, options = TOOLS[name]
    for folder in ("one", "two"):
        save(rows, tmp_path / folder / file, format=name, options=options)
    assert guess(tmp_path / "one" / file) == name
    contents = [
        {p.name: p.read_bytes() for p in sorted((tmp_path / folder).rglob("*")) if p.is_file()}
        for folder in ("one", "two")
    ]
    assert contents[0] == contents[1] != {}
    assert sorted(load(tmp_path / "one" / file, options=options), key=lambda s: s.id) == sorted(
        map(canonical, rows), key=lambda s: s.id
    )


def workbook(path: Path, rows: list[list[object]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


BABE = ["text", "news_link", "outlet", "topic", "type", "label_bias", "label_opinion", "biased_words"]


def test_babe_finds_biased_words_in_the_text(tmp_path):
    rows = [
        BABE,
        [
            "The “radical” mob, a mob.",
            "https://a/1",
            "A",
            "sea",
            "left",
            "Biased",
            "x",
            "['mob', '\"radical\"', 'mobb']",
        ],
        ["Rain fell.", None, "B", "sea", "left", "Non-biased", "y", "[]"],
        ["Who knows.", "https://a/1", "A", "sea", "left", "No agreement", "y", "[]"],
    ]
    dataset = load(workbook(tmp_path / "x.xlsx", rows))
    first, second = dataset
    assert [s.of(first.text) for s in first.gold.labels["biased_words"]] == ["“radical”", "mob"]
    assert (first.document, dict(first.meta)) == ("https://a/1", {"outlet": "A", "topic": "sea", "leaning": "left"})
    assert (second.document, second.gold.labels["bias"]) == (second.id, "Non-biased")
    assert dataset.counts == {
        "sentences without agreement (dropped)": 1,
        "sentences without an article's address": 1,
        "biased words": 3,
        "biased words that are not in the text": 1,
    }
    raw = [[*BABE, "annotator_id"], *([*rows[1][:7], "mob, radical", k] for k in (3, 9))]
    path = workbook(tmp_path / "raw.xlsx", raw)
    found = load(path, options={"annotators": True})
    assert [(s.id, s.meta["annotator"]) for s in found] == [(f"{first.id}@3", "3"), (f"{first.id}@9", "9")]
    with pytest.raises(StancekitError, match="annotators: true"):
        load(path)


def test_a_spreadsheet_of_ones_own_is_asked_for_as_csv(tmp_path):
    path = workbook(tmp_path / "mine.xlsx", [["text", "label"], ["Rain fell.", "plain"]])
    for options in ({}, {"text": "text", "label": "label"}):
        with pytest.raises(StancekitError, match=r"^\S*mine.xlsx: a spreadsheet is read only as .* → save it as CSV"):
            load(path, options=options)
    (tmp_path / "mine.csv").write_bytes(path.read_bytes())
    (tmp_path / "short.csv").write_bytes(b"PK\x03\x04,label\n")
    for name in ("mine.csv", "short.csv"):
        with pytest.raises(StancekitError, match="it is no text but a zip file"):
            load(tmp_path / name)


def test_ptc_cuts_spans_at_line_ends(tmp_path):
    dataset = load(FIXTURES / "ptc")
    found = [(s.id, [(x.of(s.text), x.label) for x in s.gold.labels["propaganda"]]) for s in dataset]
    assert found == [
        ("71.0", []),
        ("71.2", [("heroic", "Loaded_Language"), ("everyone", "Bandwagon")]),
        ("71.3", [("says so", "Bandwagon")]),
    ]
    assert dataset.counts == {"spans": 2, "marks cut at the end of a sentence": 1}
    spans = load(FIXTURES / "ptc", options={"subtask": "SI"})
    assert {x.label for s in spans for x in s.gold.labels["propaganda"]} == {"propaganda"}
    (tmp_path / "train-articles").mkdir()
    (tmp_path / "train-articles" / "article1.txt").write_text("One.\n")
    (tmp_path / "train-task2-TC.labels").write_text("1\tDoubt\t0\t3\n1\tDoubt\t0\t99\n1\tDoubt\n2\tDoubt\t0\t1\n")
    _, problems = survey(tmp_path)
    assert [(p.where[-1], p.what.split(":")[0]) for p in problems] == [
        ("3", "broken line"),
        ("2", "offset mismatch"),
        ("4", "there is no article '2'"),
    ]


def test_gwsd_takes_the_largest_posterior_and_drops_screens():
    dataset = load(EXCHANGE / "gwsd.tsv")
    found = [(s.id, s.gold.labels["agreement"][0].label) for s in dataset]
    assert found == [("1_0_t0", "agree"), ("1_0_t1", "neutral")]
    assert dataset.counts == {"screens (dropped)": 1}
    workers = load(EXCHANGE / "gwsd.tsv", options={"annotators": True})
    assert [(s.id, s.meta["annotator"]) for s in workers][:2] == [
        ("1_0_t0@worker_0", "worker_0"),
        ("1_0_t0@worker_1", "worker_1"),
    ]
    assert len(workers) == 5


SHARED = Path(os.environ.get("STANCEKIT_SHARED_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))


def shared(name: str) -> Path:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not in {SHARED}: set STANCEKIT_SHARED_DATA to where the published data lie")
    return SHARED / name


def test_published_data_have_their_published_counts():
    babe = load(shared("babe/data/final_labels_SG2.xlsx"))
    assert (len(babe), babe.counts["sentences without agreement (dropped)"]) == (3673, 1)
    assert babe.counts["biased words that are not in the text"] <= 31  # misspelt by annotators
    assert load(shared("ptc")).counts["spans"] == 6129
    gwsd = load(shared("gwsd/GWSD_train.tsv"))
    assert (len(gwsd), gwsd.counts["screens (dropped)"]) == (1850, 250)


@pytest.mark.parametrize("name", TOOLS)
def test_published_relations_survive_every_tool(tmp_path, name):
    rows = list(load(shared("polnear/data/dev"), on_error="skip"))[:300]
    file, options = TOOLS[name]
    lost = save(rows, tmp_path / file, format=name, options=options)
    lost.pop("tokens cut at the edge of a span", None)
    assert not lost
    assert sorted(load(tmp_path / file, format=name, options=options), key=lambda s: s.id) == sorted(
        rows, key=lambda s: s.id
    )
