"""Hypothesis strategies: sentences with nested, discontinuous and crossing spans over awkward text."""

from __future__ import annotations

from hypothesis import strategies as st

from stancekit.schema import Attribution, Device, Layers, Sentence, Span, Stance, Target, parts_of

ALPHABET = "ab Z9.,:;!#~=-\"'“”’[]{}|\\<>&\t\r\n\u0301é😀👩‍👩‍👧א ب\u202e中\u2028\u200d"
FRAMES = ("blame", "threat", "valour")
NAMES = st.text(alphabet="aZ é>|{}\\;=[]א😀", min_size=1, max_size=8).map(str.strip).filter(bool)
META = st.dictionaries(
    st.sampled_from(["outlet", "date", "event", "side"]), st.text("aé9: #-'\"\\א", min_size=1, max_size=6), max_size=3
)


def texts(alphabet: str = ALPHABET):
    return st.text(alphabet=alphabet, min_size=1, max_size=40).filter(str.strip)


@st.composite
def parts(draw, size: int, least: int = 1, most: int = 3):
    """Sorted parts that neither overlap nor touch."""
    cuts = draw(st.lists(st.integers(0, size), unique=True, min_size=0, max_size=2 * most).map(sorted))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return parts_of(pairs) if len(pairs) >= least else (parts_of([(0, size)]) if least else ())


@st.composite
def attributions(draw, size: int):
    source, cue, content = (draw(parts(size, least=0, most=2)) for _ in range(3))
    return Attribution(
        source=source,
        cue=cue,
        content=content or (() if source or cue else parts_of([(0, size)])),
        source_type=draw(st.sampled_from(["military", "other"])) if source and draw(st.booleans()) else None,
        cue_stance=draw(st.sampled_from(["neutral", "distancing"])) if cue else None,
    )


@st.composite
def devices(draw, size: int):
    target = draw(st.none() | NAMES)
    return Device(
        parts=draw(parts(size)), frame=draw(st.sampled_from(FRAMES)), target=target, negated=draw(st.booleans())
    )


@st.composite
def stances(draw, size: int, labels=("favor", "against", "none")):
    span = draw(st.none() | parts(size, most=1).map(lambda found: found[0]))
    return Stance(Target(draw(NAMES), span), draw(st.sampled_from(labels)))


@st.composite
def layers(draw, text: str):
    """Layers of one text, each of them missing now and then.

    Of the label sets, `tone` is toward targets, `mood` one label, `themes` a set of labels, `marks` spans.
    """
    size = len(text)
    few = lambda one: st.none() | st.lists(one, max_size=2).map(tuple)
    sets = {
        "tone": draw(few(stances(size, ("pos", "neg")))),
        "mood": draw(st.none() | st.sampled_from(["calm", "loud"])),
        "themes": draw(st.none() | st.frozensets(st.sampled_from(["war", "law"]))),
        "marks": draw(few(parts(size, most=1).map(lambda found: Span(found[0].start, found[0].end, "xy"[size % 2])))),
    }
    return Layers(
        text=text,
        attributions=draw(few(attributions(size))),
        devices=draw(few(devices(size))),
        stances=draw(few(stances(size))),
        labels={name: answer for name, answer in sets.items() if answer is not None},
    )


def own_answers(size: int):
    """Answers of a user's own tasks, none of them an empty tuple (JSON has one empty list only)."""
    spans = parts(size).map(lambda found: tuple(Span(p.start, p.end, "x") for p in found))
    several = st.frozensets(st.text("abé ", min_size=1, max_size=4), max_size=3)
    targets = st.lists(stances(size, ("pos", "neg")), min_size=1, max_size=2).map(tuple)
    return st.text("abé", min_size=1, max_size=5) | several | spans | targets


@st.composite
def sentences(draw, text=None, own: bool = True, document: str = "doc", index: int = 0):
    text = draw(text if text is not None else texts())
    size = len(text)
    found = draw(st.none() | st.lists(devices(size), max_size=3, unique_by=lambda d: (d.parts, d.frame)))
    layers = Layers(
        text=text,
        attributions=draw(st.none() | st.lists(attributions(size), max_size=3).map(tuple)),
        devices=None if found is None else tuple(sorted(found, key=lambda d: (d.parts, d.frame))),
        stances=draw(st.none() | st.lists(stances(size), max_size=2).map(tuple)),
        labels=draw(st.dictionaries(st.sampled_from(["topic", "tone"]), own_answers(size), max_size=2)) if own else {},
    )
    return Sentence(id=f"{document}.{index}", text=text, document=document, index=index, meta=draw(META), gold=layers)


def corpora(most: int = 3, **options):
    """Lists of sentences of one document, in order."""
    return (
        st.integers(1, most).flatmap(lambda n: st.tuples(*(sentences(index=k, **options) for k in range(n)))).map(list)
    )
