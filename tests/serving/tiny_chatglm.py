"""A ChatGLM-6B of random weights, with a tokenizer of its kind."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "ir"))

import sentencepiece
from tiny_checkpoint import write_checkpoint
from tokenizer_samples import sentencepiece_model

SPECIALS = {
    "mask_token_id": "[MASK]",
    "gmask_token_id": "[gMASK]",
    "bos_token_id": "<sop>",
    "eos_token_id": "<eop>",
}


def write(folder: Path, context: int = 256) -> Path:
    """``config.json``, weights and ``ice_text.model`` in ``folder``; every id names a token."""
    pieces = sentencepiece_model(
        model_type="unigram",
        vocab_size=384,
        byte_fallback=False,
        control_symbols=["[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"],
        user_defined_symbols=["<n>", "<|tab|>", "<|blank_2|>"],
        pad_id=3,
        pad_piece="<pad>",
        eos_piece="<eos>",
    )
    known = sentencepiece.SentencePieceProcessor(model_proto=pieces)
    write_checkpoint(folder, "chatglm", vocab=known.vocab_size(), context=context, intermediate=512)
    (folder / "ice_text.model").write_bytes(pieces)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config |= {key: known.piece_to_id(text) for key, text in SPECIALS.items()}
    path.write_text(json.dumps(config))
    return folder
