"""One table of names: models, formats, metrics and tasks, each a line of `"module:Class"` text, loaded on first use.

A name in a config is a name of this table or a user's own `package.module:Name`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stancekit.errors import Problems, StancekitError, did_you_mean, fail

TABLE: dict[str, dict[str, str]] = {
    "task": {
        "voice": "stancekit.tasks:voice",
        "frames": "stancekit.tasks:frames",
        "stance": "stancekit.tasks:stance",
        "attribution": "stancekit.tasks:attribution",
        "devices": "stancekit.tasks:devices",
        "holder": "stancekit.tasks:holder",
        "layers": "stancekit.tasks:layers",
    },
    "format": {
        "jsonl": "stancekit.data.formats.jsonl:Jsonl",
        "markup": "stancekit.data.formats.markup:Markup",
        "csv": "stancekit.data.formats.table:Csv",
        "tsv": "stancekit.data.formats.table:Tsv",
        "parquet": "stancekit.data.formats.parquet:Parquet",
        "datasets": "stancekit.data.formats.hub:Hub",
        "polnear": "stancekit.data.formats.polnear:PolNeAR",
        "newsmtsc": "stancekit.data.formats.newsmtsc:NewsMTSC",
        "tweeteval": "stancekit.data.formats.tweeteval:TweetEval",
        "brat": "stancekit.data.formats.brat:Brat",
        "conll": "stancekit.data.formats.conll:Conll",
        "labelstudio": "stancekit.data.formats.labelstudio:LabelStudio",
        "doccano": "stancekit.data.formats.doccano:Doccano",
        "inception": "stancekit.data.formats.inception:Inception",
        "spacy": "stancekit.data.formats.docbin:SpacyDocBin",
        "babe": "stancekit.data.formats.babe:BABE",
        "ptc": "stancekit.data.formats.ptc:PTC",
        "gwsd": "stancekit.data.formats.gwsd:GWSD",
    },
    "model": {
        "majority": "stancekit.models.majority:Majority",
        "lexicon": "stancekit.models.lexicon:Lexicon",
        "linear": "stancekit.models.linear:Linear",
        "crf": "stancekit.models.crf:Crf",
        "crf-relations": "stancekit.models.crf_relations:CrfRelations",
        "joined": "stancekit.runs.joined:Joined",
        "ensemble": "stancekit.runs.ensemble:Ensemble",
        "distil": "stancekit.runs.distil:Distil",
        "embedding": "stancekit.models.neural.embedding:Embedding",
        "fewshot": "stancekit.models.neural.fewshot:FewShot",
        "transformer": "stancekit.models.neural.transformer:Transformer",
        "spans": "stancekit.models.neural.spans:Spans",
        "relations": "stancekit.models.neural.relations:Relations",
        "joint": "stancekit.models.neural.joint:Joint",
    },
    "metric": {
        "accuracy": "stancekit.metrics.labels:Accuracy",
        "f1": "stancekit.metrics.labels:F1",
        "f_avg": "stancekit.metrics.labels:FAvg",
        "confusion": "stancekit.metrics.labels:Confusion",
        "span_exact": "stancekit.metrics.spans:Exact",
        "span_overlap": "stancekit.metrics.spans:Overlap",
        "span_proportional": "stancekit.metrics.spans:Proportional",
        "strict": "stancekit.metrics.strict:Strict",
        "linked_exact": "stancekit.metrics.linked:LinkedExact",
        "linked_overlap": "stancekit.metrics.linked:LinkedOverlap",
        "device_attributes": "stancekit.metrics.devices:DeviceAttributes",
        "holder_accuracy": "stancekit.metrics.holder:HolderAccuracy",
        "holder_f1": "stancekit.metrics.holder:HolderF1",
        "each_layer": "stancekit.metrics.layers:EachLayer",
    },
}


def names(kind: str) -> list[str]:
    """Return the built-in names of a kind (`model`, `format`, `metric`, `task`)."""
    return list(TABLE[kind])


def find(kind: str, name: str, *, trust_code: bool = True) -> Any:
    """Return the class or function that a name stands for, importing its module.

    A name outside the table is refused unless `trust_code`: a run from elsewhere must run no code of its own.
    """
    place = TABLE[kind].get(name)
    if place is None:
        if ":" not in name:
            raise fail("", f"there is no {kind} {name!r}", did_you_mean(name, TABLE[kind]))
        if not trust_code:
            raise fail("", f"the {kind} {name!r} is code from elsewhere", "pass trust_code=True if you trust it")
        place = name
    module_name, _, attribute = place.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        hint = "install it, or put its folder on PYTHONPATH"
        raise fail("", f"the {kind} {name!r} needs the module {error.name!r}, which is not there", hint) from error
    except AttributeError as error:
        raise fail("", f"{module_name} has no {attribute!r}", "check the name after the colon") from error


def settings(kind: str, name: str, *, trust_code: bool = True) -> dict[str, inspect.Parameter]:
    """Return the settings of a component: the parameters of its constructor by name."""
    component = find(kind, name, trust_code=trust_code)
    return dict(inspect.signature(component).parameters)


def build(
    kind: str,
    name: str,
    values: Mapping[str, Any],
    *,
    where: str = "",
    place: Callable[[str], str] | None = None,
    trust_code: bool = True,
) -> Any:
    """Construct a component from its settings, checked by name against the constructor's signature.

    `place` tells where a setting stands, for what is wrong with it; what is wrong with the whole stands at `where`.
    """
    problems, usable = Problems(), dict(values)
    known = settings(kind, name, trust_code=trust_code)
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    for key, value in values.items():
        at = place(key) if place else where
        if key not in known and not open_ended:
            problems.add(at, f"the {kind} {name!r} has no setting {key!r}", did_you_mean(key, known))
            del usable[key]
        elif key in known and known[key].annotation in (bool, "bool") and not isinstance(value, bool):
            problems.add(at, f"the setting {key!r} of the {kind} {name!r} is {value!r}", "write true or false")
            del usable[key]
    lacking = [key for key, parameter in known.items() if _is_required(parameter) and key not in values]
    for key in lacking:
        problems.add(where, f"the {kind} {name!r} needs the setting {key!r}", "add it")
    built = None
    if usable.keys() >= {key for key, parameter in known.items() if _is_required(parameter)}:
        try:
            built = find(kind, name, trust_code=trust_code)(**usable)
        except (TypeError, ValueError) as error:
            what = f"the {kind} {name!r} does not take these settings: {error}"
            problems.add(where, what, "check their values")
        except StancekitError as error:  # it calls a setting by its name
            told = (replace(p, where=place(p.where)) if place and p.where in values else p for p in error.problems)
            problems.found.extend(replace(p, where=p.where or where) for p in told)
    problems.raise_any()
    return built


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is inspect.Parameter.empty and parameter.kind is not inspect.Parameter.VAR_KEYWORD
