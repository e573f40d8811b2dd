"""A shared folder as hub: `FOLDER/user/name` is a repository, `FOLDER/user/name@revision` another revision of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stancekit.errors import did_you_mean, fail
from stancekit.files import os_problem
from stancekit.hub import FOLDER, Address, no_run
from stancekit.runs import runfolder


class SharedFolder:
    """Repositories below one folder; whoever may read the folder may read them all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def held(self, address: Address) -> Mapping[str, Any] | None:
        """Return the manifest of the run that stands there, None where nothing does; other content is an error."""
        place = self._place(address)
        runfolder.recover(place)
        if not place.exists() or (place.is_dir() and not any(place.iterdir())):
            return None
        if not (place / runfolder.MANIFEST).is_file():
            raise no_run(address)
        return runfolder.read_manifest(place)

    def fetch(self, address: Address) -> Path:
        """Return the repository's own folder."""
        place = self._place(address)
        runfolder.recover(place)
        if not place.is_dir():
            found = {p.relative_to(self.root).as_posix() for p in self.root.glob("*/*") if not p.name.startswith(".")}
            hint = did_you_mean(place.relative_to(self.root).as_posix(), found)
            raise fail(address, f"there is no such repository in {self.root}", hint or "push a run there first")
        return place

    def send(self, folder: Path, address: Address, *, private: bool, message: str) -> str:
        """Copy the files there, whole or not at all, in the place of an earlier run's."""
        place = self._place(address)
        if private:
            hint = "leave --private out, and set who may read the folder"
            raise fail(address, "a shared folder has no private repositories", hint)
        with runfolder.locked(place):
            building = runfolder.unfinished(place)
            try:
                shutil.rmtree(building, ignore_errors=True)
                shutil.copytree(folder, building)
            except OSError as error:
                raise os_problem(place, error) from error
            runfolder.finish(place)
        return str(place)

    def _place(self, address: Address) -> Path:
        if not self.root.is_dir():
            hint = f"make it, or unset {FOLDER} to use the Hugging Face hub"
            raise fail(self.root, f"the folder that {FOLDER} names is not there", hint)
        return self.root / (address.name + (f"@{address.revision}" if address.revision else ""))
