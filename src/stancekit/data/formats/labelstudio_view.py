"""The labelling interface that Label Studio needs to show what was written for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from stancekit.data.formats.marks import ROLES

_FIELDS = {
    "source_type": "government military international media expert civilian anonymous other".split(),
    "cue_stance": "neutral endorsing distancing".split(),
    "negated": ["true"],
}
_RELATIONS = ("source", "content", "part")


def view(text: str, results: Iterable[Mapping[str, Any]]) -> str:
    """Return the interface as XML: marks, the fields of a region, the choices of a text; `text` is the data's field."""
    labels, choices = dict.fromkeys(ROLES), dict[str, dict[str, None]]()
    for item in results:
        value = item.get("value", {})
        labels |= dict.fromkeys(value.get("labels", ()))
        if item["type"] == "choices" and "start" not in value:
            choices.setdefault(item["from_name"], {}).update(dict.fromkeys(value["choices"]))
    rows = [f'<Text name="text" value={quoteattr("$" + text)}/>']
    rows += _element('Labels name="marks" toName="text"', "Label", labels)
    rows += _element("Relations", "Relation", _RELATIONS)
    for name, values in _FIELDS.items():
        rows += _element(f'Choices name="{name}" toName="text" perRegion="true"', "Choice", values)
    rows.append('<TextArea name="target" toName="text" perRegion="true" maxSubmissions="1"/>')
    for task, chosen in sorted(choices.items()):
        rows += _element(f'Choices name={quoteattr(task)} toName="text" choice="multiple"', "Choice", chosen)
    return "\n".join(["<View>", *(f"  {row}" for row in rows), "</View>", ""])


def _element(opening: str, child: str, values: Iterable[str]) -> list[str]:
    rows = [f"  <{child} value={quoteattr(value)}/>" for value in values]
    return [f"<{opening}>", *rows, f"</{opening.split()[0]}>"]
