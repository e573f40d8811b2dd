"""An audit as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stancekit.reports.rendering import render
from stancekit.schema import Sentence


def page(found: Mapping[str, Any], signature_line: str, by_id: Mapping[str, Sentence]) -> str:
    """Return the page of an audit's JSON; `by_id` holds the sentences to show, none where texts are left out."""
    texts = {id_: by_id[id_].text for pair in found["duplicates"]["pairs"] for id_ in pair["ids"] if id_ in by_id}
    for task in found["tasks"]:
        for candidate in task["noise"]:
            sentence = by_id.get(candidate["id"]) or by_id.get(candidate["id"].rpartition("#")[0])
            if sentence is not None:
                texts[candidate["id"]] = sentence.text
    return render("audit.html", {**found, "title": found["data"], "signature_line": signature_line, "texts": texts})
