"""Which run answers what: of those that compare, the one with the highest score on dev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit.errors import Problems, StancekitError, fail
from stancekit.files import dump_json, sha256
from stancekit.runs import runfolder
from stancekit.runs.run import Run
from stancekit.runs.run import load as load_run

SEEDS = "seeds.json"


@dataclass(frozen=True)
class Role:
    """What a tagger asks of a run: by name, the task that answers it, the task's kind, and how to call such a run."""

    name: str
    task: str
    kind: str
    expected: str


ROLES = {
    role.name: role
    for role in (
        Role("attribution", "attribution", "relations", "an attribution run"),
        Role("framing", "devices", "devices", "a framing run (task: devices)"),
        Role("stance", "stance", "targeted", "a stance run"),
        Role("sentiment", "sentiment", "targeted", "a sentiment run"),
    )
}
OPTIONAL = ("stance", "sentiment")
"""The roles that no run need play."""


@dataclass(frozen=True)
class Choice:
    """The run that was taken for a role, out of how many that compare, and why others were passed over."""

    run: Run
    among: int = 1
    passed: tuple[str, ...] = ()

    def lines(self, role: Role) -> list[str]:
        """Return readable lines: the run by its path, and what it was not compared with."""
        told = tell(describe(self.run, role) | {"run": self.run.origin or str(self.run.path)})
        best = f", the best of {self.among}" if self.among > 1 else ""
        return [f"{role.name}: {told}{best}", *(f"  not compared: {reason}" for reason in self.passed)]


def task_for(run: Run, role: Role) -> Mapping[str, Any] | None:
    """Return the task of a run that answers a role, as the manifest describes it: its own, or that of one layer.

    A task of another name will do where it is of the role's kind, and not what another role asks for.
    """
    own: Mapping[str, Any] = run.manifest["task"]
    if own["kind"] == role.kind and own["name"] not in {other.task for other in ROLES.values() if other != role}:
        return own
    return next((one for one in own.get("inner") or () if (one["name"], one["kind"]) == (role.task, role.kind)), None)


def expect(run: Run, role: Role) -> None:
    """Refuse a run that cannot answer a role."""
    if task_for(run, role) is None:
        what = f"this run's task is {run.task.name}, {role.expected} was expected"
        raise fail(run.path, what, "give another run")


def dev_of(run: Run, role: Role) -> Mapping[str, Any] | None:
    """Return metric, value and number of examples of a run on dev in a role; None where no value was noted."""
    task = task_for(run, role)
    found: Mapping[str, Any] | None = run.manifest.get("dev", {}).get(task["name"]) if task else None
    return found if found and found["value"] is not None else None


def describe(run: Run, role: Role) -> dict[str, Any]:
    """Return what records and pages note of a run: its name, model, score on dev, and the hash of the model's files.

    Nothing of the machine is in it: of the path the last name stands.
    """
    several = (run.path.parent / SEEDS).is_file()
    name = f"{run.path.parent.name}/{run.path.name}" if several else run.path.resolve().name
    files = sorted((n, h) for n, h in run.manifest["files"].items() if n.startswith("model/"))
    dev = dev_of(run, role)
    return {
        "run": run.origin or name,
        "model": run.experiment.model["name"],
        "dev": {name: dev[name] for name in ("metric", "value", "n")} if dev else None,
        "hash": sha256(dump_json(files).encode())[:16],
    }


def tell(described: Mapping[str, Any]) -> str:
    """Return a described run as a readable line."""
    dev = described["dev"]
    judged = f"dev {dev['metric']} {dev['value']:.3f}, n={dev['n']}" if dev else "no score on dev"
    return f"{described['run']} ({described['model']}; {judged})"


def pick(
    root: Path, given: Mapping[str, str | Path | None], *, trust_code: bool = False
) -> tuple[dict[str, Run], list[str]]:
    """Return a run for every role, and lines that tell why: the given one, or the best below `root`.

    A run for stances or sentiments may be missing.
    """
    shelf = Shelf(root, trust_code=trust_code) if None in given.values() else None
    problems, found = Problems(), dict[str, Choice]()
    for name, path in given.items():
        with problems.catching(f"the {name} run"):
            choice = shelf.choose(ROLES[name]) if shelf and path is None else None
            if choice is None and path is None and name in OPTIONAL:
                continue
            found[name] = choice or Choice(load_run(path or root / name, trust_code=trust_code))
    if given["attribution"] is None and given["framing"] is None and {*ROLES} - {*OPTIONAL} - {*found}:
        hint = "run `make demo` first, or name runs with --attribution and --framing"
        problems.add(root, "the runs to tag with are not all here", hint)
    problems.raise_any()
    told = [line for name, choice in found.items() for line in choice.lines(ROLES[name])]
    told += [f"not looked at: {error.problems[0]}" for error in (shelf.broken.values() if shelf else ())]
    return {name: choice.run for name, choice in found.items()}, told


