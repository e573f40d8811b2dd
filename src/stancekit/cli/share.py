"""Commands for others' eyes: release, rehydrate, push, pull; and for a language model: prompt, answers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stancekit.cli import show
from stancekit.cli.app import Format, Json, Options, RunFolder, Trust, app, options_of

_SKIP = typer.Option("--skip-errors", help="Leave out sentences that differ or are missing, and list them.")

Codebook = Annotated[Path | None, typer.Option(help="Your codebook; the bundled one where absent.")]


@app.command()
def release(
    source: Annotated[str, typer.Argument(metavar="DATA", help="The labelled data.")],
    to: Annotated[Path, typer.Option(help="The file to write.")],
    meta: Annotated[list[str] | None, typer.Option(help="Keep these metadata columns only.")] = None,
    codebook: Codebook = None,
    format: Format = None,
    option: Options = None,
) -> None:
    """Write ids, offsets, hashes and labels of a data set, and none of its text."""
    from stancekit import sharing

    left_out = sharing.release(source, to, meta=meta, codebook=codebook, format=format, options=options_of(option))
    show.line(f"wrote {to}")
    for what, count in sorted(left_out.items()):
        show.line(f"  left out: {what} ({count})")


@app.command()
def rehydrate(
    released: Annotated[Path, typer.Argument(metavar="RELEASE", help="A file that `release` wrote.")],
    texts: Annotated[str, typer.Argument(help="The texts: a data set, or articles (a folder, .txt, .html).")],
    to: Annotated[Path, typer.Option(help="The labelled data to write.")],
    codebook: Codebook = None,
    format: Format = None,
    option: Options = None,
    skip_errors: Annotated[bool, _SKIP] = False,
) -> None:
    """Put the labels of a release back on your own copy of the text, or say which sentence differs and where."""
    from stancekit import sharing

    found = sharing.rehydrate(
        released,
        texts,
        to,
        codebook=codebook,
        format=format,
        options=options_of(option),
        on_error="skip" if skip_errors else "stop",
    )
    for problem in found.problems:
        show.line(f"left out: {problem}")
    show.line(repr(found))
    show.line(f"wrote {to}")


@app.command()
def push(
    run: RunFolder,
    repository: Annotated[str, typer.Argument(metavar="USER/NAME", help="The repository on the hub.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    revision: Annotated[str | None, typer.Option(help="A branch of the repository; the main one where absent.")] = None,
    license: Annotated[str | None, typer.Option(help="The weights' licence as the hub names it: apache-2.0.")] = None,
    with_reports: Annotated[
        bool, typer.Option("--with-reports", help="Send reports as they are, with the sentences in them.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace another run that stands there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; --to FOLDER keeps what would be.")] = False,
    to: Annotated[Path | None, typer.Option(help="The folder for a dry run.")] = None,
    trust_code: Trust = False,
    as_json: Json = False,
) -> None:
    """Put a run on the Hugging Face hub (or the folder STANCEKIT_HUB) with a model card, without the texts."""
    from stancekit import publishing

    found = publishing.push(
        run,
        repository,
        private=private,
        revision=revision,
        license=license,
        with_reports=with_reports,
        replace=replace,
        dry_run=dry_run,
        to=to,
        trust_code=trust_code,
    )
    if as_json:
        show.raw(json.dumps(asdict(found), ensure_ascii=False))
        return
    show.line(repr(found))
    for name, size in found.files.items():
        show.line(f"  {name} ({size:,} bytes)")
    for name, what in found.left_out.items():
        show.line(f"  not as it is: {name}: {what}")
    words = ", ".join(f"{name} (up to {most})" for name, most in found.words.items())
    show.line(f"  mind: single words and short sequences of them stand in {words}")
    if found.place:
        show.line(f'load it: stancekit.load("{found.address}")')
    elif to is not None:
        show.line(f"wrote {to}")


@app.command()
def pull(
    repository: Annotated[str, typer.Argument(metavar="USER/NAME", help="The repository, with or without hf://.")],
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="The run folder to write.")],
) -> None:
    """Copy a run from the hub into a run folder of your own, every file checked."""
    from stancekit import publishing

    show.line(f"wrote {publishing.pull(repository, to)}")


@app.command()
def prompt(
    source: Annotated[str, typer.Argument(metavar="DATA", help="A run (its held-out part is asked for), or data.")],
    to: Annotated[Path, typer.Option(help="The folder to write.")],
    task: Annotated[str | None, typer.Option(help="The task, for a data set.")] = None,
    part: Annotated[str, typer.Option(help="The part of a run.")] = "test",
    examples: Annotated[int, typer.Option(help="Worked examples in every prompt.", min=0)] = 0,
    examples_from: Annotated[Path | None, typer.Option(help="Labelled data that gives the examples.")] = None,
    codebook: Codebook = None,
    format: Format = None,
    option: Options = None,
    seed: int = 13,
) -> None:
    """Write the codebook as a prompt, a JSON Schema for answers, and one request an example."""
    from stancekit import prompting

    found = prompting.prompt(
        source,
        to,
        task=task,
        part=part,
        examples=examples,
        examples_from=examples_from,
        codebook=codebook,
        format=format,
        options=options_of(option),
        seed=seed,
    )
    show.line(f"{found.count} requests, prompt {found.prompt}")
    for file in found.files:
        show.line(f"wrote {file}")


@app.command()
def answers(
    responses: Annotated[Path, typer.Argument(metavar="FILE", help="The model's answers: {id, answer|response}.")],
    requests: Annotated[Path, typer.Option(help="The folder that `prompt` wrote.")],
    to: Annotated[Path, typer.Option(help="The predictions file to write.")],
    model: Annotated[str, typer.Option(help="The language model's name and version.")],
    date: Annotated[str, typer.Option(help="When it was asked, as 2031-04-12.")],
    fallback: Annotated[
        str | None, typer.Option(help="What an unusable answer counts as: a label, or `empty`.")
    ] = None,
    records: Annotated[Path | None, typer.Option(help="Also write native sentences, as an annotator's.")] = None,
) -> None:
    """Check a language model's answers, and write them as a predictions file to evaluate, compare and adjudicate."""
    from stancekit import prompting

    found = prompting.answers(responses, requests, to, model=model, date=date, fallback=fallback, records=records)
    for problem in found.problems:
        show.line(f"replaced: {problem}")
    show.line(repr(found))
    show.line(f"wrote {to}")
