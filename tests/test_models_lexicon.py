"""The lexicon model: matching by lemma and pattern, attribution by rule, and every kind of task."""

import re
import subprocess
import sys

import pytest

from stancekit import codebook, tasks
from stancekit.errors import StancekitError
from stancekit.models import rules as rules_module
from stancekit.models.cue_rules import attributions
from stancekit.models.lemma import forms
from stancekit.models.lexicon import Lexicon
from stancekit.models.matching import Matcher
from stancekit.resources import bundled
from stancekit.schema import Example, Sentence, Span, Target
from stancekit.tasks import Part
from stancekit.text.tokens import tokens

BOOK = codebook.default()
RULES = rules_module.load(bundled("data/lexicon.yaml"))


def example(text, target=None):
    return Example(id="1", sentence=Sentence(id="1", text=text), target=target)


def answer(task, text, target=None, train=(), **settings):
    model = Lexicon(**settings)
    model.fit(Part(task, tuple(train), ("none",) * len(train)), Part(task))
    return model.predict([example(text, target)])[0].answer


@pytest.mark.parametrize(
    ("word", "some"),
    [
        ("violate", {"violate", "violates", "violated", "violating"}),
        ("deny", {"denies", "denied", "denying"}),
        ("stop", {"stops", "stopped", "stopping"}),
        ("hero", {"heroes"}),
        ("destabilise", {"destabilize", "destabilized", "destabilising"}),
        ("neighbour", {"neighbor", "neighbors"}),
        ("tear", {"tore", "torn"}),
    ],
)
def test_forms(word, some):
    assert some <= forms(word, {"tear": ["tore", "torn"]})


def test_function_words_have_one_form():
    assert forms("the", {}) == {"the"}


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        ("violate _ ceasefire", "They violated the July ceasefire twice", ["violated the July ceasefire"]),
        ("violate _ ceasefire", "They violate a word and then much later a ceasefire", []),
        ("=claims", "He claimed it, she claims it", ["claims"]),
        ("hero", "HEROES all", ["HEROES"]),
        (r"/liberat\w+(?! from)\b/", "liberated town, liberated from debt", ["liberated"]),
    ],
)
def test_entries(entry, text, found):
    assert [text[m.start : m.end] for m in Matcher([(entry, "x")], {}).find(text, tokens(text))] == found


def test_of_overlapping_entries_the_longest_is_found():
    text = "a sabotage group here"
    matcher = Matcher([("sabotage", "a"), ("sabotage group", "b"), ("group", "c")], {})
    assert [(m.value, m.start, m.end) for m in matcher.find(text, tokens(text))] == [("b", 2, 16)]


@pytest.mark.parametrize(
    "line",
    [
        "[S:The ministry] [C:said] on Monday [T:that two men had been killed].",
        "[S:The mayor] [C:has repeatedly warned] [T:that the bridge will fall].",
        "[T:“We held the bridge,”] [C:said] [S:Gen. Ott, who commands the north].",
        "[T:“We held,”] [S:he] [C:added].",
        "[T:The road was shut], [S:the police] [C:said].",
        "[C:According to] [S:the agency], [T:nobody was hurt].",
        "[T:Nobody was hurt], [C:according to] [S:two residents].",
        "[S:The spokesman, a former judge,] [C:claimed] [T:it was over].",
        "[S:The minister] [C:accused] [T:the neighbours of shelling the town].",
        "The claims in the report were long.",
        "She refused to say a word.",
        "Everything went according to plan.",
        "The village liked its statement.",
    ],
)
def test_attribution_by_rule(line):
    text = re.sub(r"\[[SCT]:|\]", "", line)
    wanted = {role: re.findall(rf"\[{role}:([^\]]*)\]", line) for role in "SCT"}
    found = attributions(text, RULES)
    roles = {"S": "source", "C": "cue", "T": "content"}
    have = {key: [span.of(text) for r in found for span in getattr(r, role)] for key, role in roles.items()}
    assert {k: [w.strip(" ,") for w in v] for k, v in wanted.items()} == have


