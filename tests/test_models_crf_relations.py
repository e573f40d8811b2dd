"""Relations: nested, shared, without cue, over one quotation's sentences; and by rule where data are few."""

import json

import numpy as np
import pytest

from stancekit import codebook, tasks
from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.markup import Markup
from stancekit.errors import StancekitError
from stancekit.files import make_folder
from stancekit.models import relation_shapes
from stancekit.models.crf_relations import CrfRelations
from stancekit.models.relation_features import cue_columns
from stancekit.models.relation_links import Link, by_nearness, without_cue
from stancekit.models.relation_tags import attribution
from stancekit.resources import bundled
from stancekit.schema import Attribution, Example, Sentence, Span, characters, words_of
from stancekit.tasks import Part, part
from stancekit.text.tokens import tokens

TASK = tasks.attribution(codebook.default())


def article(tmp_path, lines, name="a"):
    path = tmp_path / f"{name}.markup"
    path.write_text(f"---\ndocument: {name}\nlayers: [attribution]\n---\n" + "\n".join(lines) + "\n")
    return list(Markup().read(path, ReadLog()))


def corpus(tmp_path):
    lines = []
    for k in range(12):
        who, town = ["minister", "mayor", "general", "farmer"][k % 4], ["Osk", "Velm", "Kamen"][k % 3]
        kind = {"general": "military", "farmer": "civilian"}.get(who, "government")
        lines += [
            f"[S@{kind}:The {who}] [C:said] [T:that {town} was quiet on day {k}].",
            f"[T:“We hold {town} on day {k},”] [C:said] [S@{kind}:the {who}].",
            f"[S@media:The Gazette] [C:reports] [T:that [S2@{kind}:the {who}] [C2@distancing:claims] [T2:{town} fell]].",
            f"The ferry at {town} was not running on day {k}.",
        ]
    return article(tmp_path, lines)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    model = CrfRelations(max_iterations=40, clusters=[])
    model.fit(part(TASK, corpus(tmp_path_factory.mktemp("corpus"))), Part(TASK))
    return model


def ask(model, *texts):
    sentences = [Sentence(id=str(k), text=t, document="new", index=k) for k, t in enumerate(texts)]
    return model.predict([Example(id=s.id, sentence=s) for s in sentences])


def told(relation, text):
    roles = (relation.source, relation.cue, relation.content)
    return (*(words_of(parts, text) for parts in roles), relation.source_type, relation.cue_stance)


def test_a_relation_has_its_parts_and_attributes(trained):
    text = "The general said that Ruda was quiet on Monday."
    (found,) = ask(trained, text)
    assert [told(r, text) for r in found.answer] == [
        ("The general", "said", "that Ruda was quiet on Monday", "military", "neutral")
    ]
    assert 0 < found.probabilities[0] <= 1


def test_nested_relations_come_outermost_first(trained):
    text = "The Gazette reports that the mayor claims Ruda fell."
    (found,) = ask(trained, text)
    assert [told(r, text) for r in found.answer] == [
        ("The Gazette", "reports", "that the mayor claims Ruda fell", "media", "neutral"),
        ("the mayor", "claims", "Ruda fell", "government", "distancing"),
    ]


def test_no_relation_is_found_where_nothing_is_said(trained):
    assert [p.answer for p in ask(trained, "The ferry at Ruda was not running.", " ")] == [(), ()]


def test_saved_and_loaded_it_answers_the_same_with_the_same_bytes(trained, tmp_path):
    folders = [make_folder(tmp_path / name) for name in ("one", "two")]
    for folder in folders:
        trained.save(folder)
    contents = [{p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders]
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"crf_relations.json", "crf_relations.safetensors"}
    json.loads(contents[0]["crf_relations.json"])
    again = CrfRelations()
    again.load(folders[0], TASK)
    texts = ["The Gazette reports that the mayor claims Ruda fell.", "“We hold Ruda,” said the farmer."]
    assert ask(again, *texts) == ask(trained, *texts)


def test_few_relations_are_linked_by_nearness(tmp_path):
    model = CrfRelations(max_iterations=40, clusters=[], least=10_000)
    model.fit(part(TASK, corpus(tmp_path)), Part(TASK))
    text = "The general said that Ruda was quiet on Monday."
    (found,) = ask(model, text)
    assert [told(r, text)[:3] for r in found.answer] == [("The general", "said", "that Ruda was quiet on Monday")]


def test_links_by_nearness_and_contents_without_cue():
    source, cue, near = (0, 1, "source", 0.9), (1, 2, "cue", 0.8), (2, 5, "content", 0.5)
    far_cue, far = (10, 11, "cue", 1.0), (11, 12, "content", 1.0)
    links = by_nearness([source, cue, near, far_cue, far])
    assert [(link.source, link.cue, link.content) for link in links] == [
        ([(0, 1)], [(1, 2)], [(2, 5)]),
        ([(0, 1)], [(10, 11)], [(11, 12)]),
    ]
    assert links[0].sure == pytest.approx(0.9 * 0.8 * 0.5)
    (extra,) = without_cue([source, near], [])
    assert (extra.source, extra.cue, extra.content) == ([(0, 1)], [], [(2, 5)])
    assert without_cue([near], links) == []


