"""The tokenizers of ChatGLM-6B, ChatGLM2-6B, ChatGLM3-6B and GLM-4, as published."""

from __future__ import annotations

from serving.ir import byte_level, tiktoken_file
from serving.ir.sentencepiece_model import Kind, SentencePieceModel
from serving.ir.token_set import (
    BytePairs,
    SentencePieces,
    SpecialToken,
    Split,
    TokenizerError,
    TokenSet,
)

# Ids follow the vocabulary, in this order.
_CHATGLM2 = ("[MASK]", "[gMASK]", "[sMASK]", "sop", "eop")
_ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
_GLM4 = (
    *("<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"),
    *_ROLES,
    *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"),
)
_CHATGLM = ("[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<pad>", "<eos>", "</s>")
_LONGEST_BLANK = 80
GLM4_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def glm4(data: bytes) -> TokenSet:
    """GLM-4 from its rank file.

    Raises:
        ValueError: the data are no rank file.
    """
    ranks = tiktoken_file.parse(data)
    pairs, whole = tiktoken_file.merges(ranks)
    tokens = byte_level.by_id(ranks)
    specials = tuple(SpecialToken(text, len(tokens) + at) for at, text in enumerate(_GLM4))
    ids = {token.text: token.id for token in specials}
    return TokenSet(
        BytePairs(pairs, (Split(GLM4_PATTERN),), whole),
        [*tokens, *(token.text.encode() for token in specials)],
        specials,
        prefix=(ids["[gMASK]"], ids["<sop>"]),
        eos=ids["<|endoftext|>"],
        pad=ids["<|endoftext|>"],
    )


def chatglm2(data: bytes, model: SentencePieceModel, *, roles: bool) -> TokenSet:
    """ChatGLM2-6B, or with ``roles`` ChatGLM3-6B, from the sentencepiece file.

    The files carry their special tokens beside the vocabulary.  Two of them, ``sop`` and ``eop``,
    are letters that words have too (isoprenaline), so these are never looked for in a text: the
    prefix ``[gMASK]sop`` is rewritten to a form that cannot be mistaken first.
    """
    names = (*_CHATGLM2, *_ROLES) if roles else _CHATGLM2
    # A GGUF file has them within the vocabulary.
    size = model.find("[MASK]") or len(model.pieces)
    ids = {name: size + at for at, name in enumerate(names)}
    tokens = [piece.decoded() for piece in model.pieces[:size]]
    special = [SpecialToken(name, ids[name]) for name in names if not name.isalpha()]
    special.append(SpecialToken("<sop>", ids["sop"]))
    special.append(SpecialToken("eop", ids["eop"], matched=False))
    return TokenSet(
        SentencePieces(data),
        [*tokens, *(name.encode() for name in names)],
        (*special, *_controls(model, size)),
        rewrites=((r"\[gMASK\]sop", "[gMASK]<sop>"),),
        prefix=(ids["[gMASK]"], ids["sop"]),
        bos=model.find("<s>"),
        eos=model.find("</s>"),
        pad=model.find("<unk>"),
        leading_space=model.leading_space,
    )


def chatglm(data: bytes, model: SentencePieceModel, image_tokens: int) -> TokenSet:
    """ChatGLM-6B from ``ice_text.model``; ``image_tokens`` ids come before its pieces.

    Raises:
        TokenizerError: the pieces are not those of ChatGLM-6B.
    """
    places = {piece.text: at for at, piece in enumerate(model.pieces)}
    found = {name: places[name] for name in _CHATGLM if name in places}
    if not {"[gMASK]", "<sop>", "<eop>"} <= found.keys():
        raise TokenizerError("It lacks [gMASK], <sop> or <eop>, so it is not ChatGLM-6B's.")
    ids = {name: at + image_tokens for name, at in found.items()}
    blanks = {f"<|blank_{size}|>": " " * size for size in range(_LONGEST_BLANK, 1, -1)}
    written = {"<n>": "\n", "<|tab|>": "\t", **blanks}
    written = {piece: text for piece, text in written.items() if piece in places}
    tokens = [written.get(piece.text, "").encode() or piece.decoded() for piece in model.pieces]
    unknown = (
        SpecialToken(piece.text, at + image_tokens, matched=False)
        for at, piece in enumerate(model.pieces)
        if piece.kind == Kind.UNKNOWN
    )
    return TokenSet(
        SentencePieces(data, image_tokens),
        [b""] * image_tokens + tokens,
        (*(SpecialToken(name, id_) for name, id_ in ids.items()), *unknown),
        rewrites=tuple((text, piece) for piece, text in written.items()),
        suffix=(ids["[gMASK]"], ids["<sop>"]),
        bos=ids["<sop>"],
        eos=ids["<eop>"],
        pad=ids.get("<pad>"),
        leading_space=model.leading_space,
    )


def _controls(model: SentencePieceModel, size: int) -> list[SpecialToken]:
    """The model's own: they are dropped from decoded text and not looked for in a prompt."""
    return [
        SpecialToken(piece.text, at, matched=False)
        for at, piece in enumerate(model.pieces[:size])
        if piece.kind in (Kind.CONTROL, Kind.UNKNOWN)
    ]
