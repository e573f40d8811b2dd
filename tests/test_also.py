"""Several data sets in one experiment: further ones go to train and dev, cannot leak, and stand in every hash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import stancekit
from stancekit import config, experiment
from stancekit.data import also
from stancekit.data.load import load, save
from stancekit.errors import StancekitError
from stancekit.files import read_json
from stancekit.runs.material import gather
from stancekit.schema import Device, Layers, Sentence, Span, Stance, Target
from stancekit.text.normal import same

FIXTURES = Path(__file__).parent / "fixtures"
WORDS = ("regime", "heroes", "town", "border", "ferry", "talks")
BOOK = "name: other\nversion: '1'\nsets: {%s}\n"


def sentence(document: str, k: int, text: str = "", **layers: Any) -> Sentence:
    text = text or f"The {WORDS[k % 6]} of {document} fell on day {k}."
    layers = layers or {"devices": (Device(parts=(Span(4, 8),), frame="blame"),) if k % 2 else ()}
    gold = Layers(text=text, **layers)
    return Sentence(id=f"{document}.{k}", text=text, document=document, index=k, gold=gold)


def write(path: Path, rows: list[Sentence]) -> Path:
    save(rows, path)
    return path


@pytest.fixture
def plan(tmp_path: Path) -> dict[str, Any]:
    """An experiment over ten documents, `d0` to `d9`, with one further data set `more.jsonl`."""
    write(tmp_path / "main.jsonl", [sentence(f"d{d}", k) for d in range(10) for k in range(3)])
    write(tmp_path / "more.jsonl", [sentence(f"m{d}", k) for d in range(4) for k in range(3)])
    return {
        "name": "mine",
        "task": "frames",
        "data": {"path": str(tmp_path / "main.jsonl"), "also": [str(tmp_path / "more.jsonl")]},
        "model": "majority",
        "evaluation": {"resamples": 100},
        "output": str(tmp_path / "run"),
    }


def read(plan: dict[str, Any], *overrides: str) -> config.Experiment:
    folder = Path(plan["output"]).parent
    (folder / "mine.yaml").write_text(yaml.safe_dump(plan))
    return config.load(folder / "mine.yaml", overrides)


def ids(material: Any, part: str) -> list[str]:
    return [e.id for e in material.parts[part].examples]


def test_further_sentences_go_to_train_alone(plan) -> None:
    one = gather(read(plan))
    alone = gather(read(plan, "data.also=[]"))
    assert ids(one, "train") == ids(alone, "train") + [f"also1/m{d}.{k}" for d in range(4) for k in range(3)]
    assert [ids(one, p) for p in ("dev", "test")] == [ids(alone, p) for p in ("dev", "test")]
    assert set(one.split.hashes) == {s.id for s in one.dataset} and one.hash == one.dataset.hash != alone.hash
    assert [(d.name, len(d)) for d in one.dataset.also] == [("also 1, more", 12)]
    assert one.dataset.where("also1/m0.0").endswith("more.jsonl:1")


def test_a_text_of_dev_or_test_is_left_out_and_counted(plan, tmp_path) -> None:
    alone = gather(read(plan, "data.also=[]"))
    copies = [e.sentence.text.upper().replace(" ", "  ") for p in ("dev", "test") for e in alone.parts[p].examples]
    kept = alone.parts["train"].examples[0].sentence.text
    write(tmp_path / "more.jsonl", [sentence("m", k, text) for k, text in enumerate([*copies, kept])])
    said: list[str] = []
    run = experiment.train(read(plan), say=said.append)
    left = "sentences left out, their text stands in another part"
    assert f"also 1, more: 1 sentences to train; {len(copies)} {left}" in said
    data = run.manifest["data"]
    assert data["counts"] == {f"also 1, more: {left}": len(copies)}
    assert [(one["name"], one["sentences"]) for one in data["also"]] == [("also 1, more", 1)]
    assert data["sizes"]["train"] == len(alone.parts["train"]) + 1
    assert data["main_hash"] == alone.hash != data["hash"]


@pytest.mark.parametrize("by", ["document", "event", "event, which the further set lacks"])
def test_a_share_goes_to_dev_by_whole_groups_and_stands_nowhere_else(plan, tmp_path, by: str) -> None:
    alone = gather(read(plan, "data.also=[]"))
    if by == "event":
        rows = [replace(s, meta={"event": f"e{int(s.document[1:]) // 2}"}) for s in load(tmp_path / "more.jsonl")]
        write(tmp_path / "more.jsonl", rows)
    if by != "document":
        plan["split"] = {"by": ["event"]}
        main = [replace(s, meta={"event": s.document}) for s in load(tmp_path / "main.jsonl")]
        write(tmp_path / "main.jsonl", main)
    one = gather(read(plan, "data.also.0.dev=0.5"))
    dev = [i for i in ids(one, "dev") if i.startswith("also1/")]
    groups = [
        {s.meta["event"] if by == "event" else s.document for s in one.dataset.also[0] if (s.id in dev) is k}
        for k in (True, False)
    ]
    assert len(dev) == 6 and all(groups) and not groups[0] & groups[1]
    assert ids(one, "test") == ids(alone, "test") and len(ids(one, "train")) == len(ids(alone, "train")) + 6
    assert one.split.hashes.keys() == {s.id for s in one.dataset}
    assert gather(read(plan, "data.also.0.dev=0.5", "task=devices", "model=majority")).split.parts == one.split.parts
    told = also.describe(one.dataset.also[0], one.split)
    assert told == "also 1, more: 6 sentences to train, 6 to dev"
    assert not experiment.check(tmp_path / "mine.yaml", ["data.also.0.dev=0.5"]).warnings


def test_texts_of_train_and_test_never_reach_dev_nor_those_of_dev_train(plan, tmp_path) -> None:
    for seed in range(4):  # whichever document is drawn for dev
        alone = gather(read(plan, "data.also=[]", f"split.seed={seed}"))
        known = [alone.parts[part].examples[0].sentence.text for part in ("train", "dev", "test")]
        first = [sentence(f"x{d}", k, text) for d in range(2) for k, text in enumerate([*known, f"Rain in x{d}."])]
        second = [sentence("y0", k, text.upper()) for k, text in enumerate([*known, "Rain in x0.", "Rain in x1."])]
        files = [write(tmp_path / "a.jsonl", first), write(tmp_path / "b.jsonl", second)]
        further = f"data.also=[{{path: {files[0]}, dev: 0.5}}, {files[1]}]"
        found = gather(read(plan, further, f"split.seed={seed}"))
        found.split.write(tmp_path / "split.json")
        again = gather(read(plan, further, f"split.seed={seed}"), tmp_path / "split.json")
        assert again.hash == found.hash and again.split.parts == found.split.parts
        texts = {part: {same(e.sentence.text) for e in found.parts[part].examples} for part in found.parts}
        assert not texts["train"] & (texts["dev"] | texts["test"]) and not texts["dev"] & texts["test"]
        assert {same("Rain in x0."), same("Rain in x1.")} <= texts["train"] | texts["dev"]


def test_a_dev_of_several_data_sets_is_evaluated_from_all_of_them(plan, tmp_path) -> None:
    run = experiment.train(read(plan, "data.also.0.dev=0.5"))
    noted = run.manifest["data"]
    assert [(one["sentences"], one["in dev"]) for one in noted["also"]] == [(12, 6)]
    scores = experiment.evaluate(run, part="dev")
    assert scores.signature["n"] == noted["sizes"]["dev"] > 6
    (tmp_path / "more.jsonl").unlink()
    experiment.evaluate(run)
    with pytest.raises(StancekitError, match=r"more\.jsonl: there is no such file"):
        experiment.evaluate(run, part="dev")


def test_documents_keep_their_names_unless_another_data_set_has_them(plan, tmp_path) -> None:
    names = sorted({e.sentence.document for e in gather(read(plan)).parts["test"].examples})
    rows = [sentence("m1", 0), sentence(names[0], 7), sentence(names[0], 8)]
    found = gather(read(plan, f"data.also=[{write(tmp_path / 'x.jsonl', rows)}]"))
    assert [s.document for s in found.dataset.also[0]] == ["m1", f"also1/{names[0]}", f"also1/{names[0]}"]
    report = experiment.check(tmp_path / "mine.yaml", [f"data.also=[{tmp_path / 'x.jsonl'}]"])
    (warning,) = [w for w in report.warnings if w.where == "also 1, x"]
    assert f"1 of its documents, {names[0]} say, have the name of one in dev or test" in warning.what


def test_a_share_is_of_whole_documents_and_grows(plan) -> None:
    taken = []
    for share in (0.25, 0.5, 1):
        found = gather(read(plan, f"data.also.0.share={share}")).dataset.also[0]
        documents = {s.document for s in found}
        assert len(found) == 3 * len(documents) == 12 * share
        taken.append(documents)
    assert taken[0] < taken[1] < taken[2]


def test_dev_is_the_same_for_every_share_that_is_learnt(plan) -> None:
    found = [gather(read(plan, "data.also.0.dev=0.5", f"data.also.0.share={share}")) for share in (0.1, 0.5, 1)]
    assert len({tuple(ids(one, "dev")) for one in found}) == 1
    further = [{i for i in ids(one, "train") if i.startswith("also1/")} for one in found]
    assert [len(own) for own in further] == [3, 3, 6] and further[0] == further[1] < further[2]


def test_a_split_is_kept_where_a_further_file_has_grown(plan, tmp_path) -> None:
    for seed in range(5):
        changes = ("data.also.0.dev=0.3", "data.also.0.share=0.5", f"split.seed={seed}")
        rows = [sentence(f"m{d}", k) for d in range(12) for k in range(3)]
        write(tmp_path / "more.jsonl", rows)
        found = gather(read(plan, *changes))
        found.split.write(tmp_path / "split.json")
        write(tmp_path / "more.jsonl", [sentence(f"a{d}", k) for d in range(6) for k in range(3)] + rows)
        again = gather(read(plan, *changes), tmp_path / "split.json")
        assert again.hash == found.hash and again.split.parts == found.split.parts


def test_labels_are_those_of_what_is_drawn(plan, tmp_path) -> None:
    rows = {"main": [(sentence(f"d{d}", 0), "loud") for d in range(10)]}
    rows["more"] = [(sentence(f"m{d}", 0), f"t{d}") for d in range(8)]
    for name, pairs in rows.items():
        labelled = [replace(s, gold=Layers(text=s.text, labels={"tone": tone})) for s, tone in pairs]
        write(tmp_path / f"{name}.jsonl", labelled)
    plan["task"] = {"name": "tone", "kind": "single"}
    found = gather(read(plan, "data.also.0.share=0.25"))
    assert set(found.task.labels) == {"loud"} | {str(s.gold.labels["tone"]) for s in found.dataset.also[0]}
    assert len(found.task.labels) == 3


def test_dev_and_test_are_evaluated_without_the_further_files(plan, tmp_path) -> None:
    run = experiment.train(read(plan))
    before = experiment.evaluate(run)
    (tmp_path / "more.jsonl").unlink()
    scores = experiment.evaluate(stancekit.load(run.path))
    assert scores.signature == before.signature and scores.rows == before.rows
    assert scores.signature["data"] == run.manifest["data"]["hash"][:8]
    experiment.evaluate(run, part="dev")
    with pytest.raises(StancekitError, match=r"more\.jsonl: there is no such file"):
        experiment.evaluate(run, part="train")


def test_a_changed_file_is_noticed(plan, tmp_path) -> None:
    run = experiment.train(read(plan))
    rows = list(load(tmp_path / "more.jsonl"))
    write(tmp_path / "more.jsonl", [sentence("m0", 0, "Something else fell."), *rows[1:]])
    assert gather(read(plan)).hash != run.manifest["data"]["hash"]
    with pytest.raises(StancekitError, match=r"more\.jsonl:1: the sentence 'also1/m0\.0' has changed"):
        experiment.evaluate(run, part="train")
    main = load(tmp_path / "main.jsonl")
    write(tmp_path / "main.jsonl", [sentence("d0", 0, "It changed."), *list(main)[1:]])
    with pytest.raises(StancekitError, match=r"'d0\.0' has changed"):
        experiment.evaluate(run)


def test_a_run_is_not_resumed_on_another_further_file(plan, tmp_path) -> None:
    run = experiment.train(read(plan))
    run.path.rename(tmp_path / "run.unfinished")
    experiment.train(read(plan), mode="resume").path.rename(tmp_path / "run.unfinished")
    write(tmp_path / "more.jsonl", list(load(tmp_path / "more.jsonl"))[1:])
    with pytest.raises(StancekitError, match="another experiment or other data"):
        experiment.train(read(plan), mode="resume")


def test_problems_of_all_files_come_at_once_and_counts_by_data_set(plan, tmp_path) -> None:
    counts = experiment.check(tmp_path / "mine.yaml" if read(plan) else "").counts
    assert counts["data"]["sentences"] == 42
    assert counts["also 1, more"] == {"sentences": 12, "documents": 4, "devices": 12}
    for name in ("main", "more"):
        text = (tmp_path / f"{name}.jsonl").read_text().replace('"blame"', '"blme"', 1)
        (tmp_path / f"{name}.jsonl").write_text(text)
    (tmp_path / "worse.jsonl").write_text("{}\n")
    files = [str(tmp_path / f"{name}.jsonl") for name in ("more", "worse")]
    problems = list(experiment.check(tmp_path / "mine.yaml", [f"data.also={json.dumps(files)}"]).problems)
    assert [Path(p.where.rpartition(":")[0]).name for p in problems] == ["main.jsonl", "more.jsonl", "worse.jsonl"]
    broken = experiment.check(tmp_path / "mine.yaml", ["modl=x"]).problems
    assert [p.what.split("'")[0] for p in broken] == ["unknown key ", *["`frames` is ["] * 2], (
        "data is read all the same"
    )


MISTAKES = {
    "unknown key": ("data.also=[{path: x, formt: jsonl}]", "did you mean 'format'"),
    "no path": ("data.also=[{format: newsmtsc}]", "data.also.0.path=PATH"),
    "unknown format": ("data.also.0.format=newsmtc", "did you mean 'newsmtsc'"),
    "a share of nothing": ("data.also.0.share=0", "greater than 0"),
    "no dev, but all": ("data.also.0.dev=1", "less than 1"),
    "a gap": ("data.also.3.path=x", "valid list"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(plan, name: str) -> None:
    override, told = MISTAKES[name]
    with pytest.raises(StancekitError) as error:
        read(plan, override)
    (problem,) = error.value.problems
    assert told in str(problem)


def test_code_from_elsewhere_is_refused_there_too(plan, tmp_path) -> None:
    run = experiment.train(read(plan, "data.also.0.format=stancekit.data.formats.jsonl:Jsonl"))
    with pytest.raises(StancekitError, match="is code from elsewhere"):
        stancekit.load(run.path)


def test_label_sets_are_never_mixed_unasked(plan, tmp_path) -> None:
    own, path = tmp_path / "own.yaml", tmp_path / "own.jsonl"
    own.write_text(BOOK % "frame: [blame, horror], tone: [calm, loud]")
    write(path, [sentence("x", 1, devices=(Device(parts=(Span(4, 8),), frame="horror"),))])
    further = f"data.also=[{{path: {path}, codebook: {own}%s}}]"
    with pytest.raises(StancekitError, match="other labels of the set 'frame' than") as error:
        gather(read(plan, further % ""))
    assert "label_map" in error.value.problems[0].hint
    (tmp_path / "map.yaml").write_text("sets: {frame: {horror: threat}}\n")
    found = gather(read(plan, f"data.also=[{{path: {path}, label_map: {tmp_path / 'map.yaml'}}}]"))
    assert found.parts["train"].gold[-1] == {"threat"}
    assert found.dataset.map_lines() == ["also 1, own: frame: horror → threat"]
    own.write_text(BOOK % "tone: [loud, calm]")
    write(path, [sentence("x", 1, labels={"tone": (Stance(Target("regime"), "calm"),)})])
    task = gather(read(plan, further % "", "task=layers")).task
    assert [(one.name, one.labels) for one in task.inner][-1] == ("tone", ("loud", "calm")), "its codebook's order"


def test_a_set_named_as_a_layer_is_refused(plan, tmp_path) -> None:
    path = write(tmp_path / "x.jsonl", [sentence("x", 1, labels={"stance": (Stance(Target("regime"), "bad"),)})])
    (tmp_path / "book.yaml").write_text(BOOK % "frame: [blame]")
    with pytest.raises(StancekitError, match=r"'stance' has the name of a layer.*rename_sets"):
        gather(read(plan, f"data.also=[{path}]", "task=layers", f"data.codebook={tmp_path / 'book.yaml'}"))


def test_every_label_set_is_a_layer_of_its_own_kind(plan, tmp_path) -> None:
    sets = {
        "tone": (Stance(Target("regime"), "bad"),),
        "bias": "Biased",
        "themes": frozenset({"war", "law"}),
        "marks": (Span(4, 8, "hot"),),
        "nothing": (),
    }
    path = write(tmp_path / "x.jsonl", [sentence("x", 1, labels=sets), sentence("x", 2, labels={"bias": "Neutral"})])
    task = gather(read(plan, f"data.also=[{path}]", "task=layers")).task
    own = {one.name: (one.kind, one.labels) for one in task.inner if one.name in sets}
    assert own == {
        "bias": ("single", ("Biased", "Neutral")),
        "marks": ("spans", ("hot",)),
        "themes": ("multi", ("law", "war")),
        "tone": ("targeted", ("bad",)),
    }
    other = write(tmp_path / "y.jsonl", [sentence("y", 1, labels={"bias": frozenset({"Biased"})})])
    with pytest.raises(StancekitError, match=r"'bias' is of kind multi here, single there.*rename_sets"):
        gather(read(plan, f"data.also=[{path}, {other}]", "task=layers"))


def test_three_data_sets_train_one_tagger(plan, tmp_path) -> None:
    """The readers of PolNeAR and NewsMTSC beside the bundled corpus: layers that are absent stay absent."""
    further = [
        {"path": str(FIXTURES / "polnear"), "format": "polnear"},
        {"path": str(FIXTURES / "newsmtsc"), "format": "newsmtsc"},
    ]
    plan |= {"task": "layers", "data": {"path": "dispatches", "also": further}}
    run = experiment.train(read(plan))
    assert [one.name for one in run.task.inner] == ["attribution", "devices", "stance", "sentiment"]
    assert run.task.inner[-1].labels == ("negative", "neutral", "positive")
    material = gather(run.experiment, frozen=run.path / "split.json", task=run.task)
    rows = {e.id: gold for e, gold in zip(material.parts["train"].examples, material.parts["train"].gold, strict=True)}
    polnear = [gold for i, gold in rows.items() if i.startswith("also1/")]
    newsmtsc = [gold for i, gold in rows.items() if i.startswith("also2/")]
    assert all(g.attributions is not None and g.devices is None and g.stances is None for g in polnear) and polnear
    assert [len(g.labels["sentiment"]) for g in newsmtsc] == [2, 1] and newsmtsc[0].stances is None
    scores = experiment.evaluate(run)
    assert scores.find("stance accuracy").support > 0
    assert not [row for row in scores.rows if row.metric.startswith("sentiment")], "gold of test has none of it"
    noted = {one["name"]: one["sentences"] for one in run.manifest["data"]["also"]}
    assert noted == {"also 1, polnear polnear": len(polnear), "also 2, newsmtsc newsmtsc": len(newsmtsc)}
    told = dict(read_json(run.path / "report.test.json")["about"])
    assert told["Data"].startswith("dispatches, for train also polnear …/polnear, for train also newsmtsc …/newsmtsc, ")


def test_files_of_parts_take_further_ones_too(plan, tmp_path) -> None:
    rows = list(load(tmp_path / "main.jsonl"))
    files = {"train": rows[:18], "dev": rows[18:24], "test": rows[24:]}
    for name, part in files.items():
        write(tmp_path / f"{name}.jsonl", part)
    plan["data"] = {name: str(tmp_path / f"{name}.jsonl") for name in files} | {"also": plan["data"]["also"]}
    found = gather(read(plan))
    assert {name: len(ids(found, name)) for name in files} == {"train": 30, "dev": 6, "test": 6}
    assert also.apart(found.split, 1)[0].parts["train"] == tuple(s.id for s in rows[:18])


def test_one_lock_serves_experiments_with_and_without_further_data(plan, tmp_path) -> None:
    lock = tmp_path / "lock.json"
    with_more = gather(read(plan, f"split.lock={lock}"))
    written = lock.read_bytes()
    assert b"also1/" not in written
    alone = gather(read(plan, f"split.lock={lock}", "data.also=[]"))
    assert ids(alone, "test") == ids(with_more, "test") and lock.read_bytes() == written


def test_the_schema_knows_both_forms(plan) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    plan["data"]["also"].append({"path": "x.jsonl", "format": "newsmtsc", "share": 0.5})
    jsonschema.validate(plan, config.json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plan | {"data": {"path": "x", "also": [{"shares": 1}]}}, config.json_schema())