SHAPED = [  # text, roles of a relation found, shapes of train, roles and content that are left
    ("We hold Ruda, he said.", "content", ["cue content"], None),
    ("He said “we hold” Ruda.", "content", ["cue content"], None),
    ("“We hold Ruda.", "content", ["cue content"], ("content", "“We hold Ruda.")),
    ("We will hold it.”", "content", ["cue content"], ("content", "We will hold it.”")),
    ("We hold Ruda, he said.", "content", ["content"], ("content", "We hold")),
    ("We hold Ruda, he said.", "content", None, ("content", "We hold")),
    ("We hold Ruda, he said.", "cue", ["cue content"], None),
    ("We hold Ruda, he said.", "source content", ["cue content", "source content"], ("source content", "We hold")),
]


@pytest.mark.parametrize(("text", "roles", "shapes", "left"), SHAPED)
def test_a_relation_has_the_parts_that_trains_have_or_is_a_quotation(text, roles, shapes, left):
    toks = tokens(text)
    link = Link(**{role: [(0, 2) if role == "content" else (2, 3)] for role in roles.split()}, confidence=[0.5])
    found = relation_shapes.shaped([link], shapes, text, toks)
    told = [(relation_shapes.shape(one), one.content) for one in found]
    assert [(roles, text[toks[a].start : toks[b - 1].end]) for roles, [(a, b)] in told] == ([left] if left else [])
    assert all(one.sure == 0.5 for one in found)


def test_a_quotation_is_one_relation_however_many_contents_were_found_in_it():
    text = "“We hold Ruda. "
    two = [Link(content=[(1, 2)], confidence=[0.5]), Link(content=[(3, 4)], confidence=[0.4])]
    assert len(relation_shapes.shaped(two, ["cue content"], text, tokens(text))) == 1


@pytest.mark.parametrize(
    ("text", "source", "cue", "content", "wanted"),
    [
        ("Senator Reed (D-Ohio) said no.", (0, 4), (5, 6), (6, 7), ["Senator Reed (D-Ohio)", "said", "no"]),
        ("Senator Reed (D-Ohio) said no.", (0, 3), (5, 6), (6, 7), ["Senator Reed", "said", "no"]),
        ("The plan (she said) is dead.", (3, 4), (4, 5), (0, 3), ["she", "said", "The plan"]),
        ("The plan (so she said) is dead.", (4, 5), (5, 6), (0, 4), ["she", "said", "The plan (so"]),
    ],
)
def test_parts_of_a_relation_hold_whole_brackets(text, source, cue, content, wanted):
    found = attribution(text, tokens(text), Link(source=[source], cue=[cue], content=[content]))
    assert [words_of(part, text) for part in (found.source, found.cue, found.content)] == wanted


def test_rare_shapes_of_train_are_no_example():
    span = (Span(0, 1),)
    whole, bare = Attribution(source=span, cue=span, content=span), Attribution(content=span)
    assert relation_shapes.usual([whole] * 99 + [bare]) == ("content", "source cue content")
    assert relation_shapes.usual([whole] * 100 + [bare]) == ("source cue content",)
    assert relation_shapes.usual([]) == ()


def test_attributes_stay_none_where_train_has_none(tmp_path):
    sentences = corpus(tmp_path)
    relations = [
        tuple(type(a)(source=a.source, cue=a.cue, content=a.content) for a in s.gold.attributions) for s in sentences
    ]
    examples = tuple(Example(id=s.id, sentence=s) for s in sentences)
    model = CrfRelations(max_iterations=20, clusters=[])
    model.fit(Part(TASK, examples, tuple(relations)), Part(TASK))
    (found,) = ask(model, "The general said that Ruda was quiet on Monday.")
    assert [(r.source_type, r.cue_stance) for r in found.answer] == [(None, None)]


def test_a_cue_looks_at_tokens_by_side_and_distance():
    words = "He said that she claims it fell".split()
    base = dict.fromkeys(("word", "stem", "shape"), words)
    columns = cue_columns(base, (1, 2), [(1, 2), (4, 5)], ["O"] * 4 + ["B-cue", "O", "O"])
    assert columns["side"] == list("LCRRRRR")
    assert columns["distance"] == ["L1", "C0", "R0", "R1", "R2", "R3", "R5"]
    assert columns["between"] == ["L0", "C0", "R0", "R0", "R0", "R1", "R1"]
    assert columns["flat"][4] == "other"


def test_answers_on_real_text_keep_the_rules_of_the_scheme(trained):
    """Every part lies in its sentence; parts of one role are in order; every cue has one relation."""
    files = sorted((bundled("data/dispatches") / "orlen").glob("*.markup"))[:4]
    sentences = [s for path in files for s in Markup().read(path, ReadLog())]
    for prediction, sentence in zip(trained.predict(part(TASK, sentences).examples), sentences, strict=True):
        assert len(prediction.probabilities) == len(prediction.answer)
        cues = [r.cue for r in prediction.answer if r.cue]
        assert len(set(cues)) == len(cues)
        for relation in prediction.answer:
            for parts in (relation.source, relation.cue, relation.content):
                assert list(parts) == sorted(parts)
                assert all(isinstance(p, Span) and p.end <= len(sentence.text) for p in parts)
            assert not characters(relation.cue) & characters(relation.content)
    assert np.isfinite([x for p in trained.predict(part(TASK, sentences).examples) for x in p.probabilities]).all()


def test_no_relation_in_train_is_an_error():
    with pytest.raises(StancekitError, match="no relation to learn from"):
        CrfRelations().fit(Part(TASK), Part(TASK))
