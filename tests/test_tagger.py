"""The tagger: whose frame it is, over raw articles and records, with actors, antecedents and distance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import stancekit
from stancekit import experiment, reports
from stancekit.errors import StancekitError
from stancekit.schema import Attribution, Device, Layers, Sentence, parts_of
from stancekit.tagger import _canonical
from stancekit.text import actors, antecedents

ROOT = Path(__file__).parent.parent
CODEBOOK_EXAMPLES = {
    "The town was liberated.": ("author", None),
    "The town was liberated, the ministry said.": ("source", "the ministry"),
    "Residents returned to the “liberated” town.": ("distanced", None),
    "The ministry claims the town was liberated.": ("distanced", "The ministry"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for name in ("attribution", "framing", "stance"):
        experiment.train(f"demo-{name}", ["model=lexicon", f"output={folder / name}"])
    return {name: folder / name for name in ("attribution", "framing", "stance")}


def test_the_same_word_has_four_holders(runs: dict[str, Path]) -> None:
    tagger = stancekit.Tagger.load(**runs)
    for text, (kind, source) in CODEBOOK_EXAMPLES.items():
        (row,) = tagger(text).rows()
        assert (row["device"], row["holder"], row["source"]) == ("liberated", kind, source), text


def test_a_raw_article(runs: dict[str, Path]) -> None:
    article = experiment.tag(ROOT / "examples" / "article.txt", actors=ROOT / "examples" / "actors.yaml", **runs)
    text = (ROOT / "examples" / "article.txt").read_text(encoding="utf-8")
    for sentence in article.sentences:
        assert text[sentence.meta["start"] : sentence.meta["end"]] == sentence.text
    assert {s.target.name for x in article.sentences for s in x.gold.stances or ()} == {"Varga", "Sundmark"}
    resolved = {row["antecedent"] for row in article.rows()} - {None}
    assert "The Vargan Defence Ministry" in resolved
    assert len(article.to_frame()) == len(article.rows())
    assert "liberated" in repr(article) and "unknown" in article.notes()[0]


def test_an_ingested_article_is_tagged_as_the_raw_one(runs: dict[str, Path], tmp_path: Path) -> None:
    text = "“We held on,” said Holt. “The town was liberated.”\n“It was a provocation. Nobody helped.”"  # README
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    stancekit.ingest(tmp_path / "a.txt", to=tmp_path / "a.jsonl")
    raw, ingested = (experiment.tag(tmp_path / name, **runs) for name in ("a.txt", "a.jsonl"))
    told = [(row["device"], row["holder"], row["antecedent"]) for row in raw.rows()]
    assert told == [("liberated", "source", "Holt"), ("provocation", "source", "Holt")]
    assert [(row["device"], row["holder"], row["antecedent"]) for row in ingested.rows()] == told
    flow = reports.article_page(raw, "a").split('<article class="article">')[1].split("</article>")[0]
    assert flow.count("<p>") == 2  # one line break ends a paragraph here


def test_a_quotation_over_several_sentences_has_one_speaker(runs: dict[str, Path]) -> None:
    tagger = stancekit.Tagger.load(**runs)
    article = tagger("The mayor came. “We are here. The town was liberated. Nobody helped,” said Mayor Holt.")
    (row,) = article.rows()
    assert (row["device"], row["holder"], row["antecedent"]) == ("liberated", "source", "Mayor Holt")
    assert [len(article.confidence[s.id]["attributions"]) for s in article.sentences] == [
        len(s.gold.attributions or ()) for s in article.sentences
    ]
    assert article.records()[2]["tagging"]["antecedents"][0]["source_text"] == "Mayor Holt"


def test_records_keep_their_ids_and_read_back(runs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(
        '{"id": "mine-7", "text": "Karsk liberated the town.", "document": "d", "meta": {"outlet": "New"}}\n'
    )
    article = experiment.tag(path, **runs)
    assert [s.id for s in article.sentences] == ["mine-7"]
    assert article.distance["unseen_outlets"] == ["New"]
    out = tmp_path / "out.jsonl"
    out.write_text("".join(json.dumps(r) + "\n" for r in article.records()))
    again = experiment.load_module.load(out)
    assert again.sentences[0].gold.devices == article.sentences[0].gold.devices


def test_targets_follow_the_list_of_actors() -> None:
    finder = actors.Finder(actors.load(ROOT / "examples" / "actors.yaml"))
    text = "Sundmark's Interior Ministry wept, the Vargan crew sang."
    named = {
        given: _canonical(Device(parts=parts_of([(0, 3)]), frame="blame", target=given), text, finder, True).target
        for given in ("Interior Ministry", "Vargan", "Elsewhere")
    }
    assert named == {"Interior Ministry": "Sundmark", "Vargan": "Varga", "Elsewhere": None}


def test_gold_is_never_used(runs: dict[str, Path]) -> None:
    text = "Rain fell on the harbour."
    device = Device(parts=parts_of([(0, 4)]), frame="blame", target="Harbour")
    sentence = Sentence(id="s", text=text, gold=Layers(text=text, attributions=(), devices=(device,)))
    article = stancekit.Tagger.load(**runs)([sentence])
    assert article.sentences[0].gold.devices == ()
    assert [a.name for a in article.actors] == ["Harbour"]


def test_wrong_runs_and_missing_defaults_are_named(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StancekitError, match="an attribution run was expected"):
        stancekit.Tagger.load(attribution=runs["framing"], framing=runs["framing"])
    with pytest.raises(StancekitError) as caught:
        stancekit.Tagger.load(attribution=runs["stance"], framing=runs["attribution"], stance=runs["framing"])
    assert len(caught.value.problems) == 3
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StancekitError, match="make demo"):
        stancekit.Tagger.load()


def test_what_is_neither_text_nor_sentences_is_refused(runs: dict[str, Path]) -> None:
    tagger = stancekit.Tagger.load(**runs)
    for given, count in ((["a", "b"], 2), (None, 1), (Path("a.txt"), 1)):
        with pytest.raises(StancekitError, match="is no Sentence") as caught:
            tagger(given)  # type: ignore[arg-type]
        assert len(caught.value.problems) == count


def test_command_line(runs: dict[str, Path], tmp_path: Path) -> None:
    flags = [f"--{name}={path}" for name, path in runs.items()]
    command = [sys.executable, "-m", "stancekit", "tag", str(ROOT / "examples" / "article.txt"), *flags]
    rows = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert all(json.loads(row)["document"] == "article" for row in rows)
    page = subprocess.run([*command, "--html"], capture_output=True, text=True, check=True).stdout
    assert page.lower().startswith("<!doctype html>") and "paragraph: " not in page
    both = subprocess.run([*command, "--html", "--json"], capture_output=True, text=True)
    assert both.returncode == 1 and "one at a time" in both.stderr and not both.stdout
    (tmp_path / "semi.csv").write_text("words;label\nThe town was liberated.;x\n", encoding="utf-8")
    table = [*command[:4], str(tmp_path / "semi.csv"), *flags, "-o", "text=words", "-o", "delimiter=;"]
    assert "liberated" in subprocess.run(table, capture_output=True, text=True, check=True).stdout
    by_root = [*command[:-3], f"--runs={runs['framing'].parent}"]
    shown = subprocess.run(by_root, capture_output=True, text=True, check=True)
    assert "liberated" in shown.stdout and "\x1b[" not in shown.stdout
    assert [line.split()[0] for line in shown.stderr.splitlines()] == ["attribution:", "framing:", "stance:"]
    assert subprocess.run([*by_root, "--quiet"], capture_output=True, text=True, check=True).stderr == ""


def test_what_holds_articles_or_nothing_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>It fell.</p>", encoding="utf-8")
    (tmp_path / "empty.txt").write_text(" \n", encoding="utf-8")
    for source, what in ((tmp_path, "ingest"), (tmp_path / "page.html", "ingest"), (tmp_path / "empty.txt", "no sent")):
        with pytest.raises(StancekitError, match=what) as caught:
            experiment.read_inputs(source)
        assert caught.value.problems[0].where == str(source)


def test_a_model_of_ones_own_answers_only_when_it_is_trusted(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_rules.py").write_text(
        "from stancekit.models.lexicon import Lexicon\n\n\nclass Rules(Lexicon):\n    pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = tmp_path / "own"
    experiment.train("demo-stance", ["model={name: 'own_rules:Rules'}", f"output={own}"])
    flags = [f"--{name}={path}" for name, path in {**runs, "stance": own}.items()]
    command = [sys.executable, "-m", "stancekit", "tag", str(ROOT / "examples" / "article.txt"), *flags]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    refused = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert refused.returncode == 1 and "code from elsewhere" in refused.stderr and "--trust-code" in refused.stderr
    trusted = subprocess.run([*command, "--trust-code"], capture_output=True, text=True, env=environment)
    assert trusted.returncode == 0, trusted.stderr


def test_label_sets_of_ones_own_are_tagged_and_shown(tmp_path: Path) -> None:
    text = "Karsk wept."
    own = {
        "framing": "loaded",
        "stances": ["x"],
        "bias": "biased",
        "tones": ["sad", "tense"],
        "mood": [{"target": "Karsk", "label": "low", "span": [0, 5]}],
    }
    filled = {"attributions": [], "devices": [], "stances": [{"target": "Karsk", "stance": "favor"}], "labels": own}
    rows = [{"id": str(k), "text": text, "document": str(k), **filled} for k in range(8)]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = tmp_path / "own.yaml"
    plan = {"name": "own", "task": "layers", "data": {"path": str(data)}, "model": "majority"}
    config.write_text(json.dumps(plan | {"output": str(tmp_path / "runs" / "own")}), encoding="utf-8")
    experiment.train(config)
    article = experiment.tag(data, runs=tmp_path / "runs")
    found = article.sentences[0].gold.labels
    assert found["bias"] == "biased" and found["tones"] == frozenset({"sad", "tense"})
    assert [(s.target.name, s.label) for s in found["mood"]] == [("Karsk", "low")]
    record = article.records()[0]
    assert record["labels"] == own and [s["target"] for s in record["stances"]] == ["Karsk"]
    assert {f"labels.{name}" for name in own} <= {*record["tagging"]["confidence"]}
    command = [sys.executable, "-m", "stancekit", "tag", str(data), f"--runs={tmp_path / 'runs'}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(f"    {line}" in shown for line in ("bias: biased", "tones: sad, tense", "mood: low Karsk"))
    page = subprocess.run([*command, "--html"], capture_output=True, text=True, check=True).stdout
    assert "<th>bias</th>" in page and "<td>low Karsk</td>" in page


def layers(text: str, *relations: tuple[str, str, str]) -> Layers:
    def at(words: str):
        return parts_of([(text.index(words), text.index(words) + len(words))])

    found = [Attribution(source=at(s), cue=at(c), content=at(t)) for s, c, t in relations]
    return Layers(text=text, attributions=tuple(found))


def test_antecedents_follow_person_thing_and_head_noun() -> None:
    article = [
        layers("The Ministry of Ports said ships left.", ("The Ministry of Ports", "said", "ships left")),
        layers("Minister Ilse Tovar said so too.", ("Minister Ilse Tovar", "said", "so")),
        layers("She added that it rained.", ("She", "added", "that it rained")),
        layers("It denied the rest.", ("It", "denied", "the rest")),
        layers("The ministry said no.", ("The ministry", "said", "no")),
        layers("The observers said nothing new.", ("The observers", "said", "nothing new")),
    ]
    found = {number: a.text if a else None for (number, _), a in antecedents.resolve(article).items()}
    assert found == {2: "Minister Ilse Tovar", 3: "The Ministry of Ports", 4: "The Ministry of Ports", 5: None}


def test_an_organisation_that_begins_a_sentence_is_an_antecedent_without_a_relation() -> None:
    said = layers("It said no.", ("It", "said", "no"))
    beginnings = {
        "The Port Ministry rejected the charge.": "The Port Ministry",
        "Rain fell on the Port Ministry.": None,
    }
    for text, wanted in beginnings.items():
        found = antecedents.resolve([Layers(text=text, attributions=()), said])[1, 0]
        assert (found.text if found else None) == wanted


def test_actors_by_alias_and_by_rule(tmp_path: Path) -> None:
    finder = actors.Finder(actors.load(ROOT / "examples" / "actors.yaml"))
    text = "Vargan guns fired; Varga denied it."
    assert {n: s.of(text) for n, s in finder.first_mentions(text).items()} == {"Varga": "Varga"}
    proposed = actors.propose(["The guns of Varga fired.", "Later Varga denied it.", "Mr Olsen left."])
    assert [(a.name, a.proposed) for a in proposed] == [("Varga", True)]
    assert [a.name for a in actors.propose(["President Holt spoke.", "President Holt left."])] == ["Holt"]
    contracted = ["I’ve", "So I’ve", "Because I’m", "Don't", "DON’T", "It’s"]
    texts = [f"“Then {word} heard,” said {name}." for word in contracted for name in ("O’Hara", "Varga’s man")] * 2
    assert [a.name for a in actors.propose(texts)] == ["O’Hara", "Varga"]
    assert [a.name for a in actors.propose(["He said “It’s Varga”.", "She said “It’s Varga”."])] == ["Varga"]
    texts = ["Then Sen. Marcus Holt rose.", "A bill of Holt’s failed.", "New Delhi, Sen. Reed and old York."]
    assert [a.name for a in actors.propose(texts)] == ["Holt"]
    assert [a.name for a in actors.propose(["At the White House or in the House.", "The White House."])] == [
        "White House"
    ]
    path = tmp_path / "actors.yaml"
    path.write_text("- {name: A}\n- {nme: B}\n- {name: A, colour: red}\n")
    with pytest.raises(StancekitError) as error:
        actors.load(path)
    assert len(error.value.problems) == 3
