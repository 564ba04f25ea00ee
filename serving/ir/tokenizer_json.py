"""A tokenizer as the Hugging Face library writes it: ``tokenizer.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from serving.ir import byte_level
from serving.ir.sentencepiece_model import Kind, Piece, SentencePieceModel, serialise
from serving.ir.token_set import (
    BytePairs,
    SentencePieces,
    SpecialToken,
    Split,
    TokenizerError,
    TokenSet,
)

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def read(tokenizer: Mapping[str, Any]) -> TokenSet:
    """The tokenizer that the parsed file describes.

    Raises:
        TokenizerError: it has a part that is not known here.
        KeyError, TypeError, ValueError: the file is not of its documented form.
    """
    model = tokenizer["model"]
    if model.get("type", "BPE") != "BPE":
        raise TokenizerError(f"Its model is of type {model['type']}; only BPE is known.")
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise TokenizerError("Its BPE marks the ends of words, which is not known.")
    pairs = [_pair(merge) for merge in model["merges"]]
    specials = tuple(_special(token) for token in tokenizer.get("added_tokens") or [])
    if model.get("byte_fallback"):
        found = _sentence_pieces(tokenizer, pairs, specials)
    else:
        found = _byte_pairs(tokenizer, pairs, specials)
    return _framed(found, tokenizer.get("post_processor") or {})


def _byte_pairs(
    tokenizer: Mapping[str, Any],
    pairs: Iterable[tuple[str, str]],
    specials: tuple[SpecialToken, ...],
) -> TokenSet:
    model = tokenizer["model"]
    normalizers = _steps(tokenizer.get("normalizer"), "normalizers")
    if any(step["type"] != "NFC" for step in normalizers):
        raise TokenizerError("Its normalizer is not known; NFC or none is.")
    vocabulary = {byte_level.decoded(token): id_ for token, id_ in model["vocab"].items()}
    merges = [(byte_level.decoded(left), byte_level.decoded(right)) for left, right in pairs]
    method = BytePairs(
        merges,
        _splits(_steps(tokenizer.get("pre_tokenizer"), "pretokenizers")),
        byte_level.unmade(vocabulary, merges) if model.get("ignore_merges") else {},
        bool(normalizers),
    )
    tokens = byte_level.by_id({**vocabulary, **{t.text.encode(): t.id for t in specials}})
    return TokenSet(method, tokens, specials)


def _splits(steps: Sequence[Mapping[str, Any]]) -> tuple[Split, ...]:
    splits = []
    byte_level_seen = False
    for step in steps:
        kind = step["type"]
        if kind == "Split":
            pattern = step["pattern"]
            text = pattern.get("Regex") or _quoted(pattern["String"])
            behaviour = str(step["behavior"]).lower().removesuffix("d")
            splits.append(Split(text, behaviour, bool(step.get("invert"))))
        elif kind == "Digits":
            single = step.get("individual_digits")
            splits.append(Split(r"\p{N}", "isolate" if single else "contiguous"))
        elif kind == "ByteLevel" and not step.get("add_prefix_space"):
            byte_level_seen = True
            if step.get("use_regex", True):
                splits.append(Split(_GPT2))
        else:
            raise TokenizerError(f"Its pre-tokenizer {kind} is not known in this form.")
    if not byte_level_seen:
        raise TokenizerError("It is no byte-level BPE.")
    return tuple(splits)


def _sentence_pieces(
    tokenizer: Mapping[str, Any],
    pairs: Sequence[tuple[str, str]],
    specials: tuple[SpecialToken, ...],
) -> TokenSet:
    """A sentencepiece model in this library's clothes, undressed.

    sentencepiece merges the pair whose joined piece scores best, so a piece's score is minus the
    place of the first merge that makes it.
    """
    model = tokenizer["model"]
    steps = _steps(tokenizer.get("normalizer"), "normalizers")
    steps = [*steps, *_steps(tokenizer.get("pre_tokenizer"), "pretokenizers")]
    prefixed = any(
        step["type"] == "Prepend" or step.get("prepend_scheme") in ("always", "first")
        for step in steps
    )
    if any(step["type"] not in ("Prepend", "Replace", "Metaspace") for step in steps):
        raise TokenizerError("Its normalizer is not known beside byte fallback.")
    place: dict[str, int] = {}
    for at, (left, right) in enumerate(pairs):
        place.setdefault(left + right, at)
    ids = {**model["vocab"], **{token.text: token.id for token in specials}}
    pieces = [Piece(f"<empty_{at}>", kind=Kind.UNUSED) for at in range(max(ids.values()) + 1)]
    for text, id_ in ids.items():
        pieces[id_] = Piece(text, -float(place.get(text, len(pairs))), _kind(text, model, specials))
    facts = SentencePieceModel(pieces, prefixed, remove_extra_whitespaces=False)
    return TokenSet(
        SentencePieces(serialise(pieces, add_dummy_prefix=prefixed)),
        [piece.decoded() for piece in pieces],
        specials,
        leading_space=facts.leading_space,
    )


def _kind(text: str, model: Mapping[str, Any], specials: Iterable[SpecialToken]) -> Kind:
    if text == model.get("unk_token"):
        return Kind.UNKNOWN
    if len(text) == 6 and text.startswith("<0x") and text.endswith(">"):
        return Kind.BYTE
    return Kind.CONTROL if any(token.text == text for token in specials) else Kind.NORMAL


def _framed(found: TokenSet, processor: Mapping[str, Any]) -> TokenSet:
    """With the ids that the post-processor puts around a text."""
    prefix: list[int] = []
    suffix: list[int] = []
    for step in _steps(processor, "processors"):
        if step["type"] == "ByteLevel":
            continue
        if step["type"] != "TemplateProcessing":
            raise TokenizerError(f"Its post-processor {step['type']} is not known.")
        side = prefix
        for part in step["single"]:
            if "Sequence" in part:
                side = suffix
            else:
                side.extend(step["special_tokens"][part["SpecialToken"]["id"]]["ids"])
    return TokenSet(
        found.method,
        found.tokens,
        found.specials,
        prefix=tuple(prefix),
        suffix=tuple(suffix),
        leading_space=found.leading_space,
    )


def _special(token: Mapping[str, Any]) -> SpecialToken:
    return SpecialToken(
        token["content"],
        int(token["id"]),
        hidden=bool(token.get("special")),
        strip_left=bool(token.get("lstrip")),
        strip_right=bool(token.get("rstrip")),
    )


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _steps(step: Mapping[str, Any] | None, parts: str) -> list[Mapping[str, Any]]:
    if not step:
        return []
    return list(step[parts]) if step["type"] == "Sequence" else [step]


def _quoted(text: str) -> str:
    return "".join(c if c.isalnum() else f"\\{c}" for c in text)
