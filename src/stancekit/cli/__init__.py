"""The command line: the only place that prints or exits."""

from __future__ import annotations

import importlib
import os
import sys

from rich.console import Console

from stancekit.errors import Interrupted, StancekitError, shortened

INTERRUPTED = 130
GROUPS = ("runs", "data", "collect", "share", "agree", "audit")
"""The files that hold commands; importing one adds them to the app."""


STOPPED = "stopped; a run that was being trained is marked unfinished: go on with `train … --resume`"


def main() -> None:
    """Run a command; a user's mistake ends with every problem listed and exit code 1, never a traceback."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        _run()
    except Interrupted as error:
        for problem in error.problems:
            errors.print(str(problem), markup=False)
        sys.exit(INTERRUPTED)
    except StancekitError as error:
        count = len(error.problems)
        errors.print(f"[bold red]{count:,} problem{'s' if count > 1 else ''}[/]", markup=True)
        for problem in shortened(error.problems):
            errors.print(f"  {problem.where}: {problem.what}" if problem.where else f"  {problem.what}", markup=False)
            if problem.hint:
                errors.print(f"    → {problem.hint}", markup=False, style="dim")
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print(STOPPED, markup=False)
        sys.exit(INTERRUPTED)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            errors.print(STOPPED, markup=False)
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _run() -> None:
    from stancekit.cli.app import app

    for group in GROUPS:
        importlib.import_module(f"stancekit.cli.{group}")
    app()
