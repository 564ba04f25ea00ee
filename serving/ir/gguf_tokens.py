"""The tokenizer inside a GGUF file (``tokenizer.ggml.*``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from serving.ir import byte_level, glm_tokens
from serving.ir.glm_tokens import GLM4_PATTERN
from serving.ir.sentencepiece_model import Kind, Piece, SentencePieceModel, serialise
from serving.ir.token_set import (
    BytePairs,
    SentencePieces,
    SpecialToken,
    Split,
    TokenizerError,
    TokenSet,
)

QWEN2_PATTERN = GLM4_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")
# tokenizer.ggml.pre → pattern, NFC, words looked up whole before any merge.
_PRE = {
    "qwen2": (QWEN2_PATTERN, True, False),
    "deepseek-r1-qwen": (QWEN2_PATTERN, True, False),
    "llama-bpe": (GLM4_PATTERN, False, True),
    "llama3": (GLM4_PATTERN, False, True),
    "llama-v3": (GLM4_PATTERN, False, True),
    "chatglm-bpe": (GLM4_PATTERN, False, True),
    "glm4": (GLM4_PATTERN, False, True),
}


def tokenizer_fields(path: Path, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the file, or its metadata as ``fields``, says under ``tokenizer.``, without that prefix.

    Raises:
        TokenizerError: the file is no GGUF, or has no tokenizer.
    """
    if fields is None:
        fields = _fields(path)
    found = {
        key.removeprefix("tokenizer."): value
        for key, value in fields.items()
        if key.startswith("tokenizer.")
    }
    if "ggml.model" not in found or not found.get("ggml.tokens"):
        raise TokenizerError(
            f"{path} holds no tokenizer; convert from a file or folder that has one."
        )
    return found


def _fields(path: Path) -> dict[str, Any]:
    from gguf import GGUFReader

    try:
        fields = GGUFReader(str(path)).fields.items()
        return {key: field.contents() for key, field in fields if key.startswith("tokenizer.")}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise TokenizerError(
            f"{path} is not a complete GGUF file; download or export it again."
        ) from error


def read(fields: Mapping[str, Any], family: str) -> TokenSet:
    """The tokenizer of a file with these `tokenizer_fields`.

    Raises:
        TokenizerError: it is of a kind that is not known here.
        KeyError, TypeError, ValueError: an entry is missing or of another form.
    """
    kind = fields["ggml.model"]
    if kind == "gpt2":
        found = _byte_pairs(fields)
    elif kind == "llama":
        found = _sentence_pieces(fields, family)
    else:
        raise TokenizerError(f"Its tokenizer is of the kind {kind}; gpt2 and llama are known.")
    bos = fields.get("ggml.bos_token_id", found.bos)
    eos = fields.get("ggml.eos_token_id", found.eos)
    prefix, suffix = found.prefix, found.suffix
    if not prefix and fields.get("ggml.add_bos_token", kind == "llama") and bos is not None:
        prefix = (bos,)
    if fields.get("ggml.add_eos_token") and eos is not None:
        suffix = (*suffix, eos)
    pad = fields.get("ggml.padding_token_id", found.pad)
    return replace(found, prefix=prefix, suffix=suffix, bos=bos, eos=eos, pad=pad)


def _byte_pairs(fields: Mapping[str, Any]) -> TokenSet:
    pre = fields.get("ggml.pre", "")
    if pre not in _PRE:
        raise TokenizerError(
            f"Its pre-tokenizer {pre!r} is not known; these are: {', '.join(_PRE)}."
        )
    pattern, nfc, whole_first = _PRE[pre]
    texts: list[str] = fields["ggml.tokens"]
    kinds = [Kind(kind) for kind in fields["ggml.token_type"]]
    specials = _specials(texts, kinds)
    ids = {token.id for token in specials}
    vocabulary = {
        byte_level.decoded(text): at
        for at, text in enumerate(texts)
        if kinds[at] != Kind.UNUSED and at not in ids
    }
    merges = [
        (byte_level.decoded(left), byte_level.decoded(right))
        for left, right in (merge.split(" ") for merge in fields["ggml.merges"])
    ]
    tokens = [b""] * len(texts)
    for token, at in vocabulary.items():
        tokens[at] = token
    for special in specials:
        tokens[special.id] = special.text.encode()
    whole = byte_level.unmade(vocabulary, merges) if whole_first else {}
    return TokenSet(BytePairs(merges, (Split(pattern),), whole, nfc), tokens, specials)


def _sentence_pieces(fields: Mapping[str, Any], family: str) -> TokenSet:
    texts: list[str] = fields["ggml.tokens"]
    kinds = [Kind(kind) for kind in fields["ggml.token_type"]]
    unknown = int(fields.get("ggml.unknown_token_id", 0))
    scores = fields["ggml.scores"]
    pieces: list[Piece] = []
    seen: set[str] = set()
    for at, (text, score, kind) in enumerate(zip(texts, scores, kinds, strict=True)):
        if at == unknown:
            kind = Kind.UNKNOWN
        elif kind == Kind.UNKNOWN:
            kind = Kind.UNUSED
        if not text or text in seen:
            text, kind = f"<empty_{at}>", Kind.UNUSED
        seen.add(text)
        pieces.append(Piece(text, float(score), kind))
    dummy = bool(fields.get("ggml.add_space_prefix", True))
    squeeze = bool(fields.get("ggml.remove_extra_whitespaces", False))
    data = serialise(pieces, add_dummy_prefix=dummy, remove_extra_whitespaces=squeeze)
    model = SentencePieceModel(pieces, dummy, squeeze)
    if family in ("chatglm2", "chatglm3"):
        found = glm_tokens.chatglm2(data, model, roles=family == "chatglm3")
    else:
        found = TokenSet(
            SentencePieces(data),
            [piece.decoded() for piece in pieces],
            _specials(texts, [piece.kind for piece in pieces]),
            leading_space=model.leading_space,
        )
    missing = len(pieces) - len(found.tokens)
    return replace(found, tokens=found.tokens + [b""] * missing)


def _specials(texts: list[str], kinds: list[Kind]) -> tuple[SpecialToken, ...]:
    hidden = (Kind.CONTROL, Kind.UNKNOWN)
    return tuple(
        SpecialToken(text, at, hidden=kind in hidden, matched=kind != Kind.UNKNOWN)
        for at, (text, kind) in enumerate(zip(texts, kinds, strict=True))
        if kind in (*hidden, Kind.USER_DEFINED) and text
    )
