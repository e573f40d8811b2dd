"""Tokens lose nothing; tags hold what they can and count the rest."""

from hypothesis import given
from hypothesis import strategies as st

from stancekit.text.tokens import tokens


def words(text):
    return [token.of(text) for token in tokens(text)]


def test_marks_clitics_and_abbreviations_are_tokens_of_their_own():
    text = "“He didn't say the so-called U.S. ministry's Sen. O'Brien’s 1,200.50 …”"
    expected = "“ He did n't say the so-called U.S. ministry 's Sen. O'Brien ’s 1,200.50 … ”"
    assert words(text) == expected.split()


def test_combining_marks_and_joined_emoji_stay_whole():
    assert words("cafe\u0301s मुक्ति 👨\u200d👩\u200d👧 ❤\ufe0fx") == [
        "cafe\u0301s",
        "मुक्ति",
        "👨\u200d👩\u200d👧",
        "❤\ufe0f",
        "x",
    ]


@given(st.text() | st.text(alphabet="a'’sntdN.-–@#12,\"“ \r\n\u0301\u200d"))
def test_tokens_cover_every_character_that_is_no_space_in_order(text):
    found = tokens(text)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
    covered = {c for token in found for c in range(token.start, token.end)}
    assert covered == {c for c, character in enumerate(text) if not character.isspace()}
