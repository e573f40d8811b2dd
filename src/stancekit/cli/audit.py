"""The command that looks for what flatters figures: audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from stancekit.cli import show
from stancekit.cli.app import Format, Json, Options, Overrides, Quiet, app, options_of


@app.command()
def audit(
    source: Annotated[str, typer.Argument(help="A data file, a bundled data set, or an experiment.")],
    overrides: Overrides = None,
    task: Annotated[str | None, typer.Option(help="The task to audit; every labelled one where absent.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="A metadata column to look at; all where absent.")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Exit with 1 where a figure is above, as gap=0.05 or gap.outlet=0.05.")
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Folds of the baselines (5).")] = None,
    repeats: Annotated[int | None, typer.Option(help="How often folds are cut anew (3; large data: 1).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of folds and intervals (13).")] = None,
    threshold: Annotated[float | None, typer.Option(help="Jaccard of words of near copies (0.7).")] = None,
    most: Annotated[int | None, typer.Option(help="The most examples to measure baselines on (10000).")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
    no_text: Annotated[bool, typer.Option("--no-text", help="Show no sentence on the page.")] = False,
    format: Format = None,
    option: Options = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find duplicates, groups on two sides, shortcuts, gaps between splits, and doubtful labels."""
    from stancekit import auditing
    from stancekit.auditing.limits import parse
    from stancekit.files import spare

    spare([source], html)

    plan: dict[str, Any] = {"folds": folds, "repeats": repeats, "seed": seed, "threshold": threshold, "most": most}
    with show.Progress(quiet) as progress:
        found = auditing.audit(
            source,
            overrides or (),
            task=task,
            by=by or (),
            limits=parse(limit or ()),
            format=format,
            options=options_of(option),
            plan=auditing.Plan(**{name: value for name, value in plan.items() if value is not None}),
            progress=progress,
        )
    if html is not None:
        found.write_html(html, no_text=no_text)
    if as_json:
        show.raw(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        show.line(repr(found))
    if found.exceeded:
        raise typer.Exit(1)
