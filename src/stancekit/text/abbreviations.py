"""Abbreviations of English news: whether a sentence may end at the full stop of one, given what follows it."""

from __future__ import annotations

import re

_TITLES = frozenset(
    "adm amb assoc asst bp brig capt card cdr cllr cmdr col comdr cpl cpt det dr eng flt fr gen gov hon insp lt maj "
    "messrs mgr min mlle mme mr mrs ms msgr pfc pres prof pte pvt rep rev rt sec sen sgt sqn supt".split()
)
"""Written before a name, with a capital; no sentence ends after one."""
_LINKS = frozenset("approx b c ca cf d e.g esp excl i.e incl ret v viz vs".split())
"""Written in mid-sentence, in small letters; no sentence ends after one."""
_BEFORE_NUMBERS = frozenset("art ch fig figs no nos p para paras pp ref rs sect tel vol vols".split())
_UNITS = frozenset("bn cm deg ft g hr hrs in kg km kn lb lbs m mi min mins mm mn oz sec t".split())
"""Written after a number; a capital after one begins a sentence."""
_DATES = frozenset(
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun".split()
)
_MAY_END = frozenset(
    "acad al approx ave bldg blvd bros ca co corp dept dist div ed eds est etc ext fed ff geo inc inst intl jas jr ltd "
    "mt natl op plc pt rd ref regt rm sr st sta ste univ wm".split()
)
"""A sentence ends after one where the next word is one that begins sentences."""
_STATES = frozenset(
    "ala ariz ark calif colo conn del fla ga ill ind kan ky la mass md mich minn miss mo mont neb nev okla ore pa tenn "
    "tex va vt wash wis wyo".split()
)
"""As in datelines (`TUCSON, Ariz. – While …`); the same holds after these, and none ends before a dash."""
_DASHES = ("-", "–", "—")
_ALSO_WORDS = frozenset(
    "ark card co col del eng est fed fig gen hon ill ind la mar mass min miss mo mon op ore pa ref rep rev sat sec sun "
    "wash".split()
)
"""Words when written in small letters."""
_ENDS_BEFORE_CAPITALS = frozenset("al etc".split())
DAYS_AND_MONTHS = tuple(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)
_ZONES = frozenset("bst cdt cest cet cst eastern edt eet est gmt local mdt msk mst pacific pdt pst utc".split())
_STARTERS = frozenset(
    "a about according after all also although among an and another any are as asked at because before behind below "
    "beneath besides between both but by can children could despite did do does during each earlier either even "
    "every everybody everyone few for four from half has have he her here hers his how however i if in indeed inside "
    "instead is it its just last later like many maybe meanwhile men more moreover most much my near neither never "
    "nevertheless next no nobody none nor not nothing now of officials often on once one only or others otherwise our "
    "outside over people perhaps police recently residents several she should since so some someone sometimes soon "
    "still such than that the their then there therefore these they this those though three through throughout thus "
    "to today together tomorrow tonight two under unlike until was we were what when where whether which while who "
    "whoever whom whose why will with within without witnesses women would yesterday yet you your".split()
)
_ROMAN = re.compile(r"[IVXLC]+\b")
_ACRONYM = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,3}")
_NEXT_WORD = re.compile(r"\W*([^\W_]+(?:['’][^\W\d_]+)?)")


def may_end(before: str, word: str, following: str) -> bool:
    """Say whether a sentence may end at the full stop after `word`, which is its own.

    `before` is the sentence up to the word, `following` the text after the stop, without space at its start. The
    answer for a word that is no abbreviation is yes.
    """
    low = word.lower()
    if _ACRONYM.fullmatch(word):
        return _after_time(following) if low in ("a.m", "p.m") else starts_sentence(following)
    low = re.split(r"[.-]", low)[-1]
    if len(word) == 1 and word.isupper():
        return not _is_initial(before, word) or starts_sentence(following)
    if low in _UNITS and re.search(r"\d[\d.,]*\s*$", before):
        return not _next(following)[:1].isdigit()
    if low in _BEFORE_NUMBERS and _is_number(following, low):
        return False
    if low in _ALSO_WORDS and word.islower():
        return True
    if (low in _LINKS and word.islower()) or low in _TITLES:
        return False
    return _after_common(low, word, following)


def _after_common(low: str, word: str, following: str) -> bool:
    """Decide after abbreviations that stand at the end of sentences too."""
    after = _next(following)
    if low in _DATES:
        return not after[:1].isdigit() and after.lower() not in _DATES
    if low in _ENDS_BEFORE_CAPITALS:
        return after[:1].isupper()
    if low in _STATES and following.startswith(_DASHES):
        return False
    if low in _MAY_END or low in _STATES or _has_no_vowel(word):
        return starts_sentence(following)
    return True


def starts_sentence(following: str) -> bool:
    """Say whether the next word is one that begins sentences, and is written with a capital."""
    after = _next(following)
    return after[:1].isupper() and re.split(r"['’]", after.lower())[0] in _STARTERS


def _next(following: str) -> str:
    match = _NEXT_WORD.match(following[:60])
    return match[1] if match else ""


def _after_time(following: str) -> bool:
    """A capital after `6 p.m.` begins a sentence, unless it is a day, a month or a time zone."""
    after = _next(following).lower()
    known = after in DAYS_AND_MONTHS or after in _DATES or after in _ZONES
    return not known and not after[:1].isdigit() and not re.match(r"\w+ time\b", following)


def _is_initial(before: str, letter: str) -> bool:
    """A capital alone is an initial, unless it is a degree (`4° N`) or the pronoun (`than I`)."""
    left = before.rstrip()
    if left.endswith("°"):
        return False
    words = left.split()
    return letter != "I" or not words or words[-1][:1].isupper()


def _is_number(following: str, low: str) -> bool:
    return following[:1].isdigit() or bool(low != "no" and _ROMAN.match(following))


def _has_no_vowel(word: str) -> bool:
    """Bldg, Cllr, hrs: written short. Words in capitals throughout (BBC) are names, and end sentences."""
    return (
        len(word) > 1
        and word.isascii()
        and not word.isupper()
        and bool(re.fullmatch("[b-df-hj-np-tv-xz]+", word.lower()))
    )
