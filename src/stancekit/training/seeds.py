"""Several seeds of one experiment: a run each, side by side where there are cores, and the same bytes either way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from stancekit.config import Experiment
from stancekit.errors import Problem, Problems
from stancekit.files import write_json
from stancekit.models.base import takes_workspace
from stancekit.runs import runfolder
from stancekit.runs.material import Material
from stancekit.runs.run import Run
from stancekit.training import single
from stancekit.training.fitting import Progress, Say, is_helper_process, model_of

FILE = "seeds.json"


@dataclass(frozen=True)
class Schedule:
    """How many seeds are trained side by side, each in a process of its own with so many threads."""

    workers: int
    threads: int


def train(plan: Experiment, material: Material, say: Say, progress: Progress, mode: str) -> tuple[Run, ...]:
    """Train every seed into a folder `seed-N` of its own; where some are finished, `resume` trains the others."""
    folders = {seed: plan.folder / f"seed-{seed}" for seed in plan.seeds}
    left = {s: f for s, f in folders.items() if not (mode == "resume" and (f / runfolder.MANIFEST).exists())}
    if is_helper_process():
        for seed, folder in folders.items():
            single.help_train(plan, material, seed, folder, mode=mode)
        return ()
    problems = Problems()
    for folder in left.values():
        with problems.catching():
            single.check_folder(folder, mode)
    problems.raise_any()
    schedule = schedule_of(plan)
    if schedule is None:
        for seed, folder in left.items():
            single.train_run(plan, material, seed, folder, say, progress, mode=mode)
    else:
        _Side(plan, schedule, say, progress, mode).run(left)
    write_json(plan.folder / FILE, {"runs": [folder.name for folder in folders.values()]})
    return tuple(Run(folder, trust_code=True) for folder in folders.values())


def schedule_of(plan: Experiment) -> Schedule | None:
    """Return how the seeds are run; None for one after another in this process.

    They get processes of their own where `workers` says so, or where the model learns step by step on the CPU. The
    number of threads hangs on the cores and the seeds alone, not on `workers`: a sum over other threads may round
    otherwise, and one seed must give the same bytes however the seeds are run. `OMP_NUM_THREADS` overrides it.
    """
    if int(os.environ.get("WORLD_SIZE") or 1) > 1:
        return None
    cores = _cores()
    if plan.workers is None and not _worth_it(plan, cores):
        return None
    threads = int(os.environ.get("OMP_NUM_THREADS") or 0) or max(1, cores // len(plan.seeds))
    fitting = max(1, cores // threads)
    return Schedule(min(len(plan.seeds), plan.workers or fitting), threads)


def _worth_it(plan: Experiment, cores: int) -> bool:
    """Say whether seeds gain from standing side by side: other models are done soon, and a GPU is there once."""
    return cores > 1 and not _has_gpu() and takes_workspace(model_of(plan, plan.seeds[0]))


def _cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _has_gpu() -> bool:
    """Say whether a GPU would be used: several seeds would then wait for one another, and for memory."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return visible not in ("", "-1")
    return any(Path("/dev").glob("nvidia[0-9]*"))


@dataclass
class _Side:
    """Seeds side by side: a process each, told what to do on its stdin, telling how far it is on its stdout.

    A process stops, keeping what it has, when its stdin is closed: at a mistake in another seed, at Ctrl-C, and
    when this process is no more. Its session is its own, so that Ctrl-C reaches it once, through this process.
    """

    plan: Experiment
    schedule: Schedule
    say: Say
    progress: Progress
    mode: str
    events: SimpleQueue[tuple[int, dict[str, Any]]] = field(default_factory=SimpleQueue)
    running: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)

    def run(self, folders: Mapping[int, Path]) -> None:
        """Train these seeds; the first mistake stops the others, and is raised with its seed named."""
        waiting = list(folders.items())
        with self._stopping():
            while (waiting or self.running) and not self.problems:
                while waiting and len(self.running) < self.schedule.workers:
                    self._start(*waiting.pop(0))
                self._hear(*self.events.get())
        self.problems.raise_any()

    def _start(self, seed: int, folder: Path) -> None:
        request = {"experiment": self.plan.model_dump(mode="json"), "seed": seed, "folder": str(folder)}
        request |= {"mode": self.mode, "command": sys.argv}
        environment = {"OMP_NUM_THREADS": str(self.schedule.threads), "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "stancekit.training.seedworker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self.running[seed] = process
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it ended at once: its exit code tells
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        threading.Thread(target=self._listen, args=(seed, process), daemon=True).start()

    def _listen(self, seed: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.events.put((seed, json.loads(line)))
        self.events.put((seed, {"ended": process.wait()}))

    def _hear(self, seed: int, event: dict[str, Any]) -> None:
        if "say" in event:
            self.say(f"seed {seed}: {event['say']}")
        elif "progress" in event:
            step, done, total, note = event["progress"]
            self.progress(f"seed {seed}: {step}", done, total, note)
        elif "problems" in event:
            self._note(seed, [Problem(*problem) for problem in event["problems"]])
        else:
            _close(self.running.pop(seed))
            if event["ended"] and not self.problems:
                what = f"its process ended with code {event['ended']}"
                self._note(seed, [Problem("", what, "where memory is short, set workers=1; then go on with --resume")])

    def _note(self, seed: int, problems: Sequence[Problem]) -> None:
        for problem in problems:
            where = f"seed {seed}: {problem.where}" if problem.where else f"seed {seed}"
            self.problems.found.append(replace(problem, where=where))

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Leave no process behind: stop those that still run and wait for them; at another Ctrl-C, kill them."""
        try:
            yield
        finally:
            for process in self.running.values():
                _close(process)
            try:
                for process in self.running.values():
                    process.wait()
            except KeyboardInterrupt:
                for process in self.running.values():
                    process.kill()
                raise


def _close(process: subprocess.Popen[str]) -> None:
    """Close the line to a process, which it takes as the word to stop."""
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
