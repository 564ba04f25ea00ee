"""Tiny checkpoints with a tokenizer of bytes beside the weights."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tiny_checkpoint import write_checkpoint

from serving.ir.sentencepiece_model import Kind, Piece, serialise

# BigDL-LLM packs columns in blocks of 64, so both widths are multiples of that.
_SIZES: dict[str, Any] = {"hidden": 128, "intermediate": 192, "context": 512}
_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write(folder: Path, family: str, **geometry: Any) -> Path:
    """A checkpoint of ``family`` (a key of ``tiny_families.FAMILIES``) that can be served."""
    write_checkpoint(folder, family, **{**_SIZES, **geometry})
    if family in ("chatglm2", "chatglm3"):
        (folder / "tokenizer.model").write_bytes(_sentencepiece())
    elif family == "glm4":
        (folder / "tokenizer.model").write_bytes(_ranks())
    else:
        (folder / "tokenizer.json").write_text(json.dumps(_byte_level()))
        settings = {"chat_template": _TEMPLATE, "eos_token": "<|im_end|>"}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def _sentencepiece() -> bytes:
    pieces = [
        Piece("<unk>", kind=Kind.UNKNOWN),
        Piece("<s>", kind=Kind.CONTROL),
        Piece("</s>", kind=Kind.CONTROL),
        *(Piece(f"<0x{byte:02X}>", kind=Kind.BYTE) for byte in range(256)),
    ]
    return serialise(pieces, add_dummy_prefix=True)


def _ranks() -> bytes:
    lines = (base64.b64encode(bytes([byte])) + f" {byte}".encode() for byte in range(256))
    return b"\n".join(lines) + b"\n"


def _byte_level() -> dict[str, Any]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    vocabulary = {chr(byte if byte in plain else next(spare)): byte for byte in range(256)}
    added = [
        {"id": 256 + at, "content": text, "special": True, "normalized": False}
        | dict.fromkeys(("lstrip", "rstrip", "single_word"), False)
        for at, text in enumerate(_SPECIALS)
    ]
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }
