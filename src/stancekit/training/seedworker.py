"""One seed in a process of its own: `python -m stancekit.training.seedworker`, started by `seeds` and by nobody else.

The first line of stdin is the request; the end of stdin means stop. What is told goes to stdout, a JSON value a line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from stancekit.config import Experiment
from stancekit.errors import StancekitError
from stancekit.runs.material import gather
from stancekit.training import single

INTERRUPTED = 130


def main() -> int:
    """Train the seed that is asked for; return the exit code."""
    tell = _Teller()
    request = json.loads(sys.stdin.readline())
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job comes with it ignored
    threading.Thread(target=_stop_at_end, daemon=True).start()
    sys.argv = request["command"]  # what the user ran, for the manifest
    try:
        experiment = Experiment.model_validate(request["experiment"])
        folder, mode = Path(request["folder"]), request["mode"]
        material = gather(experiment)
        single.train_run(experiment, material, request["seed"], folder, tell.say, tell.progress, mode=mode)
    except StancekitError as error:
        tell(problems=[[p.where, p.what, p.hint] for p in error.problems])
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _stop_at_end() -> None:
    """Interrupt this process as Ctrl-C would, when the one that started it closes the line or is gone."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGINT)


class _Teller:
    """Writes what happens to the stdout of the start; whatever else is printed goes to stderr."""

    def __init__(self) -> None:
        self.stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def __call__(self, **event: Any) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more: the end of stdin stops the work in good order
            self.stream.write(json.dumps(event) + "\n")
            self.stream.flush()

    def say(self, text: str) -> None:
        """Tell of a step that has begun."""
        self(say=text)

    def progress(self, step: str, done: int, total: int, note: str = "") -> None:
        """Tell how far a step is."""
        self(progress=[step, done, total, note])


if __name__ == "__main__":
    sys.exit(main())
