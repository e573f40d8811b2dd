"""Files that commands write: never over what is read or decided, and what was left out is told."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stancekit import StancekitError
from stancekit.cli import GROUPS
from stancekit.cli.app import app
from stancekit.files import spare

ROWS = [
    {"id": f"s{k}@{who}", "document": f"d{k}", "text": f"The {k} said so.", "meta": {"who": who}, "labels": {"tone": t}}
    for k, answers in enumerate(("ab", "ba", "aa"))
    for who, t in zip(("anna", "ben"), answers, strict=True)
]
BROKEN = ['{"id": "x"', '{"id": "y", "text": ""}', "[]"]
WHO = ("--annotator", "who")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS), encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(json.dumps(ROWS[0]) + "\n", encoding="utf-8")
    (tmp_path / "raw.articles.jsonl").write_text('{"document": "d", "text": "It fell, he said."}\n', encoding="utf-8")
    (tmp_path / "book.yaml").write_text("name: bare\nversion: 1\n", encoding="utf-8")
    (tmp_path / "link.jsonl").symlink_to("a.jsonl")
    return tmp_path


def stancekit(*arguments: str):
    for group in GROUPS:
        importlib.import_module(f"stancekit.cli.{group}")
    return CliRunner().invoke(app, arguments)


COMMANDS = {
    "a file over itself": ("convert", "a.jsonl", "a.jsonl", "--skip-errors"),
    "by another path": ("convert", "a.jsonl", "./sub/../a.jsonl"),
    "by a link": ("convert", "a.jsonl", "link.jsonl"),
    "the folder around it": ("convert", "a.jsonl", ".", "--to", "brat"),
    "raw articles": ("ingest", "raw.articles.jsonl", "--to", "raw.articles.jsonl"),
    "articles beside": ("ingest", "raw.articles.jsonl", "--to", "raw.jsonl"),
    "in a folder of articles": ("ingest", ".", "--to", "a.jsonl"),
    "labelled already": ("sample", "a.jsonl", "-n", "1", "--exclude", "b.jsonl", "--to", "b.jsonl"),
    "annotators": ("adjudicate", "a.jsonl", *WHO, "--to", "a.jsonl"),
    "decisions": ("adjudicate", "a.jsonl", *WHO, "--decisions", "b.jsonl", "--rule", "file", "--to", "b.jsonl"),
    "agreement": ("agree", "a.jsonl", *WHO, "--to", "a.jsonl"),
    "disagreements": ("disagreements", "a.jsonl", *WHO, "--to", "a.jsonl"),
    "a release": ("release", "a.jsonl", "--to", "a.jsonl"),
    "a codebook": ("release", "a.jsonl", "--codebook", "book.yaml", "--to", "book.yaml"),
    "texts": ("rehydrate", "b.jsonl", "a.jsonl", "--to", "a.jsonl"),
    "a page": ("audit", "a.jsonl", "--html", "a.jsonl"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_no_command_writes_over_what_it_reads(arguments, here):
    (here / "sub").mkdir()
    before = {path.name: path.read_bytes() for path in here.glob("*.*")}
    done = stancekit(*arguments)
    assert isinstance(done.exception, StancekitError) and "read here" in str(done.exception), done.output
    assert {path.name: path.read_bytes() for path in here.glob("*.*")} == before


def test_all_that_would_be_written_over_are_told_and_an_own_output_is_not(here):
    with pytest.raises(StancekitError) as caught:
        spare(["a.jsonl", None, "b.jsonl"], "a.jsonl", "new.jsonl", Path("b.jsonl"))
    assert [problem.where for problem in caught.value.problems] == ["a.jsonl", "b.jsonl"]
    for _ in range(2):
        assert stancekit("convert", "a.jsonl", "out/new.jsonl").exit_code == 0


def test_decisions_are_not_written_over(here):
    again = ("disagreements", "a.jsonl", *WHO, "--to", "open.jsonl")
    assert [stancekit(*again).exit_code for _ in range(2)] == [0, 0]
    untouched = (here / "open.jsonl").read_text(encoding="utf-8")
    for old, new in (('"answer": null', '"answer": "a"'), ('"answer": null', '"take": "ben"'), ("}\n", "\n")):
        (here / "open.jsonl").write_text(untouched.replace(old, new, 1), encoding="utf-8")
        done = stancekit(*again)
        assert "open.jsonl: decisions stand in it" in str(done.exception)
        assert (here / "open.jsonl").read_text(encoding="utf-8") != untouched


def test_what_is_left_out_is_told(here):
    with (here / "a.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("\n".join(BROKEN) + "\n")
    done = stancekit("convert", "a.jsonl", "out.jsonl", "--skip-errors")
    assert "left out in reading: records with 3 problems: " in done.output and "no valid JSON (1)" in done.output
    assert "kept: 6 sentences" in done.output
    found = json.loads(stancekit("convert", "a.jsonl", "out.jsonl", "--skip-errors", "--json").output)
    assert sum(found["left_out"].values()) == 3 and found["sentences"] == 6 and found["lost"] == {}
    (here / "x.yaml").write_text(
        "name: x\ntask: {name: tone, kind: single}\ndata: {path: a.jsonl, on_error: skip}\n"
        "split: {by: [id], test: 0.3, dev: 0}\nmodel: majority\noutput: run\n",
        encoding="utf-8",
    )
    done = stancekit("train", "x.yaml")
    assert done.exit_code == 0 and "left out in reading: records with 3 problems: " in " ".join(done.stderr.split())
