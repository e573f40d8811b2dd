"""Commands on annotators: agree, disagreements, adjudicate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stancekit.cli import show
from stancekit.cli.app import Format, Json, Options, Quiet, app, options_of

if TYPE_CHECKING:
    from stancekit.agreement import Agreement
    from stancekit.data.annotators import Reading

Sources = Annotated[list[str], typer.Argument(metavar="FILE…", help="A file an annotator, or one with --annotator.")]
Annotator = Annotated[str | None, typer.Option(help="The metadata column that names the annotator, in one file.")]
Item = Annotated[str | None, typer.Option(help="The metadata column that names the sentence, in one file.")]
Partial = Annotated[bool, typer.Option("--partial", help="Annotators may have different sentences.")]
Book = Annotated[Path | None, typer.Option(help="A codebook of your own.")]
Skip = Annotated[bool, typer.Option("--skip-errors", help="Leave broken records out.")]
Tasks = Annotated[list[str] | None, typer.Option("--task", help="Only this task (may be repeated).")]


def _how(
    annotator: str | None,
    item: str | None,
    partial: bool,
    format: str | None,
    option: list[str] | None,
    codebook: Path | None,
    skip: bool,
) -> Reading:
    return {
        "annotator": annotator,
        "item": item,
        "partial": partial,
        "format": format,
        "options": options_of(option),
        "codebook": codebook,
        "on_error": "skip" if skip else "stop",
    }


@app.command()
def agree(
    sources: Sources,
    task: Tasks = None,
    order: Annotated[str | None, typer.Option(help="Labels from low to high, with commas: ordinal alpha too.")] = None,
    groups: Annotated[list[str] | None, typer.Option(help="Resample these groups (document, event, …).")] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=100)] = 10_000,
    to: Annotated[Path | None, typer.Option(help="Write everything as JSON: a report takes its ceiling.")] = None,
    annotator: Annotator = None,
    item: Item = None,
    partial: Partial = False,
    format: Format = None,
    option: Options = None,
    codebook: Book = None,
    skip_errors: Skip = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure agreement between annotators: alpha, kappa, F1 between them, and the ceiling they set for a model."""
    from stancekit import agreement

    with show.Progress(quiet or as_json) as progress:
        progress.say("comparing annotators")
        found = agreement.agree(
            sources,
            tasks=task,
            order=[label.strip() for label in order.split(",")] if order else (),
            groups=groups or ("document",),
            resamples=resamples,
            to=to,
            **_how(annotator, item, partial, format, option, codebook, skip_errors),
        )
    if as_json:
        show.raw(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        _show(found, to)


def _show(found: Agreement, to: Path | None) -> None:
    show.line(f"{len(found.annotators)} annotators: {', '.join(found.annotators)}")
    for name, scores in found.scores.items():
        show.line(f"\n== {name}: agreement")
        show.scores(scores, False)
        show.line(f"\n== {name}: human ceiling")
        show.scores(found.ceilings[name], False)
    if to is not None:
        show.line(f"wrote {to}")


@app.command()
def disagreements(
    sources: Sources,
    task: Tasks = None,
    to: Annotated[Path | None, typer.Option(help="Write them as JSONL, to be decided on.")] = None,
    annotator: Annotator = None,
    item: Item = None,
    partial: Partial = False,
    format: Format = None,
    option: Options = None,
    codebook: Book = None,
    skip_errors: Skip = False,
    as_json: Json = False,
) -> None:
    """List the examples on which annotators differ."""
    from stancekit import adjudication

    how = _how(annotator, item, partial, format, option, codebook, skip_errors)
    found = adjudication.disagreements(sources, tasks=task, to=to, **how)
    if as_json:
        for one in found:
            show.raw(json.dumps(one.to_json(), ensure_ascii=False))
        return
    show.line(repr(found))
    if to is not None:
        show.line(f"wrote {to}: fill in `answer`, or `take` with an annotator's name")


@app.command()
def adjudicate(
    sources: Sources,
    to: Annotated[Path, typer.Option(help="The merged file to write.")],
    rule: Annotated[
        Literal["majority", "first", "file"], typer.Option(help="How a disagreement is settled.")
    ] = "majority",
    decisions: Annotated[Path | None, typer.Option(help="The decided disagreements, for the rule `file`.")] = None,
    annotator: Annotator = None,
    item: Item = None,
    partial: Partial = False,
    format: Format = None,
    option: Options = None,
    codebook: Book = None,
    skip_errors: Skip = False,
) -> None:
    """Merge annotators into one file, with the share of them behind each label as votes."""
    from stancekit import adjudication

    how = _how(annotator, item, partial, format, option, codebook, skip_errors)
    found = adjudication.adjudicate(sources, to, rule=rule, decisions=decisions, **how)
    show.line(repr(found))
    show.line(f"wrote {to}")
