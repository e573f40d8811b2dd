"""Which runs tag: the best on dev of those that compare; a run of all layers answers once for all its roles."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stancekit import Tagger, codebook, experiment, files, reports, tasks
from stancekit.asking import LAYERS, ask
from stancekit.errors import StancekitError
from stancekit.models.majority import Majority
from stancekit.runs.choose import ROLES, task_for
from stancekit.schema import Attribution, Device, Layers, Prediction, Sentence, Span, Stance, Target
from stancekit.tasks import targets_of
from stancekit.text.actors import Actor

TEXT = "Karsk liberated the town. Tolmenia mourned the town, and Karsk sang."
BETTER, WORSE = 0.99, 0.0


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs by rule and one of all layers, whose dev parts are the same."""
    root = tmp_path_factory.mktemp("runs") / "demo"
    for name in LAYERS:
        experiment.train(f"demo-{name}", ["model=lexicon", f"output={root / name}"])
    experiment.train("demo-attribution", ["task=layers", "model=majority", f"output={root / 'joint'}"])
    return root


@pytest.fixture
def root(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "demo"))


def change(run: Path, **values: Any) -> None:
    """Change a manifest: `attribution__value=1` changes what dev says of that task, `data__hash=x` the data."""
    manifest = files.read_json(run / "manifest.json")
    for path, value in values.items():
        first, last = path.split("__")
        (manifest["dev"].get(first) or manifest[first])[last] = value
    files.write_json(run / "manifest.json", manifest)


def chosen(root: Path, **given: Path) -> dict[str, str]:
    return {role: run["run"] for role, run in Tagger.load(**given, runs=root).described.items()}


OWN = {role: role for role in LAYERS}
CASES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "as trained, the rules win": ({}, OWN),
    "better in one role": ({"attribution__value": BETTER}, OWN | {"attribution": "joint"}),
    "better in all": (
        {"attribution__value": BETTER, "devices__value": BETTER, "stance__value": BETTER},
        dict.fromkeys(LAYERS, "joint"),
    ),
    "another metric": ({"stance__value": BETTER, "stance__metric": "f_avg"}, OWN),
    "other examples": ({"stance__value": BETTER, "stance__examples": "x"}, OWN),
    "other data": ({"stance__value": BETTER, "data__main_hash": "x"}, OWN),
    "further data for train": ({"stance__value": BETTER, "data__hash": "x"}, OWN | {"stance": "joint"}),
    "another codebook": ({"stance__value": BETTER, "codebook__hash": "x"}, OWN),
    "no figure": ({"stance__value": None}, OWN),
}


@pytest.mark.parametrize("case", CASES)
def test_the_best_on_dev_of_those_that_compare(root: Path, case: str) -> None:
    changes, expected = CASES[case]
    change(root / "joint", **changes)
    assert chosen(root) == expected


def test_a_tie_goes_to_the_folder_of_the_role_and_named_runs_are_taken(root: Path) -> None:
    own = files.read_json(root / "stance" / "manifest.json")["dev"]["stance"]["value"]
    change(root / "joint", stance__value=own)
    assert chosen(root)["stance"] == "stance"
    assert chosen(root, framing=root / "joint", stance=root / "joint") == OWN | {"framing": "joint", "stance": "joint"}
    with pytest.raises(StancekitError, match="this run's task is stance, an attribution run was expected"):
        Tagger.load(attribution=root / "stance", runs=root)


def test_another_dev_part_does_not_compare_and_is_told(root: Path) -> None:
    change(root / "joint", stance__value=BETTER, stance__examples="x")
    told = Tagger.load(runs=root).told
    assert f"  not compared: {root / 'joint'}: another dev part" in told
    assert [line.partition(":")[0] for line in told if not line.startswith(" ")] == list(LAYERS)