def test_source_type_and_cue_stance():
    (one,) = attributions("The Defence Ministry claimed that all was well.", RULES)
    assert (one.source_type, one.cue_stance) == ("government", "distancing")
    (two,) = attributions("A shopkeeper pointed out that all was well.", RULES)
    assert (two.source_type, two.cue_stance) == ("civilian", "endorsing")


def test_devices_with_target_and_negation():
    train = [example("x", Target("Ruritania"))]
    task = tasks.devices(BOOK)
    (device,) = answer(task, "The Ruritanian provocation was noted.", train=train)
    assert (device.frame, device.target, device.negated) == ("blame", "Ruritania", False)
    (device,) = answer(task, "There was no provocation.")
    assert (device.frame, device.target, device.negated) == ("blame", None, True)
    assert answer(task, "They met on Heroes Square; the town is liberated from debt.") == ()


def test_one_lexicon_answers_every_built_in_task():
    text = "The ministry said that the heroic defenders liberated the town."
    assert answer(tasks.frames(BOOK), text) == {"valour", "legitimation"}
    assert answer(tasks.voice(BOOK), text) == "indirect"
    assert answer(tasks.voice(BOOK), "It rained.") == "author"
    assert len(answer(tasks.attribution(BOOK), text)) == 1
    layers = answer(tasks.holder(BOOK), text)
    assert (len(layers.attributions), [d.frame for d in layers.devices]) == (1, ["valour", "legitimation"])


@pytest.mark.parametrize(
    ("text", "label"),
    [("The heroic guards of Velm.", "favor"), ("The aggression of Velm.", "against"), ("The mayor of Velm.", "none")],
)
def test_stance_is_the_balance_of_devices(text, label):
    at = text.index("Velm")
    assert answer(tasks.stance(BOOK), text, Target("Velm", Span(at, at + 4))) == label


def test_a_lexicon_of_ones_own_for_a_task_of_ones_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("labels:\n  cost: {entries: [price, pay]}\n  health: {entries: [doctor]}\n")
    task = tasks.own("topic", "single", ["cost", "health", "other"])
    assert answer(task, "They paid the doctor's price.", lexicon=str(path), default="other") == "cost"
    assert answer(task, "Nothing.", lexicon=str(path), default="other") == "other"
    spans = tasks.own("topic", "spans", ["cost", "health"])
    assert answer(spans, "A price.", lexicon=str(path)) == (Span(2, 7, "cost"),)
    sentiment = tasks.own("sentiment", "targeted", ["negative", "neutral", "positive"])
    names = {"favor": "positive", "against": "negative", "none": "neutral"}
    assert answer(sentiment, "The aggression of Velm.", Target("Velm"), names=names) == "negative"


@pytest.mark.parametrize(
    ("task", "settings", "words"),
    [
        (tasks.own("topic", "single", ["a"]), {}, "is none of the task topic"),
        (tasks.own("sentiment", "targeted", ["negative"]), {}, "has no label"),
        (tasks.voice(BOOK), {"lexicon": "nowhere.yaml"}, "no such file"),
    ],
)
def test_a_lexicon_that_does_not_fit_is_a_clear_error(task, settings, words):
    with pytest.raises(StancekitError, match=words):
        answer(task, "x", **settings)


def test_every_mistake_in_a_lexicon_is_told_with_its_line(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "negators: [1]\ncuse: {}\nsources: {media: paper}\nlabels:\n"
        "  a: {polarity: good, entries: ['/(/', '_ x']}\n  b: {entry: []}\n"
    )
    with pytest.raises(StancekitError) as caught:
        rules_module.load(path)
    lines = sorted(int(p.where.split(":")[1].split(" ")[0]) for p in caught.value.problems)
    assert lines == [1, 2, 3, 5, 5, 5, 6, 6]


def test_the_bundled_lexicon_has_the_codebooks_labels():
    assert set(RULES.labels) == set(BOOK.names("frame"))
    assert set(RULES.value["cues"]) == set(BOOK.names("cue_stance"))
    assert set(RULES.value["sources"]) == set(BOOK.names("source_type"))


def test_rules_need_no_learning_library():
    code = "import sys, stancekit.models.lexicon; sys.exit(bool({'sklearn', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
