"""Commands on data and names: check, convert, schema, names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from stancekit import components
from stancekit.cli import show
from stancekit.cli.app import Format, Json, Options, Overrides, app, options_of


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="An experiment, a data file, or a bundled data set.")],
    overrides: Overrides = None,
    format: Format = None,
    option: Options = None,
    as_json: Json = False,
) -> None:
    """List every problem of an experiment and its data in one pass, with label counts and split sizes."""
    from stancekit import experiment

    found = experiment.check(source, overrides or (), format=format, options=options_of(option))
    show.check(found, as_json)
    if found.problems:
        raise typer.Exit(1)


@app.command()
def convert(
    source: Annotated[str, typer.Argument(help="The data to read.")],
    target: Annotated[Path, typer.Argument(help="The file or folder to write.")],
    format: Format = None,
    to: Annotated[str | None, typer.Option(help="Format to write; guessed from the ending.")] = None,
    option: Options = None,
    to_option: Annotated[list[str] | None, typer.Option(help="An option of the format written.")] = None,
    skip_errors: Annotated[
        bool, typer.Option("--skip-errors", help="Leave broken records out, and count them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Convert between formats, and say what the new one cannot hold."""
    from stancekit import experiment

    found = experiment.convert(
        source,
        target,
        format=format,
        to=to,
        options=options_of(option),
        to_options=options_of(to_option),
        on_error="skip" if skip_errors else "stop",
    )
    if as_json:
        show.raw(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        show.line(repr(found))


@app.command()
def schema() -> None:
    """Print the JSON Schema of experiments, for editors."""
    from stancekit.config import json_schema

    show.raw(json.dumps(json_schema(), indent=1, ensure_ascii=False))


@app.command()
def names(
    kind: Annotated[str, typer.Argument(help="model, format, metric or task")],
) -> None:
    """List the built-in models, formats, metrics or tasks."""
    from stancekit.errors import did_you_mean, fail

    if kind not in components.TABLE:
        raise fail("names", f"there is no kind {kind!r}", did_you_mean(kind, components.TABLE))
    for name in components.names(kind):
        show.line(name)