def test_without_a_folder_of_the_role_one_run_will_do_and_two_must_compare(root: Path) -> None:
    for name in LAYERS:
        shutil.move(root / name, root.parent / name)
    assert chosen(root) == dict.fromkeys(LAYERS, "joint")
    shutil.copytree(root / "joint", root / "twin")
    change(root / "twin", stance__value=BETTER)
    assert chosen(root) == dict.fromkeys(LAYERS, "joint") | {"stance": "twin"}
    change(root / "twin", stance__metric="f_avg")
    with pytest.raises(StancekitError, match=r"do not compare: .*joint, .*twin → name one with --stance") as error:
        chosen(root)
    assert "make demo" not in str(error.value), "nothing that must be there is missing"


def test_seeds_stand_for_themselves_and_broken_folders_in_nobodys_way(root: Path) -> None:
    for seed, value in ((1, WORSE), (2, BETTER)):
        shutil.copytree(root / "joint", root / "seeds" / f"seed-{seed}")
        change(root / "seeds" / f"seed-{seed}", stance__value=value)
    files.write_json(root / "seeds" / "seeds.json", {"runs": ["seed-1", "seed-2"]})
    (root / "joint" / "config.yaml").write_text("name: changed")
    assert chosen(root) == OWN | {"stance": "seeds/seed-2"}
    told = Tagger.load(runs=root).told
    assert any("seed-2 (majority; dev" in line and line.endswith(", the best of 3") for line in told)
    assert told[-1].startswith(f"not looked at: {root / 'joint'}")
    (root / "framing" / "config.yaml").write_text("name: changed")
    with pytest.raises(StancekitError, match=r"framing.config\.yaml: the file is damaged"):
        chosen(root)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """Let the run of all layers find something, and return what it is asked, a list a prediction."""
    calls: list[list[Any]] = []

    def predict(self: Majority, examples: Any) -> list[Prediction]:
        calls.append([targets_of(e) for e in examples])
        return [answer(e) for e in examples]

    def answer(example: Any) -> Prediction:
        stances = tuple(Stance(target, "favor") for target in targets_of(example))
        relations = (Attribution(cue=(Span(0, 1),)), Attribution(cue=(Span(2, 3),)))
        devices = (Device(parts=(Span(6, 15),), frame="blame", target="Karsk"),)
        found = Layers(text=example.sentence.text, attributions=relations, devices=devices, stances=stances)
        return Prediction(id=example.id, answer=found, probabilities=(0.1, 0.2, 0.3, *(0.4 for _ in stances)))

    monkeypatch.setattr(Majority, "predict", predict)
    return calls


def tagger(root: Path, *roles: str) -> Tagger:
    found = Tagger.load(**dict.fromkeys(roles, root / "joint"), runs=root)
    found.actors = (Actor("Karsk"), Actor("Tolmenia"))
    return found


def test_one_pass_answers_every_role_of_a_run(root: Path, asked: list[list[Any]]) -> None:
    article = tagger(root, *LAYERS)(TEXT)
    assert [[t.name for t in targets] for targets in asked[0]] == [["Karsk"], ["Tolmenia", "Karsk"]]
    assert len(asked) == 1
    first, second = (article.confidence[s.id] for s in article.sentences)
    assert first == {"attributions": [0.1, 0.2], "devices": [0.3], "stances": [0.4]}
    assert second["stances"] == [0.4, 0.4]
    assert [s.label for s in article.sentences[1].gold.stances or ()] == ["favor", "favor"]


def test_a_run_is_asked_for_its_roles_alone(root: Path, asked: list[list[Any]]) -> None:
    article = tagger(root, "framing")(TEXT)
    assert asked == [[(), ()]], "no target is asked where another run answers the stances"
    assert {len(s.gold.attributions or ()) for s in article.sentences} == {0}
    assert [c["devices"] for c in article.confidence.values()] == [[0.3], [0.3]]


def test_records_and_pages_hold_which_run_answered(root: Path, tmp_path: Path) -> None:
    change(root / "joint", stance__value=BETTER)
    (tmp_path / "article.txt").write_text(TEXT)
    said: list[str] = []
    article = experiment.tag(tmp_path / "article.txt", runs=root, say=said.append)
    assert [line.split()[0] for line in said] == ["attribution:", "framing:", "stance:"]
    assert f"{root / 'joint'} (majority; dev macro_f1 0.990" in said[2]
    stored = json.loads(json.dumps(article.records()))[0]["tagging"]["runs"]
    assert stored["stance"]["run"] == "joint" and stored["stance"]["dev"]["value"] == BETTER
    assert stored["framing"]["model"] == "lexicon" and len(stored["framing"]["hash"]) == 16
    page = reports.article_page(article, "x")
    assert "joint (majority; dev macro_f1 0.990" in page.partition("<footer")[2] and str(root) not in page


