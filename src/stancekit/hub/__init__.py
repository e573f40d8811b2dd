"""Runs on a hub: their addresses, and the one place that chooses how they travel.

`hf://user/name[@revision]` is a repository of the Hugging Face hub, or, where STANCEKIT_HUB names a folder, a folder
of repositories in its stead: a team without the hub shares runs on a disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stancekit.errors import fail
from stancekit.runs import runfolder

FOLDER = "STANCEKIT_HUB"
"""The environment variable that names a shared folder as hub."""

_SCHEME = re.compile(r"hf:/{1,2}(?!/)")  # a Path has made one slash of two
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_PART}/{_PART}")
_REVISION = re.compile(_PART)
_LONGEST = 96


@dataclass(frozen=True)
class Address:
    """A repository as `user/name`, and its revision (a branch, tag or commit; the main one where empty)."""

    name: str
    revision: str = ""

    def __str__(self) -> str:
        return f"hf://{self.name}" + (f"@{self.revision}" if self.revision else "")


class Transport(Protocol):
    """How runs come and go."""

    def held(self, address: Address) -> Mapping[str, Any] | None:
        """Return the manifest of the run that stands there, None where nothing does; other content is an error."""

    def fetch(self, address: Address) -> Path:
        """Return a folder that holds the repository's files, whole; it is not to be written to."""

    def send(self, folder: Path, address: Address, *, private: bool, message: str) -> str:
        """Put the folder's files there, in the place of an earlier run's, and return where they can be seen."""


def is_address(path: object) -> bool:
    """Say whether a path is one of a hub."""
    return bool(_SCHEME.match(str(path)))


def parse(given: object) -> Address:
    """Read `user/name`, with or without `hf://` and `@revision`."""
    name, at, revision = _SCHEME.sub("", str(given), count=1).partition("@")
    whole = _NAME.fullmatch(name) and (_REVISION.fullmatch(revision) if at else True)
    if not whole or len(name) > _LONGEST or ".." in str(given) or "--" in name:
        raise fail(given, "this is no repository", "write user/name, or user/name@revision")
    return Address(name, revision)


def transport() -> Transport:
    """Return how runs travel here: by the folder that STANCEKIT_HUB names, or by the Hugging Face hub."""
    shared = os.environ.get(FOLDER)
    if shared:
        from stancekit.hub.folder import SharedFolder

        return SharedFolder(Path(shared))
    from stancekit.hub.huggingface import HuggingFace

    return HuggingFace()


def fetch(address: Address) -> Path:
    """Return a folder with the run of an address, not to be written to; its files are checked when they are opened."""
    folder = transport().fetch(address)
    if not (folder / runfolder.MANIFEST).is_file():
        raise no_run(address)
    return folder


def no_run(address: Address) -> Exception:
    """Return the error of a repository that holds something else."""
    hint = "give a repository that `stancekit push` wrote; an encoder of the hub is named in a config as user/name"
    return fail(address, "this repository holds no run of stancekit", hint)
