"""Sentence segmentation: styles by hand, offsets by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit.text.segment import sentences

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
    "ellipses": ["Yes...", "Perhaps.", "They said so… and more.", "Was it so?!", "It was."],
}


@pytest.mark.parametrize("style", CASES)
def test_style(style: str) -> None:
    text = " ".join(CASES[style])
    assert [s.of(text) for s in sentences(text)] == CASES[style]


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
