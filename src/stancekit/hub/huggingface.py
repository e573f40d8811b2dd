"""The Hugging Face hub as transport: all that is known of its library stands here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub import errors as theirs
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from stancekit import __version__
from stancekit.errors import StancekitError, fail
from stancekit.files import os_problem, read_json
from stancekit.hub import Address, no_run
from stancekit.runs import runfolder

TAKEN = ("*.json", "*.safetensors", "*.yaml", "*.jsonl", "*.md", "*.txt", "*.html", "*.tex")
"""The files that are downloaded: none that could hold code or a pickle."""

_OWN = frozenset((".gitattributes", "README.md"))
_LOG_IN = "log in with `hf auth login`, with a token that may do this"
_NO_NETWORK = "connect and try again; what was fetched once is also found without a network (in HF_HOME)"
_UNREACHED = ("the hub cannot be reached", _NO_NETWORK)
_KNOWN: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], str, str]] = (
    (theirs.HFValidationError, "this is no name of a repository", "write user/name"),
    (theirs.GatedRepoError, "access to this repository is granted on request", "ask for it on its page, and log in"),
    (
        theirs.RepositoryNotFoundError,
        "there is no such repository, or you may not see it",
        "check the name; for a private one log in with `hf auth login`",
    ),
    (theirs.RevisionNotFoundError, "there is no such revision", "see the repository's page for those it has"),
    (theirs.LocalTokenNotFoundError, "you are not logged in to the hub", _LOG_IN),
    ((theirs.LocalEntryNotFoundError, ConnectionError, TimeoutError), *_UNREACHED),
)
"""Errors of the library, the first that fits: what they mean, and what to do."""


class HuggingFace:
    """Repositories of models on the hub, or on the server that HF_ENDPOINT names."""

    def __init__(self) -> None:
        self.api = HfApi(library_name="stancekit", library_version=__version__)

    def held(self, address: Address) -> Mapping[str, Any] | None:
        """Return the manifest of the run that stands there, None where nothing does; other content is an error."""
        with _explained(address):
            try:
                files = set(self.api.list_repo_files(address.name, revision=address.revision or None))
            except theirs.GatedRepoError:
                raise
            except (theirs.RepositoryNotFoundError, theirs.RevisionNotFoundError):
                return None
            if not files - _OWN:
                return None
            if runfolder.MANIFEST not in files:
                raise no_run(address)
            path = self.api.hf_hub_download(address.name, runfolder.MANIFEST, revision=address.revision or None)
            manifest = read_json(Path(path))
        if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
            raise no_run(address)
        return manifest

    def fetch(self, address: Address) -> Path:
        """Return the snapshot in the library's cache; without a network the one that was fetched last."""
        with _explained(address), _silence():
            found = self.api.snapshot_download(
                address.name, revision=address.revision or None, allow_patterns=list(TAKEN)
            )
        return Path(str(found))

    def send(self, folder: Path, address: Address, *, private: bool, message: str) -> str:
        """Commit the files, without those of an earlier run; a new repository is public unless `private`."""
        before = self.held(address)
        with _explained(address), _silence():
            self.api.create_repo(address.name, private=private or None, exist_ok=True)
            if private and not self.api.repo_info(address.name).private:  # an existing one keeps its visibility
                what = "this repository is there already, and public"
                raise fail(address, what, "make it private in its settings on the hub, or give another name")
            if address.revision:
                self.api.create_branch(address.name, branch=address.revision, exist_ok=True)
            self.api.upload_folder(
                repo_id=address.name,
                folder_path=folder,
                revision=address.revision or None,
                commit_message=message,
                delete_patterns=sorted({*(before["files"] if before else ()), "model/*"}),
            )
        tree = f"/tree/{address.revision}" if address.revision else ""
        return f"{self.api.endpoint}/{address.name}{tree}"


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's bars off the screen: only the command line prints."""
    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def _explained(address: Address) -> Iterator[None]:
    """Turn the library's errors into ours, with a remedy; it and what it downloads with raise many kinds."""
    try:
        yield
    except StancekitError:
        raise
    except Exception as error:
        raise _problem(address, error) from error


def _problem(address: Address, error: Exception) -> StancekitError:
    for kind, what, hint in _KNOWN:
        if isinstance(error, kind):
            return fail(address, what, hint)
    if isinstance(error, theirs.HfHubHTTPError):
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            return fail(address, "the hub does not let you do this", _LOG_IN)
        return fail(address, f"the hub answered with status {status}", "try again later")
    if isinstance(error, theirs.HTTPError):  # type: ignore[attr-defined]  # of the library below: no answer came
        return fail(address, *_UNREACHED)
    if isinstance(error, OSError) and error.errno:
        return os_problem(Path(error.filename or str(address)), error)
    return fail(address, f"the hub's library failed: {type(error).__name__}: {error}", "try again")
