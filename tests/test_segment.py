"""Sentence segmentation: styles by hand, offsets by property."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit.text import abbreviations
from stancekit.text.segment import sentences

ROOT = Path(__file__).parents[1]

CASES = {
    "abbreviations": [
        "The U.S. envoy, Lt. Col. J. Orsk, met Mr. Havel at 10 a.m. on Monday.",
        "He paid 3.5 million (No. 4 on the list).",
        "Shares of Orlen Co. fell.",
        "It was 5 p.m.",
        "The guns fell silent.",
    ],
    "quotes": [
        '"We left," he said.',
        "“No one fired!” she shouted.",
        "He asked “Why?” and left.",
        "“They came at night.",
        "They took everything.”",
        "«It is over.»",
        "Nobody answered.",
    ],
    "dialogue": ["– Who goes there?", "– Me, said the boy.", "MAYOR HOLT: We are fine.", "Thanks."],
    "attribution": [
        "“Who fired?” Colonel Ibsen asked.",
        "“We never—” Holt said.",
        "“Go!”",
        "The crowd went.",
        "“I was—”",
        "“Quiet!”",
    ],
    "numbered": [
        "The rules are two: 1. Walk.",
        "2. Do not run.",
        "Step 3. Wait.",
        "(i) He agrees.",
        "(ii) She does not.",
        "It was in 1987.",
        "Nobody knew.",
    ],
    "datelines": ["LORNE, April 12. — The bridge fell.", "MARL, Sunday (Wire). It rose again.", "STOP.", "Go back."],
    "ellipses": ["Yes...", "Perhaps.", "They said so… and more.", "Was it so?!", "It was."],
}


@pytest.mark.parametrize("style", CASES)
def test_style(style: str) -> None:
    text = " ".join(CASES[style])
    assert [s.of(text) for s in sentences(text)] == CASES[style]


ENDS = [
    ("The plant belongs to Corvin", "Ltd", "He sold it.", True),
    ("The plant of Corvin", "Ltd", "Chairman Ode sold.", False),
    ("It left at 6", "a.m", "Dockers cheered.", True),
    ("It left at 6", "a.m", "Monday morning", False),
    ("It left at 6", "p.m", "Moscow time", False),
    ("It fell in", "Nov", "Ministers met.", True),
    ("It fell in", "Nov", "12 came", False),
    ("It weighs 12", "t", "Cranes lift 9.", True),
    ("See", "Vol", "IV of it", False),
    ("He said", "no", "The end.", True),
    ("The answer of", "No", "10 is no.", False),
    ("At 82°", "N", "Dogs waited.", True),
    ("Judge", "I", "Adomako rose.", False),
    ("It was she, not", "I", "Nobody knew.", True),
    ("It was", "Cllr", "Ade", False),
    ("It was the", "BBC", "Reporters left.", True),
    ("He met ex-", "Sen", "Tarrant", False),
    ("The U.S. and the", "U.N", "Security Council", False),
    ("The U.S. and the", "U.N", "They met.", True),
    ("He left in the", "sun", "Birds sang.", True),
    ("TUCSON,", "Ariz", "– While they slept, it rained.", False),
    ("ORLANDO,", "Fla", "(AP) — The gate was shut.", False),
    ("Gov. Ode of Salem,", "Ore", "Governors met.", False),
    ("It happened in Boise, Idaho, and Salem,", "Ore", "The gate was shut.", True),
    ("They mined", "ore", "Prices rose.", True),
]


@pytest.mark.parametrize(("before", "word", "following", "ends"), ENDS)
def test_stop_of_an_abbreviation(before: str, word: str, following: str, ends: bool) -> None:
    assert abbreviations.may_end(before + " ", word, following) is ends


def test_headline_list_and_paragraphs() -> None:
    text = "Ministry: drones downed over Sill\n\nThe first line. The second.\n1. One item\n2. Another item.\n"
    expected = [
        "Ministry: drones downed over Sill",
        "The first line.",
        "The second.",
        "1. One item",
        "2. Another item.",
    ]
    assert [s.of(text) for s in sentences(text)] == expected


def test_hard_wrapped_text_is_joined() -> None:
    text = (
        "The column left the town at six in the morning and\n"
        "crossed the river by the lower bridge, where three\n"
        "of its trucks were left behind because of the mud\n"
        "on the banks. Nobody was hurt.\n"
    )
    assert len(sentences(text)) == 2


@given(st.text(alphabet=st.sampled_from('ab. !?\n\r“”"«»–A1é😀\u0301\u05d0…'), max_size=80))
def test_no_character_is_lost_or_moved(text: str) -> None:
    spans = sentences(text)
    ends = [0, *(s.end for s in spans)]
    for span, before in zip(spans, ends, strict=False):
        assert before <= span.start < span.end <= len(text)
        assert not text[before : span.start].strip()
        assert span.of(text) == span.of(text).strip()
    assert not text[ends[-1] :].strip()


@given(*[st.text(alphabet=st.sampled_from('ab. !?”“"–A1(),:é—\u0301'), max_size=40)] * 2)
def test_a_blank_line_separates(first: str, second: str) -> None:
    gap = first + "\n\n"
    apart = [(s.start, s.end) for s in sentences(first)]
    apart += [(len(gap) + s.start, len(gap) + s.end) for s in sentences(second)]
    assert [(s.start, s.end) for s in sentences(gap + second)] == apart


@pytest.mark.parametrize("piece", ["-", "a. ", ". ", "(", "1.", "MARL, ", "?” Aa Ba "])
def test_time_grows_with_the_text_only(piece: str) -> None:
    text = piece * 20_000  # minutes, were a mark to look at the whole line
    assert sentences(text)[-1].end == len(text.rstrip())


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    pytest.importorskip("spacy", reason="the benchmark compares with spaCy, which comes with the extra `exchange`")
    spec = importlib.util.spec_from_file_location("segmentation", ROOT / "benchmarks" / "segmentation.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["segmentation"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("style", ["quotes", "abbreviations", "headlines", "dialogue", "lists"])
def test_the_benchmark_is_kept(benchmark: ModuleType, style: str) -> None:
    text = benchmark.build((benchmark.HERE / f"{style}.txt").read_text(encoding="utf-8").splitlines())
    table = benchmark.counts(text, sentences(text.raw))
    assert table[:, 2].sum() >= 300
    assert benchmark.figures(table[1::2].sum(axis=0))[2] >= 0.97


def test_wrapping_in_the_benchmark_keeps_offsets(benchmark: ModuleType) -> None:
    text = benchmark.build(["One went. ↵", "Two stayed " + "long " * 30 + "there.", "¶", "Three."])
    broken = benchmark.wrapped(text)
    assert broken.raw.split() == text.raw.split() and len(broken.raw) == len(text.raw)
    assert max(map(len, broken.raw.split("\n"))) <= benchmark.WIDTH
    assert [s.of(text.raw) for s in text.gold] == ["One went.", "Two stayed " + "long " * 30 + "there.", "Three."]
