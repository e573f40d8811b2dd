"""The one error that users see: a list of problems, each with place, cause and remedy."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

_TOLD = 20
PARTICULAR = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\{.*\}|(?<!-)-?\d[\w.–-]*)""")
"""What problems of one kind differ in: quoted values, objects, and numbers that are no part of a name (UTF-8)."""


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a user's input: where it is, what is wrong, and what to do."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" → {self.hint}" if self.hint else ""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}{hint}"


def shortened(problems: Iterable[Problem]) -> list[Problem]:
    """Return the first problems of each kind, and a line that counts the others: a list to print.

    A kind is what is wrong without names in quotation marks and numbers, so that many of one hide no other.
    """
    counts: Counter[str] = Counter()
    found: list[Problem] = []
    for problem in problems:
        kind = PARTICULAR.sub("…", problem.what)
        counts[kind] += 1
        if counts[kind] <= _TOLD:
            found.append(problem)
    more = {kind: count - _TOLD for kind, count in counts.items() if count > _TOLD}
    return [*found, *(Problem("", f"… and {count:,} more: {kind}") for kind, count in more.items())]


class StancekitError(Exception):
    """A mistake that the user can mend; it carries every problem found, not only the first."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, shortened(problems))))


class Interrupted(StancekitError):
    """The user stopped a training, whose state is kept: it says how to go on."""


def fail(where: object, what: str, hint: str = "") -> StancekitError:
    """Return an error with a single problem, to be raised by the caller."""
    return StancekitError(Problem(str(where), what, hint))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say which known names are near to `name`, and list them all when they are few."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    if len(names) > 20:
        return f"there are {len(names)} known names, the first: " + ", ".join(names[:10])
    return "expected one of: " + ", ".join(names) if names else ""


class Problems:
    """Collects problems so that all of them are reported in one pass."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    def add(self, where: object, what: str, hint: str = "") -> None:
        """Note one problem."""
        self.found.append(Problem(str(where), what, hint))

    @contextmanager
    def catching(self, where: object = "") -> Iterator[None]:
        """Note the problems of a StancekitError raised inside, at `where` if they have no place."""
        try:
            yield
        except StancekitError as error:
            for problem in error.problems:
                self.found.append(problem if problem.where else replace(problem, where=str(where)))

    def raise_any(self) -> None:
        """Raise all problems found so far, if there are any."""
        if self.found:
            raise StancekitError(*self.found)
