"""The command line application, and the options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stancekit import __version__
from stancekit.cli import show

app = typer.Typer(
    name="stancekit",
    help="Who says it, how it is framed, and how sure you can be.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
Format = Annotated[str | None, typer.Option("--format", help="Format of the data; guessed where absent.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="An option of the format, as key=value (column mappings).")
]
Trust = Annotated[bool, typer.Option("--trust-code", help="Let the run load models from outside stancekit's table.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Overrides of the experiment, as key=value.")]
RunFolder = Annotated[Path, typer.Argument(help="A run folder, such as runs/demo/framing.")]


def _version(value: bool) -> None:
    if value:
        show.line(f"stancekit {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Who says it, how it is framed, and how sure you can be."""


def options_of(items: list[str] | None) -> dict[str, Any]:
    """Read `key=value` options; values are YAML, so lists and numbers can be given."""
    from stancekit import yamlfile
    from stancekit.errors import fail

    found: dict[str, Any] = {}
    for item in items or ():
        key, equals, value = item.partition("=")
        if not equals:
            raise fail(f"option {item!r}", "it has no `key=value` form", "write for example -o text=sentence")
        found[key] = yamlfile.parse(value, Path(f"option {item!r}")).value
    return found