def test_the_hash_is_that_of_the_model(root: Path) -> None:
    def hashes() -> dict[str, Any]:
        return {role: run["hash"] for role, run in Tagger.load(runs=root).described.items()}

    before = hashes()
    change(root / "framing", **{"files__model/lexicon.json": "0" * 64})
    change(root / "stance", data__sentences=0)
    assert [role for role, one in hashes().items() if one != before[role]] == ["framing"]


SENTIMENT = tasks.own("sentiment", "targeted", ["negative", "neutral", "positive"], ["f1"])


class Says:
    """A run of all layers, sentiments among them, that says one of every target."""

    def __init__(self, label: str) -> None:
        self.label, self.path = label, Path(label)
        self.task = tasks.over([*tasks.layers(codebook.default()).inner, SENTIMENT])

    def predict(self, examples: Any) -> list[Prediction]:
        return [Prediction(id=e.id, answer=self.answer(e.sentence)) for e in examples]

    def answer(self, sentence: Sentence) -> Layers:
        own = tuple(replace(s, label=self.label) for s in sentence.gold.labels["sentiment"])
        return Layers(text=sentence.text, attributions=(), devices=(), stances=(), labels={"sentiment": own})


@pytest.mark.parametrize("role", ["attribution", "framing", "stance"])
def test_the_run_that_is_given_for_sentiments_says_them(role: str) -> None:
    for others, expected in (
        (("sentiment", role), "positive"),
        ((role, "sentiment"), "positive"),
        ((role,), "negative"),
    ):
        runs: Any = {name: Says("positive" if name == "sentiment" else "negative") for name in others}
        found = ask(runs, [Sentence(id="1", text="Karsk sang.")], {"1": [Target("Karsk")]})
        assert [item.label for item in found.own["sentiment"][0].answer] == [expected]
        assert list(found.roles) == [role]


@pytest.mark.parametrize(("kind", "answers"), [("targeted", True), ("single", False)])
def test_labels_of_whole_sentences_are_no_sentiments_toward_targets(kind: str, answers: bool) -> None:
    inner = [{"name": "sentiment", "kind": kind}]
    run: Any = SimpleNamespace(manifest={"task": {"name": "layers", "kind": "layers", "inner": inner}})
    assert (task_for(run, ROLES["sentiment"]) is not None) is answers


def test_a_run_of_sentiments_answers_beside_the_stances_and_in_no_other_role(root: Path, tmp_path: Path) -> None:
    own = tmp_path / "sentiment"
    experiment.train("sentiment-transformer", ["model=majority", f"output={own}"])
    with pytest.raises(StancekitError, match="this run's task is sentiment, a stance run was expected"):
        Tagger.load(stance=own, runs=root)
    with pytest.raises(StancekitError, match="this run's task is stance, a sentiment run was expected"):
        Tagger.load(sentiment=root / "stance", runs=root)
    shutil.copytree(own, root / "sentiment")
    for found in (Tagger.load(sentiment=own, runs=root), Tagger.load(runs=root)):
        found.actors = (Actor("Karsk"), Actor("Tolmenia"))
        article = found(TEXT)
        gold = article.sentences[1].gold
        assert [(s.target.name, s.label) for s in gold.labels["sentiment"]] == [
            ("Tolmenia", "negative"),
            ("Karsk", "negative"),
        ]
        assert {s.label for s in gold.stances or ()} <= {"favor", "against", "none"}
        assert list(found.described) == [*LAYERS, "sentiment"]
        table = (
            reports.article_page(article, "x")
            .partition("<h2>Sentiment toward each actor</h2>")[2]
            .partition("</table>")[0]
        )
        assert "<th>Karsk</th><td>negative 2</td>" in table and "<th>Tolmenia</th><td>negative 1</td>" in table
