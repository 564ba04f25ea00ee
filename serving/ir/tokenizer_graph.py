"""A tokenizer as OpenVINO graphs: text → ids and ids → text.

The operations are those of the package ``openvino_tokenizers``; the graphs keep the forms that
GenAI looks for when it makes special tokens, padding, truncation and skipping selectable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import accumulate
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset15 as ops

from serving.ir.token_set import BytePairs, SentencePieces, SpecialToken, TokenSet

_CACHED_WORDS = 20_000
_I32 = ov.Type.i32


def tokenizer_graph(tokens: TokenSet, limit: int) -> Any:
    """Strings (batch) → ``input_ids`` and ``attention_mask`` (batch, length), int64, left-padded.

    Nothing is cut unless the caller asks for truncation, which is then to ``limit`` tokens.
    """
    text = ops.parameter([-1], ov.Type.string, name="string_input")
    strings = ops.string_tensor_unpack(text).outputs()
    for pattern, replacement in tokens.rewrites:
        strings = _custom(
            "RegexNormalization", [*strings, _string(pattern), _string(replacement)],
            global_replace=True,
        )  # fmt: skip
    if isinstance(tokens.method, BytePairs):
        ragged = _byte_pairs(tokens.method, tokens, strings)
    else:
        ragged = _sentence_pieces(tokens.method, tokens.specials, strings)
    framed = _framed(_truncated(ragged, limit), tokens)
    ids, mask = _padded(framed, tokens.pad or 0)
    results = [_result(ids, "input_ids"), _result(mask, "attention_mask")]
    return ov.Model(results, [text], "tokenizer")


def detokenizer_graph(tokens: TokenSet) -> Any:
    """``input_ids`` (batch, length), int64 → strings (batch) without hidden tokens.

    Bytes that are no UTF-8, an unfinished character at the end for one, are left out.
    """
    ids = ops.parameter([-1, -1], ov.Type.i64, name="input_ids")
    hidden = _ints(sorted({token.id for token in tokens.specials if token.hidden}))
    skipped = ops.slice(hidden, _ints([0]), _ints([2**31 - 1]), _ints([1]))
    decoded = _custom(
        "VocabDecoder", [ops.convert(ids, "i32").output(0), *_strings(tokens.tokens), skipped]
    )
    strings = [*_custom("FuzeRagged", decoded[:-1]), decoded[-1]]
    if tokens.leading_space:
        strings = _custom(
            "RegexNormalization", [*strings, _string(tokens.leading_space), _string("")],
            global_replace=False,
        )  # fmt: skip
    strings = _custom("UTF8Validate", strings, replace_mode=False)
    packed = ops.string_tensor_pack(*strings)
    packed.output(0).tensor.add_names({"string_output"})
    return ov.Model([packed.output(0)], [ids], "detokenizer")


def _byte_pairs(method: BytePairs, tokens: TokenSet, strings: list[Any]) -> list[Any]:
    rows = [*_one_each(strings[0]), *strings]
    words = rows
    matched = [token for token in tokens.specials if token.matched]
    if matched:
        words = _custom("SpecialTokensSplit", [*rows, _string(_either(matched))])
    if method.nfc:
        words[2:] = _custom(
            "CharsMapNormalization", words[2:], normalization_form="nfc",
            remove_extra_whitespaces=False,
        )  # fmt: skip
    for split in method.splits:
        words = _custom(
            "RegexSplit", [*words, _string(split.pattern)],
            behaviour=split.behaviour, invert=split.invert, max_splits=-1,
        )  # fmt: skip
    whole = {**method.whole, **{token.text.encode(): token.id for token in matched}}
    left, right = ([pair[side] for pair in method.pairs] for side in (0, 1))
    inputs = [*words[:5], *_strings(tokens.tokens), *_strings(left), *_strings(right)]
    if whole:
        inputs += [*_strings(whole), _ints(list(whole.values()))]
    return _custom(
        "BPETokenizer", inputs, unk_token="", fuse_unk=False, suffix_indicator="",
        end_suffix="", byte_fallback=False, cache_capacity=_CACHED_WORDS,
    )  # fmt: skip


def _sentence_pieces(
    method: SentencePieces, specials: Sequence[SpecialToken], strings: list[Any]
) -> list[Any]:
    # The operation tries the tokens in this order, so a longer one comes before its beginning.
    matched = sorted((t for t in specials if t.matched), key=lambda t: len(t.text), reverse=True)
    inputs = [
        _bytes(method.model),
        ops.string_tensor_pack(*strings).output(0),
        *_strings(token.text for token in matched),
        _ints([token.id - method.offset for token in matched]),
    ]
    where, ids, shape = _custom(
        "SentencepieceTokenizer", inputs, nbest_size=1, alpha=1.0,
        add_bos=False, add_eos=False, reverse=False,
    )  # fmt: skip
    # Sparse rows to ragged ones: count the ids of every row.
    row = ops.gather(where, _long(0), _long(1))
    batch = ops.slice(shape, _longs([0]), _longs([1]), _longs([1]))
    counts = ops.scatter_elements_update(
        ops.broadcast(_int(0), batch),
        row,
        ops.broadcast(_int(1), ops.shape_of(row)),
        _long(0),
        reduction="sum",
    )
    ends = ops.cum_sum(counts, _long(0))
    if method.offset:
        ids = ops.add(ids, _int(method.offset)).output(0)
    return [ops.subtract(ends, counts).output(0), ends.output(0), ids]


def _either(specials: Sequence[SpecialToken]) -> str:
    """The pattern of these tokens; each is a group of its own, longer ones come first."""
    groups: dict[tuple[bool, bool], list[str]] = {}
    for token in sorted(specials, key=lambda token: len(token.text), reverse=True):
        groups.setdefault((token.strip_left, token.strip_right), []).append(re.escape(token.text))
    return "|".join(
        (r"(?:\s*)" if left else "") + f"({'|'.join(texts)})" + (r"(?:\s*)" if right else "")
        for (left, right), texts in groups.items()
    )


def _truncated(ragged: list[Any], limit: int) -> list[Any]:
    # GenAI puts its switch before this constant, off until truncation is asked for.
    return _custom("Truncate", [*ragged, _int(limit), _string("right"), _string("longest_first")])


def _framed(ragged: list[Any], tokens: TokenSet) -> list[Any]:
    """Prefix, text, suffix.  GenAI counts one token for every constant segment."""
    segments = [
        *([_int(0), _int(1), _ints([token])] for token in tokens.prefix),
        ragged,
        *([_int(0), _int(1), _ints([token])] for token in tokens.suffix),
    ]
    inputs = [part for segment in segments for part in segment]
    return _custom("CombineSegments", [*inputs, _ints([0] * len(segments))])[:3]


def _padded(ragged: list[Any], pad: int) -> tuple[Any, Any]:
    begins, ends, _ = ragged
    longest = ops.reduce_max(ops.subtract(ends, begins), _int(0), keep_dims=False)
    ids, mask = _custom(
        "RaggedToDense", [*ragged, longest.output(0), _int(pad)],
        pad_right=False, pad_max_length=False,
    )  # fmt: skip
    return ids, mask


def _result(output: Any, name: str) -> Any:
    wide = ops.convert(output, "i64").output(0)
    wide.tensor.add_names({name})
    return wide


def _one_each(begins: Any) -> list[Any]:
    """Begins and ends of rows of one string each."""
    count = ops.gather(ops.shape_of(begins, "i32"), _int(0), _int(0))
    return [
        ops.range(_int(0), count, _int(1), output_type="i32").output(0),
        ops.range(_int(1), ops.add(count, _int(1)), _int(1), output_type="i32").output(0),
    ]


def _custom(operation: str, inputs: Iterable[Any], **attributes: Any) -> list[Any]:
    # The module registers its operations with OpenVINO when it is imported.
    factory = import_module("openvino_tokenizers")._get_factory()
    outputs = [x.output(0) if isinstance(x, ov.Node) else x for x in inputs]
    return list(factory.create(operation, outputs, attributes).outputs())


def _int(value: int) -> Any:
    return ops.constant(value, _I32)


def _ints(values: Sequence[int]) -> Any:
    return ops.constant(np.array(values, dtype=np.int32))


def _long(value: int) -> Any:
    return ops.constant(value, ov.Type.i64)


def _longs(values: Sequence[int]) -> Any:
    return ops.constant(np.array(values, dtype=np.int64))


def _bytes(value: bytes) -> Any:
    return ops.constant(np.frombuffer(value, dtype=np.uint8))


def _string(value: str) -> Any:
    return _bytes(value.encode())


def _strings(values: Iterable[str | bytes]) -> list[Any]:
    """Begins, ends and bytes of strings, as the operations take them."""
    encoded = [value.encode() if isinstance(value, str) else value for value in values]
    ends = list(accumulate(map(len, encoded)))
    return [_ints([0, *ends[:-1]] if ends else []), _ints(ends), _bytes(b"".join(encoded))]
