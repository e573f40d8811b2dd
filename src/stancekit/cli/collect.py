"""Commands before labelling: ingest, sample, and the data sets that have readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from stancekit.cli import show
from stancekit.cli.app import Json, Options, app, options_of

data = typer.Typer(help="The data sets that stancekit reads by name.", no_args_is_help=True)
app.add_typer(data, name="data")


@app.command()
def ingest(
    sources: Annotated[list[Path], typer.Argument(help="HTML pages, .txt, folders, JSONL or Parquet of articles.")],
    to: Annotated[Path, typer.Option(help="The sentences to write; the ending names the format.")],
    meta: Annotated[list[str] | None, typer.Option(help="Metadata of every article, as key=value.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="A column of a table by its role, as text=body.")
    ] = None,
    skip_errors: Annotated[
        bool, typer.Option("--skip-errors", help="Leave out articles with a problem, and list them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Turn raw articles into sentences to label, with offsets into the article, metadata, and copies marked."""
    from stancekit.ingestion import ingest as run

    columns = {key: str(value) for key, value in options_of(option).items()}
    found = run(*sources, to=to, columns=columns, meta=options_of(meta), on_error="skip" if skip_errors else "stop")
    if as_json:
        show.raw(json.dumps(found.to_json(), ensure_ascii=False))
        return
    for problem in found.problems:
        show.line(f"left out: {problem}")
    show.line(repr(found))
    for file in found.files:
        show.line(f"wrote {file}")


@app.command()
def sample(
    source: Annotated[str, typer.Argument(metavar="DATA", help="The sentences to choose from.")],
    n: Annotated[int, typer.Option("-n", help="How many sentences.", min=1)],
    to: Annotated[Path, typer.Option(help="The file to write.")],
    how: Annotated[str, typer.Option(help="random, stratified, uncertainty or diversity")] = "random",
    by: Annotated[str | None, typer.Option(help="The column of the strata.")] = None,
    equal: Annotated[bool, typer.Option("--equal", help="As many of every stratum, not in proportion.")] = False,
    run: Annotated[Path | None, typer.Option(help="A run: its doubt, and its answers to correct.")] = None,
    exclude: Annotated[list[Path] | None, typer.Option(help="Files already labelled.")] = None,
    format: Annotated[str | None, typer.Option(help="Format to write: labelstudio, doccano, jsonl, …")] = None,
    from_format: Annotated[str | None, typer.Option(help="Format of the data; guessed where absent.")] = None,
    option: Options = None,
    seed: int = 13,
) -> None:
    """Choose what to label next."""
    from stancekit.sampling import sample as choose

    found = choose(
        source,
        n,
        how=how,
        by=by,
        allocation="equal" if equal else "proportional",
        run=run,
        exclude=exclude or (),
        to=to,
        format=format,
        data_format=from_format,
        options=options_of(option),
        seed=seed,
    )
    show.line(repr(found))
    show.line(f"wrote {to}")


@data.command("list")
def list_data(as_json: Json = False) -> None:
    """List the bundled data set and the public ones that have readers: licence, citation, size, how to get them."""
    from stancekit.datasets import CATALOGUE

    if as_json:
        show.raw(json.dumps([entry.to_json() for entry in CATALOGUE.values()], ensure_ascii=False))
        return
    for entry in CATALOGUE.values():
        show.line(f"{entry.name}: {entry.about}")
        for title, value in (
            ("size", entry.size),
            ("licence", entry.licence),
            ("cite", entry.citation),
            ("get", entry.how_to_get),
            ("format", entry.format),
        ):
            if value:
                show.line(f"    {title:8} {value}")
