"""A tiny checkpoint with its tokenizer: everything that a conversion needs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from tiny_checkpoint import write_checkpoint
from tokenizer_samples import byte_level
from tokenizers import AddedToken

from serving.ir.gguf_tokens import QWEN2_PATTERN

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
GEOMETRY: dict[str, Any] = {"vocab": 1216, "hidden": 64, "heads": 4, "kv_heads": 2, "head_dim": 16}


@functools.cache
def tokenizer_json() -> str:
    """A small byte-level BPE in Hugging Face's form."""
    specials = [AddedToken(text, special=True) for text in SPECIALS]
    return str(byte_level(QWEN2_PATTERN, specials, nfc=True).to_str())


def write_complete(folder: Path, family: str = "qwen2", **geometry: Any) -> Path:
    """A checkpoint of ``family`` (one whose tokenizer is a tokenizer.json) in ``folder``."""
    write_checkpoint(folder, family, **GEOMETRY | geometry)
    (folder / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return folder
