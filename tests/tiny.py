"""Tiny random encoders of four architectures, each with a tokenizer of its family, as Hugging Face folders.

WordPiece, byte-level BPE with and without trimmed offsets, and Unigram with SentencePiece's ▁."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModel,
    BertConfig,
    DebertaV2Config,
    ModernBertConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

from stancekit.data.formats.base import ReadLog
from stancekit.data.formats.markup import Markup
from stancekit.models.neural.encoders.pretrained import quietly
from stancekit.resources import bundled
from stancekit.schema import Sentence

KINDS = ("bert", "roberta", "deberta", "modernbert")
_SPECIAL = {
    "bert": {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"},
    "roberta": {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"},
    "deberta": {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"},
    "modernbert": {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"},
}
_SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
_PIECES = 400


@lru_cache
def corpus(articles: int = 8) -> tuple[Sentence, ...]:
    """Return sentences of the bundled corpus."""
    found: list[Sentence] = []
    for path in sorted((bundled("data/dispatches") / "orlen").glob("*.markup"))[:articles]:
        found += Markup().read(path, ReadLog())
    return tuple(found)


class Encoders(Mapping[str, Path]):
    """Folders of tiny encoders by architecture, each built when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __getitem__(self, kind: str) -> Path:
        if kind not in KINDS:
            raise KeyError(kind)
        folder = self.root / kind
        if not folder.exists():
            build(kind, folder)
        return folder

    def __iter__(self):
        return iter(KINDS)

    def __len__(self) -> int:
        return len(KINDS)


def build(kind: str, folder: Path, **changes: Any) -> Path:
    """Write a tiny encoder of an architecture, always with the same weights; `changes` go into its configuration."""
    tok = tokenizer(kind)
    tok.save_pretrained(folder)
    torch.manual_seed(7)
    with quietly():
        AutoModel.from_config(_config(kind, tok, changes)).save_pretrained(folder)
    return folder


def tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """Return a fast tokenizer of an architecture's family, with pieces of the bundled corpus."""
    special = _SPECIAL[kind]
    bare, trainer = globals()[f"_{kind}"](list(special.values()))
    if trainer is not None:
        bare.train_from_iterator([s.text for s in corpus()], trainer)
    cls, sep = ((special[name], bare.token_to_id(special[name])) for name in ("cls", "sep"))
    if kind == "roberta":
        bare.post_processor = processors.RobertaProcessing(sep, cls, trim_offsets=True, add_prefix_space=False)
    else:
        pair = f"{cls[0]} $A {sep[0]} $B:1 {sep[0]}:1"
        bare.post_processor = processors.TemplateProcessing(
            single=f"{cls[0]} $A {sep[0]}", pair=pair, special_tokens=[cls, sep]
        )
    named = {f"{name}_token": text for name, text in special.items()}
    return PreTrainedTokenizerFast(tokenizer_object=bare, model_max_length=512, **named)


def _bert(special: list[str]) -> tuple[Tokenizer, Any]:
    letters, words = _counted(str.lower)
    pieces = dict.fromkeys([*special, *letters, *(f"##{letter}" for letter in letters), *words])
    vocabulary = {piece: number for number, piece in enumerate([*pieces][:_PIECES])}
    bare = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    bare.normalizer = normalizers.BertNormalizer(lowercase=True)
    bare.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    bare.decoder = decoders.WordPiece()
    return bare, None


def _counted(form: Callable[[str], str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the corpus's characters and its words, commonest first, with how often each stands there.

    The library's trainers of these two families break ties and round by chance, so their vocabularies are counted.
    """
    texts = [form(s.text) for s in corpus()]
    letters = Counter(letter for text in texts for letter in text if not letter.isspace())
    words = Counter(word for text in texts for word in re.findall(r"[^\W\d_]{2,}", text))
    first, second = (dict(sorted(c.items(), key=lambda item: (-item[1], item[0]))) for c in (letters, words))
    return first, second


def _roberta(special: list[str]) -> tuple[Tokenizer, Any]:
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    return bare, _bpe(special)


def _modernbert(special: list[str]) -> tuple[Tokenizer, Any]:
    """Unlike RoBERTa's, this one composes characters first, and its pieces' offsets hold the space before a word."""
    bare, trainer = _roberta(special)
    bare.normalizer = normalizers.NFC()
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    return bare, trainer


def _bpe(special: list[str]) -> Any:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trainers.BpeTrainer(
        vocab_size=_PIECES, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )


def _deberta(special: list[str]) -> tuple[Tokenizer, Any]:
    letters, words = _counted(str)
    counts = {"▁": sum(words.values()), **letters, **{f"▁{word}": count for word, count in words.items()}}
    total = sum(counts.values())
    scored = [(piece, round(math.log(count / total), 4)) for piece, count in counts.items()]
    vocabulary = [*((name, 0.0) for name in special), *scored][:_PIECES]
    bare = Tokenizer(models.Unigram(vocabulary, unk_id=special.index("[UNK]")))
    bare.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("  ", " ")])
    bare.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    bare.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    return bare, None


def _config(kind: str, tok: PreTrainedTokenizerFast, changes: Mapping[str, Any]) -> Any:
    shared = {**_SIZE, "vocab_size": len(tok), "pad_token_id": tok.pad_token_id}
    if kind == "bert":
        return BertConfig(**(shared | changes))
    if kind == "roberta":  # places begin after padding's
        shared |= {"max_position_embeddings": 514, "type_vocab_size": 1}
        shared |= {"bos_token_id": tok.cls_token_id, "eos_token_id": tok.sep_token_id}
        return RobertaConfig(**(shared | changes))
    if kind == "deberta":
        shared |= {"relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"]}
        shared |= {"position_biased_input": False, "share_att_key": True, "norm_rel_ebd": "layer_norm"}
        return DebertaV2Config(**(shared | {"type_vocab_size": 0} | changes))
    shared |= {"global_attn_every_n_layers": 2, "local_attention": 32, "max_position_embeddings": 512}
    shared |= {f"{name}_token_id": tok.cls_token_id for name in ("cls", "bos")}
    shared |= {f"{name}_token_id": tok.sep_token_id for name in ("sep", "eos")}
    return ModernBertConfig(**(shared | changes))
