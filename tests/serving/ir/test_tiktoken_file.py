"""Rank files, against tiktoken."""

from __future__ import annotations

import base64
from itertools import pairwise

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from serving.ir import byte_level, tiktoken_file

TOKENS = st.sets(st.binary(min_size=2, max_size=5).map(lambda b: bytes(c % 4 + 97 for c in b)))


def _file(tokens: list[bytes]) -> bytes:
    lines = [base64.b64encode(t) + b" " + str(at).encode() for at, t in enumerate(tokens)]
    return b"\n".join(lines) + b"\n"


def _apply(text: bytes, ranks: dict[bytes, int]) -> list[int]:
    """BPE by the derived merges, as a byte-level tokenizer applies them."""
    pairs, whole = tiktoken_file.merges(ranks)
    if text in whole:
        return [whole[text]]
    order = {pair: at for at, pair in enumerate(pairs)}
    parts = [text[at : at + 1] for at in range(len(text))]
    while True:
        found = [(order[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in order]
        if not found:
            return [ranks[part] for part in parts]
        _, at = min(found)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


@given(TOKENS, st.text("abcd", max_size=24), st.randoms())
def test_merges_do_what_ranks_do(tokens: set[bytes], text: str, random: object) -> None:
    order = sorted(tokens, key=lambda token: (len(token), token[::-1]))
    random.shuffle(order)  # type: ignore[attr-defined]
    every = [bytes([c]) for c in range(256)] + order
    ranks = tiktoken_file.parse(_file(every))
    assert ranks == {token: at for at, token in enumerate(every)}
    reference = tiktoken.Encoding("t", pat_str=r"\w+", mergeable_ranks=ranks, special_tokens={})
    expected = reference.encode(text)
    assert (_apply(text.encode(), ranks) if text else []) == expected


def test_a_part_may_rank_after_what_it_is_a_part_of() -> None:
    ranks = {bytes([c]): c for c in range(256)} | {b"ccb": 256, b"cb": 257}
    assert tiktoken_file.merges(ranks) == ([(b"c", b"cb"), (b"c", b"b")], {})
    assert _apply(b"accb", ranks) == [97, 256]


@pytest.mark.parametrize(
    "data", [b"", b"YQ==", b"YQ== x", b"!!! 1", b"YQ== 0\nYg== 0", b"YQ== -1", b"a b c"]
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"ranks|base64|unpack|literal"):
        tiktoken_file.parse(data)


def test_stand_in_characters_cover_every_byte() -> None:
    stand_ins = {chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256)]}
    stand_ins |= {chr(c) for c in range(256, 324)}
    assert {byte_level.decoded(c) for c in stand_ins} == {bytes([b]) for b in range(256)}
    assert byte_level.decoded("Ġé") == b" \xe9"
    assert byte_level.decoded("咳") == "咳".encode()
    with pytest.raises(ValueError, match="empty"):
        byte_level.by_id({})


def test_tokens_that_no_merge_makes() -> None:
    vocabulary = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b"abc": 4, b"bc": 5}
    assert byte_level.unmade(vocabulary, [(b"a", b"b"), (b"ab", b"c")]) == {b"bc": 5}
