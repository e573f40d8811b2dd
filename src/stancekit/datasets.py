"""The data sets that stancekit can read by name: the bundled one, and public ones that one gets oneself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stancekit.data import load as load_module
from stancekit.data.dataset import Dataset
from stancekit.errors import did_you_mean, fail


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A data set: what it is, under which licence, how to cite it, how large it is, and how to get it.

    `format` is the reader's name, empty for a bundled data set. A licence is that which its publishers state.
    """

    name: str
    about: str
    format: str
    licence: str
    citation: str
    size: str
    how_to_get: str

    def to_json(self) -> dict[str, str]:
        """Return the entry as JSON."""
        return asdict(self)


_ENTRIES = (
    Entry(
        name="dispatches",
        about="attribution, framing devices and stance in invented news of four invented conflicts",
        format="",
        licence="CC BY 4.0",
        citation="The stancekit authors. Dispatches: a bundled corpus of attribution, framing and stance.",
        size="see data/dispatches/README.md",
        how_to_get="bundled: use its name wherever a path is asked for",
    ),
    Entry(
        name="newsdesk",
        about="attribution, framing devices and stance in invented everyday news, most of it plainly worded",
        format="",
        licence="CC BY 4.0",
        citation="The stancekit authors. Newsdesk: a bundled corpus of everyday news.",
        size="see data/newsdesk/README.md",
        how_to_get="bundled: use its name wherever a path is asked for, or beside dispatches as `also`",
    ),
    Entry(
        name="clippings",
        about="sentiment toward people and bodies in excerpts of invented articles of plain news",
        format="",
        licence="CC BY 4.0",
        citation="The stancekit authors. Clippings: a bundled set of targeted sentiment.",
        size="see data/clippings/README.md",
        how_to_get="bundled: use its name wherever a path is asked for, or beside other sets as `also`",
    ),
    Entry(
        name="polnear",
        about="attribution relations (source, cue, content) in US political news",
        format="polnear",
        licence="none stated; the texts are the publishers'",
        citation="Newell, Margolin & Ruths (2018). An Attribution Relations Corpus for Political News. LREC.",
        size="1,008 articles, 24 thousand relations",
        how_to_get="from https://github.com/networkdynamics/PolNeAR: the folder data/train, data/dev or data/test",
    ),
    Entry(
        name="newsmtsc",
        about="sentiment toward a person or group named in a news sentence",
        format="newsmtsc",
        licence="MIT in its repository; the texts are the publishers'",
        citation="Hamborg & Donnay (2021). NewsMTSC: A Dataset for (Multi-)Target-dependent Sentiment Classification "
        "in Political News Articles. EACL.",
        size="11 thousand targets",
        how_to_get="from https://github.com/fhamborg/NewsMTSC: train.jsonl, dev_rw.jsonl, dev_mt.jsonl",
    ),
    Entry(
        name="tweeteval",
        about="stance of tweets toward five targets (SemEval-2016 task 6 A, as in TweetEval)",
        format="tweeteval",
        licence="no restrictions by TweetEval; those of SemEval-2016 and of the platform apply",
        citation="Mohammad et al. (2016). SemEval-2016 Task 6. SemEval. Barbieri et al. (2020). TweetEval. Findings of "
        "EMNLP.",
        size="2,914 tweets in train and val",
        how_to_get="from https://github.com/cardiffnlp/tweeteval: the folder datasets/stance",
    ),
    Entry(
        name="babe",
        about="news sentences judged biased or not by experts, with the biased words",
        format="babe",
        licence="AGPL-3.0 in its repository",
        citation="Spinde et al. (2021). Neural Media Bias Detection Using Distant Supervision With BABE. Findings of "
        "EMNLP.",
        size="3,673 sentences with a majority",
        how_to_get="from the paper's repository (Neural-Media-Bias-Detection-Using-Distant-Supervision-With-BABE): "
        "data/final_labels_SG2.xlsx",
    ),
    Entry(
        name="ptc",
        about="propaganda techniques in news: spans and 14 techniques (SemEval-2020 task 11)",
        format="ptc",
        licence="none stated; given out on registration",
        citation="Da San Martino et al. (2020). SemEval-2020 Task 11: Detection of Propaganda Techniques in News "
        "Articles. SemEval.",
        size="371 articles and 6,129 spans in train",
        how_to_get="register at https://propaganda.math.unipd.it/semeval2020-task11, and give the folder datasets",
    ),
    Entry(
        name="gwsd",
        about="stance of news sentences on global warming, by eight annotators each",
        format="gwsd",
        licence="none stated",
        citation="Luo, Card & Jurafsky (2020). Detecting Stance in Media on Global Warming. Findings of EMNLP.",
        size="2,300 sentences, of which 200 are held out",
        how_to_get="from https://github.com/yiweiluo/GWStance: GWSD.tsv",
    ),
)
CATALOGUE: Mapping[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def load(name: str, path: str | Path | None = None, **options: Any) -> Dataset:
    """Read a data set by its name; a public one from the `path` where one has put it.

    `options` are those of `stancekit.data.load.load` (`codebook`, `label_map`, `on_error`, `options`).
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise fail(name, "there is no data set of this name", did_you_mean(name, CATALOGUE))
    if not entry.format:
        return load_module.load(name, **options)
    if path is None:
        raise fail(name, f"{name} is not bundled: its licence is {entry.licence}", f"get it {entry.how_to_get}")
    return load_module.load(path, format=entry.format, **options)
