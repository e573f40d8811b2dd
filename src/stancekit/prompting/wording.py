"""The words of a prompt: the task, the codebook's labels, the form of the answer, worked examples, and the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stancekit.codebook import Codebook
from stancekit.files import dump_json
from stancekit.prompting.quoting import quoted
from stancekit.schema import Answer, Example
from stancekit.tasks import Task

_SETS = {
    "attribution": ("source_type", "cue_stance"),
    "devices": ("frame",),
    "frames": ("frame",),
    "holder": ("frame", "source_type", "cue_stance"),
}
_RELATIONS = """An attribution relation says who says what. Its source is whom the content is ascribed to, its cue the
words that do the ascribing, its content what is ascribed: the reported clause or quotation with its quotation marks,
without the cue. Each may be missing or in several parts. Plans, abilities and acts that are no saying are no
attribution. List nested relations from the outermost to the innermost."""
_DEVICES = """A framing device is the shortest span whose wording, not the fact under it, carries a frame. Test: could
the same fact be told by a plainer word? If not, it is no device. The target is the actor framed, or null; negated is
true where the sentence denies the frame by an explicit negator."""
_KINDS = {
    "single": "Give the one label that fits the sentence.",
    "multi": "Give every label that fits the sentence, or none.",
    "targeted": "Give the label of the sentence's wording toward the target, whoever is quoted.",
    "spans": "Mark every span that a label fits.",
    "relations": _RELATIONS,
    "devices": _DEVICES,
    "layers": f"{_RELATIONS}\n\n{_DEVICES}",
}
_QUOTING = (
    "Quote words exactly as they stand; where they stand more than once, say which `occurrence` is meant, from 1."
)


def instructions(
    task: Task, codebook: Codebook, schema: dict[str, Any], examples: Sequence[tuple[Example, Answer]]
) -> str:
    """Return all of a prompt that stands before the sentence."""
    sections = [
        f"# {task.name}\n\nYou annotate sentences of news by the codebook {codebook.name} {codebook.version}.\n"
        + _KINDS[task.kind],
        *(_label_set(name, codebook, task) for name in _SETS.get(task.name, (task.name,))),
        _form(task, schema),
    ]
    if examples:
        worked = (f"{shown(example)}\n{dump_json({'answer': quoted(answer, example)})}" for example, answer in examples)
        sections.append("## Worked examples\n\n" + "\n\n".join(worked))
    return "\n\n".join(sections) + "\n\n## The sentence to annotate\n\n"


def shown(example: Example) -> str:
    """Return an example as a prompt shows it; the text is quoted as JSON, so that its end cannot be mistaken."""
    lines = [f"Sentence: {dump_json(example.sentence.text)}"]
    if example.target is not None:
        lines.append(f"Target: {dump_json(example.target.name)}")
    return "\n".join(lines)


def _label_set(name: str, codebook: Codebook, task: Task) -> str:
    labels = codebook.sets.get(name)
    if labels is None:
        return "## Labels\n\n" + "\n".join(f"- `{label}`" for label in task.labels)
    lines = []
    for label in labels:
        line = f"- `{label.name}`: {label.definition or label.name}"
        line += f" Examples: {'; '.join(label.examples)}." if label.examples else ""
        line += f" Not: {'; '.join(label.counter_examples)}." if label.counter_examples else ""
        lines.append(line)
    return f"## Labels: {name.replace('_', ' ')}\n\n" + "\n".join(lines)


def _form(task: Task, schema: dict[str, Any]) -> str:
    quoting = "" if task.kind in ("single", "multi", "targeted") else f" {_QUOTING}"
    return (
        f"## Answer\n\nReply with one JSON object of this schema and with nothing else.{quoting}\n\n{dump_json(schema)}"
    )