class Shelf:
    """The finished runs of a folder, read once: each folder with a manifest, and of several seeds each one.

    A folder that cannot be read is passed over, and `broken` says why.
    """

    def __init__(self, root: Path, *, trust_code: bool = False) -> None:
        self.root = root
        self.runs: list[Run] = []
        self.broken: dict[Path, StancekitError] = {}
        for role in ROLES:
            runfolder.recover(root / role)
        for folder in self._folders():
            try:
                self.runs.append(Run(folder, trust_code=trust_code))
            except StancekitError as error:
                self.broken[folder] = error

    def _folders(self) -> list[Path]:
        found: list[Path] = []
        for folder in sorted(self.root.iterdir()) if self.root.is_dir() else ():
            if folder.name.startswith(".") or folder.name.endswith(".unfinished"):
                continue
            if (folder / SEEDS).is_file():
                seeds = [path.parent for path in sorted(folder.glob(f"seed-*/{runfolder.MANIFEST}"))]
                found += [seed for seed in seeds if seed.suffix != ".unfinished"]
            elif (folder / runfolder.MANIFEST).is_file():
                found.append(folder)
        return found

    def choose(self, role: Role) -> Choice | None:
        """Return the run with the highest score on dev in a role, or None where no run answers it.

        Scores compare on the same task, labels, codebook, data, dev part and metric. The run in the folder of the
        role's name says which these are, and wins a tie; without it, runs that do not compare are an error.
        """
        own = self._own(role)
        found = own + [run for run in self.runs if run not in own and self._answers(run, role, own)]
        if not found:
            return None
        terms = [_terms(run, role) for run in found]
        alike = [run for run, other in zip(found, terms, strict=True) if terms[0] and other == terms[0]]
        apart = [(r, o) for r, o in zip(found[1:], terms[1:], strict=True) if r not in alike]
        if apart and not own:
            names = ", ".join(str(run.path) for run in found)
            what = f"several runs answer {role.name}, and their scores on dev do not compare: {names}"
            raise fail(self.root, what, f"name one with --{role.name}")
        passed = tuple(f"{run.path}: {_difference(terms[0], other)}" for run, other in apart)
        best = max(alike, key=lambda run: _value(run, role), default=found[0])
        return Choice(best, max(1, len(alike)), passed)

    def _own(self, role: Role) -> list[Run]:
        """Return the run in the folder of the role's name, or those of its seeds; what is wrong with it is an error."""
        folder = self.root / role.name
        for path, error in self.broken.items():
            if folder in (path, path.parent):
                raise error
        own = [run for run in self.runs if folder in (run.path, run.path.parent)]
        for run in own:
            expect(run, role)
        return own

    def _answers(self, run: Run, role: Role, own: Sequence[Run]) -> bool:
        task = task_for(run, role)
        wanted = task_for(own[0], role) if own else None
        return task is not None and task["name"] == (wanted["name"] if wanted else role.task)


def _terms(run: Run, role: Role) -> dict[str, Any]:
    """Return what must be the same for two scores on dev to compare; nothing where there is no score."""
    task, dev, data = task_for(run, role), dev_of(run, role), run.manifest["data"]
    main = data.get("main_hash") or (None if data.get("also") else data["hash"])
    if task is None or dev is None or main is None or "examples" not in dev:
        return {}
    return {
        "labels": list(task["labels"]),
        "codebook": run.manifest["codebook"],
        "data": main,
        "dev part": dev["examples"],
        "metric": dev["metric"],
    }


def _difference(own: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if not own or not other:
        return "a score on dev is not there"
    return "another " + ", ".join(name for name in own if own[name] != other[name])


def _value(run: Run, role: Role) -> float:
    dev = dev_of(run, role)
    return float(dev["value"]) if dev else -1.0
